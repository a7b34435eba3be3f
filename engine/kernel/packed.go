package kernel

import "poaid/engine/num"

// PanelRows is the number of weight rows in one packed panel.
const PanelRows = 64

// PackedLen returns the length of the packed form of W[n, k]: n rounded up to
// whole panels, times k.
func PackedLen(n, k int) int { return (n + PanelRows - 1) / PanelRows * PanelRows * k }

// PackB packs W[n, k] (row-major, one row an output) into panels of 64 rows stored
// k-major: packed[(p·k + kk)·64 + r] = W[p·64 + r, kk], zeros past row n. The
// layout is the same on every platform, so packed weights may be cached on disk.
func PackB(w []float32, n, k int) []float32 {
	nonNegative("PackB", n, k)
	need("PackB", "w", len(w), n*k)
	packed := make([]float32, PackedLen(n, k))
	PackBInto(packed, w, n, k, 1)
	return packed
}

// PackBInto is PackB into a caller's buffer of PackedLen(n, k) elements.
func PackBInto(packed, w []float32, n, k, threads int) {
	nonNegative("PackBInto", n, k)
	need("PackBInto", "w", len(w), n*k)
	need("PackBInto", "packed", len(packed), PackedLen(n, k))
	Parallel(threads, PackedLen(n, 1)/PanelRows, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			panel := packed[p*PanelRows*k : (p+1)*PanelRows*k]
			rows := min(PanelRows, n-p*PanelRows)
			packPanel(panel, w[p*PanelRows*k:], rows, k)
		}
	})
}

// packPanelRef transposes rows of w[rows, k] into a k-major panel of 64 columns.
func packPanelRef(panel, w []float32, rows, k int) {
	for r := range rows {
		for kk, v := range w[r*k : r*k+k] {
			panel[kk*PanelRows+r] = v
		}
	}
	clearColumns(panel, rows, k)
}

// clearColumns zeroes the columns of a panel from column rows on.
func clearColumns(panel []float32, rows, k int) {
	if rows == PanelRows {
		return
	}
	for kk := range k {
		clear(panel[kk*PanelRows+rows : (kk+1)*PanelRows])
	}
}

// GemvPacked computes dst[n] = W[n, k]·x[k] from the packed form of W: one fma
// chain per output, ascending k, fma(x[k], W[j,k], acc).
func GemvPacked(dst, x, packed []float32, n, k, threads int) {
	GemmPacked(dst, x, packed, 1, n, k, threads)
}

// GemmPacked computes dst[m, n] = X[m, k]·W[n, k]ᵀ from the packed form of W, with
// the same bits as Gemm(dst, x, w, m, n, k, false, true, None, threads).
func GemmPacked(dst, x, packed []float32, m, n, k, threads int) {
	nonNegative("GemmPacked", m, n, k)
	need("GemmPacked", "dst", len(dst), m*n)
	need("GemmPacked", "x", len(x), m*k)
	need("GemmPacked", "packed", len(packed), PackedLen(n, k))
	if runPacked(dst, x, packed, m, n, k, threads) {
		return
	}
	Parallel(threads, PackedLen(n, 1)/PanelRows, func(lo, hi int) {
		gemmPackedRef(dst, x, packed, m, n, k, lo, hi)
	})
}

// gemmPackedRef computes the output columns of panels [lo, hi).
func gemmPackedRef(dst, x, packed []float32, m, n, k, lo, hi int) {
	for p := lo; p < hi; p++ {
		panel := packed[p*PanelRows*k:]
		for i := range m {
			row := dst[i*n+p*PanelRows : i*n+min(n, (p+1)*PanelRows)]
			for j := range row {
				var acc float32
				for kk, v := range x[i*k : i*k+k] {
					acc = num.FMA(v, panel[kk*PanelRows+j], acc)
				}
				row[j] = num.CanonNaN(acc)
			}
		}
	}
}
