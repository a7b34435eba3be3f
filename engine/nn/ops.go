package nn

import (
	"encoding/binary"

	"poaid/engine"
)

// out is a declared result.
func out(dt engine.DType, shape ...engine.Dim) engine.Value {
	return engine.Value{DType: dt, Shape: shape}
}

func dims(shape ...int64) engine.Shape { return engine.ConstShape(shape...) }

// F32 returns a constant f32[1].
func (g *Graph) F32(v float32) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: f32Bytes(v)}}, out(engine.F32, dims(1)...))
}

// I64 returns a constant i64[1].
func (g *Graph) I64(v int64) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: binary.LittleEndian.AppendUint64(nil, uint64(v))}}, out(engine.I64, dims(1)...))
}

// I32 returns a constant i32[1].
func (g *Graph) I32(v int32) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: binary.LittleEndian.AppendUint32(nil, uint32(v))}}, out(engine.I32, dims(1)...))
}

// Const returns a constant tensor.
func (g *Graph) Const(t *engine.Tensor) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: t.Bytes()}}, out(t.DType(), dims(t.Shape()...)...))
}

// StepNumber returns t, i64[1].
func (g *Graph) StepNumber() Value { return g.Node("step@1", nil, out(engine.I64, dims(1)...)) }

// Iota returns the index along axis, i64.
func (g *Graph) Iota(axis int, shape ...engine.Dim) Value {
	return g.Node("iota@1", []engine.Attr{ints("axis", int64(axis))}, out(engine.I64, shape...))
}

// Rows returns the number of rows of a variable-row input, i64[1].
func (g *Graph) Rows(in Value) Value { return g.Node("rows@1", nil, engine.Value{}, in) }

func (g *Graph) plain(op string, in ...Value) Value { return g.Node(op, nil, engine.Value{}, in...) }

// Neg is −x.
func (g *Graph) Neg(x Value) Value { return g.plain("neg@1", x) }

// Abs is |x|.
func (g *Graph) Abs(x Value) Value { return g.plain("abs@1", x) }

// Relu is max(x, 0).
func (g *Graph) Relu(x Value) Value { return g.plain("relu@1", x) }

// Exp is e^x.
func (g *Graph) Exp(x Value) Value { return g.plain("exp@1", x) }

// Log is the natural logarithm.
func (g *Graph) Log(x Value) Value { return g.plain("log@1", x) }

// Sqrt is the square root.
func (g *Graph) Sqrt(x Value) Value { return g.plain("sqrt@1", x) }

// RSqrt is 1/√x.
func (g *Graph) RSqrt(x Value) Value { return g.plain("rsqrt@1", x) }

// Sigmoid is 1/(1 + e^−x).
func (g *Graph) Sigmoid(x Value) Value { return g.plain("sigmoid@1", x) }

// Tanh is the hyperbolic tangent.
func (g *Graph) Tanh(x Value) Value { return g.plain("tanh@1", x) }

// Silu is x·sigmoid(x).
func (g *Graph) Silu(x Value) Value { return g.plain("silu@1", x) }

// Gelu is the variant "tanh" or "erf".
func (g *Graph) Gelu(x Value, variant string) Value {
	return g.Node("gelu@1", []engine.Attr{text("variant", variant)}, engine.Value{}, x)
}

// Add is a + b; integers wrap.
func (g *Graph) Add(a, b Value) Value { return g.plain("add@1", a, b) }

// Sub is a − b; integers wrap.
func (g *Graph) Sub(a, b Value) Value { return g.plain("sub@1", a, b) }

// Mul is a·b; integers wrap.
func (g *Graph) Mul(a, b Value) Value { return g.plain("mul@1", a, b) }

// Div is a / b, f32 only.
func (g *Graph) Div(a, b Value) Value { return g.plain("div@1", a, b) }

// Max is the larger one in the total order.
func (g *Graph) Max(a, b Value) Value { return g.plain("max@1", a, b) }

// Min is the smaller one in the total order.
func (g *Graph) Min(a, b Value) Value { return g.plain("min@1", a, b) }

// Eq is a = b as u8, in the total order on f32.
func (g *Graph) Eq(a, b Value) Value { return g.plain("eq@1", a, b) }

// Lt is a < b as u8.
func (g *Graph) Lt(a, b Value) Value { return g.plain("lt@1", a, b) }

// Le is a ≤ b as u8.
func (g *Graph) Le(a, b Value) Value { return g.plain("le@1", a, b) }

// And is u8, 0 or 1.
func (g *Graph) And(a, b Value) Value { return g.plain("and@1", a, b) }

// Or is u8, 0 or 1.
func (g *Graph) Or(a, b Value) Value { return g.plain("or@1", a, b) }

// Not is u8, 0 or 1.
func (g *Graph) Not(a Value) Value { return g.plain("not@1", a) }

// Where returns a where cond is not 0, else b.
func (g *Graph) Where(cond, a, b Value) Value { return g.plain("where@1", cond, a, b) }

// Cast converts; f32 to integer rounds to nearest even.
func (g *Graph) Cast(x Value, dt engine.DType) Value {
	mode := ""
	if x.DType() == engine.F32 && dt != engine.F32 {
		mode = "nearest"
	}
	return g.Node("cast@1", []engine.Attr{text("mode", mode)}, out(dt, x.Shape()...), x)
}

// Reshape gives x another shape with as many elements.
func (g *Graph) Reshape(x Value, shape ...engine.Dim) Value {
	return g.Node("reshape@1", nil, out(x.DType(), shape...), x)
}

// Transpose permutes dimensions: result dimension i is x's perm[i].
func (g *Graph) Transpose(x Value, perm ...int64) Value {
	return g.Node("transpose@1", []engine.Attr{ints("perm", perm...)}, engine.Value{}, x)
}

// Slice cuts size elements a dimension, from start.
func (g *Graph) Slice(x Value, start []int64, size engine.Shape) Value {
	return g.Node("slice@1", []engine.Attr{ints("start", start...)}, out(x.DType(), size...), x)
}

// Concat joins along axis.
func (g *Graph) Concat(axis int, x ...Value) Value {
	return g.Node("concat@1", []engine.Attr{ints("axis", int64(axis))}, engine.Value{}, x...)
}

// Pad surrounds x by zeros.
func (g *Graph) Pad(x Value, lo, hi []int64) Value {
	zero := engine.Attr{Name: "value", Data: make([]byte, engine.SizeOf(x.DType()))}
	return g.Node("pad@1", []engine.Attr{ints("lo", lo...), ints("hi", hi...), zero}, engine.Value{}, x)
}

// Broadcast stretches x.
func (g *Graph) Broadcast(x Value, shape ...engine.Dim) Value {
	if x.Shape().Equal(shape) {
		return x
	}
	return g.Node("broadcast@1", nil, out(x.DType(), shape...), x)
}

// Tril keeps elements j ≤ i + offset of the last two dimensions, +0 elsewhere.
func (g *Graph) Tril(x Value, offset int64) Value {
	return g.Node("tril@1", []engine.Attr{ints("offset", offset)}, engine.Value{}, x)
}

// Gather returns rows of a table; an index out of range gives zeros.
func (g *Graph) Gather(table, idx Value) Value {
	return g.Node("gather@1", []engine.Attr{text("mode", "zero")}, engine.Value{}, table, idx)
}

// GatherClamp returns rows of a table; indices are clamped to it.
func (g *Graph) GatherClamp(table, idx Value) Value {
	return g.Node("gather@1", []engine.Attr{text("mode", "clamp")}, engine.Value{}, table, idx)
}

// Take returns x[i, idx[i]].
func (g *Graph) Take(x, idx Value) Value { return g.plain("take@1", x, idx) }

// SetRow returns state with row idx replaced; out of range it is unchanged.
func (g *Graph) SetRow(state, row, idx Value) Value { return g.plain("setrow@1", state, row, idx) }

// Rope rotates pairs (2i, 2i+1) of x [h, d] or [s, h, d] by the tables' row pos.
func (g *Graph) Rope(x, cos, sin, pos Value, inverse bool) Value {
	return g.Node("rope@1", []engine.Attr{ints("inverse", b2i(inverse))}, engine.Value{}, x, cos, sin, pos)
}

// OneHot returns f32 [n, depth].
func (g *Graph) OneHot(idx Value, depth int64) Value {
	return g.Node("onehot@1", []engine.Attr{ints("depth", depth)}, engine.Value{}, idx)
}

// ScatterAdd adds rows [n, d] into a table of zeros with the given number of rows.
func (g *Graph) ScatterAdd(idx, rows Value, n int64) Value {
	return g.Node("scatter_add@1", []engine.Attr{ints("rows", n)}, engine.Value{}, idx, rows)
}

// Rand returns random i64: any 64 bits, or 0..limit−1 when limit > 0.
func (g *Graph) Rand(seed Value, stream, limit int64, shape ...engine.Dim) Value {
	return g.Node("rand@1", []engine.Attr{ints("stream", stream), ints("limit", limit)}, out(engine.I64, shape...), seed)
}

// MatMul is op(a)·op(b), see matmul@1. tri is 0, 1 (k ≤ row) or 2 (k ≥ row).
func (g *Graph) MatMul(a, b Value, ta, tb bool, tri int64) Value {
	return g.Node("matmul@1", []engine.Attr{ints("ta", b2i(ta)), ints("tb", b2i(tb)), ints("tri", tri)}, engine.Value{}, a, b)
}

// Linear is x·wᵀ for x [n, in] and w [out, in].
func (g *Graph) Linear(x, w Value) Value { return g.MatMul(x, w, false, true, 0) }

// Sum adds along one axis (negative: from the end), which stays with size 1 if keep. tri takes only the elements j ≤ i
// of the last two dimensions. MaxOf and ArgMax take the same.
func (g *Graph) Sum(x Value, axis int, keep, tri bool) Value {
	return g.reduce("reduce_sum@1", x, axis, keep, tri)
}

// MaxOf is the largest element in the total order.
func (g *Graph) MaxOf(x Value, axis int, keep, tri bool) Value {
	return g.reduce("reduce_max@1", x, axis, keep, tri)
}

// ArgMax is the lowest index of the largest element, i64.
func (g *Graph) ArgMax(x Value, axis int, keep bool) Value {
	return g.reduce("argmax@1", x, axis, keep, false)
}

func (g *Graph) reduce(op string, x Value, axis int, keep, tri bool) Value {
	if axis < 0 {
		axis += x.Rank()
	}
	return g.Node(op, []engine.Attr{ints("axis", int64(axis)), ints("keep", b2i(keep)), ints("tri", b2i(tri))}, engine.Value{}, x)
}

// Conv is a 2-D convolution's geometry; the zero value is stride 1, no padding, no dilation, one group.
type Conv struct {
	Stride, Pad int64
	Groups      int64
}

func (c Conv) attrs() []engine.Attr {
	s, gr := max(c.Stride, 1), max(c.Groups, 1)
	return []engine.Attr{ints("dilation", 1, 1), ints("groups", gr), ints("pad", c.Pad, c.Pad, c.Pad, c.Pad), ints("stride", s, s)}
}

// Conv2D convolves x [n, c, h, w] with k [o, c/groups, kh, kw].
func (g *Graph) Conv2D(x, k Value, c Conv) Value {
	return g.Node("conv2d@1", c.attrs(), engine.Value{}, x, k)
}

// MaxPool takes the largest of size×size windows, stride apart, without padding.
func (g *Graph) MaxPool(x Value, size, stride int64) Value {
	return g.Node("maxpool@1", poolAttrs(size, stride), engine.Value{}, x)
}

// AvgPool averages windows.
func (g *Graph) AvgPool(x Value, size, stride int64) Value {
	return g.Node("avgpool@1", poolAttrs(size, stride), engine.Value{}, x)
}

func poolAttrs(size, stride int64) []engine.Attr {
	return []engine.Attr{ints("kernel", size, size), ints("pad", 0, 0, 0, 0), ints("stride", stride, stride)}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
