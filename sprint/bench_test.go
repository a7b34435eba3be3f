package sprint_test

import (
	"context"
	"testing"

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

// BenchmarkLeaf compares a leaf of 32 tokens on one core with as many tokens of ordinary generation by a llama of the same shape.
func BenchmarkLeaf(b *testing.B) {
	const period = 32
	c := sprint.Default()
	m := load(b, c)
	b.Run("sprint", func(b *testing.B) {
		leaves := make([]uint64, 10)
		for b.Loop() {
			m.run(b, key("a"), leaves, period)
		}
		b.ReportMetric(float64(b.N*len(leaves))/b.Elapsed().Seconds(), "leaves/s")
	})
	b.Run("llama", func(b *testing.B) {
		cfg := nn.LlamaConfig{
			Dim: int64(c.Dim), HiddenDim: int64(c.Hidden), Layers: c.Layers, Heads: int64(c.Heads), Vocab: int64(c.Vocab), Ctx: period,
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
		for b.Loop() {
			for range 10 {
				run, err := engine.NewRun(prog, w, in, engine.RunOptions{Threads: 1})
				require.NoError(b, err)
				for range period {
					require.NoError(b, run.Step(context.Background()))
				}
			}
		}
		b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "leaves/s")
	})
}
