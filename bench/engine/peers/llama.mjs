// Peer process: argv = module folder, model, threads. Reads a number of tokens a line, evaluates that many as one prompt with
// node-llama-cpp (llama.cpp), writes processor and wall seconds. Logs go to stderr.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [folder, modelPath, threads] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const llama = await getLlama({ gpu: false, build: "never", maxThreads: Number(threads), logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 512, batchSize: 512, threads: { ideal: Number(threads), min: Number(threads) } });
const sequence = context.getSequence();
for await (const line of createInterface({ input: process.stdin })) {
  const n = Number(line);
  const tokens = Array.from({ length: n }, (_, i) => 261 + ((i * 7919) % 31000));
  await sequence.clearHistory();
  const cpu = process.cpuUsage(), wall = process.hrtime.bigint();
  await sequence.evaluateWithoutGeneratingNewTokens(tokens);
  const used = process.cpuUsage(cpu), took = process.hrtime.bigint() - wall;
  process.stdout.write(`${(used.user + used.system) / 1e6} ${Number(took) / 1e9}\n`);
}
await context.dispose();
await llama.dispose();
process.exit(0);
