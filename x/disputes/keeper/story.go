package keeper

import (
	"context"
	"fmt"
	"strings"

	"poaid/game"
	"poaid/model/format"
	"poaid/x/disputes/types"
)

// emitMove announces a move; next is the position after it.
func (k Keeper) emitMove(ctx context.Context, g *types.Game, by string, next game.Game) error {
	turn := ""
	switch next.Turn() {
	case game.Defender:
		turn = g.Defender
	case game.Challenger:
		turn = g.Challenger
	}
	return emit(ctx, &types.EventMoved{TaskId: g.TaskId, Game: g.Index, Participant: by, Moves: g.Moves, What: g.LastMove, Next: turn})
}

// emitOver announces the end of a game, and what was judged.
func (k Keeper) emitOver(ctx context.Context, t *table, g *types.Game, at game.Game, loser *types.Claim) error {
	e := types.EventGameOver{TaskId: g.TaskId, Game: g.Index, Result: g.Result, Winner: g.Winner, Rounds: at.Rounds}
	if loser != nil {
		e.Loser = loser.Participant
	}
	if judged(g.Result) {
		w := t.place(at.Position)
		e.Step, e.Node, e.Op, e.Element = at.From, w.name, w.op, at.Elem
		e.Claimed, e.Value = said(at.Position), at.Value
	}
	return emit(ctx, &e)
}

func judged(r types.GameResult) bool {
	return r == types.GAME_RESULT_REFUTED || r == types.GAME_RESULT_UPHELD
}

// said is what the defender claimed in a judgement: an element or accumulator, or the hash of a tree's entry.
func said(p game.Position) []byte {
	if p.Tree == game.TreeTensor {
		return p.Claim
	}
	return p.Hash[:]
}

// describe tells a move as people read it, from the positions before and after it.
func describe(at, next game.Game, move game.Move) string {
	switch m := move.(type) {
	case game.Open:
		return "open: states and outputs of the result"
	case game.Split:
		if at.Phase == game.PhaseSteps {
			return fmt.Sprintf("split: %d state roots between steps %d and %d", len(m.Hashes), at.From, at.To)
		}
		return fmt.Sprintf("split: %d children of leaves %d..%d of the %s", len(m.Hashes), at.Span.Lo, at.Span.Hi-1, treeName(at.Tree))
	case game.Chunk:
		return fmt.Sprintf("open: chunk %d of node %d", at.Span.Lo, at.Node)
	case game.Accumulators:
		return fmt.Sprintf("split: %d accumulators of fold steps %d..%d", len(m.Values), at.FoldFrom, at.FoldTo-1)
	case game.Stopped:
		return fmt.Sprintf("stopped: the run had stopped before step %d", at.From)
	case game.Reject:
		return describeReject(at, next, m)
	case game.RejectUpdates:
		return fmt.Sprintf("reject: the states made of the nodes of step %d", at.From)
	case game.Judge:
		return fmt.Sprintf("judge: %d tensors opened", len(m.Evidence.Operands))
	default:
		return "unknown"
	}
}

func describeReject(at, next game.Game, m game.Reject) string {
	switch {
	case at.Phase == game.PhaseResult && m.Index == 1:
		return "reject: the outputs, not the states"
	case at.Phase == game.PhaseResult:
		return "reject: the states"
	case at.Phase == game.PhaseSteps:
		return fmt.Sprintf("reject: steps %d..%d", next.From, next.To-1)
	case at.Phase == game.PhaseFold:
		return fmt.Sprintf("reject: fold steps %d..%d", next.FoldFrom, next.FoldTo-1)
	case next.Tree == game.TreeTensor && at.Tree == game.TreeNodes:
		return fmt.Sprintf("reject: node %d of step %d", next.Node, next.From)
	case at.Tree == game.TreeTensor && (next.Phase == game.PhaseFold || next.Phase == game.PhaseJudge):
		return fmt.Sprintf("reject: element %d of node %d", next.Elem, next.Node)
	default:
		return fmt.Sprintf("reject: leaves %d..%d of the %s", next.Span.Lo, next.Span.Hi-1, treeName(at.Tree))
	}
}

func treeName(t game.Tree) string {
	switch t {
	case game.TreeNodes:
		return "step's nodes"
	case game.TreeStates:
		return "states after the step"
	case game.TreeTensor:
		return "node's tensor"
	default:
		return t.String()
	}
}

// place is where a game arrived, as people read it.
type place struct {
	where, name, op, element string
	// values renders what was claimed and computed.
	values func(b []byte) string
}

func asHex(b []byte) string { return fmt.Sprintf("%X", b) }

// place names the step, node and element that a position is about.
func (t *table) place(p game.Position) place {
	out := place{values: asHex}
	switch p.Tree {
	case game.TreeOutputs:
		if i := p.Span.Lo; p.Span.Len() == 1 && i < uint64(len(t.machine.Outputs())) {
			out.name = t.machine.States()[t.machine.Outputs()[i]].Name
			out.where = fmt.Sprintf("output %q", out.name)
		} else {
			out.where = "the outputs"
		}
	case game.TreeStates:
		out.where = fmt.Sprintf("states after step %d", p.From)
		if i := p.Span.Lo; p.Span.Len() == 1 && i < uint64(len(t.machine.States())) {
			out.name = t.machine.States()[i].Name
			out.where = fmt.Sprintf("step %d, state %q", p.From, out.name)
		}
	case game.TreeTensor:
		t.element(p, &out)
	default:
		if p.From+1 == p.To {
			out.where = fmt.Sprintf("step %d", p.From)
		} else {
			out.where = fmt.Sprintf("steps %d..%d", p.From, p.To-1)
		}
	}
	return out
}

func (t *table) element(p game.Position, out *place) {
	view, _, err := t.machine.Node(p.From, p.Node)
	if err != nil {
		return
	}
	out.name, out.op = view.Name, view.Op.Name
	out.where = fmt.Sprintf("step %d, node %d", p.From, p.Node)
	if view.Name != "" {
		out.where += fmt.Sprintf(" %q", view.Name)
	}
	if p.Claim == nil {
		return
	}
	out.element = indexOf(p.Elem, view.Out.Shape)
	folds, err := view.FoldSteps(p.Elem)
	if err != nil || p.FoldTo < folds {
		out.where += fmt.Sprintf(", fold steps %d..%d", p.FoldFrom, p.FoldTo-1)
		return
	}
	out.values = func(b []byte) string {
		if len(b) != format.ElementSize(view.Out.DType) {
			return asHex(b)
		}
		s, err := format.Element(view.Out.DType, b)
		if err != nil {
			return asHex(b)
		}
		return s
	}
}

// indexOf gives an element as an index into its tensor: "[3 17]".
func indexOf(elem int64, shape []int64) string {
	index := make([]int64, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] > 0 {
			index[i], elem = elem%shape[i], elem/shape[i]
		}
	}
	return fmt.Sprint(index)
}

// story tells a game.
func (k Keeper) story(ctx context.Context, t *table, g *types.Game) (types.Story, error) {
	p, err := types.DecodePosition(g.Position)
	if err != nil {
		return types.Story{}, err
	}
	w := t.place(p)
	s := types.Story{
		Game: g.Index, Defender: g.Defender, Challenger: g.Challenger, Result: g.Result, Winner: g.Winner, Rounds: p.Rounds,
		Where: w.where, Op: w.op, Element: w.element, Moves: g.Record,
	}
	if judged(g.Result) {
		s.Claimed, s.Value = w.values(said(p)), w.values(p.Value)
	}
	s.Line, err = k.line(ctx, t, g, p, &s)
	return s, err
}

// line says it all in a sentence or two.
func (k Keeper) line(ctx context.Context, t *table, g *types.Game, p game.Position, s *types.Story) (string, error) {
	var b strings.Builder
	at := s.Where
	if s.Element != "" {
		at = fmt.Sprintf("element %s of %s", s.Element, s.Where)
	}
	if s.Op != "" {
		at += " (" + s.Op + ")"
	}
	loser := g.Challenger
	if g.Winner == g.Challenger {
		loser = g.Defender
	}
	switch g.Result {
	case types.GAME_RESULT_UNSPECIFIED:
		turn := g.Defender
		if p.Mover == game.Challenger {
			turn = g.Challenger
		}
		fmt.Fprintf(&b, "%s challenges %s and they are at %s; %s has to move by tick %d", g.Challenger, g.Defender, at, turn, g.Due)
		return b.String(), nil
	case types.GAME_RESULT_SILENCE:
		fmt.Fprintf(&b, "%s fell silent at %s", loser, at)
	case types.GAME_RESULT_REFUTED, types.GAME_RESULT_UPHELD:
		verdict := "agrees, so the challenger is wrong"
		if g.Result == types.GAME_RESULT_REFUTED {
			verdict = "computes " + s.Value + ", so the defender is wrong"
		}
		fmt.Fprintf(&b, "%s says that %s is %s, %s does not accept it; the chain %s", g.Defender, at, s.Claimed, g.Challenger, verdict)
	case types.GAME_RESULT_MOOT:
		b.WriteString("ended undecided: it was decided elsewhere")
		return b.String(), nil
	case types.GAME_RESULT_REPLACED:
		fmt.Fprintf(&b, "%s was silent; another supporter of its root took its chair", g.Defender)
		return b.String(), nil
	}
	claim, err := k.claimOf(ctx, t.c, loser)
	if err != nil {
		return "", err
	}
	b.WriteString(". " + loser + "'s claim is beaten" + t.paid(&claim))
	return b.String(), nil
}

// paid tells what a beaten claim cost, once that is known.
func (t *table) paid(claim *types.Claim) string {
	c := t.c
	switch {
	case c.State == types.CASE_STATE_OPEN || c.State == types.CASE_STATE_HELD:
		return ""
	case wrong(c, claim):
		return fmt.Sprintf("; its root was wrong and it loses its lock of %s", c.Lock)
	default:
		return "; it gets its lock back, since its root was not found wrong"
	}
}
