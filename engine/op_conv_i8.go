package engine

import (
	"encoding/binary"

	"poaid/engine/kernel"
)

// withI8 adds i8 × i8 → i32 to the f32 conv2d@1: the same members, sums mod 2^32.
func withI8(float *Op) *Op {
	op := *float
	isI8 := func(in []Operand) bool { return in[0].DType == I8 }
	op.Infer = func(c *InferCtx) (Value, error) {
		if c.In[0].DType != I8 {
			return float.Infer(c)
		}
		if c.In[1].DType != I8 {
			return Value{}, wrongDType(1, c.In[1].DType, "i8")
		}
		// The geometry is checked as for f32.
		f := *c
		f.In = []Value{value(F32, c.In[0].Shape), value(F32, c.In[1].Shape)}
		v, err := float.Infer(&f)
		return value(I32, v.Shape), err
	}
	op.Eval = func(c *EvalCtx) error {
		if !isI8(c.In) {
			return float.Eval(c)
		}
		s := convOf(&c.NodeView)
		if c.Reference {
			refConvI8(c.Y.I32(), c.X[0].I8(), c.X[1].I8(), &s)
			return nil
		}
		evalConvI8(c.Y.I32(), c.X[0].I8(), c.X[1].I8(), &s, c.Threads)
		return nil
	}
	op.EvalSlice = func(c *SliceCtx) ([]byte, error) {
		if !isI8(c.In) {
			return float.EvalSlice(c)
		}
		s := convOf(&c.NodeView)
		acc, err := c.acc(4)
		if err != nil {
			return nil, err
		}
		sum := int32(binary.LittleEndian.Uint32(acc))
		for j := c.From; j < c.To; j++ {
			if i0, i1, ok := convMember(&s, c.Elem, j); ok {
				sum += int32(c.intAt(0, i0)) * int32(c.intAt(1, i1))
			}
		}
		return c.element(uint64(uint32(sum)))
	}
	return &op
}

// refConvI8 is the definition.
func refConvI8(y []int32, x, k []int8, s *kernel.ConvShape) {
	steps := convSteps(s)
	for e := range y {
		sum := int32(0)
		for j := range steps {
			if i0, i1, ok := convMember(s, int64(e), j); ok {
				sum += int32(x[i0]) * int32(k[i1])
			}
		}
		y[e] = sum
	}
}

// convI8Tile is how many output places evalConvI8 unfolds at once, so that the unfolded image stays in cache.
const convI8Tile = 512

// evalConvI8 picks the way that suits the geometry. Padding adds 0, and the order of integer sums does not matter.
func evalConvI8(y []int32, x, k []int8, s *kernel.ConvShape, threads int) {
	cg, og, places := s.C/s.Groups, s.OC/s.Groups, s.OutH()*s.OutW()
	switch {
	case cg == 1:
		kernel.Parallel(threads, s.N*s.OC, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				n, o := i/s.OC, i%s.OC
				planeConvI8(y[i*places:(i+1)*places], x[(n*s.C+o/og)*s.H*s.W:][:s.H*s.W], k[o*s.KH*s.KW:][:s.KH*s.KW], s)
			}
		})
	case s.KH*s.KW == 1 && s.StrideH*s.StrideW == 1 && s.PadTop+s.PadLeft+s.PadBottom+s.PadRight == 0: // a product: nothing to unfold
		for i := range s.N * s.Groups {
			n, g := i/s.Groups, i%s.Groups
			kernel.GemmI8(y[(n*s.OC+g*og)*places:][:og*places], k[g*og*cg:][:og*cg], x[(n*s.C+g*cg)*places:][:cg*places], og, places, cg, false, false, threads)
		}
	default:
		unfoldConvI8(y, x, k, s, threads)
	}
}

// planeConvI8 convolves one plane with one filter, row by row.
func planeConvI8(y []int32, x, k []int8, s *kernel.ConvShape) {
	oh, ow := s.OutH(), s.OutW()
	clear(y)
	for kh := range s.KH {
		for kw := range s.KW {
			v, shift := int32(k[kh*s.KW+kw]), kw*s.DilW-s.PadLeft
			// Places w with 0 ≤ w·StrideW + shift < W.
			from, to := 0, 0
			if shift < 0 {
				from = (-shift + s.StrideW - 1) / s.StrideW
			}
			if shift < s.W {
				to = min((s.W-1-shift)/s.StrideW+1, ow)
			}
			for r := range oh {
				h := r*s.StrideH - s.PadTop + kh*s.DilH
				if h < 0 || h >= s.H || from >= to {
					continue
				}
				dst, at := y[r*ow+from:r*ow+to], h*s.W+from*s.StrideW+shift
				if s.StrideW == 1 {
					for i, b := range x[at : at+len(dst)] {
						dst[i] += v * int32(b)
					}
					continue
				}
				for i := range dst {
					dst[i] += v * int32(x[at+i*s.StrideW])
				}
			}
		}
	}
}

// unfoldConvI8 unfolds the windows of a run of output places and multiplies.
func unfoldConvI8(y []int32, x, k []int8, s *kernel.ConvShape, threads int) {
	cg, og, steps := s.C/s.Groups, s.OC/s.Groups, int(convSteps(s))
	places := s.OutH() * s.OutW()
	tiles := (places + convI8Tile - 1) / convI8Tile
	kernel.Parallel(threads, s.N*s.Groups*tiles, func(lo, hi int) {
		cols, out := make([]int8, min(places, convI8Tile)*steps), make([]int32, min(places, convI8Tile)*og)
		for i := lo; i < hi; i++ {
			n, g, from := i/tiles/s.Groups, i/tiles%s.Groups, i%tiles*convI8Tile
			cnt := min(convI8Tile, places-from)
			unfoldI8(cols, x[(n*s.C+g*cg)*s.H*s.W:], s, from, cnt)
			kernel.GemmI8(out[:og*cnt], k[g*og*steps:(g+1)*og*steps], cols[:cnt*steps], og, cnt, steps, false, true, 1)
			for o := range og {
				copy(y[(n*s.OC+g*og+o)*places+from:][:cnt], out[o*cnt:(o+1)*cnt])
			}
		}
	})
}

// unfoldI8 writes the window of every output place from..from+cnt−1 as a row (c, kh, kw), 0 for padding.
func unfoldI8(cols, x []int8, s *kernel.ConvShape, from, cnt int) {
	at, ow := 0, s.OutW()
	for p := from; p < from+cnt; p++ {
		h0, w0 := p/ow*s.StrideH-s.PadTop, p%ow*s.StrideW-s.PadLeft
		whole := s.DilW == 1 && w0 >= 0 && w0+s.KW <= s.W
		for c := range s.C / s.Groups {
			for kh := range s.KH {
				h := h0 + kh*s.DilH
				dst := cols[at : at+s.KW]
				at += s.KW
				if h < 0 || h >= s.H {
					clear(dst)
					continue
				}
				row := x[(c*s.H+h)*s.W:][:s.W]
				if whole {
					copy(dst, row[w0:])
					continue
				}
				for kw := range dst {
					w, v := w0+kw*s.DilW, int8(0)
					if w >= 0 && w < s.W {
						v = row[w]
					}
					dst[kw] = v
				}
			}
		}
	}
}
