package engine

import "encoding/binary"

func f32Data(name string, v float32) Attr {
	return Attr{Name: name, Data: binary.LittleEndian.AppendUint32(nil, uint32(bitsOf(v)))}
}

// importGens draw the ops that imported networks bring.
func importGens() map[string]func(s *sampler) opCase {
	return map[string]func(s *sampler) opCase{
		"clip@1": func(s *sampler) opCase {
			shape, dt := s.shape(s.n(1, 3)), s.dtype(F32, I32, I64)
			return opCase{in: []*Tensor{s.any(dt, s.broadcastable(shape)...), s.any(dt, s.broadcastable(shape)...), s.any(dt, shape...)}}
		},
		"hardsigmoid@1": func(s *sampler) opCase {
			c := s.f32(2).F32()
			if s.n(0, 1) == 1 {
				c = []float32{0.2, 0.5}
			}
			return opCase{in: []*Tensor{s.f32(s.shape(2)...)}, attrs: Attrs{f32Data("alpha", c[0]), f32Data("beta", c[1])}}
		},
		"round@1": func(s *sampler) opCase {
			x := s.f32(s.shape(2)...)
			for i := range x.F32() {
				if s.rng.IntN(2) == 0 {
					x.F32()[i] = float32(s.rng.IntN(9)-4) / 2
				}
			}
			return opCase{in: []*Tensor{x}, attrs: Attrs{{Name: "mode", Text: []string{"nearest", "trunc", "floor", "ceil"}[s.n(0, 3)]}}}
		},
		"resize@1": func(s *sampler) opCase {
			coord := []string{"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"}[s.n(0, 3)]
			n, c := s.n(1, 2), s.n(1, 2)
			in, out := []int64{n, c, s.n(1, 6), s.n(1, 6)}, []int64{n, c, s.n(1, 9), s.n(1, 9)}
			if s.n(0, 1) == 1 {
				attrs := Attrs{{Name: "coord", Text: coord}, {Name: "mode", Text: "linear"}, {Name: "rounding"}}
				return opCase{in: []*Tensor{s.f32(in...)}, out: constOut(F32, out...), attrs: attrs}
			}
			rounding := []string{"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}[s.n(0, 3)]
			x := s.any(s.dtype(F32, I64, U8), in...)
			return opCase{
				in: []*Tensor{x}, out: constOut(x.dtype, out...),
				attrs: Attrs{{Name: "coord", Text: coord}, {Name: "mode", Text: "nearest"}, {Name: "rounding", Text: rounding}},
			}
		},
	}
}

// quantGens draw scales and accumulators of sensible size, mixed with specials.
func quantGens() map[string]func(s *sampler) opCase {
	return map[string]func(s *sampler) opCase{
		"quantise@1": func(s *sampler) opCase {
			shape, dt := s.shape(s.n(1, 3)), s.dtype(I8, U8)
			x, scale := s.f32(shape...), s.f32(s.broadcastable(shape)...)
			if s.n(0, 1) == 1 { // one scale, ties
				scale, _ = FromF32([]float32{0.5}, 1)
				for i := range x.F32() {
					x.F32()[i] = float32(s.rng.IntN(600)-300) / 4
				}
			}
			return opCase{in: []*Tensor{x, scale, s.any(dt, scale.shape...)}}
		},
		"dequantise@1": func(s *sampler) opCase {
			shape, dt := s.shape(s.n(1, 3)), s.dtype(I8, U8, I32)
			x, zero := s.any(dt, shape...), s.any(dt, s.broadcastable(shape)...)
			return opCase{in: []*Tensor{x, s.f32(s.broadcastable(shape)...), zero}}
		},
		"rescale@1": func(s *sampler) opCase {
			shape := s.shape(s.n(2, 3))
			acc := s.any(I32, shape...)
			if s.n(0, 1) == 1 {
				acc = s.ints(I32, -1<<20, 1<<20, shape...)
			}
			switch s.n(0, 2) {
			case 0: // one row, whose scales have the result's shape
				row := []int64{1, shape[0] * shape[1]}
				return opCase{in: []*Tensor{s.ints(I32, -99, 99, row...), s.f32(1), s.f32(row...)}}
			case 1:
				return opCase{in: []*Tensor{acc, s.f32(s.broadcastable(shape)...), s.f32(s.broadcastable(shape)...)}}
			}
			return opCase{in: []*Tensor{acc, s.f32(s.broadcastable(shape)...), s.f32(shape[len(shape)-1])}}
		},
		"requantise@1": func(s *sampler) opCase {
			shape := s.shape(s.n(1, 3))
			mul, shift := s.any(I32, s.broadcastable(shape)...), s.ints(I32, -2, 70, s.broadcastable(shape)...)
			if s.n(0, 1) == 1 {
				mul, shift = s.ints(I32, 1<<30, 1<<31-1, 1), s.ints(I32, 30, 40, 1)
			}
			acc := s.any(I32, shape...)
			if s.n(0, 1) == 1 {
				acc = s.ints(I32, -1<<14, 1<<14, shape...)
			}
			lo := s.n(-128, 127)
			return opCase{
				in:    []*Tensor{acc, mul, shift, s.any(I8, s.broadcastable(shape)...)},
				attrs: Attrs{ints("hi", s.n(lo, 127)), ints("lo", lo)},
			}
		},
	}
}
