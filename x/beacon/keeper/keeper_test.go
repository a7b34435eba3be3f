package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/core/header"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/vrfkey"
	"poaid/x/beacon/keeper"
	"poaid/x/beacon/types"
)

func TestRandomnessIsDeterministicAndChained(t *testing.T) {
	a, b, c := newFixture(t, genesis(100)), newFixture(t, genesis(100)), newFixture(t, genesis(100))
	seen := map[string]bool{}
	for h := int64(1); h <= 20; h++ {
		va, vb := a.block(h, 1), b.block(h, 1)
		require.Equal(t, va, vb)
		variant := byte(1)
		if h == 5 {
			variant = 2
		}
		vc := c.block(h, variant)
		require.Equal(t, h < 5, string(va) == string(vc), "one other commit changes everything after it, height %d", h)
		require.False(t, seen[string(va)])
		seen[string(va)] = true
	}
}

func TestEachInputCounts(t *testing.T) {
	base := func() *fixture { return newFixture(t, genesis(10)) }
	value := func(change func(sdk.Context) sdk.Context) string {
		f := base()
		f.ctx = f.ctx.WithBlockHeader(cmtproto.Header{Height: 3})
		f.ctx = change(f.ctx)
		require.NoError(t, f.PreBlock(f.ctx, nil))
		v, err := f.Randomness(f.ctx, f.ctx.BlockHeight())
		require.NoError(t, err)
		return string(v)
	}
	same := func(ctx sdk.Context) sdk.Context { return ctx }
	require.Equal(t, value(same), value(same), "an empty header gives a value too")
	for name, change := range map[string]func(sdk.Context) sdk.Context{
		"height":   func(ctx sdk.Context) sdk.Context { return ctx.WithBlockHeight(4) },
		"chain":    func(ctx sdk.Context) sdk.Context { return ctx.WithChainID("other") },
		"app hash": func(ctx sdk.Context) sdk.Context { return ctx.WithHeaderInfo(header.Info{AppHash: []byte{1}}) },
		"time":     func(ctx sdk.Context) sdk.Context { return ctx.WithBlockTime(time.Unix(0, 1)) },
		"proposer": func(ctx sdk.Context) sdk.Context { return ctx.WithProposer([]byte{1}) },
	} {
		require.NotEqual(t, value(same), value(change), name)
	}
	require.Equal(t, value(same), value(func(ctx sdk.Context) sdk.Context { return ctx.WithHeaderHash([]byte{1}) }),
		"the header hash is free to grind, so it must not count")
}

func TestHistoryIsBounded(t *testing.T) {
	f := newFixture(t, genesis(3))
	for h := int64(1); h <= 10; h++ {
		f.block(h, 1)
	}
	for h := int64(8); h <= 10; h++ {
		_, err := f.Randomness(f.ctx, h)
		require.NoError(t, err)
	}
	_, err := f.Randomness(f.ctx, 7)
	require.ErrorIs(t, err, types.ErrPruned)
	_, err = f.Randomness(f.ctx, 11)
	require.ErrorIs(t, err, types.ErrFuture)
	_, err = f.Randomness(f.ctx, -1)
	require.ErrorIs(t, err, types.ErrPruned)
}

func TestGenesisRoundTrip(t *testing.T) {
	f := newFixture(t, genesis(5))
	for h := int64(1); h <= 9; h++ {
		f.block(h, 1)
	}
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Len(t, gs.History, 5)
	var parsed types.GenesisState
	f.cdc.MustUnmarshalJSON(f.cdc.MustMarshalJSON(gs), &parsed)
	g := newFixture(t, parsed)
	again, err := g.ExportGenesis(g.ctx)
	require.NoError(t, err)
	require.Equal(t, gs, again)
	require.Equal(t, f.block(10, 1), g.block(10, 1))

	// A chain that starts over at height 1 goes on from the newest value.
	h := newFixture(t, parsed)
	fresh := newFixture(t, genesis(5))
	require.NotEqual(t, fresh.block(1, 1), h.block(1, 1))
}

func TestGenesisValidateRefuses(t *testing.T) {
	value := make([]byte, types.ValueSize)
	a, b := newValidator(t, 1), newValidator(t, 2)
	stolen := b.genesisKey(0)
	stolen.Next = a.genesisKey(0).Next
	both := a.genesisKey(5)
	both.Current = vrfkey.Register(b.secret, a.operator)
	withKeys := func(keys ...types.OperatorKeys) types.GenesisState {
		return types.GenesisState{Params: types.DefaultParams(), Keys: keys}
	}
	require.NoError(t, withKeys(both, b.genesisKey(0)).Validate())
	late := both
	late.Current.ActiveFrom = 5
	for name, c := range map[string]struct {
		gs   types.GenesisState
		want error
	}{
		"short history": {genesis(1), types.ErrInvalidParams},
		"long history":  {genesis(types.MaxHistory + 1), types.ErrInvalidParams},
		"soon":          {types.GenesisState{Params: types.Params{History: 10, ActivationBlocks: types.MinActivationBlocks - 1}}, types.ErrInvalidParams},
		"value size":    {types.GenesisState{Params: types.DefaultParams(), History: []types.Randomness{{Height: 1, Value: value[1:]}}}, types.ErrInvalidGenesis},
		"order": {types.GenesisState{
			Params: types.DefaultParams(), History: []types.Randomness{{Height: 2, Value: value}, {Height: 2, Value: value}},
		}, types.ErrInvalidGenesis},
		"twice":          {withKeys(a.genesisKey(0), a.genesisKey(0)), types.ErrInvalidGenesis},
		"keys' order":    {withKeys(b.genesisKey(0), a.genesisKey(0)), types.ErrInvalidGenesis},
		"another's key":  {withKeys(stolen), types.ErrInvalidGenesis},
		"no key":         {withKeys(types.OperatorKeys{Operator: a.name}), types.ErrInvalidGenesis},
		"operator":       {withKeys(types.OperatorKeys{Operator: "x", Next: a.genesisKey(0).Next}), types.ErrInvalidGenesis},
		"negative":       {withKeys(a.genesisKey(-1)), types.ErrInvalidGenesis},
		"current is new": {withKeys(late), types.ErrInvalidGenesis},
	} {
		require.ErrorIs(t, c.gs.Validate(), c.want, name)
	}
	require.NoError(t, types.DefaultGenesisState().Validate())
}

func TestQueries(t *testing.T) {
	f := newFixture(t, genesis(3))
	q := keeper.NewQueryServer(f.Keeper)
	want := f.block(1, 1)
	for _, height := range []int64{0, 1} {
		res, err := q.Randomness(f.ctx, &types.QueryRandomnessRequest{Height: height})
		require.NoError(t, err)
		require.Equal(t, types.Randomness{Height: 1, Value: want}, res.Randomness)
		require.Equal(t, "last-commit", res.Source)
	}
	_, err := q.Randomness(f.ctx, &types.QueryRandomnessRequest{Height: 2})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = q.Randomness(f.ctx, &types.QueryRandomnessRequest{Height: -2})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	params, err := q.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 3, params.Params.History)
}
