package onnx

import (
	"maps"
	"slices"

	"poaid/engine"
	"poaid/engine/nn"
)

// convertFn converts one node to its one result; a nil result goes with k.err.
type convertFn func(k *call) *val

// table maps ops of the default domain to what converts them. Ops with several results are in multi.
var table map[string]convertFn

// multi are ops with several results.
var multi map[string]func(k *call) []*val

// renamed are ops that the importer itself makes out of patterns; they are not in the default domain.
const (
	opSilu      = "(silu)"
	opHardSwish = "(hardswish)"
	opGelu      = "(gelu)"
)

func init() { // not in the declarations: the converters refer to the table by way of fold
	identity := func(k *call) *val {
		k.needs(1, 3)
		k.ignore("ratio", "seed")
		if k.err != nil {
			return nil
		}
		x := *k.arg(0)
		return &x
	}
	table = map[string]convertFn{
		"Abs": plain("abs@1"), "Ceil": rounding("ceil"), "Cos": plain("cos@1"), "Erf": plain("erf@1"), "Exp": plain("exp@1"),
		"Floor": rounding("floor"), "HardSwish": plain("hardswish@1"), "Log": plain("log@1"), "Neg": negate, "Relu": plain("relu@1"),
		"Round": rounding("nearest"), "Sigmoid": plain("sigmoid@1"), "Sin": plain("sin@1"), "Sqrt": plain("sqrt@1"), "Tanh": plain("tanh@1"),
		opSilu: plain("silu@1"), opHardSwish: plain("hardswish@1"),
		"HardSigmoid": unary(hardSigmoid), "Gelu": unary(gelu), opGelu: unary(func(k *call, v nn.Value) nn.Value { return k.g.Gelu(v, "erf") }),
		"Elu":        unary(func(k *call, v nn.Value) nn.Value { return k.elu(v, k.float("alpha", 1), 1) }),
		"Celu":       unary(celu),
		"LeakyRelu":  unary(func(k *call, v nn.Value) nn.Value { return k.leaky(v, k.g.F32(k.float("alpha", 0.01))) }),
		"Mish":       unary(func(k *call, v nn.Value) nn.Value { return k.g.Mul(v, k.g.Tanh(k.softplus(v))) }),
		"Reciprocal": unary(func(k *call, v nn.Value) nn.Value { return k.g.Div(k.g.F32(1), v) }),
		"Selu": unary(func(k *call, v nn.Value) nn.Value {
			return k.elu(v, k.float("alpha", 1.67326319217681884765625), k.float("gamma", 1.05070102214813232421875))
		}),
		"Softplus": unary(func(k *call, v nn.Value) nn.Value { return k.softplus(v) }),
		"Softsign": unary(func(k *call, v nn.Value) nn.Value { return k.g.Div(v, k.g.Add(k.g.Abs(v), k.g.F32(1))) }),
		"Add":      arithmetic("add@1"), "Sub": arithmetic("sub@1"), "Mul": arithmetic("mul@1"), "Div": arithmetic("div@1"),
		"Mod": func(k *call) *val { k.refuse("Mod of values that are not integers known at import"); return nil },
		"Max": variadic("max@1", false), "Min": variadic("min@1", false), "Sum": variadic("add@1", false), "Mean": variadic("add@1", true),
		"Equal": compare("eq@1", false, false), "Less": compare("lt@1", false, false), "LessOrEqual": compare("le@1", false, false),
		"Greater": compare("lt@1", true, false), "GreaterOrEqual": compare("le@1", true, false),
		"And": logical((*nn.Graph).And), "Or": logical((*nn.Graph).Or),
		"Xor": logical(func(g *nn.Graph, a, b nn.Value) nn.Value { return g.Not(g.Eq(g.Not(a), g.Not(b))) }),
		"Not": logicalNot, "Where": where, "Clip": clip, "Pow": pow, "Cast": cast, "PRelu": prelu,
		"QuantizeLinear": quantisation("quantise@1"), "DequantizeLinear": quantisation("dequantise@1"),
		"Conv": convConv, "ConvTranspose": convConvTranspose, "BatchNormalization": convBatchNorm,
		"MaxPool": poolMax, "AveragePool": poolAverage, "GlobalAveragePool": globalPool("mean"), "GlobalMaxPool": globalPool("max"),
		"LayerNormalization": layerNorm, "InstanceNormalization": instanceNorm, "Softmax": softmax(false), "LogSoftmax": softmax(true),
		"ReduceSum": reduceOp("sum", nil, nil), "ReduceMean": reduceOp("mean", nil, nil), "ReduceMax": reduceOp("max", nil, nil),
		"ReduceMin": reduceOp("min", nil, nil), "ReduceProd": reduceOp("prod", nil, nil), "ReduceL1": reduceOp("sum", abs, nil),
		"ReduceL2": reduceOp("sum", square, root), "ReduceSumSquare": reduceOp("sum", square, nil), "ReduceLogSum": reduceOp("sum", nil, logOf),
		"ArgMax": argOp(false), "ArgMin": argOp(true),
		"MatMul": matmul, "Gemm": gemm,
		"Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Transpose": transpose, "Concat": concat,
		"Slice": slice, "Expand": expand, "Tile": tile, "Gather": gather, "Pad": pad, "DepthToSpace": blocks(true), "SpaceToDepth": blocks(false),
		"Resize": resize, "Upsample": resize, "Identity": identity, "Dropout": identity,
		"Shape": shapeOf, "Size": sizeOf, "Constant": constantOp, "ConstantOfShape": constantOfShape, "Range": rangeOp,
	}
	multi = map[string]func(k *call) []*val{"Split": split}
}

// Ops lists the ops that can be imported, sorted.
func Ops() []string {
	names := append(slices.Collect(maps.Keys(table)), slices.Collect(maps.Keys(multi))...)
	names = slices.DeleteFunc(names, func(n string) bool { return n[0] == '(' })
	slices.Sort(names)
	return names
}

// celu is max(0, x) + min(0, alpha·(exp(x/alpha) − 1)).
func celu(k *call, v nn.Value) nn.Value {
	alpha := k.float("alpha", 1)
	low := k.g.Mul(k.g.Sub(k.g.Exp(k.g.Div(v, k.g.F32(alpha))), k.g.F32(1)), k.g.F32(alpha))
	return k.g.Add(k.g.Relu(v), k.g.Min(low, k.g.F32(0)))
}

// negate is also of integers.
func negate(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	x := k.arg(0)
	if v, ok := knownIntegers(x); ok {
		out := make([]int64, len(v))
		for i := range v {
			out[i] = -v[i]
		}
		t, err := fromIntegers(x.dtype(), out, x.host.Shape()...)
		if err != nil {
			k.fail("%w", err)
			return nil
		}
		return constant(t)
	}
	if dt := x.dtype(); dt == engine.I32 || dt == engine.I64 {
		zero := k.g.Node("const@1", []engine.Attr{{Name: "data", Data: make([]byte, engine.SizeOf(dt))}}, engine.Value{DType: dt, Shape: engine.ConstShape(1)})
		return k.result(k.g.Sub(zero, k.value(x)))
	}
	return plain("neg@1")(k)
}

func knownIntegers(x *val) ([]int64, bool) {
	if !x.known() {
		return nil, false
	}
	return integers(x.host)
}
