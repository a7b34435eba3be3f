package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

func TestFinalUnaudited(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3, 4, 5)) // fee 16,000 of max_fee 50,000
	worker := f.status(id).Worker
	f.until(id, types.STATE_FINAL)
	// royalty 5% = 800; of 15,200: worker 80% 12,160, verifiers 15% 2,280 (refunded), burn 5% 760
	pay := f.payment(id)
	require.Equal(t, "12160 0 800 760 36280", payment(pay))
	require.Equal(t, int64(funds+12_160), f.balance(worker).Int64())
	require.Equal(t, int64(800), f.balance(address(100)).Int64())
	require.Equal(t, int64(funds-50_000+36_280), f.balance(f.who(9)).Int64())
	require.Equal(t, []poaitypes.CreditRequest{
		{Epoch: 0, Participant: worker, Task: id, Units: 16_000, ScoreUnits: 14_000, Role: poaitypes.RoleWorker},
	}, f.credits(id))
	seen, err := deliver(f, f.msgs.SubmitTask, storyMsg(f.who(8), 16, 3, 4, 5))
	require.NoError(t, err)
	require.False(t, seen.Scored, "the input has earned its score")
}

func payment(p types.Payment) string {
	return p.Worker.String() + " " + p.Verifiers.String() + " " + p.Royalty.String() + " " + p.Burnt.String() + " " + p.Refund.String()
}

// TestUnreliableIsAlwaysAudited: from the threshold on the task's rate decides.
func TestUnreliableIsAlwaysAudited(t *testing.T) {
	for reliability, want := range map[uint64]types.State{599_999: types.STATE_AUDITED, 600_000: types.STATE_REVEALING} {
		f := fixture(t)
		f.audits(false)
		id := f.assigned(digitsMsg(f.who(9), 1))
		f.seal(id, f.result(id, 0, 1))
		s := f.poai.state(f.ctx)
		s.participant(f.status(id).Worker).Reliability = reliability
		f.poai.save(f.ctx, "poai", s)
		f.block(3)
		require.Equal(t, want, f.state(id), "reliability %d", reliability)
	}
}

// TestRateIsTheTasks: the rate is that of submission; params that change later do not touch it.
func TestRateIsTheTasks(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	never := f.submit(digitsMsg(f.who(9), 1))
	f.audits(true)
	always := f.submit(digitsMsg(f.who(9), 2))
	f.audits(false)
	for _, id := range []uint64{never, always} {
		f.until(id, types.STATE_ASSIGNED)
		f.seal(id, f.result(id, 0, 1))
	}
	f.block(3)
	require.Equal(t, types.STATE_REVEALING, f.state(never))
	require.Equal(t, types.STATE_AUDITED, f.state(always))
}

// TestAuditHeightIsFixedAtAssignment: whenever a worker seals, its audit is drawn at one of two heights that it could not choose, and the price of
// the second is that it is audited for certain.
func TestAuditHeightIsFixedAtAssignment(t *testing.T) {
	const prompt, window, delay = 3, 5, 2
	for wait := range int64(window) {
		f := fixture(t)
		f.audits(false)
		f.params(func(p *types.Params) { p.PromptBlocks = prompt })
		id := f.assigned(digitsMsg(f.who(9), 1))
		assigned := f.status(id).AssignedHeight
		f.block(assigned + 1 + wait - f.ctx.BlockHeight())
		f.seal(id, f.result(id, 0, 1))
		due, want := assigned+prompt+delay, types.STATE_REVEALING
		if 1+wait > prompt {
			due, want = assigned+window+delay, types.STATE_AUDITED
		}
		require.Equal(t, due, f.status(id).Due, "sealed after %d blocks", 1+wait)
		f.block(due - f.ctx.BlockHeight() + 1)
		require.Equal(t, want, f.state(id), "sealed after %d blocks", 1+wait)
	}
}

func TestFinalAudited(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id, a := f.revealing(storyMsg(f.who(9), 16, 3))
	members := f.members(id)
	require.Len(t, members, 3)
	f.reveal(id, a)
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[0], a.root[:]))
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[1], a.root[:]))
	require.Equal(t, types.STATE_REVEALING, f.state(id))
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[2], a.root[:]))
	require.Equal(t, types.STATE_REVEALED, f.state(id), "settled in the message of the last to reveal")
	worker := f.status(id).Worker
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "12160 2280 800 760 34000", payment(f.payment(id)))
	for _, m := range members {
		require.Equal(t, int64(funds+760), f.balance(m).Int64())
	}
	credits := map[string]poaitypes.CreditRequest{}
	for _, c := range f.credits(id) {
		credits[c.Participant] = c
	}
	require.Len(t, credits, 4)
	require.Equal(t, poaitypes.RoleWorker, credits[worker].Role)
	require.Equal(t, poaitypes.CreditRequest{
		Participant: members[0], Task: id, Units: 16_000, ScoreUnits: 16_000, Role: poaitypes.RoleVerifier,
	}, credits[members[0]])
	require.Empty(t, f.slashes(id))
	f.block(31)
	require.True(t, f.status(id).Pruned)
	require.Empty(t, f.poai.state(f.ctx).Committees)
}

// TestVerifiersShareExactly: 2,279 between three is 760, 760, 759.
func TestVerifiersShareExactly(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	f.params(func(p *types.Params) { p.WorkerBps, p.VerifierBps, p.BurnBps = 8_001, 1_499, 500 })
	id, a := f.revealing(storyMsg(f.who(9), 16, 3))
	members := f.members(id)
	f.reveal(id, a)
	for _, m := range members {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
	}
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "2278", f.payment(id).Verifiers.String())
	require.Equal(t, int64(funds+760), f.balance(members[0]).Int64())
	require.Equal(t, int64(funds+759), f.balance(members[1]).Int64())
	require.Equal(t, int64(funds+759), f.balance(members[2]).Int64())
}

// TestSilentSeat: at the deadline the worker's root stands; the seat that sealed and did not reveal is taken at FINAL, and its
// share goes to those who agreed.
func TestSilentSeat(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id, a := f.revealing(storyMsg(f.who(9), 16, 3))
	members := f.members(id)
	worker := f.status(id).Worker
	f.reveal(id, a)
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[1], a.root[:]))
	f.until(id, types.STATE_REVEALED)
	require.Empty(t, f.slashes(id))
	f.until(id, types.STATE_FINAL)
	require.Equal(t, []string{members[0] + "/2/10000/true", members[2] + "/2/10000/true"}, f.slashes(id))
	require.Equal(t, []string{worker, members[1]}, f.poai.state(f.ctx).Slashes[0].Beneficiaries)
	require.Equal(t, int64(funds+2_280), f.balance(members[1]).Int64())
	require.NotZero(t, f.credits(id)[0].ScoreUnits)
}

// TestCommitteeSealedNobody: without anyone who checked there is no score, and the input may be run again for score.
func TestCommitteeSealedNobody(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id := f.assigned(storyMsg(f.who(9), 16, 3))
	a := f.result(id, 0, 1)
	f.seal(id, a)
	f.until(id, types.STATE_AUDITED)
	seated := f.members(id)
	f.until(id, types.STATE_REVEALING)
	all := f.poai.state(f.ctx).Committees[id].Seats
	require.Greater(t, len(all), len(seated), "replacements were drawn before it was given up")
	f.reveal(id, a)
	require.Equal(t, types.STATE_REVEALED, f.state(id))
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "12160 0 800 760 36280", payment(f.payment(id)), "the verifiers' share is refunded")
	require.Len(t, f.credits(id), 1)
	require.Equal(t, uint64(16_000), f.credits(id)[0].Units)
	require.Zero(t, f.credits(id)[0].ScoreUnits)
	again, err := deliver(f, f.msgs.SubmitTask, storyMsg(f.who(8), 16, 3))
	require.NoError(t, err)
	require.True(t, again.Scored)
}

// TestNoCommitteeCanBeDrawn: the task waits for candidates and then goes on without, and without score.
func TestNoCommitteeCanBeDrawn(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id := f.assigned(digitsMsg(f.who(9), 1))
	a := f.result(id, 0, 1)
	f.seal(id, a)
	s := f.poai.state(f.ctx)
	for i := range s.Participants {
		if s.Participants[i].Address != f.status(id).Worker {
			s.Participants[i].Places = 0
		}
	}
	f.poai.save(f.ctx, "poai", s)
	f.until(id, types.STATE_AUDITED)
	deadline := f.status(id).Deadline
	f.until(id, types.STATE_REVEALING)
	require.Greater(t, f.ctx.BlockHeight(), deadline)
	f.reveal(id, a)
	f.until(id, types.STATE_FINAL)
	require.Zero(t, f.credits(id)[0].ScoreUnits)
	f.block(31)
	require.True(t, f.status(id).Pruned)
}

func TestCommitteeIsDrawnLater(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id := f.assigned(digitsMsg(f.who(9), 1))
	a := f.result(id, 0, 1)
	f.seal(id, a)
	places := func(n int) {
		s := f.poai.state(f.ctx)
		for i := range s.Participants {
			s.Participants[i].Places = n
		}
		f.poai.save(f.ctx, "poai", s)
	}
	places(0)
	f.until(id, types.STATE_AUDITED)
	require.Empty(t, f.members(id))
	places(4)
	f.block(3)
	require.Len(t, f.members(id), 3)
	f.sealSeats(id)
	require.Equal(t, types.STATE_REVEALING, f.state(id))
	f.reveal(id, a)
	f.until(id, types.STATE_FINAL)
	require.NotZero(t, f.credits(id)[0].ScoreUnits)
}

func TestMinFeeAndOwner(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	f.bank.blocked[f.acc(address(100)).String()] = true // the owner cannot be paid: its royalty is burnt
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	f.until(id, types.STATE_FINAL)
	// min_fee 1,000: royalty 50; of 950: 760, 142.5 refunded, 47.5 -> the halves go to the first
	require.Equal(t, "760 0 0 97 4143", payment(f.payment(id)))
}

// TestSharesOfSubmission: nor do shares that change meanwhile.
func TestSharesOfSubmission(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3))
	f.params(func(p *types.Params) { p.WorkerBps, p.VerifierBps, p.BurnBps = 0, 0, 10_000 })
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "12160 0 800 760 36280", payment(f.payment(id)))
}

// TestPriceOfSubmission: a price that rises meanwhile does not touch a task that is under way.
func TestPriceOfSubmission(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3))
	f.params(func(p *types.Params) { p.UnitPrice, p.MinFee = p.UnitPrice.MulRaw(2), math.NewInt(40_000) })
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "12160 0 800 760 36280", payment(f.payment(id)))
}
