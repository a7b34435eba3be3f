package disputes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/testutil"
	"poaid/testutil/adversary"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// lies are what a worker may say about the counter.
var lies = map[string]adversary.Lie{
	"flipped bit, first step":     adversary.Flipped(0, 1, 13, 1),
	"flipped bit, in the middle":  adversary.Flipped(11, 2, 700, 0x40),
	"flipped bit, last step":      adversary.Flipped(22, 2, 4, 1),
	"wrong output":                adversary.WrongOutput(0),
	"wrong states, right nodes":   adversary.WrongState(7, 0),
	"a root without preimage":     adversary.NoPreimage(5),
	"truncated":                   adversary.Truncated(9),
	"a cheaper model":             adversary.OtherModel(adversary.Coarse),
	"roots that do not hash":      adversary.Garbled(adversary.Flipped(11, 2, 700, 1), 3, 2),
	"now and then another answer": adversary.Garbled(adversary.Flipped(3, 2, 0, 1), 4, 6),
	"stopped where it did not":    adversary.Flipped(9, 8, 0, 10),
	"went on behind the stop":     adversary.WrongState(30, 0),
}

// TestLyingWorker: nobody audits, and one watcher that is not drawn for anything undoes every kind of lie.
func TestLyingWorker(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			c := testutil.NewCourt(t, counter(t))
			worker, watcher := c.Lying(lie), c.Honest()
			c.Assign(worker)
			c.Until(200, c.Settled)
			cs, err := c.LastCase()
			require.NoError(t, err)
			require.Equal(t, disputestypes.OUTCOME_OVERTURNED, cs.Outcome)
			require.Equal(t, c.Truth.Root[:], cs.ValidRoot)
			require.True(t, lost(t, c, worker))
			require.False(t, lost(t, c, watcher))
			require.Equal(t, taskstypes.STATE_OPEN, c.Status().State, "somebody else may try")
			for _, g := range c.Games() {
				t.Logf("game %d: %s after %d rounds, %d moves: %s", g.Index, g.Result, g.Position.Rounds, g.Moves, g.LastMove)
			}
		})
	}
}
