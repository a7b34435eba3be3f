package nn

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// evalOne runs one step that computes f of constants and returns the result.
func evalOne(t *testing.T, f func(g *Graph) Value) *engine.Tensor {
	t.Helper()
	b := NewBuilder(1)
	g := b.Step()
	v := f(g)
	require.NoError(t, b.err)
	shape := v.Shape().At(0)
	y := b.State("y", v.DType(), shape...)
	g.Update(y, v)
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, 1, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	return res.Output("y")
}

func TestImportMacros(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	vec := func(g *Graph, v ...float32) Value { return g.f32Tensor(v, int64(len(v))) }
	cube := func(g *Graph) Value { // 0..11 as [1, 2, 2, 3]
		return g.f32Tensor([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 1, 2, 2, 3)
	}
	for name, c := range map[string]struct {
		f     func(g *Graph) Value
		shape []int64
		want  []float32
	}{
		"pow 3":          {func(g *Graph) Value { return g.PowInt(vec(g, -2, 0, 1.5), 3) }, []int64{3}, []float32{-8, 0, 3.375}},
		"pow 10":         {func(g *Graph) Value { return g.PowInt(vec(g, 2, -1), 10) }, []int64{2}, []float32{1024, 1}},
		"pow 0":          {func(g *Graph) Value { return g.PowInt(vec(g, 2, nan), 0) }, []int64{2}, []float32{1, 1}},
		"pow -2":         {func(g *Graph) Value { return g.PowInt(vec(g, 2, 0), -2) }, []int64{2}, []float32{0.25, inf}},
		"leaky relu":     {func(g *Graph) Value { return g.LeakyRelu(vec(g, -4, 0, 3), 0.25) }, []int64{3}, []float32{-1, 0, 3}},
		"elu":            {func(g *Graph) Value { return g.Elu(vec(g, -inf, 0, 300), 0.5) }, []int64{3}, []float32{-0.5, 0, 300}},
		"softplus":       {func(g *Graph) Value { return g.Softplus(vec(g, -inf, inf, 200)) }, []int64{3}, []float32{0, inf, 200}},
		"clip keeps NaN": {func(g *Graph) Value { return g.Max(g.Clip(vec(g, nan, 5, -5), g.F32(-1), g.F32(1)), g.F32(-1)) }, []int64{3}, []float32{nan, 1, -1}},
		"mean hw":        {func(g *Graph) Value { return g.GlobalAvgPool(cube(g)) }, []int64{1, 2, 1, 1}, []float32{2.5, 8.5}},
		"max hw":         {func(g *Graph) Value { return g.GlobalMaxPool(cube(g)) }, []int64{1, 2, 1, 1}, []float32{5, 11}},
		"mean apart":     {func(g *Graph) Value { return g.ReduceMean(cube(g), []int{-1, 1}, false) }, []int64{1, 2}, []float32{4, 7}},
		"sum all":        {func(g *Graph) Value { return g.ReduceSum(cube(g), []int{0, 1, 2, 3}, false) }, []int64{1}, []float32{66}},
		"min keep":       {func(g *Graph) Value { return g.ReduceMin(cube(g), []int{1}, true) }, []int64{1, 1, 2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		"prod":           {func(g *Graph) Value { return g.ReduceProd(cube(g), []int{3}, false) }, []int64{1, 2, 2}, []float32{0, 60, 336, 990}},
		"softmax axis":   {func(g *Graph) Value { return g.SoftmaxAxis(g.f32Tensor([]float32{1, 5, 1, 5}, 2, 2), 0) }, []int64{2, 2}, []float32{0.5, 0.5, 0.5, 0.5}},
		"batch norm": {
			func(g *Graph) Value {
				return g.BatchNorm(cube(g), vec(g, 2, 4), vec(g, 1, 0), vec(g, 2, 8), vec(g, 3, 3), 1)
			},
			[]int64{1, 2, 2, 3},
			[]float32{-1, 0, 1, 2, 3, 4, -4, -2, 0, 2, 4, 6},
		},
		"gather axis": {func(g *Graph) Value { return g.GatherAxis(cube(g), 3, idx(g, 2, 0)) }, []int64{1, 2, 2, 2}, []float32{2, 0, 5, 3, 8, 6, 11, 9}},
		"top 3":       {func(g *Graph) Value { v, _ := g.TopK(vec(g, 1, 7, -2, 7, 3), 3); return v }, []int64{3}, []float32{7, 7, 3}},
		"top 3 at": {
			func(g *Graph) Value {
				_, i := g.TopK(vec(g, 1, 7, -2, 7, 3), 3)
				return g.Cast(i, engine.F32)
			},
			[]int64{3},
			[]float32{1, 3, 4},
		},
		"argmin": {func(g *Graph) Value { return g.Cast(g.ArgMin(vec(g, 4, -1, -1), 0, true), engine.F32) }, []int64{1}, []float32{1}},
		"conv transpose": {
			func(g *Graph) Value {
				return g.ConvTranspose(g.f32Tensor([]float32{1, 2, 3, 4}, 1, 1, 2, 2), g.f32Tensor([]float32{1, 10, 100, 1000}, 1, 1, 2, 2), Geometry{Stride: [2]int64{2, 2}}, 4, 4)
			},
			[]int64{1, 1, 4, 4},
			[]float32{1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			y := evalOne(t, c.f)
			require.Equal(t, c.shape, y.Shape())
			for i, v := range y.F32() {
				if math.IsNaN(float64(c.want[i])) {
					require.True(t, math.IsNaN(float64(v)), "element %d: %g", i, v)
					continue
				}
				require.Equal(t, c.want[i], v, "element %d", i)
			}
		})
	}
}

func TestImportMacroErrors(t *testing.T) {
	for want, f := range map[string]func(g *Graph, x Value){
		"exponent 5000":    func(g *Graph, x Value) { g.PowInt(x, 5000) },
		"named once":       func(g *Graph, x Value) { g.ReduceSum(x, []int{1, -1}, true) },
		"must be in -2..1": func(g *Graph, x Value) { g.ReduceMax(x, []int{2}, true) },
		"top 9":            func(g *Graph, x Value) { g.TopK(g.Reshape(x, dims(6)...), 9) },
		"axes 0, 5":        func(g *Graph, x Value) { g.GatherAxis(x, 5, idx(g, 1)) },
		"depends on the step": func(g *Graph, _ Value) {
			g.ReduceMean(g.Broadcast(g.F32(1), engine.Dim{A: 1, B: 1}), []int{0}, true)
		},
	} {
		b := NewBuilder(4)
		f(b.Step(), b.State("x", engine.F32, 2, 3))
		_, err := b.Build(engine.DefaultLimits())
		require.ErrorContains(t, err, want)
	}
}
