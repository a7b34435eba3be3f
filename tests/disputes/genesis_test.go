package disputes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// reborn plays on until the case is over, and has the whole chain begin anew from its exported state every few blocks.
func reborn(t *testing.T, c *testutil.Court, every int) disputestypes.Case {
	t.Helper()
	births := 0
	for i := range 300 {
		if c.Settled() {
			break
		}
		if _, err := c.LastCase(); err == nil && i%every == 0 {
			c.Rebirth()
			births++
		}
		c.Step()
	}
	require.Positive(t, births)
	return closed(t, c)
}

// TestExportInMidGame: cases that are argued, held and settled go on from an export as if nothing had been: same games, same clocks, same end.
func TestExportInMidGame(t *testing.T) {
	t.Run("worker", func(t *testing.T) {
		c := testutil.NewCourt(t, counter(t))
		worker, watcher := c.Lying(flip), c.Honest()
		c.Assign(worker)
		require.Equal(t, disputestypes.OUTCOME_OVERTURNED, reborn(t, c, 2).Outcome)
		require.True(t, lost(t, c, worker))
		require.False(t, lost(t, c, watcher))
		require.Equal(t, taskstypes.STATE_OPEN, c.Status().State)
	})
	t.Run("sybils with stakes, and an honest worker that is silent", func(t *testing.T) {
		c := testutil.NewCourt(t, counter(t))
		worker, supporter := c.Join(c.Truth), c.Honest()
		worker.Silent = func(g disputestypes.Game) bool { return g.Moves > 4 }
		var liars []*testutil.Party
		for range 3 {
			p := c.Lying(flip)
			p.Watches, p.Attacks = true, true
			liars = append(liars, p)
		}
		c.Assign(worker)
		require.Equal(t, disputestypes.OUTCOME_UPHELD, reborn(t, c, 3).Outcome)
		for _, p := range liars {
			require.True(t, lost(t, c, p), p.Name)
		}
		require.False(t, lost(t, c, worker))
		require.False(t, lost(t, c, supporter))
	})
	t.Run("bought committee", func(t *testing.T) {
		c, liars, watcher := bought(t)
		require.Equal(t, disputestypes.OUTCOME_OVERTURNED, reborn(t, c, 4).Outcome)
		for _, p := range liars {
			require.True(t, lost(t, c, p), p.Name)
		}
		require.False(t, lost(t, c, watcher))
	})
}

// TestLateHonestWatcher: an honest worker falls silent and is beaten at once. Who looks within the window, but after that, claims its root
// again: the liar loses and the worker does not. On every way to run the chain.
func TestLateHonestWatcher(t *testing.T) {
	cs := counter(t)
	cs.Shadows = testutil.AllShadows()
	if testing.Short() {
		cs.Shadows = nil
	}
	cs.Genesis = func(g *testutil.Genesis) {
		quick(g)
		var d disputestypes.GenesisState
		g.Get(disputestypes.ModuleName, &d)
		d.Params.ClaimBlocks = 30
		g.Set(disputestypes.ModuleName, &d)
	}
	c := testutil.NewCourt(t, cs)
	worker, liar := c.Join(c.Truth), c.Lying(flip)
	worker.Silent, liar.Watches = func(disputestypes.Game) bool { return true }, true
	c.Assign(worker)
	c.Until(100, func() bool { return len(c.Games()) == 1 && c.Games()[0].Winner == liar.String() })
	watcher := c.Honest()
	require.Equal(t, disputestypes.OUTCOME_UPHELD, closed(t, c).Outcome)
	require.True(t, lost(t, c, liar))
	require.False(t, lost(t, c, worker))
	require.False(t, lost(t, c, watcher))
	require.Equal(t, taskstypes.STATE_FINAL, c.Status().State)
}
