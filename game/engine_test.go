package game_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/game"
	"poaid/testutil/adversary"
)

// program is a run on the engine.
type program struct {
	prog    *engine.Program
	weights *engine.Weights
	inputs  map[string]*engine.Tensor
	steps   uint64
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

func mlp(tb testing.TB) program {
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
	return program{prog, bind(tb, prog, net.Params(), nil), map[string]*engine.Tensor{prog.InputSpecs()[0].Name: in}, 1}
}

func llama(tb testing.TB) program {
	tb.Helper()
	prog, err := nn.Llama(tinyLlama, engine.DefaultLimits())
	require.NoError(tb, err)
	temperature, err := engine.FromI32([]int32{900000}, 1)
	require.NoError(tb, err)
	topK, err := engine.FromI32([]int32{20}, 1)
	require.NoError(tb, err)
	return program{prog, bind(tb, prog, tinyLlama.Params(), ropes(tb, tinyLlama)), map[string]*engine.Tensor{
		"prompt": i64(tb, 2, 3, 4), "seed": i64(tb, 77), "temperature": temperature, "top_k": topK,
	}, 7}
}

func cnnTraining(tb testing.TB) program {
	tb.Helper()
	cnn := nn.CNN{Channels: 1, Height: 8, Width: 8, Filters: []int64{3}, Hidden: 6, Output: 4}
	tc := nn.TrainConfig{Batch: 3, Steps: 4, LR: 0.05, DataLen: 10, DataDType: engine.U8, Optimizer: nn.SGD{Momentum: 0.9}}
	prog, err := nn.ClassifierTrainer(cnn, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	w := bind(tb, prog, cnn.Params(), map[string]*engine.Tensor{"data": u8(tb, 255, 10, 1, 8, 8), "labels": u8(tb, 4, 10)})
	return program{prog, w, nil, 2}
}

func llamaTraining(tb testing.TB) program {
	tb.Helper()
	cfg := tinyLlama
	cfg.Vocab = 20
	tc := nn.TrainConfig{Batch: 2, Seq: 5, Steps: 4, LR: 0.01, DataLen: 40, DataDType: engine.U8}
	prog, err := nn.LlamaTrainer(cfg, tc, engine.DefaultLimits())
	require.NoError(tb, err)
	more := ropes(tb, cfg)
	more["data"] = u8(tb, 20, 40)
	return program{prog, bind(tb, prog, cfg.Params(), more), nil, 2}
}

// world makes the run's world: the truth by re-execution on the engine, lies by the reference.
func (p program) world(tb testing.TB, arity uint64) *world {
	tb.Helper()
	in, err := p.prog.BindInputs(p.inputs)
	require.NoError(tb, err)
	m, err := game.NewProgramMachine(p.prog, in.Rows(), engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 64})
	require.NoError(tb, err)
	w := &world{machine: m, setup: game.Setup{Machine: m, Steps: p.steps, Arity: arity, Clocks: testClocks, Bonds: testBonds}, lies: make(map[[2]uint64]game.Trace)}
	w.setup.Weights, err = p.weights.Root(1)
	require.NoError(tb, err)
	w.setup.Inputs, err = in.Root(1)
	require.NoError(tb, err)
	truth, err := game.NewEngineTrace(context.Background(), m, p.prog, p.weights, in, p.steps, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	w.truth = truth
	w.root, err = game.ResultRoot(truth, p.steps)
	require.NoError(tb, err)
	res, err := engine.Execute(context.Background(), p.prog, p.weights, p.inputs, p.steps, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	require.Equal(tb, res.ResultRoot, w.root)
	source, err := game.NewReferenceSource(m, p.weights.Tensors(), in.Tensors(), p.steps)
	require.NoError(tb, err)
	w.lie = func(tamper game.Tamper) game.Trace {
		src, err := source.Tampered(tamper)
		require.NoError(tb, err)
		return game.NewRerun(m, src, p.weights.Tensors(), in.Tensors(), p.steps)
	}
	honest, err := game.ResultRoot(w.lie(nil), p.steps)
	require.NoError(tb, err)
	require.Equal(tb, w.root, honest)
	return w
}

// lieOf flips one bit of one element of one node that changes the result; false if no bit tried does.
func (w *world) lieOf(tb testing.TB, step uint64, node int) (game.Trace, bool) {
	tb.Helper()
	for _, at := range []int{3, 1 << 30, 7, 0, 43} {
		tr := w.lie(adversary.Flip(step, node, at, 0x40))
		root, err := game.ResultRoot(tr, w.setup.Steps)
		require.NoError(tb, err)
		if root != w.root {
			return tr, true
		}
	}
	return nil, false
}

// TestFlippedBitOfEveryOp flips one bit in an output of every op of the engine, in programs as they are used and in a zoo
// where every node is an output, and plays it from both sides. Where nobody reads the flipped bit the result is the same,
// and it is no lie.
func TestFlippedBitOfEveryOp(t *testing.T) {
	seen := make(map[string]bool)
	for name, make := range map[string]func(testing.TB) program{
		"mlp": mlp, "llama": llama, "cnn training": cnnTraining, "llama training": llamaTraining, "zoo": zoo,
	} {
		t.Run(name, func(t *testing.T) {
			p := make(t)
			require.NoError(t, game.Judgeable(p.prog))
			w := p.world(t, 16)
			done := map[string]bool{}
			largest, rounds := 0, uint64(0)
			for _, step := range []uint64{p.steps - 1, 0} {
				for n := w.machine.Nodes(step) - 1; n >= 0; n-- {
					view, _, err := w.machine.Node(step, n)
					require.NoError(t, err)
					key := fmt.Sprint(view.Op.Name, step)
					if done[key] && name != "zoo" {
						continue
					}
					liar, ok := w.lieOf(t, step, n)
					if !ok {
						continue
					}
					done[key] = true
					seen[view.Op.Name] = true
					s := seq(t, w, liar, w.truth)
					for s.g.Phase != game.PhaseOver {
						m := s.next()
						largest = max(largest, m.Size())
						s.Play(m)
					}
					s.Wins(game.Challenger, game.ReasonRefuted)
					require.Equal(t, step, s.g.From, view.Op.Name)
					require.Equal(t, n, s.g.Node, view.Op.Name)
					rounds = max(rounds, s.g.Rounds)
					seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
				}
			}
			t.Logf("%d kinds of lies, at most %d rounds and %d bytes a move", len(done), rounds, largest)
		})
	}
	for _, op := range engine.OpNames() {
		require.True(t, seen[op], "no lie about %s", op)
	}
}

// TestEngineLies plays the lies that are not about a node, and silence, on a program with caches and a stop state.
func TestEngineLies(t *testing.T) {
	p := llama(t)
	w := p.world(t, 2)
	for output := range w.machine.Outputs() {
		liar := &adversary.OutputTrace{Trace: w.truth, Output: output}
		seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
		seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
	}
	for state := range w.machine.States() {
		for _, from := range []uint64{1, 2, 3, 5, 7} { // forced and step graph; updated and kept states
			liar := &adversary.StateTrace{Trace: w.truth, From: from, State: state}
			seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
			seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
		}
	}
}

// TestTruncatedGeneration stops a run early.
func TestTruncatedGeneration(t *testing.T) {
	b := nn.NewBuilder(40)
	count, stop := b.State("count", engine.I64, 1), b.State("stop", engine.I64, 1)
	g := b.Step()
	next := g.Add(count, g.I64(1))
	g.Update(count, next)
	g.Update(stop, g.Where(g.Eq(next, g.I64(23)), next, g.I64(0)))
	b.Output(count)
	b.Output(stop)
	b.StopState(stop)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	weights, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	p := program{prog, weights, nil, 40}
	w := p.world(t, 4)
	update, err := w.machine.Update(9, 1)
	require.NoError(t, err)
	liar := w.lie(adversary.Flip(9, update, 0, 10))
	s := seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
	require.Equal(t, uint64(9), s.g.From)
	seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
	// And one that goes on where it should have stopped.
	liar = w.lie(adversary.Flip(22, update, 0, 23))
	s = seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
	require.Equal(t, uint64(22), s.g.From)
	seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
	// And one that counts on behind the stop.
	behind := &adversary.StateTrace{Trace: w.truth, From: 30, State: 0}
	s = seq(t, w, w.truth, behind).Until(game.PhaseDescent, game.TreeNodes, game.Defender)
	require.Equal(t, uint64(29), s.g.From)
	s.Wins(game.Defender, game.ReasonUpheld)
}
