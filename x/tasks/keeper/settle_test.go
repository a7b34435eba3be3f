package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

func TestFinalUnaudited(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3, 4, 5)) // fee 16,000 of max_fee 50,000
	worker := f.status(id).Worker
	require.Equal(t, f.ctx.BlockHeight(), f.status(id).RevealedHeight, "everybody has revealed")
	f.until(id, types.STATE_FINAL)
	// royalty 5% = 800; of 15,200: burn 5% 760; nothing is ever audited here, so the worker has the other 14,440
	pay := f.payment(id)
	require.Equal(t, "14440 0 800 760 34000", payment(pay))
	require.Equal(t, []proto.Message{&types.EventTaskFinal{TaskId: id, Worker: worker, Units: 16_000, Fee: "16000", Refund: "34000"}}, f.events("TaskFinal"))
	require.Contains(t, f.events("TaskState"), &types.EventTaskState{TaskId: id, State: types.STATE_FINAL, Worker: worker, Due: f.status(id).Due})
	require.Equal(t, "0 0", f.audited(pay))
	require.Equal(t, int64(funds+14_440), f.balance(worker).Int64())
	require.Equal(t, int64(800), f.balance(address(100)).Int64())
	require.Equal(t, int64(funds-50_000+34_000), f.balance(f.who(9)).Int64())
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

// audited is what a payment put into the pot that members are paid from, and what is in it now.
func (f *fix) audited(p types.Payment) string {
	f.tb.Helper()
	return p.Audits.String() + " " + f.auditPot().String()
}

func (f *fix) auditPot() math.Int {
	f.tb.Helper()
	res, err := f.query().Jackpot(f.ctx, &types.QueryJackpotRequest{})
	require.NoError(f.tb, err)
	return sdk.Coins(res.Audits).AmountOf(denom)
}

// TestJackpotIsLessThanSilence: the jackpot's part is no more than what not delivering costs, however dear units are: who knows that its error is not forced must not
// gain by leaving the run.
func TestJackpotIsLessThanSilence(t *testing.T) {
	for slash, want := range map[uint32]int64{0: 0, 1: 1, 50: 50, 1_000: 152} {
		f := fixture(t)
		f.audits(false)
		f.keys(1)
		f.params(func(p *types.Params) {
			p.TimeoutSlashBps, p.WorkerLockBase, p.WorkerLockPrice = slash, math.NewInt(10_000), math.ZeroInt()
		})
		id, _ := f.revealed(storyMsg(f.who(9), 16, 3, 4, 5)) // fee 16,000, royalty 800
		task, _, err := f.keeper.GetTask(f.ctx, id)
		require.NoError(t, err)
		require.Equal(t, "10000", task.Lock.String())
		f.until(id, types.STATE_FINAL)
		require.Equal(t, want, f.payment(id).Jackpot.Int64(), "%d bps", slash)
	}
}

// TestMembersArePaidForWhatTheyCompute: a run that is audited one time in four pays each of three members a third of four times its part, as far as what
// runs that were not audited left in the pot goes.
func TestMembersArePaidForWhatTheyCompute(t *testing.T) {
	const part, pot = 2_280, 4 * 2_280
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3))
	f.until(id, types.STATE_FINAL)
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		ppm    uint32
		agreed int
		want   int64
	}{
		"one in four":         {250_000, 3, 4 * part},
		"two of three agreed": {250_000, 2, 4 * part * 2 / 3},
		"one in two":          {500_000, 3, 2 * part},
		"more than there is":  {10_000, 3, pot},
		"nobody":              {250_000, 0, 0},
		"not audited":         {0, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			was := f.ctx
			defer func() { f.ctx = was }()
			f.ctx, _ = f.ctx.CacheContext()
			require.NoError(t, f.keeper.AuditPot.Set(f.ctx, denom, math.NewInt(pot-part)))
			f.bank.fund(f.ctx, authtypes.NewModuleAddress(types.ModuleName), pot)
			pay := types.NewPayment()
			pay.Book(types.PURPOSE_AUDITS, address(1), math.NewInt(part))
			members := []string{f.who(1), f.who(2), f.who(3)}[:c.agreed]
			require.NoError(t, f.keeper.PayMembers(f.ctx, task, types.Status{AuditPpm: c.ppm}, &pay, members))
			require.InDelta(t, c.want, pay.Verifiers.Int64(), 1)
			require.Equal(t, int64(pot), pay.Verifiers.Add(f.auditPot()).Int64(), "nothing is lost")
		})
	}
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
	// of the 14,440 a quarter for each of the four who computed the run
	require.Equal(t, "3610 10830 800 760 34000", payment(f.payment(id)))
	require.Equal(t, "10830 0", f.audited(f.payment(id)), "at a rate of one what comes in goes out")
	for _, who := range append(members, worker) {
		require.Equal(t, int64(funds+3_610), f.balance(who).Int64())
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
	require.Equal(t, fmt.Sprintf("task %d, attempt 1", id), f.poai.state(f.ctx).Committees[id].Reference)
	f.block(31)
	require.True(t, f.status(id).Pruned)
	require.Empty(t, f.poai.state(f.ctx).Committees)
}

// TestMembersShareExactly: a tenth is burnt; of the 13,680 left the worker has 1 part and each member 1.1, so that 10,498.6 are the members': 10,499 between
// three is 3,500, 3,500, 3,499.
func TestMembersShareExactly(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	f.params(func(p *types.Params) { p.VerifierPayBps, p.BurnBps = 11_000, 1_000 })
	id, a := f.revealing(storyMsg(f.who(9), 16, 3))
	members := f.members(id)
	f.reveal(id, a)
	for _, m := range members {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
	}
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "3181 10499 800 1520 34000", payment(f.payment(id)))
	require.Equal(t, "10499 0", f.audited(f.payment(id)))
	require.Equal(t, int64(funds+3_500), f.balance(members[0]).Int64())
	require.Equal(t, int64(funds+3_500), f.balance(members[1]).Int64())
	require.Equal(t, int64(funds+3_499), f.balance(members[2]).Int64())
}

// TestEverybodyIsPaidTheSame: where half of the runs are audited the worker gets the same of each, and members what the worker gets, once the pot has
// enough of it; what it pays came in.
func TestEverybodyIsPaidTheSame(t *testing.T) {
	const fair = 5_776 // 14,440 by 1 + 0.5·3
	f := fixture(t)
	f.audits(false)
	f.params(func(p *types.Params) { p.AuditMinPpm = 500_000 })
	in, out, audited := int64(0), int64(0), 0
	for n := range byte(24) {
		id := f.assigned(storyMsg(f.who(9), 16, n))
		a := f.result(id, 0, 1)
		f.seal(id, a)
		f.block(4)
		st := f.status(id)
		pot := f.auditPot().Int64()
		if st.Audited {
			audited++
			f.sealSeats(id)
		}
		f.reveal(id, a)
		if st.Audited {
			for _, m := range f.members(id) {
				require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
			}
		}
		f.until(id, types.STATE_FINAL)
		pay := f.payment(id)
		require.Equal(t, int64(fair), pay.Worker.Int64())
		require.Equal(t, int64(fair*3/2), pay.Audits.Int64())
		want := int64(0)
		if st.Audited {
			want = min(3*fair, pot+fair*3/2)
		}
		require.Equal(t, want, pay.Verifiers.Int64())
		in, out = in+pay.Audits.Int64(), out+pay.Verifiers.Int64()
		require.Equal(t, in-out, f.auditPot().Int64())
	}
	require.Greater(t, audited, 4)
	require.Less(t, audited, 20)
}

// TestSilentSeat: at the deadline the worker's root stands; the seat that sealed and did not reveal is taken at FINAL, and its
// part of the pay stays in the pot.
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
	require.Equal(t, int64(funds+3_610), f.balance(members[1]).Int64())
	require.Equal(t, "10830 7220", f.audited(f.payment(id)))
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
	require.Equal(t, "3610 0 800 760 34000", payment(f.payment(id)))
	require.Equal(t, "10830 10830", f.audited(f.payment(id)), "it waits for those who check")
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
	// min_fee 1,000: royalty 50; of 950 47 are burnt
	require.Equal(t, "903 0 0 97 4000", payment(f.payment(id)))

	id, _ = f.revealed(digitsMsg(f.who(9), 2))
	f.bank.blocked[f.acc(f.who(9)).String()] = true // nor the submitter, since
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "903 0 0 4097 0", payment(f.payment(id)))
}

// TestSharesOfSubmission: nor do shares that change meanwhile.
func TestSharesOfSubmission(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3))
	f.params(func(p *types.Params) { p.VerifierPayBps, p.BurnBps = 0, 10_000 })
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "14440 0 800 760 34000", payment(f.payment(id)))
}

// TestPriceOfSubmission: a price that rises meanwhile does not touch a task that is under way.
func TestPriceOfSubmission(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(storyMsg(f.who(9), 16, 3))
	f.params(func(p *types.Params) { p.UnitPrice, p.MinFee = p.UnitPrice.MulRaw(2), math.NewInt(40_000) })
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "14440 0 800 760 34000", payment(f.payment(id)))
}
