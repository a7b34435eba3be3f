package onnx_test

import (
	"fmt"
	"math"
)

// numbers gives n floats around 0, some of them special.
func numbers(shape ...int64) []float64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(float32(math.Sin(float64(i)*1.7+0.3) * (1 + float64(i%5)))) //detlint:allow float64 reference
	}
	return out
}

// x is an f32 input of numbers.
func x(shape ...int64) tensor { return named("x", shape...) }

func named(name string, shape ...int64) tensor {
	return tensor{name: name, typ: f32, shape: shape, v: numbers(shape...)}
}

// of is a tensor of given values.
func of(name string, typ int64, shape []int64, v ...float64) tensor {
	return tensor{name: name, typ: typ, shape: shape, v: v}
}

// positive maps the values of a tensor into 0.1 … 5.1.
func (t tensor) positive() tensor {
	for i, v := range t.v {
		t.v[i] = float64(float32(math.Abs(v) + 0.1))
	}
	return t
}

// known is a list of int64 that the graph holds.
func known(name string, v ...int64) tensor {
	t := tensor{name: name, typ: i64, shape: []int64{int64(len(v))}}
	for _, d := range v {
		t.v = append(t.v, float64(d))
	}
	return t
}

// testCase is a graph whose outputs onnxruntime has computed.
type testCase struct {
	name string
	graph
}

// one is a graph of one node; operands are the inputs, then the initialisers.
func one(name, op string, a attrs, inputs []tensor, inits ...tensor) testCase {
	return oneAt(17, name, op, a, inputs, inits...)
}

func oneAt(opset int64, name, op string, a attrs, inputs []tensor, inits ...tensor) testCase {
	n := node{op: op, out: []string{"y"}, attrs: a}
	for _, t := range append(append([]tensor{}, inputs...), inits...) {
		n.in = append(n.in, t.name)
	}
	var held []tensor
	for _, t := range inits {
		if t.name != "" {
			held = append(held, t)
		}
	}
	return testCase{name, graph{opset: opset, inputs: inputs, inits: held, nodes: []node{n}, output: []string{"y"}}}
}

func in(t ...tensor) []tensor { return t }

// cases are graphs for every op.
func cases() []testCase {
	var list []testCase
	for _, op := range []string{
		"Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "HardSwish", "Neg", "Relu", "Round", "Sigmoid", "Sin", "Tanh", "Reciprocal",
		"Softplus", "Softsign", "Identity", "Elu", "Selu", "LeakyRelu", "HardSigmoid", "Celu", "Flatten", "LogSoftmax", "Softmax",
	} {
		list = append(list, one(op, op, nil, in(x(2, 3, 4))))
	}
	list = append(list, elementCases()...)
	list = append(list, windowCases()...)
	list = append(list, reduceCases()...)
	list = append(list, movementCases()...)
	list = append(list, knownCases()...)
	return append(list, patternCases()...)
}

func elementCases() []testCase {
	list := []testCase{
		one("Sqrt", "Sqrt", nil, in(x(7).positive())),
		one("Log", "Log", nil, in(x(7).positive())),
		one("Elu alpha", "Elu", attrs{"alpha": 0.5}, in(x(9))),
		one("HardSigmoid alpha", "HardSigmoid", attrs{"alpha": 0.3, "beta": 0.4}, in(x(9))),
		one("LeakyRelu alpha", "LeakyRelu", attrs{"alpha": 1.5}, in(x(9))),
		oneAt(18, "Mish", "Mish", nil, in(x(9))),
		oneAt(20, "Gelu", "Gelu", nil, in(x(9))),
		oneAt(20, "Gelu tanh", "Gelu", attrs{"approximate": "tanh"}, in(x(9))),
		one("Clip", "Clip", nil, in(x(9)), of("lo", f32, nil, -0.5), of("hi", f32, nil, 1.25)),
		one("Clip above", "Clip", nil, in(x(9)), tensor{}, of("hi", f32, nil, 1.25)),
		one("Clip below", "Clip", nil, in(x(9)), of("lo", f32, nil, -0.5)),
		oneAt(6+3, "Clip attributes", "Clip", attrs{"min": -1.0, "max": 0.75}, in(x(9))),
		one("Clip int64", "Clip", nil, in(of("x", i64, []int64{4}, -5, 0, 3, 9)), of("lo", i64, nil, -1), of("hi", i64, nil, 4)),
		one("PRelu", "PRelu", nil, in(x(2, 3, 4)), named("slope", 3, 1)),
		one("Where", "Where", nil, in(of("c", boolean, []int64{3}, 1, 0, 1), named("a", 2, 3), named("b", 1))),
		one("Xor", "Xor", nil, in(of("a", boolean, []int64{4}, 0, 0, 1, 1), of("b", boolean, []int64{4}, 0, 1, 0, 1))),
		one("And", "And", nil, in(of("a", boolean, []int64{4}, 0, 0, 1, 1), of("b", boolean, []int64{4}, 0, 1, 0, 1))),
		one("Or", "Or", nil, in(of("a", boolean, []int64{4}, 0, 0, 1, 1), of("b", boolean, []int64{4}, 0, 1, 0, 1))),
		one("Not", "Not", nil, in(of("a", boolean, []int64{2}, 0, 1))),
		one("Max", "Max", nil, in(named("a", 2, 3), named("b", 3), named("c", 2, 1))),
		one("Min", "Min", nil, in(named("a", 2, 3), named("b", 3))),
		one("Sum", "Sum", nil, in(named("a", 2, 3), named("b", 3), named("c", 2, 1))),
		one("Mean", "Mean", nil, in(named("a", 2, 3), named("b", 3), named("c", 2, 1))),
		one("Cast to int64", "Cast", attrs{"to": i64}, in(x(9))),
		one("Cast to bool", "Cast", attrs{"to": boolean}, in(of("x", f32, []int64{4}, 0, math.Copysign(0, -1), 0.5, -3))),
		one("Cast from int32", "Cast", attrs{"to": f32}, in(of("x", i32, []int64{3}, -4, 0, 7))),
		one("Cast from bool", "Cast", attrs{"to": i64}, in(of("x", boolean, []int64{2}, 1, 0))),
		one("Neg int64", "Neg", nil, in(of("x", i64, []int64{3}, -4, 0, 7))),
		one("QuantizeLinear", "QuantizeLinear", nil, in(x(12)), of("s", f32, nil, 0.05), of("z", u8, nil, 110)),
		one("QuantizeLinear int8", "QuantizeLinear", attrs{"axis": 1}, in(x(2, 3)), of("s", f32, []int64{3}, 0.05, 0.1, 0.2), of("z", i8, []int64{3}, 1, -2, 0)),
		one("DequantizeLinear", "DequantizeLinear", nil, in(of("x", i8, []int64{4}, -128, -1, 0, 127)), of("s", f32, nil, 0.05), of("z", i8, nil, -3)),
		one("DequantizeLinear plain", "DequantizeLinear", nil, in(of("x", u8, []int64{3}, 0, 7, 255)), of("s", f32, nil, 0.25)),
	}
	for _, op := range []string{"Add", "Sub", "Mul", "Div"} {
		list = append(list,
			one(op, op, nil, in(named("a", 2, 3, 4), named("b", 3, 1).positive())),
			one(op+" constant", op, nil, in(x(2, 3, 4, 5)), named("k", 3, 1, 1).positive()),
			one(op+" constant of the last axis", op, nil, in(x(2, 3, 4)), named("k", 4).positive()),
			one(op+" wider constant", op, nil, in(x(3, 1)), named("k", 2, 3, 4).positive()),
			one(op+" scalars", op, nil, in(of("a", f32, nil, 3.5), of("b", f32, nil, -1.25))))
	}
	list = append(list, one("Sub from a constant", "Sub", nil, nil, named("k", 3, 1, 1)))
	list[len(list)-1].inputs, list[len(list)-1].nodes[0].in = in(x(2, 3, 4, 5)), []string{"k", "x"}
	for _, op := range []string{"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"} {
		a := of("a", f32, []int64{6}, 0, math.Copysign(0, -1), 1, 2, -3, math.Inf(1))
		b := of("b", f32, []int64{6}, math.Copysign(0, -1), 0, 1, -2, 3, math.Inf(1))
		list = append(list, one(op, op, nil, in(a, b)),
			one(op+" int64", op, nil, in(of("a", i64, []int64{3}, 1, 2, 3), of("b", i64, []int64{3}, 3, 2, 1))))
	}
	for _, p := range []float64{2, 3, 0.5, -0.5, -2, 1.5, 1, 0} {
		list = append(list, one(fmt.Sprintf("Pow %g", p), "Pow", nil, in(x(6).positive()), of("p", f32, nil, p)))
	}
	return append(list, one("Pow of negatives", "Pow", nil, in(x(6)), of("p", f32, nil, 3)))
}

func windowCases() []testCase {
	w4, b4 := named("w", 4, 3, 3, 2), named("b", 4)
	return []testCase{
		one("Conv", "Conv", nil, in(x(2, 3, 6, 5)), w4, b4),
		one("Conv without bias", "Conv", attrs{"strides": []int64{2, 1}, "pads": []int64{1, 0, 2, 1}}, in(x(1, 3, 6, 5)), w4),
		one("Conv dilated", "Conv", attrs{"dilations": []int64{2, 1}, "kernel_shape": []int64{3, 2}}, in(x(1, 3, 6, 5)), w4, b4),
		one("Conv grouped", "Conv", attrs{"group": 2}, in(x(1, 4, 4, 4)), named("w", 6, 2, 2, 2), named("b", 6)),
		one("Conv depthwise", "Conv", attrs{"group": 4, "pads": []int64{1, 1, 1, 1}}, in(x(1, 4, 4, 4)), named("w", 4, 1, 3, 3), b4),
		one("Conv same upper", "Conv", attrs{"auto_pad": "SAME_UPPER", "strides": []int64{2, 2}}, in(x(1, 3, 6, 5)), w4),
		one("Conv same lower", "Conv", attrs{"auto_pad": "SAME_LOWER"}, in(x(1, 3, 6, 5)), w4),
		one("Conv valid", "Conv", attrs{"auto_pad": "VALID"}, in(x(1, 3, 6, 5)), w4),
		one("Conv 1-D", "Conv", attrs{"pads": []int64{1, 1}, "strides": []int64{2}}, in(x(2, 3, 7)), named("w", 4, 3, 3), b4),
		one("Conv computed weights", "Conv", nil, in(x(1, 3, 4, 4), named("w", 2, 3, 2, 2), named("b", 2))),
		one("ConvTranspose tiles", "ConvTranspose", attrs{"strides": []int64{2, 3}}, in(x(2, 3, 4, 3)), named("w", 3, 4, 2, 3), b4),
		one("ConvTranspose", "ConvTranspose", attrs{"strides": []int64{2, 2}, "pads": []int64{1, 0, 0, 1}, "output_padding": []int64{1, 0}},
			in(x(1, 3, 4, 3)), named("w", 3, 4, 3, 3), b4),
		one("ConvTranspose grouped", "ConvTranspose", attrs{"group": 2}, in(x(1, 4, 3, 3)), named("w", 4, 3, 2, 2), named("b", 6)),
		one("ConvTranspose 1-D", "ConvTranspose", attrs{"strides": []int64{2}}, in(x(1, 3, 4)), named("w", 3, 2, 3)),
		one("MaxPool", "MaxPool", attrs{"kernel_shape": []int64{3, 2}, "strides": []int64{2, 1}, "pads": []int64{1, 0, 1, 1}}, in(x(1, 2, 6, 5))),
		one("MaxPool ceil", "MaxPool", attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "ceil_mode": 1}, in(x(1, 2, 5, 7))),
		one("MaxPool 1-D", "MaxPool", attrs{"kernel_shape": []int64{2}}, in(x(1, 2, 5))),
		one("AveragePool", "AveragePool", attrs{"kernel_shape": []int64{3, 2}, "strides": []int64{2, 1}, "pads": []int64{1, 0, 1, 1}}, in(x(1, 2, 6, 5))),
		one("AveragePool with the padding", "AveragePool", attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}, "count_include_pad": 1}, in(x(1, 2, 4, 5))),
		one("AveragePool 1-D with the padding", "AveragePool", attrs{"kernel_shape": []int64{3}, "pads": []int64{1, 1}, "count_include_pad": 1}, in(x(1, 2, 5))),
		one("GlobalAveragePool", "GlobalAveragePool", nil, in(x(2, 3, 4, 5))),
		one("GlobalMaxPool", "GlobalMaxPool", nil, in(x(2, 3, 4, 5))),
		one("BatchNormalization", "BatchNormalization", attrs{"epsilon": 0.01}, in(x(2, 3, 4, 2)), named("s", 3), named("b", 3), named("m", 3), named("v", 3).positive()),
		one("InstanceNormalization", "InstanceNormalization", nil, in(x(2, 3, 4, 5)), named("s", 3), named("b", 3)),
		one("LayerNormalization", "LayerNormalization", nil, in(x(2, 3, 5)), named("s", 5), named("b", 5)),
		one("LayerNormalization of two axes", "LayerNormalization", attrs{"axis": 1, "epsilon": 0.1}, in(x(2, 3, 5)), named("s", 3, 5)),
		one("Resize nearest", "Resize", attrs{"mode": "nearest"}, in(x(1, 2, 3, 4)), tensor{}, of("sc", f32, []int64{4}, 1, 1, 2, 1.5)),
		one("Resize asymmetric", "Resize", attrs{"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, in(x(1, 2, 3, 4)), tensor{}, of("sc", f32, []int64{4}, 1, 1, 2, 2)),
		one("Resize linear", "Resize", attrs{"mode": "linear"}, in(x(1, 2, 3, 4)), tensor{}, tensor{}, known("sz", 1, 2, 7, 5)),
		one("Resize linear corners", "Resize", attrs{"mode": "linear", "coordinate_transformation_mode": "align_corners"}, in(x(1, 2, 3, 4)), tensor{}, tensor{}, known("sz", 1, 2, 5, 2)),
		one("Resize linear torch", "Resize", attrs{"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}, in(x(1, 2, 3, 4)), tensor{}, tensor{}, known("sz", 1, 2, 1, 8)),
		oneAt(9, "Upsample", "Upsample", attrs{"mode": "nearest"}, in(x(1, 2, 3, 4)), of("sc", f32, []int64{4}, 1, 1, 2, 3)),
		one("DepthToSpace", "DepthToSpace", attrs{"blocksize": 2}, in(x(1, 8, 2, 3))),
		one("DepthToSpace CRD", "DepthToSpace", attrs{"blocksize": 2, "mode": "CRD"}, in(x(1, 8, 2, 3))),
		one("SpaceToDepth", "SpaceToDepth", attrs{"blocksize": 2}, in(x(2, 3, 4, 6))),
	}
}

func reduceCases() []testCase {
	list := []testCase{
		one("ReduceSum all", "ReduceSum", nil, in(x(2, 3, 4))),
		one("ReduceSum", "ReduceSum", attrs{"keepdims": 0}, in(x(2, 3, 4)), known("axes", 0, -1)),
		one("ReduceSum noop", "ReduceSum", attrs{"noop_with_empty_axes": 1}, in(x(2, 3))),
		one("ReduceSum int64", "ReduceSum", nil, in(of("x", i64, []int64{2, 2}, 1, 2, 3, 4)), known("axes", 1)),
		oneAt(18, "ReduceMean 18", "ReduceMean", nil, in(x(2, 3, 4)), known("axes", 1)),
		one("ArgMax", "ArgMax", attrs{"axis": 1}, in(x(2, 5, 3))),
		one("ArgMax flat", "ArgMax", attrs{"axis": -1, "keepdims": 0}, in(x(2, 5))),
		one("ArgMin", "ArgMin", attrs{"axis": 0, "keepdims": 0}, in(x(4, 3))),
		one("Softmax axis", "Softmax", attrs{"axis": 1}, in(x(2, 3, 4))),
		oneAt(11, "Softmax 11", "Softmax", attrs{"axis": 1}, in(x(2, 3, 4))),
		one("LogSoftmax axis", "LogSoftmax", attrs{"axis": 0}, in(x(2, 3))),
		one("MatMul", "MatMul", nil, in(named("a", 2, 3, 4), named("b", 2, 4, 5))),
		one("MatMul broadcast", "MatMul", nil, in(named("a", 2, 1, 3, 4), named("b", 3, 4, 5))),
		one("MatMul constant", "MatMul", nil, in(x(2, 3, 4)), named("b", 4, 5)),
		one("MatMul vector", "MatMul", nil, in(named("a", 4), named("b", 2, 4, 5))),
		one("MatMul column", "MatMul", nil, in(named("a", 2, 4)), named("b", 4)),
		one("MatMul vectors", "MatMul", nil, in(named("a", 4), named("b", 4))),
		one("Gemm", "Gemm", nil, in(x(3, 4)), named("b", 4, 5), named("c", 5)),
		one("Gemm all", "Gemm", attrs{"alpha": 0.5, "beta": 2.0, "transA": 1, "transB": 1}, in(x(4, 3)), named("b", 5, 4), named("c", 3, 1)),
		one("Gemm computed", "Gemm", attrs{"transB": 1}, in(x(3, 4), named("b", 5, 4))),
	}
	for _, op := range []string{"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"} {
		list = append(list, one(op, op, attrs{"axes": []int64{1, 2}, "keepdims": 0}, in(x(2, 3, 4, 2))),
			one(op+" apart", op, attrs{"axes": []int64{-1, 0}}, in(x(2, 3, 4))),
			one(op+" to a scalar", op, attrs{"keepdims": 0}, in(x(2, 3))))
	}
	return append(list, one("ReduceLogSum", "ReduceLogSum", attrs{"axes": []int64{1}}, in(x(2, 3).positive())))
}

func movementCases() []testCase {
	list := []testCase{
		one("Reshape", "Reshape", nil, in(x(2, 3, 4)), known("s", 0, -1)),
		one("Reshape to one", "Reshape", nil, in(x(2, 3)), known("s", 3, 1, 2)),
		one("Flatten 0", "Flatten", attrs{"axis": 0}, in(x(2, 3, 4))),
		one("Flatten -1", "Flatten", attrs{"axis": -1}, in(x(2, 3, 4))),
		one("Squeeze", "Squeeze", nil, in(x(1, 3, 1)), known("a", -1)),
		one("Squeeze all", "Squeeze", nil, in(x(1, 3, 1))),
		oneAt(11, "Squeeze 11", "Squeeze", attrs{"axes": []int64{0}}, in(x(1, 3, 1))),
		one("Squeeze to a scalar", "Squeeze", nil, in(x(1, 1))),
		one("Unsqueeze", "Unsqueeze", nil, in(x(2, 3)), known("a", 0, -1)),
		one("Transpose", "Transpose", attrs{"perm": []int64{2, 0, 1}}, in(x(2, 3, 4))),
		one("Transpose plain", "Transpose", nil, in(x(2, 3, 4))),
		one("Transpose of ones", "Transpose", attrs{"perm": []int64{0, 2, 1}}, in(x(2, 1, 4))),
		one("Concat", "Concat", attrs{"axis": -1}, in(named("a", 2, 1), named("b", 2, 3), named("c", 2, 2))),
		one("Slice", "Slice", nil, in(x(4, 6)), known("s", 1, -4), known("e", 9, -1)),
		one("Slice axes", "Slice", nil, in(x(4, 6)), known("s", -3), known("e", math.MaxInt64), known("a", -1)),
		one("Slice steps", "Slice", nil, in(x(4, 6)), known("s", 5, 0), known("e", math.MinInt64, 4), known("a", 1, 0), known("st", -2, 3)),
		oneAt(9, "Slice 9", "Slice", attrs{"starts": []int64{1}, "ends": []int64{3}, "axes": []int64{0}}, in(x(4, 6))),
		one("Expand", "Expand", nil, in(x(3, 1)), known("s", 2, 1, 4)),
		one("Expand less", "Expand", nil, in(x(2, 3)), known("s", 3)),
		one("Tile", "Tile", nil, in(x(2, 3, 2)), known("r", 2, 1, 3)),
		one("Gather", "Gather", nil, in(x(4, 3)), known("i", 3, 0, -1)),
		one("Gather run", "Gather", attrs{"axis": 1}, in(x(2, 4)), known("i", 1, 2)),
		one("Gather axis", "Gather", attrs{"axis": 1}, in(x(2, 4, 3)), of("i", i64, []int64{2, 2}, 3, 0, 1, 1)),
		one("Gather one", "Gather", attrs{"axis": 1}, in(x(2, 4, 3)), of("i", i64, nil, -2)),
		one("Gather computed", "Gather", nil, in(x(4, 3), of("i", i64, []int64{2, 2}, 3, 0, 1, 1))),
		one("Pad", "Pad", nil, in(x(2, 3)), known("p", 1, 0, 0, 2), of("v", f32, nil, 1.5)),
		one("Pad cuts", "Pad", nil, in(x(4, 5)), known("p", -1, 1, 0, -2)),
		one("Pad edge", "Pad", attrs{"mode": "edge"}, in(x(2, 3)), known("p", 1, 2, 0, 3)),
		one("Pad reflect", "Pad", attrs{"mode": "reflect"}, in(x(3, 4)), known("p", 2, 1, 0, 3)),
		oneAt(9, "Pad 9", "Pad", attrs{"pads": []int64{0, 1, 1, 0}, "value": 2.5}, in(x(2, 3))),
		one("Dropout", "Dropout", nil, in(x(2, 3))),
		one("Upsample by Expand", "Expand", nil, in(x(1, 2, 3, 1, 3, 1)), known("s", 1, 2, 3, 2, 3, 2)),
	}
	split := one("Split", "Split", attrs{"axis": 1}, in(x(2, 6)), known("s", 1, 2, 3))
	split.nodes[0].out, split.output = []string{"a", "b", "c"}, []string{"a", "b", "c"}
	even := oneAt(18, "Split evenly", "Split", attrs{"axis": -1, "num_outputs": 2}, in(x(2, 5)))
	even.nodes[0].out, even.output = []string{"a", "b"}, []string{"b", "a"}
	return append(list, split, even)
}

// chain is a graph of several nodes.
func chain(name string, g graph) testCase {
	if g.opset == 0 {
		g.opset = 17
	}
	return testCase{name, g}
}

func n(op, out string, a attrs, in ...string) node {
	return node{op: op, in: in, out: []string{out}, attrs: a}
}

// knownCases are computed at import, in part or whole.
func knownCases() []testCase {
	return []testCase{
		chain("shape arithmetic", graph{inputs: in(x(2, 3, 4)), inits: in(known("two", 2), known("i", 0), known("minus", -1)), nodes: []node{
			n("Shape", "s", nil, "x"), n("Gather", "first", nil, "s", "i"), n("Slice", "rest", attrs{}, "s", "one", "end"), n("Constant", "one", attrs{"value_ints": []int64{1}}),
		}, output: []string{"y"}}).reordered(),
		chain("ConstantOfShape", graph{inputs: in(x(2, 3)), nodes: []node{
			n("Shape", "s", nil, "x"), n("ConstantOfShape", "k", attrs{"value": of("", f32, []int64{1}, 2.5)}, "s"), n("Add", "y", nil, "x", "k"),
		}, output: []string{"y"}}),
		chain("Range", graph{inputs: in(x(5)), inits: in(of("a", f32, nil, 1), of("b", f32, nil, 6), of("c", f32, nil, 1)), nodes: []node{
			n("Range", "r", nil, "a", "b", "c"), n("Mul", "y", nil, "x", "r"),
		}, output: []string{"y"}}),
		chain("Range int64", graph{inputs: in(x(2, 6)), inits: in(of("a", i64, nil, 5), of("b", i64, nil, -1), of("c", i64, nil, -2)), nodes: []node{
			n("Range", "r", nil, "a", "b", "c"), n("Gather", "y", attrs{"axis": 1}, "x", "r"),
		}, output: []string{"y"}}),
		chain("integer division", graph{inputs: in(x(6, 4)), inits: in(of("k", i64, nil, 4), known("all", -1), of("zero", i64, nil, 0)), nodes: []node{
			n("Size", "size", nil, "x"), n("Div", "rows", nil, "size", "k"), n("Mod", "rest", nil, "size", "k"), n("Unsqueeze", "rows1", nil, "rows", "zero1"),
		}, output: []string{"y"}}).divided(),
		chain("constants folded", graph{inputs: in(x(2, 3)), inits: in(named("a", 3), named("b", 3), of("q", i8, []int64{3}, 5, -7, 100), of("s", f32, nil, 0.25)), nodes: []node{
			n("Mul", "ab", nil, "a", "b"), n("Sqrt", "r", nil, "sq"), n("DequantizeLinear", "d", nil, "q", "s"),
		}, output: []string{"y"}}).summed(),
		chain("output known", graph{inputs: in(x(2, 3)), nodes: []node{n("Shape", "y", nil, "x"), n("Relu", "z", nil, "x")}, output: []string{"y", "z"}}),
		chain("output is an input", graph{inputs: in(x(2, 3)), nodes: []node{n("Identity", "y", nil, "x")}, output: []string{"y"}}),
		chain("Cast of a shape", graph{opset: 13, inputs: in(x(2, 3, 4)), inits: in(known("b", -1)), nodes: []node{
			n("Shape", "s", nil, "x"), n("Cast", "s32", attrs{"to": i32}, "s"), n("Split", "", attrs{}, "s32"),
		}, output: []string{"y"}}).casted(),
	}
}

func (c testCase) reordered() testCase {
	c.nodes = []node{
		n("Constant", "one", attrs{"value_ints": []int64{1}}), n("Constant", "end", attrs{"value": known("", 2)}),
		n("Shape", "s", nil, "x"), n("Gather", "first", nil, "s", "i"), n("Slice", "rest", nil, "s", "one", "end"),
		n("Mul", "twice", nil, "first", "two"), n("Concat", "to", attrs{"axis": 0}, "twice", "minus"), n("Reshape", "r", nil, "x", "to"),
		n("Expand", "e", nil, "r", "rest"), n("Relu", "y", nil, "r"),
	}
	c.nodes = append(c.nodes[:8], c.nodes[9])
	return c
}

func (c testCase) divided() testCase {
	c.inits = append(c.inits, known("zero1", 0))
	c.nodes = append(c.nodes, n("Concat", "to", attrs{"axis": 0}, "rows1", "all"), n("Reshape", "y0", nil, "x", "to"),
		n("Cast", "restf", attrs{"to": f32}, "rest"), n("Add", "y", nil, "y0", "restf"))
	return c
}

func (c testCase) summed() testCase {
	c.nodes = []node{
		n("Mul", "ab", nil, "a", "b"), n("Abs", "sq", nil, "ab"), n("Sqrt", "r", nil, "sq"), n("DequantizeLinear", "d", nil, "q", "s"),
		n("Add", "rd", nil, "r", "d"), n("Add", "y", nil, "x", "rd"),
	}
	return c
}

func (c testCase) casted() testCase {
	c.nodes = []node{
		n("Shape", "s", nil, "x"), n("Cast", "s32", attrs{"to": i32}, "s"),
		{op: "Split", in: []string{"s32"}, out: []string{"p", "q", "r"}, attrs: attrs{"axis": 0}},
		n("Mul", "pq", nil, "p", "q"), n("Cast", "pq64", attrs{"to": i64}, "pq"), n("Concat", "to", attrs{"axis": 0}, "pq64", "b"),
		n("Reshape", "y", nil, "x", "to"),
	}
	return c
}

// patternCases are folded into convolutions, or into functions of the engine.
func patternCases() []testCase {
	w, b := named("w", 4, 3, 3, 3), named("b", 4)
	bn := in(named("g", 4), named("h", 4), named("m", 4), named("v", 4).positive())
	conv := attrs{"pads": []int64{1, 1, 1, 1}}
	return []testCase{
		chain("conv and batch norm", graph{inputs: in(x(1, 3, 5, 5)), inits: append(in(w, b), bn...), nodes: []node{
			n("Conv", "c", conv, "x", "w", "b"), n("BatchNormalization", "y", nil, "c", "g", "h", "m", "v"),
		}, output: []string{"y"}}),
		chain("transposed conv and batch norm", graph{inputs: in(x(1, 3, 5, 5)), inits: append(in(named("w", 3, 4, 2, 2), b), bn...), nodes: []node{
			n("ConvTranspose", "c", attrs{"strides": []int64{2, 2}}, "x", "w", "b"), n("BatchNormalization", "y", nil, "c", "g", "h", "m", "v"),
		}, output: []string{"y"}}),
		chain("conv, scale and shift", graph{inputs: in(x(1, 3, 5, 5)), inits: in(w, named("k", 1, 4, 1, 1), of("t", f32, []int64{1}, 0.7), named("d", 4, 1, 1).positive()), nodes: []node{
			n("Conv", "c", conv, "x", "w"), n("Mul", "m", nil, "k", "c"), n("Sub", "s", nil, "m", "t"), n("Div", "y", nil, "s", "d"),
		}, output: []string{"y"}}),
		chain("conv read twice", graph{inputs: in(x(1, 3, 5, 5)), inits: in(w, named("k", 4, 1, 1)), nodes: []node{
			n("Conv", "c", conv, "x", "w"), n("Mul", "m", nil, "c", "k"), n("Add", "y", nil, "m", "c"),
		}, output: []string{"y"}}),
		chain("affine before a conv without padding", graph{inputs: in(x(1, 3, 5, 5)), inits: in(w, b, named("k", 3, 1, 1), named("t", 3, 1, 1)), nodes: []node{
			n("Relu", "r", nil, "x"), n("Mul", "m", nil, "r", "k"), n("Add", "a", nil, "m", "t"), n("Conv", "y", nil, "a", "w", "b"),
		}, output: []string{"y"}}),
		chain("affine before a padded conv", graph{inputs: in(x(1, 3, 5, 5)), inits: in(w, named("k", 3, 1, 1), named("t", 3, 1, 1)), nodes: []node{
			n("Mul", "m", nil, "x", "k"), n("Add", "a", nil, "m", "t"), n("Conv", "y", conv, "a", "w"),
		}, output: []string{"y"}}),
		chain("scale before a padded grouped conv", graph{inputs: in(x(1, 4, 5, 5)), inits: in(named("w", 6, 2, 3, 3), named("k", 4, 1, 1)), nodes: []node{
			n("Mul", "m", nil, "x", "k"), n("Conv", "y", attrs{"pads": []int64{1, 1, 1, 1}, "group": 2}, "m", "w"),
		}, output: []string{"y"}}),
		chain("batch norm read twice", graph{inputs: in(x(1, 4, 3, 3)), inits: bn, nodes: []node{
			n("BatchNormalization", "c", nil, "x", "g", "h", "m", "v"), n("Relu", "r", nil, "c"), n("Add", "y", nil, "r", "c"),
		}, output: []string{"y", "c"}}),
		chain("silu", graph{inputs: in(x(9)), inits: in(of("one", f32, nil, 1)), nodes: []node{
			n("Mul", "m", nil, "x", "one"), n("Sigmoid", "s", nil, "m"), n("Mul", "y", nil, "x", "s"),
		}, output: []string{"y"}}),
		chain("not silu", graph{inputs: in(x(9)), inits: in(of("k", f32, nil, 1.702)), nodes: []node{
			n("Mul", "m", nil, "x", "k"), n("Sigmoid", "s", nil, "m"), n("Mul", "y", nil, "x", "s"),
		}, output: []string{"y"}}),
		chain("hardswish", graph{inputs: in(x(12)), inits: in(of("three", f32, nil, 3), of("six", f32, nil, 6), of("zero", f32, nil, 0)), nodes: []node{
			n("Add", "a", nil, "x", "three"), n("Clip", "c", nil, "a", "zero", "six"), n("Mul", "m", nil, "x", "c"), n("Div", "y", nil, "m", "six"),
		}, output: []string{"y"}}),
		chain("not hardswish", graph{inputs: in(x(12)), inits: in(of("three", f32, nil, 3), of("six", f32, nil, 6), of("zero", f32, nil, 0)), nodes: []node{
			n("Add", "a", nil, "x", "three"), n("Clip", "c", nil, "a", "zero", "six"), n("Mul", "m", nil, "x", "c"), n("Div", "y", nil, "m", "three"),
		}, output: []string{"y"}}),
		chain("hardswish by hardsigmoid", graph{inputs: in(x(12)), nodes: []node{
			n("HardSigmoid", "h", attrs{"alpha": 1.0 / 6, "beta": 0.5}, "x"), n("Mul", "y", nil, "h", "x"),
		}, output: []string{"y"}}),
		chain("gelu", graph{inputs: in(x(9)), inits: in(of("r", f32, nil, math.Sqrt2), of("one", f32, nil, 1), of("half", f32, nil, 0.5)), nodes: []node{
			n("Div", "d", nil, "x", "r"), n("Erf", "e", nil, "d"), n("Add", "a", nil, "e", "one"), n("Mul", "m", nil, "x", "a"), n("Mul", "y", nil, "m", "half"),
		}, output: []string{"y"}}),
		chain("layer norm by hand", graph{opset: 13, inputs: in(x(2, 3, 8)), inits: in(of("two", f32, nil, 2), of("eps", f32, nil, 1e-5), named("g", 8), named("h", 8)), nodes: []node{
			n("ReduceMean", "mean", attrs{"axes": []int64{-1}}, "x"), n("Sub", "c", nil, "x", "mean"), n("Pow", "sq", nil, "c", "two"),
			n("ReduceMean", "var", attrs{"axes": []int64{-1}}, "sq"), n("Add", "ve", nil, "var", "eps"), n("Sqrt", "sd", nil, "ve"),
			n("Div", "d", nil, "c", "sd"), n("Mul", "dg", nil, "d", "g"), n("Add", "y", nil, "dg", "h"),
		}, output: []string{"y"}}),
		chain("squeeze and excite", graph{inputs: in(x(1, 4, 5, 5)), inits: in(named("w1", 2, 4, 1, 1), named("b1", 2), named("w2", 4, 2, 1, 1), named("b2", 4)), nodes: []node{
			n("GlobalAveragePool", "p", nil, "x"), n("Conv", "c1", nil, "p", "w1", "b1"), n("Relu", "r", nil, "c1"), n("Conv", "c2", nil, "r", "w2", "b2"),
			n("HardSigmoid", "h", nil, "c2"), n("Mul", "y", nil, "x", "h"),
		}, output: []string{"y"}}),
		chain("attention", graph{inputs: in(x(1, 4, 6)), inits: in(named("wq", 6, 18), known("s5", 0, 4, 3, 2, 3), of("k", f32, nil, 0.57735), of("i0", i64, nil, 0), of("i1", i64, nil, 1), of("i2", i64, nil, 2), known("s3", 1, 4, 6)), nodes: []node{
			n("MatMul", "qkv", nil, "x", "wq"), n("Reshape", "r", nil, "qkv", "s5"), n("Transpose", "t", attrs{"perm": []int64{2, 0, 3, 1, 4}}, "r"),
			n("Gather", "q", attrs{"axis": 0}, "t", "i0"), n("Gather", "kk", attrs{"axis": 0}, "t", "i1"), n("Gather", "v", attrs{"axis": 0}, "t", "i2"),
			n("Transpose", "kt", attrs{"perm": []int64{0, 1, 3, 2}}, "kk"), n("MatMul", "s", nil, "q", "kt"), n("Mul", "sk", nil, "s", "k"),
			n("Softmax", "p", nil, "sk"), n("MatMul", "o", nil, "p", "v"), n("Transpose", "ot", attrs{"perm": []int64{0, 2, 1, 3}}, "o"), n("Reshape", "y", nil, "ot", "s3"),
		}, output: []string{"y"}}),
		mobileNet(),
	}
}

// mobileNet is a small net of the kind: a stem, inverted residuals of depthwise convolutions, squeeze and excite, a classifier.
func mobileNet() testCase {
	g := graph{opset: 13, inputs: in(x(2, 3, 16, 16)), output: []string{"y"}}
	weight := func(name string, shape ...int64) string {
		t := named(name, shape...)
		fan := 1.0
		for _, d := range shape[1:] {
			fan *= float64(d)
		}
		for i := range t.v {
			t.v[i] = float64(float32(t.v[i] / (2 * math.Sqrt(fan))))
		}
		g.inits = append(g.inits, t)
		return name
	}
	convBN := func(from, to string, out, per, k int64, stride, group int, act string) string {
		w := weight(to+".w", out, per, k, k)
		var names []string
		for _, p := range []string{"g", "h", "m", "v"} {
			t := named(to+"."+p, out)
			if p == "v" || p == "g" {
				t = t.positive()
			}
			g.inits = append(g.inits, t)
			names = append(names, t.name)
		}
		pad, s := k/2, int64(stride)
		g.nodes = append(g.nodes,
			n("Conv", to+".c", attrs{"group": group, "strides": []int64{s, s}, "pads": []int64{pad, pad, pad, pad}}, from, w),
			n("BatchNormalization", to+".n", nil, append([]string{to + ".c"}, names...)...))
		if act == "" {
			return to + ".n"
		}
		g.nodes = append(g.nodes, n(act, to+".a", nil, to+".n"))
		return to + ".a"
	}
	at := convBN("x", "stem", 8, 3, 3, 2, 1, "Relu")
	for i := range 2 {
		p := fmt.Sprintf("b%d", i)
		y := convBN(at, p+".expand", 16, 8, 1, 1, 1, "Relu")
		y = convBN(y, p+".depth", 16, 1, 3, 1, 16, "Relu")
		y = convBN(y, p+".project", 8, 16, 1, 1, 1, "")
		g.nodes = append(g.nodes, n("Add", p+".sum", nil, at, y))
		at = p + ".sum"
	}
	g.inits = append(g.inits, named("fc.b", 5))
	g.nodes = append(g.nodes, n("GlobalAveragePool", "pool", nil, at), n("Flatten", "flat", nil, "pool"),
		n("Gemm", "logits", attrs{"transB": 1}, "flat", weight("fc.w", 5, 8), "fc.b"), n("Softmax", "y", nil, "logits"))
	return testCase{"a MobileNet", g}
}
