package engine

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine/num"
)

// run1 infers and evaluates one node.
func run1(t *testing.T, op string, attrs Attrs, out Value, in ...*Tensor) *Tensor {
	t.Helper()
	n, c := &NodeView{Op: opTable[op], Attrs: attrs}, &InferCtx{Attrs: attrs, Out: out}
	for _, x := range in {
		n.In = append(n.In, Operand{DType: x.dtype, Shape: x.shape})
		c.In = append(c.In, Value{DType: x.dtype, Shape: ConstShape(x.shape...)})
	}
	v, err := n.Op.Infer(c)
	require.NoError(t, err)
	n.Out = Operand{DType: v.DType, Shape: v.Shape.At(0)}
	y, err := NewTensor(v.DType, n.Out.Shape, 1<<30)
	require.NoError(t, err)
	require.NoError(t, n.Op.Eval(&EvalCtx{NodeView: *n, X: in, Y: y, Threads: 1}))
	return y
}

func tensor32(t *testing.T, v []float32, shape ...int64) *Tensor {
	t.Helper()
	x, err := FromF32(v, shape...)
	require.NoError(t, err)
	return x
}

// TestResizeVectors compares with the examples of ONNX's Resize (opset 13).
func TestResizeVectors(t *testing.T) {
	for name, c := range map[string]struct {
		x              []float32
		in, out        []int64
		coord, mode, r string
		want           []float32
	}{
		"linear up, half pixel": {
			[]float32{1, 2, 3, 4},
			[]int64{1, 1, 2, 2},
			[]int64{1, 1, 4, 4},
			"half_pixel", "linear", "",
			[]float32{1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4},
		},
		"linear up, corners": {
			[]float32{1, 2, 3, 4},
			[]int64{1, 1, 2, 2},
			[]int64{1, 1, 4, 4},
			"align_corners", "linear", "",
			[]float32{1, 4. / 3, 5. / 3, 2, 5. / 3, 2, 7. / 3, 8. / 3, 7. / 3, 8. / 3, 3, 10. / 3, 3, 10. / 3, 11. / 3, 4},
		},
		"linear down, pytorch": {
			[]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
			[]int64{1, 1, 4, 4},
			[]int64{1, 1, 3, 1},
			"pytorch_half_pixel", "linear", "",
			[]float32{5. / 3, 7, 37. / 3},
		},
		"nearest up": {
			[]float32{1, 2, 3, 4},
			[]int64{1, 1, 2, 2},
			[]int64{1, 1, 4, 6},
			"half_pixel", "nearest", "round_prefer_floor",
			[]float32{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4},
		},
		"nearest floor, corners": {
			[]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
			[]int64{1, 1, 4, 4},
			[]int64{1, 1, 8, 8},
			"align_corners", "nearest", "floor",
			[]float32{
				1, 1, 1, 2, 2, 3, 3, 4, 1, 1, 1, 2, 2, 3, 3, 4, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6, 7, 7, 8,
				5, 5, 5, 6, 6, 7, 7, 8, 9, 9, 9, 10, 10, 11, 11, 12, 9, 9, 9, 10, 10, 11, 11, 12, 13, 13, 13, 14, 14, 15, 15, 16,
			},
		},
		"nearest ceil, half pixel": {
			[]float32{1, 2, 3, 4},
			[]int64{1, 1, 1, 4},
			[]int64{1, 1, 1, 8},
			"half_pixel", "nearest", "ceil",
			[]float32{1, 2, 2, 3, 3, 4, 4, 4},
		},
		"half down": {[]float32{1, 2}, []int64{1, 1, 1, 2}, []int64{1, 1, 1, 1}, "half_pixel", "nearest", "round_prefer_floor", []float32{1}},
		"half up":   {[]float32{1, 2}, []int64{1, 1, 1, 2}, []int64{1, 1, 1, 1}, "half_pixel", "nearest", "round_prefer_ceil", []float32{2}},
		"asymmetric": {
			[]float32{1, 2, 3, 4},
			[]int64{1, 1, 1, 4},
			[]int64{1, 1, 1, 6},
			"asymmetric", "nearest", "floor",
			[]float32{1, 1, 2, 3, 3, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := Attrs{{Name: "coord", Text: c.coord}, {Name: "mode", Text: c.mode}, {Name: "rounding", Text: c.r}}
			y := run1(t, "resize@1", attrs, constOut(F32, c.out...), tensor32(t, c.x, c.in...))
			require.InDeltaSlice(t, c.want, y.F32(), 2e-6)
		})
	}
}

// TestQuantiseVectors: the first case is ONNX's example for QuantizeLinear, the others are ties, specials and saturation.
func TestQuantiseVectors(t *testing.T) {
	scale := tensor32(t, []float32{2}, 1)
	u8, err := FromU8([]uint8{128}, 1)
	require.NoError(t, err)
	y := run1(t, "quantise@1", nil, Value{}, tensor32(t, []float32{0, 2, 3, 1000, -254, -1000}, 6), scale, u8)
	require.Equal(t, []uint8{128, 129, 130, 255, 1, 0}, y.U8())

	inf := float32(math.Inf(1))
	i8, err := FromI8([]int8{-1}, 1)
	require.NoError(t, err)
	y = run1(t, "quantise@1", nil, Value{}, tensor32(t, []float32{1, 3, 5, -1, -3, inf, -inf, num.NaN(), 1e30, 9e6, -9e6}, 11), scale, i8)
	require.Equal(t, []int8{-1, 1, 1, -1, -3, 127, -128, -1, 127, 127, -128}, y.I8())
	back := run1(t, "dequantise@1", nil, Value{}, y, scale, i8)
	require.Equal(t, []float32{0, 4, 4, 0, -4, 256, -254, 0, 256, 256, -254}, back.F32())
}

func TestRequantiseVectors(t *testing.T) {
	i32 := func(v ...int32) *Tensor {
		x, err := NewTensor(I32, []int64{int64(len(v))}, 1<<10)
		require.NoError(t, err)
		copy(x.I32(), v)
		return x
	}
	zero, err := FromI8([]int8{3}, 1)
	require.NoError(t, err)
	attrs := Attrs{ints("hi", 100), ints("lo", -5)}
	// ×3/4: halves round up, then the zero point, then the limits.
	y := run1(t, "requantise@1", attrs, Value{}, i32(0, 1, 2, -2, -1, 10, 1000, -1000, math.MaxInt32, math.MinInt32), i32(3), i32(2), zero)
	require.Equal(t, []int8{3, 4, 5, 2, 2, 11, 100, -5, 100, -5}, y.I8())
	// Shifts out of range are clamped to 1..62, and nothing overflows at the ends.
	y = run1(t, "requantise@1", Attrs{ints("hi", 127), ints("lo", -128)}, Value{},
		i32(4, 4, math.MinInt32, math.MinInt32), i32(1, 1, math.MinInt32, math.MinInt32), i32(-7, 99, 62, 63), zero)
	require.Equal(t, []int8{5, 3, 4, 4}, y.I8())
}

// TestClampUnit holds the short way to the definition near every rounding tie of the fused product and at specials.
func TestClampUnit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(x, a, b float32) {
		want := num.Clip(num.FMA(x, a, b), 0, 1)
		require.Equal(t, math.Float32bits(want), math.Float32bits(clampUnit(x, a, b)), "%x %x %x", x, a, b)
	}
	coefs := [][2]float32{{1.0 / 6, 0.5}, {0.2, 0.5}, {1, 0}, {0x1p-100, 0x1p-24}, {0x1.000002p0, 0x1p-60}, {-0.5, 0.75}}
	// The float64 sum is a midpoint that the true sum lies below; rounding twice would go up.
	x, a, b := math.Float32frombits(0x3f800001), math.Float32frombits(0x32fffffe), math.Float32frombits(0x3f000001)
	require.Equal(t, uint32(0x3f000001), math.Float32bits(clampUnit(x, a, b)))
	check(x, a, b)
	for _, bits := range specials {
		for _, c := range coefs {
			check(math.Float32frombits(bits), c[0], c[1])
		}
	}
	for range 300000 {
		c := coefs[rng.IntN(len(coefs))]
		check(float32(float64(rng.Float64()*8)-4), c[0], c[1])
		// Short significands and far apart magnitudes meet at midpoints.
		b := float32(math.Ldexp(1+float64(rng.IntN(2)), -rng.IntN(30)))
		check(math.Float32frombits(rng.Uint32()&0x8000ffff|0x3f000000|rng.Uint32()&0x00ff0000), float32(math.Ldexp(1, -rng.IntN(30))), b)
		check(math.Float32frombits(rng.Uint32()), c[0], c[1])
	}
}

func TestNewOpRefusals(t *testing.T) {
	one := func(dt DType, shape ...int64) Value { return value(dt, ConstShape(shape...)) }
	alpha, beta := f32Data("alpha", 1), f32Data("beta", 0)
	resize := func(coord, mode, rounding string) Attrs {
		return Attrs{{Name: "coord", Text: coord}, {Name: "mode", Text: mode}, {Name: "rounding", Text: rounding}}
	}
	img := one(F32, 1, 1, 2, 2)
	for name, c := range map[string]struct {
		op    string
		attrs Attrs
		out   Value
		in    []Value
		want  string
	}{
		"alpha":           {"hardsigmoid@1", Attrs{{Name: "alpha", Data: []byte{1}}, beta}, Value{}, []Value{one(F32, 2)}, "attr alpha: 1 bytes"},
		"beta":            {"hardsigmoid@1", Attrs{alpha, {Name: "beta"}}, Value{}, []Value{one(F32, 2)}, "attr beta: 0 bytes"},
		"round mode":      {"round@1", Attrs{{Name: "mode", Text: "up"}}, Value{}, []Value{one(F32, 2)}, "attr mode: up"},
		"clip dtype":      {"clip@1", nil, Value{}, []Value{one(I64, 2), one(I32, 2), one(I64, 2)}, "inputs[1]: dtype DTYPE_I32"},
		"resize coord":    {"resize@1", resize("center", "linear", ""), img, []Value{img}, "attr coord"},
		"resize mode":     {"resize@1", resize("asymmetric", "cubic", ""), img, []Value{img}, "attr mode"},
		"resize rounding": {"resize@1", resize("asymmetric", "nearest", ""), img, []Value{img}, "attr rounding"},
		"linear rounding": {"resize@1", resize("asymmetric", "linear", "floor"), img, []Value{img}, "attr rounding"},
		"linear dtype":    {"resize@1", resize("asymmetric", "linear", ""), img, []Value{one(U8, 1, 1, 2, 2)}, "dtype DTYPE_U8"},
		"resize planes":   {"resize@1", resize("asymmetric", "linear", ""), one(F32, 1, 2, 2, 2), []Value{img}, "same n and c"},
		"resize side":     {"resize@1", resize("asymmetric", "linear", ""), one(F32, 1, 1, 1, 1<<29), []Value{img}, "limit of a side"},
		"resize dynamic":  {"resize@1", resize("asymmetric", "linear", ""), value(F32, Shape{Const(1), Const(1), Const(2), {A: 1, B: 1}}), []Value{img}, "want [n, c, h, w]"},
		"quantise zero":   {"quantise@1", nil, Value{}, []Value{one(F32, 2), one(F32, 1), one(I32, 1)}, "inputs[2]: dtype DTYPE_I32"},
		"quantise scale":  {"quantise@1", nil, Value{}, []Value{one(F32, 2), one(I8, 1), one(I8, 1)}, "inputs[1]: dtype DTYPE_I8"},
		"dequantise zero": {"dequantise@1", nil, Value{}, []Value{one(I8, 2), one(F32, 1), one(U8, 1)}, "inputs[2]: dtype DTYPE_U8"},
		"rescale acc":     {"rescale@1", nil, Value{}, []Value{one(I64, 2), one(F32, 1), one(F32, 1)}, "inputs[0]: dtype DTYPE_I64"},
		"requantise lo":   {"requantise@1", Attrs{ints("hi", 0), ints("lo", 1)}, Value{}, []Value{one(I32, 2), one(I32, 1), one(I32, 1), one(I8, 1)}, "attrs lo 1, hi 0"},
		"requantise hi":   {"requantise@1", Attrs{ints("hi", 128), ints("lo", 1)}, Value{}, []Value{one(I32, 2), one(I32, 1), one(I32, 1), one(I8, 1)}, "hi 128"},
		"conv i8 × f32": {
			"conv2d@1", convAttrs([]int64{1, 1}, 1, []int64{0, 0, 0, 0}, []int64{1, 1}),
			Value{},
			[]Value{one(I8, 1, 1, 2, 2), img},
			"inputs[1]: dtype DTYPE_F32",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := opTable[c.op].Infer(&InferCtx{Attrs: c.attrs, Out: c.out, In: c.in})
			require.ErrorContains(t, err, c.want)
		})
	}
}
