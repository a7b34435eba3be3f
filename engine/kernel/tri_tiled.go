//go:build amd64 || arm64

package kernel

import "unsafe"

// chain runs the register tile at c over the k in [k0, k1) that the triangle
// admits: the k common to all h rows in one call, the ragged rest row by row.
// Strides as and bs are in bytes, ldc in elements.
func (t *tiler) chain(k0, k1 int, a *float32, as int, b *float32, bs int, c []float32, ldc, i, h int, resume bool) {
	// rows runs k in [lo, hi) for n rows from row r of the tile.
	rows := func(r, n, lo, hi int, resume bool) {
		if lo >= hi && resume {
			return
		}
		skip := 0
		if lo < hi {
			skip = lo - k0
		}
		ap := (*float32)(unsafe.Add(unsafe.Pointer(a), skip*as+r*4))
		bp := (*float32)(unsafe.Add(unsafe.Pointer(b), skip*bs))
		t.call(n, max(hi-lo, 0), ap, as, bp, bs, &c[r*ldc], ldc*4, resume)
	}
	switch t.tri {
	case Lower:
		common := min(k1, i+1)
		rows(0, h, k0, common, resume)
		for r := 1; r < h; r++ {
			rows(r, 1, max(k0, i+1), min(k1, i+r+1), true)
		}
	case Upper:
		common := max(k0, i+h-1)
		if !resume {
			rows(0, h, k0, k0, false)
		}
		for r := range h - 1 {
			rows(r, 1, max(k0, i+r), min(k1, common), true)
		}
		rows(0, h, common, k1, true)
	default:
		rows(0, h, k0, k1, resume)
	}
}
