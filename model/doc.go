// Package model is the model package: what a model is as files, and how models and tokenizers come in from formats people already have.
//
// A package is a folder, or one canonical tar of it (Artifact):
//
//	model.json           what the model is: name, hashes of the other files, labels, outputs, licence, provenance (Meta)
//	program.pb           the canonical program of docs/engine.md
//	weights.safetensors  the program's weights by name
//	tokenizer.bin        for text models: pieces and scores in llama2.c's format,
//	tokenizer.json       or the Hugging Face library's format with a BPE model
//
// Load and FromArtifact check everything before they return: the program's hash, every weight's name, dtype and shape, the weights
// root (commit.NamedRoot in the program's order) and the tokenizer's hash. CIDOf names any artifact by content.
//
// ImportLlama2c turns a llama2.c checkpoint into a package; packages onnx and hf do so with ONNX graphs and Hugging Face folders. Readers of files bound every size before they allocate, and one error names
// the field and the limit; they are fuzzed.
//
// # Reading the source
//
// Start with Package and FromFiles (package.go), ParseSafetensors (safetensors.go), Tokenizer.merge (tokenizer.go), bpe.encode
// (tokenizer_bpe.go), llamaParts (llama2c.go).
package model
