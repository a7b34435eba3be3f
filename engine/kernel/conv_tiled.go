//go:build amd64 || arm64

package kernel

// convPanels is how many column panels one task gathers before it runs the weights
// over them.
const convPanels = 4

// maxDirectRows is the most output channels of a group for which gathering the
// source costs more than reading it once a channel.
const maxDirectRows = 2

// convFast computes Conv2D with the kernel in use; false when it is the reference.
func convFast(y, x, w []float32, s ConvShape, threads int) bool {
	if current() == levelReference {
		return false
	}
	if s.C == s.Groups {
		planDepthwise(s).run(y, x, w, threads)
		return true
	}
	planForward(s).run(y, x, w, threads)
	return true
}

// convGradXFast computes Conv2DGradX with the kernel in use.
func convGradXFast(dx, dy, w []float32, s ConvShape, threads int) bool {
	if current() == levelReference {
		return false
	}
	planGradX(s).run(dx, dy, w, threads)
	return true
}

// run computes the whole map, one matrix product for every group and every pair of
// classes. Threads share the groups when there are enough of them, else a product.
func (p *convPlan) run(dst, src, w []float32, threads int) {
	inner := 1
	if p.groups < threadCount(threads) {
		inner, threads = threads, 1
	}
	parallelTasks(threads, p.groups, func(g int) {
		for _, rc := range p.rows {
			for _, qc := range p.cols {
				if len(rc.taps)*len(qc.taps) == 0 {
					p.zero(dst, g, rc, qc)
					continue
				}
				pr := newConvProduct(p, src, g, rc, qc)
				pr.compute(dst, w[g*p.wg:], inner)
			}
		}
	})
}

// convProduct is the product of one group at the positions rc × qc of every image:
// C[m, n] = W[m, k]·B[k, n] with n numbered (image, row, column) and k numbered
// (channel, row tap, column tap).
type convProduct struct {
	*convPlan
	tiler
	src    []float32
	g      int
	rc, qc *axisClass
	height int   // rows of a register tile
	width  int   // columns of a register tile
	offs   []int // source offset of each k, relative to k = 0
	reach  int   // the largest of offs
}

func newConvProduct(p *convPlan, src []float32, g int, rc, qc *axisClass) *convProduct {
	k, n := p.ch*len(rc.taps)*len(qc.taps), p.n*len(rc.pos)*len(qc.pos)
	l := max(current(), levelReference+1) // Use may be called meanwhile; the bits are the same
	c := &convProduct{convPlan: p, src: src, g: g, rc: rc, qc: qc, offs: make([]int, 0, k)}
	c.tiler = tiler{gemm: &gemm{m: p.m, n: n, k: k, as0: k, as1: 1}, level: l, tileShape: tileShapes[l]}
	c.height, c.width = c.heightFor(p.m)
	// The distance between two taps is the same at every position.
	for ch := range p.ch {
		for _, rows := range rc.src {
			for _, cols := range qc.src {
				c.offs = append(c.offs, ch*p.sh*p.sw+(rows[0]-rc.src[0][0])*p.sw+cols[0]-qc.src[0][0])
			}
		}
	}
	for _, o := range c.offs {
		c.reach = max(c.reach, o)
	}
	return c
}

// compute runs the product and writes its outputs.
func (c *convProduct) compute(dst, w []float32, threads int) {
	m, k := c.tiler.m, c.k
	if m*c.tiler.n*k <= smallMACs {
		threads = 1
	}
	aBuf, wBuf := buffer(m*k+packSlack), buffer(m*k)
	defer buffers.Put(aBuf)
	defer buffers.Put(wBuf)
	c.a = *wBuf
	c.weights(c.a, w, c.rc, c.qc)
	if m <= maxDirectRows && c.qc.unitSrc && c.qc.unitPos && len(c.qc.pos) >= 8 {
		c.direct(dst, threads)
		return
	}
	c.packA(*aBuf, 0, m, c.height, 0, k)

	group := c.width * convPanels
	Parallel(threads, ceilDiv(c.tiler.n, group), func(lo, hi int) {
		bBuf, cBuf := buffer(group*min(kc, k)+packSlack), buffer(m*group)
		defer buffers.Put(bBuf)
		defer buffers.Put(cBuf)
		for task := lo; task < hi; task++ {
			c.columns(dst, *aBuf, *bBuf, *cBuf, task*group, min((task+1)*group, c.tiler.n))
		}
	})
}

// direct computes the product for few output channels (depthwise convolutions)
// without gathering: every row of the output reads its source rows in place.
func (c *convProduct) direct(dst []float32, threads int) {
	rows := len(c.rc.pos)
	Parallel(threads, c.convPlan.n*rows, func(lo, hi int) {
		for x := lo; x < hi; x++ {
			n, r := x/rows, x%rows
			src := ((n*c.groups+c.g)*c.ch*c.sh+c.rc.src[0][r])*c.sw + c.qc.src[0][0]
			for m := range c.tiler.m {
				out := ((n*c.groups+c.g)*c.tiler.m+m)*c.oh*c.ow + c.rc.pos[r]*c.ow + c.qc.pos[0]
				convRow(&dst[out], &c.src[src], &c.offs[0], &c.a[m*c.k], c.k, len(c.qc.pos))
			}
		}
	})
}

// columns computes columns [j0, j1) of the product; a is the packed weight, b and
// out are scratch.
func (c *convProduct) columns(dst, a, b, out []float32, j0, j1 int) {
	group := c.width * convPanels
	t := c.tiler
	t.gemm = &gemm{c: out, m: t.m, k: t.k, ldc: group}
	var segs []segment
	for k0 := 0; k0 < t.k; k0 += kc {
		k1 := min(k0+kc, t.k)
		for j := j0; j < j1; j += c.width {
			segs = c.segments(segs, c.rc, c.qc, j, min(j+c.width, j1))
			c.gather(b[(j-j0)*(k1-k0):], segs, k0, k1)
		}
		for i := 0; i < t.m; i += c.height {
			h := min(c.height, t.m-i)
			for j := 0; j < j1-j0; j += c.width {
				t.tile(k0, k1, a[i*t.k+k0*h:], h, b[j*(k1-k0):], c.width, i, h, j, c.width, c.width)
			}
		}
	}
	segs = c.segments(segs, c.rc, c.qc, j0, j1)
	c.scatter(dst, out, segs, c.g, group, c.rc, c.qc)
}

// weights gathers the member taps of a group's weight into a[m, k].
func (p *convPlan) weights(a, w []float32, rc, qc *axisClass) {
	at := 0
	for m := range p.m {
		for c := range p.ch {
			for _, kh := range rc.taps {
				row := w[m*p.wm+c*p.wch+kh*p.kw:]
				for _, kw := range qc.taps {
					a[at] = row[kw]
					at++
				}
			}
		}
	}
}

// gather fills the k-major panel b[k1−k0, width] with the source elements of the
// columns in segs. Runs are copied eight floats at a time: what a run writes past
// its end is overwritten by the next run, the next k or the next panel.
func (c *convProduct) gather(b []float32, segs []segment, k0, k1 int) {
	var store [wideCols]run
	runs, exact := store[:0], c.qc.unitSrc
	for _, s := range segs {
		at := (s.n*c.groups+c.g)*c.ch*c.sh*c.sw + c.rc.src[0][s.r]*c.sw + c.qc.src[0][s.q]
		runs = append(runs, run{src: at, dst: s.col, groups: ceilDiv(s.len, 8)})
		exact = exact && at+c.reach+roundUp(s.len, 8) <= len(c.src)
	}
	if exact {
		copyRuns(&b[0], c.width*4, &c.src[0], &c.offs[k0], k1-k0, &runs[0], len(runs))
		return
	}
	for k := k0; k < k1; k++ {
		out := b[(k-k0)*c.width : (k-k0+1)*c.width]
		for i, s := range segs {
			from := c.src[runs[i].src+c.offs[k]:]
			first := c.qc.src[0][s.q]
			for j, at := range c.qc.src[0][s.q : s.q+s.len] {
				out[s.col+j] = from[at-first]
			}
		}
	}
}

// scatter writes the finished columns of c[m, ldc] to the output.
func (p *convPlan) scatter(dst, c []float32, segs []segment, g, ldc int, rc, qc *axisClass) {
	for i := range segs {
		s := &segs[i]
		for m := range p.m {
			row := dst[((s.n*p.groups+g)*p.m+m)*p.oh*p.ow+rc.pos[s.r]*p.ow:]
			from := c[m*ldc+s.col : m*ldc+s.col+s.len]
			if qc.unitPos {
				copy(row[qc.pos[s.q]:], from)
				continue
			}
			for j, v := range from {
				row[qc.pos[s.q+j]] = v
			}
		}
	}
}

// zero writes +0 to outputs whose chains have no member.
func (p *convPlan) zero(dst []float32, g int, rc, qc *axisClass) {
	for n := range p.n {
		for m := range p.m {
			plane := dst[((n*p.groups+g)*p.m+m)*p.oh*p.ow:]
			for _, r := range rc.pos {
				for _, q := range qc.pos {
					plane[r*p.ow+q] = 0
				}
			}
		}
	}
}
