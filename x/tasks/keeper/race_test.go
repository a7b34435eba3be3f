package keeper_test

import (
	"slices"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// raceMsg is digits for whoever seals first, and n−1 runners.
func raceMsg(submitter string, image int, n uint32) *types.MsgSubmitTask {
	msg := digitsMsg(submitter, image)
	msg.Allocation, msg.Redundancy = types.ALLOCATION_RACE, n
	return msg
}

// come seals as somebody who was not drawn; it returns the refusal.
func (f *fix) come(id uint64, who string, a answer) string {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.SealResults, &types.MsgSealResults{Worker: who, Items: []types.ResultSeal{f.sealItem(id, who, a)}})
	require.NoError(f.tb, err)
	return res.Results[0].Error
}

func (f *fix) tryRevealAs(who string, a answer) string {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.RevealResults, &types.MsgRevealResults{Worker: who, Items: []types.ResultReveal{a.reveal}})
	require.NoError(f.tb, err)
	return res.Results[0].Error
}

func (f *fix) runners(id uint64) (out []types.Runner) {
	f.tb.Helper()
	for i := range f.status(id).Runners {
		r, err := f.keeper.Runners.Get(f.ctx, runnerKey(id, i))
		if err == nil { // gone once pruned
			out = append(out, r)
		}
	}
	return out
}

// race seals as participants 0, 1, …, each with a variant of the result, and goes on to the reveals.
func (f *fix) race(n uint32, variants ...byte) uint64 {
	f.tb.Helper()
	id := f.submit(raceMsg(f.who(9), 1, n))
	for i, v := range variants {
		require.Empty(f.tb, f.come(id, f.who(i), f.result(id, 0, v)))
	}
	require.Len(f.tb, f.events("RunnerSealed"), len(variants)-1)
	f.until(id, types.STATE_REVEALING)
	return id
}

func TestRaceGoesToTheFirst(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(raceMsg(f.who(9), 1, 0))
	task, st, err := f.keeper.GetTask(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, types.STATE_OPEN, st.State)
	require.False(t, task.Scored, "who chooses its tasks earns no score")
	require.EqualValues(t, 1, task.Redundancy)
	require.Equal(t, []uint64{id}, f.open("digits"))
	f.block(1)
	require.Contains(t, f.come(id, f.who(10), f.result(id, 0, 1)), "does not qualify", "no participant")
	require.Empty(t, f.come(id, f.who(3), f.result(id, 0, 1)))
	require.Contains(t, f.come(id, f.who(4), f.result(id, 0, 1)), "race is full")
	require.Empty(t, f.open("digits"))
	st = f.status(id)
	require.Equal(t, f.who(3), st.Worker)
	require.Equal(t, []proto.Message{&types.EventTaskAssigned{TaskId: id, Worker: f.who(3), Attempt: 1, Deadline: st.Deadline}}, f.events("TaskAssigned"))
	require.Equal(t, st.PromptHeight+2, st.Due, "whenever it seals, the audit is drawn at a height known when the race opened")
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_FINAL)
	pay := f.payment(id)
	require.Equal(t, "903", pay.Worker.String()) // 1,000 less 5 % royalty, 80 %
	require.True(t, pay.Runners.IsZero())
	require.Empty(t, f.slashes(id))
	for _, c := range f.credits(id) {
		require.Zero(t, c.ScoreUnits)
	}
}

// TestRaceNobodyComes: a race that nobody wins in its time is refunded whole.
func TestRaceNobodyComes(t *testing.T) {
	f := fixture(t)
	id := f.submit(raceMsg(f.who(9), 1, 3))
	deadline := f.status(id).Deadline
	f.block(deadline - f.ctx.BlockHeight())
	require.Equal(t, types.STATE_OPEN, f.state(id))
	f.block(1)
	require.Equal(t, types.STATE_EXPIRED, f.state(id))
	require.Equal(t, []proto.Message{&types.EventTaskRefunded{TaskId: id, State: types.STATE_EXPIRED, Refund: "5000"}}, f.events("TaskRefunded"))
	require.Equal(t, "5000", f.payment(id).Refund.String())
	require.NotEmpty(t, f.come(id, f.who(1), f.result(id, 0, 1)))
	require.Empty(t, f.open("digits"))
}

// TestRunnersShare: runners with the final root are paid what the worker is; the place that nobody took is refunded.
func TestRunnersShare(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(4, 1, 1, 1)
	require.Len(t, f.runners(id), 2)
	before := f.balance(f.who(1))
	for i := range 3 {
		require.Empty(t, f.tryRevealAs(f.who(i), f.result(id, 0, 1)))
	}
	require.Equal(t, types.STATE_REVEALED, f.state(id), "everybody has revealed")
	require.NotEmpty(t, f.tryRevealAs(f.who(1), f.result(id, 0, 1)), "twice")
	f.until(id, types.STATE_FINAL)
	pay := f.payment(id)
	// of 1,000 a royalty of 50 and a burn of 47; of 903 a quarter for each of four places
	require.Equal(t, "226 0 50 47 4225", payment(pay))
	require.Equal(t, "452", pay.Runners.String())
	require.Equal(t, "226", f.balance(f.who(1)).Sub(before).String())
	require.True(t, pay.Verifiers.IsZero())
	require.Len(t, f.credits(id), 3)
	f.block(40)
	require.Empty(t, f.runners(id), "dropped after retention")
}

// TestRunnersAndMembers: with an audit everybody is paid the same, members from the pot; no runner is a member.
func TestRunnersAndMembers(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id := f.submit(raceMsg(f.who(9), 1, 3))
	for i := range 3 {
		require.Empty(t, f.come(id, f.who(i), f.result(id, 0, 1)))
	}
	f.until(id, types.STATE_AUDITED)
	f.sealSeats(id)
	members := f.members(id)
	require.Len(t, members, 3)
	for i := range 3 {
		require.NotContains(t, members, f.who(i))
		require.Empty(t, f.tryRevealAs(f.who(i), f.result(id, 0, 1)))
	}
	root := f.result(id, 0, 1).root
	for _, m := range members {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, root[:]))
	}
	f.until(id, types.STATE_FINAL)
	pay := f.payment(id)
	require.Equal(t, "151 451 50 47 4000", payment(pay), "a sixth of 903 is 150.5")
	require.Equal(t, "301", pay.Runners.String())
}

// TestRaceLate: results come as long as a drawn worker could seal; who is not prompt is audited.
func TestRaceLate(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(raceMsg(f.who(9), 1, 2))
	st := f.status(id)
	f.block(st.PromptHeight + 1 - f.ctx.BlockHeight())
	require.Empty(t, f.come(id, f.who(0), f.result(id, 0, 1)))
	require.Equal(t, st.Deadline+2, f.status(id).Due)
	f.block(st.Deadline - f.ctx.BlockHeight())
	require.Empty(t, f.come(id, f.who(1), f.result(id, 0, 1)), "runners may, up to the height that the draw follows")
	f.until(id, types.STATE_AUDITED)
}

func TestRunnerTooLate(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(raceMsg(f.who(9), 1, 2))
	require.Empty(t, f.come(id, f.who(0), f.result(id, 0, 1)))
	f.block(f.status(id).PromptHeight + 1 - f.ctx.BlockHeight())
	require.Equal(t, types.STATE_SEALED, f.state(id))
	require.Contains(t, f.come(id, f.who(1), f.result(id, 0, 1)), "past the deadline")
	require.Contains(t, f.come(id, f.who(0), f.result(id, 0, 1)), "is STATE_SEALED", "the worker itself is no runner")
}

// TestRunnerRevealsInTime: up to the height of the deadline, and not after.
func TestRunnerRevealsInTime(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(2, 1, 1)
	deadline := f.status(id).Deadline
	f.ctx = f.ctx.WithBlockHeight(deadline + 1) // where what is due waits in a long queue
	require.Contains(t, f.tryRevealAs(f.who(1), f.result(id, 0, 1)), "was due at height")
	f.ctx = f.ctx.WithBlockHeight(deadline)
	require.Empty(t, f.tryRevealAs(f.who(1), f.result(id, 0, 1)))
}

// TestRaceInvariants: what is broken on purpose is seen.
func TestRaceInvariants(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(raceMsg(f.who(9), 1, 3))
	f.block(1)
	require.NoError(t, f.keeper.Open.Set(f.ctx, collections.Join("digits", id+1)))
	require.ErrorContains(t, f.keeper.CheckInvariants(f.ctx), "more listed than take comers")
	require.NoError(t, f.keeper.Open.Remove(f.ctx, collections.Join("digits", id+1)))
	require.NoError(t, f.keeper.Open.Remove(f.ctx, collections.Join("digits", id)))
	require.ErrorContains(t, f.keeper.CheckInvariants(f.ctx), "takes comers and is not listed")
	require.NoError(t, f.keeper.Open.Set(f.ctx, collections.Join("digits", id)))

	require.Empty(t, f.come(id, f.who(0), f.result(id, 0, 1)))
	require.Empty(t, f.come(id, f.who(1), f.result(id, 0, 1)))
	f.block(1)
	st := f.status(id)
	st.Runners++
	require.NoError(t, f.keeper.Statuses.Set(f.ctx, id, st))
	require.ErrorContains(t, f.keeper.CheckInvariants(f.ctx), "1 runners in STATE_SEALED, 2 counted")
}

func TestRaceRefusals(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(raceMsg(f.who(9), 1, 4))
	a := f.result(id, 0, 1)
	res, err := deliver(f, f.msgs.SealResults, &types.MsgSealResults{Worker: f.who(0), Items: []types.ResultSeal{{TaskId: id, Seal: []byte{1}}}})
	require.NoError(t, err)
	require.Contains(t, res.Results[0].Error, "32")
	require.Empty(t, f.come(id, f.who(0), a))
	require.Empty(t, f.come(id, f.who(1), a))
	require.Contains(t, f.come(id, f.who(1), a), "lock exists", "one result each")
	other := f.assigned(digitsMsg(f.who(9), 2))
	worker := f.status(other).Worker
	stranger := f.who(0)
	if worker == stranger {
		stranger = f.who(1)
	}
	require.Contains(t, f.come(other, stranger, f.result(other, 0, 1)), "not the worker", "no race")
	require.NotEmpty(t, f.tryRevealAs(f.who(1), a), "too early")
	f.until(id, types.STATE_REVEALING)
	forced := a
	forced.reveal.ForcedProof = make([]byte, 80)
	require.Contains(t, f.tryRevealAs(f.who(1), forced), "no error of a race is forced")
	require.Contains(t, f.tryRevealAs(f.who(1), f.result(id, 0, 2)), "does not match")
	require.Contains(t, f.tryRevealAs(f.who(5), a), "not assigned")

	f.params(func(p *types.Params) { p.MaxRedundancy = 3 })
	for _, c := range []struct {
		change func(*types.MsgSubmitTask)
		want   error
	}{
		{func(m *types.MsgSubmitTask) { m.Redundancy = 4 }, types.ErrRedundancy},
		{func(m *types.MsgSubmitTask) { m.Allocation = types.ALLOCATION_DRAW }, types.ErrRedundancy},
		{func(m *types.MsgSubmitTask) { m.Auction = &types.AuctionOptions{BidBlocks: 1} }, types.ErrAuction},
		{func(m *types.MsgSubmitTask) { m.Requirements = &poaitypes.Requirements{Tags: []string{"A"}} }, poaitypes.ErrInvalidRequirements},
	} {
		msg := raceMsg(f.who(9), 3, 2)
		c.change(msg)
		_, err := deliver(f, f.msgs.SubmitTask, msg)
		require.ErrorIs(t, err, c.want)
	}
}

// TestRequirements: who does not meet them cannot race.
func TestRequirements(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	msg := raceMsg(f.who(9), 1, 1)
	msg.Requirements = &poaitypes.Requirements{MinReliabilityPpm: 900_000}
	id := f.submit(msg)
	s := f.poai.state(f.ctx)
	s.participant(f.who(0)).Reliability = 800_000
	f.poai.save(f.ctx, "poai", s)
	require.Contains(t, f.come(id, f.who(0), f.result(id, 0, 1)), "does not qualify")
	require.Empty(t, f.come(id, f.who(1), f.result(id, 0, 1)))
}

// TestRunnerWins: where the worker's root falls, the first runner with the root that is left is the worker and is paid; who had another loses its lock.
func TestRunnerWins(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(4, 2, 3, 1, 1)
	for i, v := range []byte{2, 3, 1, 1} {
		require.Empty(t, f.tryRevealAs(f.who(i), f.result(id, 0, v)))
	}
	require.Equal(t, types.STATE_DISPUTED, f.state(id), "roots of runners are opinions like attestations")
	d := f.disputes.state(f.ctx).Opened
	require.Len(t, d, 1)
	require.Len(t, d[0].Members, 3)
	require.True(t, d[0].Members[0].Runner)
	root := f.result(id, 0, 1).root
	before := f.balance(f.who(2))
	require.NoError(t, f.resolve(id, root[:]))
	require.Equal(t, types.STATE_FINAL, f.state(id))
	require.Equal(t, f.who(2), f.status(id).Worker)
	require.EqualValues(t, 1, f.status(id).Attempt)
	pay := f.payment(id)
	require.Equal(t, "226", pay.Worker.String())
	require.Equal(t, "226", pay.Runners.String(), "the only other who was right")
	require.Equal(t, "226", f.balance(f.who(2)).Sub(before).String())
	require.ElementsMatch(t, []string{f.who(0) + "/1/10000/true", f.who(1) + "/1/10000/true"}, f.slashes(id))
	for _, s := range f.poai.state(f.ctx).Slashes {
		require.Equal(t, []string{f.who(2), f.who(3)}, s.Beneficiaries)
	}
	result, err := f.keeper.Results.Get(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, f.result(id, 0, 1).reveal.StateRoot, result.StateRoot, "the result that stands is the runner's")
}

// TestWorkerWinsOverRunner: a runner that was wrong loses its lock to those who were right.
func TestWorkerWinsOverRunner(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(3, 1, 2, 1)
	for i, v := range []byte{1, 2, 1} {
		require.Empty(t, f.tryRevealAs(f.who(i), f.result(id, 0, v)))
	}
	require.NoError(t, f.resolve(id, f.status(id).ResultRoot))
	require.Equal(t, []string{f.who(1) + "/1/10000/true"}, f.slashes(id))
	require.Equal(t, "301", f.payment(id).Runners.String())
}

// TestSilentWorkerIsReplaced: a worker that does not reveal loses its lock, and a runner has its place without a new race.
func TestSilentWorkerIsReplaced(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(3, 2, 1, 1)
	require.Empty(t, f.tryRevealAs(f.who(1), f.result(id, 0, 1)))
	f.until(id, types.STATE_REVEALED)
	st := f.status(id)
	require.Equal(t, f.who(1), st.Worker)
	require.Equal(t, []string{f.who(0)}, st.Tried)
	require.ElementsMatch(t, []string{f.who(0) + "/1/10000/true", f.who(2) + "/1/10000/true"}, f.slashes(id), "silent runners have lied too")
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "301", f.payment(id).Worker.String())
	require.True(t, f.payment(id).Runners.IsZero())
}

// TestAllRunnersWrong: where nobody in the race has the root that is left, it is run again, without those who failed it.
func TestAllRunnersWrong(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(2, 2, 3)
	for i, v := range []byte{2, 3} {
		require.Empty(t, f.tryRevealAs(f.who(i), f.result(id, 0, v)))
	}
	root := f.result(id, 0, 1).root
	require.NoError(t, f.resolve(id, root[:]))
	require.Equal(t, types.STATE_OPEN, f.state(id))
	require.Len(t, f.slashes(id), 2)
	require.Equal(t, []uint64{id}, f.open("digits"))
	require.Contains(t, f.come(id, f.who(0), f.result(id, 0, 1)), "failed this task before")
	require.Empty(t, f.come(id, f.who(2), f.result(id, 0, 1)))
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_FINAL)
	require.EqualValues(t, 2, f.status(id).Attempt)
}

// TestVoidRace: nobody loses anything, revealed or not.
func TestVoidRace(t *testing.T) {
	for _, reveal := range []bool{false, true} {
		f := fixture(t)
		f.audits(false)
		id := f.race(3, 1, 1, 1)
		if reveal {
			require.Empty(t, f.tryRevealAs(f.who(1), f.result(id, 0, 1)))
		}
		require.NoError(t, f.void(id, false))
		require.Equal(t, types.STATE_REFUNDED, f.state(id))
		require.Empty(t, f.slashes(id))
		require.Empty(t, f.poai.state(f.ctx).Locks)
		f.check()
	}
}

// TestRaceGenesis: runners and what is open survive.
func TestRaceGenesis(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.race(3, 1, 1, 2)
	require.Empty(t, f.tryRevealAs(f.who(2), f.result(id, 0, 2)))
	opened := f.submit(raceMsg(f.who(9), 2, 2))
	joined := f.submit(raceMsg(f.who(9), 3, 3))
	require.Empty(t, f.come(joined, f.who(4), f.result(joined, 0, 1)))
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	h := f.imported(*g)
	require.Equal(t, f.runners(id), h.runners(id))
	require.Equal(t, []uint64{opened, joined}, h.open("digits"))
	for _, i := range []int{0, 1} {
		require.Empty(t, h.tryRevealAs(h.who(i), h.result(id, 0, 1)))
	}
	require.Equal(t, types.STATE_DISPUTED, h.state(id))

	g.Tasks[0].Runners = g.Tasks[0].Runners[:1]
	require.ErrorIs(t, g.Validate(), types.ErrGenesis)
}

// TestSubmitterRaces: who races for its own task gets back what it paid less royalty and burn, and no score.
func TestSubmitterRaces(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	before := f.balance(f.who(0))
	id := f.submit(raceMsg(f.who(0), 1, 2))
	a := f.result(id, 0, 1)
	for _, i := range []int{0, 1} {
		require.Empty(t, f.come(id, f.who(i), a))
	}
	f.until(id, types.STATE_REVEALING)
	for _, i := range []int{0, 1} {
		require.Empty(t, f.tryRevealAs(f.who(i), a))
	}
	f.until(id, types.STATE_FINAL)
	pay := f.payment(id)
	lost := before.Sub(f.balance(f.who(0))).Sub(pay.Runners)
	require.Equal(t, pay.Royalty.Add(pay.Burnt).String(), lost.String())
	require.False(t, slices.ContainsFunc(f.credits(id), func(c poaitypes.CreditRequest) bool { return c.ScoreUnits > 0 }))
}

// TestRiskOfRaces: a worker that has to share its fee with runners forgoes less when it is caught, and lock and rate make up for it.
func TestRiskOfRaces(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) {
		p.WorkerLockBase, p.WorkerLockPrice, p.MinFee = math.OneInt(), math.ZeroInt(), math.OneInt()
	})
	p, err := f.keeper.Params.Get(f.ctx)
	require.NoError(t, err)
	for n := range p.MaxRedundancy {
		task, err := f.keeper.Tasks.Get(f.ctx, f.submit(raceMsg(f.who(9), int(n), n+1)))
		require.NoError(t, err)
		rest := task.Fee.Sub(task.Fee.MulRaw(int64(task.RoyaltyBps)).QuoRaw(types.BpsOne))
		forgone := task.PartsOf(rest, types.PpmOne, p.CommitteeSize).Worker.Add(task.Lock.QuoRaw(2))
		// Caught with p · .9 · (1 − .5³), against twice the 350 that 700 units cost.
		lost := forgone.MulRaw(int64(task.AuditPpm)).MulRaw(7_875).QuoRaw(10_000 * types.PpmOne)
		require.GreaterOrEqual(t, lost.Int64(), int64(2*350), "%d results", n+1)
	}
}
