package game

import (
	"bytes"
	"errors"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// This file plays the last two phases: a few steps of a fold, and the judgement.

// rejectElement goes on with one element of the opened chunk.
func (g Game) rejectElement(index uint64) (Game, error) {
	view, _, err := g.Machine.Node(g.From, g.Node)
	if err != nil {
		return g, err
	}
	size := uint64(engine.SizeOf(view.Out.DType))
	if n := uint64(len(g.Chunk)) / size; index >= n {
		return g, illegal(RuleChoice, "element %d of %d", index, n)
	}
	g.Elem = int64(g.Span.Lo*commit.ChunkSize/size + index)
	g.Claim = g.Chunk[index*size : (index+1)*size]
	g.FoldFrom, g.Acc = 0, nil
	if g.FoldTo, err = view.FoldSteps(g.Elem); err != nil {
		return g, err
	}
	return g.enterFold(view)
}

// enterFold lets C open the inputs if those of all fold steps in question fit into a message, or asks D for accumulators.
// The number of steps that fit depends on how far apart the inputs lie: 64 where they are contiguous, fewer where every
// step needs chunks of its own.
func (g Game) enterFold(view *engine.NodeView) (Game, error) {
	g.Accs = nil
	fits, err := judgeable(view, g.Elem, g.FoldFrom, g.FoldTo)
	if err != nil {
		return g, err
	}
	if fits {
		g.Phase, g.Mover = PhaseJudge, Challenger
	} else {
		g.Phase, g.Mover = PhaseFold, Defender
	}
	return g, nil
}

// foldSegments is into how many segments the fold steps in question are cut, and foldAt where segment i begins.
func (p *Position) foldSegments() uint64 {
	return min(FoldArity+1, uint64(p.FoldTo-p.FoldFrom))
}

func (p *Position) foldAt(i uint64) int64 {
	return int64(cut(uint64(p.FoldFrom), uint64(p.FoldTo), p.foldSegments(), i))
}

// play posts the accumulators between the segments.
func (m Accumulators) play(g Game) (Game, error) {
	if g.Phase != PhaseFold {
		return g, illegal(RulePhase, "accumulators in phase %s", g.Phase)
	}
	if want := g.foldSegments() - 1; uint64(len(m.Values)) != want {
		return g, illegal(RuleCount, "%d accumulators, want %d", len(m.Values), want)
	}
	for i, v := range m.Values {
		if len(v) > engine.MaxAcc {
			return g, illegal(RuleAccumulator, "%d: %d bytes, limit %d", i, len(v), engine.MaxAcc)
		}
	}
	g.Accs, g.Mover = m.Values, Challenger
	return g, nil
}

func (g Game) rejectFold(index uint64) (Game, error) {
	n := g.foldSegments()
	if index >= n {
		return g, illegal(RuleChoice, "segment %d of %d", index, n)
	}
	from, to := g.foldAt(index), g.foldAt(index+1)
	if index > 0 {
		g.Acc = g.Accs[index-1]
	}
	if index < n-1 {
		g.Claim = g.Accs[index]
	}
	g.FoldFrom, g.FoldTo = from, to
	view, _, err := g.Machine.Node(g.From, g.Node)
	if err != nil {
		return g, err
	}
	return g.enterFold(view)
}

// play computes the one thing that is left and compares it with what D claims.
func (m Judge) play(g Game) (Game, error) {
	if g.Phase != PhaseJudge {
		return g, illegal(RulePhase, "judge in phase %s", g.Phase)
	}
	if err := m.Evidence.check(); err != nil {
		return g, err
	}
	var claim []byte
	var err error
	if g.Tree == TreeTensor {
		claim = g.Claim
		g.Value, err = g.judgeElement(&m.Evidence)
	} else {
		var leaf commit.Hash
		leaf, err = g.judgeEntry(&m.Evidence)
		claim, g.Value = g.Hash[:], leaf[:]
	}
	if err != nil {
		var ill *IllegalMoveError
		if errors.As(err, &ill) {
			return g, err
		}
		return g, illegal(RuleEvidence, "%v", err)
	}
	if bytes.Equal(claim, g.Value) {
		return g.over(Defender, ReasonUpheld), nil
	}
	return g.over(Challenger, ReasonRefuted), nil
}

// judgeElement evaluates one element, or the fold steps left of it, by the reference op.
func (g *Game) judgeElement(ev *Evidence) ([]byte, error) {
	view, refs, err := g.Machine.Node(g.From, g.Node)
	if err != nil {
		return nil, err
	}
	o := opener{game: g, view: view, refs: refs, evidence: ev}
	return engine.Judge(view, g.Elem, g.FoldFrom, g.FoldTo, g.Acc, o.open)
}

// judgeEntry computes the leaf that the output tree, or the tree of states after the step, has in the rejected place. An
// output is named as its state is.
func (g *Game) judgeEntry(ev *Evidence) (commit.Hash, error) {
	ref, t, state, err := entrySource(g.Machine, g)
	if err != nil {
		return commit.Hash{}, err
	}
	before := g.FromState
	if g.Tree == TreeOutputs {
		before = g.State
	}
	p, ok := ev.operand(0)
	if !ok {
		return commit.Hash{}, illegal(RuleEvidence, "no entry opened")
	}
	if err := g.checkMember(ref, t, before, p); err != nil {
		return commit.Hash{}, err
	}
	return commit.NamedLeaf(commit.Named{Name: g.Machine.States()[state].Name, Root: p.Root}), nil
}

// entrySource says where the value of the rejected output, or state after the step, comes from: the state after the last
// step; the node that updates the state; or the state before the step, if nothing updates it.
func entrySource(m Machine, g *Game) (ref engine.OperandRef, t uint64, state int, err error) {
	state = int(g.Span.Lo)
	if g.Tree == TreeOutputs {
		state = m.Outputs()[state]
		return engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: state}, g.Steps, state, nil
	}
	u := -1
	if m.Nodes(g.From) > 0 {
		if u, err = m.Update(g.From, state); err != nil {
			return ref, 0, state, err
		}
	}
	if u >= 0 {
		return engine.OperandRef{Kind: graphpb.REF_KIND_NODE, Index: u}, g.From, state, nil
	}
	return engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: state}, g.From, state, nil
}

// checkStopped verifies that the stop state before the step in question is not zero.
func (g *Game) checkStopped(ev *Evidence) error {
	stop := g.Machine.Stop()
	if stop < 0 || g.From == 0 {
		return illegal(RuleStop, "step %d, stop state %d", g.From, stop)
	}
	spec := g.Machine.States()[stop]
	p, ok := ev.operand(0)
	if !ok || len(p.Ranges) != 1 {
		return illegal(RuleEvidence, "the stop state is not opened")
	}
	ref := engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: stop}
	if err := g.checkMember(ref, g.From, g.FromState, p); err != nil {
		return err
	}
	r := &p.Ranges[0]
	if err := commit.VerifyTensorRange(p.Root, uint8(spec.DType), spec.Shape, 0, r.Data, r.Siblings); err != nil {
		return illegal(RuleEvidence, "stop state: %v", err)
	}
	for _, b := range r.Data {
		if b != 0 {
			return nil
		}
	}
	return illegal(RuleStop, "step %d", g.From)
}
