// Package onnx imports ONNX graphs (https://onnx.ai/onnx/operators) as programs: opset 13 to 17, and from 7 to 20 where the ops in use
// mean the same.
//
//	pkg, err := onnx.Import(data, onnx.Options{Shapes: map[string][]int64{"x": {1, 3, 48, 320}}})
//
// A program has fixed shapes, so every input's is fixed at import. What is then known is computed at import, by the engine itself: shapes
// and what depends on them, and subgraphs of constants. Batch normalisation and other maps that are affine per channel go into the
// weights of the convolution before or behind them, in double precision; patterns that stand for one function become its op. The
// program computes what the graph says up to rounding; it does so with the same bits everywhere.
//
// Values of type float16, bfloat16 and double are imported, and computed with, as float32. Comparisons of NaN follow the engine's total
// order. Computed indices of Gather are clamped.
//
// A file is bounded before anything is allocated for it, and an error names the node by index and name, its op, and what to do.
//
// # Reading the source
//
// Import and converter.node (import.go), table (table.go), lazy (lazy.go) for what is folded, fuse (fuse.go) for patterns, Parse
// (parse.go) for the file.
package onnx
