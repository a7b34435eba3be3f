package game

import "poaid/commit"

// This file plays the first two phases: the result root, then one step among T.

// play opens the result root.
func (m Open) play(g Game) (Game, error) {
	if g.Phase != PhaseResult {
		return g, illegal(RulePhase, "open in phase %s", g.Phase)
	}
	if commit.ResultRoot(g.Steps, m.State, m.Output) != g.Root {
		return g, illegal(RuleResult, "T = %d", g.Steps)
	}
	g.State, g.Output = m.State, m.Output
	g.Mover = Challenger
	return g, nil
}

// rejectResult goes on with the states, or with the outputs when the states are accepted: outputs are states of step T,
// so with the states agreed the right entry of every output is known.
func (g Game) rejectResult(index uint64) (Game, error) {
	switch index {
	case 0:
		g.ToState = g.State
		return g.enterSteps(), nil
	case 1:
		return g.descend(TreeOutputs, uint64(len(g.Machine.Outputs()))), nil
	default:
		return g, illegal(RuleChoice, "%d, want 0 (states) or 1 (outputs)", index)
	}
}

// enterSteps asks D for state roots within [From, To), or for the nodes when one step is left.
func (g Game) enterSteps() Game {
	g.Phase, g.Mover, g.Posted = PhaseSteps, Defender, nil
	if g.To-g.From > 1 {
		return g
	}
	if nodes := g.Machine.Nodes(g.From); nodes > 0 {
		return g.descend(TreeNodes, uint64(nodes))
	}
	return g.descend(TreeStates, uint64(len(g.Machine.States())))
}

// Segments is into how many segments the range of steps in question is cut, and the first step of segment i; segment
// Segments ends at To.
func (p *Position) segments(arity uint64) uint64 { return min(arity, p.To-p.From) }

func (p *Position) segmentAt(arity, i uint64) uint64 { return cut(p.From, p.To, p.segments(arity), i) }

func (m Split) playSteps(g Game) (Game, error) {
	if want := g.segments(g.Arity) - 1; uint64(len(m.Hashes)) != want {
		return g, illegal(RuleCount, "%d state roots, want %d", len(m.Hashes), want)
	}
	g.Posted, g.Mover = m.Hashes, Challenger
	return g, nil
}

func (g Game) rejectSegment(index uint64) (Game, error) {
	n := g.segments(g.Arity)
	if index >= n {
		return g, illegal(RuleChoice, "segment %d of %d", index, n)
	}
	from, to := g.segmentAt(g.Arity, index), g.segmentAt(g.Arity, index+1)
	if index > 0 {
		g.FromState = g.Posted[index-1]
	}
	if index < n-1 {
		g.ToState = g.Posted[index]
	}
	g.From, g.To = from, to
	return g.enterSteps(), nil
}
