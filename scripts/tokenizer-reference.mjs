// Encodes texts with the Hugging Face tokenizers library and prints the ids as JSON: [[id, …], …], with the special tokens around a text.
//
//   node scripts/tokenizer-reference.mjs tokenizer.json texts.json
//
// The library is a development dependency of nothing: install @anush008/tokenizers@0.6.0 and, on Linux,
// @anush008/tokenizers-linux-x64-gnu@0.6.0 (npm install --ignore-scripts) in any folder and name it with POAI_NODE_MODULES.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const [file, texts] = process.argv.slice(2)
const { Tokenizer } = createRequire(resolve(process.env.POAI_NODE_MODULES ?? '.', 'x.js'))('@anush008/tokenizers')
const tokenizer = Tokenizer.fromFile(file)
const out = []
for (const text of JSON.parse(readFileSync(texts, 'utf8'))) {
  const e = await tokenizer.encode(text, null, { addSpecialTokens: true })
  out.push(Array.from(e.getIds()))
}
console.log(JSON.stringify(out))
