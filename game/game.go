package game

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"poaid/commit"
)

// Setup is what does not change during a game. All of it is agreed: it comes from the task, the program and params.
type Setup struct {
	Machine Machine
	// Steps is T, at least 1.
	Steps uint64
	// Start is the first step argued about: 0, or where a segment of a run begins. The states before it are agreed: as the program says
	// they start where Start is 0, those with the root StartRoot otherwise.
	Start     uint64
	StartRoot commit.Hash
	// Weights and Inputs are the named roots of the program's weights and of the task's inputs.
	Weights, Inputs commit.Hash
	// Root is the result root that D stands for, Rival the one of C.
	Root, Rival commit.Hash
	// Arity is K, into how many parts a round of bisection cuts: a power of two from 2 to 256.
	Arity  uint64
	Clocks Clocks
	Bonds  Bonds
}

// Phase is what is being narrowed down.
type Phase uint8

// The phases, in the order in which a game passes through them.
const (
	PhaseResult  Phase = iota + 1 // D opens its result root, C accepts or rejects the states
	PhaseSteps                    // one step among T
	PhaseDescent                  // one leaf of one of D's trees: outputs, nodes, states or a tensor
	PhaseFold                     // a few steps of a fold
	PhaseJudge                    // C opens the inputs of what is left; the referee computes it
	PhaseOver
)

// String names the phase.
func (p Phase) String() string {
	return [...]string{"none", "result", "steps", "descent", "fold", "judge", "over"}[p%7]
}

// Tree is which of D's trees a descent goes down.
type Tree uint8

// The trees.
const (
	TreeOutputs Tree = iota + 1 // the entries of the output root
	TreeNodes                   // the nodes of one step
	TreeStates                  // the entries of the state root after that step
	TreeTensor                  // the chunks of one node
	TreeWeights                 // the program's weights; agreed, only proven against
	TreeInputs                  // the task's inputs; the same
)

// String names the tree.
func (t Tree) String() string {
	return [...]string{"none", "outputs", "nodes", "states", "tensor", "weights", "inputs"}[t%7]
}

// Reason is why a game ended.
type Reason uint8

// The reasons.
const (
	ReasonNone    Reason = iota
	ReasonSilence        // the loser's clock ran out
	ReasonRefuted        // the referee computed something else than D claimed
	ReasonUpheld         // the referee computed what D claimed
)

// String names the reason.
func (r Reason) String() string {
	return [...]string{"none", "silence", "refuted", "upheld"}[r%4]
}

// Subtree is a part of D's step tree that C did not reject.
type Subtree struct {
	Span commit.Span
	Hash commit.Hash
}

// Position is everything that changes. Its fields are plain, so that a chain can store it; slices in it are never
// written to after they were set.
type Position struct {
	Phase Phase
	// Mover is whose clock runs: Nobody's once the game is over.
	Mover Side

	// State and Output are D's opened result.
	State, Output commit.Hash

	// The states before step From are agreed, D's after step To−1 are rejected. FromState is the root of the former; unset at
	// step 0, where the program says what the states are.
	From, To           uint64
	FromState, ToState commit.Hash

	// Posted is what C chooses from: state roots, or the children of Span.
	Posted []commit.Hash

	// Tree is being descended; Span is the subtree that C rejected and Hash its node. A tree just entered is not Rooted:
	// its first children must lead to the root that D is held to.
	Tree   Tree
	Span   commit.Span
	Hash   commit.Hash
	Rooted bool
	// Agreed are subtrees of D's step tree that hold every node before the rejected one.
	Agreed []Subtree
	// Node is the first node rejected, Leaf its leaf in D's step tree.
	Node int
	Leaf commit.Hash

	// Chunk is chunk Span.Lo of the rejected node, as D opened it; Elem the element of the tensor that C rejects.
	Chunk []byte
	Elem  int64
	// The accumulator Acc before fold step FoldFrom is agreed, D's Claim after FoldTo−1 is rejected.
	FoldFrom, FoldTo int64
	Acc, Claim       []byte
	// Accs is what C chooses from.
	Accs [][]byte

	// Rounds counts D's moves, which are at the same time the rounds of the game.
	Rounds uint64
	// MoveLeft is for how many more blocks the mover may wait with this move, TotalLeft with all of its moves (D, C).
	MoveLeft  uint64
	TotalLeft [2]uint64
	// StepUnits bounds what one step costs.
	StepUnits uint64
	// Elapsed is the number of blocks played.
	Elapsed uint64

	Won    Side
	Reason Reason
	// Value is what the referee computed, Claim (for elements) or Hash what D claimed; only after a judgement.
	Value []byte
}

// Game is a game at one position. It is a value: Apply gives another one and leaves this one as it is.
type Game struct {
	Setup
	Position
}

// New starts a game. It errs on a setup that no game can be played with.
func New(s Setup) (Game, error) {
	switch {
	case s.Machine == nil:
		return Game{}, errors.New("machine: missing")
	case s.Steps == 0 || s.Steps > 1<<40:
		return Game{}, fmt.Errorf("steps: %d, want 1..2^40", s.Steps)
	case s.Start >= s.Steps:
		return Game{}, fmt.Errorf("start: step %d, want less than the %d steps", s.Start, s.Steps)
	case s.Start == 0 && s.StartRoot != (commit.Hash{}):
		return Game{}, errors.New("start_root: given for step 0, where the program says what the states are")
	case s.Root == s.Rival:
		return Game{}, errors.New("rival: equals the defended root, there is nothing to argue about")
	case s.Arity < 2 || s.Arity > 256 || s.Arity&(s.Arity-1) != 0:
		return Game{}, fmt.Errorf("arity: %d, want a power of two from 2 to 256", s.Arity)
	}
	g := Game{Setup: s, Position: Position{Phase: PhaseResult, Mover: Defender, From: s.Start, FromState: s.StartRoot, To: s.Steps}}
	if err := s.Clocks.check(); err != nil {
		return Game{}, err
	}
	if err := s.Bonds.check(g.MaxRounds()); err != nil {
		return Game{}, err
	}
	g, err := g.price()
	if err != nil {
		return Game{}, err
	}
	total := g.totalClock()
	g.TotalLeft = [2]uint64{total, total}
	return g.wind(), nil
}

// Resume gives a game from its setup and a stored position.
func Resume(s Setup, p Position) Game { return Game{Setup: s, Position: p} }

// Apply makes a move. A move that a rule forbids gives the game as it was and an IllegalMoveError.
func (g Game) Apply(m Move) (Game, error) {
	switch {
	case g.Phase == PhaseOver:
		return g, illegal(RuleOver, "%s won", g.Won)
	case m == nil:
		return g, illegal(RulePhase, "no move")
	case !m.by(g.Mover):
		return g, illegal(RuleTurn, "it is the %s's", g.Mover)
	case m.Size() > MaxMessage:
		return g, illegal(RuleSize, "%d bytes, limit %d", m.Size(), MaxMessage)
	}
	next, err := m.play(g)
	if err != nil {
		return g, err
	}
	if g.Mover == Defender {
		next.Rounds++
	}
	if next.Phase == PhaseOver {
		return next, nil
	}
	return next.wind(), nil
}

// Legal tells whether Apply would take the move, and if not, which rule forbids it.
func (g Game) Legal(m Move) error {
	_, err := g.Apply(m)
	return err
}

// Turn is whose clock runs: Nobody's once the game is over.
func (g Game) Turn() Side { return g.Mover }

// Winner is who has won, Nobody while the game goes on.
func (g Game) Winner() Side { return g.Won }

// levels is how many levels of a tree one round goes down.
func (g *Game) levels() int { return bits.TrailingZeros64(g.Arity) }

// over ends the game.
func (g Game) over(winner Side, why Reason) Game {
	g.Phase, g.Mover, g.Won, g.Reason = PhaseOver, Nobody, winner, why
	g.Posted, g.Accs, g.MoveLeft = nil, nil, 0
	return g
}

// cut gives the i-th of the points that cut [lo, hi) into n parts, none longer than the quotient rounded up.
func cut(lo, hi, n, i uint64) uint64 {
	q, r := (hi-lo)/n, (hi-lo)%n
	return lo + q*i + r*i/n
}

// concat appends without ever writing to what other positions may share.
func concat(agreed []Subtree, more ...Subtree) []Subtree {
	return append(slices.Clip(slices.Clone(agreed)), more...)
}

// MaxRounds bounds the rounds of any game with this setup: what the longest way through the phases takes.
func (g Game) MaxRounds() uint64 {
	states, outputs := uint64(len(g.Machine.States())), uint64(len(g.Machine.Outputs()))
	tree := func(leaves uint64) uint64 { return max(1, logCeil(leaves, g.Arity)) }
	nodes := max(uint64(g.Machine.Nodes(g.Start)), uint64(g.Machine.Nodes(g.Steps-1)))
	// A tensor has at most 2^41 chunks and a fold at most 2^48 steps; engine.Limits allow no more.
	element := logCeil(1<<41, g.Arity) + 1 + 8
	inside := tree(nodes) + max(element, tree(states))
	return 1 + max(tree(outputs), logCeil(g.Steps-g.Start, g.Arity)+inside)
}

// logCeil is the logarithm to base k ≥ 2, rounded up.
func logCeil(n, k uint64) uint64 {
	r := uint64(0)
	for n > 1 {
		n = (n + k - 1) / k
		r++
	}
	return r
}
