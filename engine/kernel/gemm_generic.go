//go:build !amd64 && !arm64

package kernel

// run computes the product.
func (g *gemm) run(threads int) { Parallel(threads, g.m, g.ref) }
