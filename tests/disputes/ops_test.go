package disputes_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/testutil"
	"poaid/testutil/adversary"
	"poaid/testutil/programs"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
)

// TestFlippedBitOfEveryOp: a worker flips one bit of one element of one node, once for every op of the engine, and the chain finds just that
// element.
func TestFlippedBitOfEveryOp(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred disputes")
	}
	seen := make(map[string]bool)
	for name, make := range map[string]func(testing.TB) programs.Program{
		"mlp": programs.MLP, "llama": programs.Llama, "cnn training": programs.CNNTraining, "llama training": programs.LlamaTraining,
		"zoo": programs.Zoo, "sprint": programs.Sprint,
	} {
		t.Run(name, func(t *testing.T) { everyOp(t, make(t), seen) })
	}
	for _, op := range engine.OpNames() {
		require.True(t, seen[op], "no lie about %s", op)
	}
}

// incorrigible lets one worker lie about every op: its reliability, and with it the weight that it is drawn by, stays.
func incorrigible(g *testutil.Genesis) {
	quick(g)
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.ReliabilityFaultPpm = poaitypes.PPM - 1
	g.Set(poaitypes.ModuleName, &p)
}

func everyOp(t *testing.T, p programs.Program, seen map[string]bool) {
	t.Helper()
	c := testutil.NewCourt(t, testutil.Case{
		Program: p.Prog, Weights: p.Weights, Inputs: p.Inputs, Steps: p.Steps, Parties: 2, Genesis: incorrigible,
	})
	worker, watcher := c.Lying(adversary.WrongOutput(0)), c.Honest()
	step := p.Steps - 1
	for n := c.Run.Machine.Nodes(step) - 1; n >= 0; n-- {
		view, _, err := c.Run.Machine.Node(step, n)
		require.NoError(t, err)
		if seen[view.Op.Name] {
			continue
		}
		lie := lieAbout(t, c, step, n)
		if lie == nil {
			continue // nobody reads it
		}
		seen[view.Op.Name] = true
		worker.Answer = lie
		c.Assign(worker)
		c.Until(200, c.Settled)
		games := c.Games()
		require.Len(t, games, 1, view.Op.Name)
		require.Equal(t, disputestypes.GAME_RESULT_REFUTED, games[0].Result, view.Op.Name)
		require.Equal(t, watcher.String(), games[0].Winner)
		require.Equal(t, step, games[0].Position.From)
		require.Equal(t, int64(n), games[0].Position.Node, view.Op.Name)
	}
}

// lieAbout flips a bit that changes the result, nil if none of those tried does.
func lieAbout(t *testing.T, c *testutil.Court, step uint64, node int) *adversary.Answer {
	t.Helper()
	for _, at := range []int{3, 1 << 30, 7, 0, 43} {
		a, err := adversary.Flipped(step, node, at, 0x40)(c.Run)
		require.NoError(t, err, fmt.Sprint(node))
		if a.Root != c.Truth.Root {
			return a
		}
	}
	return nil
}
