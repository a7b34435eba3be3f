// Package num is the normative scalar arithmetic of the deterministic engine.
//
// Every function here *defines* the result of an elementary step, bit for bit,
// on every platform Go compiles for; the tuned code in engine/kernel must return
// the same bits. The package uses only IEEE-754 binary32 and binary64 operations
// with an explicit conversion after every product, because the Go compiler is
// free to fuse x*y+z on arm64, riscv64, s390x, ppc64le, loong64 and on amd64 with
// GOAMD64=v3.
//
// # Conventions
//
//   - A value is a float32 in round-to-nearest-even with subnormals kept.
//   - There is one NaN, 0x7fc00000. Arithmetic functions return that NaN whatever
//     the payload or sign of a NaN operand.
//   - Order (Max, Min, Less, Relu) compares one integer key: NaN is the largest
//     value, −0 < +0.
//   - Elementary functions are straight-line programs over float32 add, mul, fma,
//     div, convert and bit operations with branchless selects, so that a vector
//     unit can run the same sequence. Coefficients and order are normative; the
//     accuracy (see the tests) is a measured property, not a definition.
//
// # Reading the source
//
// FMA (the rounding argument), Key (the order), Sum16 (the summation order), Exp
// (the shape of an elementary function), ExpWeight and Rand64 (sampling).
package num
