package keeper_test

import (
	"strings"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
)

func TestTerms(t *testing.T) {
	f := fixture(t)
	set := func(commission, change uint32) error {
		_, err := f.msg.SetTerms(f.ctx, &types.MsgSetTerms{Participant: alice, CommissionBps: commission, MaxChangeBps: change, Open: true})
		return err
	}
	for _, c := range []struct {
		name               string
		commission, change uint32
		want               error
	}{
		{"up by the most", 1_500, 500, nil},
		{"again in the same epoch: still from what is in force", 1_500, 500, nil},
		{"above it", 1_501, 500, types.ErrInvalidTerms},
		{"down by the most", 500, 500, nil},
		{"below it", 499, 500, types.ErrInvalidTerms},
		{"a larger change later", 1_000, 501, types.ErrInvalidTerms},
		{"more than all", 10_001, 500, types.ErrInvalidTerms},
		{"a change of more than all", 1_000, 10_001, types.ErrInvalidTerms},
		{"a smaller change", 1_100, 100, nil},
		{"no way back", 1_000, 500, types.ErrInvalidTerms},
	} {
		err := set(c.commission, c.change)
		if c.want == nil {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorIs(t, err, c.want, c.name)
		}
	}
	_, err := f.msg.SetTerms(f.ctx, &types.MsgSetTerms{Participant: who(9), CommissionBps: 1})
	require.ErrorIs(t, err, types.ErrUnknownParticipant)
	_, err = f.msg.SetTerms(f.ctx, &types.MsgSetTerms{Participant: strings.ToUpper(alice)})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	f.ok()
}

// The commission of an epoch is what was said before it began, whenever its share is claimed.
func TestCommissionIsThatOfTheEpoch(t *testing.T) {
	f := fixture(t)
	share := func(epoch uint64) int64 {
		n, err := f.k.HoldersShare(f.ctx, alice, epoch, math.NewInt(1_000), math.NewInt(100), math.NewInt(50))
		require.NoError(t, err)
		return n.Int64()
	}
	require.Equal(t, int64(450), share(1))
	f.terms(alice, 1_500, 500, true)
	require.Equal(t, int64(450), share(1), "not for the running epoch")
	require.Equal(t, int64(425), share(2))
	f.poai.epoch = 7
	f.terms(alice, 2_000, 500, true)
	require.Equal(t, int64(450), share(1))
	require.Equal(t, int64(425), share(7))
	require.Equal(t, int64(400), share(8))
	require.Zero(t, share(0), "before there was a pool")
	big := math.NewInt(1 << 62).Mul(math.NewInt(1 << 62)).MulRaw(1 << 40)
	n, err := f.k.HoldersShare(f.ctx, alice, 1, math.NewInt(1<<62), big, big)
	require.NoError(t, err)
	require.Equal(t, math.NewInt(1<<62).MulRaw(9).QuoRaw(10).String(), n.String(), "large scores do not overflow")
}

func TestDelegateRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(f *fix)
		holder  string
		to      string
		amount  sdk.Coin
		want    error
	}{
		{name: "too little", amount: coin(9), want: types.ErrInvalidCoin},
		{name: "nothing", amount: coin(0), want: types.ErrInvalidCoin},
		{name: "less than nothing", amount: coin(-5), want: types.ErrInvalidCoin},
		{name: "no amount", amount: sdk.Coin{Denom: denom}, want: types.ErrInvalidCoin},
		{name: "another denom", amount: sdk.NewInt64Coin("other", 100), want: types.ErrInvalidCoin},
		{name: "above the leverage", amount: coin(4_001), want: types.ErrLeverage},
		{name: "oneself", holder: alice, amount: coin(100), want: types.ErrSelfDelegation},
		{name: "no pool", to: who(5), amount: coin(100), want: types.ErrNoPool},
		{name: "in capitals", holder: strings.ToUpper(who(1)), amount: coin(100), want: types.ErrInvalidAddress},
		{name: "closed", prepare: func(f *fix) { f.terms(alice, 1_000, 500, false) }, amount: coin(100), want: types.ErrPoolClosed},
		{name: "no own bond", prepare: func(f *fix) { f.poai.slash(alice, math.NewInt(1_000)) }, amount: coin(100), want: types.ErrLeverage},
		{name: "less than a share", prepare: func(f *fix) {
			f.delegate(2, 4_000)
			pool := f.pool()
			pool.Pending = math.OneInt() // a price of 4,000
			require.NoError(f.t, f.k.Pools.Set(f.ctx, alice, pool))
			f.poai.join(alice, 2_000)
			p := f.poai.participants[alice]
			p.Delegated, p.Bond = math.NewInt(4_000), math.NewInt(6_000)
			f.poai.participants[alice] = p
		}, amount: coin(100), want: types.ErrInvalidCoin},
		{name: "too many shares", prepare: func(f *fix) {
			f.delegate(2, 100)
			pool := f.pool()
			pool.Pending = math.NewInt(1 << 62).MulRaw(1 << 50).SubRaw(1)
			require.NoError(f.t, f.k.Pools.Set(f.ctx, alice, pool))
		}, amount: coin(100), want: types.ErrOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fixture(t)
			if c.prepare != nil {
				c.prepare(f)
			}
			f.fund(1, 10_000)
			msg := &types.MsgDelegate{Holder: who(1), Participant: alice, Amount: c.amount}
			if c.holder != "" {
				msg.Holder = c.holder
			}
			if c.to != "" {
				msg.Participant = c.to
			}
			_, err := f.msg.Delegate(f.ctx, msg)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestTheLeastDelegation(t *testing.T) {
	f := fixture(t)
	require.Equal(t, int64(10), f.delegate(1, 10), "min_delegation itself")
}

// One message pays a bounded number of entries; what is left takes another.
func TestWithdrawGoesOnPastItsBound(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 1_000)
	for range types.MaxWithdrawals + 1 {
		f.at(f.ctx.BlockHeight() + 1)
		_, err := f.undelegate(1, 1)
		require.NoError(t, err)
	}
	f.at(f.ctx.BlockHeight() + unbonding)
	require.Equal(t, int64(types.MaxWithdrawals), f.withdraw(1))
	f.ok()
	require.Equal(t, int64(1), f.withdraw(1))
	require.Zero(t, f.withdraw(1))
}

func TestLeverageBindsTheParticipantToo(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 2_000)
	hook := func(left int64) error {
		return f.k.Hooks().BeforeOwnBondFalls(f.ctx, f.poai.participants[alice], math.NewInt(left))
	}
	require.NoError(t, hook(500))
	err := hook(499)
	require.ErrorIs(t, err, types.ErrLeverage)
	require.ErrorContains(t, err, "max_leverage 4 allows 1996")
	_, err = f.undelegate(1, 2_000)
	require.NoError(t, err)
	require.NoError(t, hook(0))
}

func TestSharesFollowASlash(t *testing.T) {
	f := fixture(t)
	require.Equal(t, int64(1_000), f.delegate(1, 1_000))
	require.Equal(t, int64(500), f.delegate(2, 500))
	f.poai.slash(alice, math.NewInt(1_250)) // half of everything
	require.Equal(t, int64(750), f.delegated())
	require.Equal(t, int64(600), f.delegate(3, 300), "at half the price")
	f.ok()
	got, err := f.undelegate(1, 1_000)
	require.NoError(t, err)
	require.Equal(t, int64(500), got)
	got, err = f.undelegate(3, 1)
	require.ErrorIs(t, err, types.ErrInvalidShares, "half a coin is nothing: %d", got)
	got, err = f.undelegate(3, 601)
	require.ErrorIs(t, err, types.ErrInvalidShares)
	require.ErrorContains(t, err, "1 to 600")
	require.Zero(t, got)
	f.ok()
}

// Rounding is for those who stay, and the last one has what it left.
func TestTheLastSharesAreWorthAllThatIsLeft(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.delegate(2, 100)
	f.poai.slash(alice, math.NewInt(601)) // 100.17 of the delegated 200, rounded down
	require.Equal(t, int64(100), f.delegated())
	f.poai.slash(alice, math.NewInt(8))
	require.Equal(t, int64(99), f.delegated())
	got, err := f.undelegate(1, 100)
	require.NoError(t, err)
	require.Equal(t, int64(49), got)
	got, err = f.undelegate(2, 100)
	require.NoError(t, err)
	require.Equal(t, int64(50), got)
	require.Zero(t, f.delegated())
	require.True(t, f.pool().Shares().IsZero())
	f.ok()
}

func TestUndelegatingNeedsFreeBondAndTime(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 1_000)
	p := f.poai.participants[alice]
	p.Locked = math.NewInt(1_500)
	f.poai.participants[alice] = p
	_, err := f.undelegate(1, 501)
	require.ErrorIs(t, err, poaitypes.ErrBondLocked)
	got, err := f.undelegate(1, 300)
	require.NoError(t, err)
	require.Equal(t, int64(300), got)
	_, err = f.undelegate(1, 200)
	require.NoError(t, err)
	f.ok()
	f.at(unbonding)
	require.Zero(t, f.withdraw(1))
	f.at(unbonding + 1)
	require.Equal(t, int64(500), f.withdraw(1), "one entry for both")
	require.Zero(t, f.withdraw(1), "twice")
	f.ok()
}

// Leaving takes longer than the largest lump of rewards takes to build up, however short unbonding_blocks is.
func TestLeavingTakesLongerThanALump(t *testing.T) {
	for _, c := range []struct{ vesting, want int64 }{{0, unbonding}, {9, unbonding}, {10, 21}, {1_000, 2_001}} {
		f := fixture(t)
		f.rew.vesting = c.vesting
		f.delegate(1, 1_000)
		res, err := f.msg.Undelegate(f.ctx, &types.MsgUndelegate{Holder: who(1), Participant: alice, Shares: math.NewInt(400)})
		require.NoError(t, err)
		require.Equal(t, f.ctx.BlockHeight()+c.want, res.MatureHeight)
		f.terms(alice, 1_000, 500, false)
		out, err := f.msg.Dissolve(f.ctx, &types.MsgDissolve{Participant: alice})
		require.NoError(t, err)
		require.Equal(t, res.MatureHeight, out.MatureHeight)
	}
}

func TestRewards(t *testing.T) {
	f := fixture(t)
	f.reward(100)
	require.Equal(t, int64(100), f.bank.of(community).Int64(), "nobody is there")
	f.delegate(1, 256)
	f.reward(7)
	require.Equal(t, int64(107), f.bank.of(community).Int64(), "nobody is active yet")
	f.poai.epoch++
	f.delegate(2, 768)
	f.reward(1_000)
	require.Zero(t, f.claim(2), "joined in this epoch")
	f.poai.epoch++
	f.reward(100)
	require.Equal(t, int64(1_000+25), f.claim(1))
	require.Equal(t, int64(75), f.claim(2))
	require.Zero(t, f.claim(1), "twice")
	f.reward(1)
	require.Zero(t, f.claim(1), "a quarter of a coin")
	f.reward(1)
	f.reward(1)
	f.reward(1)
	require.Equal(t, int64(1), f.claim(1), "four quarters")
	require.Equal(t, int64(3), f.claim(2))
	f.ok()
	require.True(t, f.pool().Unpaid.IsZero())

	require.ErrorIs(t, f.k.Reward(f.ctx, "rewards", alice, sdk.NewInt64Coin("other", 1)), types.ErrInvalidCoin)
	require.ErrorIs(t, f.k.Reward(f.ctx, "rewards", alice, coin(0)), types.ErrInvalidCoin)
}

// What does not divide is carried in 2^-128 of a coin: nothing of thirds is lost.
func TestTheRemainderIsCarried(t *testing.T) {
	f := fixture(t)
	for i := 1; i <= 3; i++ {
		f.delegate(i, 100)
	}
	f.poai.epoch++
	var paid int64
	for range 100 {
		f.reward(1)
		f.ok()
	}
	for i := 1; i <= 3; i++ {
		paid += f.claim(i)
	}
	require.Equal(t, int64(99), paid)
	f.reward(3)
	for i := 1; i <= 3; i++ {
		paid += f.claim(i)
	}
	require.Equal(t, int64(102), paid, "34 and a third each")
	require.True(t, f.pool().Remainder.IsPositive())
	f.ok()
}

func TestLeavingKeepsWhatWasEarned(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.delegate(2, 100)
	f.poai.epoch++
	f.reward(50)
	_, err := f.undelegate(1, 100)
	require.NoError(t, err)
	f.reward(50)
	require.Equal(t, int64(25), f.claim(1))
	require.Equal(t, int64(75), f.claim(2))
	_, err = f.q.Delegation(f.ctx, &types.QueryDelegationRequest{Participant: alice, Holder: who(1)})
	require.Equal(t, codes.NotFound, status.Code(err), "nothing is left of it")
	f.ok()
}

func TestPendingSharesLeaveFirst(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.poai.epoch++
	f.delegate(1, 100)
	_, err := f.undelegate(1, 150)
	require.NoError(t, err)
	pool := f.pool()
	require.Equal(t, "50", pool.Active.String())
	require.True(t, pool.Pending.IsZero())
	f.ok()
	f.reward(25)
	require.Equal(t, int64(25), f.claim(1))
}

func TestADeadPoolStartsAnew(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 500)
	f.poai.epoch++
	f.delegate(2, 500)
	f.reward(250)
	f.poai.slash(alice, math.NewInt(2_000))
	f.ok()
	_, err := f.undelegate(1, 500)
	require.ErrorIs(t, err, types.ErrInvalidShares, "worth nothing")
	f.reward(125) // what had vested before

	p := f.poai.participants[alice]
	p.Bond = math.NewInt(1_000)
	f.poai.participants[alice] = p
	require.Equal(t, int64(300), f.delegate(3, 300), "at a price of one")
	f.ok()
	require.Equal(t, uint64(1), f.pool().Generation)
	f.poai.epoch++
	f.reward(75)
	require.Equal(t, int64(375), f.claim(1), "what was earned before")
	require.Zero(t, f.claim(2), "was never active")
	require.Equal(t, int64(75), f.claim(3))
	require.Equal(t, int64(100), f.delegate(1, 100))
	got, err := f.undelegate(3, 300)
	require.NoError(t, err)
	require.Equal(t, int64(300), got)
	f.ok()
}

func TestDissolve(t *testing.T) {
	f := fixture(t)
	dissolve := func() (*types.MsgDissolveResponse, error) {
		ctx, write := f.ctx.CacheContext()
		res, err := f.msg.Dissolve(ctx, &types.MsgDissolve{Participant: alice})
		if err == nil {
			write()
		}
		return res, err
	}
	_, err := dissolve()
	require.ErrorIs(t, err, types.ErrPoolClosed)
	f.terms(alice, 1_000, 500, true)
	f.delegate(1, 301)
	f.delegate(2, 700)
	f.poai.epoch++
	f.reward(1_001)
	f.poai.slash(alice, math.NewInt(2)) // one of them
	f.terms(alice, 1_000, 500, false)
	p := f.poai.participants[alice]
	p.Locked = math.NewInt(1_500)
	f.poai.participants[alice] = p
	_, err = dissolve()
	require.ErrorIs(t, err, poaitypes.ErrBondLocked)
	p.Locked = math.ZeroInt()
	f.poai.participants[alice] = p
	f.at(5)
	res, err := dissolve()
	require.NoError(t, err)
	require.Equal(t, int64(1_000), res.Amount.Amount.Int64())
	require.Zero(t, f.delegated())
	f.ok()
	_, err = dissolve()
	require.ErrorIs(t, err, types.ErrNothing)

	f.at(5 + unbonding)
	require.Zero(t, f.withdraw(1), "first it turns up")
	require.Equal(t, int64(301), f.claim(1))
	require.Equal(t, int64(300), f.withdraw(1))
	require.Equal(t, int64(700), f.claim(2))
	require.Equal(t, int64(700), f.withdraw(2), "the last one has what rounding left")
	f.ok()
	require.True(t, f.bank.of(module(types.ModuleName)).IsZero())

	f.terms(alice, 1_000, 500, true)
	require.Equal(t, int64(50), f.delegate(1, 50))
	f.ok()
}

// Where nobody's part of a dissolved pool is a coin, the last one to come has the coins all the same, and nothing is left of the generation.
func TestDustOfADissolvedPool(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 500)
	f.delegate(2, 500)
	f.poai.slash(alice, math.NewInt(1_998))
	require.Equal(t, int64(1), f.delegated())
	f.terms(alice, 1_000, 500, false)
	_, err := f.msg.Dissolve(f.ctx, &types.MsgDissolve{Participant: alice})
	require.NoError(t, err)
	f.at(f.ctx.BlockHeight() + unbonding)
	require.Zero(t, f.claim(1))
	require.Zero(t, f.withdraw(1))
	require.Zero(t, f.claim(2))
	require.Equal(t, int64(1), f.withdraw(2))
	f.ok()
	require.True(t, f.bank.of(module(types.ModuleName)).IsZero())
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Endings)
	require.Empty(t, g.Delegations)
}

// Whoever comes for a claim earns nothing by it: what joins is not active before the next epoch.
func TestASniperOfOneClaimEarnsNothing(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 100)
	f.poai.epoch++
	f.delegate(2, 3_900)
	f.reward(1_000)
	_, err := f.undelegate(2, 3_900)
	require.NoError(t, err)
	require.Zero(t, f.claim(2))
	require.Equal(t, int64(1_000), f.claim(1))
	f.ok()
}

// A sniper who is there in time for every lump of rewards earns less than who stays. What lies unclaimed for vesting_blocks can be claimed
// by anybody and then vests as long again, so no lump is larger than two weeks' rewards by default, and coins that leave are locked for three.
func TestSnipingLumpsEarnsLessThanStaying(t *testing.T) {
	const (
		lump  = 2 * 7 * 24 // epochs of an hour
		lock  = 3 * 7 * 24
		each  = 100
		weeks = 52
	)
	f := fixture(t)
	f.delegate(1, 1_000) // stays
	f.fund(2, 1_000)     // comes for the lumps
	var staying, sniping int64
	since, away := 0, 0 // epochs since the last lump, epochs until the sniper's coins are free
	for range weeks * 7 * 24 {
		f.poai.epoch++
		since++
		away = max(away-1, 0)
		if away == 0 && since == lump-1 {
			_, err := f.msg.Delegate(f.ctx, &types.MsgDelegate{Holder: who(2), Participant: alice, Amount: coin(1_000)})
			require.NoError(t, err)
		}
		if since < lump {
			continue
		}
		f.reward(each * lump)
		since = 0
		staying += f.claim(1)
		sniping += f.claim(2)
		if away == 0 {
			_, err := f.undelegate(2, 1_000)
			require.NoError(t, err)
			f.at(f.ctx.BlockHeight() + unbonding)
			require.Equal(t, int64(1_000), f.withdraw(2)) // in the chain's own time: counted by away
			away = lock
		}
	}
	t.Logf("in a year, of equal coins: staying %d, sniping %d", staying, sniping)
	require.Positive(t, sniping, "it did come in time")
	require.Less(t, 2*sniping, staying)
}

func TestQueries(t *testing.T) {
	f := fixture(t)
	f.delegate(1, 256)
	f.poai.epoch++
	f.reward(30)
	f.delegate(2, 100)
	f.terms(alice, 1_200, 500, true)
	pool, err := f.q.Pool(f.ctx, &types.QueryPoolRequest{Participant: alice})
	require.NoError(t, err)
	require.Equal(t, []string{"356upoai", "1000upoai", "3644upoai"}, []string{pool.Delegated.String(), pool.Own.String(), pool.Room.String()})
	require.Equal(t, []uint32{1_000, 1_200}, []uint32{pool.CommissionBps, pool.NextCommissionBps})
	f.poai.epoch++
	pool, err = f.q.Pool(f.ctx, &types.QueryPoolRequest{Participant: alice})
	require.NoError(t, err)
	require.Equal(t, "356", pool.Pool.Active.String(), "as of now")
	require.Equal(t, "100", f.pool().Pending.String(), "a query changes nothing")

	d, err := f.q.Delegation(f.ctx, &types.QueryDelegationRequest{Participant: alice, Holder: who(1)})
	require.NoError(t, err)
	require.Equal(t, "256upoai", d.Delegation.Value.String())
	require.Equal(t, "30upoai", d.Delegation.Claimable.String())
	list, err := f.q.Delegations(f.ctx, &types.QueryDelegationsRequest{Holder: who(1)})
	require.NoError(t, err)
	require.Equal(t, []types.DelegationView{d.Delegation}, list.Delegations)
	holders, err := f.q.Holders(f.ctx, &types.QueryHoldersRequest{Participant: alice, Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Len(t, holders.Delegations, 1)
	require.NotEmpty(t, holders.Pagination.NextKey)
	_, err = f.undelegate(1, 100)
	require.NoError(t, err)
	out, err := f.q.Unbondings(f.ctx, &types.QueryUnbondingsRequest{Holder: who(1)})
	require.NoError(t, err)
	require.Equal(t, []types.Unbonding{{Holder: who(1), MatureHeight: 1 + unbonding, Participant: alice, Amount: math.NewInt(100)}}, out.Unbondings)
	pools, err := f.q.Pools(f.ctx, &types.QueryPoolsRequest{})
	require.NoError(t, err)
	require.Len(t, pools.Pools, 1)
	params, err := f.q.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, testParams(), params.Params)

	_, err = f.q.Pool(f.ctx, &types.QueryPoolRequest{Participant: who(8)})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = f.q.Pools(f.ctx, &types.QueryPoolsRequest{Pagination: &query.PageRequest{CountTotal: true}})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = f.q.Holders(f.ctx, &types.QueryHoldersRequest{Participant: alice, Pagination: &query.PageRequest{Limit: 1_001}})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

func TestUpdateParams(t *testing.T) {
	f := fixture(t)
	update := func(who string, change func(*types.Params)) error {
		p := testParams()
		change(&p)
		_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who, Params: p})
		return err
	}
	require.NoError(t, update(authority, func(p *types.Params) { p.MaxLeverage = 0 }))
	require.Error(t, update("somebody", func(*types.Params) {}))
	for name, change := range map[string]func(*types.Params){
		"max_leverage":    func(p *types.Params) { p.MaxLeverage = 101 },
		"min_delegation":  func(p *types.Params) { p.MinDelegation = math.ZeroInt() },
		"min_delegation:": func(p *types.Params) { p.MinDelegation = math.Int{} },
		"reward_denom":    func(p *types.Params) { p.RewardDenom = "other" },
		"reward_denom:":   func(p *types.Params) { p.RewardDenom = "!" },
	} {
		err := update(authority, change)
		require.ErrorIs(t, err, types.ErrInvalidParams, name)
		require.ErrorContains(t, err, name)
	}
	f.fund(1, 100)
	_, err := f.msg.Delegate(f.ctx, &types.MsgDelegate{Holder: who(1), Participant: alice, Amount: coin(100)})
	require.ErrorIs(t, err, types.ErrLeverage, "a leverage of 0 ends delegation")
}
