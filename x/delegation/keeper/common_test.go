package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/x/delegation/keeper"
	"poaid/x/delegation/types"
	poaikeeper "poaid/x/poai/keeper"
	poaitypes "poaid/x/poai/types"
	rewardskeeper "poaid/x/rewards/keeper"
	rewardstypes "poaid/x/rewards/types"
)

// The keepers are what each other expect.
var (
	_ types.PoaiKeeper              = (*poaikeeper.Keeper)(nil)
	_ rewardstypes.DelegationKeeper = keeper.Keeper{}
	_ types.RewardsKeeper           = rewardskeeper.Keeper{}
)

const (
	denom     = "upoai"
	authority = "authority"
	community = "community"
	unbonding = 20
)

var addresses = addresscodec.NewBech32Codec("poai")

func module(name string) string {
	s, err := addresses.BytesToString(authtypes.NewModuleAddress(name))
	if err != nil {
		panic(err)
	}
	return s
}

// who is the i-th address.
func who(i int) string {
	s, err := addresses.BytesToString([]byte(fmt.Sprintf("holder-%013d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

// bank keeps balances in denom by owner. Nothing can be spent that is not there.
type bank struct{ balances map[string]math.Int }

func (b *bank) of(owner string) math.Int {
	if v, ok := b.balances[owner]; ok {
		return v
	}
	return math.ZeroInt()
}

func (b *bank) move(from, to string, coins sdk.Coins) error {
	amount := coins.AmountOf(denom)
	if len(coins) != 1 || !amount.IsPositive() || b.of(from).LT(amount) {
		return fmt.Errorf("%s has %s, cannot pay %s", from, b.of(from), coins)
	}
	b.balances[from] = b.of(from).Sub(amount)
	b.balances[to] = b.of(to).Add(amount)
	return nil
}

func name(addr sdk.AccAddress) string {
	s, err := addresses.BytesToString(addr)
	if err != nil {
		panic(err)
	}
	return s
}

func (b *bank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(module(from), module(to), amt)
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, from string, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(module(from), name(to), amt)
}

func (b *bank) FundCommunityPool(_ context.Context, amt sdk.Coins, sender sdk.AccAddress) error {
	return b.move(name(sender), community, amt)
}

func (b *bank) GetBalance(_ context.Context, addr sdk.AccAddress, d string) sdk.Coin {
	return sdk.NewCoin(d, b.of(name(addr)))
}

type accounts struct{}

func (accounts) AddressCodec() address.Codec { return addresses }

func (accounts) GetModuleAddress(name string) sdk.AccAddress { return authtypes.NewModuleAddress(name) }

// poai is a fake x/poai: participants with own and delegated bond, locks, and an epoch.
type poai struct {
	epoch        uint64
	participants map[string]poaitypes.Participant
	bank         *bank
}

// rewards is a fake x/rewards.
type rewards struct{ vesting int64 }

func (r *rewards) VestingBlocks(context.Context) (int64, error) { return r.vesting, nil }

func (p *poai) GetParticipant(_ context.Context, address string) (poaitypes.Participant, error) {
	v, ok := p.participants[address]
	if !ok {
		return v, collections.ErrNotFound
	}
	return v, nil
}

func (p *poai) CurrentEpoch(context.Context) (uint64, error)   { return p.epoch, nil }
func (p *poai) BondDenom(context.Context) (string, error)      { return denom, nil }
func (p *poai) UnbondingBlocks(context.Context) (int64, error) { return unbonding, nil }

func (p *poai) AddDelegated(_ context.Context, participant string, holder sdk.AccAddress, amount sdk.Coin) error {
	v := p.participants[participant]
	v.Bond, v.Delegated = v.Bond.Add(amount.Amount), v.Delegated.Add(amount.Amount)
	p.participants[participant] = v
	return p.bank.move(name(holder), module("poai"), sdk.NewCoins(amount))
}

func (p *poai) RemoveDelegated(_ context.Context, participant string, amount sdk.Coin, to string) error {
	v := p.participants[participant]
	if amount.Amount.GT(v.Bond.Sub(v.Locked)) {
		return poaitypes.ErrBondLocked
	}
	if amount.Amount.GT(v.Delegated) {
		return poaitypes.ErrBondDelegated
	}
	v.Bond, v.Delegated = v.Bond.Sub(amount.Amount), v.Delegated.Sub(amount.Amount)
	p.participants[participant] = v
	return p.bank.move(module("poai"), module(to), sdk.NewCoins(amount))
}

// join gives a participant a bond of its own.
func (p *poai) join(participant string, bond int64) {
	p.participants[participant] = poaitypes.Participant{
		Address: participant, Bond: math.NewInt(bond), Locked: math.ZeroInt(), Delegated: math.ZeroInt(),
	}
	p.bank.balances[module("poai")] = p.bank.of(module("poai")).AddRaw(bond)
}

// slash burns a part of a bond.
func (p *poai) slash(participant string, amount math.Int) {
	v := p.participants[participant]
	v.TakeBond(amount)
	v.Locked = math.MinInt(v.Locked, v.Bond)
	p.participants[participant] = v
	p.bank.balances[module("poai")] = p.bank.of(module("poai")).Sub(amount)
	p.bank.balances["burnt"] = p.bank.of("burnt").Add(amount)
}

// acquit gives back what was burnt.
func (p *poai) acquit(participant string, amount math.Int) {
	v := p.participants[participant]
	v.GiveBond(amount)
	p.participants[participant] = v
	p.bank.balances["burnt"] = p.bank.of("burnt").Sub(amount)
	p.bank.balances[module("poai")] = p.bank.of(module("poai")).Add(amount)
}

type fix struct {
	t    require.TestingT
	ctx  sdk.Context
	k    keeper.Keeper
	msg  types.MsgServer
	q    types.QueryServer
	bank *bank
	poai *poai
	rew  *rewards
}

func testParams() types.Params {
	return types.Params{RewardDenom: denom, MaxLeverage: 4, MinDelegation: math.NewInt(10)}
}

// alice is a participant with an own bond of 1,000 and an open pool with a commission of a tenth.
var alice = who(0)

func fixture(t require.TestingT) *fix {
	if h, ok := t.(testing.TB); ok {
		h.Helper()
	}
	b := &bank{map[string]math.Int{}}
	f := emptyFixture(t, b, &poai{epoch: 1, participants: map[string]poaitypes.Participant{}, bank: b})
	gs := types.DefaultGenesisState()
	gs.Params = testParams()
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	f.poai.join(alice, 1_000)
	f.terms(alice, 1_000, 500, true)
	return f
}

func emptyFixture(t require.TestingT, b *bank, p *poai) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(1)
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	k := keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(key), accounts{}, b, b, p, authority)
	r := &rewards{vesting: 7}
	k.SetRewards(r)
	return &fix{t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k), bank: b, poai: p, rew: r}
}

func coin(n int64) sdk.Coin { return sdk.Coin{Denom: denom, Amount: math.NewInt(n)} }

func (f *fix) at(height int64) { f.ctx = f.ctx.WithBlockHeight(height) }

func (f *fix) fund(i int, n int64) { f.bank.balances[who(i)] = f.bank.of(who(i)).AddRaw(n) }

func (f *fix) terms(participant string, commission, change uint32, open bool) {
	_, err := f.msg.SetTerms(f.ctx, &types.MsgSetTerms{Participant: participant, CommissionBps: commission, MaxChangeBps: change, Open: open})
	require.NoError(f.t, err)
}

// delegate funds holder i and puts the coins behind alice.
func (f *fix) delegate(i int, n int64) int64 {
	f.fund(i, n)
	res, err := f.msg.Delegate(f.ctx, &types.MsgDelegate{Holder: who(i), Participant: alice, Amount: coin(n)})
	require.NoError(f.t, err)
	return res.Shares.Int64()
}

func (f *fix) undelegate(i int, shares int64) (int64, error) {
	ctx, write := f.ctx.CacheContext()
	res, err := f.msg.Undelegate(ctx, &types.MsgUndelegate{Holder: who(i), Participant: alice, Shares: math.NewInt(shares)})
	if err != nil {
		return 0, err
	}
	write()
	return res.Amount.Amount.Int64(), nil
}

// reward gives alice's holders n coins.
func (f *fix) reward(n int64) {
	f.bank.balances[module("rewards")] = f.bank.of(module("rewards")).AddRaw(n)
	require.NoError(f.t, f.k.Reward(f.ctx, "rewards", alice, coin(n)))
}

// claim is what holder i is paid; 0 where it has nothing.
func (f *fix) claim(i int) int64 {
	ctx, write := f.ctx.CacheContext()
	res, err := f.msg.Claim(ctx, &types.MsgClaim{Holder: who(i), Participant: alice})
	if err != nil {
		require.ErrorIs(f.t, err, types.ErrNothing)
		return 0
	}
	write()
	return res.Amount.Amount.Int64()
}

func (f *fix) withdraw(i int) int64 {
	ctx, write := f.ctx.CacheContext()
	res, err := f.msg.Withdraw(ctx, &types.MsgWithdraw{Holder: who(i)})
	if err != nil {
		require.ErrorIs(f.t, err, types.ErrNothing)
		return 0
	}
	write()
	return res.Amount.Amount.Int64()
}

func (f *fix) pool() types.Pool {
	p, err := f.k.Pools.Get(f.ctx, alice)
	require.NoError(f.t, err)
	return p
}

func (f *fix) delegated() int64 { return f.poai.participants[alice].Delegated.Int64() }

func (f *fix) ok() { require.NoError(f.t, f.k.CheckInvariants(f.ctx)) }
