package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/model"
	"poaid/x/datasets/keeper"
	"poaid/x/datasets/types"
)

const (
	authority = "authority"
	denom     = "upoai"
)

var addresses = address.NewBech32Codec("poai")

// who names account i.
func who(i int) string {
	s, err := addresses.BytesToString([]byte(fmt.Sprintf("participant-%08d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

// fakeBank keeps balances in memory; the community pool is an account of it.
type fakeBank struct {
	balances map[string]sdk.Coins
	blocked  map[string]bool
}

const pool = "community"

func (b *fakeBank) move(from, to string, amt sdk.Coins) error {
	rest, negative := b.balances[from].SafeSub(amt...)
	if negative {
		return errors.New("insufficient funds")
	}
	b.balances[from] = rest
	b.balances[to] = b.balances[to].Add(amt...)
	return nil
}

func (b *fakeBank) SendCoins(_ context.Context, from, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(from.String(), to.String(), amt)
}

func (b *fakeBank) FundCommunityPool(_ context.Context, amt sdk.Coins, from sdk.AccAddress) error {
	return b.move(from.String(), pool, amt)
}

func (b *fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.blocked[addr.String()] }

var (
	_ types.BankKeeper    = &fakeBank{}
	_ types.CommunityPool = &fakeBank{}
)

type fix struct {
	t    require.TestingT
	ctx  sdk.Context
	k    keeper.Keeper
	msg  types.MsgServer
	q    types.QueryServer
	bank *fakeBank
}

func fixture(t require.TestingT) *fix {
	f := emptyFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, *types.DefaultGenesis()))
	return f
}

func emptyFixture(t require.TestingT) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(42)
	bank := &fakeBank{map[string]sdk.Coins{}, map[string]bool{}}
	k := keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(key), addresses, bank, bank, authority)
	return &fix{t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k), bank: bank}
}

// at moves to a height.
func (f *fix) at(height int64) { f.ctx = f.ctx.WithBlockHeight(height) }

func acc(t require.TestingT, text string) sdk.AccAddress {
	bz, err := addresses.StringToBytes(text)
	require.NoError(t, err)
	return bz
}

func (f *fix) fund(i int, coins ...sdk.Coin) {
	f.bank.balances[acc(f.t, who(i)).String()] = sdk.NewCoins(coins...)
}

func (f *fix) balance(i int) string { return f.bank.balances[acc(f.t, who(i)).String()].String() }

func root(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// priced are terms of 1,000 upoai for 100 blocks.
func priced() types.Terms {
	return types.Terms{Price: sdk.NewInt64Coin(denom, 1000), GrantBlocks: 100, ShareBps: 500}
}

// mnist is account 1's dataset.
func mnist() *types.MsgRegisterDataset {
	return &types.MsgRegisterDataset{
		Owner: who(1), Id: "mnist", Description: "Digits", Cid: model.CIDOf([]byte("mnist")), Licence: "CC-BY-SA-3.0 OR (MIT AND BSD-3-Clause)",
		Roots: [][]byte{root(1), root(2)}, Terms: priced(),
		Encryption: &types.Encryption{Scheme: "aes-256-gcm", KeyCommitment: root(9), KeyEndpoint: "https://keys.example.org/mnist"},
	}
}

// try runs f on a branch that is dropped when it fails, as baseapp does.
func (f *fix) try(do func(ctx context.Context) error) error {
	ctx, write := f.ctx.CacheContext()
	balances := maps.Clone(f.bank.balances)
	err := do(ctx)
	if err != nil {
		f.bank.balances = balances
	} else {
		write()
	}
	require.NoError(f.t, f.k.Invariants(f.ctx))
	return err
}

func (f *fix) register(msg *types.MsgRegisterDataset) error {
	return f.try(func(ctx context.Context) error { _, err := f.msg.RegisterDataset(ctx, msg); return err })
}

func (f *fix) buy(buyer int, most sdk.Coin, grantee string) error {
	return f.try(func(ctx context.Context) error {
		_, err := f.msg.BuyAccess(ctx, &types.MsgBuyAccess{Buyer: who(buyer), Id: "mnist", MaxPrice: most, Grantee: grantee})
		return err
	})
}

func (f *fix) allow(program []byte, free bool) error {
	return f.try(func(ctx context.Context) error {
		_, err := f.msg.AllowProgram(ctx, &types.MsgAllowProgram{Owner: who(1), Id: "mnist", ProgramHash: program, Free: free})
		return err
	})
}

func (f *fix) terms(t types.Terms) error {
	return f.try(func(ctx context.Context) error {
		_, err := f.msg.SetTerms(ctx, &types.MsgSetTerms{Owner: who(1), Id: "mnist", Terms: t})
		return err
	})
}

// may asks by the query, and checks that Use says the same.
func (f *fix) may(user int, program []byte) error {
	ctx, _ := f.ctx.CacheContext()
	_, err := f.k.Use(ctx, who(user), program, [][]byte{root(1)})
	resp, qerr := f.q.MayTrain(f.ctx, &types.QueryMayTrainRequest{Id: "mnist", User: who(user), ProgramHash: program})
	require.NoError(f.t, qerr)
	require.Equal(f.t, err == nil, resp.Allowed)
	if err != nil {
		require.Equal(f.t, err.Error(), resp.Reason)
	}
	return err
}
