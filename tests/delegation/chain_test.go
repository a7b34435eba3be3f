// Package delegation_test runs delegation of bond on the whole application.
package delegation_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	delegationkeeper "poaid/x/delegation/keeper"
	delegationtypes "poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
	rewardskeeper "poaid/x/rewards/keeper"
	rewardstypes "poaid/x/rewards/types"
)

// stage is a chain with a crew, whose first member has holders behind it.
type stage struct {
	*testutil.Chain
	t       *testing.T
	crew    *testutil.Crew
	worker  *testutil.Participant
	holders []*testutil.Account
	input   uint64
}

func newStage(t *testing.T, shadows []testutil.Shadow) *stage {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: 8, Shadows: shadows})
	c.RegisterEcho(c.Accounts[0])
	crew := c.NewCrew(c.Accounts[1:5]...)
	s := &stage{Chain: c, t: t, crew: crew, worker: crew.Members[0], holders: c.Accounts[5:8]}
	c.Deliver(s.worker.Account, &delegationtypes.MsgSetTerms{Participant: s.worker.String(), CommissionBps: 1_000, MaxChangeBps: 100, Open: true})
	return s
}

func poai(n int64) sdk.Coin { return sdk.NewInt64Coin(params.Denom, n*1_000_000) }

func (s *stage) delegate(i int, n int64) {
	s.t.Helper()
	s.Deliver(s.holders[i], &delegationtypes.MsgDelegate{Holder: s.holders[i].String(), Participant: s.worker.String(), Amount: poai(n)})
}

// work makes blocks with four tasks each and whatever the crew has to do.
func (s *stage) work(blocks int) {
	s.t.Helper()
	for range blocks {
		var txs [][]byte
		for range 4 {
			s.input++
			txs = append(txs, s.Tx(s.Accounts[0], testutil.SubmitEcho(s.Accounts[0], s.input)))
		}
		s.crew.Work(txs...)
	}
}

// rest makes blocks without new tasks; the crew goes on with what it has, as silence would be a lie.
func (s *stage) rest(blocks int) {
	s.t.Helper()
	for range blocks {
		s.crew.Work()
	}
}

func (s *stage) participant() poaitypes.Participant {
	s.t.Helper()
	p, err := s.App.Poai.GetParticipant(s.Ctx(), s.worker.String())
	require.NoError(s.t, err)
	return p
}

// claim lets the worker claim all that it can, and returns its part and the holders'.
func (s *stage) claim() (own, holders int64) {
	s.t.Helper()
	res, err := rewardskeeper.NewQueryServer(s.App.Rewards).Claimable(s.Ctx(), &rewardstypes.QueryClaimableRequest{Participant: s.worker.String()})
	require.NoError(s.t, err)
	msg := &rewardstypes.MsgClaim{Participant: s.worker.String()}
	for _, c := range res.Claimable {
		msg.Epochs = append(msg.Epochs, c.Epoch)
		own, holders = own+c.Amount.Amount.Int64(), holders+c.Holders.Amount.Int64()
	}
	require.NotEmpty(s.t, msg.Epochs)
	s.Deliver(s.worker.Account, msg)
	return own, holders
}

func (s *stage) view(i int) delegationtypes.DelegationView {
	s.t.Helper()
	res, err := delegationkeeper.NewQueryServer(s.App.Delegation).Delegation(s.Ctx(),
		&delegationtypes.QueryDelegationRequest{Participant: s.worker.String(), Holder: s.holders[i].String()})
	require.NoError(s.t, err)
	return res.Delegation
}

// refused sends a message that must fail with an error.
func (s *stage) refused(from *testutil.Account, want error, msg sdk.Msg) {
	s.t.Helper()
	res := s.Try(from, msg)
	var code interface{ ABCICode() uint32 }
	require.ErrorAs(s.t, want, &code)
	require.Equal(s.t, code.ABCICode(), res.Code, res.Log)
}

// TestHoldersBackAWorker follows delegated bond through its life: it weighs and is locked like the worker's own, earns its part of the
// block reward, less commission, once that has vested, is slashed in proportion, outlives an export, and leaves.
func TestHoldersBackAWorker(t *testing.T) {
	s := newStage(t, []testutil.Shadow{testutil.ParallelShadow(4)})
	worker := s.worker.Account
	s.Deliver(worker, &rewardstypes.MsgSetAutoBond{Participant: worker.String(), Ppm: 500_000})
	s.delegate(0, 10_000)
	s.delegate(1, 20_000)
	s.refused(s.holders[2], delegationtypes.ErrLeverage,
		&delegationtypes.MsgDelegate{Holder: s.holders[2].String(), Participant: worker.String(), Amount: poai(10_001)})
	require.Equal(t, poai(30_000).Amount.String(), s.participant().Delegated.String())

	// A quarter is its own: three quarters of its score are backed by others, of which it gets a tenth, and the limit is half.
	s.work(30)
	before := s.participant().OwnBond()
	own, holders := s.claim()
	require.Positive(t, holders)
	require.LessOrEqual(t, holders, own, "holders never earn more than compute")
	s.rest(10)
	s.Deliver(s.holders[2], &rewardstypes.MsgReleaseFor{Sender: s.holders[2].String(), Participant: worker.String()})
	require.Equal(t, own/2, s.participant().OwnBond().Sub(before).Int64(), "half of it is bonded")
	one, two := s.view(0).Claimable.Amount.Int64(), s.view(1).Claimable.Amount.Int64()
	require.InDelta(t, holders, one+two, 2, "each rounded down")
	require.InDelta(t, two, 2*one, 2, "by shares")
	s.Deliver(s.holders[0], &delegationtypes.MsgClaim{Holder: s.holders[0].String(), Participant: worker.String()})
	s.refused(s.holders[0], delegationtypes.ErrNothing, &delegationtypes.MsgClaim{Holder: s.holders[0].String(), Participant: worker.String()})

	s.refused(worker, delegationtypes.ErrLeverage, &poaitypes.MsgUnbond{Participant: worker.String(), Amount: poai(2_600)})

	// Sealing and never revealing loses whole locks, own and delegated bond alike.
	p := s.participant()
	s.worker.Behaviour = testutil.Mute
	s.work(20)
	s.worker.Behaviour = testutil.Honest
	s.crew.Work()
	after := s.participant()
	require.True(t, after.Delegated.LT(p.Delegated), "nothing was slashed")
	require.True(t, s.view(0).Value.Amount.LT(poai(10_000).Amount))
	ratio := func(p poaitypes.Participant) int64 { return p.Delegated.MulRaw(10_000).Quo(p.Bond).Int64() }
	require.InDelta(t, ratio(p), ratio(after), 2)

	s.Rebirth()
	s.leave()
}

// leave lets the work end, and everybody take everything out.
func (s *stage) leave() {
	t := s.t
	s.rest(40)
	require.True(t, s.participant().Locked.IsZero())
	shares := s.view(0).Delegation.Shares()
	value := s.view(0).Value.Amount
	s.Deliver(s.holders[0], &delegationtypes.MsgUndelegate{Holder: s.holders[0].String(), Participant: s.worker.String(), Shares: shares})
	s.refused(s.holders[0], delegationtypes.ErrNothing, &delegationtypes.MsgWithdraw{Holder: s.holders[0].String()})
	s.Deliver(s.worker.Account,
		&delegationtypes.MsgSetTerms{Participant: s.worker.String(), CommissionBps: 1_000, Open: false},
		&delegationtypes.MsgDissolve{Participant: s.worker.String()})
	require.True(t, s.participant().Delegated.IsZero())
	s.rest(21) // longer than two vesting periods of 10 blocks
	balance := s.App.Bank.GetBalance(s.Ctx(), s.holders[0].Addr, params.Denom)
	s.Deliver(s.holders[0], &delegationtypes.MsgWithdraw{Holder: s.holders[0].String()})
	paid := s.App.Bank.GetBalance(s.Ctx(), s.holders[0].Addr, params.Denom).Amount.Sub(balance.Amount)
	require.True(t, paid.LTE(value) && paid.GT(value.SubRaw(1_000_000)), "paid %s of %s, less fees", paid, value)
	s.Deliver(s.holders[1], &delegationtypes.MsgClaim{Holder: s.holders[1].String(), Participant: s.worker.String()})
	s.Deliver(s.holders[1], &delegationtypes.MsgWithdraw{Holder: s.holders[1].String()})
	s.Deliver(s.worker.Account, &poaitypes.MsgStopServing{Participant: s.worker.String(), Models: []string{testutil.EchoModel}})
	own := s.participant().OwnBond()
	s.Deliver(s.worker.Account, &poaitypes.MsgUnbond{Participant: s.worker.String(), Amount: sdk.NewCoin(params.Denom, own)})
	require.True(t, s.participant().Bond.IsZero())
}

// TestASniperOfAReleaseEarnsNothing joins right before a release that was announced by a claim, with as much as all others together.
func TestASniperOfAReleaseEarnsNothing(t *testing.T) {
	s := newStage(t, nil)
	s.delegate(0, 10_000)
	s.work(30)
	_, holders := s.claim()
	for s.epochLeft() < 4 {
		s.crew.Work()
	}
	s.delegate(2, 10_000)
	s.Deliver(s.worker.Account, &rewardstypes.MsgRelease{Participant: s.worker.String()})
	v := s.view(2)
	require.True(t, v.Claimable.IsZero())
	s.Deliver(s.holders[2], &delegationtypes.MsgUndelegate{Holder: s.holders[2].String(), Participant: s.worker.String(), Shares: v.Delegation.Shares()})
	s.rest(10)
	s.refused(s.holders[2], delegationtypes.ErrNothing, &delegationtypes.MsgClaim{Holder: s.holders[2].String(), Participant: s.worker.String()})
	s.Deliver(s.worker.Account, &rewardstypes.MsgRelease{Participant: s.worker.String()})
	require.InDelta(t, holders, s.view(0).Claimable.Amount.Int64(), 1, "who stayed has it all")
}

// epochLeft is how many further blocks the running epoch has.
func (s *stage) epochLeft() int64 {
	s.t.Helper()
	number, err := s.App.Poai.CurrentEpoch(s.Ctx())
	require.NoError(s.t, err)
	e, err := s.App.Poai.GetEpoch(s.Ctx(), number)
	require.NoError(s.t, err)
	return e.StartHeight + 10 - 1 - s.Height()
}
