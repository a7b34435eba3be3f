package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
)

// importSeeds are small programs, one for each op that imported and quantised networks bring.
func importSeeds(tb testing.TB) (out []*engine.Program) {
	tb.Helper()
	type graph = func(g *nn.Graph, img, k nn.Value) nn.Value
	one := func(g *nn.Graph) nn.Value { return g.F32(0.25) }
	for _, f := range []graph{
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Clip(g.HardSwish(x), g.F32(-1), g.F32(2)) },
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Round(g.HardSigmoid(x, 0.2, 0.5), "ceil") },
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Add(g.Erf(x), g.Mul(g.Sin(x), g.Cos(x))) },
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Resize(x, 3, 7, nn.Resizing{Mode: "linear"}) },
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Resize(x, 3, 7, nn.Resizing{Mode: "nearest"}) },
		func(g *nn.Graph, x, _ nn.Value) nn.Value { return g.Prod(g.MinOf(x, 2, true, false), 3, false, false) },
		func(g *nn.Graph, x, k nn.Value) nn.Value {
			q, w := g.Quantise(x, one(g), g.I8(-3)), g.Quantise(k, one(g), g.I8(0))
			acc := g.Convolve(q, w, nn.Geometry{Pad: [4]int64{1, 0, 1, 0}})
			small := g.Requantise(acc, g.I32(1<<30), g.I32(33), g.I8(5), -128, 100)
			return g.Dequantise(g.MaxPool(small, 2, 1), one(g), g.I8(5))
		},
		func(g *nn.Graph, x, _ nn.Value) nn.Value {
			q := g.Quantise(g.Reshape(x, engine.Const(4), engine.Const(5)), one(g), g.I8(0))
			return g.Rescale(g.MatMul(q, q, false, true, 0), one(g), one(g))
		},
	} {
		b := nn.NewBuilder(2)
		img, k := b.State("img", engine.F32, 1, 1, 4, 5), b.Weight("k", engine.F32, 2, 1, 2, 2)
		g := b.Step()
		v := f(g, img, k)
		s := b.State("out", v.DType(), v.Shape().At(0)...)
		g.Update(s, v)
		g.Update(img, g.Add(img, g.F32(0.3)))
		b.Output(s)
		prog, err := b.Build(engine.DefaultLimits())
		require.NoError(tb, err)
		out = append(out, prog)
	}
	return out
}
