package keeper_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards/keeper"
	"poaid/x/rewards/types"
)

const (
	denom     = "upoai"
	authority = "authority"
	community = "community-pool"
)

var addresses = address.NewBech32Codec("poai")

// bank is an in-memory bank: balances in denom by owner. Nothing can be spent that is not there.
type bank struct{ balances map[string]math.Int }

func newBank() *bank { return &bank{balances: map[string]math.Int{}} }

func (b *bank) of(owner string) math.Int {
	if v, ok := b.balances[owner]; ok {
		return v
	}
	return math.ZeroInt()
}

func (b *bank) move(from, to string, coins sdk.Coins) error {
	amount := coins.AmountOf(denom)
	if len(coins) != 1 || !amount.IsPositive() {
		return fmt.Errorf("bad coins %s", coins)
	}
	if from != "" {
		if b.of(from).LT(amount) {
			return fmt.Errorf("%s has %s, needs %s", from, b.of(from), amount)
		}
		b.balances[from] = b.of(from).Sub(amount)
	}
	b.balances[to] = b.of(to).Add(amount)
	return nil
}

func module(name string) string { return authtypes.NewModuleAddress(name).String() }

func (b *bank) MintCoins(_ context.Context, name string, amt sdk.Coins) error {
	return b.move("", module(name), amt)
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, from string, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(module(from), to.String(), amt)
}

func (b *bank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(module(from), module(to), amt)
}

func (b *bank) FundCommunityPool(_ context.Context, amt sdk.Coins, sender sdk.AccAddress) error {
	return b.move(sender.String(), community, amt)
}

func (b *bank) GetBalance(_ context.Context, addr sdk.AccAddress, d string) sdk.Coin {
	return sdk.NewCoin(d, b.of(addr.String()))
}

func (b *bank) GetModuleAddress(name string) sdk.AccAddress { return authtypes.NewModuleAddress(name) }

// supply is all there is.
func (b *bank) supply() math.Int {
	sum := math.ZeroInt()
	for _, v := range b.balances {
		sum = sum.Add(v)
	}
	return sum
}

// poai holds scores. reads counts lookups.
type poai struct {
	scores map[uint64]map[string]math.Int
	reads  int
}

func (p *poai) GetScore(_ context.Context, epoch uint64, participant string) (math.Int, error) {
	p.reads++
	if s, ok := p.scores[epoch][participant]; ok {
		return s, nil
	}
	return math.ZeroInt(), nil
}

// VerifierShare is a half.
func (p *poai) VerifierShare(context.Context) (uint64, error) { return 500_000, nil }

// work says that 10^6 units cost as much, and that two members check a run.
type work struct{ cost int64 }

func (w *work) RunCost(context.Context) (math.Int, uint32, error) { return math.NewInt(w.cost), 2, nil }

type fix struct {
	t    require.TestingT
	ctx  sdk.Context
	k    keeper.Keeper
	msg  types.MsgServer
	q    types.QueryServer
	bank *bank
	poai *poai
	work *work
}

// fixture builds a keeper over fakes with simple params: 1,000 a block, halving every 100 blocks, vesting over 10 blocks,
// 90% compute, 5% community, 5% stake.
func fixture(t require.TestingT) *fix {
	if h, ok := t.(testing.TB); ok {
		h.Helper()
	}
	f := emptyFixture(t, newBank(), &poai{scores: map[uint64]map[string]math.Int{}})
	g := types.DefaultGenesis()
	g.Params = params()
	require.NoError(t, f.k.InitGenesis(f.ctx, *g))
	return f
}

func params() types.Params {
	return types.Params{
		MintDenom: denom, BlockEmission: math.NewInt(1000), HalvingBlocks: 100, MaxSupply: math.NewInt(1_000_000),
		ComputeBps: 9000, CommunityBps: 500, StakeBps: 500, VestingBlocks: 10, MaxEmissionPerUnit: math.NewInt(1e12),
	}
}

func emptyFixture(t require.TestingT, b *bank, p *poai) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(1)
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	w := &work{}
	k := keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(key), addresses, b, b, b, p, w, authority)
	return &fix{work: w, t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k), bank: b, poai: p}
}

// who names participant i.
func who(i int) string {
	s, err := addresses.BytesToString([]byte(fmt.Sprintf("participant-%08d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

// balance of participant i.
func (f *fix) balance(i int) int64 {
	addr, err := addresses.StringToBytes(who(i))
	require.NoError(f.t, err)
	return f.bank.of(sdk.AccAddress(addr).String()).Int64()
}

func (f *fix) at(height int64) *fix {
	f.ctx = f.ctx.WithBlockHeight(height)
	return f
}

// close ends an epoch over the heights from..to with a score per participant, in order, and as many units as score.
func (f *fix) close(epoch uint64, from, to int64, scores ...int64) {
	total := math.ZeroInt()
	f.poai.scores[epoch] = map[string]math.Int{}
	for i, s := range scores {
		f.poai.scores[epoch][who(i)] = math.NewInt(s)
		total = total.AddRaw(s)
	}
	require.NoError(f.t, f.k.Hooks().AfterEpochClosed(f.ctx, poaitypes.Epoch{
		Number: epoch, StartHeight: from, EndHeight: to, Closed: true, TotalScore: total, TotalUnits: total,
	}))
}

func (f *fix) claim(i int, epochs ...uint64) (*types.MsgClaimResponse, error) {
	return f.msg.Claim(f.ctx, &types.MsgClaim{Participant: who(i), Epochs: epochs})
}

func (f *fix) mustClaim(i int, epochs ...uint64) int64 {
	resp, err := f.claim(i, epochs...)
	require.NoError(f.t, err)
	return resp.Claimed.Amount.Int64()
}

func (f *fix) pool(epoch uint64) types.EpochPool {
	p, err := f.k.Pools.Get(f.ctx, epoch)
	require.NoError(f.t, err)
	return p
}

func (f *fix) carry() int64 {
	s, err := f.k.Supply.Get(f.ctx)
	require.NoError(f.t, err)
	return s.Carry.Int64()
}

func (f *fix) invariants() { require.NoError(f.t, f.k.Invariants(f.ctx)) }

// upper is the same address in capitals, which bech32 allows.
func upper(s string) string { return strings.ToUpper(s) }
