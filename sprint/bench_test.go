package sprint_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/sprint"
)

// BenchmarkWeightsRoot times what the chain does once an epoch.
func BenchmarkWeightsRoot(b *testing.B) {
	prog, err := sprint.Program(sprint.Default())
	require.NoError(b, err)
	for b.Loop() {
		_, err := sprint.WeightsRoot(prog, [32]byte{1})
		require.NoError(b, err)
	}
}

// BenchmarkLeaf compares, by turns, leaves of 32 tokens on one core with as many tokens of ordinary generation by a llama of the same shape.
func BenchmarkLeaf(b *testing.B) {
	const period, leaves = 32, 10
	m := load(b, sprint.Default())
	generate := llama(b, period)
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		m.run(b, key("a"), make([]uint64, leaves), period)
		between := time.Now()
		for range leaves {
			generate()
		}
		ours, theirs = ours+between.Sub(start), theirs+time.Since(between)
	}
	b.ReportMetric(float64(leaves*b.N)/ours.Seconds(), "leaves/s")
	b.ReportMetric(float64(leaves*b.N)/theirs.Seconds(), "llama-leaves/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// llama returns a function that generates so many tokens with a llama of the default's shape, on one thread.
func llama(b *testing.B, tokens int64) func() {
	b.Helper()
	c := sprint.Default()
	cfg := nn.LlamaConfig{
		Dim: int64(c.Dim), HiddenDim: int64(c.Hidden), Layers: c.Layers, Heads: int64(c.Heads), Vocab: int64(c.Vocab), Ctx: tokens,
	}
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	require.NoError(b, err)
	tensors, err := nn.InitParams(cfg.WithInit(0.06), 1)
	require.NoError(b, err)
	tensors["rope.cos"], tensors["rope.sin"], err = nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(b, err)
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(b, err)
	prompt, err := engine.FromI64([]int64{1}, 1)
	require.NoError(b, err)
	in, err := prog.BindInputs(map[string]*engine.Tensor{"prompt": prompt})
	require.NoError(b, err)
	return func() {
		run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: 1})
		require.NoError(b, err)
		for range tokens {
			require.NoError(b, run.Step(context.Background()))
		}
	}
}
