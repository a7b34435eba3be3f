package game_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/game"
	"poaid/testutil/adversary"
	"poaid/testutil/programs"
)

// program is a run on the engine.
type program programs.Program

// world makes the run's world: the truth by re-execution on the engine, lies by the reference.
func (p program) world(tb testing.TB, arity uint64) *world {
	tb.Helper()
	in, err := p.Prog.BindInputs(p.Inputs)
	require.NoError(tb, err)
	m, err := game.NewProgramMachine(p.Prog, in.Rows(), engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 64})
	require.NoError(tb, err)
	w := &world{machine: m, setup: game.Setup{Machine: m, Steps: p.Steps, Arity: arity, Clocks: testClocks, Bonds: testBonds}, lies: make(map[[2]uint64]game.Trace)}
	w.setup.Weights, err = p.Weights.Root(1)
	require.NoError(tb, err)
	w.setup.Inputs, err = in.Root(1)
	require.NoError(tb, err)
	truth, err := game.NewEngineTrace(context.Background(), m, p.Prog, p.Weights, in, p.Steps, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	w.truth = truth
	w.root, err = game.ResultRoot(truth, p.Steps)
	require.NoError(tb, err)
	res, err := engine.Execute(context.Background(), p.Prog, p.Weights, p.Inputs, p.Steps, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	require.Equal(tb, res.ResultRoot, w.root)
	source, err := game.NewReferenceSource(m, p.Weights.Tensors(), in.Tensors(), p.Steps)
	require.NoError(tb, err)
	w.lie = func(tamper game.Tamper) game.Trace {
		src, err := source.Tampered(tamper)
		require.NoError(tb, err)
		return game.NewRerun(m, src, p.Weights.Tensors(), in.Tensors(), p.Steps)
	}
	honest, err := game.ResultRoot(w.lie(nil), p.Steps)
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
	for name, make := range map[string]func(testing.TB) programs.Program{
		"mlp": programs.MLP, "llama": programs.Llama, "cnn training": programs.CNNTraining, "llama training": programs.LlamaTraining,
		"zoo": programs.Zoo, "sprint": programs.Sprint,
	} {
		t.Run(name, func(t *testing.T) {
			p := program(make(t))
			require.NoError(t, game.Judgeable(p.Prog))
			w := p.world(t, 16)
			done := map[string]bool{}
			largest, rounds := 0, uint64(0)
			for _, step := range []uint64{p.Steps - 1, 0} {
				for n := w.machine.Nodes(step) - 1; n >= 0; n-- {
					view, _, err := w.machine.Node(step, n)
					require.NoError(t, err)
					key := fmt.Sprint(view.Op.Name, step)
					if done[key] && name != "zoo" && name != "sprint" {
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
	p := program(programs.Llama(t))
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
