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

// poai holds scores, and parts of them that delegated bond backed. reads counts lookups. What is bonded goes to x/poai's account.
type poai struct {
	scores    map[uint64]map[string]math.Int
	delegated map[uint64]map[string]math.Int
	reads     int
	bonds     map[string]math.Int
	denom     string
	bank      *bank
}

func newPoai(b *bank) *poai {
	return &poai{
		scores: map[uint64]map[string]math.Int{}, delegated: map[uint64]map[string]math.Int{}, bonds: map[string]math.Int{}, denom: denom, bank: b,
	}
}

func (p *poai) ScoreParts(_ context.Context, epoch uint64, participant string) (score, delegated math.Int, err error) {
	p.reads++
	score, delegated = math.ZeroInt(), math.ZeroInt()
	if s, ok := p.scores[epoch][participant]; ok {
		score = s
	}
	if d, ok := p.delegated[epoch][participant]; ok {
		delegated = d
	}
	return score, delegated, nil
}

func (p *poai) HasJoined(_ context.Context, participant string) (bool, error) {
	return participant != who(99), nil
}

func (p *poai) BondDenom(context.Context) (string, error) { return p.denom, nil }

func (p *poai) AddBondFromModule(_ context.Context, from, participant string, amount sdk.Coin) error {
	if p.bonds[participant].IsNil() {
		p.bonds[participant] = math.ZeroInt()
	}
	p.bonds[participant] = p.bonds[participant].Add(amount.Amount)
	return p.bank.move(module(from), module("poai"), sdk.NewCoins(amount))
}

// delegation is a fake x/delegation with one commission for all. What it is given goes to its account.
type delegation struct {
	commission int64
	bank       *bank
	given      map[string]math.Int
	denom      string
}

func (d *delegation) RewardDenom(context.Context) (string, error) {
	if d.denom == "" {
		return types.DefaultMintDenom, nil
	}
	return d.denom, nil
}

func (d *delegation) HoldersShare(_ context.Context, _ string, _ uint64, amount, score, delegated math.Int) (math.Int, error) {
	return amount.Mul(delegated).MulRaw(10_000 - d.commission).Quo(score.MulRaw(10_000)), nil
}

func (d *delegation) Reward(_ context.Context, from, participant string, amount sdk.Coin) error {
	if d.given[participant].IsNil() {
		d.given[participant] = math.ZeroInt()
	}
	d.given[participant] = d.given[participant].Add(amount.Amount)
	return d.bank.move(module(from), module("delegation"), sdk.NewCoins(amount))
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

	delegation *delegation
}

// fixture builds a keeper over fakes with simple params: 1,000 a block, halving every 100 blocks, vesting over 10 blocks,
// 90% compute, 5% community, 5% stake.
func fixture(t require.TestingT) *fix {
	if h, ok := t.(testing.TB); ok {
		h.Helper()
	}
	f := emptyFixture(t, newBank(), nil)
	g := types.DefaultGenesis()
	g.Params = params()
	require.NoError(t, f.k.InitGenesis(f.ctx, *g))
	return f
}

func params() types.Params {
	return types.Params{
		MintDenom: denom, BlockEmission: math.NewInt(1000), HalvingBlocks: 100, MaxSupply: math.NewInt(1_000_000),
		ComputeBps: 9000, CommunityBps: 500, StakeBps: 500, VestingBlocks: 10, MaxEmissionPerUnit: math.NewInt(1e12),
		Curve: types.CURVE_HALVING, MaxDelegatorBps: 5_000,
	}
}

func emptyFixture(t require.TestingT, b *bank, p *poai) *fix {
	if p == nil {
		p = newPoai(b)
	}
	d := &delegation{bank: b, given: map[string]math.Int{}}
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(1)
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	w := &work{}
	k := keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(key), addresses, b, b, b, p, w, d, authority)
	return &fix{work: w, t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k), bank: b, poai: p, delegation: d}
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
	f.poai.delegated[epoch] = map[string]math.Int{}
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

// delegate says how much of a participant's score in an epoch delegated bond backed.
func (f *fix) delegate(epoch uint64, i int, part int64) {
	f.poai.delegated[epoch][who(i)] = math.NewInt(part)
}

// upper is the same address in capitals, which bech32 allows.
func upper(s string) string { return strings.ToUpper(s) }
