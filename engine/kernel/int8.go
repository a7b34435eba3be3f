package kernel

// MaxKI8 is the largest k for which no int8 dot product can wrap: 131071·2^14 < 2^31.
const MaxKI8 = 131071

// GemmI8 computes dst = op(A)·op(B) for int8 operands and int32 results, row-major
// and dense as in Gemm. Sums are taken mod 2^32, so their order does not matter;
// with k ≤ MaxKI8 they are exact.
func GemmI8(dst []int32, a, b []int8, m, n, k int, ta, tb bool, threads int) {
	nonNegative("GemmI8", m, n, k)
	need("GemmI8", "dst", len(dst), m*n)
	need("GemmI8", "a", len(a), m*k)
	need("GemmI8", "b", len(b), k*n)
	if gemmI8Fast(dst, a, b, m, n, k, ta, tb, threads) {
		return
	}
	Parallel(threads, m, func(lo, hi int) { gemmI8Ref(dst, a, b, m, n, k, ta, tb, lo, hi) })
}

// gemmI8Ref computes rows [lo, hi) by definition.
func gemmI8Ref(dst []int32, a, b []int8, m, n, k int, ta, tb bool, lo, hi int) {
	as0, as1, bs0, bs1 := k, 1, n, 1
	if ta {
		as0, as1 = 1, m
	}
	if tb {
		bs0, bs1 = 1, k
	}
	for i := lo; i < hi; i++ {
		for j := range n {
			var acc int32
			for kk := range k {
				acc += int32(a[i*as0+kk*as1]) * int32(b[kk*bs0+j*bs1])
			}
			dst[i*n+j] = acc
		}
	}
}
