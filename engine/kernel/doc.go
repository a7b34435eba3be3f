// Package kernel computes the engine's heavy operations on flat float32 and int8
// slices: matrix products, convolutions, elementwise functions and row reductions.
//
// Every function has a plain reference built from engine/num and tuned versions: for
// AVX2+FMA and AVX-512 on amd64, for NEON on arm64. All of them return the same bits,
// for every thread count, so which one runs is never visible in a result:
//
//   - a dot product is one fused multiply-add chain per output element, in
//     ascending k from +0; vector lanes, register tiles and threads hold different
//     output elements, and k is blocked only by storing and reloading the chain;
//   - what is not a member (conv padding, masked k) is not in the chain at all:
//     fma with a zero would turn −0 into +0 and Inf into NaN;
//   - a NaN result is 0x7fc00000.
//
// # Choice of kernel
//
// The best kernel the processor supports is chosen at start. The environment
// variable POAI_KERNEL (reference, avx2, avx512, neon or auto) overrides it; a value the
// processor cannot honour stops the program. Use changes it afterwards, for tests.
//
// # Errors
//
// Shapes are the caller's business: a slice shorter than its shape says, or a
// negative dimension, is a programming error and panics with the function's name.
// Destinations must not overlap sources, except that elementwise functions and
// SoftmaxRows may work in place (same slice).
//
// # Reading the source
//
// gemm.ref and convRef (what is computed), tiler.blocked (how), gen/main.go and
// gen/arm64/main.go (the generators of the assembly), dispatch_*.go (what the tiled
// code needs of an architecture), planAxis (membership classes of a convolution).
package kernel
