package game_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/testutil/adversary"
)

// steer plays a challenger that rejects what it needs to reject to arrive at one node of one step, whatever is true.
func (s *sequence) steer(step uint64, node int) *sequence {
	s.t.Helper()
	for s.g.Phase != game.PhaseJudge {
		if s.g.Turn() == game.Defender {
			s.Defend()
			continue
		}
		for i := uint64(0); ; i++ {
			require.Less(s.t, i, uint64(300), "no choice leads there")
			next, err := s.g.Apply(game.Reject{Index: i})
			require.NoError(s.t, err)
			steps := step >= next.From && step < next.To
			tree := next.Tree != game.TreeNodes || !next.Rooted || uint64(node) >= next.Span.Lo && uint64(node) < next.Span.Hi
			if steps && tree && (next.Tree != game.TreeTensor || next.Node == node) {
				s.Play(game.Reject{Index: i})
				break
			}
		}
	}
	return s
}

// TestForgedInputs opens, in a game that is lost, every kind of input as another tensor with proofs that are right but for
// where it is: each must be held to the root that both sides stand by.
func TestForgedInputs(t *testing.T) {
	w := alphabets(t, small, 5, 2)
	liar := &adversary.OutputTrace{Trace: w.truth} // any rival will do
	shape := []int64{small.Length}
	for name, tc := range map[string]struct {
		step    uint64
		node    int
		operand int
		shape   []int64
	}{
		"state that starts as zero": {0, 1, 0, shape},
		"state":                     {3, 1, 0, shape},
		"weight":                    {3, 1, 1, shape},
		"input":                     {3, 1, 2, []int64{1}},
		"node, fold":                {3, 2, 0, shape},
		"node":                      {3, 3, 0, shape},
	} {
		t.Run(name, func(t *testing.T) {
			s := seq(t, w, w.truth, liar).steer(tc.step, tc.node)
			m, err := w.solver(w.truth).Next(s.g)
			require.NoError(t, err)
			honest, ok := m.(game.Judge)
			require.True(t, ok)
			n, err := commit.TensorBytes(uint8(engine.U8), tc.shape)
			require.NoError(t, err)
			data := make([]byte, n)
			for i := range data {
				data[i] = 9
			}
			tree := commit.NewTree(data)
			forged := game.Judge{Evidence: game.Evidence{Operands: slices.Clone(honest.Evidence.Operands)}}
			i := slices.IndexFunc(forged.Evidence.Operands, func(p game.OperandProof) bool { return p.Operand == tc.operand })
			p := &forged.Evidence.Operands[i]
			p.Root, err = commit.TensorRootOf(uint8(engine.U8), tc.shape, tree.Root())
			require.NoError(t, err)
			p.Ranges = nil
			for first := range tree.Leaves() {
				siblings, err := tree.Prove(first, 1)
				require.NoError(t, err)
				p.Ranges = append(p.Ranges, game.RangeProof{First: first, Data: data[first*commit.ChunkSize : min((first+1)*commit.ChunkSize, n)], Siblings: siblings})
			}
			s.Refused(forged, game.RuleEvidence)
			s.Play(honest)
			require.Equal(t, game.Defender, s.g.Winner())
		})
	}
}

// TestForgedEntry does the same where a state or an output is judged.
func TestForgedEntry(t *testing.T) {
	w := alphabets(t, small, 5, 2)
	for name, liar := range map[string]game.Trace{
		"output":           &adversary.OutputTrace{Trace: w.truth},
		"state, first":     &adversary.StateTrace{Trace: w.truth, From: 1, State: 4},
		"state, kept":      &adversary.StateTrace{Trace: w.truth, From: 3, State: 3},
		"state, a weight":  &adversary.StateTrace{Trace: w.truth, From: 1, State: 3},
		"state, of a node": &adversary.StateTrace{Trace: w.truth, From: 3, State: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := seq(t, w, w.truth, liar).Until(game.PhaseJudge, 0, game.Challenger)
			m, ok := s.next().(game.Judge)
			require.True(t, ok)
			m.Evidence.Operands[0].Root[3] ^= 1
			s.Refused(m, game.RuleEvidence).Refused(game.Judge{}, game.RuleEvidence).Wins(game.Defender, game.ReasonUpheld)
		})
	}
}

// TestTwoFaced answers from the truth once the lie is sealed: what D posts must lead to what it sealed.
func TestTwoFaced(t *testing.T) {
	w := alphabets(t, small, 5, 2)
	for name, tc := range map[string]struct {
		liar  game.Trace
		tree  game.Tree
		moves int
	}{
		"outputs":  {&adversary.OutputTrace{Trace: w.truth}, game.TreeOutputs, 0},
		"states":   {&adversary.StateTrace{Trace: w.truth, From: 3, State: 1}, game.TreeStates, 0},
		"tensor":   {w.lie(adversary.Flip(3, 4, 99, 1)), game.TreeTensor, 0},
		"children": {w.lie(adversary.Flip(3, 4, 99, 1)), game.TreeTensor, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := seq(t, w, tc.liar, w.truth).Until(game.PhaseDescent, tc.tree, game.Defender)
			for range tc.moves {
				s.Play(s.next())
			}
			m, err := w.solver(w.truth).Next(s.g)
			require.NoError(t, err)
			s.Refused(m, game.RuleHash)
		})
	}
}

// TestOneNode plays a step with a single node: C may still accept it and reject the state made of it.
func TestOneNode(t *testing.T) {
	w := product(t, 16, true).world(t, 4)
	require.Equal(t, 1, w.machine.Nodes(0))
	liar := &adversary.StateTrace{Trace: w.truth, From: 1}
	s := seq(t, w, liar, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Challenger)
	s.ExpectAttack(game.RejectUpdates{}).Wins(game.Challenger, game.ReasonRefuted)
	lie := w.lie(adversary.Flip(0, 0, 5, 1))
	seq(t, w, lie, w.truth).Wins(game.Challenger, game.ReasonRefuted)
	seq(t, w, w.truth, lie).Wins(game.Defender, game.ReasonUpheld)
}

// TestStateAsOperand makes sure the toy reads what TestForgedInputs forges.
func TestStateAsOperand(t *testing.T) {
	w := alphabets(t, small, 2, 2)
	_, refs, err := w.machine.Node(0, 1)
	require.NoError(t, err)
	require.Equal(t, []graphpb.RefKind{graphpb.REF_KIND_STATE, graphpb.REF_KIND_WEIGHT, graphpb.REF_KIND_INPUT},
		[]graphpb.RefKind{refs[0].Kind, refs[1].Kind, refs[2].Kind})
}
