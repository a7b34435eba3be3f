//go:build amd64 || arm64

package kernel

import "sync"

// Blocking of the packed product: a panel of B is kc deep, a block of A is at most
// mcPanels row panels, a block of B at most nc columns wide.
const (
	kc       = 256
	mcPanels = 12
	nc       = 4096

	// bufferB is the most elements of B that several threads pack at a time: 4 MiB, as
	// much as kc × nc.
	bufferB = kc * nc

	// smallMACs is the size below which threads cost more than they save.
	smallMACs = 1 << 18
	// wideCols is the columns of the wide tile.
	wideCols = 64
	// maxTile holds the largest register tile, rows × columns.
	maxTile = 14 * wideCols
)

// tileShape is the register tile of a level: rows, columns, and the most rows of
// the 64-column tile.
type tileShape struct{ mr, nr, wideRows int }

// run computes the product with the kernel in use.
func (g *gemm) run(threads int) {
	l := current()
	switch {
	case g.m == 0 || g.n == 0:
	case l == levelReference || g.k == 0:
		u := *g
		Parallel(threads, g.m, u.ref)
	default:
		if g.m*g.n*g.k <= smallMACs {
			threads = 1
		}
		t := tiler{gemm: g, level: l, tileShape: tileShapes[l]}
		if g.m <= 2*t.mr {
			t.skinny(threads)
		} else {
			t.shared(nil).blocked(threadCount(threads))
		}
	}
}

// tiler runs one product with the register tiles of a level.
type tiler struct {
	*gemm
	tileShape
	level level
	wide  bool // the 64-column tile

	// Of a product of few rows: register tile, first k, and the packed rows if there
	// are several.
	height, width, depth int
	packed               []float32
}

// buffers recycles packing space.
var buffers = sync.Pool{New: func() any { return new([]float32) }}

// buffer returns a recycled slice of n elements with unspecified contents; give it
// back with buffers.Put.
func buffer(n int) *[]float32 {
	p := buffers.Get().(*[]float32)
	if cap(*p) < n {
		*p = make([]float32, n)
	}
	*p = (*p)[:n]
	return p
}

// heightFor chooses the tile for a product of few rows: the 64-column one while two
// passes of it suffice (three of a single row), else the tallest even split.
func (t *tiler) heightFor(m int) (height, width int) {
	t.wide = m <= max(2*t.wideRows, 3)
	if t.wide {
		return ceilDiv(m, ceilDiv(m, t.wideRows)), wideCols
	}
	return ceilDiv(m, ceilDiv(m, t.mr)), t.nr
}

// skinny is the product for a few rows: A is packed once, and every panel of B is
// used as soon as it is packed (or in place when B's rows are contiguous).
func (t *tiler) skinny(threads int) {
	if t.m == 1 && t.bs0 == 1 && t.bs1 != 1 && t.tri == None && t.as1 == 1 && t.n >= gemvRows && t.k >= gemvCols {
		t.gemv(threads)
		return
	}
	t.panels(0, threads)
}

// shared returns a copy for other goroutines to see, so that t itself, and with it a
// product on one thread, needs no memory of the heap. packed is what the copy holds
// under that name: the compiler would take t.packed for all of t.
func (t *tiler) shared(packed []float32) *tiler {
	g := *t.gemm
	return &tiler{
		gemm: &g, tileShape: t.tileShape, level: t.level, wide: t.wide,
		height: t.height, width: t.width, depth: t.depth, packed: packed,
	}
}

// panels continues the chains of a few rows from depth on.
func (t *tiler) panels(depth, threads int) {
	height, width := t.heightFor(t.m)
	t.height, t.width, t.depth = height, width, depth
	var packed []float32
	if t.m > 1 {
		p := buffer(t.m*t.k + packSlack)
		defer buffers.Put(p)
		packed = *p
		t.packA(packed, 0, t.m, height, 0, t.k)
	}
	n := ceilDiv(t.n, width)
	if threads == 1 || n == 1 {
		t.packed = packed
		t.panelRange(0, n)
		return
	}
	u := t.shared(packed)
	Parallel(threads, n, func(lo, hi int) { u.panelRange(lo, hi) })
}

// panelRange computes column panels [lo, hi) of every row.
func (t *tiler) panelRange(lo, hi int) {
	height, width := t.height, t.width
	scratch := buffer(kc * width)
	defer buffers.Put(scratch)
	for p := lo; p < hi; p++ {
		j, cols := p*width, min(width, t.n-p*width)
		for k0 := t.depth; k0 < t.k; k0 += kc {
			k1 := min(k0+kc, t.k)
			b, bs := t.b[k0*t.bs0+j*t.bs1:], t.bs0
			// What a whole tile reads past the last column is not kept.
			if t.bs1 != 1 || cols < width && (k1-1)*t.bs0+j+width > len(t.b) {
				t.packB(*scratch, j, cols, width, k0, k1)
				b, bs = *scratch, width
			}
			for i := 0; i < t.m; i += height {
				h := min(height, t.m-i)
				if t.m > 1 {
					t.tile(k0, k1, t.packed[i*t.k+k0*h:], h, b, bs, i, h, j, cols, width)
				} else {
					t.tile(k0, k1, t.a[k0*t.as1:], t.as1, b, bs, i, h, j, cols, width)
				}
			}
		}
	}
}

const (
	// gemvRows and gemvCols are the rows and columns that gemv32 takes at a time.
	gemvRows = 32
	gemvCols = 16
	// gemvDepth bounds one call of gemv32: 4 MiB of weights.
	gemvDepth = 1 << 15
)

// gemv is the product of one row with the rows of a transposed B, straight from
// where they lie. The last block of rows is shifted back to be whole.
func (t *tiler) gemv(threads int) {
	if n := ceilDiv(t.n, gemvRows); threads == 1 || n == 1 {
		t.gemvRange(0, n)
	} else {
		u := t.shared(nil)
		Parallel(threads, n, func(lo, hi int) { u.gemvRange(lo, hi) })
	}
	if depth := t.k &^ (gemvCols - 1); depth < t.k {
		t.panels(depth, threads)
	}
}

// gemvRange computes blocks [lo, hi) of gemvRows outputs, all but the last few k.
func (t *tiler) gemvRange(lo, hi int) {
	depth := t.k &^ (gemvCols - 1)
	var y [gemvRows]float32
	for p := lo; p < hi; p++ {
		first := p * gemvRows
		r := min(first, t.n-gemvRows)
		c := t.c[r : r+gemvRows]
		if r < first {
			c = y[:] // rows below first are another block's
		}
		switch {
		case !t.resume:
			clear(c)
		case r < first:
			copy(y[first-r:], t.c[first:t.n])
		}
		for k := 0; k < depth; k += gemvDepth {
			gemv32(&c[0], &t.b[r*t.bs1+k], t.bs1*4, &t.a[k], min(gemvDepth, depth-k)/gemvCols)
		}
		if r < first {
			copy(t.c[first:t.n], y[first-r:])
		}
	}
}

// blocked is the product for many rows: a block of B is packed by all threads, by
// several as deep as bufferB allows, then tasks of some row panels × some column panels run over
// it, kc deep at a time. Threads wait for each other twice a block.
func (t *tiler) blocked(threads int) {
	depth := min(roundUp(ceilDiv(t.k, ceilDiv(t.k, kc)), 8), t.k)
	width := roundUp(min(t.n, nc), t.nr)
	deep := depth
	if threads > 1 { // fewer waits
		deep = min(max(bufferB/(width*depth), 1)*depth, t.k)
	}
	bBuf := buffer(deep * width)
	defer buffers.Put(bBuf)
	for j0 := 0; j0 < t.n; j0 += nc {
		j1 := min(j0+nc, t.n)
		colPanels := ceilDiv(j1-j0, t.nr)
		rowPanels := ceilDiv(t.m, t.mr)
		rowTasks, colGroups := t.split(rowPanels, colPanels, threads)
		for first := 0; first < t.k; first += deep {
			last := min(first+deep, t.k)
			b := *bBuf
			// Depths [k0, k1) of the block begin at (k0 − first)·width, its panels at p·nr·(k1 − k0) from there.
			Parallel(threads, ceilDiv(last-first, depth)*colPanels, func(lo, hi int) {
				for q := lo; q < hi; q++ {
					k0, p := first+q/colPanels*depth, q%colPanels
					k1, j := min(k0+depth, last), j0+p*t.nr
					t.packB(b[(k0-first)*width+p*t.nr*(k1-k0):], j, min(t.nr, j1-j), t.nr, k0, k1)
				}
			})
			parallelTasks(threads, rowTasks*colGroups, func(task int) {
				r, g := task/colGroups, task%colGroups
				i, end := r*rowPanels/rowTasks*t.mr, min((r+1)*rowPanels/rowTasks*t.mr, t.m)
				for k0 := first; k0 < last; k0 += depth {
					k1 := min(k0+depth, last)
					t.block(b[(k0-first)*width:], i, end, j0, j1, g*colPanels/colGroups, (g+1)*colPanels/colGroups, k0, k1)
				}
			})
		}
	}
}

// split chooses into how many tasks the row panels fall and into how many groups the
// column panels, so that there are a few tasks for every thread.
func (t *tiler) split(rowPanels, colPanels, threads int) (rowTasks, colGroups int) {
	if threads == 1 {
		return ceilDiv(rowPanels, mcPanels), 1
	}
	rowTasks = ceilDiv(rowPanels, min(mcPanels, max(2, ceilDiv(rowPanels, 3*threads))))
	return rowTasks, min(colPanels, max(1, 3*threads/rowTasks))
}

// block computes rows [i0, i1) × column panels [p0, p1) of the packed block b,
// which holds columns [j0, j1) and depths [k0, k1).
func (t *tiler) block(b []float32, i0, i1, j0, j1, p0, p1, k0, k1 int) {
	depth := k1 - k0
	aBuf := buffer((i1-i0)*depth + packSlack)
	defer buffers.Put(aBuf)
	a := *aBuf
	t.packA(a, i0, i1, t.mr, k0, k1)
	for p := p0; p < p1; p++ {
		j := j0 + p*t.nr
		for i := i0; i < i1; i += t.mr {
			h := min(t.mr, i1-i)
			t.tile(k0, k1, a[(i-i0)*depth:], h, b[p*t.nr*depth:], t.nr, i, h, j, min(t.nr, j1-j), t.nr)
		}
	}
}

// tile continues the chains of h rows from i and cols columns from j over k in
// [k0, k1). a and b start at k0; as and bs are their strides per k, in elements.
// A tile narrower than the register width goes through a scratch tile.
func (t *tiler) tile(k0, k1 int, a []float32, as int, b []float32, bs, i, h, j, cols, width int) {
	resume := k0 > 0 || t.resume
	c, ldc := t.c[i*t.ldc+j:], t.ldc
	if cols == width {
		t.chain(k0, k1, &a[0], as*4, &b[0], bs*4, c, ldc, i, h, resume)
		return
	}
	var scratch [maxTile]float32
	if resume {
		for r := range h {
			copy(scratch[r*width:r*width+cols], c[r*ldc:])
		}
	}
	t.chain(k0, k1, &a[0], as*4, &b[0], bs*4, scratch[:], width, i, h, resume)
	for r := range h {
		copy(c[r*ldc:r*ldc+cols], scratch[r*width:])
	}
}
