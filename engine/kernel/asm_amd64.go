package kernel

// tile computes C[i, j] (+)= Σ_k A[k, i]·B[k, j] for mr rows and tileCols columns,
// A and B k-major, strides in bytes, one fma chain per element; resume ≠ 0
// continues the chains from C. See gen/tile.go.

//go:noescape
func tileAVX2(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc int, resume int)

//go:noescape
func tileAVX512(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc int, resume int)

// tileWide is tile for 64 columns and mr ≤ tileWideRows.

//go:noescape
func tileWideAVX2(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc int, resume int)

//go:noescape
func tileWideAVX512(mr, k int, a *float32, aStride int, b *float32, bStride int, c *float32, ldc int, resume int)

// transpose8 writes dst[k][r] = src[r][k] for 8 rows and 8·blocks columns.
//
//go:noescape
func transpose8(dst *float32, dstStride int, src *[8]*float32, blocks int)

// copyPanel copies rows of 16·groups floats; strides are in bytes.
//
//go:noescape
func copyPanel(dst *float32, dstStride int, src *float32, srcStride int, groups, rows int)
