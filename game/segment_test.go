package game_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/testutil/adversary"
	"poaid/testutil/programs"
)

// segment narrows a world down to the steps from start on: the truth is derived from the states before start alone, and so are lies.
func (p program) segment(tb testing.TB, start, arity uint64) *world {
	tb.Helper()
	w := p.world(tb, arity)
	in, err := p.Prog.BindInputs(p.Inputs)
	require.NoError(tb, err)
	run, err := engine.NewRun(p.Prog, p.Weights, in, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	for run.T() < start {
		require.NoError(tb, run.Step(context.Background()))
	}
	from := game.Checkpoint{Step: start}
	for _, x := range run.States() {
		from.States = append(from.States, x.Clone())
	}
	w.setup.Start = start
	w.setup.StartRoot, err = run.StateRoot()
	require.NoError(tb, err)
	truth, err := game.NewSegmentTrace(context.Background(), w.machine, p.Prog, p.Weights, in, from, p.Steps, engine.RunOptions{Threads: 1})
	require.NoError(tb, err)
	w.truth = truth
	root, err := game.ResultRoot(truth, p.Steps)
	require.NoError(tb, err)
	require.Equal(tb, w.root, root, "a run from a checkpoint comes to the root of the whole run")
	source, err := game.NewReferenceSegment(w.machine, p.Weights.Tensors(), in.Tensors(), from, p.Steps)
	require.NoError(tb, err)
	w.lie = func(tamper game.Tamper) game.Trace {
		src, err := source.Tampered(tamper)
		require.NoError(tb, err)
		return game.NewRerun(w.machine, src, p.Weights.Tensors(), in.Tensors(), p.Steps)
	}
	return w
}

// TestSegmentLies lies about every op of a training in the first, a middle and the last step of a segment that does not begin at 0.
func TestSegmentLies(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(testing.TB) programs.Program
		steps uint64
		start uint64
	}{
		"cnn training":   {programs.CNNTraining, 4, 1},
		"llama training": {programs.LlamaTraining, 4, 1},
		"llama":          {programs.Llama, 7, 4},
	} {
		t.Run(name, func(t *testing.T) {
			p := program(c.make(t))
			p.Steps = c.steps
			w := p.segment(t, c.start, 2)
			for _, step := range []uint64{c.start, (c.start + c.steps) / 2, c.steps - 1} {
				done := map[string]bool{}
				for n := w.machine.Nodes(step) - 1; n >= 0; n-- {
					view, _, err := w.machine.Node(step, n)
					require.NoError(t, err)
					if done[view.Op.Name] {
						continue
					}
					liar, ok := w.lieOf(t, step, n)
					if !ok {
						continue
					}
					done[view.Op.Name] = true
					s := seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
					require.Equal(t, step, s.g.From, view.Op.Name)
					require.Equal(t, n, s.g.Node, view.Op.Name)
					seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
				}
				require.NotEmpty(t, done)
				for state := range w.machine.States() {
					liar := &adversary.StateTrace{Trace: w.truth, From: step + 1, State: state}
					seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
					seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
				}
			}
		})
	}
}

// TestSegmentStart holds evidence about the states before a segment to its start root: a party that began from other states loses,
// however consistent what follows is.
func TestSegmentStart(t *testing.T) {
	p := program(programs.CNNTraining(t))
	p.Steps = 4
	w := p.segment(t, 2, 2)
	in, err := p.Prog.BindInputs(p.Inputs)
	require.NoError(t, err)
	played := 0
	for i, spec := range w.machine.States() {
		if spec.DType != engine.F32 {
			continue
		}
		from := game.Checkpoint{Step: 2}
		for j, s := range w.machine.States() {
			x, err := w.truth.Tensor(2, engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: j})
			require.NoError(t, err)
			data := append([]byte(nil), x.Data...)
			if i == j {
				data[0] ^= 0x10
			}
			tensor, err := engine.TensorFromBytes(s.DType, s.Shape, data)
			require.NoError(t, err)
			from.States = append(from.States, tensor)
		}
		liar, err := game.NewSegmentTrace(context.Background(), w.machine, p.Prog, p.Weights, in, from, p.Steps, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		root, err := game.ResultRoot(liar, p.Steps)
		require.NoError(t, err)
		if root == w.root {
			continue // nothing reads the changed element
		}
		seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
		// As a challenger it comes to where it has no evidence that holds under the start root, and falls silent.
		s := seq(t, w, w.truth, liar)
		for s.g.Phase != game.PhaseOver && s.g.Legal(s.next()) == nil {
			s.Play(s.next())
		}
		s.In(game.PhaseJudge)
		require.Equal(t, uint64(2), s.g.From)
		s.Refused(s.next(), game.RuleEvidence).Wait(s.g.Left() + 1).In(game.PhaseOver)
		require.Equal(t, game.Defender, s.g.Winner())
		played++
	}
	require.Positive(t, played)
}

// TestSegmentSetup refuses segments that there are not.
func TestSegmentSetup(t *testing.T) {
	w := alphabets(t, small, 8, 2)
	for name, c := range map[string]struct {
		start uint64
		root  commit.Hash
	}{
		"behind the end":    {9, commit.Hash{1}},
		"empty":             {8, commit.Hash{1}},
		"root of the start": {0, commit.Hash{1}},
	} {
		s := w.setup
		s.Root, s.Rival, s.Start, s.StartRoot = commit.Hash{2}, commit.Hash{3}, c.start, c.root
		_, err := game.New(s)
		require.Error(t, err, name)
	}
}
