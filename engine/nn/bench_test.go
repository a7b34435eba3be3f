package nn

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// llamaTraining builds a training run over pseudo-random tokens.
func llamaTraining(tb testing.TB, cfg LlamaConfig, tc TrainConfig, threads int) *engine.Run {
	tb.Helper()
	prog, err := LlamaTrainer(cfg, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	tensors, err := InitParams(cfg.Params(), 1)
	require.NoError(tb, err)
	tensors["rope.cos"], tensors["rope.sin"], err = RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(tb, err)
	data := make([]uint8, tc.DataLen)
	x := uint32(7)
	for i := range data {
		x = x*1664525 + 1013904223
		data[i] = uint8(x>>24) % 64 // #nosec G115 -- below 256
		if i%3 != 0 {
			data[i] = (data[i-1]*5 + 3) % 64
		}
	}
	tensors["data"], err = engine.FromU8(data, tc.DataLen)
	require.NoError(tb, err)
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(tb, err)
	in, err := prog.BindInputs(nil)
	require.NoError(tb, err)
	run, err := engine.NewRun(prog, weights, in, engine.RunOptions{Threads: threads})
	require.NoError(tb, err)
	return run
}

// BenchmarkLlamaTrain times one training step: 4 layers, 16 windows of 128 tokens.
func BenchmarkLlamaTrain(b *testing.B) {
	for _, dim := range []int64{128, 192} {
		b.Run(fmt.Sprintf("dim=%d", dim), func(b *testing.B) {
			cfg := LlamaConfig{Dim: dim, HiddenDim: dim * 8 / 3 / 32 * 32, Layers: 4, Heads: 4, KVHeads: 4, Vocab: 512, Ctx: 128, TiedOutput: true}
			run := llamaTraining(b, cfg, TrainConfig{Batch: 16, Seq: 128, Steps: 1 << 20, LR: 1e-3, DataLen: 1 << 16, DataDType: engine.U8}, 2)
			require.NoError(b, run.Step(context.Background()))
			for b.Loop() {
				require.NoError(b, run.Step(context.Background()))
			}
			b.ReportMetric(float64(16*128*b.N)/b.Elapsed().Seconds(), "tok/s")
		})
	}
}

// BenchmarkDecode times one greedy token of a model with 15M parameters.
func BenchmarkDecode(b *testing.B) {
	cfg := LlamaConfig{Dim: 288, HiddenDim: 768, Layers: 6, Heads: 6, Vocab: 32000, Ctx: 256, TiedOutput: true}
	prog, err := Llama(cfg, engine.DefaultLimits())
	require.NoError(b, err)
	tensors, err := InitParams(cfg.Params(), 1)
	require.NoError(b, err)
	tensors["rope.cos"], tensors["rope.sin"], err = RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(b, err)
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(b, err)
	prompt, err := engine.FromI64([]int64{1, 2, 3, 4}, 4)
	require.NoError(b, err)
	in, err := prog.BindInputs(map[string]*engine.Tensor{"prompt": prompt})
	require.NoError(b, err)
	var run *engine.Run
	fresh := func() {
		run, err = engine.NewRun(prog, weights, in, engine.RunOptions{Threads: 2})
		require.NoError(b, err)
		for range 4 {
			require.NoError(b, run.Step(context.Background()))
		}
	}
	fresh()
	for b.Loop() {
		if run.T() == 200 {
			b.StopTimer()
			fresh()
			b.StartTimer()
		}
		require.NoError(b, run.Step(context.Background()))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tok/s")
}

// BenchmarkCNNTrain times one training step of a CNN with 64 images.
func BenchmarkCNNTrain(b *testing.B) {
	for _, size := range []int64{8, 28} {
		b.Run(fmt.Sprintf("%dx%d", size, size), func(b *testing.B) {
			net := CNN{Channels: 1, Height: size, Width: size, Filters: []int64{16, 32}, Hidden: 64, Output: 10}
			prog, err := ClassifierTrainer(net, TrainConfig{Batch: 64, Steps: 1 << 20, LR: 1e-3, DataLen: 256, DataDType: engine.U8}, engine.DefaultLimits())
			require.NoError(b, err)
			tensors, err := InitParams(net.Params(), 1)
			require.NoError(b, err)
			tensors["data"], err = engine.NewTensor(engine.U8, []int64{256, 1, size, size}, 1<<20)
			require.NoError(b, err)
			tensors["labels"], err = engine.NewTensor(engine.U8, []int64{256}, 1<<20)
			require.NoError(b, err)
			weights, err := engine.WeightsByName(prog, tensors)
			require.NoError(b, err)
			in, err := prog.BindInputs(nil)
			require.NoError(b, err)
			run, err := engine.NewRun(prog, weights, in, engine.RunOptions{Threads: 2})
			require.NoError(b, err)
			for b.Loop() {
				require.NoError(b, run.Step(context.Background()))
			}
			b.ReportMetric(float64(64*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
