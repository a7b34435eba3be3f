package game

import "poaid/commit"

// This file plays the descent of one of D's trees. D posts the children of a subtree, which must hash to it; C names the
// first one that it does not have. Whatever is left of the leaf that they arrive at is agreed. C never has to open
// anything: a hash that D made up has no children that D could post.

// descend enters a tree at its root.
func (g Game) descend(tree Tree, leaves uint64) Game {
	g.Phase, g.Mover, g.Posted = PhaseDescent, Defender, nil
	g.Tree, g.Span, g.Hash, g.Rooted = tree, commit.Span{Hi: leaves}, commit.Hash{}, false
	return g
}

// play takes state roots or children.
func (m Split) play(g Game) (Game, error) {
	switch {
	case g.Phase == PhaseSteps:
		return m.playSteps(g)
	case g.Phase == PhaseDescent && !g.wantsChunk():
		return m.playChildren(g)
	default:
		return g, illegal(RulePhase, "split in phase %s", g.Phase)
	}
}

func (m Split) playChildren(g Game) (Game, error) {
	spans, err := g.Span.Children(g.levels())
	if err != nil {
		return g, err
	}
	if len(m.Hashes) != len(spans) {
		return g, illegal(RuleCount, "%d children, want %d", len(m.Hashes), len(spans))
	}
	hash, err := g.Span.Combine(g.levels(), m.Hashes)
	if err != nil {
		return g, err
	}
	if err := g.checkNode(hash); err != nil {
		return g, err
	}
	g.Hash, g.Posted, g.Mover = hash, m.Hashes, Challenger
	if len(spans) == 1 && g.Tree != TreeNodes {
		return g.rejectChild(0) // nothing to choose from
	}
	return g, nil
}

// checkNode holds the node of Span to what D is bound to. The step tree has no root that D is bound to: it is checked
// from its leaves, by their values, and by the states that are made of them.
func (g *Game) checkNode(hash commit.Hash) error {
	ok := true
	switch {
	case g.Rooted:
		ok = hash == g.Hash
	case g.Tree == TreeOutputs:
		ok = commit.NamedRootOf(hash) == g.Output
	case g.Tree == TreeStates:
		ok = commit.NamedRootOf(hash) == g.ToState
	case g.Tree == TreeTensor:
		view, _, err := g.Machine.Node(g.From, g.Node)
		if err != nil {
			return err
		}
		root, err := commit.TensorRootOf(uint8(view.Out.DType), view.Out.Shape, hash)
		if err != nil {
			return err
		}
		ok = commit.StepLeaf(root) == g.Leaf
	}
	if !ok {
		return illegal(RuleHash, "%s tree, leaves [%d, %d)", g.Tree, g.Span.Lo, g.Span.Hi)
	}
	return nil
}

// rejectChild goes down into a child, or on to what follows when it is a leaf.
func (g Game) rejectChild(index uint64) (Game, error) {
	spans, err := g.Span.Children(g.levels())
	if err != nil {
		return g, err
	}
	if index >= uint64(len(spans)) {
		return g, illegal(RuleChoice, "child %d of %d", index, len(spans))
	}
	if g.Tree == TreeNodes {
		for i := range index {
			g.Agreed = concat(g.Agreed, Subtree{spans[i], g.Posted[i]})
		}
	}
	g.Span, g.Hash, g.Rooted = spans[index], g.Posted[index], true
	g.Posted, g.Mover = nil, Defender
	if g.Span.Len() > 1 || g.Tree == TreeTensor {
		return g, nil
	}
	if g.Tree != TreeNodes {
		g.Phase, g.Mover = PhaseJudge, Challenger
		return g, nil
	}
	g.Node, g.Leaf = int(g.Span.Lo), g.Hash
	view, _, err := g.Machine.Node(g.From, g.Node)
	if err != nil {
		return g, err
	}
	size, err := commit.TensorBytes(uint8(view.Out.DType), view.Out.Shape)
	if err != nil {
		return g, err
	}
	return g.descend(TreeTensor, commit.LeafCount(size)), nil
}

// choosesStep tells whether C is looking at the top of D's step tree, where it may also accept all of it.
func (g *Game) choosesStep() bool {
	return g.Phase == PhaseDescent && g.Tree == TreeNodes && !g.Rooted
}

// play accepts every node of the step and goes on with the states made of them.
func (RejectUpdates) play(g Game) (Game, error) {
	if !g.choosesStep() {
		return g, illegal(RulePhase, "reject updates in phase %s", g.Phase)
	}
	g.Agreed = []Subtree{{g.Span, g.Hash}}
	return g.descend(TreeStates, uint64(len(g.Machine.States()))), nil
}

// play ends a game about a step that computes nothing: its states are those before it.
func (m Stopped) play(g Game) (Game, error) {
	if !g.choosesStep() {
		return g, illegal(RulePhase, "stopped in phase %s", g.Phase)
	}
	if err := g.checkStopped(&m.Proof); err != nil {
		return g, err
	}
	if g.ToState == g.FromState {
		return g.over(Defender, ReasonUpheld), nil
	}
	g.Hash = g.ToState
	return g.over(Challenger, ReasonRefuted), nil
}

// wantsChunk tells whether the descent has arrived at one chunk of a tensor.
func (g *Game) wantsChunk() bool {
	return g.Phase == PhaseDescent && g.Tree == TreeTensor && g.Span.Len() == 1
}

// play opens the chunk.
func (m Chunk) play(g Game) (Game, error) {
	if !g.wantsChunk() {
		return g, illegal(RulePhase, "chunk in phase %s", g.Phase)
	}
	view, _, err := g.Machine.Node(g.From, g.Node)
	if err != nil {
		return g, err
	}
	size, err := commit.TensorBytes(uint8(view.Out.DType), view.Out.Shape)
	if err != nil {
		return g, err
	}
	if want := min(size-g.Span.Lo*commit.ChunkSize, commit.ChunkSize); uint64(len(m.Data)) != want {
		return g, illegal(RuleChunk, "%d bytes, want %d", len(m.Data), want)
	}
	hash := commit.Leaf(m.Data)
	if err := g.checkNode(hash); err != nil {
		return g, err
	}
	g.Hash, g.Chunk, g.Mover = hash, m.Data, Challenger
	return g, nil
}

// play names what C rejects; the position says what the index means.
func (m Reject) play(g Game) (Game, error) {
	switch g.Phase {
	case PhaseResult:
		return g.rejectResult(m.Index)
	case PhaseSteps:
		return g.rejectSegment(m.Index)
	case PhaseDescent:
		if g.wantsChunk() {
			return g.rejectElement(m.Index)
		}
		return g.rejectChild(m.Index)
	case PhaseFold:
		return g.rejectFold(m.Index)
	default:
		return g, illegal(RulePhase, "reject in phase %s", g.Phase)
	}
}
