package kernel

// tile computes C[i, j] (+)= Σ_k A[k, i]·B[k, j] for mr rows and tileCols columns,
// A and B k-major, strides in bytes, one fma chain per element; resume ≠ 0
// continues the chains from C. See gen/tile.go.

//go:noescape
func tileAVX2(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

//go:noescape
func tileAVX512(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

// tileWide is tile for 64 columns and mr ≤ tileWideRows.

//go:noescape
func tileWideAVX2(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

//go:noescape
func tileWideAVX512(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc, resume int)

// transpose8 writes dst[k][r] = src[r][k] for 8 rows and 8·blocks columns.
//
//go:noescape
func transpose8(dst *float32, dstStride int, src *[8]*float32, blocks int)

// copyPanel copies rows of 16·groups floats; strides are in bytes.
//
//go:noescape
func copyPanel(dst *float32, dstStride int, src *float32, srcStride, groups, rows int)

// unary applies an elementwise operation (ops_gen.go); n is a positive multiple of 16.

//go:noescape
func unaryAVX2(op int, dst, a *float32, n int)

//go:noescape
func unaryAVX512(op int, dst, a *float32, n int)

// binary is unary for two operands; aStep and bStep are 1, or 0 to reuse the first
// 16 elements of that operand.

//go:noescape
func binaryAVX2(op int, dst, a, b *float32, aStep, bStep, n int)

//go:noescape
func binaryAVX512(op int, dst, a, b *float32, aStep, bStep, n int)

// sum16 continues the sixteen chains of Sum16, sumSq16 those of SumSqDiff16, and
// maxKey16 the lane maxima of order keys; n is a positive multiple of 16.

//go:noescape
func sum16AVX2(acc *[16]float32, x *float32, n int)

//go:noescape
func sum16AVX512(acc *[16]float32, x *float32, n int)

//go:noescape
func sumSq16AVX2(acc *[16]float32, x *float32, n int, mean *float32)

//go:noescape
func sumSq16AVX512(acc *[16]float32, x *float32, n int, mean *float32)

//go:noescape
func maxKey16AVX2(acc *[16]int32, x *float32, n int)

//go:noescape
func maxKey16AVX512(acc *[16]int32, x *float32, n int)

// run is a copy of 8·groups floats from offset src to offset dst.
type run struct{ src, dst, groups int }

// copyRuns copies n runs for each of rows source offsets; see gen/pack.go.
//
//go:noescape
func copyRuns(dst *float32, dstStride int, src *float32, offs *int, rows int, runs *run, n int)

// tileI8 is tile for int32 results; one k is a 32-bit group of two int16 (AVX2) or
// four bytes, A unsigned and B signed (AVX-512 VNNI).

//go:noescape
func tileI8AVX2(mr, k int, a *uint32, aStride int, b *uint32, bStride int, c *int32, ldc, resume int)

//go:noescape
func tileI8AVX512(mr, k int, a *uint32, aStride int, b *uint32, bStride int, c *int32, ldc, resume int)

// gemv32 continues 32 chains y[r] += Σ_k x[k]·w[r][k] over 16·blocks columns of rows
// stride bytes apart; see gen/gemv.go.
//
//go:noescape
func gemv32(y, w *float32, stride int, x *float32, blocks int)

// convRow computes dst[j] = Σ_i w[i]·src[offs[i] + j] for n ≥ 8; see gen/convrow.go.
//
//go:noescape
func convRow(dst, src *float32, offs *int, w *float32, k, n int)

// gemvI8 computes y[r] = start + Σ_k w[r][k]·x[k] for rows of w stride bytes apart; see
// gen/gemvi8.go.

//go:noescape
func gemvI8AVX2(y *int32, w *int8, stride int, x *int16, k, rows, start int)

//go:noescape
func gemvI8AVX512(y *int32, w *int8, stride int, x *int8, k, rows, start int)

// compare writes whether key(a) pred key(b) as bytes, choose picks a or b by bytes; see gen/choice.go. n is a positive multiple of 16.

//go:noescape
func compareAVX2(pred int, dst *uint8, a, b *float32, aStep, bStep, n int)

//go:noescape
func compareAVX512(pred int, dst *uint8, a, b *float32, aStep, bStep, n int)

//go:noescape
func chooseAVX2(dst *float32, cond *uint8, a, b *float32, aStep, bStep, n int)

//go:noescape
func chooseAVX512(dst *float32, cond *uint8, a, b *float32, aStep, bStep, n int)

// maxPool2 and maxPool2Grad are pooling of n ≥ 4 windows of 2×2 in a pair of rows; see gen/choice.go.

//go:noescape
func maxPool2(dst, top, bottom *float32, n int)

//go:noescape
func maxPool2Grad(dTop, dBottom, top, bottom, dy *float32, n int)
