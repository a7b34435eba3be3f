package golden

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model/zoo"
)

// execute runs a program and returns its result root.
func execute(t *testing.T, prog *engine.Program, w *engine.Weights, in map[string]*engine.Tensor, steps uint64, threads int) []byte {
	t.Helper()
	res, err := engine.Execute(context.Background(), prog, w, in, steps, engine.RunOptions{Threads: threads})
	require.NoError(t, err)
	return res.ResultRoot[:]
}

func zooDigits(t *testing.T, threads int) []byte {
	t.Helper()
	p, err := zoo.Digits()
	require.NoError(t, err)
	samples, err := zoo.Samples()
	require.NoError(t, err)
	d := newDigest()
	for _, s := range samples {
		x, err := zoo.DigitsInput(bytes.NewReader(s.PNG))
		require.NoError(t, err)
		d.Write(execute(t, p.Program, p.Weights, map[string]*engine.Tensor{"pixels": x}, 1, threads))
	}
	return d.sum()
}

func zooGreedy(t *testing.T, threads int) []byte {
	t.Helper()
	return zooStory(t, threads, 0)
}

func zooSampled(t *testing.T, threads int) []byte {
	t.Helper()
	return zooStory(t, threads, 20)
}

// zooStory continues a prompt by twelve tokens; seed 0 is greedy.
func zooStory(t *testing.T, threads int, seed int64) []byte {
	t.Helper()
	p, err := zoo.Story()
	require.NoError(t, err)
	var ids []int64
	for _, id := range p.Tokenizer.Encode("Once upon a time", true, false) {
		ids = append(ids, int64(id))
	}
	in := map[string]*engine.Tensor{}
	in["prompt"], err = engine.FromI64(ids, int64(len(ids)))
	require.NoError(t, err)
	if seed != 0 {
		in["seed"], err = engine.FromI64([]int64{seed}, 1)
		require.NoError(t, err)
		in["temperature"], err = engine.FromI32([]int32{800_000}, 1)
		require.NoError(t, err)
		in["top_p"], err = engine.FromI32([]int32{900_000}, 1)
		require.NoError(t, err)
	}
	return execute(t, p.Program, p.Weights, in, uint64(len(ids)+11), threads)
}

// trainNet trains a classifier for some steps on made-up pictures.
func trainNet(t *testing.T, threads int, net nn.Net, opt nn.Optimizer) []byte {
	t.Helper()
	const n, steps = 24, 8
	w := words(13)
	px, labels := make([]float32, n*64), make([]uint8, n)
	for i := range px {
		px[i] = float32(w.next()%17) / 16 // exact
		labels[i/64] = uint8(i/64) % 3    // #nosec G115 -- below 3
	}
	prog, err := nn.ClassifierTrainer(net, nn.TrainConfig{
		Batch: 6, Steps: steps, LR: 0.02, Optimizer: opt, DataLen: n, DataDType: engine.F32,
	}, engine.DefaultLimits())
	require.NoError(t, err)
	tensors, err := nn.InitParams(net.Params(), 4)
	require.NoError(t, err)
	tensors["data"], err = engine.FromF32(px, append([]int64{n}, net.Input()...)...)
	require.NoError(t, err)
	tensors["labels"], err = engine.FromU8(labels, n)
	require.NoError(t, err)
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	return execute(t, prog, weights, nil, steps, threads)
}

func trainCNN(t *testing.T, threads int) []byte {
	t.Helper()
	return trainNet(t, threads, nn.CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{6, 9}, Hidden: 20, Output: 3}, nn.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.01})
}

func trainMLP(t *testing.T, threads int) []byte {
	t.Helper()
	return trainNet(t, threads, nn.MLP{Sizes: []int64{64, 40, 3}}, nn.SGD{Momentum: 0.9})
}

func trainLlama(t *testing.T, threads int) []byte {
	t.Helper()
	const n, steps = 300, 4
	cfg := nn.LlamaConfig{Dim: 24, HiddenDim: 40, Layers: 2, Heads: 4, KVHeads: 2, Vocab: 64, Ctx: 16, TiedOutput: true}
	prog, err := nn.LlamaTrainer(cfg, nn.TrainConfig{Batch: 2, Seq: 9, Steps: steps, LR: 0.01, DataLen: n, DataDType: engine.U8}, engine.DefaultLimits())
	require.NoError(t, err)
	tensors, err := nn.InitParams(cfg.Params(), 1)
	require.NoError(t, err)
	tensors["rope.cos"], tensors["rope.sin"], err = nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(t, err)
	text, w := make([]uint8, n), words(17)
	for i := range text {
		text[i] = uint8(w.next() % 64) // #nosec G115 -- below 64
	}
	tensors["data"], err = engine.FromU8(text, n)
	require.NoError(t, err)
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	return execute(t, prog, weights, nil, steps, threads)
}

// int8Program multiplies int8, and runs the sums through softmax.
func int8Program(t *testing.T, threads int) []byte {
	t.Helper()
	b := nn.NewBuilder(1)
	x, k := b.Input("x", engine.I8, 9, 100), b.Input("w", engine.I8, 33, 100)
	out := b.State("out", engine.F32, 9, 33)
	g := b.Step()
	sums := g.Cast(g.Linear(x, k), engine.F32)
	g.Update(out, g.Softmax(g.Mul(sums, g.F32(1.0/4096)), false))
	b.Output(out)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	in, gen := map[string]*engine.Tensor{}, words(19)
	for _, s := range []struct {
		name string
		rows int64
	}{{"x", 9}, {"w", 33}} {
		v := make([]int8, s.rows*100)
		for i := range v {
			v[i] = int8(gen.next()) // #nosec G115 -- the low bits
		}
		in[s.name], err = engine.FromI8(v, s.rows, 100)
		require.NoError(t, err)
	}
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	return execute(t, prog, w, in, 1, threads)
}
