package onnx

import (
	"encoding/binary"
	"math"

	"poaid/engine"
	"poaid/engine/nn"
)

func f32Attr(name string, v float32) engine.Attr {
	return engine.Attr{Name: name, Data: binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))}
}

// unary converts an f32 function of one operand.
func unary(f func(k *call, v nn.Value) nn.Value) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 1)
		if k.err != nil {
			return nil
		}
		k.f32Only()
		x := k.arg(0)
		return &val{v: f(k, k.value(x)), scalar: x.rank() == 0}
	}
}

// plain converts to one node without attributes.
func plain(op string) func(k *call) *val {
	return unary(func(k *call, v nn.Value) nn.Value { return k.g.Node(op, nil, engine.Value{}, v) })
}

func rounding(mode string) func(k *call) *val {
	return unary(func(k *call, v nn.Value) nn.Value {
		return k.g.Node("round@1", []engine.Attr{text("mode", mode)}, engine.Value{}, v)
	})
}

func hardSigmoid(k *call, v nn.Value) nn.Value {
	return k.g.Node("hardsigmoid@1", []engine.Attr{f32Attr("alpha", k.float("alpha", 0.2)), f32Attr("beta", k.float("beta", 0.5))}, engine.Value{}, v)
}

// leaky is max(x, 0) + slope·min(x, 0).
func (c *converter) leaky(v, slope nn.Value) nn.Value {
	return c.g.Add(c.g.Relu(v), c.g.Mul(slope, c.g.Neg(c.g.Relu(c.g.Neg(v)))))
}

// elu is gamma·(x where x > 0, otherwise alpha·(exp(x) − 1)).
func (c *converter) elu(v nn.Value, alpha, gamma float32) nn.Value {
	low := c.g.Mul(c.g.Sub(c.g.Exp(v), c.g.F32(1)), c.g.F32(alpha))
	y := c.g.Where(c.g.Lt(c.g.F32(0), v), v, low)
	if gamma != 1 {
		y = c.g.Mul(y, c.g.F32(gamma))
	}
	return y
}

// softplus is log(1 + exp(x)) without overflow: max(x, 0) + log(1 + exp(−|x|)).
func (c *converter) softplus(v nn.Value) nn.Value {
	return c.g.Add(c.g.Relu(v), c.g.Log(c.g.Add(c.g.Exp(c.g.Neg(c.g.Abs(v))), c.g.F32(1))))
}

func gelu(k *call, v nn.Value) nn.Value {
	switch approx := k.text("approximate", "none"); approx {
	case "none":
		return k.g.Gelu(v, "erf")
	case "tanh":
		return k.g.Gelu(v, "tanh")
	default:
		k.refuse("attribute approximate: %.40q", approx)
		return v
	}
}

// result wraps an elementwise result: it is a scalar when all operands are.
func (k *call) result(v nn.Value) *val {
	scalar := true
	for _, x := range k.in {
		scalar = scalar && (x == nil || x.rank() == 0)
	}
	return &val{v: v, scalar: scalar}
}

// arithmetic is the part that Add, Sub, Mul and Div share: affine maps are held back to be folded, the rest is one node.
func arithmetic(op string) func(k *call) *val {
	return func(k *call) *val {
		k.needs(2, 2)
		if k.err != nil {
			return nil
		}
		a, b := k.arg(0), k.arg(1)
		if y := k.asAffine(op, a, b); y != nil {
			return y
		}
		if op == "div@1" && a.dtype() != engine.F32 {
			k.refuse("a quotient of integers that are not known at import")
			return nil
		}
		return k.result(k.g.Node(op, nil, engine.Value{}, k.value(a), k.value(b)))
	}
}

// asAffine folds a known per-channel operand, nil where there is none.
func (k *call) asAffine(op string, a, b *val) *val {
	if a.known() && !b.known() && (op == "add@1" || op == "mul@1") {
		a, b = b, a
	}
	if a.known() || a.dtype() != engine.F32 {
		return nil
	}
	v, ok := perChannel(b, a.shape())
	if !ok {
		return nil
	}
	switch op {
	case "add@1":
		return k.affine(a, nil, v)
	case "mul@1":
		return k.affine(a, v, nil)
	case "sub@1":
		return k.affine(a, nil, mapped(v, func(x float32) float32 { return -x }))
	}
	if a.lazy == nil || a.lazy.conv == nil || a.v.Valid() || a.uses > 1 {
		return nil // a quotient is not a product with the reciprocal: only weights are divided
	}
	return k.affine(a, mapped(v, func(x float32) float32 { return 1 / x }), nil)
}

func mapped(v []float32, f func(float32) float32) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}

// variadic joins any number of operands by a binary op.
func variadic(op string, mean bool) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, -1)
		if k.err != nil {
			return nil
		}
		y := k.value(k.arg(0))
		for _, x := range k.in[1:] {
			if x == nil {
				k.fail("an operand is left out")
				return nil
			}
			y = k.g.Node(op, nil, engine.Value{}, y, k.value(x))
		}
		if mean {
			y = k.g.Div(y, k.g.F32(float32(len(k.in))))
		}
		return k.result(y)
	}
}

// comparable gives an operand whose −0 is +0: ONNX compares as IEEE 754 does, the engine by the total order.
func (k *call) comparable(x *val) nn.Value {
	v := k.value(x)
	if x.dtype() == engine.F32 && !x.known() {
		return k.g.Add(v, k.g.F32(0))
	}
	return v
}

// compare is op(a, b), of swapped operands or negated.
func compare(op string, swap, not bool) func(k *call) *val {
	return func(k *call) *val {
		k.needs(2, 2)
		if k.err != nil {
			return nil
		}
		a, b := k.comparable(k.arg(0)), k.comparable(k.arg(1))
		if swap {
			a, b = b, a
		}
		y := k.g.Node(op, nil, engine.Value{}, a, b)
		if not {
			y = k.g.Not(y)
		}
		return k.result(y)
	}
}

func logical(f func(g *nn.Graph, a, b nn.Value) nn.Value) func(k *call) *val {
	return func(k *call) *val {
		k.needs(2, 2)
		if k.err != nil {
			return nil
		}
		return k.result(f(k.g, k.value(k.arg(0)), k.value(k.arg(1))))
	}
}

func logicalNot(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	return k.result(k.g.Not(k.value(k.arg(0))))
}

func where(k *call) *val {
	k.needs(3, 3)
	if k.err != nil {
		return nil
	}
	return k.result(k.g.Where(k.value(k.arg(0)), k.value(k.arg(1)), k.value(k.arg(2))))
}

// clip bounds by attributes before opset 11, by operands since.
func clip(k *call) *val {
	k.needs(1, 3)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	dt := x.dtype()
	if dt != engine.F32 && dt != engine.I32 && dt != engine.I64 {
		k.refuse("operand 0 is %s", dt)
		return nil
	}
	var bound [2]*val
	for i, name := range []string{"min", "max"} {
		bound[i] = k.arg(i + 1)
		if a := k.attr(name, 1); a != nil {
			bound[i] = constant(one(a.F))
		}
	}
	v := k.value(x)
	switch lo, hi := bound[0], bound[1]; {
	case lo != nil && hi != nil:
		v = k.g.Node("clip@1", nil, engine.Value{}, v, k.value(lo), k.value(hi))
	case lo != nil && dt == engine.F32 && lo.known() && lo.host.F32()[0] == 0:
		v = k.g.Relu(v)
	case lo != nil:
		v = k.g.Max(v, k.value(lo))
	case hi != nil:
		v = k.g.Min(v, k.value(hi))
	}
	return &val{v: v, scalar: x.rank() == 0}
}

// one is an f32 tensor of rank 0.
func one(v float32) *engine.Tensor {
	t, err := engine.FromF32([]float32{v})
	if err != nil {
		panic("onnx: " + err.Error()) // one element for rank 0
	}
	return t
}

// maxPower bounds integer exponents.
const maxPower = 64

// pow knows exponents that are integers or halves and known at import.
func pow(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	if x.dtype() != engine.F32 {
		k.refuse("operand 0 is %s", x.dtype())
	}
	p, _ := k.scalarF32(1, "exponent")
	if k.err != nil {
		return nil
	}
	twice := math.Abs(float64(p)) * 2
	if twice != math.Trunc(twice) || twice > 2*maxPower {
		k.refuse("exponent %g; integers and halves up to %d are", p, maxPower)
		return nil
	}
	v, n := k.value(x), int(twice)/2
	var y nn.Value
	if int(twice)%2 == 1 {
		y = k.g.Sqrt(v)
	}
	for base := v; n > 0; n /= 2 {
		if n%2 == 1 {
			if y.Valid() {
				y = k.g.Mul(y, base)
			} else {
				y = base
			}
		}
		if n > 1 {
			base = k.g.Mul(base, base)
		}
	}
	switch {
	case !y.Valid(): // x⁰
		y = k.g.Broadcast(k.g.F32(1), v.Shape()...)
	case p < 0:
		y = k.g.Div(k.g.F32(1), y)
	}
	return &val{v: y, scalar: x.rank() == 0}
}

// cast converts; ONNX truncates float to integer, and anything but 0 is true.
func cast(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	k.ignore("saturate")
	to := k.int("to", 0)
	dt, err := dtypeOf(to)
	if err != nil {
		k.refuse("attribute to: %v", err)
		return nil
	}
	x := k.arg(0)
	if x.dtype() == dt && to != typeBool {
		return &val{host: x.host, v: x.v, lazy: x.lazy, scalar: x.scalar, name: x.name}
	}
	v := k.value(x)
	if to == typeBool {
		zero := k.g.Node("const@1", []engine.Attr{{Name: "data", Data: make([]byte, engine.SizeOf(x.dtype()))}},
			engine.Value{DType: x.dtype(), Shape: engine.ConstShape(1)})
		return &val{v: k.g.Not(k.g.Eq(k.comparable(x), zero)), scalar: x.rank() == 0}
	}
	mode := ""
	if x.dtype() == engine.F32 {
		mode = "trunc"
	}
	y := k.g.Node("cast@1", []engine.Attr{text("mode", mode)}, engine.Value{DType: dt, Shape: v.Shape()}, v)
	return &val{v: y, scalar: x.rank() == 0}
}

// quantisation is QuantizeLinear or DequantizeLinear; scale and zero point are scalars, or one a place of an axis.
func quantisation(op string) func(k *call) *val {
	return func(k *call) *val {
		k.needs(2, 3)
		if k.err != nil {
			return nil
		}
		k.ignore("saturate")
		x, scale, zero := k.arg(0), k.arg(1), k.arg(2)
		axis := k.axis(k.int("axis", 1), max(x.rank(), 2))
		if zero == nil {
			dt := x.dtype()
			if op == "quantise@1" {
				dt = engine.U8
			}
			t, err := engine.NewTensor(dt, nil, 64)
			if err != nil {
				k.fail("zero point: %w", err)
				return nil
			}
			zero = constant(t)
		}
		spread := func(p *val) nn.Value {
			if len(p.shape()) == 1 && p.shape()[0] > 1 {
				s := make([]int64, x.rank())
				for i := range s {
					s[i] = 1
				}
				s[axis] = p.shape()[0]
				return k.value(k.shaped(p, s))
			}
			if len(p.shape()) > 1 {
				k.refuse("scales in blocks (shape %v)", p.shape())
			}
			return k.value(p)
		}
		return &val{v: k.g.Node(op, nil, engine.Value{}, k.value(x), spread(scale), spread(zero)), scalar: x.rank() == 0}
	}
}

// prelu spreads a slope that is one a channel as the exporters mean it: unidirectional broadcasting covers the rest.
func prelu(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	x := k.arg(0)
	return &val{v: k.leaky(k.value(x), k.value(k.arg(1))), scalar: x.rank() == 0}
}
