package nn

import (
	"poaid/engine"
	"poaid/engine/graphpb"
)

// vjp is one node in the backward pass: dy is the gradient of its result y, x its operands. need says which operands'
// gradients are wanted; a rule may leave the others out.
type vjp struct {
	g    *Graph
	node *graphpb.Node
	y    Value
	x    []Value
	dy   Value
	need []bool
}

func (c *vjp) attr(name string) []int64 {
	for _, a := range c.node.Attrs {
		if a.Name == name {
			return a.Ints
		}
	}
	return nil
}

func (c *vjp) text(name string) string {
	for _, a := range c.node.Attrs {
		if a.Name == name {
			return a.Text
		}
	}
	return ""
}

// fit sums every gradient down to its operand's shape and drops those that nobody wants.
func (c *vjp) fit(grads ...func() Value) []Value {
	out := make([]Value, len(c.x))
	for i, f := range grads {
		if f != nil && c.need[i] {
			out[i] = c.g.unbroadcast(f(), c.x[i].Shape())
		}
	}
	return out
}

// vjpRules returns the gradient rules by op.
func vjpRules() map[string]func(c *vjp) []Value {
	all := arithmeticRules()
	for _, rules := range []map[string]func(c *vjp) []Value{unaryRules(), movementRules(), foldRules(), importRules()} {
		for name, rule := range rules {
			all[name] = rule
		}
	}
	return all
}

func arithmeticRules() map[string]func(c *vjp) []Value {
	picked := func(first func(c *vjp) Value) func(c *vjp) []Value {
		return func(c *vjp) []Value {
			g, zero := c.g, c.g.F32(0)
			return c.fit(func() Value { return g.Where(first(c), c.dy, zero) }, func() Value { return g.Where(first(c), zero, c.dy) })
		}
	}
	return map[string]func(c *vjp) []Value{
		"add@1": func(c *vjp) []Value {
			dy := func() Value { return c.dy }
			return c.fit(dy, dy)
		},
		"sub@1": func(c *vjp) []Value {
			return c.fit(func() Value { return c.dy }, func() Value { return c.g.Neg(c.dy) })
		},
		"mul@1": func(c *vjp) []Value {
			return c.fit(func() Value { return c.g.Mul(c.dy, c.x[1]) }, func() Value { return c.g.Mul(c.dy, c.x[0]) })
		},
		"div@1": func(c *vjp) []Value {
			return c.fit(func() Value { return c.g.Div(c.dy, c.x[1]) },
				func() Value { return c.g.Neg(c.g.Mul(c.dy, c.g.Div(c.y, c.x[1]))) })
		},
		"max@1": picked(func(c *vjp) Value { return c.g.Le(c.x[1], c.x[0]) }),
		"min@1": picked(func(c *vjp) Value { return c.g.Le(c.x[0], c.x[1]) }),
		"where@1": func(c *vjp) []Value {
			zero := c.g.F32(0)
			return c.fit(nil, func() Value { return c.g.Where(c.x[0], c.dy, zero) }, func() Value { return c.g.Where(c.x[0], zero, c.dy) })
		},
		"cast@1": func(c *vjp) []Value { return c.fit(func() Value { return c.dy }) },
	}
}

func unaryRules() map[string]func(c *vjp) []Value {
	rule := func(f func(g *Graph, c *vjp) Value) func(c *vjp) []Value {
		return func(c *vjp) []Value { return []Value{f(c.g, c)} }
	}
	return map[string]func(c *vjp) []Value{
		"neg@1":  rule(func(g *Graph, c *vjp) Value { return g.Neg(c.dy) }),
		"abs@1":  rule(func(g *Graph, c *vjp) Value { return g.Where(g.Lt(c.x[0], g.F32(0)), g.Neg(c.dy), c.dy) }),
		"relu@1": rule(func(g *Graph, c *vjp) Value { return g.Where(g.Lt(g.F32(0), c.x[0]), c.dy, g.F32(0)) }),
		"exp@1":  rule(func(g *Graph, c *vjp) Value { return g.Mul(c.dy, c.y) }),
		"log@1":  rule(func(g *Graph, c *vjp) Value { return g.Div(c.dy, c.x[0]) }),
		"sqrt@1": rule(func(g *Graph, c *vjp) Value { return g.Div(g.Mul(c.dy, g.F32(0.5)), c.y) }),
		"rsqrt@1": rule(func(g *Graph, c *vjp) Value {
			return g.Mul(g.Mul(c.dy, g.F32(-0.5)), g.Mul(c.y, g.Mul(c.y, c.y)))
		}),
		"sigmoid@1": rule(func(g *Graph, c *vjp) Value { return g.Mul(c.dy, g.Mul(c.y, g.Sub(g.F32(1), c.y))) }),
		"tanh@1":    rule(func(g *Graph, c *vjp) Value { return g.Mul(c.dy, g.Sub(g.F32(1), g.Mul(c.y, c.y))) }),
		"silu@1": rule(func(g *Graph, c *vjp) Value { // s + y·(1 − s)
			s := g.Sigmoid(c.x[0])
			return g.Mul(c.dy, g.Add(s, g.Mul(c.y, g.Sub(g.F32(1), s))))
		}),
		"gelu@1": rule(func(g *Graph, c *vjp) Value {
			if c.text("variant") == "erf" {
				return g.Mul(c.dy, g.geluErfSlope(c.x[0], c.y))
			}
			return g.Mul(c.dy, g.geluTanhSlope(c.x[0]))
		}),
	}
}

// geluErfSlope is Φ(x) + x·φ(x) with Φ(x) = gelu(x)/x, and 1/2 at 0.
func (g *Graph) geluErfSlope(x, y Value) Value {
	cdf := g.Where(g.Eq(g.Abs(x), g.F32(0)), g.F32(0.5), g.Div(y, x))
	pdf := g.Mul(g.Exp(g.Mul(g.Mul(x, x), g.F32(-0.5))), g.F32(0.3989422804))
	return g.Add(cdf, g.Mul(x, pdf))
}

// geluTanhSlope is (1 + u)/2 + x/2·(1 − u²)·c·(1 + 3·a·x²), u = tanh(c·(x + a·x³)), c = √(2/π), a = 0.044715.
func (g *Graph) geluTanhSlope(x Value) Value {
	const c, a = 0.7978845608, 0.044715
	one, half := g.F32(1), g.F32(0.5)
	sq := g.Mul(x, x)
	u := g.Tanh(g.Mul(g.F32(c), g.Add(x, g.Mul(g.F32(a), g.Mul(sq, x)))))
	du := g.Mul(g.F32(c), g.Add(one, g.Mul(g.F32(3*a), sq)))
	return g.Add(g.Mul(half, g.Add(one, u)), g.Mul(g.Mul(g.Mul(half, x), g.Sub(one, g.Mul(u, u))), du))
}

func movementRules() map[string]func(c *vjp) []Value {
	return map[string]func(c *vjp) []Value{
		"reshape@1":   func(c *vjp) []Value { return []Value{c.g.Reshape(c.dy, c.x[0].Shape()...)} },
		"broadcast@1": func(c *vjp) []Value { return c.fit(func() Value { return c.dy }) },
		"tril@1":      func(c *vjp) []Value { return []Value{c.g.Tril(c.dy, c.attr("offset")[0])} },
		"transpose@1": func(c *vjp) []Value {
			perm := c.attr("perm")
			inv := make([]int64, len(perm))
			for i, p := range perm {
				inv[p] = int64(i)
			}
			return []Value{c.g.Transpose(c.dy, inv...)}
		},
		"slice@1": func(c *vjp) []Value {
			start := c.attr("start")
			hi := make([]int64, len(start))
			for i, s := range start {
				in, out := c.x[0].Dim(i), c.y.Dim(i)
				if !in.Static() || !out.Static() {
					c.g.b.fail("%s: slice@1 of shape %s: no gradient when the shape depends on the step", c.g.name, c.y.Shape())
					return []Value{{}}
				}
				hi[i] = in.A - s - out.A
			}
			return []Value{c.g.Pad(c.dy, start, hi)}
		},
		"pad@1": func(c *vjp) []Value { return []Value{c.g.Slice(c.dy, c.attr("lo"), c.x[0].Shape())} },
		"concat@1": func(c *vjp) []Value {
			axis, out := c.attr("axis")[0], make([]Value, len(c.x))
			start := make([]int64, c.y.Rank())
			for i, x := range c.x {
				if c.need[i] {
					out[i] = c.g.Slice(c.dy, append([]int64(nil), start...), x.Shape())
				}
				if !x.Dim(int(axis)).Static() {
					c.g.b.fail("%s: concat@1: no gradient when the axis depends on the step", c.g.name)
				}
				start[axis] += x.Dim(int(axis)).A
			}
			return out
		},
		"gather@1": gatherGrad,
		"take@1": func(c *vjp) []Value {
			n, depth := c.x[0].Dim(0), c.x[0].Dim(1).A
			idx := c.g.clampIndex(c.x[1], depth)
			return []Value{c.g.Mul(c.g.OneHot(idx, depth), c.g.Reshape(c.dy, n, engine.Const(1))), {}}
		},
		"rope@1": func(c *vjp) []Value {
			return []Value{c.g.Rope(c.dy, c.x[1], c.x[2], c.x[3], c.attr("inverse")[0] == 0), {}, {}, {}}
		},
		"scatter_add@1": func(c *vjp) []Value { return []Value{{}, c.g.Gather(c.dy, c.x[0])} },
	}
}

// clampIndex brings an index into 0..n−1.
func (g *Graph) clampIndex(idx Value, n int64) Value {
	idx = g.Cast(idx, engine.I64)
	return g.Min(g.Max(idx, g.I64(0)), g.I64(n-1))
}

// gatherGrad adds the rows' gradients into a table of zeros.
func gatherGrad(c *vjp) []Value {
	g, table, idx := c.g, c.x[0], c.x[1]
	if !c.need[0] || !table.Shape().Static() || !idx.Shape().Static() {
		if c.need[0] {
			g.b.fail("%s: gather@1: no gradient when a shape depends on the step", g.name)
		}
		return []Value{{}, {}}
	}
	rows, width, n := table.Dim(0).A, int64(1), int64(1)
	for _, d := range table.Shape()[1:] {
		width *= d.A
	}
	for _, d := range idx.Shape() {
		n *= d.A
	}
	flat := g.Reshape(idx, engine.Const(n))
	if c.text("mode") == "clamp" {
		flat = g.clampIndex(flat, rows)
	}
	sum := g.ScatterAdd(flat, g.Reshape(c.dy, dims(n, width)...), rows)
	return []Value{g.Reshape(sum, table.Shape()...), {}}
}

func foldRules() map[string]func(c *vjp) []Value {
	return map[string]func(c *vjp) []Value{
		"matmul@1":     matmulGrad,
		"reduce_sum@1": func(c *vjp) []Value { return []Value{c.spread(c.dy)} },
		"conv2d@1": func(c *vjp) []Value {
			return c.fit(
				func() Value {
					return c.g.Node("conv2d_dx@1", c.convAttrs(c.planes("size", c.x[0])), engine.Value{}, c.dy, c.x[1])
				},
				func() Value {
					return c.g.Node("conv2d_dw@1", c.convAttrs(c.planes("kernel", c.x[1])), engine.Value{}, c.dy, c.x[0])
				})
		},
		"maxpool@1": func(c *vjp) []Value {
			return []Value{c.g.Node("maxpool_dx@1", c.poolAttrs(), engine.Value{}, c.x[0], c.dy)}
		},
		"avgpool@1": func(c *vjp) []Value {
			a := append(c.poolAttrs(), ints("size", c.x[0].Dim(2).A, c.x[0].Dim(3).A))
			return []Value{c.g.Node("avgpool_dx@1", a, engine.Value{}, c.dy)}
		},
	}
}

func (c *vjp) poolAttrs() []engine.Attr {
	return []engine.Attr{ints("kernel", c.attr("kernel")...), ints("pad", c.attr("pad")...), ints("stride", c.attr("stride")...)}
}

// spread stretches the gradient of a reduction over the reduced axis; with tri, over its members.
func (c *vjp) spread(dy Value) Value {
	keep := c.x[0].Shape()
	shape := append(engine.Shape(nil), keep...)
	shape[c.attr("axis")[0]] = engine.Const(1)
	full := c.g.Broadcast(c.g.Reshape(dy, shape...), keep...)
	if c.attr("tri")[0] == 1 {
		return c.g.Tril(full, 0)
	}
	return full
}

// matmulGrad: for C = A·B, dA = dC·Bᵀ and dB = Aᵀ·dC, each in the layout its operand is stored in. See triGrad
// for tri.
func matmulGrad(c *vjp) []Value {
	g, a, b, dy := c.g, c.x[0], c.x[1], c.dy
	ta, tb, tri := c.attr("ta")[0] == 1, c.attr("tb")[0] == 1, c.attr("tri")[0]
	if tri != 0 {
		return triGrad(c, ta, tb, tri)
	}
	return c.fit(
		func() Value {
			if ta {
				return g.MatMul(b, dy, tb, true, 0)
			}
			return g.MatMul(dy, b, false, !tb, 0)
		},
		func() Value {
			if tb {
				return g.MatMul(dy, a, true, ta, 0)
			}
			return g.MatMul(a, dy, !ta, false, 0)
		})
}

// swapIf exchanges the last two dimensions.
func (g *Graph) swapIf(swap bool, x Value) Value {
	if !swap {
		return x
	}
	perm := make([]int64, x.Rank())
	for i := range perm {
		perm[i] = int64(i)
	}
	n := len(perm)
	perm[n-1], perm[n-2] = perm[n-2], perm[n-1]
	return g.Transpose(x, perm...)
}
