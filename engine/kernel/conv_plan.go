//go:build amd64 || arm64

package kernel

import "slices"

// axisClass is a set of positions along one axis of the output that have the same
// kernel taps in their chains. A product over one class on each axis has no
// non-members, so it is an ordinary matrix product, exact at the borders.
type axisClass struct {
	taps []int   // kernel offsets, ascending
	pos  []int   // output positions, ascending
	src  [][]int // src[t][i] is the source index of pos[i] at taps[t]
	// Source indices (unitSrc) and positions (unitPos) are consecutive.
	unitSrc, unitPos bool
}

// planAxis groups the positions 0 … n−1 by their taps; member gives the source
// index of a position at a tap and whether it exists.
func planAxis(n, taps int, member func(pos, tap int) (int, bool)) []*axisClass {
	var classes []*axisClass
	for p := range n {
		var have, at []int
		for t := range taps {
			if s, ok := member(p, t); ok {
				have, at = append(have, t), append(at, s)
			}
		}
		i := slices.IndexFunc(classes, func(c *axisClass) bool { return slices.Equal(c.taps, have) })
		if i < 0 {
			i = len(classes)
			classes = append(classes, &axisClass{taps: have, src: make([][]int, len(have)), unitSrc: true, unitPos: true})
		}
		c := classes[i]
		if k := len(c.pos); k > 0 {
			c.unitPos = c.unitPos && c.pos[k-1]+1 == p
			// A position's distance to the next is the same at every tap.
			c.unitSrc = c.unitSrc && (len(at) == 0 || c.src[0][k-1]+1 == at[0])
		}
		c.pos = append(c.pos, p)
		for t, s := range at {
			c.src[t] = append(c.src[t], s)
		}
	}
	return classes
}

// convPlan is a convolution-like map seen as products: the output [n, groups·m,
// oh, ow] from the source [n, groups·ch, sh, sw], with the weight element of
// output channel m, source channel ch, taps (kh, kw) of group g at
// g·wg + m·wm + ch·wch + kh·kw' + kw.
type convPlan struct {
	n, groups, m, ch   int
	oh, ow, sh, sw, kw int
	wg, wm, wch        int
	rows, cols         []*axisClass
}

// planForward is the plan of Conv2D.
func planForward(s ConvShape) *convPlan {
	cg, ocg, taps := s.C/s.Groups, s.OC/s.Groups, s.KH*s.KW
	p := &convPlan{
		n: s.N, groups: s.Groups, m: ocg, ch: cg, oh: s.OutH(), ow: s.OutW(), sh: s.H, sw: s.W, kw: s.KW,
		wg: ocg * cg * taps, wm: cg * taps, wch: taps,
	}
	p.rows = planAxis(p.oh, s.KH, func(o, k int) (int, bool) {
		i := o*s.StrideH - s.PadTop + k*s.DilH
		return i, i >= 0 && i < s.H
	})
	p.cols = planAxis(p.ow, s.KW, func(o, k int) (int, bool) {
		i := o*s.StrideW - s.PadLeft + k*s.DilW
		return i, i >= 0 && i < s.W
	})
	return p
}

// planGradX is the plan of Conv2DGradX: the source is dy.
func planGradX(s ConvShape) *convPlan {
	cg, ocg, taps := s.C/s.Groups, s.OC/s.Groups, s.KH*s.KW
	oh, ow := s.OutH(), s.OutW()
	p := &convPlan{
		n: s.N, groups: s.Groups, m: cg, ch: ocg, oh: s.H, ow: s.W, sh: oh, sw: ow, kw: s.KW,
		wg: ocg * cg * taps, wm: taps, wch: cg * taps,
	}
	p.rows = planAxis(s.H, s.KH, func(i, k int) (int, bool) { return source(i, k, s.PadTop, s.DilH, s.StrideH, oh) })
	p.cols = planAxis(s.W, s.KW, func(i, k int) (int, bool) { return source(i, k, s.PadLeft, s.DilW, s.StrideW, ow) })
	return p
}

// segment is a run of columns of a product that lie in one row of one image.
type segment struct {
	col, n, r, q, len int // r and q index the classes' positions
}

// segments lists columns [j0, j1) of the product over classes rc × qc, whose
// columns are numbered (image, row, column).
func (p *convPlan) segments(dst []segment, rc, qc *axisClass, j0, j1 int) []segment {
	dst = dst[:0]
	w := len(qc.pos)
	for j := j0; j < j1; {
		q := j % w
		r := j / w % len(rc.pos)
		n := j / w / len(rc.pos)
		l := min(w-q, j1-j)
		dst = append(dst, segment{col: j - j0, n: n, r: r, q: q, len: l})
		j += l
	}
	return dst
}
