package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
	"poaid/engine/nn"
)

// requireBatchesEqualSteps runs a program with Advance and with Step and compares all states whenever both are at the
// same step; it returns the most steps that one call of Advance did.
func requireBatchesEqualSteps(t require.TestingT, prog *engine.Program, w *engine.Weights, inputs map[string]*engine.Tensor, steps uint64, threads int) uint64 {
	ctx := context.Background()
	in, err := prog.BindInputs(inputs)
	require.NoError(t, err)
	single, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	many, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: threads})
	require.NoError(t, err)
	most := uint64(0)
	for many.T() < steps {
		n, err := many.Advance(ctx, steps-many.T())
		require.NoError(t, err)
		require.Positive(t, n)
		most = max(most, n)
		for single.T() < many.T() {
			require.NoError(t, single.Step(ctx))
		}
		for i, s := range single.States() {
			require.True(t, s.Equal(many.States()[i]), "state %d after step %d", i, single.T())
		}
	}
	require.Equal(t, steps, many.T())
	return most
}

// TestBatchedPromptEqualsSteps covers prompts shorter and longer than a batch, and runs that end inside the prompt.
func TestBatchedPromptEqualsSteps(t *testing.T) {
	cfg := smallLlama
	cfg.Ctx = 160
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	require.NoError(t, err)
	w := bind(t, prog, scaled(cfg.Params()), ropeTables(t, cfg))
	for _, tc := range []struct {
		prompt, most int
		steps        uint64
	}{{1, 1, 5}, {2, 1, 5}, {3, 2, 6}, {20, 19, 30}, {65, 64, 70}, {130, 64, 160}, {100, 50, 50}} {
		t.Run(fmt.Sprint(tc.prompt), func(t *testing.T) {
			prompt := make([]int64, tc.prompt)
			for i := range prompt {
				prompt[i] = int64(i*7%18 + 2)
			}
			for _, threads := range []int{1, 3} {
				most := requireBatchesEqualSteps(t, prog, w, map[string]*engine.Tensor{"prompt": i64s(t, prompt...)}, tc.steps, threads)
				require.EqualValues(t, tc.most, most)
			}
		})
	}
}

// forcedProgram draws a program whose forced graph works on rows [1, d] and on caches, some of them used in ways that
// do not allow batches.
func forcedProgram(t *rapid.T) (prog *engine.Program, unsafe bool) {
	const d, ctx = 3, 40
	b := nn.NewBuilder(ctx)
	prompt := b.RowsInput("prompt", engine.I64, ctx)
	table := b.Weight("table", engine.F32, 6, d)
	w := b.Weight("w", engine.F32, d, d)
	frozen := b.State("frozen", engine.F32, 1, d)
	caches := make([]nn.Value, rapid.IntRange(1, 3).Draw(t, "caches"))
	for i := range caches {
		caches[i] = b.State(fmt.Sprintf("cache%d", i), engine.F32, ctx, d)
		b.Output(caches[i])
	}
	g := b.Forced(prompt)
	step := g.StepNumber()
	rows := []nn.Value{g.Gather(table, g.Gather(prompt, step)), g.Reshape(frozen, engine.Const(1), engine.Const(d))}
	pick := func() nn.Value { return rows[rapid.IntRange(0, len(rows)-1).Draw(t, "row")] }
	row := func() { rows = append(rows, randomRow(t, g, pick, w, step)) }
	for _, cache := range caches {
		for range rapid.IntRange(1, 4).Draw(t, "nodes") {
			row()
		}
		kind := rapid.SampledFrom([]string{"rows", "rows", "rows", "rows", "capped", "ahead", "late", "whole", "old", "fixed", "twice", "sum"}).Draw(t, "cache")
		at, size, start := step, engine.Dim{A: 1, B: 1}, int64(0)
		switch kind {
		case "capped":
			size.C = 7
		case "ahead": // row t+1 is not written yet
			size = engine.Dim{A: 2, B: 1, C: ctx}
		case "late":
			size = engine.Dim{A: 1, B: 1, C: ctx - 1}
			start = 1 // nor here
		case "fixed":
			at = g.I64(2)
		case "whole":
			size = engine.Const(ctx)
		}
		unsafe = unsafe || kind != "rows" && kind != "capped"
		next := g.SetRow(cache, pick(), at)
		if kind == "twice" {
			next = g.SetRow(next, pick(), g.Add(step, g.I64(1)))
		}
		if kind == "sum" {
			next = g.Add(cache, pick())
		}
		g.Update(cache, next)
		seen := g.Slice(next, []int64{start, 0}, engine.Shape{size, engine.Const(d)})
		if kind == "old" {
			seen = g.Slice(cache, []int64{0, 0}, engine.Shape{size, engine.Const(d)})
		}
		rows = append(rows, g.Attention(pick(), seen, seen, 0.5, false))
		if rapid.Bool().Draw(t, "column") {
			rows = append(rows, g.Sum(seen, 0, true, false))
		}
		if rapid.Bool().Draw(t, "turned") {
			rows = append(rows, g.MatMul(g.MatMul(pick(), g.Transpose(seen, 1, 0), false, false, 0), seen, false, false, 0))
		}
	}
	sink := b.State("sink", engine.F32, ctx, d)
	b.Output(sink)
	all := rows[0]
	for _, r := range rows[1:] {
		all = g.Add(g.Mul(all, g.F32(0.5)), r)
	}
	g.Update(sink, g.SetRow(sink, all, step))
	last := b.State("last", engine.F32, 1, d)
	b.Output(last)
	s := b.Step()
	s.Update(last, s.Mul(s.Gather(table, s.Gather(prompt, s.StepNumber())), frozen))
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	return prog, unsafe
}

// randomRow draws a node, or a few, from rows [1, d] to one.
func randomRow(t *rapid.T, g *nn.Graph, pick func() nn.Value, w, step nn.Value) nn.Value {
	one, d := engine.Const(1), engine.Const(w.Dim(0).A)
	switch rapid.IntRange(0, 9).Draw(t, "node") {
	case 0:
		return g.Add(pick(), pick())
	case 1:
		return g.Mul(pick(), g.Reshape(g.Slice(w, []int64{1, 0}, engine.Shape{one, d}), d))
	case 2:
		return g.Linear(pick(), w)
	case 3:
		return g.Softmax(pick(), false)
	case 4:
		return g.RMSNorm(pick(), g.Reshape(g.Slice(w, []int64{0, 0}, engine.Shape{one, d}), d), 1e-5)
	case 5:
		return g.Where(g.Lt(pick(), pick()), pick(), g.F32(0.25))
	case 6: // a product of what varies with what varies
		return g.MatMul(pick(), g.MatMul(pick(), pick(), true, false, 0), false, false, 0)
	case 7: // columns, of which one is taken at every step
		return g.Mul(pick(), g.Slice(pick(), []int64{0, 1}, engine.Shape{one, one}))
	case 8:
		return g.Add(pick(), g.Cast(step, engine.F32))
	default: // along the first axis
		return g.Sub(pick(), g.Reshape(g.Sum(g.Reshape(pick(), d, one), 0, false, false), one, one))
	}
}

func TestRandomForcedGraphs(t *testing.T) {
	batched, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		prog, unsafe := forcedProgram(t)
		w := make([]*engine.Tensor, 0, 2)
		for _, s := range prog.WeightSpecs() {
			n, err := engine.Elements(s.Shape)
			require.NoError(t, err)
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(rapid.IntRange(-16, 16).Draw(t, "w")) / 8
			}
			x, err := engine.FromF32(v, s.Shape...)
			require.NoError(t, err)
			w = append(w, x)
		}
		weights, err := engine.NewWeights(prog, w)
		require.NoError(t, err)
		tokens := rapid.SliceOfN(rapid.Int64Range(-1, 7), 1, 40).Draw(t, "prompt")
		prompt, err := engine.FromI64(tokens, int64(len(tokens)))
		require.NoError(t, err)
		rows := uint64(prompt.Shape()[0])
		steps := rapid.Uint64Range(1, 40).Draw(t, "steps")
		most := requireBatchesEqualSteps(t, prog, weights, map[string]*engine.Tensor{"prompt": prompt}, steps, rapid.IntRange(1, 3).Draw(t, "threads"))
		switch {
		case most > 1:
			require.False(t, unsafe, "a batch that could be seen")
			batched++
		case min(rows-1, steps) > 1:
			require.True(t, unsafe, "a prompt that could be batched was not")
			refused++
		}
	})
	t.Logf("%d batched, %d refused", batched, refused)
	if !testing.Short() { // of a few graphs all may be of one kind
		require.Positive(t, batched)
		require.Positive(t, refused)
	}
}
