package kernel

// tileNEON computes C[i, j] (+)= Σ_k A[k, i]·B[k, j] for mr rows and 16 columns, A
// and B k-major, strides in bytes, one fma chain per element; resume ≠ 0 continues
// the chains from C. See gen/arm64/tile.go.
//
//go:noescape
func tileNEON(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

// tileWideNEON is tileNEON for one row and 64 columns.
//
//go:noescape
func tileWideNEON(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

// tileDotNEON is tileNEON for int32 results; one k is a 32-bit group of four bytes.
// It needs the processor's dot product (ASIMDDP).
//
//go:noescape
func tileDotNEON(mr, k int, a *uint32, aStride int, b *uint32, bStride int, c *int32, ldc, resume int)

// tileMlalNEON is tileNEON for int32 results; one k is a 32-bit group of two int16.
//
//go:noescape
func tileMlalNEON(mr, k int, a *uint32, aStride int, b *uint32, bStride int, c *int32, ldc, resume int)

// transpose8 writes dst[k][r] = src[r][k] for 8 rows and 8·blocks columns.
//
//go:noescape
func transpose8(dst *float32, dstStride int, src *[8]*float32, blocks int)

// copyPanel copies rows of 16·groups floats; strides are in bytes.
//
//go:noescape
func copyPanel(dst *float32, dstStride int, src *float32, srcStride, groups, rows int)

// run is a copy of 8·groups floats from offset src to offset dst.
type run struct{ src, dst, groups int }

// copyRuns copies n runs for each of rows source offsets, dst advancing by
// dstStride bytes; offsets count floats.
//
//go:noescape
func copyRuns(dst *float32, dstStride int, src *float32, offs *int, rows int, runs *run, n int)

// gemv32 continues 32 chains y[r] += Σ_k x[k]·w[r][k] over 16·blocks columns of rows
// stride bytes apart.
//
//go:noescape
func gemv32(y, w *float32, stride int, x *float32, blocks int)

// convRow computes dst[j] = Σ_i w[i]·src[offs[i] + j] for n ≥ 8, k ≥ 1.
//
//go:noescape
func convRow(dst, src *float32, offs *int, w *float32, k, n int)

// unaryNEON applies an elementwise operation (ops_gen.go); n is a positive multiple
// of 16.
//
//go:noescape
func unaryNEON(op int, dst, a *float32, n int)

// binaryNEON is unaryNEON for two operands; aStep and bStep are 1, or 0 to reuse the
// first 16 elements of that operand.
//
//go:noescape
func binaryNEON(op int, dst, a, b *float32, aStep, bStep, n int)

// sum16NEON continues the sixteen chains of Sum16, sumSq16NEON those of SumSqDiff16,
// and maxKey16NEON the lane maxima of order keys; n is a positive multiple of 16.

//go:noescape
func sum16NEON(acc *[16]float32, x *float32, n int)

//go:noescape
func sumSq16NEON(acc *[16]float32, x *float32, n int, mean *float32)

//go:noescape
func maxKey16NEON(acc *[16]int32, x *float32, n int)
