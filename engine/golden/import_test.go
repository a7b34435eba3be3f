package golden

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/kernel"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/quantise"
	"poaid/model/zoo"
)

// importedCases are those of imported and quantised networks, with what they must give.
var importedCases = map[string]struct {
	run  func(t *testing.T, threads int) []byte
	want string
}{
	"ops and gradients": {importedOps, "117a3d4213ce80251d58e1abdc98255f40143fc13b88099d0dcc62930ff33d26"},
	"digits as int8":    {int8Digits, "8f7b7f6597316da099a69bd3d250f147266ad4f5087e51fd76cc6594d9e129f1"},
	"story as int8":     {int8Story, "440093d5f74941532be39d4f84c66bbff22a488e84006b447aa1b7cacad5345a"},
}

func TestImportedRoots(t *testing.T) {
	for name, c := range importedCases {
		t.Run(name, func(t *testing.T) {
			for _, k := range kernels() {
				require.NoError(t, kernel.Use(k))
				for _, n := range []int{1, 3} {
					require.Equal(t, c.want, hex.EncodeToString(c.run(t, n)), "kernel %s, %d threads", k, n)
				}
			}
		})
	}
	require.NoError(t, kernel.Use(kernels()[len(kernels())-1]))
}

// int8Digits makes integers of the digits classifier, calibrated by its samples, and runs it on them.
func int8Digits(t *testing.T, threads int) []byte {
	t.Helper()
	p, err := zoo.Digits()
	require.NoError(t, err)
	samples, err := zoo.Samples()
	require.NoError(t, err)
	var inputs []map[string]*engine.Tensor
	for _, s := range samples {
		x, err := zoo.DigitsInput(bytes.NewReader(s.PNG))
		require.NoError(t, err)
		inputs = append(inputs, map[string]*engine.Tensor{"pixels": x})
	}
	q, _, err := quantise.Static(context.Background(), p, inputs, threads)
	require.NoError(t, err)
	d := newDigest()
	roots(d, q)
	for _, in := range inputs {
		d.Write(execute(t, q.Program, q.Weights, in, 1, threads))
	}
	return d.sum()
}

// int8Story quantises the story model and writes eight tokens.
func int8Story(t *testing.T, threads int) []byte {
	t.Helper()
	p, err := zoo.Story()
	require.NoError(t, err)
	q, _, err := quantise.Dynamic(p)
	require.NoError(t, err)
	prompt, err := engine.FromI64([]int64{1, 300, 301}, 3)
	require.NoError(t, err)
	d := newDigest()
	roots(d, q)
	d.Write(execute(t, q.Program, q.Weights, map[string]*engine.Tensor{"prompt": prompt}, 10, threads))
	return d.sum()
}

func roots(d digest, p *model.Package) {
	d.Write(p.Meta.ProgramHash[:])
	d.Write(p.Meta.WeightsRoot[:])
}

// importedOps runs the ops and macros of imported networks, forward and backward.
func importedOps(t *testing.T, threads int) []byte {
	t.Helper()
	b := nn.NewBuilder(1)
	img, k := b.State("img", engine.F32, 1, 4, 9, 7), b.State("k", engine.F32, 4, 2, 3, 3)
	g, c := b.Step(), engine.Const
	x := g.HardSwish(g.Convolve(img, k, nn.Geometry{Pad: [4]int64{1, 1, 1, 1}, Groups: 2}))
	up := g.Resize(x, 17, 12, nn.Resizing{Mode: "linear"})
	near := g.Resize(x, 17, 12, nn.Resizing{Mode: "nearest", Coord: "align_corners", Rounding: "floor"})
	y := g.Add(g.Clip(up, g.F32(-1), g.F32(2)), g.Erf(g.HardSigmoid(near, 0.2, 0.5)))
	flat := func(v nn.Value) nn.Value {
		n := int64(1)
		for _, d := range v.Shape() {
			n *= d.A
		}
		return g.Reshape(v, c(1), c(n))
	}
	tri := g.MatMul(g.Sin(g.Reshape(y, c(48), c(17))), g.Cos(g.Reshape(y, c(17), c(48))), false, false, 2)
	loss := g.Sum(flat(g.Mul(g.Softplus(tri), g.F32(1.0/64))), -1, false, false)
	loss = g.Add(loss, g.Sum(flat(g.PowInt(g.GlobalAvgPool(y), 3)), -1, false, false))
	loss = g.Add(loss, g.Sum(flat(g.Prod(g.MinOf(y, 2, true, false), 3, true, false)), -1, false, false))
	grads := g.Grad(loss, img, k)
	whole := g.Round(g.Mul(y, g.F32(8)), "floor")
	for i, v := range []nn.Value{y, loss, whole} {
		s := b.State(string(rune('a'+i)), engine.F32, v.Shape().At(0)...)
		g.Update(s, v)
		b.Output(s)
	}
	g.Update(img, grads[0])
	g.Update(k, grads[1])
	b.Output(img)
	b.Output(k)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	in, err := prog.BindInputs(nil)
	require.NoError(t, err)
	run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: threads})
	require.NoError(t, err)
	states, gen := run.States(), words(23)
	fresh := make([]*engine.Tensor, len(states))
	for i, s := range states {
		fresh[i] = s.Clone()
		for j := range fresh[i].F32() {
			fresh[i].F32()[j] = float32(int64(gen.next()%201)-100) / 64 // exact
		}
	}
	require.NoError(t, run.SetStates(0, fresh))
	require.NoError(t, run.Step(context.Background()))
	res, err := run.Result()
	require.NoError(t, err)
	for _, o := range res.Outputs {
		for _, v := range o.Tensor.F32() {
			require.Zero(t, v-v, "%s is not finite", o.Name)
		}
	}
	return res.ResultRoot[:]
}
