package nn

import (
	"context"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// digits returns n separable 8×8 images of three classes: a bright band whose row is the class.
func digits(tb testing.TB, n int64) (data, labels *engine.Tensor) {
	tb.Helper()
	px, lb := make([]uint8, n*64), make([]uint8, n)
	x := uint32(5)
	for i := range n {
		x = x*1664525 + 1013904223
		lb[i] = uint8(x >> 16 % 3) // #nosec G115 -- below 3
		lb[i] %= 3
		for j := range int64(64) {
			x = x*1664525 + 1013904223
			px[i*64+j] = uint8(x >> 25)
			if j/8 == int64(lb[i])*2+1 {
				px[i*64+j] = 255
			}
		}
	}
	data, err := engine.FromU8(px, n, 1, 8, 8)
	require.NoError(tb, err)
	labels, err = engine.FromU8(lb, n)
	require.NoError(tb, err)
	return data, labels
}

func trainClassifier(tb testing.TB, net Net, tc TrainConfig, data, labels *engine.Tensor, threads int) *engine.Result {
	tb.Helper()
	prog, err := ClassifierTrainer(net, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	tensors, err := InitParams(net.Params(), 2)
	require.NoError(tb, err)
	tensors["data"], tensors["labels"] = data, labels
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(tb, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, uint64(tc.Steps), engine.RunOptions{Threads: threads})
	require.NoError(tb, err)
	return res
}

var (
	testCNN = CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{4, 8}, Hidden: 16, Output: 3}
	testMLP = MLP{Sizes: []int64{64, 16, 3}}
)

// TestClassifiersLearn trains and then classifies with the trained parameters.
func TestClassifiersLearn(t *testing.T) {
	data, labels := digits(t, 60)
	flat, err := engine.TensorFromBytes(engine.U8, []int64{60, 64}, data.Bytes())
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		net  Net
		data *engine.Tensor
		opt  Optimizer
		lr   float32
	}{
		"cnn adam":     {testCNN, data, nil, 0.01},
		"mlp momentum": {testMLP, flat, SGD{Momentum: 0.9}, 0.05},
		"mlp sgd":      {testMLP, flat, SGD{}, 0.2},
		"mlp adamw":    {testMLP, flat, Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.01}, 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			res := trainClassifier(t, tc.net, TrainConfig{
				Batch: 16, Steps: 60, LR: tc.lr, Optimizer: tc.opt, DataLen: 60,
				DataDType: engine.U8,
			}, tc.data, labels, 2)
			losses := res.Output("losses").F32()
			require.Greater(t, losses[0], float32(0.5))
			require.Less(t, losses[59], float32(0.2))

			prog, err := Classifier(tc.net, 60, engine.DefaultLimits())
			require.NoError(t, err)
			var params []*engine.Tensor
			for _, s := range tc.net.Params() {
				params = append(params, res.Output(s.Name))
			}
			w, err := engine.NewWeights(prog, params)
			require.NoError(t, err)
			x := make([]float32, len(tc.data.U8()))
			for i, v := range tc.data.U8() {
				x[i] = float32(v) / 255
			}
			in, err := engine.FromF32(x, tc.data.Shape()...)
			require.NoError(t, err)
			out, err := engine.Execute(context.Background(), prog, w, map[string]*engine.Tensor{"x": in}, 1, engine.RunOptions{})
			require.NoError(t, err)
			right := 0
			for i, c := range out.Output("class").I64() {
				if c == int64(labels.U8()[i]) {
					right++
				}
			}
			require.Greater(t, right, 54)
		})
	}
}

// TestTrainingBits pins the result of a short run: other threads, kernels and machines must give the same root.
func TestTrainingBits(t *testing.T) {
	data, labels := digits(t, 20)
	tc := TrainConfig{Batch: 4, Steps: 6, LR: 0.01, DataLen: 20, DataDType: engine.U8}
	for threads := 1; threads <= 3; threads++ {
		res := trainClassifier(t, testCNN, tc, data, labels, threads)
		require.Equal(t, goldenCNN, hex.EncodeToString(res.OutputRoot[:]), "%d threads", threads)
	}
	cfg := LlamaConfig{Dim: 16, HiddenDim: 32, Layers: 2, Heads: 4, KVHeads: 2, Vocab: 64, Ctx: 16, TiedOutput: true}
	for threads := 1; threads <= 3; threads++ {
		run := llamaTraining(t, cfg, TrainConfig{Batch: 2, Seq: 9, Steps: 6, LR: 0.01, DataLen: 300, DataDType: engine.U8}, threads)
		for range 6 {
			require.NoError(t, run.Step(context.Background()))
		}
		res, err := run.Result()
		require.NoError(t, err)
		require.Equal(t, goldenLlama, hex.EncodeToString(res.OutputRoot[:]), "%d threads", threads)
	}
}

const (
	goldenCNN   = "aef8ede997b26bdf2a9ee358720b399a554bfe60084f5ccfab1c5e8f97b07993"
	goldenLlama = "db06fee86942fe46270b3d8d5c9eba275e7b6f93cda89325adc70ca0c659710c"
)

func TestLlamaLearns(t *testing.T) {
	cfg := LlamaConfig{Dim: 32, HiddenDim: 64, Layers: 2, Heads: 4, KVHeads: 2, Vocab: 64, Ctx: 16}
	run := llamaTraining(t, cfg, TrainConfig{Batch: 8, Seq: 16, Steps: 120, LR: 0.01, DataLen: 4000, DataDType: engine.U8}, 2)
	for range 120 {
		require.NoError(t, run.Step(context.Background()))
	}
	losses := run.State("losses").F32()
	require.Greater(t, losses[0], float32(4))
	require.Less(t, losses[119], float32(2.5))
}

func TestConfigErrors(t *testing.T) {
	lim := engine.DefaultLimits()
	good := LlamaConfig{Dim: 16, HiddenDim: 16, Layers: 1, Heads: 2, Vocab: 8, Ctx: 8}
	for want, change := range map[string]LlamaConfig{
		"dim 0":     {HiddenDim: 16, Layers: 1, Heads: 2, Vocab: 8, Ctx: 8},
		"heads 3":   {Dim: 16, HiddenDim: 16, Layers: 1, Heads: 3, Vocab: 8, Ctx: 8},
		"kv heads ": {Dim: 16, HiddenDim: 16, Layers: 1, Heads: 2, KVHeads: 4, Vocab: 8, Ctx: 8},
	} {
		_, err := Llama(change, lim)
		require.ErrorContains(t, err, want)
	}
	_, err := LlamaTrainer(good, TrainConfig{Batch: 1, Seq: 9, Steps: 1, DataLen: 100, DataDType: engine.U8}, lim)
	require.ErrorContains(t, err, "seq 9")
	_, err = LlamaTrainer(good, TrainConfig{Batch: 1, Seq: 4, Steps: 1, DataLen: 100, DataDType: engine.F32}, lim)
	require.ErrorContains(t, err, "data dtype")
	_, err = ClassifierTrainer(MLP{Sizes: []int64{3}}, TrainConfig{}, lim)
	require.ErrorContains(t, err, "1 sizes")
	_, err = Classifier(CNN{Channels: 1, Height: 2, Width: 2, Filters: []int64{1, 1}, Hidden: 1, Output: 1}, 1, lim)
	require.ErrorContains(t, err, "nothing may be empty")
	_, err = ClassifierTrainer(testMLP, TrainConfig{Steps: 1, DataLen: 1}, lim)
	require.ErrorContains(t, err, "batch 0")
}
