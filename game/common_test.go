package game_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/game/alphabet"
)

var (
	testClocks = game.Clocks{Base: 10, Rate: 1000, Reserve: 100}
	testBonds  = game.Bonds{Defender: 100_001, Challenger: 50_001, MoveFee: 100, BurnBps: 5000}
)

// fataler is *testing.T or *rapid.T.
type fataler interface {
	require.TestingT
	Helper()
}

// world is a run as it should be, and the setup of games about it without the roots in dispute.
type world struct {
	machine game.Machine
	setup   game.Setup
	truth   game.Trace
	root    commit.Hash
	// lie runs the same with a lie in it.
	lie  func(tamper game.Tamper) game.Trace
	lies map[[2]uint64]game.Trace
}

// alphabets makes a world of letters.
func alphabets(t fataler, c alphabet.Config, steps, arity uint64) *world {
	t.Helper()
	m, err := alphabet.New(c)
	require.NoError(t, err)
	weights, inputs, err := m.Tensors(3)
	require.NoError(t, err)
	w := &world{machine: m, setup: game.Setup{Machine: m, Steps: steps, Arity: arity, Clocks: testClocks, Bonds: testBonds}, lies: make(map[[2]uint64]game.Trace)}
	w.setup.Weights, w.setup.Inputs, err = m.Roots(weights, inputs)
	require.NoError(t, err)
	source, err := game.NewReferenceSource(m, weights, inputs, steps)
	require.NoError(t, err)
	w.lie = func(tamper game.Tamper) game.Trace {
		src, err := source.Tampered(tamper)
		require.NoError(t, err)
		return game.NewRerun(m, src, weights, inputs, steps)
	}
	w.truth = w.lie(nil)
	w.root, err = game.ResultRoot(w.truth, steps)
	require.NoError(t, err)
	return w
}

// start begins a game between two roots.
func (w *world) start(t fataler, defended, rival commit.Hash) game.Game {
	t.Helper()
	s := w.setup
	s.Root, s.Rival = defended, rival
	g, err := game.New(s)
	require.NoError(t, err)
	return g
}

func (w *world) solver(tr game.Trace) *game.Solver {
	return &game.Solver{Machine: w.machine, Trace: tr}
}

// invariant is a rule that holds between a position and the one before it.
type invariant struct {
	name  string
	check func(before, after game.Game) error
}

var invariants = []invariant{
	{
		// Rationale: whoever is silent loses, so somebody must be due.
		"somebody is to move until the game is over", func(_, g game.Game) error {
			if over := g.Phase == game.PhaseOver; over != (g.Turn() == game.Nobody) || over != (g.Winner() != game.Nobody) {
				return fmt.Errorf("phase %s, turn %s, winner %s", g.Phase, g.Turn(), g.Winner())
			}
			return nil
		},
	},
	{
		// Rationale: what was agreed stays agreed; a game that widens may never end.
		"ranges only narrow", func(b, g game.Game) error {
			switch {
			case g.From < b.From || g.To > b.To || g.From >= g.To:
				return fmt.Errorf("steps [%d, %d) after [%d, %d)", g.From, g.To, b.From, b.To)
			case b.Phase == game.PhaseDescent && g.Phase == b.Phase && g.Tree == b.Tree && (g.Span.Lo < b.Span.Lo || g.Span.Hi > b.Span.Hi):
				return fmt.Errorf("leaves %v after %v", g.Span, b.Span)
			case b.Phase == game.PhaseFold && (g.FoldFrom < b.FoldFrom || g.FoldTo > b.FoldTo):
				return fmt.Errorf("fold steps [%d, %d) after [%d, %d)", g.FoldFrom, g.FoldTo, b.FoldFrom, b.FoldTo)
			}
			return nil
		},
	},
	{
		// Rationale: every input of the rejected node must be provable, and nothing that is in question.
		"agreed subtrees tile the nodes before the rejected one", func(_, g game.Game) error {
			at := uint64(0)
			for _, a := range g.Agreed {
				if a.Span.Lo != at {
					return fmt.Errorf("%v after %d", a.Span, at)
				}
				at = a.Span.Hi
			}
			if g.Tree == game.TreeTensor && at != uint64(g.Node) {
				return fmt.Errorf("%d nodes are agreed before node %d", at, g.Node)
			}
			return nil
		},
	},
	{
		// Rationale: challenge bonds prepay the defender's moves, so their number must be bounded beforehand.
		"rounds are bounded", func(_, g game.Game) error {
			if g.Rounds > g.MaxRounds() {
				return fmt.Errorf("%d rounds, bound %d", g.Rounds, g.MaxRounds())
			}
			return nil
		},
	},
	{
		// Rationale: a bond belongs to somebody at every moment, and to nobody twice.
		"coins are constant", func(_, g game.Game) error {
			p := g.Payout()
			if sum := p.Defender + p.Challenger + p.Burn; sum != g.Bonds.Defender+g.Bonds.Challenger {
				return fmt.Errorf("%+v sums to %d", p, sum)
			}
			if least := map[game.Side]uint64{game.Defender: g.Bonds.Challenger, game.Challenger: g.Bonds.Defender}[g.Winner()]; 2*p.Burn < least {
				return fmt.Errorf("%+v burns less than half of %d", p, least)
			}
			return nil
		},
	},
	{
		// Rationale: a task waits for its games.
		"no game outlives its clocks", func(b, g game.Game) error {
			if g.TotalLeft[0] > b.TotalLeft[0] || g.TotalLeft[1] > b.TotalLeft[1] || g.Left() > max(g.TotalLeft[0], g.TotalLeft[1]) {
				return fmt.Errorf("left %d of %v", g.Left(), g.TotalLeft)
			}
			if spent := b.TotalLeft[0] - g.TotalLeft[0] + b.TotalLeft[1] - g.TotalLeft[1]; g.Elapsed-b.Elapsed < spent {
				return fmt.Errorf("%d blocks spent in %d", spent, g.Elapsed-b.Elapsed)
			}
			return nil
		},
	},
}

func holds(t fataler, before, after game.Game) {
	t.Helper()
	for _, inv := range invariants {
		require.NoError(t, inv.check(before, after), inv.name)
	}
}

// apply makes a legal move and checks everything about it.
func apply(t fataler, g game.Game, m game.Move) game.Game {
	t.Helper()
	require.LessOrEqual(t, m.Size(), game.MaxMessage)
	before := fmt.Sprintf("%v", g.Position)
	next, err := g.Apply(m)
	require.NoError(t, err, "%T in phase %s, tree %s", m, g.Phase, g.Tree)
	require.Equal(t, before, fmt.Sprintf("%v", g.Position), "a position was written to")
	holds(t, g, next)
	return next
}

func logCeil(n, k uint64) uint64 {
	r := uint64(0)
	for n > 1 {
		n = (n + k - 1) / k
		r++
	}
	return r
}

// roundBound is the bound of the design: ⌈log_K T⌉ + ⌈log_K nodes⌉ + ⌈log_K leaves⌉ + ⌈log_64 terms⌉ + 3, where a game about
// outputs or updates descends to an entry in place of a chunk.
func roundBound(t fataler, g game.Game) uint64 {
	t.Helper()
	bound := 3 + logCeil(g.Steps-g.Start, g.Arity) + logCeil(uint64(g.Machine.Nodes(g.From)), g.Arity)
	switch g.Tree {
	case game.TreeOutputs, game.TreeStates:
		return bound + logCeil(uint64(len(g.Machine.States())), g.Arity)
	case game.TreeTensor:
		view, _, err := g.Machine.Node(g.From, g.Node)
		require.NoError(t, err)
		n, err := engine.ByteSize(view.Out.DType, view.Out.Shape)
		require.NoError(t, err)
		steps, err := view.FoldSteps(g.Elem)
		require.NoError(t, err)
		bound += logCeil(commit.LeafCount(uint64(n)), g.Arity) + logCeil(uint64(steps), 64)
	}
	return bound
}

// sequence is a game as a test tells it.
type sequence struct {
	t        *testing.T
	g        game.Game
	defender *game.Solver
	attacker *game.Solver
}

// seq starts a game of a defender and a challenger by their traces.
func seq(t *testing.T, w *world, defender, challenger game.Trace) *sequence {
	t.Helper()
	roots := make([]commit.Hash, 2)
	for i, tr := range []game.Trace{defender, challenger} {
		var err error
		roots[i], err = game.ResultRoot(tr, w.setup.Steps)
		require.NoError(t, err)
	}
	return &sequence{t: t, g: w.start(t, roots[0], roots[1]), defender: w.solver(defender), attacker: w.solver(challenger)}
}

func (s *sequence) next() game.Move {
	s.t.Helper()
	who := s.defender
	if s.g.Turn() == game.Challenger {
		who = s.attacker
	}
	m, err := who.Next(s.g)
	require.NoError(s.t, err)
	return m
}

// Defend makes the defender's next move.
func (s *sequence) Defend() *sequence {
	s.t.Helper()
	require.Equal(s.t, game.Defender, s.g.Turn())
	return s.Play(s.next())
}

// Attack makes the challenger's next move.
func (s *sequence) Attack() *sequence {
	s.t.Helper()
	require.Equal(s.t, game.Challenger, s.g.Turn())
	return s.Play(s.next())
}

// Play makes any move of whoever is to move.
func (s *sequence) Play(m game.Move) *sequence {
	s.t.Helper()
	s.g = apply(s.t, s.g, m)
	return s
}

// Refused tries a move that a rule forbids.
func (s *sequence) Refused(m game.Move, rule game.Rule) *sequence {
	s.t.Helper()
	err := s.g.Legal(m)
	require.ErrorIs(s.t, err, game.ErrIllegal)
	var ill *game.IllegalMoveError
	require.ErrorAs(s.t, err, &ill)
	require.Equal(s.t, rule, ill.Rule, "%v", err)
	return s
}

// ExpectAttack says what the challenger's solver will do next, and does it.
func (s *sequence) ExpectAttack(m game.Move) *sequence {
	s.t.Helper()
	require.Equal(s.t, game.Challenger, s.g.Turn())
	require.Equal(s.t, m, s.next())
	return s.Play(m)
}

// Wait lets blocks pass.
func (s *sequence) Wait(blocks uint64) *sequence {
	s.t.Helper()
	next := s.g.Advance(blocks)
	holds(s.t, s.g, next)
	s.g = next
	return s
}

// In expects a phase.
func (s *sequence) In(p game.Phase) *sequence {
	s.t.Helper()
	require.Equal(s.t, p, s.g.Phase)
	return s
}

// Until lets both play on until a phase (and a tree, if it is a descent) where a side is to move.
func (s *sequence) Until(p game.Phase, tree game.Tree, turn game.Side) *sequence {
	s.t.Helper()
	for s.g.Phase != p || tree != 0 && s.g.Tree != tree || s.g.Turn() != turn {
		require.NotEqual(s.t, game.PhaseOver, s.g.Phase, "the game ended on the way")
		s.Play(s.next())
	}
	return s
}

// Wins lets both play on to the end.
func (s *sequence) Wins(who game.Side, why game.Reason) *sequence {
	s.t.Helper()
	for s.g.Phase != game.PhaseOver {
		s.Play(s.next())
	}
	require.Equal(s.t, who, s.g.Winner())
	require.Equal(s.t, why, s.g.Reason)
	require.LessOrEqual(s.t, s.g.Rounds, roundBound(s.t, s.g))
	return s
}
