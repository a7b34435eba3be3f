// Runs an ONNX model with onnxruntime and writes its outputs as .npy files, or times it.
//
//   node scripts/onnx-reference.mjs [--modules DIR] [--threads N] [--serve 1] MODEL.onnx OUT_DIR NAME=FILE.npy …
//
// A bool input is a file of u1 under NAME:bool; bool outputs become u1.
//
// onnxruntime-node is a development dependency of nothing: install it (npm install --ignore-scripts onnxruntime-node@1.30.0) in any
// folder and name that folder with --modules or POAI_NODE_MODULES. With --serve 1 it writes "ready", reads a number of runs a line from standard
// input, and answers each with one line of JSON: how long they took, wall clock and CPU time, in milliseconds.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const options = { modules: process.env.POAI_NODE_MODULES ?? '.', threads: 1, serve: 0 }
const args = []
for (let i = 2; i < process.argv.length; i++) {
  const a = process.argv[i]
  if (a.startsWith('--')) {
    const name = a.slice(2)
    if (!(name in options) || i + 1 === process.argv.length) fail(`${a}: want --modules DIR, --threads N or --serve 1`)
    options[name] = name === 'modules' ? process.argv[++i] : Number(process.argv[++i])
  } else args.push(a)
}
if (args.length < 2) fail('want MODEL.onnx OUT_DIR NAME=FILE.npy …')

function fail(text) {
  console.error(text)
  process.exit(1)
}

const ort = createRequire(resolve(options.modules, 'x.js'))('onnxruntime-node')

const types = {
  '<f4': ['float32', Float32Array], '<i4': ['int32', Int32Array], '<i8': ['int64', BigInt64Array],
  '|i1': ['int8', Int8Array], '|u1': ['uint8', Uint8Array],
}

function readNpy(path, bool) {
  const b = readFileSync(path)
  const n = b[6] === 1 ? b.readUInt16LE(8) : b.readUInt32LE(8)
  const at = (b[6] === 1 ? 10 : 12) + n
  const head = b.toString('latin1', b[6] === 1 ? 10 : 12, at)
  const descr = /'descr':\s*'([^']*)'/.exec(head)[1]
  const shape = /'shape':\s*\(([^)]*)\)/.exec(head)[1].split(',').filter((s) => s.trim()).map(Number)
  const [type, Kind] = bool ? ['bool', Uint8Array] : types[descr]
  return new ort.Tensor(type, new Kind(b.buffer.slice(b.byteOffset + at, b.byteOffset + b.length)), shape)
}

function writeNpy(path, t) {
  const descr = t.type === 'bool' ? '|u1' : Object.keys(types).find((k) => types[k][0] === t.type)
  const shape = t.dims.length === 1 ? `(${t.dims[0]},)` : `(${t.dims.join(', ')})`
  let head = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`
  head += ' '.repeat(63 - ((10 + head.length) % 64)) + '\n'
  const pre = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8])
  writeFileSync(path, Buffer.concat([pre, Buffer.from(head, 'latin1'), Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength)]))
}

const [model, out, ...inputs] = args
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: options.threads, interOpNumThreads: 1, logSeverityLevel: 3,
})
const feeds = {}
for (const i of inputs) {
  const eq = i.lastIndexOf('=')
  const bool = i.slice(0, eq).endsWith(':bool')
  feeds[i.slice(0, bool ? eq - 5 : eq)] = readNpy(i.slice(eq + 1), bool)
}
const result = await session.run(feeds)
if (options.serve) {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const cpu = process.cpuUsage()
    const start = process.hrtime.bigint()
    for (let i = 0; i < Number(line); i++) await session.run(feeds)
    const wall = Number(process.hrtime.bigint() - start) / 1e6
    const used = process.cpuUsage(cpu)
    console.log(JSON.stringify({ wall, cpu: (used.user + used.system) / 1e3 }))
  }
  process.exit(0)
}
mkdirSync(out, { recursive: true })
for (const [i, name] of session.outputNames.entries()) {
  writeNpy(join(out, `${i}.npy`), result[name])
}
