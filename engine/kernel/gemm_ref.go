package kernel

import (
	"runtime"

	"poaid/engine/num"
)

// threadCount resolves the meaning of threads ≤ 0.
func threadCount(threads int) int {
	if threads <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return threads
}

// ref computes rows [lo, hi) by definition: one chain per element.
func (g *gemm) ref(lo, hi int) {
	for i := lo; i < hi; i++ {
		k0, k1 := g.tri.members(i, g.k)
		row := g.c[i*g.ldc : i*g.ldc+g.n]
		for j := range row {
			var acc float32
			if g.resume {
				acc = row[j]
			}
			for k := k0; k < k1; k++ {
				acc = num.FMA(g.a[i*g.as0+k*g.as1], g.b[k*g.bs0+j*g.bs1], acc)
			}
			row[j] = num.CanonNaN(acc)
		}
	}
}
