package engine

import "math/rand/v2"

// opGenerators draws a valid case for every op.
func opGenerators() map[string]func(s *sampler) opCase {
	unary := func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(s.shape(s.n(1, 3))...)}} }
	pair := func(s *sampler, dt DType) []*Tensor {
		shape := s.shape(s.n(1, 4))
		in := []*Tensor{s.any(dt, shape...), s.any(dt, s.broadcastable(shape)...)}
		if s.n(0, 1) == 1 {
			in[0], in[1] = in[1], in[0]
		}
		return in
	}
	binary := func(of ...DType) func(s *sampler) opCase {
		return func(s *sampler) opCase { return opCase{in: pair(s, s.dtype(of...))} }
	}
	all := []DType{F32, I32, I64, I8, U8}
	gens := map[string]func(s *sampler) opCase{
		"gelu@1": func(s *sampler) opCase {
			k := unary(s)
			k.attrs = Attrs{{Name: "variant", Text: []string{"tanh", "erf"}[s.n(0, 1)]}}
			return k
		},
		"add@1": binary(F32, I32, I64), "sub@1": binary(F32, I32, I64), "mul@1": binary(F32, I32, I64),
		"div@1": binary(F32), "max@1": binary(F32, I32, I64), "min@1": binary(F32, I32, I64),
		"eq@1": binary(all...), "lt@1": binary(all...), "le@1": binary(all...),
		"and@1": binary(U8), "or@1": binary(U8),
		"not@1":       func(s *sampler) opCase { return opCase{in: []*Tensor{s.any(U8, s.shape(2)...)}} },
		"mulhi@1":     binary(I64),
		"expweight@1": binary(F32),
		"where@1": func(s *sampler) opCase {
			shape, dt := s.shape(s.n(1, 3)), s.dtype(all...)
			return opCase{in: []*Tensor{s.any(U8, s.broadcastable(shape)...), s.any(dt, shape...), s.any(dt, s.broadcastable(shape)...)}}
		},
		"cast@1": func(s *sampler) opCase {
			from, to, shape := s.dtype(all...), s.dtype(all...), s.shape(2)
			k := opCase{in: []*Tensor{s.any(from, shape...)}, out: constOut(to, shape...), attrs: Attrs{{Name: "mode"}}}
			if from == F32 && to != F32 {
				k.attrs[0].Text = []string{"nearest", "trunc"}[s.n(0, 1)]
			}
			return k
		},
	}
	for _, name := range []string{"neg@1", "abs@1", "relu@1", "exp@1", "log@1", "sqrt@1", "rsqrt@1", "sigmoid@1", "tanh@1", "silu@1", "erf@1", "sin@1", "cos@1", "hardswish@1"} {
		gens[name] = unary
	}
	for _, m := range []map[string]func(s *sampler) opCase{movementGens(all), indexGens(), foldGens(), importGens(), quantGens()} {
		for name, gen := range m {
			gens[name] = gen
		}
	}
	return gens
}

func movementGens(all []DType) map[string]func(s *sampler) opCase {
	return map[string]func(s *sampler) opCase{
		"const@1": func(s *sampler) opCase {
			shape, dt := s.shape(2), s.dtype(all...)
			data := s.any(dt, shape...).data
			if s.n(0, 1) == 1 {
				data = data[:SizeOf(dt)]
			}
			return opCase{out: constOut(dt, shape...), attrs: Attrs{{Name: "data", Data: data}}}
		},
		"step@1": func(s *sampler) opCase { return opCase{out: constOut(I64, 1), t: uint64(s.n(0, 1<<40))} },
		"iota@1": func(s *sampler) opCase {
			return opCase{out: constOut(s.dtype(I32, I64), s.shape(3)...), attrs: Attrs{ints("axis", s.n(0, 2))}}
		},
		"rows@1": func(s *sampler) opCase { return opCase{in: []*Tensor{s.any(I32, s.n(1, 9))}, variable: true} },
		"reshape@1": func(s *sampler) opCase {
			x := s.any(s.dtype(all...), s.shape(3)...)
			return opCase{in: []*Tensor{x}, out: constOut(x.dtype, x.shape[0]*x.shape[1], x.shape[2])}
		},
		"transpose@1": func(s *sampler) opCase {
			x := s.any(s.dtype(all...), s.shape(s.n(1, 4))...)
			perm := make([]int64, len(x.shape))
			for i, p := range s.rng.Perm(len(perm)) {
				perm[i] = int64(p)
			}
			return opCase{in: []*Tensor{x}, attrs: Attrs{ints("perm", perm...)}}
		},
		"slice@1": func(s *sampler) opCase {
			x := s.any(s.dtype(all...), s.shape(3)...)
			start, size := make([]int64, 3), make([]int64, 3)
			for i, d := range x.shape {
				start[i] = s.n(0, d-1)
				size[i] = s.n(1, d-start[i])
			}
			return opCase{in: []*Tensor{x}, out: constOut(x.dtype, size...), attrs: Attrs{ints("start", start...)}}
		},
		"concat@1": func(s *sampler) opCase {
			shape, axis, dt := s.shape(3), s.n(0, 2), s.dtype(all...)
			k := opCase{attrs: Attrs{ints("axis", axis)}}
			for range s.n(1, 3) {
				sh := append([]int64(nil), shape...)
				sh[axis] = s.n(1, 4)
				k.in = append(k.in, s.any(dt, sh...))
			}
			return k
		},
		"pad@1": func(s *sampler) opCase {
			x := s.any(s.dtype(all...), s.shape(2)...)
			return opCase{in: []*Tensor{x}, attrs: Attrs{
				ints("hi", s.n(0, 2), s.n(0, 2)), ints("lo", s.n(0, 2), s.n(0, 2)), {Name: "value", Data: s.any(x.dtype, 1).data},
			}}
		},
		"broadcast@1": func(s *sampler) opCase {
			shape := s.shape(3)
			x := s.any(s.dtype(all...), s.broadcastable(shape)...)
			return opCase{in: []*Tensor{x}, out: constOut(x.dtype, shape...)}
		},
		"tril@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.any(s.dtype(all...), s.shape(3)...)}, attrs: Attrs{ints("offset", s.n(-6, 6))}}
		},
	}
}

func indexGens() map[string]func(s *sampler) opCase {
	return map[string]func(s *sampler) opCase{
		"rand@1": func(s *sampler) opCase {
			return opCase{
				in: []*Tensor{s.any(I64, 1)}, out: constOut(I64, s.shape(2)...), t: uint64(s.n(0, 1<<33)),
				attrs: Attrs{ints("limit", s.n(0, 3)*1000), ints("stream", s.n(0, 1<<31-1))},
			}
		},
		"gather@1": func(s *sampler) opCase {
			x := s.any(s.dtype(F32, I64, U8), s.shape(s.n(1, 3))...)
			return opCase{
				in:       []*Tensor{x, s.ints(s.dtype(I32, I64), -2, 6, s.shape(s.n(1, 2))...)},
				variable: s.n(0, 1) == 1, attrs: Attrs{{Name: "mode", Text: []string{"clamp", "zero"}[s.n(0, 1)]}},
			}
		},
		"take@1": func(s *sampler) opCase {
			x := s.any(s.dtype(F32, I32), s.shape(2)...)
			return opCase{in: []*Tensor{x, s.ints(I64, -2, 6, x.shape[0])}}
		},
		"setrow@1": func(s *sampler) opCase {
			x := s.any(s.dtype(F32, I64, I8), s.shape(s.n(1, 3))...)
			row := append([]int64{1}, x.shape[1:]...)
			return opCase{in: []*Tensor{x, s.any(x.dtype, row...), s.ints(I64, -1, 5, 1)}}
		},
		"rope@1": func(s *sampler) opCase {
			h, half, c := s.n(1, 3), s.n(1, 3), s.n(1, 5)
			x, pos := s.f32(h, 2*half), s.ints(I64, -1, 6, 1)
			if s.n(0, 1) == 1 {
				rows := s.n(1, 4)
				x, pos = s.f32(rows, h, 2*half), s.ints(s.dtype(I32, I64), -1, 6, rows)
			}
			return opCase{in: []*Tensor{x, s.f32(c, half), s.f32(c, half), pos}, attrs: Attrs{ints("inverse", s.n(0, 1))}}
		},
		"onehot@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.ints(s.dtype(I32, I64), -1, 5, s.n(1, 6))}, attrs: Attrs{ints("depth", s.n(1, 5))}}
		},
		"scatter_add@1": func(s *sampler) opCase {
			n := s.n(1, 20)
			return opCase{in: []*Tensor{s.ints(s.dtype(I32, I64), -1, 4, n), s.f32(n, s.n(1, 4))}, attrs: Attrs{ints("rows", s.n(1, 4))}}
		},
	}
}

func foldGens() map[string]func(s *sampler) opCase {
	reduce := func(dts ...DType) func(s *sampler) opCase {
		return func(s *sampler) opCase {
			shape := s.shape(s.n(2, 3))
			shape[s.rng.IntN(len(shape))] = s.n(1, 40)
			return reduceCase(s, s.any(s.dtype(dts...), shape...))
		}
	}
	return map[string]func(s *sampler) opCase{
		"matmul@1":     func(s *sampler) opCase { return matmulCase(s, s.n(1, 3), s.n(1, 9), s.n(1, 20), s.n(1, 9)) },
		"reduce_sum@1": reduce(F32, I32, I64), "reduce_max@1": reduce(F32), "argmax@1": reduce(F32),
		"reduce_min@1": reduce(F32), "reduce_prod@1": reduce(F32),
		"rank@1": func(s *sampler) opCase { return opCase{in: []*Tensor{s.any(s.dtype(F32, I64), s.n(1, 60))}} },
		"massabove@1": func(s *sampler) opCase {
			n := s.n(1, 40)
			rank := s.ints(I32, -2, n+2, n)
			if s.n(0, 1) == 1 {
				for i, r := range rand.New(rand.NewPCG(uint64(n), 2)).Perm(int(n)) {
					rank.I32()[i] = int32(r)
				}
			}
			return opCase{in: []*Tensor{s.any(I64, n), rank}}
		},
		"pick@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.ints(I64, 0, 9, s.n(1, 30)), s.ints(I64, -1, 150, 1)}}
		},
		"conv2d@1": func(s *sampler) opCase {
			d := newConvDraw(s)
			if s.n(0, 2) == 0 {
				return opCase{in: []*Tensor{s.any(I8, d.x...), s.any(I8, d.k...)}, attrs: d.attrs()}
			}
			return d.forward(s)
		},
		"conv2d_dw@1": func(s *sampler) opCase {
			d := newConvDraw(s)
			a := d.attrs()
			return opCase{in: []*Tensor{s.f32(d.y()...), s.f32(d.x...)}, attrs: Attrs{a[0], a[1], ints("kernel", d.k[2:]...), a[2], a[3]}}
		},
		"conv2d_dx@1": func(s *sampler) opCase {
			d := newConvDraw(s)
			a := d.attrs()
			return opCase{in: []*Tensor{s.f32(d.y()...), s.f32(d.k...)}, attrs: Attrs{a[0], a[1], a[2], ints("size", d.x[2:]...), a[3]}}
		},
		"maxpool@1": func(s *sampler) opCase {
			return poolCase(s, s.any(s.dtype(F32, I8), s.n(1, 2), s.n(1, 2), s.n(3, 7), s.n(3, 7)))
		},
		"avgpool@1": func(s *sampler) opCase { return poolCase(s, s.f32(s.n(1, 2), s.n(1, 2), s.n(3, 7), s.n(3, 7))) },
		"maxpool_dx@1": func(s *sampler) opCase {
			k := poolCase(s, s.f32(s.n(1, 2), s.n(1, 2), s.n(3, 7), s.n(3, 7)))
			y, _ := inferPool(k.in[0].shape, k.attrs)
			k.in = append(k.in, s.f32(y.At(0)...))
			return k
		},
		"avgpool_dx@1": func(s *sampler) opCase {
			k := poolCase(s, s.f32(s.n(1, 2), s.n(1, 2), s.n(3, 7), s.n(3, 7)))
			y, _ := inferPool(k.in[0].shape, k.attrs)
			k.attrs = Attrs{k.attrs[0], k.attrs[1], ints("size", k.in[0].shape[2:]...), k.attrs[2]}
			k.in[0] = s.f32(y.At(0)...)
			return k
		},
	}
}

func matmulCase(s *sampler, lead, m, k, n int64) opCase {
	ta, tb, tri := s.n(0, 1), s.n(0, 1), s.n(0, 2)
	a, b := []int64{m, k}, []int64{k, n}
	if ta == 1 {
		a = []int64{k, m}
	}
	if tb == 1 {
		b = []int64{n, k}
	}
	full := []int64{lead, s.n(1, 2)}
	a = append(s.broadcastable(full), a...)
	if s.n(0, 1) == 1 {
		b = append(s.broadcastable(full), b...)
	}
	dt := F32
	if s.n(0, 3) == 0 {
		dt, tri = I8, 0
	}
	return opCase{in: []*Tensor{s.any(dt, a...), s.any(dt, b...)}, attrs: Attrs{ints("ta", ta), ints("tb", tb), ints("tri", tri)}}
}

func reduceCase(s *sampler, x *Tensor) opCase {
	axis, tri := s.n(0, int64(len(x.shape))-1), s.n(0, 1)
	if tri == 1 {
		axis = int64(len(x.shape)) - 1
	}
	return opCase{in: []*Tensor{x}, attrs: Attrs{ints("axis", axis), ints("keep", s.n(0, 1)), ints("tri", tri)}}
}

func poolCase(s *sampler, x *Tensor) opCase {
	kh, kw := s.n(1, 3), s.n(1, 3)
	return opCase{in: []*Tensor{x}, attrs: Attrs{
		ints("kernel", kh, kw), ints("pad", s.n(0, kh-1), s.n(0, kw-1), s.n(0, kh-1), s.n(0, kw-1)), ints("stride", s.n(1, 4), s.n(1, 4)),
	}}
}

func convAttrs(dil []int64, groups int64, pad, stride []int64) Attrs {
	return Attrs{ints("dilation", dil...), ints("groups", groups), ints("pad", pad...), ints("stride", stride...)}
}

// convDraw is a valid convolution.
type convDraw struct {
	x, k, dil, pad, stride []int64
	groups                 int64
}

func newConvDraw(s *sampler) convDraw {
	d := convDraw{
		groups: s.n(1, 2), dil: []int64{s.n(1, 2), s.n(1, 2)}, stride: []int64{s.n(1, 3), s.n(1, 2)},
		pad: []int64{s.n(0, 2), s.n(0, 2), s.n(0, 2), s.n(0, 2)},
	}
	cg, og := s.n(1, 3), s.n(1, 3)
	d.k = []int64{d.groups * og, cg, s.n(1, 3), s.n(1, 3)}
	d.x = []int64{s.n(1, 2), d.groups * cg, s.n(5, 8), s.n(5, 8)}
	return d
}

func (d convDraw) attrs() Attrs { return convAttrs(d.dil, d.groups, d.pad, d.stride) }

func (d convDraw) y() []int64 {
	s := convShape(d.x, d.k, d.attrs())
	return []int64{d.x[0], d.k[0], int64(s.OutH()), int64(s.OutW())}
}

func (d convDraw) forward(s *sampler) opCase {
	return opCase{in: []*Tensor{s.f32(d.x...), s.f32(d.k...)}, attrs: d.attrs()}
}
