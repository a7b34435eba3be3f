package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
)

// fixture is a small program with weights and inputs.
type fixture struct {
	prog    *engine.Program
	weights *engine.Weights
	inputs  map[string]*engine.Tensor
	steps   uint64
}

var smallLlama = nn.LlamaConfig{Dim: 16, HiddenDim: 24, Layers: 2, Heads: 4, KVHeads: 2, Vocab: 20, Ctx: 12, EOS: []int64{1}}

func i64s(tb testing.TB, v ...int64) *engine.Tensor {
	tb.Helper()
	x, err := engine.FromI64(v, int64(len(v)))
	require.NoError(tb, err)
	return x
}

func i32s(tb testing.TB, v ...int32) *engine.Tensor {
	tb.Helper()
	x, err := engine.FromI32(v, int64(len(v)))
	require.NoError(tb, err)
	return x
}

// bind completes the initial parameters with named tensors.
func bind(tb testing.TB, prog *engine.Program, params []nn.ParamSpec, more map[string]*engine.Tensor) *engine.Weights {
	tb.Helper()
	tensors, err := nn.InitParams(params, 3)
	require.NoError(tb, err)
	for name, x := range more {
		tensors[name] = x
	}
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(tb, err)
	return w
}

func ropeTables(tb testing.TB, cfg nn.LlamaConfig) map[string]*engine.Tensor {
	tb.Helper()
	cos, sin, err := nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(tb, err)
	return map[string]*engine.Tensor{"rope.cos": cos, "rope.sin": sin}
}

func bytesTensor(tb testing.TB, mod uint8, shape ...int64) *engine.Tensor {
	tb.Helper()
	n, err := engine.Elements(shape)
	require.NoError(tb, err)
	v, x := make([]uint8, n), uint32(9)
	for i := range v {
		x = x*1664525 + 1013904223
		v[i] = uint8(x>>24) % mod
	}
	out, err := engine.FromU8(v, shape...)
	require.NoError(tb, err)
	return out
}

// scaled makes small random weights big enough that sampling is not uniform.
func scaled(specs []nn.ParamSpec) []nn.ParamSpec {
	out := make([]nn.ParamSpec, len(specs))
	for i, s := range specs {
		out[i] = s
		if len(s.Shape) == 2 {
			out[i].Init = nn.Normal(0.6)
		}
	}
	return out
}

func fixtures(tb testing.TB) map[string]fixture {
	tb.Helper()
	lim := engine.DefaultLimits()
	out := make(map[string]fixture)

	gen, err := nn.Llama(smallLlama, lim)
	require.NoError(tb, err)
	w := bind(tb, gen, scaled(smallLlama.Params()), ropeTables(tb, smallLlama))
	prompt := i64s(tb, 2, 3, 4, 5)
	out["greedy"] = fixture{gen, w, map[string]*engine.Tensor{"prompt": prompt}, 12}
	out["sampled"] = fixture{gen, w, map[string]*engine.Tensor{"prompt": prompt, "seed": i64s(tb, 77), "temperature": i32s(tb, 1300000)}, 12}
	out["top-k top-p"] = fixture{gen, w, map[string]*engine.Tensor{
		"prompt": prompt, "seed": i64s(tb, -5), "temperature": i32s(tb, 900000),
		"top_k": i32s(tb, 6), "top_p": i32s(tb, 800000),
	}, 12}

	tc := nn.TrainConfig{Batch: 2, Seq: 5, Steps: 4, LR: 0.01, DataLen: 40, DataDType: engine.U8}
	train, err := nn.LlamaTrainer(smallLlama, tc, lim)
	require.NoError(tb, err)
	more := ropeTables(tb, smallLlama)
	more["data"] = bytesTensor(tb, 20, 40)
	out["llama adam"] = fixture{train, bind(tb, train, smallLlama.Params(), more), nil, 3}

	cnn := nn.CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{3, 4}, Hidden: 6, Output: 4}
	tc = nn.TrainConfig{Batch: 3, Steps: 4, LR: 0.05, DataLen: 10, DataDType: engine.U8, Optimizer: nn.SGD{Momentum: 0.9}}
	train, err = nn.ClassifierTrainer(cnn, tc, lim)
	require.NoError(tb, err)
	out["cnn sgd"] = fixture{train, bind(tb, train, cnn.Params(), map[string]*engine.Tensor{
		"data": bytesTensor(tb, 255, 10, 1, 8, 8), "labels": bytesTensor(tb, 4, 10),
	}), nil, 3}
	return out
}

func (f fixture) run(tb testing.TB, threads int) (*engine.Run, *engine.Inputs) {
	tb.Helper()
	in, err := f.prog.BindInputs(f.inputs)
	require.NoError(tb, err)
	run, err := engine.NewRun(f.prog, f.weights, in, engine.RunOptions{Threads: threads})
	require.NoError(tb, err)
	return run, in
}

func clones(states []*engine.Tensor) []*engine.Tensor {
	out := make([]*engine.Tensor, len(states))
	for i, s := range states {
		out[i] = s.Clone()
	}
	return out
}

// TestRunEqualsReference compares every node of every step with the element-by-element path, and the states of runs
// with other thread counts.
func TestRunEqualsReference(t *testing.T) {
	ctx := context.Background()
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			traced, in := f.run(t, 1)
			plain, _ := f.run(t, 3)
			for step := range f.steps {
				before := clones(traced.States())
				var nodes []*engine.Tensor
				want, err := engine.ReferenceStep(f.prog, f.weights, in, step, before, func(_ int, out *engine.Tensor) error {
					nodes = append(nodes, out)
					return nil
				})
				require.NoError(t, err)
				seen := 0
				require.NoError(t, traced.Trace(ctx, func(i int, out *engine.Tensor) error {
					seen++
					if !nodes[i].Equal(out) {
						return fmt.Errorf("node %d differs", i)
					}
					return nil
				}))
				require.Equal(t, len(nodes), seen)
				require.NoError(t, plain.Step(ctx))
				for i, s := range want {
					require.True(t, s.Equal(traced.States()[i]), "state %d, step %d", i, step)
					require.True(t, s.Equal(plain.States()[i]), "state %d, step %d, threads", i, step)
				}
			}
		})
	}
}

func TestGenerationDiffersBySampling(t *testing.T) {
	fs := fixtures(t)
	tokens := func(name string) []int64 {
		f := fs[name]
		res, err := engine.Execute(context.Background(), f.prog, f.weights, f.inputs, f.steps, engine.RunOptions{})
		require.NoError(t, err)
		return res.Output("tokens").I64()
	}
	require.NotEqual(t, tokens("greedy"), tokens("sampled"))
	first, second := tokens("sampled"), tokens("sampled")
	require.Equal(t, first, second)
}

func TestCheckpointContinues(t *testing.T) {
	ctx := context.Background()
	f := fixtures(t)["sampled"]
	a, _ := f.run(t, 1)
	b, _ := f.run(t, 1)
	for range 5 {
		require.NoError(t, a.Step(ctx))
	}
	require.NoError(t, b.SetStates(a.T(), clones(a.States())))
	for range 4 {
		require.NoError(t, a.Step(ctx))
		require.NoError(t, b.Step(ctx))
	}
	ra, err := a.Result()
	require.NoError(t, err)
	rb, err := b.Result()
	require.NoError(t, err)
	require.Equal(t, ra.ResultRoot, rb.ResultRoot)
	require.Error(t, b.SetStates(99, clones(a.States())))
	require.Error(t, b.SetStates(1, nil))
}

func TestCancelledRunIsBroken(t *testing.T) {
	f := fixtures(t)["greedy"]
	run, _ := f.run(t, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run.Step(ctx), context.Canceled)
	require.ErrorIs(t, run.Step(context.Background()), engine.ErrBroken)
	_, err := run.Result()
	require.ErrorIs(t, err, engine.ErrBroken)
}

// stopAt is a program that counts, and stops by itself.
func stopAt(tb testing.TB, n int64) *engine.Program {
	tb.Helper()
	b := nn.NewBuilder(100)
	count, stop := b.State("count", engine.I64, 1), b.State("stop", engine.I64, 1)
	g := b.Step()
	next := g.Add(count, g.I64(1))
	g.Update(count, next)
	g.Update(stop, g.Where(g.Eq(next, g.I64(n)), next, g.I64(0)))
	b.Output(count)
	b.StopState(stop)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(tb, err)
	return prog
}

func TestStopIsIdentity(t *testing.T) {
	prog := stopAt(t, 7)
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, 50, engine.RunOptions{})
	require.NoError(t, err)
	require.Equal(t, []int64{7}, res.Output("count").I64())
	require.Equal(t, uint64(7), res.Stopped)
	require.Equal(t, uint64(7), res.StepsDone)
	require.Equal(t, uint64(50), res.T)
	in, err := prog.BindInputs(nil)
	require.NoError(t, err)
	run, err := engine.NewRun(prog, w, in, engine.RunOptions{})
	require.NoError(t, err)
	for range 50 {
		require.NoError(t, run.Step(context.Background()))
	}
	slow, err := run.Result()
	require.NoError(t, err)
	require.Equal(t, res.ResultRoot, slow.ResultRoot)
	_, err = engine.Execute(context.Background(), prog, w, nil, 101, engine.RunOptions{})
	require.ErrorIs(t, err, engine.ErrInput)
}

// TestStatesMayTradeValues covers updates that alias states, weights or each other.
func TestStatesMayTradeValues(t *testing.T) {
	b := nn.NewBuilder(10)
	w := b.Weight("w", engine.I64, 2)
	x, y, z := b.State("x", engine.I64, 2), b.State("y", engine.I64, 2), b.State("z", engine.I64, 2)
	u, v := b.State("u", engine.I64, 2), b.State("v", engine.I64, 2)
	g := b.Step()
	g.Update(x, y)
	g.Update(y, x)
	sum := g.Add(x, w)
	g.Update(z, sum)
	g.Update(u, g.Reshape(sum, engine.Const(2)))
	g.Update(v, g.Add(v, sum))
	for _, s := range []nn.Value{x, y, z, u, v} {
		b.Output(s)
	}
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	weights, err := engine.NewWeights(prog, []*engine.Tensor{i64s(t, 3, 4)})
	require.NoError(t, err)
	in, err := prog.BindInputs(nil)
	require.NoError(t, err)
	run, err := engine.NewRun(prog, weights, in, engine.RunOptions{})
	require.NoError(t, err)
	require.NoError(t, run.SetStates(0, []*engine.Tensor{i64s(t, 1, 2), i64s(t, 10, 20), i64s(t, 0, 0), i64s(t, 0, 0), i64s(t, 5, 5)}))
	for step := range uint64(4) {
		want, err := engine.ReferenceStep(prog, weights, in, step, clones(run.States()), nil)
		require.NoError(t, err)
		require.NoError(t, run.Step(context.Background()))
		for i := range want {
			require.True(t, want[i].Equal(run.States()[i]), "state %d, step %d", i, step)
		}
	}
}

func TestInputErrors(t *testing.T) {
	f := fixtures(t)["greedy"]
	for name, tc := range map[string]struct {
		inputs map[string]*engine.Tensor
		want   string
	}{
		"missing":  {nil, `"prompt": missing`},
		"unknown":  {map[string]*engine.Tensor{"prompt": i64s(t, 1), "x": i64s(t, 1)}, `"x": the program has no such input`},
		"dtype":    {map[string]*engine.Tensor{"prompt": i32s(t, 1)}, `"prompt"`},
		"too long": {map[string]*engine.Tensor{"prompt": i64s(t, make([]int64, 13)...)}, "13 rows, want 1..12"},
		"nil":      {map[string]*engine.Tensor{"prompt": nil}, "is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.prog.BindInputs(tc.inputs)
			require.ErrorIs(t, err, engine.ErrInput)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestUnits(t *testing.T) {
	cost := engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 32}
	f := fixtures(t)["greedy"]
	require.True(t, f.prog.TimeDependent())
	total, last := uint64(0), uint64(0)
	for step := range uint64(12) {
		u, err := f.prog.Units(cost, step, f.prog.IsForced(step, 4))
		require.NoError(t, err)
		if step > 3 {
			require.GreaterOrEqual(t, u, last)
		}
		last = u
		total += u
	}
	all, err := f.prog.TotalUnits(cost, 12, 4)
	require.NoError(t, err)
	require.Equal(t, total, all)
	_, err = f.prog.Units(cost, 12, false)
	require.Error(t, err)
	_, err = f.prog.Units(engine.CostParams{}, 0, false)
	require.Error(t, err)
	train := fixtures(t)["cnn sgd"]
	require.False(t, train.prog.TimeDependent())
	require.False(t, train.prog.HasForced())
}

func TestRunBytes(t *testing.T) {
	for name, f := range fixtures(t) {
		states := uint64(0)
		for _, s := range f.prog.StateSpecs() {
			n, err := engine.ByteSize(s.DType, s.Shape)
			require.NoError(t, err)
			states += uint64(n)
		}
		require.Greater(t, f.prog.RunBytes(), states, name)
		require.Less(t, f.prog.RunBytes(), 60*states, name)
	}
}
