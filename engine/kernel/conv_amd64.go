package kernel

// convPanels is how many column panels one task gathers before it runs the weights
// over them.
const convPanels = 4

// convFast computes Conv2D with the kernel in use; false when it is the reference.
func convFast(y, x, w []float32, s ConvShape, threads int) bool {
	if current() == levelReference {
		return false
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
// classes.
func (p *convPlan) run(dst, src, w []float32, threads int) {
	for g := range p.groups {
		for _, rc := range p.rows {
			for _, qc := range p.cols {
				p.product(dst, src, w[g*p.wg:], g, rc, qc, threads)
			}
		}
	}
}

// product computes the outputs of group g at the positions rc × qc of every image.
func (p *convPlan) product(dst, src, w []float32, g int, rc, qc *axisClass, threads int) {
	k, n := p.ch*len(rc.taps)*len(qc.taps), p.n*len(rc.pos)*len(qc.pos)
	if k == 0 {
		p.zero(dst, g, rc, qc)
		return
	}
	if p.m*n*k <= smallMACs {
		threads = 1
	}
	l := current()
	if l == levelReference {
		l = levelAVX2 // Use was called meanwhile; the bits are the same
	}
	t := tiler{gemm: &gemm{m: p.m, k: k, as0: k, as1: 1}, level: l, tileShape: tileShapes[l]}
	height, width := t.heightFor(p.m)
	aBuf, wBuf := buffer(p.m*k+packSlack), buffer(p.m*k)
	defer buffers.Put(aBuf)
	defer buffers.Put(wBuf)
	t.a = *wBuf
	p.weights(t.a, w, rc, qc)
	t.packA(*aBuf, 0, p.m, height, 0, k)

	group := width * convPanels
	Parallel(threads, ceilDiv(n, group), func(lo, hi int) {
		bBuf, cBuf := buffer(group*min(kc, k)), buffer(p.m*group)
		defer buffers.Put(bBuf)
		defer buffers.Put(cBuf)
		mine := t
		mine.gemm = &gemm{c: *cBuf, m: p.m, k: k, ldc: group}
		var segs []segment
		for task := lo; task < hi; task++ {
			j0, j1 := task*group, min((task+1)*group, n)
			for k0 := 0; k0 < k; k0 += kc {
				k1 := min(k0+kc, k)
				for j := j0; j < j1; j += width {
					segs = p.segments(segs, rc, qc, j, min(j+width, j1))
					p.gather((*bBuf)[(j-j0)*(k1-k0):], src, segs, g, width, rc, qc, k0, k1)
				}
				for i := 0; i < p.m; i += height {
					h := min(height, p.m-i)
					for j := 0; j < j1-j0; j += width {
						mine.tile(k0, k1, (*aBuf)[i*k+k0*h:], h, (*bBuf)[j*(k1-k0):], width, i, h, j, width, width)
					}
				}
			}
			segs = p.segments(segs, rc, qc, j0, j1)
			p.scatter(dst, *cBuf, segs, g, group, rc, qc)
		}
	})
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
// columns in segs.
func (p *convPlan) gather(b, src []float32, segs []segment, g, width int, rc, qc *axisClass, k0, k1 int) {
	tw := len(qc.taps)
	taps := len(rc.taps) * tw
	for k := k0; k < k1; k++ {
		c, t := k/taps, k%taps
		rows, cols := rc.src[t/tw], qc.src[t%tw]
		out := b[(k-k0)*width : (k-k0+1)*width]
		for i := range segs {
			s := &segs[i]
			row := src[((s.n*p.groups+g)*p.ch+c)*p.sh*p.sw+rows[s.r]*p.sw:]
			o := out[s.col : s.col+s.len]
			if qc.unitSrc {
				copy(o, row[cols[s.q]:])
				continue
			}
			for j, at := range cols[s.q : s.q+s.len] {
				o[j] = row[at]
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
