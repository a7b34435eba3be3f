package challenger

import (
	"bytes"
	"slices"

	"poaid/commit"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// View is a task as the chain shows it to a challenger.
type View struct {
	Height int64
	// Tick is the clock of games.
	Tick   uint64
	Params disputestypes.Params
	Task   taskstypes.TaskView
	// Case is the argument about it, nil when there is none that is not closed. Claims and Games are the case's.
	Case   *disputestypes.Case
	Claims []disputestypes.Claim
	Games  []disputestypes.Game
}

// Mind is what a challenger knows and is willing to do.
type Mind struct {
	Me string
	// Root is the result root that the task has, if Known.
	Root  commit.Hash
	Known bool
	// Join: it may claim a root though nothing binds it to.
	Join bool
}

// Act is what to do.
type Act int

// The acts, most urgent first.
const (
	ActMove Act = iota
	ActDefend
	ActClaim
	ActAttack
)

// Action is one thing to do now.
type Action struct {
	Act Act
	// Game to move in or to defend in.
	Game *disputestypes.Game
	// Target to attack.
	Target string
	// Deadline is the last height at which it counts; 0: none.
	Deadline int64
}

// Distances in blocks.
const (
	// supportBefore: so long before support closes, a root that is contested gets one more supporter. Who stands behind it until then may be
	// silent afterwards, or have meant to lose.
	supportBefore = 5
	// attackGrace is how long a claim is left to the supporter whose turn it is.
	attackGrace = 4
)

// Decide is the whole judgement of a challenger: a function of what it sees and knows, so that it does not matter how often it is asked,
// or by which process.
//
//	no case, the result is wrong                       claim the right root
//	a case, nobody stands for the right root           claim it
//	  … one stands for it, or some were beaten         support it
//	  … its defender or challenger wastes its clock    support it
//	  … claims are about to close                      support it
//	a game waits for me                                move
//	a game waits for a silent defender of my root      take its chair
//	a claim of another root that nobody is beating     attack it
func Decide(v View, m Mind) []Action {
	if v.Case == nil {
		return claimAgainstWorker(v, m)
	}
	if v.Case.State != disputestypes.CASE_STATE_OPEN {
		return nil
	}
	mine := claimOf(v.Claims, m.Me)
	switch {
	case mine == nil && m.Join && m.Known:
		return support(v, m.Root)
	case mine == nil || mine.Beaten:
		// A beaten claim has nothing left to play for, and no second one can be made.
		return nil
	}
	out := moves(v, m.Me)
	out = append(out, defences(v, mine)...)
	return append(out, attacks(v, mine)...)
}

func claimAgainstWorker(v View, m Mind) []Action {
	st := v.Task.Status
	if st.State != taskstypes.STATE_REVEALED || !m.Join || !m.Known || v.Height >= st.Deadline || bytes.Equal(st.ResultRoot, m.Root[:]) {
		return nil
	}
	return []Action{{Act: ActClaim, Deadline: st.Deadline}}
}

func claimOf(claims []disputestypes.Claim, who string) *disputestypes.Claim {
	for i := range claims {
		if claims[i].Participant == who {
			return &claims[i]
		}
	}
	return nil
}

// support decides whether to stand behind the right root in a case of others. One that has fallen can be claimed again only as long as new
// ones, so one that has a single supporter is supported at once: that one may be silent, or mean to lose.
func support(v View, root commit.Hash) []Action {
	until := v.Case.SupportUntil
	if v.Height >= until {
		return nil
	}
	claim := []Action{{Act: ActClaim, Deadline: until}}
	var claimed, living, others int
	for _, c := range v.Claims {
		same := bytes.Equal(c.ResultRoot, root[:])
		switch {
		case same && !c.Beaten:
			claimed, living = claimed+1, living+1
		case same:
			claimed++
		case !c.Beaten:
			others++
		}
	}
	switch {
	case living == 0 && v.Height >= v.Case.ClaimUntil: // too late for a root that nobody has claimed, or that fell
		return nil
	case living == 0:
		return []Action{{Act: ActClaim, Deadline: v.Case.ClaimUntil}}
	case others == 0: // nobody says anything else
		return nil
	case living == 1 || living < claimed || v.Height >= until-supportBefore:
		return claim
	}
	for i := range v.Games {
		g := &v.Games[i]
		if side := sideOf(g, root[:]); running(g) && side != game.Nobody && wastes(g, side, v.Tick) {
			return claim
		}
	}
	return nil
}

// sideOf is which side of a game stands for a root.
func sideOf(g *disputestypes.Game, root []byte) game.Side {
	switch {
	case bytes.Equal(g.Root, root):
		return game.Defender
	case bytes.Equal(g.Rival, root):
		return game.Challenger
	}
	return game.Nobody
}

func running(g *disputestypes.Game) bool {
	return g.Result == disputestypes.GAME_RESULT_UNSPECIFIED
}

func mover(g *disputestypes.Game) game.Side { return game.Side(g.Position.Mover) }

// wastes tells whether it is a side's turn and half of its clock is gone.
func wastes(g *disputestypes.Game, side game.Side, tick uint64) bool {
	left := min(g.Position.MoveLeft, g.Position.TotalLeftDefender)
	if side == game.Challenger {
		left = min(g.Position.MoveLeft, g.Position.TotalLeftChallenger)
	}
	return mover(g) == side && tick > g.Tick && 2*(tick-g.Tick) >= left
}

// deadline is a height at which a game's clock cannot have run out: heights pass at least as fast as ticks.
func deadline(v View, g *disputestypes.Game) int64 {
	if g.Due <= v.Tick {
		return v.Height + 1
	}
	return v.Height + int64(min(g.Due-v.Tick, 1<<40))
}

// moves are the games that wait for me, the most urgent first.
func moves(v View, me string) []Action {
	var out []Action
	for i := range v.Games {
		g := &v.Games[i]
		if !running(g) || playerOf(g, mover(g)) != me {
			continue
		}
		out = append(out, Action{Act: ActMove, Game: g, Deadline: deadline(v, g)})
	}
	slices.SortStableFunc(out, func(a, b Action) int { return int(a.Deadline - b.Deadline) })
	return out
}

func playerOf(g *disputestypes.Game, s game.Side) string {
	switch s {
	case game.Defender:
		return g.Defender
	case game.Challenger:
		return g.Challenger
	}
	return ""
}

// defences are the games in which somebody else is silent for my root.
func defences(v View, mine *disputestypes.Claim) []Action {
	var out []Action
	for i := range v.Games {
		g := &v.Games[i]
		if running(g) && bytes.Equal(g.Root, mine.ResultRoot) && g.Defender != mine.Participant && !mine.Relieved && wastes(g, game.Defender, v.Tick) {
			out = append(out, Action{Act: ActDefend, Game: g, Deadline: deadline(v, g)})
		}
	}
	return out
}

// attacks are the claims of other roots that no game which looks honest is beating. Supporters of one root take turns, so that they do
// not all attack the same claim; after a while everybody may.
func attacks(v View, mine *disputestypes.Claim) []Action {
	var supporters, place int
	for i := range v.Claims {
		if c := &v.Claims[i]; !c.Beaten && bytes.Equal(c.ResultRoot, mine.ResultRoot) {
			if c.Order < mine.Order {
				place++
			}
			supporters++
		}
	}
	left := int(v.Params.MaxParallel) - int(mine.Attacking)
	var out []Action
	for i, turn := 0, 0; i < len(v.Claims) && len(out) < left; i++ {
		c := &v.Claims[i]
		if c.Beaten || bytes.Equal(c.ResultRoot, mine.ResultRoot) {
			continue
		}
		turn++
		ready := v.Height >= max(c.Height, mine.Height)+attackGrace
		if (turn-1)%max(supporters, 1) != place && !ready || isBeaten(v, c, mine) {
			continue
		}
		out = append(out, Action{Act: ActAttack, Target: c.Participant})
	}
	return out
}

// isBeaten tells whether a game against a claim goes on that may well beat it: mine, or of somebody for my root who plays.
func isBeaten(v View, c, mine *disputestypes.Claim) bool {
	for i := range v.Games {
		g := &v.Games[i]
		if !running(g) {
			continue
		}
		side := sideOf(g, mine.ResultRoot)
		if side == game.Nobody || playerOf(g, side.Other()) != c.Participant {
			continue
		}
		if playerOf(g, side) == mine.Participant || !wastes(g, side, v.Tick) {
			return true
		}
	}
	return false
}
