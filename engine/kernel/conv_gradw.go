//go:build amd64 || arm64

package kernel

import "slices"

// tapClass is a set of kernel taps along one axis whose chains run over the same
// output positions.
type tapClass struct {
	taps []int
	pos  []int   // output positions, ascending
	src  [][]int // src[t][i] is the input index of pos[i] at taps[t]
}

// planTaps groups the taps of one axis by the output positions they see.
func planTaps(taps, outs int, member func(pos, tap int) (int, bool)) []*tapClass {
	var classes []*tapClass
	for t := range taps {
		var pos, src []int
		for o := range outs {
			if i, ok := member(o, t); ok {
				pos, src = append(pos, o), append(src, i)
			}
		}
		i := slices.IndexFunc(classes, func(c *tapClass) bool { return slices.Equal(c.pos, pos) })
		if i < 0 {
			i = len(classes)
			classes = append(classes, &tapClass{pos: pos})
		}
		classes[i].taps = append(classes[i].taps, t)
		classes[i].src = append(classes[i].src, src)
	}
	return classes
}

// gradW is the weight gradient of one group for one pair of tap classes: the
// product of dy[oc, k] and x[(c, kh, kw), k]ᵀ with k = (n, oh, ow).
type gradW struct {
	s          ConvShape
	g          int
	rows, cols *tapClass
	dw, dy, x  []float32
}

// gradWCols is how many filter elements one task of the weight gradient computes.
const gradWCols = 64

// convGradWFast computes Conv2DGradW with the kernel in use; false when it is the
// reference.
func convGradWFast(dw, dy, x []float32, s ConvShape, threads int) bool {
	l := current()
	if l == levelReference {
		return false
	}
	if s.YLen()*s.C/s.Groups*s.KH*s.KW <= smallMACs {
		threads = 1
	}
	for g := range s.Groups {
		f := newFramedGradW(dy, x, s, l)
		if f.g = g; !f.fits() || !f.compute(dw, threads) {
			convGradWClasses(dw, dy, x, s, g, threads)
		}
	}
	return true
}

// convGradWClasses computes one group by products over members only, one for every
// pair of tap classes.
func convGradWClasses(dw, dy, x []float32, s ConvShape, g, threads int) {
	rows := planTaps(s.KH, s.OutH(), func(o, k int) (int, bool) {
		i := o*s.StrideH - s.PadTop + k*s.DilH
		return i, i >= 0 && i < s.H
	})
	cols := planTaps(s.KW, s.OutW(), func(o, k int) (int, bool) {
		i := o*s.StrideW - s.PadLeft + k*s.DilW
		return i, i >= 0 && i < s.W
	})
	var tasks []func()
	for _, r := range rows {
		for _, q := range cols {
			p := &gradW{s: s, g: g, rows: r, cols: q, dw: dw, dy: dy, x: x}
			n := s.C / s.Groups * len(r.taps) * len(q.taps)
			for j := 0; j < n; j += gradWCols {
				tasks = append(tasks, func() { p.run(j, min(j+gradWCols, n)) })
			}
		}
	}
	parallelTasks(threads, len(tasks), func(i int) { tasks[i]() })
}

// run computes filter elements [j0, j1) of every output channel of the group,
// gathering kc positions of the chains at a time.
func (p *gradW) run(j0, j1 int) {
	m, n := p.s.OC/p.s.Groups, j1-j0
	image := len(p.rows.pos) * len(p.cols.pos)
	k := p.s.N * image
	aBuf, bBuf, cBuf := buffer(m*kc), buffer(n*kc), buffer(m*n)
	defer buffers.Put(aBuf)
	defer buffers.Put(bBuf)
	defer buffers.Put(cBuf)
	clear(*cBuf)
	for k0 := 0; k0 < k; k0 += kc {
		k1 := min(k0+kc, k)
		depth := k1 - k0
		for i := range m {
			p.gatherRow((*aBuf)[i*depth:(i+1)*depth], p.dy, p.g*m+i, p.s.OC, p.s.OutH(), p.s.OutW(), p.rows.pos, p.cols.pos, k0)
		}
		for j := range n {
			c, r, q := p.filter(j0 + j)
			p.gatherRow((*bBuf)[j*depth:(j+1)*depth], p.x, c, p.s.C, p.s.H, p.s.W, p.rows.src[r], p.cols.src[q], k0)
		}
		gemm := newGemm(*cBuf, *aBuf, *bBuf, m, n, depth, false, true, None)
		gemm.resume = true // from +0, as cleared
		gemm.run(1)
	}
	for i := range m {
		for j := range n {
			c, r, q := p.filter(j0 + j)
			cg := p.s.C / p.s.Groups
			at := ((p.g*m+i)*cg+c-p.g*cg)*p.s.KH + p.rows.taps[r]
			p.dw[at*p.s.KW+p.cols.taps[q]] = (*cBuf)[i*n+j]
		}
	}
}

// filter splits column j of the product into its input channel and the indices of
// its taps.
func (p *gradW) filter(j int) (c, r, q int) {
	tw := len(p.cols.taps)
	taps := len(p.rows.taps) * tw
	return p.g*(p.s.C/p.s.Groups) + j/taps, j % taps / tw, j % tw
}

// gatherRow copies the elements k0 … of a chain, numbered (image, row, column), of
// channel c of t[N, channels, h, w] at the rows and columns listed.
func (p *gradW) gatherRow(dst, t []float32, c, channels, h, w int, rows, cols []int, k0 int) {
	n, r, q := k0/len(cols)/len(rows), k0/len(cols)%len(rows), k0%len(cols)
	// Columns are evenly spaced: consecutive, or a stride apart.
	step := 1
	if len(cols) > 1 {
		step = cols[1] - cols[0]
	}
	for len(dst) > 0 {
		row := t[((n*channels+c)*h+rows[r])*w:]
		l := min(len(cols)-q, len(dst))
		if step == 1 {
			copy(dst[:l], row[cols[q]:])
		} else {
			at := cols[q]
			for j := range l {
				dst[j] = row[at]
				at += step
			}
		}
		dst, q = dst[l:], 0
		if r++; r == len(rows) {
			n, r = n+1, 0
		}
	}
}
