// Package programs are small programs for tests: nets as they are used, and a zoo with a node of every op.
package programs

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/sprint"
)

// Program is a run on the engine.
type Program struct {
	Prog    *engine.Program
	Weights *engine.Weights
	Inputs  map[string]*engine.Tensor
	Steps   uint64
}

var tinyLlama = nn.LlamaConfig{Dim: 16, HiddenDim: 24, Layers: 1, Heads: 4, KVHeads: 2, Vocab: 300, Ctx: 9, EOS: []int64{1}}

func i64(tb testing.TB, v ...int64) *engine.Tensor {
	tb.Helper()
	x, err := engine.FromI64(v, int64(len(v)))
	require.NoError(tb, err)
	return x
}

func u8(tb testing.TB, mod uint8, shape ...int64) *engine.Tensor {
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

// bind completes initial parameters, big enough to make a difference, with named tensors.
func bind(tb testing.TB, prog *engine.Program, params []nn.ParamSpec, more map[string]*engine.Tensor) *engine.Weights {
	tb.Helper()
	params = slices.Clone(params)
	for i := range params {
		if len(params[i].Shape) == 2 {
			params[i].Init = nn.Normal(0.6)
		}
	}
	tensors, err := nn.InitParams(params, 3)
	require.NoError(tb, err)
	for name, x := range more {
		tensors[name] = x
	}
	w, err := engine.WeightsByName(prog, tensors)
	require.NoError(tb, err)
	return w
}

func ropes(tb testing.TB, cfg nn.LlamaConfig) map[string]*engine.Tensor {
	tb.Helper()
	cos, sin, err := nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(tb, err)
	return map[string]*engine.Tensor{"rope.cos": cos, "rope.sin": sin}
}

// MLP is a classifier of one hidden layer.
func MLP(tb testing.TB) Program {
	tb.Helper()
	net := nn.MLP{Sizes: []int64{700, 40, 10}}
	prog, err := nn.Classifier(net, 1, engine.DefaultLimits())
	require.NoError(tb, err)
	x := make([]float32, 700)
	for i := range x {
		x[i] = float32(i%17) / 16
	}
	in, err := engine.FromF32(x, prog.InputSpecs()[0].Shape...)
	require.NoError(tb, err)
	return Program{prog, bind(tb, prog, net.Params(), nil), map[string]*engine.Tensor{prog.InputSpecs()[0].Name: in}, 1}
}

// Llama is a tiny transformer that samples four tokens after a prompt of three.
func Llama(tb testing.TB) Program {
	tb.Helper()
	prog, err := nn.Llama(tinyLlama, engine.DefaultLimits())
	require.NoError(tb, err)
	temperature, err := engine.FromI32([]int32{900000}, 1)
	require.NoError(tb, err)
	topK, err := engine.FromI32([]int32{20}, 1)
	require.NoError(tb, err)
	return Program{prog, bind(tb, prog, tinyLlama.Params(), ropes(tb, tinyLlama)), map[string]*engine.Tensor{
		"prompt": i64(tb, 2, 3, 4), "seed": i64(tb, 77), "temperature": temperature, "top_k": topK,
	}, 7}
}

// CNNTraining is two steps of training a small convolutional net by momentum.
func CNNTraining(tb testing.TB) Program {
	tb.Helper()
	cnn := nn.CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{3}, Hidden: 6, Output: 4}
	tc := nn.TrainConfig{Batch: 3, Steps: 4, LR: 0.05, DataLen: 10, DataDType: engine.U8, Optimizer: nn.SGD{Momentum: 0.9}}
	prog, err := nn.ClassifierTrainer(cnn, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	w := bind(tb, prog, cnn.Params(), map[string]*engine.Tensor{"data": u8(tb, 255, 10, 1, 8, 8), "labels": u8(tb, 4, 10)})
	return Program{prog, w, nil, 2}
}

// LlamaTraining is two steps of training a tiny transformer by Adam.
func LlamaTraining(tb testing.TB) Program {
	tb.Helper()
	cfg := tinyLlama
	cfg.Vocab = 20
	tc := nn.TrainConfig{Batch: 2, Seq: 5, Steps: 4, LR: 0.01, DataLen: 40, DataDType: engine.U8}
	prog, err := nn.LlamaTrainer(cfg, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	more := ropes(tb, cfg)
	more["data"] = u8(tb, 20, 40)
	return Program{prog, bind(tb, prog, cfg.Params(), more), nil, 2}
}

// Sprint is an audit of three leaves of two tokens by the smallest reference transformer.
func Sprint(tb testing.TB) Program {
	tb.Helper()
	prog, err := sprint.Program(sprint.Tiny())
	require.NoError(tb, err)
	w, err := sprint.Weights(prog, [sprint.SeedSize]byte{5})
	require.NoError(tb, err)
	in, err := sprint.Inputs(prog, sprint.Key("chain", []byte("random"), 1, "participant"), []uint64{2, 3, 8}, 2)
	require.NoError(tb, err)
	return Program{prog, w, in, 6}
}
