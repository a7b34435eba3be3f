package nn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// importGradCases are the gradients of the ops and macros of imported networks, and of what was refused before them.
func importGradCases() map[string]gradCase {
	un := func(f func(g *Graph, x Value) Value) lossFn {
		return func(g *Graph, x []Value) Value { return f(g, x[0]) }
	}
	bin := func(f func(g *Graph, a, b Value) Value) lossFn {
		return func(g *Graph, x []Value) Value { return f(g, x[0], x[1]) }
	}
	mm := func(ta, tb bool, tri int64) lossFn {
		return bin(func(g *Graph, a, b Value) Value { return g.MatMul(a, b, ta, tb, tri) })
	}
	s23, s33, s234, img := []int64{2, 3}, []int64{2, 3, 3}, []int64{2, 3, 4}, []int64{1, 2, 3, 4}
	geo := Geometry{Stride: [2]int64{2, 1}, Dilation: [2]int64{1, 2}, Pad: [4]int64{1, 0, 1, 2}, Groups: 2}
	resize := func(h, w int64, r Resizing) lossFn {
		return un(func(g *Graph, x Value) Value { return g.Exp(g.Resize(x, h, w, r)) })
	}
	i32 := func(g *Graph) Value { return g.Cast(f32Const(g, rand.New(rand.NewPCG(9, 9)), 2, 3), engine.I32) }
	one := [][]int64{s23}
	return map[string]gradCase{
		"erf":            {one, un((*Graph).Erf), 0},
		"sin":            {one, un((*Graph).Sin), 0},
		"cos":            {one, un((*Graph).Cos), 0},
		"hardswish":      {one, un((*Graph).HardSwish), 0.2},
		"hardswish high": {one, un(func(g *Graph, x Value) Value { return g.HardSwish(g.Mul(x, g.F32(5))) }), 0.7},
		"hardswish low":  {one, un(func(g *Graph, x Value) Value { return g.HardSwish(g.Mul(x, g.F32(5))) }), -1.7},
		"hardsigmoid":    {one, un(func(g *Graph, x Value) Value { return g.HardSigmoid(x, 0.2, 0.5) }), 0.2},
		"round":          {one, un(func(g *Graph, x Value) Value { return g.Mul(x, g.Round(x, "ceil")) }), 0.05},
		"clip inside":    {one, un(func(g *Graph, x Value) Value { return g.Clip(x, g.F32(-1), g.F32(3)) }), 0.1},
		"clip": {[][]int64{s23, {3}, {1}}, func(g *Graph, x []Value) Value {
			return g.Clip(x[0], x[1], g.Add(x[2], g.F32(0.075)))
		}, 0},
		"resize linear":       {[][]int64{img}, resize(5, 3, Resizing{Mode: "linear"}), 0},
		"resize corners":      {[][]int64{img}, resize(2, 7, Resizing{Mode: "linear", Coord: "align_corners"}), 0},
		"resize nearest":      {[][]int64{img}, resize(7, 3, Resizing{Mode: "nearest", Coord: "asymmetric", Rounding: "floor"}), 0},
		"setrow":              {[][]int64{{3, 2}, {1, 2}}, bin(func(g *Graph, s, r Value) Value { return g.Exp(g.SetRow(s, r, g.I64(1))) }), 0},
		"setrow out of range": {[][]int64{{3, 2}, {1, 2}}, bin(func(g *Graph, s, r Value) Value { return g.Exp(g.SetRow(s, r, g.I64(3))) }), 0},
		"matmul tri 2":        {[][]int64{s33, {2, 3, 2}}, mm(false, false, 2), 0},
		"matmul tri 2 tt":     {[][]int64{{3, 3}, {2, 3}}, mm(true, true, 2), 0},
		"matmul tri 2 wide":   {[][]int64{{2, 4}, {4, 3}}, mm(false, false, 2), 0},
		"matmul tri 2 tall":   {[][]int64{{4, 2}, {3, 2}}, mm(false, true, 2), 0},
		"max of tri":          {[][]int64{s33}, un(func(g *Graph, x Value) Value { return g.Exp(g.MaxOf(x, -1, true, true)) }), 0},
		"min of":              {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.MinOf(x, 1, false, false)) }), 0},
		"min of tri":          {[][]int64{s33}, un(func(g *Graph, x Value) Value { return g.Exp(g.MinOf(x, -1, false, true)) }), 0},
		"prod":                {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Prod(x, 1, false, false) }), 0},
		"prod with zeros": {[][]int64{{2, 4}}, un(func(g *Graph, x Value) Value {
			return g.Prod(g.Where(g.Lt(x, g.F32(-0.25)), g.Add(x, g.F32(0.3)), x), 1, true, false)
		}), 0},
		"convolve":       {[][]int64{{1, 4, 4, 5}, {2, 2, 2, 2}}, bin(func(g *Graph, x, k Value) Value { return g.Convolve(x, k, geo) }), 0},
		"conv transpose": {[][]int64{{1, 2, 3, 4}, {2, 2, 2, 2}}, bin(func(g *Graph, x, k Value) Value { return g.ConvTranspose(x, k, geo, 5, 4) }), 0},
		"avgpool twice": {[][]int64{{1, 1, 4, 4}}, un(func(g *Graph, x Value) Value {
			return twice(g, x, func(x Value) Value { return g.AvgPool(g.Mul(x, x), 2, 2) })
		}), 0},
		"conv2d twice": {[][]int64{{1, 2, 4, 4}, {2, 1, 2, 2}}, bin(func(g *Graph, x, k Value) Value {
			return twice(g, k, func(k Value) Value { return g.Convolve(g.Mul(x, x), g.Mul(k, k), Geometry{Groups: 2}) })
		}), 0},
		"dequantise":      {[][]int64{{1, 3}}, un(func(g *Graph, x Value) Value { return g.Dequantise(i32(g), x, g.I32(1)) }), 0},
		"rescale":         {[][]int64{{2, 1}, {3}}, bin(func(g *Graph, a, b Value) Value { return g.Rescale(i32(g), a, b) }), 0},
		"batch norm":      {[][]int64{{2, 3, 2, 2}, {3}, {3}, {3}, {3}}, func(g *Graph, x []Value) Value { return g.BatchNorm(x[0], x[1], x[2], x[3], x[4], 0.5) }, 0.7},
		"batch norm flat": {[][]int64{s23, {3}, {3}, {3}, {3}}, func(g *Graph, x []Value) Value { return g.BatchNorm(x[0], x[1], x[2], x[3], x[4], 0.5) }, 0.7},
		"batch norm train": {[][]int64{{2, 2, 2, 2}, {2}, {2}}, func(g *Graph, x []Value) Value {
			y, _, _ := g.BatchNormTrain(x[0], x[1], x[2], 0.5)
			return y
		}, 0},
		"pow 5":        {one, un(func(g *Graph, x Value) Value { return g.PowInt(x, 5) }), 0.5},
		"pow -2":       {one, un(func(g *Graph, x Value) Value { return g.PowInt(x, -2) }), 0.7},
		"leaky relu":   {one, un(func(g *Graph, x Value) Value { return g.LeakyRelu(x, 0.1) }), -2},
		"prelu":        {[][]int64{s23, {3}}, bin((*Graph).PRelu), -2},
		"elu":          {one, un(func(g *Graph, x Value) Value { return g.Elu(x, 0.7) }), -2},
		"softplus":     {one, un((*Graph).Softplus), 0.2},
		"global avg":   {[][]int64{img}, un(func(g *Graph, x Value) Value { return g.Exp(g.GlobalAvgPool(x)) }), 0},
		"global max":   {[][]int64{img}, un(func(g *Graph, x Value) Value { return g.Exp(g.GlobalMaxPool(x)) }), 0},
		"mean":         {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.ReduceMean(x, []int{0, -1}, false)) }), 0},
		"softmax axis": {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.SoftmaxAxis(x, 1) }), 0},
		"log softmax":  {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.LogSoftmaxAxis(x, 0) }), 0},
		"gather axis":  {[][]int64{s234}, un(func(g *Graph, x Value) Value { return g.Exp(g.GatherAxis(x, -1, idx(g, 2, 0, 2, 9))) }), 0},
		"top k":        {[][]int64{{5}}, un(func(g *Graph, x Value) Value { v, _ := g.TopK(x, 3); return g.Exp(v) }), 0},
	}
}

// twice is the gradient of the sum of f(x)²/2, so that its own gradient is of second order.
func twice(g *Graph, x Value, f func(x Value) Value) Value {
	y := f(x)
	n := int64(1)
	for _, d := range y.Shape() {
		n *= d.A
	}
	flat := g.Reshape(y, dims(1, n)...)
	return g.Grad(g.Sum(g.Mul(g.Mul(flat, flat), g.F32(0.5)), -1, false, false), x)[0]
}

// withoutGradient lists the ops that nothing flows back through, and why.
var withoutGradient = map[string]string{
	"const@1": "no operand", "step@1": "no operand", "iota@1": "no operand", "rows@1": "integer", "rand@1": "integer",
	"eq@1": "u8", "lt@1": "u8", "le@1": "u8", "and@1": "u8", "or@1": "u8", "not@1": "u8",
	"mulhi@1": "integer", "expweight@1": "integer", "argmax@1": "integer", "rank@1": "integer", "massabove@1": "integer", "pick@1": "integer",
	"onehot@1": "of an index", "quantise@1": "integer", "requantise@1": "integer", "maxpool_dx@1": "is a gradient, no second order",
}

// TestEveryOpHasItsGradient: an op has a rule that some case exercises, or a reason for having none.
func TestEveryOpHasItsGradient(t *testing.T) {
	used := make(map[string]bool)
	for _, c := range gradCases() {
		for _, n := range gradProgram(t, c).Proto().Step.Nodes {
			used[n.Op] = true
		}
	}
	rules := vjpRules()
	for _, op := range engine.OpNames() {
		_, without := withoutGradient[op]
		require.NotEqual(t, rules[op] != nil, without, "%s needs a rule in vjpRules or a reason in withoutGradient", op)
		require.True(t, without || used[op], "%s has a rule that no case of gradCases tests", op)
	}
	require.Len(t, withoutGradient, len(engine.OpNames())-len(rules))
}

// gradientGolden is the SHA-256 over the names and gradients of every case, little-endian.
const gradientGolden = "6ad0e5247fddaedccb11da795db3678d9805f0b69464fddcdeada1a4dbd3ba4c"

// TestGradientBits: the same gradients by the kernels on 1 and 3 threads and by the referee's path, and those of the day
// the rules were written.
func TestGradientBits(t *testing.T) {
	all := gradCases()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		prog, x := gradProgram(t, all[name]), all[name].operands(t)
		zero, err := engine.FromF32([]float32{0}, 1)
		require.NoError(t, err)
		states := append(slices.Clone(x), zero)
		w, err := engine.NewWeights(prog, nil)
		require.NoError(t, err)
		in, err := prog.BindInputs(nil)
		require.NoError(t, err)
		want, err := engine.ReferenceStep(prog, w, in, 0, states, nil)
		require.NoError(t, err)
		for _, threads := range []int{1, 3} {
			run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: threads})
			require.NoError(t, err)
			require.NoError(t, run.SetStates(0, states))
			require.NoError(t, run.Step(context.Background()))
			for i, s := range run.States() {
				require.Equal(t, want[i].Bytes(), s.Bytes(), "%s, state %d, %d threads", name, i, threads)
			}
		}
		h.Write([]byte(name))
		for _, s := range want {
			h.Write(s.Bytes())
		}
	}
	require.Equal(t, gradientGolden, hex.EncodeToString(h.Sum(nil)))
}
