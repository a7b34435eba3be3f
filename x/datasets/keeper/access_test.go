package keeper_test

import (
	"bytes"
	"context"
	"math"
	"testing"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/datasets/types"
	modelstypes "poaid/x/models/types"
)

func TestGrantsAreBoughtAndExpire(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	price := sdk.NewInt64Coin(denom, 1000)
	f.fund(2, sdk.NewInt64Coin(denom, 2500), sdk.NewInt64Coin("other", 5000))
	require.ErrorIs(t, f.may(2, root(5)), types.ErrNoGrant)
	require.NoError(t, f.may(1, root(5)), "its owner needs none")

	require.ErrorIs(t, f.buy(2, sdk.NewInt64Coin(denom, 999), ""), types.ErrPrice)
	require.ErrorIs(t, f.buy(2, sdk.NewInt64Coin("other", 5000), ""), types.ErrPrice)
	require.ErrorIs(t, f.buy(2, sdk.Coin{}, ""), types.ErrPrice)
	require.ErrorIs(t, f.buy(2, price, "x"), types.ErrInvalidAddress)
	require.Error(t, f.buy(3, price, ""), "no coins")
	require.NoError(t, f.buy(2, sdk.NewInt64Coin(denom, 5000), ""), "at the price, not at the most one would pay")
	require.Equal(t, "950upoai", f.balance(1))
	require.Equal(t, "50upoai", f.bank.balances[pool].String())
	require.Equal(t, "5000other,1500upoai", f.balance(2))

	f.at(141)
	require.NoError(t, f.may(2, root(5)))
	f.at(142)
	err := f.may(2, root(5))
	require.ErrorIs(t, err, types.ErrNoGrant)
	require.ErrorContains(t, err, "expired at height 142")

	f.at(200)
	require.NoError(t, f.buy(2, price, ""), "anew, from now")
	f.at(250)
	require.Error(t, f.buy(2, price, ""), "500 are left")
	f.fund(4, sdk.NewInt64Coin(denom, 10_000))
	require.NoError(t, f.buy(4, price, who(2)), "another may pay; it lasts 100 blocks longer")
	f.at(399)
	require.NoError(t, f.may(2, root(5)))
	require.ErrorIs(t, f.may(4, root(5)), types.ErrNoGrant)
	f.at(400)
	require.ErrorIs(t, f.may(2, root(5)), types.ErrNoGrant)
	resp, err := f.q.Grants(f.ctx, &types.QueryGrantsRequest{Id: "mnist"})
	require.NoError(t, err)
	require.Equal(t, []types.GenesisGrant{{Dataset: "mnist", Grantee: who(2), Expires: 400}}, resp.Grants)
	d, err := f.q.Dataset(f.ctx, &types.QueryDatasetRequest{Id: "mnist"})
	require.NoError(t, err)
	require.Equal(t, types.Counts{Grants: 3}, d.Counts)
}

// TestExpiredGrantsAreDropped: each purchase forgets two, the longest expired first, and none that holds.
func TestExpiredGrantsAreDropped(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	price := sdk.NewInt64Coin(denom, 1000)
	for i := 2; i <= 7; i++ { // they end at 142, 143, …, 147
		f.fund(i, price)
		require.NoError(t, f.buy(i, price, ""))
		f.at(f.ctx.BlockHeight() + 1)
	}
	left := func() (out []string) {
		require.NoError(t, f.k.Expiries.Walk(f.ctx, nil, func(key collections.Triple[int64, string, sdk.AccAddress]) (bool, error) {
			out = append(out, key.K3().String())
			return false, nil
		}))
		return out
	}
	of := func(list ...int) (out []string) {
		for _, i := range list {
			out = append(out, acc(t, who(i)).String())
		}
		return out
	}
	f.at(146)
	f.fund(8, price)
	require.NoError(t, f.buy(8, price, ""))
	require.Equal(t, of(4, 5, 6, 7, 8), left())
	require.ErrorIs(t, f.may(2, root(5)), types.ErrNoGrant)
	f.fund(4, price)
	require.NoError(t, f.buy(4, price, ""), "its own has expired: anew, and out of what is dropped")
	require.Equal(t, of(7), left()[:1], "one that ends now is expired, one that ends later is not")
	require.Len(t, left(), 3)
	require.NoError(t, f.may(7, root(5)))
	require.NoError(t, f.may(4, root(5)))
}

func TestGrantsAreBounded(t *testing.T) {
	f := fixture(t)
	msg := mnist()
	msg.Terms.GrantBlocks = types.DefaultMaxGrantBlocks/2 + 1
	require.NoError(t, f.register(msg))
	f.fund(2, sdk.NewInt64Coin(denom, 1_000_000))
	require.NoError(t, f.buy(2, sdk.NewInt64Coin(denom, 1000), ""))
	require.ErrorIs(t, f.buy(2, sdk.NewInt64Coin(denom, 1000), ""), types.ErrGrantTooLong)
	f.at(44)
	require.NoError(t, f.buy(2, sdk.NewInt64Coin(denom, 1000), ""), "two blocks later it fits")
	require.NoError(t, f.k.GrantCounts.Set(f.ctx, "mnist", math.MaxUint64))
	f.fund(3, sdk.NewInt64Coin(denom, 1000))
	require.ErrorIs(t, f.buy(3, sdk.NewInt64Coin(denom, 1000), ""), types.ErrOverflow)
}

func TestDustPrices(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	f.fund(2, sdk.NewInt64Coin(denom, 100))
	terms := priced()
	terms.Price.Amount = sdkmath.NewInt(19) // a twentieth is less than one
	require.NoError(t, f.terms(terms))
	require.NoError(t, f.buy(2, terms.Price, ""))
	require.Equal(t, "19upoai", f.balance(1))
	require.Empty(t, f.bank.balances[pool])
	p := types.DefaultParams()
	p.CommunityBps = 10_000
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(t, err)
	require.NoError(t, f.buy(2, terms.Price, ""))
	require.Equal(t, "19upoai", f.bank.balances[pool].String())
	require.Equal(t, "19upoai", f.balance(1))
	f.bank.blocked[acc(t, who(1)).String()] = true
	require.ErrorIs(t, f.buy(2, terms.Price, ""), types.ErrInvalidAddress, "an owner that cannot be paid sells nothing")
}

// TestWhoMayTrain is the whole rule: closed, listed, free program, price, grant, retired, owner.
func TestWhoMayTrain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		closed, listed, freeProgram, price, grant, retired, owner := flag("closed"), flag("listed"), flag("free"), flag("price"), flag("grant"), flag("retired"), flag("owner")
		require.NoError(t, f.register(mnist()))
		user := 2
		if owner {
			user = 1
		}
		if grant {
			f.fund(user, sdk.NewInt64Coin(denom, 1000))
			require.NoError(t, f.buy(user, sdk.NewInt64Coin(denom, 1000), ""))
		}
		terms := types.Terms{Closed: closed}
		if price {
			terms = priced()
			terms.Closed = closed
		}
		require.NoError(t, f.terms(terms))
		if listed {
			require.NoError(t, f.allow(root(5), freeProgram))
		}
		if retired {
			_, err := f.msg.RetireDataset(f.ctx, &types.MsgRetireDataset{Owner: who(1), Id: "mnist"})
			require.NoError(t, err)
		}
		err := f.may(user, root(5))
		switch {
		case closed && !listed:
			require.ErrorIs(t, err, types.ErrClosed, "whoever asks")
		case owner || grant || !retired && (!price || listed && freeProgram):
			require.NoError(t, err)
		default:
			require.ErrorIs(t, err, types.ErrNoGrant)
		}
		if closed {
			require.ErrorIs(t, f.may(user, root(6)), types.ErrClosed, "another program")
		}
	})
}

func TestAllowlist(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	require.NoError(t, f.allow(root(5), false))
	require.ErrorIs(t, f.allow(root(5), false), types.ErrProgram)
	require.NoError(t, f.allow(root(5), true))
	require.NoError(t, f.allow(root(6), false))
	require.ErrorIs(t, f.allow(root(6)[:8], false), types.ErrProgram)
	list, err := f.q.Programs(f.ctx, &types.QueryProgramsRequest{Id: "mnist"})
	require.NoError(t, err)
	require.Equal(t, []types.Program{{ProgramHash: root(5), Free: true}, {ProgramHash: root(6)}}, list.Programs)
	disallow := func(p []byte) error {
		return f.try(func(ctx context.Context) error {
			_, err := f.msg.DisallowProgram(ctx, &types.MsgDisallowProgram{Owner: who(1), Id: "mnist", ProgramHash: p})
			return err
		})
	}
	require.NoError(t, disallow(root(5)))
	require.ErrorIs(t, disallow(root(5)), types.ErrProgram)
	require.ErrorIs(t, disallow(bytes.Repeat([]byte{1}, 10_000)), types.ErrProgram)
}

func TestRetired(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	retire := &types.MsgRetireDataset{Owner: who(1), Id: "mnist"}
	_, err := f.msg.RetireDataset(f.ctx, retire)
	require.NoError(t, err)
	_, err = f.msg.RetireDataset(f.ctx, retire)
	require.ErrorIs(t, err, types.ErrRetired)
	f.fund(2, sdk.NewInt64Coin(denom, 1000))
	require.ErrorIs(t, f.buy(2, sdk.NewInt64Coin(denom, 1000), ""), types.ErrRetired)
	free := mnist()
	free.Id, free.Roots, free.Terms = "free", [][]byte{root(7)}, types.Terms{}
	require.NoError(t, f.register(free))
	_, err = f.msg.BuyAccess(f.ctx, &types.MsgBuyAccess{Buyer: who(2), Id: "free", MaxPrice: sdk.NewInt64Coin(denom, 1)})
	require.ErrorIs(t, err, types.ErrNoPrice)
	_, err = f.msg.BuyAccess(f.ctx, &types.MsgBuyAccess{Buyer: who(2), Id: "nothing", MaxPrice: sdk.NewInt64Coin(denom, 1)})
	require.ErrorIs(t, err, types.ErrNotFound)
}

func TestUse(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	second := mnist()
	second.Id, second.Owner, second.Roots, second.Terms = "letters", who(3), [][]byte{root(11), root(12)}, types.Terms{ShareBps: 250}
	require.NoError(t, f.register(second))
	third := mnist()
	third.Id, third.Owner, third.Roots, third.Terms = "gift", who(3), [][]byte{root(21)}, types.Terms{}
	require.NoError(t, f.register(third))

	use := func(user string, program []byte, roots ...[]byte) (parents []modelstypes.Parent, err error) {
		err = f.try(func(ctx context.Context) error {
			parents, err = f.k.Use(ctx, user, program, roots)
			return err
		})
		return parents, err
	}
	parents, err := use(who(1), root(5), root(99), root(12), root(1), root(21), root(2), root(11), root(98))
	require.NoError(t, err)
	require.Equal(t, []modelstypes.Parent{
		{Kind: modelstypes.PARENT_KIND_DATASET, Id: "letters", ShareBps: 250}, {Kind: modelstypes.PARENT_KIND_DATASET, Id: "mnist", ShareBps: 500},
	}, parents, "each once, in the order of its first root; what asks nothing is no parent")
	parents, err = use(who(2), root(6), root(11))
	require.NoError(t, err)
	require.Len(t, parents, 1)
	f.at(50)
	_, err = use(who(2), root(7), root(11), root(12))
	require.NoError(t, err)

	_, err = use(who(2), root(7), root(11), root(1))
	require.ErrorIs(t, err, types.ErrNoGrant, "all must be allowed")
	_, err = use(who(2), root(7)[:5], root(11))
	require.ErrorIs(t, err, types.ErrProgram)
	_, err = use(who(2), root(7), root(11)[:5])
	require.ErrorIs(t, err, types.ErrRoot)
	_, err = use("x", root(7), root(11))
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	_, err = use(who(2), root(7), make([][]byte, 4097)...)
	require.ErrorIs(t, err, types.ErrTooManyRoots)
	most := make([][]byte, 4096)
	for i := range most {
		most[i] = root(98)
	}
	_, err = use(who(2), root(7), most...)
	require.NoError(t, err, "as many as there may be")
	parents, err = use(who(2), root(7))
	require.NoError(t, err)
	require.Empty(t, parents)

	d, err := f.q.Dataset(f.ctx, &types.QueryDatasetRequest{Id: "letters"})
	require.NoError(t, err)
	require.Equal(t, types.Counts{Uses: 3}, d.Counts, "what was refused left no trace")
	usages, err := f.q.Usages(f.ctx, &types.QueryUsagesRequest{Id: "letters"})
	require.NoError(t, err)
	require.Equal(t, []types.GenesisUsage{
		{Dataset: "letters", User: who(1), Usage: types.Usage{Uses: 1, LastHeight: 42, LastProgram: root(5)}},
		{Dataset: "letters", User: who(2), Usage: types.Usage{Uses: 2, LastHeight: 50, LastProgram: root(7)}},
	}, usages.Usages)
}
