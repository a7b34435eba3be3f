// Package hf imports llama-family models as Hugging Face transformers saves them: config.json, one or more safetensors files and
// tokenizer.json.
//
//	pkg, err := hf.Import(os.DirFS(dir), hf.Options{Context: 2048})
//
// Families: Llama, Mistral, Qwen2 (biases of queries, keys and values) and Qwen3 (norms of heads), with grouped-query attention, heads of
// any width, tied embeddings, rotary positions of any base, scaled linearly or as in Llama 3.1. Weights of float16, bfloat16 and double
// become float32. A tensor that the architecture does not have is refused by name, as is any part of config.json that changes what is
// computed and is not supported.
//
// These files rotate element i of a head with element i + d/2; the engine's rope@1 rotates pairs (2i, 2i+1). So the rows of the query and
// key projections, their biases and norms are put into that order, which changes no result: a product of a query and a key is the
// same in any common order, up to rounding.
package hf
