package game_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/commit"
	"poaid/game"
	"poaid/game/alphabet"
	"poaid/testutil/adversary"
	"poaid/testutil/programs"
)

// TestRandomGames plays liars of every kind against an honest party, on either side. `-rapid.checks=10000` is the number
// that the design asks for.
func TestRandomGames(t *testing.T) {
	worlds, ends := make(map[[3]uint64]*world), make(map[string]int)
	configs := []alphabet.Config{
		{Length: 1100, Nodes: 7, Terms: 70, Stride: 1},
		{Length: 70_000, Nodes: 3, Terms: 9, Stride: 1031},
		{Length: 10, Nodes: 18, Terms: 3, Stride: 3, StopAfter: 6},
		{Length: 1500, Nodes: 2, Terms: 1, Stride: 1, StopAfter: 4},
	}
	generation := make(map[uint64]*world) // on the engine, by arity
	for _, arity := range []uint64{2, 4, 16} {
		generation[arity] = program(programs.Llama(t)).world(t, arity)
	}
	rapid.Check(t, func(t *rapid.T) {
		key := [3]uint64{
			rapid.Uint64Range(0, uint64(len(configs))).Draw(t, "config"),
			rapid.Uint64Range(1, 12).Draw(t, "steps"),
			rapid.SampledFrom([]uint64{2, 4, 16}).Draw(t, "arity"),
		}
		w, ok := worlds[key]
		switch {
		case key[0] == uint64(len(configs)):
			w = generation[key[2]]
		case !ok:
			w = alphabets(t, configs[key[0]], key[1], key[2])
			worlds[key] = w
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		honest := game.Defender
		if rapid.Bool().Draw(t, "liar defends") {
			honest = game.Challenger
		}
		trace, root := drawLiar(t, w, r)
		if root == w.root { // this lie changed nothing
			trace, root = w.truth, randomHash(r)
		}
		g := w.start(t, w.root, root)
		if honest == game.Challenger {
			g = w.start(t, root, w.root)
		}
		g = playRandom(t, w, g, honest, trace, r)
		ends[fmt.Sprintf("%s by %s, tree %s", g.Reason, honest, g.Tree)]++
	})
	t.Log(ends)
}

// drawLiar returns a liar's trace and the root that it stands for.
func drawLiar(t *rapid.T, w *world, r *rand.Rand) (game.Trace, commit.Hash) {
	steps := w.setup.Steps
	var tr game.Trace
	switch kind := rapid.SampledFrom([]string{"flip", "output", "update", "garbled", "made up", "late"}).Draw(t, "liar"); kind {
	case "flip":
		tr = w.flipped(r, r.Uint64N(steps))
	case "output":
		tr = &adversary.OutputTrace{Trace: w.truth, Output: r.IntN(8)}
	case "update":
		tr = &adversary.StateTrace{Trace: w.truth, From: 1 + r.Uint64N(steps), State: r.IntN(len(w.machine.States()))}
	case "garbled":
		tr = &adversary.GarbledTrace{Trace: w.truth, Seed: r.Uint64(), Odds: 1 + r.Uint64N(8)}
	case "made up":
		return w.truth, randomHash(r)
	default: // two lies, and garbage on top
		tr = w.flipped(r, steps-1)
		tr = &adversary.GarbledTrace{Trace: tr, Seed: r.Uint64(), Odds: 1 + r.Uint64N(20)}
	}
	root, err := game.ResultRoot(tr, steps)
	require.NoError(t, err)
	return tr, root
}

// flipped is a run with one flipped bit at some step. Few of them are computed; they are used again.
func (w *world) flipped(r *rand.Rand, step uint64) game.Trace {
	key := [2]uint64{step, r.Uint64N(6)}
	tr, ok := w.lies[key]
	if !ok {
		tr = w.lie(adversary.Flip(step, r.IntN(w.machine.Nodes(step)), r.IntN(1<<20), 1<<r.IntN(8)))
		w.lies[key] = tr
	}
	return tr
}

func playRandom(t *rapid.T, w *world, g game.Game, honest game.Side, liar game.Trace, r *rand.Rand) game.Game {
	truth, lies := w.solver(w.truth), w.solver(liar)
	wild := r.IntN(4)       // out of so many moves one is made up; 0: none
	quiet := 3 + r.IntN(40) // the liar falls silent at this move
	limit := 2*g.TotalLeft[0] + 1
	for moves := 0; g.Phase != game.PhaseOver; moves++ {
		if r.IntN(3) == 0 {
			wait := uint64(r.IntN(3))
			if g.Turn() != honest {
				wait = r.Uint64N(g.Left()/4 + 2)
			}
			next := g.Advance(wait)
			holds(t, g, next)
			if g = next; g.Phase == game.PhaseOver {
				break
			}
		}
		if g.Turn() == honest {
			m, err := truth.Next(g)
			require.NoError(t, err, "the honest side has no move in phase %s, tree %s", g.Phase, g.Tree)
			g = apply(t, g, m)
			continue
		}
		m := liarMove(r, g, lies, wild)
		if m == nil || moves >= quiet && wild == 1 {
			g = g.Advance(g.Left() + 1)
			continue
		}
		g = apply(t, g, m)
	}
	require.Equal(t, honest, g.Winner(), "%s, tree %s, step %d, node %d", g.Reason, g.Tree, g.From, g.Node)
	require.LessOrEqual(t, g.Elapsed, limit)
	require.LessOrEqual(t, g.Rounds, roundBound(t, g))
	return g
}

// liarMove is what the liar's solver says, or something wilder; nil when there is nothing legal to do.
func liarMove(r *rand.Rand, g game.Game, lies *game.Solver, wild int) game.Move {
	if wild > 0 && r.IntN(wild+1) == 0 {
		if m := mischief(r, g, lies); m != nil {
			return m
		}
	}
	m, err := lies.Next(g)
	if err == nil && g.Legal(m) == nil {
		return m
	}
	if errors.Is(err, game.ErrAgree) || r.IntN(2) == 0 {
		return mischief(r, g, lies)
	}
	return nil
}
