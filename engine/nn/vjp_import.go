package nn

import (
	"math"

	"poaid/engine"
)

// importRules are the gradients of the ops that imported networks bring.
func importRules() map[string]func(c *vjp) []Value {
	rule := func(f func(g *Graph, c *vjp) Value) func(c *vjp) []Value {
		return func(c *vjp) []Value { return []Value{f(c.g, c)} }
	}
	inside := func(g *Graph, y Value) Value { return g.And(g.Lt(g.F32(0), y), g.Lt(y, g.F32(1))) }
	return map[string]func(c *vjp) []Value{
		"erf@1": rule(func(g *Graph, c *vjp) Value {
			return g.Mul(c.dy, g.Mul(g.F32(2/math.SqrtPi), g.Exp(g.Neg(g.Mul(c.x[0], c.x[0])))))
		}),
		"sin@1": rule(func(g *Graph, c *vjp) Value { return g.Mul(c.dy, g.Cos(c.x[0])) }),
		"cos@1": rule(func(g *Graph, c *vjp) Value { return g.Neg(g.Mul(c.dy, g.Sin(c.x[0]))) }),
		"hardswish@1": rule(func(g *Graph, c *vjp) Value { // s + x·s′
			s := g.HardSigmoid(c.x[0], 1.0/6, 0.5)
			return g.Mul(c.dy, g.Add(s, g.Where(inside(g, s), g.Mul(c.x[0], g.F32(1.0/6)), g.F32(0))))
		}),
		"hardsigmoid@1": rule(func(g *Graph, c *vjp) Value {
			alpha := g.Node("const@1", []engine.Attr{{Name: "data", Data: c.data("alpha")}}, out(engine.F32, dims(1)...))
			return g.Where(inside(g, c.y), g.Mul(c.dy, alpha), g.F32(0))
		}),
		"round@1":  func(*vjp) []Value { return []Value{{}} }, // constant wherever it has a slope
		"clip@1":   clipGrad,
		"resize@1": resizeGrad,
		"dequantise@1": func(c *vjp) []Value {
			return c.fit(nil, func() Value { return c.g.Mul(c.dy, c.g.Dequantise(c.x[0], c.g.F32(1), c.x[2])) })
		},
		"rescale@1": func(c *vjp) []Value {
			other := func(v Value) func() Value {
				return func() Value { return c.g.Mul(c.dy, c.g.Rescale(c.x[0], v, c.g.F32(1))) }
			}
			return c.fit(nil, other(c.x[2]), other(c.x[1]))
		},
		"setrow@1": func(c *vjp) []Value {
			zero := c.g.Broadcast(c.g.F32(0), c.x[1].Shape()...)
			return c.fit(func() Value { return c.g.SetRow(c.dy, zero, c.x[2]) }, func() Value { return c.g.Gather(c.dy, c.x[2]) })
		},
		"reduce_min@1": func(c *vjp) []Value { return c.picked(c.g.Neg(c.x[0])) },
		"reduce_max@1": func(c *vjp) []Value { return c.picked(c.x[0]) },
		"reduce_prod@1": func(c *vjp) []Value {
			return []Value{c.prodGrad()}
		},
		"conv2d_dx@1": func(c *vjp) []Value { // y = conv2d_dx(a, k)
			return c.fit(
				func() Value { return c.g.Node("conv2d@1", c.convAttrs(), engine.Value{}, c.dy, c.x[1]) },
				func() Value {
					return c.g.Node("conv2d_dw@1", c.convAttrs(c.planes("kernel", c.x[1])), engine.Value{}, c.x[0], c.dy)
				})
		},
		"conv2d_dw@1": func(c *vjp) []Value { // y = conv2d_dw(a, x)
			return c.fit(
				func() Value { return c.g.Node("conv2d@1", c.convAttrs(), engine.Value{}, c.x[1], c.dy) },
				func() Value {
					return c.g.Node("conv2d_dx@1", c.convAttrs(c.planes("size", c.x[1])), engine.Value{}, c.x[0], c.dy)
				})
		},
		"avgpool_dx@1": rule(func(g *Graph, c *vjp) Value { return g.Node("avgpool@1", c.poolAttrs(), engine.Value{}, c.dy) }),
	}
}

func (c *vjp) data(name string) []byte {
	for _, a := range c.node.Attrs {
		if a.Name == name {
			return a.Data
		}
	}
	return nil
}

func (c *vjp) convAttrs(extra ...engine.Attr) []engine.Attr {
	return append([]engine.Attr{
		ints("dilation", c.attr("dilation")...), ints("groups", c.attr("groups")...),
		ints("pad", c.attr("pad")...), ints("stride", c.attr("stride")...),
	}, extra...)
}

// planes is an attribute with the last two of four dimensions.
func (c *vjp) planes(name string, v Value) engine.Attr { return ints(name, v.Dim(2).A, v.Dim(3).A) }

// clipGrad: min(max(x, lo), hi) goes to the operand that gave the result.
func clipGrad(c *vjp) []Value {
	g, zero := c.g, c.g.F32(0)
	low := g.Max(c.x[0], c.x[1])
	below := func() Value { return g.Where(g.Le(low, c.x[2]), c.dy, zero) }
	return c.fit(
		func() Value { return g.Where(g.Le(c.x[1], c.x[0]), below(), zero) },
		func() Value { return g.Where(g.Le(c.x[1], c.x[0]), zero, below()) },
		func() Value { return g.Where(g.Le(low, c.x[2]), zero, c.dy) })
}

// picked sends dy to the lowest index of the largest element of x, among the members with tri.
func (c *vjp) picked(x Value) []Value {
	g, axis := c.g, int(c.attr("axis")[0])
	along := make(engine.Shape, x.Rank())
	for i := range along {
		along[i] = engine.Const(1)
	}
	along[axis] = x.Dim(axis)
	first := g.Eq(g.Iota(axis, along...), g.reduce("argmax@1", x, axis, true, c.attr("tri")[0] == 1))
	return []Value{g.Where(first, c.spread(c.dy), g.F32(0))}
}

// prodGrad is dy times the product of the other elements, which exists where an element is 0 too: the products over
// axis of a copy for every element with that element replaced by 1.
func (c *vjp) prodGrad() Value {
	g, x, axis := c.g, c.x[0], int(c.attr("axis")[0])
	if !x.Shape().Static() || c.attr("tri")[0] == 1 {
		g.b.fail("%s: reduce_prod@1 of shape %s with tri or a shape that depends on the step has no gradient", g.name, x.Shape())
		return Value{}
	}
	outer, n, inner := int64(1), x.Dim(axis), int64(1)
	for i, d := range x.Shape() {
		switch {
		case i < axis:
			outer *= d.A
		case i > axis:
			inner *= d.A
		}
	}
	one := engine.Const(1)
	self := g.Eq(g.Iota(0, n, one, one), g.Iota(1, one, n, one))
	others := g.Where(self, g.F32(1), g.Reshape(x, engine.Const(outer), one, n, engine.Const(inner)))
	prod := g.Reshape(g.Prod(others, 2, false, false), x.Shape()...)
	return g.Mul(c.spread(c.dy), prod)
}

// resizeMatrix bounds the elements of the matrices that the gradient of resize multiplies by.
const resizeMatrix = 1 << 19

// resizeGrad: resizing is y = R·x·Cᵀ for every plane, with a row of R a place of y; dx = Rᵀ·dy·C.
func resizeGrad(c *vjp) []Value {
	g, in, o := c.g, c.x[0].Shape(), c.y.Shape()
	matrix := func(in, out int64) Value {
		if in*out > resizeMatrix {
			g.b.fail("%s: resize@1 of a side %d to %d has no gradient: the limit is %d elements", g.name, in, out, resizeMatrix)
			return Value{}
		}
		axis, m := engine.NewAxis(in, out, c.text("coord")), make([]float32, in*out)
		for i := range out {
			if c.text("mode") == "nearest" {
				m[i*in+axis.Nearest(i, c.text("rounding"))] = 1
				continue
			}
			lo, hi, w := axis.Linear(i)
			m[i*in+hi] = w
			m[i*in+lo] = 1 - w
		}
		return g.f32Tensor(m, out, in)
	}
	rows, cols := matrix(in[2].A, o[2].A), matrix(in[3].A, o[3].A)
	return []Value{g.MatMul(rows, g.MatMul(c.dy, cols, false, false, 0), true, false, 0)}
}

// triGrad: for the chains of matmul with tri, dA keeps the members and the chain of dB's row k admits the rows that k
// is a member of: rows ≥ k under 1 (k ≤ row), rows ≤ k under 2 (k ≥ row).
func triGrad(c *vjp, ta, tb bool, tri int64) []Value {
	g, a, b, dy := c.g, c.x[0], c.x[1], c.dy
	return c.fit(
		func() Value {
			if tri == 1 {
				return g.swapIf(ta, g.Tril(g.MatMul(dy, b, false, !tb, 0), 0))
			}
			return g.swapIf(!ta, g.Tril(g.MatMul(b, dy, tb, true, 0), 0)) // of the transpose, k ≥ row is below the diagonal
		},
		func() Value { return g.swapIf(tb, g.MatMul(a, dy, !ta, false, 3-tri)) })
}
