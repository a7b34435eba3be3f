package game

import "poaid/commit"

const (
	// MaxMessage is the largest move, in bytes of content.
	MaxMessage = 64 << 10
	// MaxEvidence is what the evidence of one judgement is planned to fit: MaxMessage less room for an encoding.
	MaxEvidence = 60 << 10
	// FoldArity is into how many parts, less one, a round of the fold phase cuts: the accumulators D posts.
	FoldArity = 64
	// MaxJudgedSteps is the most fold steps that the referee does.
	MaxJudgedSteps = 64
)

// Side is a party of a game.
type Side uint8

// The sides. Nobody is the winner of a game that is not decided.
const (
	Nobody Side = iota
	Defender
	Challenger
)

// String names the side.
func (s Side) String() string { return [...]string{"nobody", "defender", "challenger"}[s%3] }

// Other is the opponent.
func (s Side) Other() Side { return Defender + Challenger - s }

// Move is one move of either side: Open, Split, Chunk, Accumulators (D), Reject, RejectUpdates, Judge (C), Stopped (both).
type Move interface {
	// Size is the number of bytes of content.
	Size() int
	// by tells whether a side may make such a move at all.
	by(s Side) bool
	play(g Game) (Game, error)
}

// Open is D's first move: what its result root is made of.
type Open struct {
	State  commit.Hash // state_root_T
	Output commit.Hash // output_root
}

// Split is D's answer in a bisection: the state roots between the segments of a range of steps, or the children, left to
// right, of a subtree of one of its trees.
type Split struct {
	Hashes []commit.Hash
}

// Chunk is D's opening of one leaf of a tensor.
type Chunk struct {
	Data []byte
}

// Accumulators are what D says a fold has added up to at the cuts of a range of fold steps.
type Accumulators struct {
	Values [][]byte
}

// Stopped says that the step in question is the identity because the run had stopped before it; Proof opens the stop
// state. D says it in place of opening the step's nodes, C against nodes that D opened.
type Stopped struct {
	Proof Evidence
}

// Reject is C's choice: the first thing posted that it does not accept.
//
//	result    0: the states, 1: the outputs (the states are accepted)
//	steps     the first segment whose end is rejected; the last one is what was in question before
//	children  the first child that is rejected
//	chunk     the element of the chunk that is rejected
//	fold      the first segment whose end is rejected; the end of the last one is the element
type Reject struct {
	Index uint64
}

// RejectUpdates is C's choice in the first round over a step: all its nodes are right, but not the states made of them.
type RejectUpdates struct{}

// Judge opens what the referee needs to compute the one thing that is left. C makes it, as the last mover.
type Judge struct {
	Evidence Evidence
}

// Size implements Move.
func (Open) Size() int { return 2 * commit.Size }

// Size implements Move.
func (m Split) Size() int { return commit.Size * len(m.Hashes) }

// Size implements Move.
func (m Chunk) Size() int { return len(m.Data) }

// Size implements Move.
func (m Accumulators) Size() int {
	n := 0
	for _, v := range m.Values {
		n += 4 + len(v)
	}
	return n
}

// Size implements Move.
func (m Stopped) Size() int { return m.Proof.Size() }

// Size implements Move.
func (Reject) Size() int { return 8 }

// Size implements Move.
func (RejectUpdates) Size() int { return 0 }

// Size implements Move.
func (m Judge) Size() int { return m.Evidence.Size() }

func (Open) by(s Side) bool          { return s == Defender }
func (Split) by(s Side) bool         { return s == Defender }
func (Chunk) by(s Side) bool         { return s == Defender }
func (Accumulators) by(s Side) bool  { return s == Defender }
func (Stopped) by(s Side) bool       { return s != Nobody }
func (Reject) by(s Side) bool        { return s == Challenger }
func (RejectUpdates) by(s Side) bool { return s == Challenger }
func (Judge) by(s Side) bool         { return s == Challenger }
