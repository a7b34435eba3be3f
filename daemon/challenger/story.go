package challenger

import (
	"fmt"
	"strings"

	"cosmossdk.io/math"

	"poaid/game"
	disputestypes "poaid/x/disputes/types"
)

// tell logs what happened in this participant's games since the last look, and counts how they ended.
func (c *Challenger) tell(a *affair, v View) {
	for i := range v.Games {
		g := &v.Games[i]
		if g.Defender != c.cfg.Participant && g.Challenger != c.cfg.Participant {
			continue
		}
		was, known := a.games[g.Index]
		name := fmt.Sprintf("game %d/%d", a.task, g.Index)
		now := gameSeen{rounds: g.Position.Rounds, over: !running(g)}
		switch {
		case now == was && known:
		case now.over && !known: // it was over before this process looked
		case now.over:
			how := c.ending(g)
			c.log.Info(fmt.Sprintf("%s: %s", name, how), "how", strings.ToLower(strings.TrimPrefix(g.Result.String(), "GAME_RESULT_")), "rounds", g.Position.Rounds)
			c.cfg.Metrics.GameOver(how)
		case !known:
			c.log.Info(name+": playing", "defender", g.Defender, "challenger", g.Challenger)
		default:
			c.log.Info(fmt.Sprintf("%s: round %d, %s", name, g.Position.Rounds, where(g)))
		}
		a.games[g.Index] = now
	}
}

// ending is how a game ended for this participant.
func (c *Challenger) ending(g *disputestypes.Game) string {
	switch g.Winner {
	case c.cfg.Participant:
		return "won"
	case "":
		return "moot"
	}
	return "lost"
}

// where tells what is in question, as people read it.
func where(g *disputestypes.Game) string {
	p := &g.Position
	steps := fmt.Sprintf("step %d", p.From)
	if p.To-p.From > 1 {
		steps = fmt.Sprintf("step %d..%d", p.From, p.To-1)
	}
	switch game.Phase(p.Phase) {
	case game.PhaseResult:
		return "the result"
	case game.PhaseSteps:
		return steps
	case game.PhaseDescent:
		switch game.Tree(p.Tree) {
		case game.TreeOutputs:
			return "outputs"
		case game.TreeNodes:
			return fmt.Sprintf("%s, node %d..%d", steps, p.Span.Lo, max(p.Span.Hi, 1)-1)
		case game.TreeStates:
			return fmt.Sprintf("%s, state %d..%d", steps, p.Span.Lo, max(p.Span.Hi, 1)-1)
		}
		return fmt.Sprintf("%s, node %d, chunk %d..%d", steps, p.Node, p.Span.Lo, max(p.Span.Hi, 1)-1)
	case game.PhaseFold:
		return fmt.Sprintf("%s, node %d, element %d, term %d..%d", steps, p.Node, p.Elem, p.FoldFrom, max(p.FoldTo, 1)-1)
	}
	return fmt.Sprintf("%s, node %d, element %d", steps, p.Node, p.Elem)
}

func nameOf(m disputestypes.Move) string {
	name := fmt.Sprintf("%T", m.Sum)
	return strings.ToLower(name[strings.LastIndexByte(name, '_')+1:])
}

// once logs something about an affair a single time.
func (c *Challenger) once(a *affair, key, msg string, args ...any) {
	if !a.said[key] {
		a.said[key] = true
		c.log.Error(fmt.Sprintf("task %d: %s", a.task, msg), args...)
	}
}

// covers tells whether an amount is enough; known is false where one of them is not known.
func covers(have string, want math.Int) (enough, known bool) {
	amount, ok := math.NewIntFromString(have)
	if !ok || want.IsNil() {
		return false, false
	}
	return amount.GTE(want), true
}

// report counts what this participant plays.
func (c *Challenger) report(a *affair, v View) error {
	playing := 0
	for i := range v.Games {
		g := &v.Games[i]
		if running(g) && (g.Defender == c.cfg.Participant || g.Challenger == c.cfg.Participant) {
			playing++
		}
	}
	c.mu.Lock()
	a.playing = playing
	cases, games := 0, 0
	for _, x := range c.affairs {
		if x.open != nil && !x.foreign {
			cases++
		}
		games += x.playing
	}
	c.mu.Unlock()
	c.cfg.Metrics.Playing(cases, games)
	return nil
}
