package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/x/poai/keeper"
	"poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// The keeper is what x/tasks and x/rewards expect.
var (
	_ taskstypes.PoaiKeeper   = (*keeper.Keeper)(nil)
	_ rewardstypes.PoaiKeeper = (*keeper.Keeper)(nil)
)

const (
	denom   = "upoai"
	digits  = "digits"
	story   = "story"
	minBond = 1_000
	chainID = "poai-test"
)

// fakeBank keeps balances of one denom by address string. Sends that cannot be paid fail; nothing is ever created.
type fakeBank struct {
	balances map[string]math.Int
	burnt    math.Int
	blocked  map[string]bool
}

func (b *fakeBank) balance(addr string) math.Int {
	if v, ok := b.balances[addr]; ok {
		return v
	}
	return math.ZeroInt()
}

func (b *fakeBank) move(from, to string, amt sdk.Coins) error {
	v := amt.AmountOf(denom)
	if !amt.IsValid() || amt.Len() != 1 || b.balance(from).LT(v) {
		return fmt.Errorf("fake bank: %s cannot pay %s", from, amt)
	}
	b.balances[from] = b.balance(from).Sub(v)
	b.balances[to] = b.balance(to).Add(v)
	return nil
}

func moduleAddress(module string) string { return authtypes.NewModuleAddress(module).String() }

func (b *fakeBank) SendCoinsFromAccountToModuleVirtual(_ context.Context, from sdk.AccAddress, module string, amt sdk.Coins) error {
	return b.move(from.String(), moduleAddress(module), amt)
}

func (b *fakeBank) SendCoinsFromModuleToAccount(_ context.Context, module string, to sdk.AccAddress, amt sdk.Coins) error {
	if b.blocked[to.String()] {
		return fmt.Errorf("fake bank: %s is blocked", to)
	}
	return b.move(moduleAddress(module), to.String(), amt)
}

func (b *fakeBank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(moduleAddress(from), moduleAddress(to), amt)
}

func (b *fakeBank) BurnCoins(_ context.Context, module string, amt sdk.Coins) error {
	b.burnt = b.burnt.Add(amt.AmountOf(denom))
	return b.move(moduleAddress(module), "burnt", amt)
}

func (b *fakeBank) GetBalance(_ context.Context, addr sdk.AccAddress, denom string) sdk.Coin {
	return sdk.NewCoin(denom, b.balance(addr.String()))
}

func (b *fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.blocked[addr.String()] }

// FundCommunityPool makes the fake bank the community pool as well.
func (b *fakeBank) FundCommunityPool(_ context.Context, amt sdk.Coins, sender sdk.AccAddress) error {
	return b.move(sender.String(), "community", amt)
}

func (b *fakeBank) PayFromCommunityPool(_ context.Context, amt sdk.Coins, module string) error {
	if b.balance("community").LT(amt.AmountOf(denom)) {
		return types.ErrPoolShort
	}
	return b.move("community", moduleAddress(module), amt)
}

type fakeAccounts struct{ created map[string]bool }

func (fakeAccounts) AddressCodec() address.Codec { return addresscodec.NewBech32Codec("cosmos") }
func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func (a fakeAccounts) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	a.created[name] = true
	return authtypes.NewEmptyModuleAccount(name)
}

type fakeModels map[string]bool

func (m fakeModels) HasModel(_ context.Context, id string) (bool, error) { return m[id], nil }

// fakeHooks records what it hears.
type fakeHooks struct {
	sealed, revealed []uint64
	lies             []string
	closed           []types.Epoch
	revealDeadline   int64
	fail             error
}

func (h *fakeHooks) AfterCommitteeSealed(_ context.Context, task uint64) (int64, error) {
	h.sealed = append(h.sealed, task)
	return h.revealDeadline, h.fail
}

func (h *fakeHooks) AfterCommitteeRevealed(_ context.Context, task uint64) error {
	h.revealed = append(h.revealed, task)
	return h.fail
}

func (h *fakeHooks) AfterEpochClosed(_ context.Context, e types.Epoch) error {
	h.closed = append(h.closed, e)
	return nil
}

func (h *fakeHooks) AfterLieProven(_ context.Context, participant string) error {
	h.lies = append(h.lies, participant)
	return nil
}

type capacityKey = keeper.DecayKey

func scoreKey(epoch uint64, participant string) keeper.ScoreKey {
	return collections.Join(epoch, participant)
}

type fixture struct {
	*keeper.Keeper
	t      testing.TB
	ctx    sdk.Context
	cdc    codec.Codec
	bank   *fakeBank
	hooks  *fakeHooks
	msgs   types.MsgServer
	query  types.QueryServer
	models fakeModels
}

func testParams() types.Params {
	p := types.DefaultParams()
	p.MinBond = math.NewInt(minBond)
	p.MaxWeightBond = math.NewInt(10 * minBond)
	p.UnbondingBlocks = 20
	p.EpochBlocks = 10
	p.EpochCloseDelayBlocks = 15
	p.MaxModels = 3
	p.MaxConcurrency = 50
	p.MaxBatch = 10
	p.MaxSeats = 6
	p.ReliabilityWindowUnits = 1_000
	p.Capacity = types.CapacityParams{
		BondPerUnit: math.NewInt(10), NewcomerBond: math.NewInt(minBond / 2), HalvingEpochs: 3,
		SprintSharePpm: 100_000, CreditSlackPpm: 2_000_000, DecaysPerBlock: 4,
	}
	return p
}

// newKeeper is a keeper without genesis.
func newKeeper(tb testing.TB) *fixture {
	tb.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	tc := testutil.DefaultContextWithDB(tb, key, storetypes.NewTransientStoreKey("t"))
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	f := &fixture{
		t: tb, cdc: codec.NewProtoCodec(registry), hooks: &fakeHooks{revealDeadline: 1_000},
		bank:   &fakeBank{balances: map[string]math.Int{}, burnt: math.ZeroInt(), blocked: map[string]bool{}},
		models: fakeModels{digits: true, story: true, "third": true, "fourth": true},
		ctx:    tc.Ctx.WithBlockHeader(cmtproto.Header{ChainID: chainID, Height: 1}).WithChainID(chainID),
	}
	f.Keeper = keeper.NewKeeper(f.cdc, runtime.NewKVStoreService(key), fakeAccounts{map[string]bool{}}, f.bank, f.bank, f.models, moduleAddress("gov"))
	f.SetCommitteeHooks(f.hooks)
	f.SetEpochHooks(f.hooks)
	f.msgs, f.query = keeper.NewMsgServer(f.Keeper), keeper.NewQueryServer(f.Keeper)
	return f
}

func newFixture(tb testing.TB) *fixture {
	tb.Helper()
	f := newKeeper(tb)
	gs := types.DefaultGenesisState()
	gs.Params = testParams()
	require.NoError(tb, gs.Validate())
	require.NoError(tb, f.InitGenesis(f.ctx, *gs))
	return f
}

// addr is the i-th test address.
func addr(i int) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[12:], uint64(i))
	return sdk.AccAddress(b[:]).String()
}

func coin(amount int64) sdk.Coin { return sdk.Coin{Denom: denom, Amount: math.NewInt(amount)} }

// at moves to a height.
func (f *fixture) at(height int64) { f.ctx = f.ctx.WithBlockHeight(height) }

// fund gives an account coins.
func (f *fixture) fund(address string, amount int64) {
	f.bank.balances[address] = f.bank.balance(address).Add(math.NewInt(amount))
}

// join lets the i-th address join with a bond and serve models.
func (f *fixture) join(i int, bond int64, models ...string) string {
	f.t.Helper()
	f.fund(addr(i), bond)
	_, err := f.msgs.Join(f.ctx, &types.MsgJoin{Participant: addr(i), Bond: coin(bond), Moniker: fmt.Sprintf("m%d", i), Concurrency: 5, Models: models})
	require.NoError(f.t, err)
	return addr(i)
}

func (f *fixture) get(address string) types.Participant {
	f.t.Helper()
	p, err := f.GetParticipant(f.ctx, address)
	require.NoError(f.t, err)
	return p
}

// total is the weight of a model's tree.
func (f *fixture) total(model string) int64 {
	f.t.Helper()
	total, err := f.Trees.Total(f.ctx, model)
	require.NoError(f.t, err)
	return int64(total)
}

// ok runs all invariants.
func (f *fixture) ok() {
	f.t.Helper()
	require.NoError(f.t, f.CheckInvariants(f.ctx))
}

// endBlocks runs EndBlock at each height from the current one to the given one.
func (f *fixture) endBlocks(to int64) {
	f.t.Helper()
	for h := f.ctx.BlockHeight(); h <= to; h++ {
		f.at(h)
		require.NoError(f.t, f.EndBlock(f.ctx))
	}
}

func rootOf(b byte) commit.Hash { return commit.Hash{0: b, 31: 1} }

func saltOf(participant string, task uint64) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s", task, participant))
}

func sealItem(participant string, task uint64, root commit.Hash) types.AttestationSeal {
	seal := commit.Seal(chainID, task, participant, root, saltOf(participant, task))
	return types.AttestationSeal{TaskId: task, Seal: seal[:]}
}

func revealItem(participant string, task uint64, root commit.Hash) types.AttestationReveal {
	salt := saltOf(participant, task)
	return types.AttestationReveal{TaskId: task, ResultRoot: root[:], Salt: salt[:]}
}

// seal sends one attestation and returns the refusal, empty when accepted.
func (f *fixture) seal(participant string, item types.AttestationSeal) string {
	f.t.Helper()
	res, err := f.msgs.SealAttestations(f.ctx, &types.MsgSealAttestations{Participant: participant, Items: []types.AttestationSeal{item}})
	require.NoError(f.t, err)
	return f.refusal(res.Results)
}

func (f *fixture) reveal(participant string, item types.AttestationReveal) string {
	f.t.Helper()
	res, err := f.msgs.RevealAttestations(f.ctx, &types.MsgRevealAttestations{Participant: participant, Items: []types.AttestationReveal{item}})
	require.NoError(f.t, err)
	return f.refusal(res.Results)
}

func (f *fixture) refusal(results []types.ItemResult) string {
	f.t.Helper()
	require.Len(f.t, results, 1)
	require.Equal(f.t, results[0].Accepted, results[0].Error == "")
	return results[0].Error
}
