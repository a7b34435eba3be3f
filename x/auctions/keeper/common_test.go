package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"cosmossdk.io/collections"
	coreaddress "cosmossdk.io/core/address"
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

	"poaid/x/auctions/keeper"
	"poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
)

const (
	chainID = "poai-test"
	funds   = 1_000_000_000
	bond    = 100_000_000
	lock    = 20_000_000
)

type tb interface {
	require.TestingT
	Helper()
}

// world is what the fakes keep: coins, bonds and locks. It lives in a store, so that a dropped branch takes it back.
type world struct {
	Coins map[string]math.Int
	Pool  math.Int
	// Free is each participant's bond that backs nothing; who has no entry has not joined.
	Free  map[string]math.Int
	Locks map[string]math.Int
	// Unfit are participants that meet no requirements any more.
	Unfit map[string]bool
}

type fakes struct{ key storetypes.StoreKey }

func (f fakes) get(ctx context.Context) world {
	w := world{Coins: map[string]math.Int{}, Pool: math.ZeroInt(), Free: map[string]math.Int{}, Locks: map[string]math.Int{}, Unfit: map[string]bool{}}
	if bz := f.store(ctx).Get([]byte("world")); bz != nil {
		if err := json.Unmarshal(bz, &w); err != nil {
			panic(err)
		}
	}
	return w
}

// store is the fakes' own, whose gas nobody counts.
func (f fakes) store(ctx context.Context) storetypes.KVStore {
	return sdk.UnwrapSDKContext(ctx).WithGasMeter(storetypes.NewInfiniteGasMeter()).KVStore(f.key)
}

func (f fakes) set(ctx context.Context, w world) {
	bz, err := json.Marshal(w)
	if err != nil {
		panic(err)
	}
	f.store(ctx).Set([]byte("world"), bz)
}

func (w *world) of(addr sdk.AccAddress) math.Int {
	if v, ok := w.Coins[addr.String()]; ok {
		return v
	}
	return math.ZeroInt()
}

func (f fakes) move(ctx context.Context, from, to sdk.AccAddress, c sdk.Coins) error {
	w, n := f.get(ctx), c.AmountOf("upoai")
	if w.of(from).LT(n) {
		return fmt.Errorf("insufficient funds: %s of %s", n, w.of(from))
	}
	w.Coins[from.String()] = w.of(from).Sub(n)
	if to == nil {
		w.Pool = w.Pool.Add(n)
	} else {
		w.Coins[to.String()] = w.of(to).Add(n)
	}
	f.set(ctx, w)
	return nil
}

func module() sdk.AccAddress { return authtypes.NewModuleAddress(types.ModuleName) }

func (f fakes) SendCoinsFromAccountToModuleVirtual(ctx context.Context, from sdk.AccAddress, _ string, c sdk.Coins) error {
	return f.move(ctx, from, module(), c)
}

func (f fakes) SendCoinsFromModuleToAccount(ctx context.Context, _ string, to sdk.AccAddress, c sdk.Coins) error {
	return f.move(ctx, module(), to, c)
}

func (f fakes) FundCommunityPool(ctx context.Context, c sdk.Coins, from sdk.AccAddress) error {
	return f.move(ctx, from, nil, c)
}

func (f fakes) GetAllBalances(ctx context.Context, addr sdk.AccAddress) sdk.Coins {
	w := f.get(ctx)
	return sdk.NewCoins(sdk.NewCoin("upoai", w.of(addr)))
}

func (fakes) AddressCodec() coreaddress.Codec { return addresscodec.NewBech32Codec("poai") }

func (fakes) GetModuleAddress(name string) sdk.AccAddress { return authtypes.NewModuleAddress(name) }

func (fakes) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	return authtypes.NewEmptyModuleAccount(name)
}

func (f fakes) Qualify(ctx context.Context, req poaitypes.QualifyRequest) error {
	w := f.get(ctx)
	free, joined := w.Free[req.Participant]
	if !joined || w.Unfit[req.Participant] || free.LT(req.Lock) {
		return poaitypes.ErrUnfit.Wrap(req.Participant)
	}
	return nil
}

func lockKey(p string, kind poaitypes.LockKind, item uint64) string {
	return fmt.Sprint(p, "/", int32(kind), "/", item)
}

func (f fakes) LockBond(ctx context.Context, l poaitypes.Lock) error {
	w, key := f.get(ctx), lockKey(l.Participant, l.Kind, l.Item)
	if _, has := w.Locks[key]; has || w.Free[l.Participant].LT(l.Amount) {
		return fmt.Errorf("lock %s: there is one, or the bond is short", key)
	}
	w.Locks[key], w.Free[l.Participant] = l.Amount, w.Free[l.Participant].Sub(l.Amount)
	f.set(ctx, w)
	return nil
}

func (f fakes) ReleaseLock(ctx context.Context, p string, kind poaitypes.LockKind, item uint64) error {
	w, key := f.get(ctx), lockKey(p, kind, item)
	amount, has := w.Locks[key]
	if !has {
		return fmt.Errorf("no lock %s", key)
	}
	delete(w.Locks, key)
	w.Free[p] = w.Free[p].Add(amount)
	f.set(ctx, w)
	return nil
}

func (f fakes) GetLock(ctx context.Context, p string, kind poaitypes.LockKind, item uint64) (math.Int, error) {
	if amount, has := f.get(ctx).Locks[lockKey(p, kind, item)]; has {
		return amount, nil
	}
	return math.ZeroInt(), collections.ErrNotFound
}

// fix is a keeper with its fakes at a height.
type fix struct {
	fakes
	tb     tb
	ctx    sdk.Context
	keeper keeper.Keeper
	msgs   types.MsgServer
	tx     int
	joined int
	module *storetypes.KVStoreKey
}

// free asks for nothing and moves nothing, so that a thousand bids take no time.
type free struct {
	fakes
	lost sdk.Coins
}

// SendCoinsFromAccountToModuleVirtual takes nothing.
func (*free) SendCoinsFromAccountToModuleVirtual(context.Context, sdk.AccAddress, string, sdk.Coins) error {
	return nil
}

func (*free) Qualify(context.Context, poaitypes.QualifyRequest) error { return nil }

func (*free) LockBond(context.Context, poaitypes.Lock) error { return nil }

func (*free) ReleaseLock(context.Context, string, poaitypes.LockKind, uint64) error { return nil }

func (f *free) FundCommunityPool(_ context.Context, c sdk.Coins, _ sdk.AccAddress) error {
	f.lost = f.lost.Add(c...)
	return nil
}

// keeperOf is a keeper of the same store with other neighbours.
func (f *fix) keeperOf(n *free) keeper.Keeper {
	return keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(f.module), f, n, n, n, "authority")
}

func fixture(t tb, participants int) *fix {
	t.Helper()
	key, state := storetypes.NewKVStoreKey(types.StoreKey), storetypes.NewKVStoreKey("fakes")
	f := &fix{fakes: fakes{state}, tb: t, joined: participants, module: key}
	f.ctx = testutil.DefaultContextWithKeys(
		map[string]*storetypes.KVStoreKey{types.StoreKey: key, "fakes": state}, map[string]*storetypes.TransientStoreKey{}, map[string]*storetypes.MemoryStoreKey{},
	).WithChainID(chainID).WithBlockHeight(1)
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f.keeper = keeper.NewKeeper(cdc, runtime.NewKVStoreService(key), f, f, f, f, "authority")
	f.msgs = keeper.NewMsgServerImpl(f.keeper)
	w := f.get(f.ctx)
	for i := range participants {
		w.Coins[sdk.AccAddress(addressBytes(i)).String()] = math.NewInt(funds)
		w.Free[f.who(i)] = math.NewInt(bond)
	}
	f.set(f.ctx, w)
	require.NoError(t, f.keeper.InitGenesis(f.ctx, *types.DefaultGenesis()))
	return f
}

func addressBytes(i int) []byte {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	return sum[:20]
}

func (f *fix) who(i int) string {
	s, err := f.AddressCodec().BytesToString(addressBytes(i))
	require.NoError(f.tb, err)
	return s
}

func (f *fix) balance(i int) int64 {
	w := f.get(f.ctx)
	return w.of(addressBytes(i)).Int64()
}

// opened puts a task up for auction: bids up to height 5, reveals up to 8.
func (f *fix) opened(task uint64, sealed bool) {
	f.tb.Helper()
	f.openedUntil(task, sealed, 5)
}

// openedUntil takes bids up to a height, reveals three blocks longer.
func (f *fix) openedUntil(task uint64, sealed bool, until int64) {
	f.tb.Helper()
	terms := types.Terms{
		Task: task, Model: "m", Ceiling: sdk.NewInt64Coin("upoai", 1_000), Least: math.NewInt(10), Lock: math.NewInt(lock), BidUntil: until, RevealUntil: until, Sealed: sealed,
	}
	if sealed {
		terms.RevealUntil += 3
	}
	require.NoError(f.tb, f.keeper.OpenAuction(f.ctx, terms))
}

func (f *fix) at(height int64) { f.ctx = f.ctx.WithBlockHeight(height) }

// deliver runs a message as baseapp does: on a branch that is dropped when it fails.
func deliver[Req, Res any](f *fix, handler func(context.Context, Req) (Res, error), req Req) (Res, error) {
	f.tb.Helper()
	f.tx++
	ctx, write := f.ctx.WithTxIndex(f.tx).CacheContext()
	res, err := handler(ctx, req)
	if err == nil {
		write()
	}
	f.check()
	return res, err
}

// check checks the invariants, and that no coin and no bond is lost or made.
func (f *fix) check() {
	f.tb.Helper()
	require.NoError(f.tb, f.keeper.CheckInvariants(f.ctx))
	w := f.get(f.ctx)
	coins, bonds := w.Pool, math.ZeroInt()
	for _, v := range w.Coins {
		coins = coins.Add(v)
	}
	for _, v := range w.Free {
		bonds = bonds.Add(v)
	}
	for _, v := range w.Locks {
		bonds = bonds.Add(v)
	}
	require.Equal(f.tb, int64(f.joined)*funds, coins.Int64())
	require.Equal(f.tb, int64(f.joined)*bond, bonds.Int64())
}

func (f *fix) bid(i int, task uint64, price int64) (bool, error) {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.Bid, &types.MsgBid{Bidder: f.who(i), TaskId: task, Price: math.NewInt(price)})
	return err == nil && res.Kept, err
}

func salt(i int) (s [types.SaltSize]byte) { s[0] = byte(i); return s }

func (f *fix) seal(i int, task uint64, price int64) error {
	f.tb.Helper()
	c := types.Commitment(chainID, task, f.who(i), math.NewInt(price), salt(i))
	_, err := deliver(f, f.msgs.SealBid, &types.MsgSealBid{Bidder: f.who(i), TaskId: task, Commitment: c[:]})
	return err
}

func (f *fix) reveal(i int, task uint64, price int64) (bool, error) {
	f.tb.Helper()
	s := salt(i)
	res, err := deliver(f, f.msgs.RevealBid, &types.MsgRevealBid{Bidder: f.who(i), TaskId: task, Price: math.NewInt(price), Salt: s[:]})
	return err == nil && res.Kept, err
}

func (f *fix) withdraw(i int, tasks ...uint64) (sdk.Coins, error) {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.WithdrawBids, &types.MsgWithdrawBids{Bidder: f.who(i), TaskIds: tasks})
	if err != nil {
		return nil, err
	}
	return res.Amount, nil
}

// next takes the best bid as x/tasks does: -1 where there is none.
func (f *fix) next(task uint64) (who int, price int64) {
	f.tb.Helper()
	bidder, p, found, err := f.keeper.NextBid(f.ctx, task)
	require.NoError(f.tb, err)
	f.check()
	if !found {
		return -1, 0
	}
	for i := range f.joined {
		if f.who(i) == bidder {
			return i, p.Int64()
		}
	}
	return -2, 0
}

func (f *fix) end(task uint64) {
	f.tb.Helper()
	require.NoError(f.tb, f.keeper.EndAuction(f.ctx, task))
	f.check()
}
