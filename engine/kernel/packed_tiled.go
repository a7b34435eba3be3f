//go:build amd64 || arm64

package kernel

const (
	// gemvDepth bounds one call of the 64-column tile: 1 MiB of weights.
	gemvDepth = 4096
	// packedRows bounds the rows of X packed at a time by GemmPacked.
	packedRows = 504
)

// runPacked computes dst[m, n] = X[m, k]·Wᵀ from packed panels with the kernel in
// use; it reports false when there is none but the reference.
func runPacked(dst, x, packed []float32, m, n, k, threads int) bool {
	l := current()
	if l == levelReference || k == 0 {
		return false
	}
	if m*n*k <= smallMACs {
		threads = 1
	}
	for i0 := 0; i0 < m; i0 += packedRows {
		rows := min(packedRows, m-i0)
		g := gemm{c: dst[i0*n:], a: x[i0*k:], b: packed, m: rows, n: n, k: k, as0: k, as1: 1, ldc: n}
		t := tiler{gemm: &g, level: l, tileShape: tileShapes[l]}
		t.packed(threads)
	}
	return true
}

// packed runs the product over 64-column panels of t.b.
func (t *tiler) packed(threads int) {
	height, width := t.heightFor(t.m)
	depth := kc
	if t.m <= height {
		depth = gemvDepth // the weights are read once: no need to keep them in cache
	}
	a := t.a
	if t.m > 1 {
		buf := buffer(t.m*t.k + packSlack)
		defer buffers.Put(buf)
		a = *buf
		t.packA(a, 0, t.m, height, 0, t.k)
	}
	Parallel(threads, ceilDiv(t.n, PanelRows), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			panel := t.b[p*PanelRows*t.k : (p+1)*PanelRows*t.k]
			for k0 := 0; k0 < t.k; k0 += depth {
				k1 := min(k0+depth, t.k)
				for i := 0; i < t.m; i += height {
					h := min(height, t.m-i)
					for s := 0; s < PanelRows && p*PanelRows+s < t.n; s += width {
						j := p*PanelRows + s
						t.tile(k0, k1, a[i*t.k+k0*h:], h, panel[k0*PanelRows+s:], PanelRows, i, h, j, min(width, t.n-j), width)
					}
				}
			}
		}
	})
}

// packPanel transposes rows of w[rows, k] into a k-major panel of 64 columns.
func packPanel(panel, w []float32, rows, k int) {
	if current() == levelReference || k == 0 {
		packPanelRef(panel, w, rows, k)
		return
	}
	for r := 0; r < rows; r += 8 {
		transposeRows(panel[r:], PanelRows, w[r*k:], k, min(8, rows-r), k)
	}
	transposeTail(panel, PanelRows, w, k, rows, k)
	clearColumns(panel, rows, k)
}
