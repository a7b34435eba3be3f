package game_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/game/alphabet"
	"poaid/testutil/adversary"
)

var small = alphabet.Config{Length: 2500, Nodes: 7, Terms: 300, Stride: 1}

func TestFlippedLetter(t *testing.T) {
	w := alphabets(t, small, 20, 4)
	liar := w.lie(adversary.Flip(11, 4, 1234, 1)) // a tally
	s := seq(t, w, liar, w.truth)
	s.In(game.PhaseResult).Defend().ExpectAttack(game.Reject{Index: 0})
	// 20 steps in four: 5, 10, 15; state 12 is the first wrong one.
	s.In(game.PhaseSteps).Defend().ExpectAttack(game.Reject{Index: 2})
	require.Equal(t, [2]uint64{10, 15}, [2]uint64{s.g.From, s.g.To})
	s.Defend().ExpectAttack(game.Reject{Index: 1})
	require.Equal(t, [2]uint64{11, 12}, [2]uint64{s.g.From, s.g.To})
	// Seven nodes: [0, 2), [2, 4), [4, 6), [6, 7).
	s.In(game.PhaseDescent).Defend().ExpectAttack(game.Reject{Index: 2}).Defend().ExpectAttack(game.Reject{Index: 0})
	require.Equal(t, game.TreeTensor, s.g.Tree)
	require.Equal(t, 4, s.g.Node)
	s.Until(game.PhaseFold, 0, game.Defender)
	require.Equal(t, int64(1234), s.g.Elem)
	s.Defend().ExpectAttack(game.Reject{Index: 64}).In(game.PhaseJudge)
	require.LessOrEqual(t, s.g.FoldTo-s.g.FoldFrom, int64(5))
	s.Wins(game.Challenger, game.ReasonRefuted)
	require.Equal(t, game.Payout{Challenger: 100_001 + 50_001 - 50_001, Burn: 50_001}, s.g.Payout())
}

func TestEveryNodeFromBothSides(t *testing.T) {
	for name, c := range map[string]alphabet.Config{
		"contiguous": small,
		"strided":    {Length: 70_000, Nodes: 3, Terms: 67, Stride: 1031},
		"short":      {Length: 3, Nodes: 2, Terms: 0, Stride: 1},
		"no terms":   {Length: 30, Nodes: 4, Terms: 0, Stride: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := alphabets(t, c, 3, 2)
			lies := 0
			for node := 1; node < c.Nodes; node++ {
				for _, step := range []uint64{0, 2} {
					liar := w.lie(adversary.Flip(step, node, 4000, 2))
					if root, err := game.ResultRoot(liar, 3); root == w.root {
						require.NoError(t, err)
						continue // nobody reads it: no lie
					}
					s := seq(t, w, liar, w.truth).Wins(game.Challenger, game.ReasonRefuted)
					require.Equal(t, step, s.g.From)
					require.Equal(t, node, s.g.Node)
					require.Equal(t, 4000%c.Length, s.g.Elem)
					seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
					lies++
				}
			}
			require.NotZero(t, lies)
		})
	}
}

func TestStop(t *testing.T) {
	c := small
	c.StopAfter = 5
	w := alphabets(t, c, 12, 4)
	t.Run("went on after the stop", func(t *testing.T) {
		longer := c
		longer.StopAfter = 6
		liar := alphabets(t, longer, 12, 4)
		// What differs first is step 4, whose stop state is not what it should be.
		s := seq(t, w, liar.truth, w.truth).Wins(game.Challenger, game.ReasonRefuted)
		require.Equal(t, uint64(4), s.g.From)
		require.Equal(t, 0, s.g.Node)
		seq(t, w, w.truth, liar.truth).Wins(game.Defender, game.ReasonUpheld)
	})
	t.Run("computed in an identity step", func(t *testing.T) {
		liar := &adversary.StateTrace{Trace: w.truth, From: 8, State: 1}
		s := seq(t, w, liar, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Defender)
		require.Equal(t, uint64(7), s.g.From)
		made := make([]commit.Hash, 4)
		s.Play(game.Split{Hashes: made}).Wins(game.Challenger, game.ReasonRefuted)
	})
	t.Run("the defender says it itself", func(t *testing.T) {
		liar := &adversary.StateTrace{Trace: w.truth, From: 8, State: 1}
		s := seq(t, w, w.truth, liar).Until(game.PhaseDescent, game.TreeNodes, game.Defender)
		require.IsType(t, game.Stopped{}, s.next())
		s.Wins(game.Defender, game.ReasonUpheld)
		// Saying so of a step that was changed convicts.
		seq(t, w, liar, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Defender).Defend().Wins(game.Challenger, game.ReasonRefuted)
	})
	t.Run("pretended", func(t *testing.T) {
		liar := w.lie(adversary.Flip(3, 2, 9, 1))
		s := seq(t, w, liar, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Defender)
		x, err := liar.Tensor(3, engine.OperandRef{Kind: graphpb.REF_KIND_STATE})
		require.NoError(t, err)
		tree, err := liar.Tree(game.TreeStates, 3)
		require.NoError(t, err)
		member, err := tree.Prove(0, 1)
		require.NoError(t, err)
		proof := game.OperandProof{Root: x.Root, Member: member, Ranges: []game.RangeProof{{Data: x.Data}}}
		s.Refused(game.Stopped{Proof: game.Evidence{Operands: []game.OperandProof{proof}}}, game.RuleStop)
		proof.Ranges = []game.RangeProof{{Data: []byte{1, 0, 0, 0, 0, 0, 0, 0}}}
		s.Refused(game.Stopped{Proof: game.Evidence{Operands: []game.OperandProof{proof}}}, game.RuleEvidence)
	})
}

func TestWrongOutput(t *testing.T) {
	w := alphabets(t, small, 5, 4)
	liar := &adversary.OutputTrace{Trace: w.truth, Output: 1}
	s := seq(t, w, liar, w.truth)
	s.Defend().ExpectAttack(game.Reject{Index: 1}).Wins(game.Challenger, game.ReasonRefuted)
	require.Equal(t, game.TreeOutputs, s.g.Tree)
	require.Equal(t, uint64(1), s.g.Span.Lo)
	seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
}

func TestWrongUpdate(t *testing.T) {
	w := alphabets(t, small, 5, 4)
	for state := range w.machine.States() {
		for _, from := range []uint64{1, 3, 5} {
			liar := &adversary.StateTrace{Trace: w.truth, From: from, State: state}
			s := seq(t, w, liar, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Challenger)
			s.ExpectAttack(game.RejectUpdates{}).Wins(game.Challenger, game.ReasonRefuted)
			require.Equal(t, from-1, s.g.From)
			require.Equal(t, uint64(state), s.g.Span.Lo)
			seq(t, w, w.truth, liar).Wins(game.Defender, game.ReasonUpheld)
		}
	}
}

func TestRootWithoutPreimage(t *testing.T) {
	w := alphabets(t, small, 5, 4)
	g := w.start(t, commit.Leaf([]byte("made up")), w.root)
	m, err := w.solver(w.truth).Next(g)
	require.NoError(t, err)
	require.ErrorIs(t, g.Legal(m), game.ErrIllegal)
	g = g.Advance(g.Left())
	require.Equal(t, game.Nobody, g.Winner())
	g = g.Advance(1)
	require.Equal(t, game.Challenger, g.Winner())
	require.Equal(t, game.ReasonSilence, g.Reason)
}

func TestSilence(t *testing.T) {
	w := alphabets(t, small, 9, 2)
	liar := w.lie(adversary.Flip(4, 2, 77, 1))
	for moves := 0; ; moves++ {
		s := seq(t, w, liar, w.truth)
		for i := 0; i < moves && s.g.Phase != game.PhaseOver; i++ {
			s.Play(s.next())
		}
		if s.g.Phase == game.PhaseOver {
			require.Greater(t, moves, 12)
			return
		}
		quiet := s.g.Turn()
		s.Wait(s.g.Left()).Wait(1)
		require.Equal(t, quiet.Other(), s.g.Winner())
		require.Equal(t, game.ReasonSilence, s.g.Reason)
	}
}

func TestClocks(t *testing.T) {
	w := alphabets(t, small, 16, 4)
	s := seq(t, w, w.lie(adversary.Flip(4, 2, 77, 1)), w.truth)
	// 17,500 units a step (2,500 letters, 7 nodes): 280 blocks at 1,000 a block for the whole run.
	require.Equal(t, uint64(10+280+1), s.g.MoveLeft)
	total := s.g.TotalLeft
	s.Wait(30).Defend()
	require.Equal(t, [2]uint64{total[0] - 30, total[1]}, s.g.TotalLeft)
	require.Equal(t, uint64(291), s.g.MoveLeft)
	s.Attack().Defend().Attack()
	require.Equal(t, uint64(10+70+1), s.g.MoveLeft, "four steps are left")
	s.Until(game.PhaseDescent, game.TreeTensor, game.Defender)
	require.Equal(t, uint64(10+17+1), s.g.MoveLeft, "one step is left")
	require.GreaterOrEqual(t, total[0], uint64(100+2*280+70+17))
	// The total clock ends a game of somebody who is late every time.
	for s.g.Phase != game.PhaseOver && s.g.TotalLeft[0] > 0 {
		s.g.TotalLeft[0] = 5
		s.Wait(s.g.Left())
	}
	s.Wait(1)
	require.Equal(t, game.Challenger, s.g.Winner())
}

func TestPayout(t *testing.T) {
	w := alphabets(t, small, 5, 4)
	liar := w.lie(adversary.Flip(2, 1, 0, 1))
	s := seq(t, w, w.truth, liar)
	require.Equal(t, game.Payout{Defender: 100_001, Challenger: 50_001}, s.g.Payout())
	s.Wins(game.Defender, game.ReasonUpheld)
	fees := 100 * s.g.Rounds
	require.Equal(t, game.Payout{Defender: 100_001 + fees, Burn: 50_001 - fees}, s.g.Payout())
}

func TestSetupErrors(t *testing.T) {
	w := alphabets(t, small, 5, 4)
	good := w.setup
	good.Root, good.Rival = w.root, commit.Hash{1}
	_, err := game.New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(s *game.Setup){
		"machine": func(s *game.Setup) { s.Machine = nil },
		"steps":   func(s *game.Setup) { s.Steps = 0 },
		"rival":   func(s *game.Setup) { s.Rival = s.Root },
		"arity":   func(s *game.Setup) { s.Arity = 6 },
		"clocks":  func(s *game.Setup) { s.Clocks.Rate = 0 },
		"prepay":  func(s *game.Setup) { s.Bonds.MoveFee = 2000 },
		"coins":   func(s *game.Setup) { s.Bonds.Defender = 1<<64 - 1 },
		"burn":    func(s *game.Setup) { s.Bonds.BurnBps = 4999 },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			change(&s)
			_, err := game.New(s)
			require.Error(t, err)
		})
	}
}
