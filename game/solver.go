package game

import (
	"bytes"
	"errors"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// ErrAgree is returned by a challenger's solver that has nothing to reject: it should not have opened the game.
var ErrAgree = errors.New("nothing to reject: this trace agrees with the defender")

// Solver plays one side of a game by one party's trace. It is pure: the same game and trace give the same move.
type Solver struct {
	Machine Machine
	Trace   Trace
}

// Next is the move for whoever's turn it is.
func (s *Solver) Next(g Game) (Move, error) {
	switch g.Turn() {
	case Defender:
		return s.defend(g)
	case Challenger:
		return s.attack(g)
	default:
		return nil, illegal(RuleOver, "%s won", g.Winner())
	}
}

// defend answers with the truth as this trace has it.
func (s *Solver) defend(g Game) (Move, error) {
	switch g.Phase {
	case PhaseResult:
		return s.openResult(g)
	case PhaseSteps:
		return s.splitSteps(g)
	case PhaseDescent:
		if g.wantsChunk() {
			return s.openChunk(g)
		}
		if s.atTop(g) && s.stopped(g) {
			return s.proveStopped(g)
		}
		return s.splitTree(g)
	default:
		return s.splitFold(g)
	}
}

// attack rejects the first thing that this trace does not have.
func (s *Solver) attack(g Game) (Move, error) {
	switch g.Phase {
	case PhaseResult:
		return s.chooseResult(g)
	case PhaseSteps:
		return s.chooseSegment(g)
	case PhaseDescent:
		if g.wantsChunk() {
			return s.chooseElement(g)
		}
		if s.atTop(g) && s.stopped(g) {
			return s.proveStopped(g)
		}
		return s.chooseChild(g)
	case PhaseFold:
		return s.chooseFold(g)
	default:
		return s.judge(g)
	}
}

func (s *Solver) openResult(g Game) (Move, error) {
	state, err := s.Trace.StateRoot(g.Steps)
	if err != nil {
		return nil, err
	}
	outputs, err := s.Trace.Tree(TreeOutputs, g.Steps)
	if err != nil {
		return nil, err
	}
	return Open{State: state, Output: commit.NamedRootOf(outputs.Root())}, nil
}

func (s *Solver) chooseResult(g Game) (Move, error) {
	mine, err := s.Trace.StateRoot(g.Steps)
	if err != nil {
		return nil, err
	}
	if agree := mine == g.State; agree {
		return Reject{Index: 1}, nil
	}
	return Reject{Index: 0}, nil
}

func (s *Solver) splitSteps(g Game) (Move, error) {
	var roots []commit.Hash
	for i := uint64(1); i < g.segments(g.Arity); i++ {
		root, err := s.Trace.StateRoot(g.segmentAt(g.Arity, i))
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
	}
	return Split{Hashes: roots}, nil
}

func (s *Solver) chooseSegment(g Game) (Move, error) {
	for i, theirs := range g.Posted {
		mine, err := s.Trace.StateRoot(g.segmentAt(g.Arity, uint64(i)+1))
		if err != nil {
			return nil, err
		}
		if agree := mine == theirs; !agree {
			return Reject{Index: uint64(i)}, nil
		}
	}
	return Reject{Index: uint64(len(g.Posted))}, nil
}

// tree is this party's own tree in place of the one that is being descended.
func (s *Solver) tree(g Game) (*commit.Tree, error) {
	switch g.Tree {
	case TreeOutputs:
		return s.Trace.Tree(TreeOutputs, g.Steps)
	case TreeStates:
		return s.Trace.Tree(TreeStates, g.From+1)
	case TreeNodes:
		return s.Trace.Tree(TreeNodes, g.From)
	default:
		x, err := s.node(g)
		if err != nil {
			return nil, err
		}
		return x.Tree, nil
	}
}

// node is this party's own tensor of the rejected node.
func (s *Solver) node(g Game) (*Tensor, error) {
	return s.Trace.Tensor(g.From, engine.OperandRef{Kind: graphpb.REF_KIND_NODE, Index: g.Node})
}

func (s *Solver) children(g Game) ([]commit.Hash, error) {
	tree, err := s.tree(g)
	if err != nil {
		return nil, err
	}
	spans, err := g.Span.Children(g.levels())
	if err != nil {
		return nil, err
	}
	nodes := make([]commit.Hash, len(spans))
	for i, span := range spans {
		if nodes[i], err = tree.Node(span); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func (s *Solver) splitTree(g Game) (Move, error) {
	nodes, err := s.children(g)
	return Split{Hashes: nodes}, err
}

func (s *Solver) chooseChild(g Game) (Move, error) {
	mine, err := s.children(g)
	if err != nil {
		return nil, err
	}
	for i, theirs := range g.Posted {
		if agree := mine[i] == theirs; !agree {
			return Reject{Index: uint64(i)}, nil
		}
	}
	if g.choosesStep() {
		return RejectUpdates{}, nil
	}
	return nil, ErrAgree
}

func (s *Solver) openChunk(g Game) (Move, error) {
	x, err := s.node(g)
	if err != nil {
		return nil, err
	}
	return Chunk{Data: chunkOf(x, g.Span)}, nil
}

func (s *Solver) chooseElement(g Game) (Move, error) {
	x, err := s.node(g)
	if err != nil {
		return nil, err
	}
	view, _, err := s.Machine.Node(g.From, g.Node)
	if err != nil {
		return nil, err
	}
	mine := chunkOf(x, g.Span)
	for i := range g.Chunk {
		if agree := mine[i] == g.Chunk[i]; !agree {
			return Reject{Index: uint64(int64(i) / engine.SizeOf(view.Out.DType))}, nil
		}
	}
	return nil, ErrAgree
}

func chunkOf(x *Tensor, span commit.Span) []byte {
	return x.Data[span.Lo*commit.ChunkSize : min(span.Hi*commit.ChunkSize, uint64(len(x.Data)))]
}

func (s *Solver) accumulators(g Game) ([][]byte, error) {
	var cuts []int64
	for i := uint64(1); i < g.foldSegments(); i++ {
		cuts = append(cuts, g.foldAt(i))
	}
	return s.Trace.Accumulators(g.From, g.Node, g.Elem, cuts)
}

func (s *Solver) splitFold(g Game) (Move, error) {
	values, err := s.accumulators(g)
	return Accumulators{Values: values}, err
}

func (s *Solver) chooseFold(g Game) (Move, error) {
	mine, err := s.accumulators(g)
	if err != nil {
		return nil, err
	}
	for i, theirs := range g.Accs {
		if agree := bytes.Equal(mine[i], theirs); !agree {
			return Reject{Index: uint64(i)}, nil
		}
	}
	return Reject{Index: uint64(len(g.Accs))}, nil
}

// atTop tells whether the game is about to open, or to choose among, all nodes of a step.
func (s *Solver) atTop(g Game) bool {
	return g.Phase == PhaseDescent && g.Tree == TreeNodes && !g.Rooted
}

// stopped tells whether this party's run had stopped before the step in question.
func (s *Solver) stopped(g Game) bool {
	stop := s.Machine.Stop()
	if stop < 0 || g.From == 0 {
		return false
	}
	x, err := s.Trace.Tensor(g.From, engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: stop})
	return err == nil && !bytes.Equal(x.Data, make([]byte, len(x.Data)))
}
