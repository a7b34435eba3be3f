package nn

import (
	"encoding/binary"
	"math"

	"poaid/engine"
)

// Erf is the error function.
func (g *Graph) Erf(x Value) Value { return g.plain("erf@1", x) }

// Sin is sin x for |x| ≤ 65536, NaN beyond.
func (g *Graph) Sin(x Value) Value { return g.plain("sin@1", x) }

// Cos is cos x for |x| ≤ 65536, NaN beyond.
func (g *Graph) Cos(x Value) Value { return g.plain("cos@1", x) }

// HardSwish is x·clip(x/6 + 1/2, 0, 1).
func (g *Graph) HardSwish(x Value) Value { return g.plain("hardswish@1", x) }

// HardSigmoid is clip(alpha·x + beta, 0, 1); ONNX's defaults are 0.2 and 0.5.
func (g *Graph) HardSigmoid(x Value, alpha, beta float32) Value {
	return g.Node("hardsigmoid@1", []engine.Attr{f32Attr("alpha", alpha), f32Attr("beta", beta)}, engine.Value{}, x)
}

func f32Attr(name string, v float32) engine.Attr { return engine.Attr{Name: name, Data: f32Bytes(v)} }

// Round rounds to an integral f32: mode nearest (ties to even), trunc, floor or ceil.
func (g *Graph) Round(x Value, mode string) Value {
	return g.Node("round@1", []engine.Attr{text("mode", mode)}, engine.Value{}, x)
}

// Clip is min(max(x, lo), hi), NaN stays NaN; lo and hi broadcast and have x's dtype.
func (g *Graph) Clip(x, lo, hi Value) Value { return g.plain("clip@1", x, lo, hi) }

// Resizing says how Resize maps places, by the names of ONNX Resize.
type Resizing struct {
	Mode     string // nearest or linear
	Coord    string // half_pixel, pytorch_half_pixel, asymmetric or align_corners; half_pixel when empty
	Rounding string // nearest only: floor, ceil, round_prefer_floor or round_prefer_ceil; round_prefer_floor when empty
}

func (r Resizing) attrs() []engine.Attr {
	if r.Coord == "" {
		r.Coord = "half_pixel"
	}
	if r.Rounding == "" && r.Mode == "nearest" {
		r.Rounding = "round_prefer_floor"
	}
	return []engine.Attr{text("coord", r.Coord), text("mode", r.Mode), text("rounding", r.Rounding)}
}

// Resize gives the planes of x [n, c, h, w] another size.
func (g *Graph) Resize(x Value, h, w int64, r Resizing) Value {
	o := append(engine.Shape(nil), x.Shape()...)
	if len(o) == 4 {
		o[2], o[3] = engine.Const(h), engine.Const(w)
	}
	return g.Node("resize@1", r.attrs(), out(x.DType(), o...), x)
}

// PadWith surrounds x by elements of the given little-endian bits.
func (g *Graph) PadWith(x Value, lo, hi []int64, element []byte) Value {
	return g.Node("pad@1", []engine.Attr{ints("lo", lo...), ints("hi", hi...), {Name: "value", Data: element}}, engine.Value{}, x)
}

// MinOf is the smallest element in the total order, see Sum for the arguments.
func (g *Graph) MinOf(x Value, axis int, keep, tri bool) Value {
	return g.reduce("reduce_min@1", x, axis, keep, tri)
}

// Prod multiplies along one axis in ascending order, see Sum for the arguments.
func (g *Graph) Prod(x Value, axis int, keep, tri bool) Value {
	return g.reduce("reduce_prod@1", x, axis, keep, tri)
}

// ArgMin is the lowest index of the smallest element, i64: that of the largest −x, so NaN counts as smallest.
func (g *Graph) ArgMin(x Value, axis int, keep bool) Value { return g.ArgMax(g.Neg(x), axis, keep) }

// Geometry is a 2-D convolution's in full; zero strides and dilations count as 1, zero groups as 1.
type Geometry struct {
	Stride, Dilation [2]int64 // height, width
	Pad              [4]int64 // top, left, bottom, right
	Groups           int64
}

func (c Geometry) attrs() []engine.Attr {
	return []engine.Attr{
		ints("dilation", max(c.Dilation[0], 1), max(c.Dilation[1], 1)), ints("groups", max(c.Groups, 1)),
		ints("pad", c.Pad[:]...), ints("stride", max(c.Stride[0], 1), max(c.Stride[1], 1)),
	}
}

// Convolve is Conv2D with a geometry in full; x and k may both be i8, then the result is i32.
func (g *Graph) Convolve(x, k Value, c Geometry) Value {
	return g.Node("conv2d@1", c.attrs(), engine.Value{}, x, k)
}

// ConvTranspose is the transposed convolution of x [n, c, h, w] with k [c, o/groups, kh, kw] to planes of outH×outW: the
// gradient of the convolution with that geometry.
func (g *Graph) ConvTranspose(x, k Value, c Geometry, outH, outW int64) Value {
	return g.Node("conv2d_dx@1", append(c.attrs(), ints("size", outH, outW)), engine.Value{}, x, k)
}

// Quantise is clamp(nearest(x/scale) + zero) with zero i8 or u8, whose dtype the result has.
func (g *Graph) Quantise(x, scale, zero Value) Value { return g.plain("quantise@1", x, scale, zero) }

// Dequantise is f32(x − zero)·scale for x and zero i8, u8 or i32.
func (g *Graph) Dequantise(x, scale, zero Value) Value {
	return g.plain("dequantise@1", x, scale, zero)
}

// Rescale is f32(acc)·a·b for acc i32.
func (g *Graph) Rescale(acc, a, b Value) Value { return g.plain("rescale@1", acc, a, b) }

// Requantise is clamp((acc·mul + 2^(shift−1)) >> shift + zero, lo, hi) for acc, mul and shift i32 and zero i8.
func (g *Graph) Requantise(acc, mul, shift, zero Value, lo, hi int8) Value {
	return g.Node("requantise@1", []engine.Attr{ints("lo", int64(lo)), ints("hi", int64(hi))}, engine.Value{}, acc, mul, shift, zero)
}

// I8 returns a constant i8[1].
func (g *Graph) I8(v int8) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: []byte{byte(v)}}}, out(engine.I8, dims(1)...))
}

// f32Tensor is a constant of values.
func (g *Graph) f32Tensor(v []float32, shape ...int64) Value {
	data := make([]byte, 0, 4*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: data}}, out(engine.F32, dims(shape...)...))
}
