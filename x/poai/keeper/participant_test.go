package keeper_test

import (
	"strings"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

func TestJoin(t *testing.T) {
	f := newFixture(t)
	f.at(7)
	a := f.join(1, 1_500, digits, story)
	p := f.get(a)
	require.Equal(t, types.Participant{
		Address: a, Moniker: "m1", Concurrency: 5, Bond: math.NewInt(1_500), Locked: math.ZeroInt(), Unbonding: math.ZeroInt(),
		Delegated: math.ZeroInt(), ReliabilityPpm: 500_000, WeighedReliabilityPpm: 500_000, JoinedHeight: 7, Models: 2,
	}, p)
	require.EqualValues(t, 750, f.total(digits))
	require.True(t, f.bank.balance(a).IsZero())
	f.ok()
}

func TestJoinRefuses(t *testing.T) {
	valid := func() *types.MsgJoin {
		return &types.MsgJoin{Participant: addr(1), Bond: coin(minBond), Moniker: "m", Endpoint: "https://host:80/p", Concurrency: 1}
	}
	cases := map[string]struct {
		change func(*types.MsgJoin)
		want   error
	}{
		"bad address":         {func(m *types.MsgJoin) { m.Participant = "cosmos1x" }, types.ErrInvalidAddress},
		"upper case address":  {func(m *types.MsgJoin) { m.Participant = strings.ToUpper(m.Participant) }, types.ErrInvalidAddress},
		"other denom":         {func(m *types.MsgJoin) { m.Bond.Denom = "uatom" }, types.ErrInvalidCoin},
		"no bond":             {func(m *types.MsgJoin) { m.Bond.Amount = math.ZeroInt() }, types.ErrInvalidCoin},
		"nil bond":            {func(m *types.MsgJoin) { m.Bond = sdk.Coin{Denom: denom} }, types.ErrInvalidCoin},
		"negative bond":       {func(m *types.MsgJoin) { m.Bond = coin(-minBond) }, types.ErrInvalidCoin},
		"bond too low":        {func(m *types.MsgJoin) { m.Bond = coin(minBond - 1) }, types.ErrBondTooLow},
		"long moniker":        {func(m *types.MsgJoin) { m.Moniker = strings.Repeat("m", 71) }, types.ErrInvalidDescription},
		"moniker not UTF-8":   {func(m *types.MsgJoin) { m.Moniker = "\xff" }, types.ErrInvalidDescription},
		"moniker control":     {func(m *types.MsgJoin) { m.Moniker = "a\nb" }, types.ErrInvalidDescription},
		"long endpoint":       {func(m *types.MsgJoin) { m.Endpoint = "http://" + strings.Repeat("e", 200) }, types.ErrInvalidDescription},
		"endpoint scheme":     {func(m *types.MsgJoin) { m.Endpoint = "ftp://host" }, types.ErrInvalidDescription},
		"endpoint host":       {func(m *types.MsgJoin) { m.Endpoint = "http://:80" }, types.ErrInvalidDescription},
		"endpoint user":       {func(m *types.MsgJoin) { m.Endpoint = "http://u@host" }, types.ErrInvalidDescription},
		"endpoint space":      {func(m *types.MsgJoin) { m.Endpoint = "http://a b" }, types.ErrInvalidDescription},
		"no concurrency":      {func(m *types.MsgJoin) { m.Concurrency = 0 }, types.ErrInvalidConcurrency},
		"much concurrency":    {func(m *types.MsgJoin) { m.Concurrency = 51 }, types.ErrInvalidConcurrency},
		"unknown model":       {func(m *types.MsgJoin) { m.Models = []string{"nope"} }, types.ErrInvalidModel},
		"model with NUL":      {func(m *types.MsgJoin) { m.Models = []string{"a\x00"} }, types.ErrInvalidModel},
		"model twice":         {func(m *types.MsgJoin) { m.Models = []string{digits, digits} }, types.ErrAlreadyServing},
		"more models than ok": {func(m *types.MsgJoin) { m.Models = []string{digits, story, "third", "fourth"} }, types.ErrTooManyModels},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.fund(addr(1), 10*minBond)
			msg := valid()
			c.change(msg)
			_, err := f.msgs.Join(f.ctx, msg)
			require.ErrorIs(t, err, c.want)
		})
	}
	f := newFixture(t)
	_, err := f.msgs.Join(f.ctx, valid())
	require.ErrorContains(t, err, "cannot pay", "an account without coins")
	f.fund(addr(1), 10*minBond)
	_, err = f.msgs.Join(f.ctx, valid())
	require.NoError(t, err, "the table changes a valid message")
}

// A liar cannot clear its record by leaving and joining again, nor by spelling its address otherwise.
func TestJoiningAgainClearsNothing(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000, digits)
	require.NoError(t, f.LockBond(f.ctx, types.Lock{Participant: a, Kind: types.LOCK_KIND_TASK, Item: 1, Amount: math.NewInt(500)}))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000, Lie: true}))
	_, err := f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: a, Models: []string{digits}})
	require.NoError(t, err)
	_, err = f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(1_500)})
	require.NoError(t, err)
	f.at(100)
	_, err = f.msgs.WithdrawUnbonded(f.ctx, &types.MsgWithdrawUnbonded{Participant: a})
	require.NoError(t, err)

	before := f.get(a)
	require.EqualValues(t, 1, before.Faults)
	require.EqualValues(t, 250_000, before.ReliabilityPpm)
	for _, spelling := range []string{a, strings.ToUpper(a)} {
		_, err = f.msgs.Join(f.ctx, &types.MsgJoin{Participant: spelling, Bond: coin(1_500), Concurrency: 1})
		require.Error(t, err)
	}
	_, err = f.msgs.Join(f.ctx, &types.MsgJoin{Participant: a, Bond: coin(1_500), Concurrency: 1})
	require.ErrorIs(t, err, types.ErrAlreadyJoined)
	require.Equal(t, before, f.get(a))

	// The way back is to add bond to the old record.
	_, err = f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(1_500)})
	require.NoError(t, err)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{digits}})
	require.ErrorIs(t, err, types.ErrJailed, "and to leave jail")
	f.at(before.Conduct.JailedUntil)
	_, err = f.msgs.Unjail(f.ctx, &types.MsgUnjail{Participant: a})
	require.NoError(t, err)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{digits}})
	require.NoError(t, err)
	require.EqualValues(t, 1, f.get(a).Faults)
	f.ok()
}

func TestUpdateParticipant(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	_, err := f.msgs.UpdateParticipant(f.ctx, &types.MsgUpdateParticipant{Participant: a, Moniker: "new", Endpoint: "http://h", Concurrency: 9})
	require.NoError(t, err)
	p := f.get(a)
	require.Equal(t, "new", p.Moniker)
	require.Equal(t, "http://h", p.Endpoint)
	require.EqualValues(t, 9, p.Concurrency)
	_, err = f.msgs.UpdateParticipant(f.ctx, &types.MsgUpdateParticipant{Participant: a, Concurrency: 51})
	require.ErrorIs(t, err, types.ErrInvalidConcurrency)
	_, err = f.msgs.UpdateParticipant(f.ctx, &types.MsgUpdateParticipant{Participant: addr(2), Concurrency: 1})
	require.ErrorIs(t, err, types.ErrUnknownParticipant)
}

func TestServeAndStop(t *testing.T) {
	f := newFixture(t)
	a, b := f.join(1, 2_000, digits), f.join(2, 20_000, digits)
	require.EqualValues(t, 6_000, f.total(digits), "b counts max_weight_bond; reliability is a half")
	_, err := f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{digits}})
	require.ErrorIs(t, err, types.ErrAlreadyServing)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a})
	require.ErrorIs(t, err, types.ErrInvalidModel)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{story, "third", "fourth"}})
	require.ErrorIs(t, err, types.ErrTooManyModels)
	_, err = f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: b, Models: []string{digits}})
	require.NoError(t, err)
	require.EqualValues(t, 1_000, f.total(digits))
	_, err = f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: b, Models: []string{digits}})
	require.ErrorIs(t, err, types.ErrNotServing)
	_, err = f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: a, Models: []string{story}})
	require.ErrorIs(t, err, types.ErrNotServing)
	f.ok()
}

func TestAddBondChangesWeight(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000, digits, story)
	f.fund(a, 50_000)
	_, err := f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(3_000)})
	require.NoError(t, err)
	require.EqualValues(t, 2_500, f.total(digits))
	require.EqualValues(t, 2_500, f.total(story))
	_, err = f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(40_000)})
	require.NoError(t, err)
	require.EqualValues(t, 5_000, f.total(story), "capped")
	_, err = f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: sdk.NewInt64Coin("uatom", 5)})
	require.ErrorIs(t, err, types.ErrInvalidCoin)
	f.ok()
}

func TestUnbond(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000, digits)
	lock := types.Lock{Participant: a, Kind: types.LOCK_KIND_TASK, Item: 1, Amount: math.NewInt(1_500)}
	require.NoError(t, f.LockBond(f.ctx, lock))
	for name, c := range map[string]struct {
		amount sdk.Coin
		want   error
	}{
		"nothing":             {coin(0), types.ErrInvalidCoin},
		"negative":            {coin(-5), types.ErrInvalidCoin},
		"other denom":         {sdk.NewInt64Coin("uatom", 5), types.ErrInvalidCoin},
		"more than is free":   {coin(3_501), types.ErrBondLocked},
		"more than there is":  {coin(1 << 60), types.ErrBondLocked},
		"what is at risk too": {coin(5_000), types.ErrBondLocked},
	} {
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: c.amount})
		require.ErrorIs(t, err, c.want, name)
	}
	require.NoError(t, f.ReleaseLock(f.ctx, a, lock.Kind, lock.Item))
	_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(4_001)})
	require.ErrorIs(t, err, types.ErrBondTooLow, "dust would stay")
	_, err = f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(5_000)})
	require.ErrorIs(t, err, types.ErrBondTooLow, "still serving")

	res, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(4_000)})
	require.NoError(t, err)
	require.EqualValues(t, 21, res.MatureHeight)
	require.EqualValues(t, 500, f.total(digits))
	f.ok()

	_, err = f.msgs.StopServing(f.ctx, &types.MsgStopServing{Participant: a, Models: []string{digits}})
	require.NoError(t, err)
	_, err = f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(1_000)})
	require.NoError(t, err)
	entry, err := f.Unbondings.Get(f.ctx, collections.Join(a, int64(21)))
	require.NoError(t, err)
	require.EqualValues(t, 5_000, entry.Int64(), "one entry a height")
	f.ok()
}

func TestUnbondingCoinsBackNothing(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000)
	_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(3_000)})
	require.NoError(t, err)
	err = f.LockBond(f.ctx, types.Lock{Participant: a, Kind: types.LOCK_KIND_TASK, Item: 1, Amount: math.NewInt(2_001)})
	require.ErrorIs(t, err, types.ErrInsufficientBond)
	f.ok()
}

func TestWithdrawUnbonded(t *testing.T) {
	f := newFixture(t)
	a, other := f.join(1, 5_000), f.join(2, 5_000)
	withdraw := func() (sdk.Coin, error) {
		res, err := f.msgs.WithdrawUnbonded(f.ctx, &types.MsgWithdrawUnbonded{Participant: a})
		if err != nil {
			return sdk.Coin{}, err
		}
		return res.Amount, nil
	}
	for _, h := range []int64{1, 2, 3} {
		f.at(h)
		for _, p := range []string{a, other} {
			_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: p, Amount: coin(100 * h)})
			require.NoError(t, err)
		}
	}
	f.at(20)
	_, err := withdraw()
	require.ErrorIs(t, err, types.ErrNothingMatured)
	f.at(22)
	paid, err := withdraw()
	require.NoError(t, err)
	require.Equal(t, coin(300), paid, "the entries of 21 and 22")
	_, err = withdraw()
	require.ErrorIs(t, err, types.ErrNothingMatured)
	f.at(1_000)
	paid, err = withdraw()
	require.NoError(t, err)
	require.Equal(t, coin(300), paid)
	require.EqualValues(t, 600, f.bank.balance(a).Int64())
	require.EqualValues(t, 600, f.get(other).Unbonding.Int64(), "nobody else's")
	f.ok()
}

// More entries than one message pays are paid by the next: none is lost to a page.
func TestWithdrawGoesOnPastItsBound(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000)
	for h := range int64(150) {
		f.at(h + 1)
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(10)})
		require.NoError(t, err)
	}
	f.at(500)
	for _, want := range []int64{1_000, 500} {
		res, err := f.msgs.WithdrawUnbonded(f.ctx, &types.MsgWithdrawUnbonded{Participant: a})
		require.NoError(t, err)
		require.Equal(t, coin(want), res.Amount)
		f.ok()
	}
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	params := testParams()
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr(1), Params: params})
	require.Error(t, err, "not the authority")
	params.BondDenom = "uother"
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: moduleAddress("gov"), Params: params})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	params = testParams()
	params.SlashBurnBps = 4_999
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: moduleAddress("gov"), Params: params})
	require.ErrorIs(t, err, types.ErrInvalidParams)
}

// After min_bond or the cap changed everybody is weighed anew, over as many blocks as it takes.
func TestParamsChangeWeighsEverybodyAnew(t *testing.T) {
	f := newFixture(t)
	const n = 250
	for i := range n {
		f.join(i, int64(minBond+10*i), digits)
	}
	f.ok()
	params := testParams()
	params.MinBond, params.MaxWeightBond = math.NewInt(2_000), math.NewInt(3_000)
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: moduleAddress("gov"), Params: params})
	require.NoError(t, err)
	want := int64(0)
	for i := range n {
		if bond := int64(minBond + 10*i); bond >= 2_000 {
			want += min(bond, 3_000) / 2 // times reliability
		}
	}
	for h := int64(2); h <= 3; h++ {
		f.at(h)
		require.NoError(t, f.EndBlock(f.ctx))
		require.NotEqual(t, want, f.total(digits), "bounded work a block")
		_, err = f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: addr(n - 1), Amount: coin(10)})
		require.NoError(t, err, "bonds may move meanwhile")
		f.ok()
	}
	f.at(4)
	require.NoError(t, f.EndBlock(f.ctx))
	has, err := f.ReweighCursor.Has(f.ctx)
	require.NoError(t, err)
	require.False(t, has)
	f.ok()
	require.Equal(t, want, f.total(digits))
}
