package disputes_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// forcing is a court with a committee of three, in which errors are forced at a rate in millionths.
func forcing(t *testing.T, ppm uint32, shadows ...testutil.Shadow) *testutil.Court {
	t.Helper()
	cs := counter(t)
	cs.Committee, cs.Parties, cs.Shadows = 3, 8, shadows
	cs.Genesis = func(g *testutil.Genesis) {
		quick(g)
		var s taskstypes.GenesisState
		g.Get(taskstypes.ModuleName, &s)
		s.Params.ForcedErrorPpm, s.Params.JackpotBps, s.Params.ReferenceCost = ppm, 500, math.ZeroInt()
		g.Set(taskstypes.ModuleName, &s)
	}
	return testutil.NewCourt(t, cs)
}

// copier is a member that attests whatever root the worker has sealed, which the worker told it.
func copier(c *testutil.Court, worker *testutil.Party) *testutil.Party {
	p := c.Join(c.Truth)
	honest := p.Result
	p.Result = func(task uint64) (testutil.Result, error) {
		res, err := honest(task)
		res.Root = commit.ForcedRoot(worker.Answer.Root)
		return res, err
	}
	return p
}

func noCase(t *testing.T, c *testutil.Court) {
	t.Helper()
	_, err := c.LastCase()
	require.ErrorIs(t, err, collections.ErrNotFound, "nobody argues about it")
}

// paid is what became of the escrow and the jackpot.
func paid(t *testing.T, c *testutil.Court) taskstypes.Payment {
	t.Helper()
	pay, err := c.App.Tasks.Payments.Get(c.Ctx(), c.Task)
	require.NoError(t, err)
	return pay
}

// TestForcedErrorCatchesACopier: the worker tells a member what it has sealed. The member loses its lock without a dispute; worker and members who
// computed share what of it does not burn, and the jackpot. On every way to run the chain.
func TestForcedErrorCatchesACopier(t *testing.T) {
	shadows := testutil.AllShadows()
	if testing.Short() {
		shadows = nil
	}
	c := forcing(t, taskstypes.PpmOne, shadows...)
	worker := c.Honest()
	lazy, a, b := copier(c, worker), c.Honest(), c.Honest()
	c.Crew.SetVRFKeys()
	c.Assign(worker, lazy, a, b)
	c.Until(100, func() bool { return c.Status().State == taskstypes.STATE_FINAL })
	noCase(t, c)
	require.True(t, c.Status().Forced)
	require.Equal(t, c.Truth.Root[:], c.Status().ResultRoot)
	require.True(t, lost(t, c, lazy))
	for _, p := range []*testutil.Party{worker, a, b} {
		require.False(t, lost(t, c, p), p.Name)
	}
	pay := paid(t, c)
	require.True(t, pay.WorkerPrize.IsPositive() && pay.MemberPrizes.IsPositive())
	require.Equal(t, pay.Jackpot.String(), pay.WorkerPrize.Add(pay.MemberPrizes).String(), "at a rate of one what came in goes out")
}

// TestForcedErrorAndThirdRoot: one member attests what was sealed, another lies. The liar is argued down, the copier was no party; both lose.
func TestForcedErrorAndThirdRoot(t *testing.T) {
	c := forcing(t, taskstypes.PpmOne)
	worker := c.Honest()
	lazy, liar, a := copier(c, worker), c.Lying(flip), c.Honest()
	c.Crew.SetVRFKeys()
	c.Assign(worker, lazy, liar, a)
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_UPHELD, cs.Outcome)
	require.NoError(t, c.App.Disputes.Claims.Walk(c.Ctx(), nil, func(_ collections.Triple[uint64, uint32, uint32], cl disputestypes.Claim) (bool, error) {
		require.NotEqual(t, lazy.String(), cl.Participant, "the forced root is nobody's claim")
		return false, nil
	}))
	require.True(t, lost(t, c, lazy))
	require.True(t, lost(t, c, liar))
	require.False(t, lost(t, c, worker))
	require.False(t, lost(t, c, a))
	require.Equal(t, taskstypes.STATE_FINAL, c.Status().State)
	require.True(t, paid(t, c).MemberPrizes.IsPositive())
}

// TestForcedLiar: a worker whose error is forced reveals a wrong root as the true one. It is refuted like any other; who copied it loses too.
func TestForcedLiar(t *testing.T) {
	c := forcing(t, taskstypes.PpmOne)
	worker := c.Lying(flip)
	lazy, a, b := copier(c, worker), c.Honest(), c.Honest()
	c.Crew.SetVRFKeys()
	c.Assign(worker, lazy, a, b)
	cs := closed(t, c)
	require.Equal(t, disputestypes.OUTCOME_OVERTURNED, cs.Outcome)
	require.True(t, lost(t, c, worker))
	require.True(t, lost(t, c, lazy))
	require.False(t, lost(t, c, a))
	require.False(t, lost(t, c, b))
}

// TestPretender: a worker that was not forced seals a wrong root and says that it had to. It cannot open its seal, which is a lie as any silence, also
// where nobody attested it.
func TestPretender(t *testing.T) {
	c := forcing(t, 1)
	worker := c.Honest()
	worker.Pretends = true
	a, b := c.Honest(), c.Honest()
	c.Crew.SetVRFKeys()
	c.Assign(worker, a, b)
	c.Until(100, func() bool { return c.Status().Attempt == 1 && c.Status().State == taskstypes.STATE_OPEN })
	noCase(t, c)
	require.True(t, lost(t, c, worker))
	require.False(t, lost(t, c, a))
}
