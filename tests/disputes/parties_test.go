package disputes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/game"
	"poaid/testutil"
	"poaid/testutil/adversary"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

var flip = adversary.Flipped(11, 2, 700, 0x40)

// closed plays on until the case is over and says how it ended.
func closed(t *testing.T, c *testutil.Court) disputestypes.Case {
	t.Helper()
	c.Until(300, c.Settled)
	cs, err := c.LastCase()
	require.NoError(t, err)
	return cs
}

// audited is a court with a committee of three.
func audited(t *testing.T, shadows ...testutil.Shadow) *testutil.Court {
	t.Helper()
	cs := counter(t)
	cs.Committee, cs.Parties, cs.Shadows = 3, 12, shadows
	return testutil.NewCourt(t, cs)
}

// TestLyingMember: one of three members attests another root. It is refuted in its game against the worker.
func TestLyingMember(t *testing.T) {
	c := audited(t)
	worker, liar, a, b := c.Honest(), c.Lying(flip), c.Honest(), c.Honest()
	c.Assign(worker, liar, a, b)
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_UPHELD, cs.Outcome)
	require.Equal(t, "attestation", cs.Cause)
	require.True(t, lost(t, c, liar))
	for _, p := range []*testutil.Party{worker, a, b} {
		require.False(t, lost(t, c, p), p.Name)
	}
	require.Equal(t, taskstypes.STATE_FINAL, c.Status().State)
}

// TestLyingMajority: the worker and two of three members tell the same lie. The third member and one watcher undo it, on every way to run
// the chain.
func TestLyingMajority(t *testing.T) {
	shadows := testutil.AllShadows()
	if testing.Short() {
		shadows = nil
	}
	c := audited(t, shadows...)
	worker, liar1, liar2 := c.Lying(flip), c.Lying(flip), c.Lying(flip)
	member, watcher := c.Honest(), c.Honest()
	c.Assign(worker, liar1, liar2, member)
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, cs.Outcome)
	require.Empty(t, cs.Suspect, "members disagreed: the op is not at fault")
	for _, p := range []*testutil.Party{worker, liar1, liar2} {
		require.True(t, lost(t, c, p), p.Name)
	}
	require.False(t, lost(t, c, member))
	require.False(t, lost(t, c, watcher))
}

// bought is a committee that lies as one, against one watcher.
func bought(t *testing.T) (c *testutil.Court, liars []*testutil.Party, watcher *testutil.Party) {
	t.Helper()
	c = audited(t)
	for range 4 {
		liars = append(liars, c.Lying(flip))
	}
	watcher = c.Honest()
	c.Assign(liars[0], liars[1:]...)
	return c, liars, watcher
}

// TestBoughtCommittee: where all who were drawn lie, one watcher still undoes it. Since a kernel of ours could look the same the case is held,
// and settled as any other when governance says nothing.
func TestBoughtCommittee(t *testing.T) {
	c, liars, watcher := bought(t)
	c.Until(200, func() bool {
		cs, err := c.LastCase()
		return err == nil && cs.State == disputestypes.CASE_STATE_HELD
	})
	cs, err := c.LastCase()
	require.NoError(t, err)
	require.NotEmpty(t, cs.Suspect)
	require.Equal(t, taskstypes.STATE_DISPUTED, c.Status().State)
	require.ErrorContains(t, c.Refused(), cs.Suspect, "new tasks must not use the op")
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, closed(t, c).Outcome)
	for _, p := range liars {
		require.True(t, lost(t, c, p), p.Name)
	}
	require.False(t, lost(t, c, watcher))
	require.NoError(t, c.Refused(), "the quarantine has ended")
}

// TestFaultyKernel: governance finds that the op was at fault. Nobody is slashed, the submitter is refunded, and the op stays out until lifted.
func TestFaultyKernel(t *testing.T) {
	c, liars, watcher := bought(t)
	c.Until(200, func() bool {
		cs, err := c.LastCase()
		return err == nil && cs.State == disputestypes.CASE_STATE_HELD
	})
	held, err := c.LastCase()
	require.NoError(t, err)
	c.Govern(&disputestypes.MsgSettleSuspect{Authority: c.App.Gov.GetAuthority(), TaskId: c.Task, Acquit: true})
	require.Equal(t, disputestypes.OUTCOME_ACQUITTED, closed(t, c).Outcome)
	for _, p := range append(liars, watcher) {
		require.False(t, lost(t, c, p), p.Name)
	}
	require.Equal(t, taskstypes.STATE_REFUNDED, c.Status().State)
	require.ErrorContains(t, c.Refused(), held.Suspect)
	c.Govern(&disputestypes.MsgLiftQuarantine{Authority: c.App.Gov.GetAuthority(), Op: held.Suspect})
	require.NoError(t, c.Refused())
}

// TestLyingChallenger: somebody claims another root than the honest worker's.
func TestLyingChallenger(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			c := testutil.NewCourt(t, counter(t))
			worker, liar := c.Honest(), c.Lying(lie)
			liar.Watches = true
			c.Assign(worker)
			require.Equal(t, disputestypes.OUTCOME_UPHELD, closed(t, c).Outcome)
			require.True(t, lost(t, c, liar))
			require.False(t, lost(t, c, worker))
			require.Equal(t, taskstypes.STATE_FINAL, c.Status().State)
		})
	}
}

// TestSybils: five claims of the worker's lie against one watcher, who plays them all at once.
func TestSybils(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	worker, watcher := c.Lying(flip), c.Honest()
	liars := []*testutil.Party{worker}
	for range 5 {
		p := c.Lying(flip)
		p.Watches, p.Attacks = true, true
		// A staller: it moves when half of its clock is gone.
		p.Silent = func(g disputestypes.Game) bool { return c.Left(g) > g.Position.MoveLeft/2 }
		liars = append(liars, p)
	}
	c.Assign(worker)
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, cs.Outcome)
	require.EqualValues(t, 7, cs.Claims)
	for _, p := range liars {
		require.True(t, lost(t, c, p), p.Name)
	}
	require.False(t, lost(t, c, watcher))
}

// TestLaundering: sybils claim the right root before anybody else and play badly on purpose. Their verdicts bind nobody.
func TestLaundering(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	worker := c.Lying(flip)
	worker.Guards = true
	var bad []*testutil.Party
	for seed := range uint64(3) {
		a, err := adversary.Garbled(adversary.Honest, seed, 2)(c.Run)
		require.NoError(t, err)
		a.Root = c.Truth.Root
		p := c.Join(a)
		p.Watches = true
		bad = append(bad, p)
	}
	c.Assign(worker)
	c.Until(60, func() bool { _, err := c.LastCase(); return err == nil })
	watcher := c.Honest()
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, cs.Outcome)
	require.Equal(t, c.Truth.Root[:], cs.ValidRoot)
	require.True(t, lost(t, c, worker))
	require.False(t, lost(t, c, watcher))
	for _, p := range bad {
		require.False(t, lost(t, c, p), "it stood behind the right root")
	}
}

// TestWorkerKnockedOffline: a liar challenges an honest worker that falls silent. Somebody who supports its root takes the chair, and the worker
// loses nothing.
func TestWorkerKnockedOffline(t *testing.T) {
	for name, silent := range map[string]func(disputestypes.Game) bool{
		"at once":     func(disputestypes.Game) bool { return true },
		"in mid-game": func(g disputestypes.Game) bool { return g.Moves > 4 },
	} {
		t.Run(name, func(t *testing.T) {
			c := testutil.NewCourt(t, counter(t))
			worker, liar, supporter := c.Join(c.Truth), c.Lying(flip), c.Honest()
			worker.Silent, liar.Watches = silent, true
			c.Assign(worker)
			require.Equal(t, disputestypes.OUTCOME_UPHELD, closed(t, c).Outcome)
			require.True(t, lost(t, c, liar))
			require.False(t, lost(t, c, worker))
			require.False(t, lost(t, c, supporter))
			require.Equal(t, taskstypes.STATE_FINAL, c.Status().State)
			pay, err := c.App.Tasks.Payments.Get(c.Ctx(), c.Task)
			require.NoError(t, err)
			require.True(t, pay.Worker.IsPositive(), "the worker is paid for its result")
		})
	}
}

// TestSilentInMidGame: a liar that stops answering loses at every point of the game.
func TestSilentInMidGame(t *testing.T) {
	for moves := range uint64(9) {
		c := testutil.NewCourt(t, counter(t))
		worker, watcher := c.Lying(flip), c.Honest()
		worker.Silent = func(g disputestypes.Game) bool { return g.Moves >= moves }
		c.Assign(worker)
		require.Equal(t, disputestypes.OUTCOME_OVERTURNED, closed(t, c).Outcome, moves)
		require.Equal(t, disputestypes.GAME_RESULT_SILENCE, c.Games()[0].Result, moves)
		require.True(t, lost(t, c, worker))
		require.False(t, lost(t, c, watcher))
	}
}

// TestNobodyHonest: two liars argue, and nobody else does. One of them is left; the other pays.
func TestNobodyHonest(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	worker, liar := c.Lying(flip), c.Lying(adversary.Flipped(3, 1, 8, 0x40))
	liar.Watches = true
	c.Assign(worker)
	cs := closed(t, c)
	require.NotEqual(t, lost(t, c, worker), lost(t, c, liar))
	require.Equal(t, lost(t, c, liar), cs.Outcome == disputestypes.OUTCOME_UPHELD)
}

// TestSecondAttemptLiesToo: after a liar another worker has the task, and lies again.
func TestSecondAttemptLiesToo(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	first, second, watcher := c.Lying(flip), c.Lying(adversary.WrongOutput(0)), c.Honest()
	c.Assign(first, second)
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, closed(t, c).Outcome)
	c.Unjail(second) // it has lied as a member, too
	c.Until(300, func() bool {
		cs, err := c.LastCase()
		return err == nil && cs.Attempt == 2 && cs.State == disputestypes.CASE_STATE_CLOSED
	})
	require.True(t, lost(t, c, first))
	require.True(t, lost(t, c, second))
	require.False(t, lost(t, c, watcher))
	require.Equal(t, game.PhaseOver, game.Phase(c.Games()[1].Position.Phase))
}
