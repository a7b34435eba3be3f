package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// A lying worker is beaten by the member who checked; its colleague who lied with it pays too.
func TestLyingWorker(t *testing.T) {
	f := fixture(t)
	id := f.task(1, 0, 1)
	c := f.one(id)
	require.Equal(t, []uint32{3, 2, 1, 2, 1}, []uint32{c.Claims, c.Roots, c.Running, c.Seats, c.Dissent})
	g := f.through(id, 1)
	require.Equal(t, types.GAME_RESULT_REFUTED, g.Result)
	require.Equal(t, who(1), g.Winner)
	f.blocks(1) // two roots live, so the chain pairs member 2 with member 1
	run := f.running(id)
	require.Len(t, run, 1)
	require.Equal(t, who(1), run[0].Defender, "the older defends")
	require.Equal(t, who(2), run[0].Challenger)
	require.Equal(t, types.GAME_RESULT_UPHELD, f.through(id, 2).Result)
	c = f.settle(id)
	require.Equal(t, types.OUTCOME_OVERTURNED, c.Outcome)
	require.Equal(t, f.world.roots[0][:], c.ValidRoot)
	x := must(f.tasks.get(f.ctx, id))
	require.Equal(t, []string{who(1)}, x.Resolution.Beneficiaries)
	require.Equal(t, taskstypes.STATE_OPEN, x.Status.State)
	s := f.poai.state(f.ctx)
	require.Equal(t, map[string]int{who(0): 1, who(2): 1}, s.Lies)
	require.Equal(t, int64(1000), s.Paid[who(1)])
	require.Empty(t, c.Suspect)
	require.Len(t, f.claims(id), 3)
}

// The claimant of a new root plays the worker at once; if it is wrong it pays the worker.
func TestWrongClaim(t *testing.T) {
	f := fixture(t)
	id := f.task(0, 0)
	_, err := f.claim(5, id, 0)
	require.ErrorIs(t, err, types.ErrSameRoot, "nobody contests it")
	index, err := f.claim(5, id, 2)
	require.NoError(t, err)
	require.EqualValues(t, 1, index)
	_, err = f.claim(5, id, 3)
	require.Error(t, err)
	support, err := f.claim(6, id, 2)
	require.NoError(t, err)
	require.Zero(t, support, "support opens no game")
	require.Equal(t, types.GAME_RESULT_UPHELD, f.through(id, 1).Result)
	require.Equal(t, who(0), f.game(id, 1).Winner)
	f.blocks(1)
	require.Equal(t, who(6), f.through(id, 2).Challenger)
	c := f.settle(id)
	require.Equal(t, types.OUTCOME_UPHELD, c.Outcome)
	s := f.poai.state(f.ctx)
	require.Equal(t, map[string]int{who(5): 1, who(6): 1}, s.Lies)
	require.Equal(t, int64(1000), s.Paid[who(0)])
	require.Empty(t, s.Locks)
}

// An honest worker that is offline is beaten by silence, but others stand behind its root: it loses nothing.
func TestSilentHonestWorker(t *testing.T) {
	f := fixture(t)
	id := f.task(0)
	index, err := f.claim(5, id, 1)
	require.NoError(t, err)
	_, err = f.claim(6, id, 0)
	require.NoError(t, err)
	f.blocks(8)
	g := f.game(id, index)
	require.Equal(t, types.GAME_RESULT_SILENCE, g.Result)
	require.Equal(t, who(5), g.Winner)
	require.True(t, f.claims(id)[0].Beaten)
	run := f.running(id)
	require.Len(t, run, 1, "the supporter plays on")
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(id, run[0].Index).Result)
	require.Equal(t, types.OUTCOME_UPHELD, f.settle(id).Outcome)
	s := f.poai.state(f.ctx)
	require.Equal(t, map[string]int{who(5): 1}, s.Lies)
	require.Equal(t, int64(bond), s.Bonds[who(0)])
	require.Equal(t, taskstypes.STATE_FINAL, must(f.tasks.get(f.ctx, id)).Status.State)
}

// A root that fell can be claimed again while new roots can: somebody who looks within the window finds the honest worker beaten by
// silence, and wins all the same. Whoever stands behind a wrong root again is beaten again.
func TestFallenRootIsClaimedAgain(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.ClaimBlocks = 20 })
	id := f.task(0)
	_, err := f.claim(5, id, 1)
	require.NoError(t, err)
	f.blocks(8)
	require.True(t, f.claims(id)[0].Beaten)
	require.EqualValues(t, 1, f.one(id).Roots)
	index, err := f.claim(6, id, 0)
	require.NoError(t, err)
	f.check()
	g := f.game(id, index)
	require.Equal(t, []string{who(5), who(6)}, []string{g.Defender, g.Challenger})
	require.Equal(t, who(6), f.through(id, index).Winner)
	again, err := f.claim(7, id, 1)
	require.NoError(t, err)
	f.check()
	g = f.game(id, again)
	require.Equal(t, []string{who(6), who(7)}, []string{g.Defender, g.Challenger}, "the worker is beaten")
	require.Equal(t, who(6), f.through(id, again).Winner)
	require.Equal(t, types.OUTCOME_UPHELD, f.settle(id).Outcome)
	s := f.poai.state(f.ctx)
	require.Equal(t, map[string]int{who(5): 1, who(7): 1}, s.Lies)
	require.Equal(t, int64(bond), s.Bonds[who(0)])
	require.Empty(t, s.Locks)
}

// A sybil that loses for the right root on purpose changes nothing: its root stands by others, and falls by nobody.
func TestLaunderingALie(t *testing.T) {
	f := fixture(t)
	id := f.task(1) // the worker lies
	index, err := f.claim(5, id, 0)
	require.NoError(t, err, "a friend claims the truth to lose for it")
	_, err = f.claim(6, id, 0)
	require.NoError(t, err, "an honest watcher supports it")
	f.blocks(8) // the worker is silent too; whoever is to move first loses: the worker
	require.Equal(t, who(5), f.game(id, index).Winner)
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
}

// Roots are claimed until claim_until and supported for as long again, so that nobody is surprised by the last claim.
func TestClaimWindows(t *testing.T) {
	f := fixture(t)
	id := f.task(0)
	_, err := f.claim(5, id, 1)
	require.NoError(t, err)
	c := f.one(id)
	require.Equal(t, c.OpenedHeight+6, c.ClaimUntil)
	require.Equal(t, c.ClaimUntil+6, c.SupportUntil)
	f.keepAlive(id, c.ClaimUntil)
	_, err = f.claim(6, id, 2)
	require.NoError(t, err)
	f.keepAlive(id, c.ClaimUntil+1)
	_, err = f.claim(7, id, 3)
	require.ErrorIs(t, err, types.ErrDeadline)
	f.keepAlive(id, c.SupportUntil)
	_, err = f.claim(7, id, 0)
	require.NoError(t, err)
	f.keepAlive(id, c.SupportUntil+1)
	_, err = f.claim(8, id, 0)
	require.ErrorIs(t, err, types.ErrDeadline)
}

// keepAlive ends blocks up to a height with the lane full, so that no clock runs.
func (f *fix) keepAlive(_ uint64, height int64) {
	f.full = true
	f.blocks(height - f.ctx.BlockHeight())
	f.full = false
}

func TestClaimRefused(t *testing.T) {
	f := fixture(t)
	id := f.task(0, 0)
	_, err := deliver(f, f.msgs.Claim, &types.MsgClaim{Participant: "nobody", TaskId: id, ResultRoot: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrAddress)
	_, err = deliver(f, f.msgs.Claim, &types.MsgClaim{Participant: who(5), TaskId: id, ResultRoot: make([]byte, 31)})
	require.ErrorIs(t, err, types.ErrLength)
	_, err = f.claim(5, 99, 1)
	require.ErrorIs(t, err, types.ErrUnknownTask)
	_, err = f.claim(people+3, id, 1)
	require.Error(t, err, "without bond")
	_, err = f.claim(0, id, 1)
	require.ErrorIs(t, err, types.ErrClaimed, "the worker has a claim")
	_, err = f.claim(1, id, 1)
	require.ErrorIs(t, err, types.ErrClaimed, "a member has one")
	require.Len(t, f.poai.state(f.ctx).Locks, 2, "nothing stays locked")

	_, err = f.claim(5, id, 1)
	require.NoError(t, err)
	require.Equal(t, who(0), f.through(id, 1).Winner)
	f.keepAlive(id, f.one(id).ClaimUntil+1)
	_, err = f.claim(6, id, 1)
	require.ErrorIs(t, err, types.ErrFallen)
	f.settle(id)
	_, err = f.claim(6, id, 2)
	require.ErrorIs(t, err, types.ErrState)

	late := f.task(0)
	f.blocks(5)
	_, err = f.claim(5, late, 1)
	require.ErrorIs(t, err, taskstypes.ErrDeadline)
}

// A task goes to another worker, and there is a second case about it.
func TestSecondAttempt(t *testing.T) {
	f := fixture(t)
	id := f.task(1, 0)
	f.through(id, 1)
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
	f.reveal(id, 2, 2, 0)
	c := f.one(id)
	require.EqualValues(t, 2, c.Attempt)
	run := f.running(id)
	require.Len(t, run, 1)
	require.EqualValues(t, 2, run[0].Index, "games are counted whatever the attempt")
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(id, 2).Result)
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
	require.Len(t, f.claims(id), 2)
}
