package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdktestutil "github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	beacontypes "poaid/x/beacon/types"
	"poaid/x/grades/keeper"
	"poaid/x/grades/types"
	poaitypes "poaid/x/poai/types"
)

const (
	chainID = "poai-test"
	denom   = "upoai"
	rich    = 1_000_000_000_000
)

// world is what the fakes remember.
type world struct {
	balances map[string]math.Int
	burnt    math.Int
	blocked  map[string]bool
	pool     []string // candidates, in the order in which they are drawn
	locks    map[string]math.Int
	slashed  []poaitypes.SlashRequest
	seeds    [][]byte
	failDraw bool
	history  int64 // how many heights back the beacon keeps; 0: all
}

func (w *world) move(from, to string, c sdk.Coins) error {
	amount := c.AmountOf(denom)
	if have, ok := w.balances[from]; !ok || have.LT(amount) {
		return fmt.Errorf("%s has %s, not %s", from, have, amount)
	}
	w.balances[from] = w.balances[from].Sub(amount)
	if _, ok := w.balances[to]; !ok {
		w.balances[to] = math.ZeroInt()
	}
	w.balances[to] = w.balances[to].Add(amount)
	return nil
}

func moduleAddress() string { return text(authtypes.NewModuleAddress(types.ModuleName)) }

type fakeBank struct{ w *world }

func (b fakeBank) SendCoinsFromAccountToModuleVirtual(_ context.Context, from sdk.AccAddress, _ string, c sdk.Coins) error {
	return b.w.move(text(from), moduleAddress(), c)
}

func (b fakeBank) SendCoinsFromAccountToModule(_ context.Context, from sdk.AccAddress, _ string, c sdk.Coins) error {
	return b.w.move(text(from), moduleAddress(), c)
}

func (b fakeBank) SendCoinsFromModuleToAccount(_ context.Context, _ string, to sdk.AccAddress, c sdk.Coins) error {
	return b.w.move(moduleAddress(), text(to), c)
}

func (b fakeBank) BurnCoins(_ context.Context, _ string, c sdk.Coins) error {
	b.w.burnt = b.w.burnt.Add(c.AmountOf(denom))
	return b.w.move(moduleAddress(), "fire", c)
}

func (b fakeBank) GetBalance(_ context.Context, addr sdk.AccAddress, _ string) sdk.Coin {
	if have, ok := b.w.balances[text(addr)]; ok {
		return sdk.NewCoin(denom, have)
	}
	return sdk.NewInt64Coin(denom, 0)
}

func (b fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.w.blocked[text(addr)] }

type fakeBeacon struct{ w *world }

func (b fakeBeacon) Randomness(ctx context.Context, height int64) ([]byte, error) {
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if height > now {
		return nil, errors.New("future")
	}
	if b.w.history > 0 && height <= now-b.w.history {
		return nil, beacontypes.ErrPruned
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(height)))
	return sum[:], nil
}

type fakePoai struct{ w *world }

func (p fakePoai) DrawGraders(_ context.Context, req poaitypes.GradersRequest) ([]string, error) {
	if p.w.failDraw {
		return nil, errors.New("not now")
	}
	p.w.seeds = append(p.w.seeds, req.Seed)
	drawn := slices.Clone(p.w.pool[:min(len(p.w.pool), int(req.Seats))])
	for _, g := range drawn {
		p.w.locks[lockKey(g, poaitypes.LOCK_KIND_GRADE, req.Item)] = req.Lock
	}
	return drawn, nil
}

func (p fakePoai) JoinPool(_ context.Context, who, _ string) error {
	if !slices.Contains(p.w.pool, who) {
		p.w.pool = append(p.w.pool, who)
	}
	return nil
}

func (p fakePoai) LeavePool(_ context.Context, who, _ string) error {
	i := slices.Index(p.w.pool, who)
	if i < 0 {
		return poaitypes.ErrNotServing
	}
	p.w.pool = slices.Delete(p.w.pool, i, i+1)
	return nil
}

func (p fakePoai) take(key string) error {
	if _, ok := p.w.locks[key]; !ok {
		return errors.New("no lock " + key)
	}
	delete(p.w.locks, key)
	return nil
}

func (p fakePoai) ReleaseLock(_ context.Context, who string, kind poaitypes.LockKind, item uint64) error {
	return p.take(lockKey(who, kind, item))
}

func (p fakePoai) Slash(_ context.Context, req poaitypes.SlashRequest) error {
	p.w.slashed = append(p.w.slashed, req)
	return p.take(lockKey(req.Participant, req.Kind, req.Task))
}

func lockKey(who string, kind poaitypes.LockKind, item uint64) string {
	return fmt.Sprint(who, kind, item)
}

type fakeAccounts struct{}

func (fakeAccounts) AddressCodec() address.Codec { return addresscodec.NewBech32Codec("poai") }
func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func text(addr []byte) string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(addr)
	if err != nil {
		panic(err)
	}
	return s
}

func who(i int) string { return text([]byte(fmt.Sprintf("participant-%08d", i))) }

type tb interface {
	require.TestingT
	Helper()
}

// fix is a keeper with its fakes: accounts 0 to 39, of which 20 and on may be drawn as graders.
type fix struct {
	t   tb
	ctx sdk.Context
	w   *world
	k   keeper.Keeper
	msg types.MsgServer
}

func testParams() types.Params {
	p := types.DefaultParams()
	p.MinPhaseBlocks, p.DrawDelay, p.KeepRounds = 1, 2, 3
	return p
}

func fixture(t tb) *fix {
	t.Helper()
	w := &world{balances: map[string]math.Int{}, burnt: math.ZeroInt(), blocked: map[string]bool{moduleAddress(): true}, locks: map[string]math.Int{}}
	for i := range 40 {
		w.balances[who(i)] = math.NewInt(rich)
	}
	key := storetypes.NewKVStoreKey(types.StoreKey)
	f := &fix{t: t, w: w, ctx: sdktestutil.DefaultContext(key, storetypes.NewTransientStoreKey("t")).WithBlockHeight(1).WithChainID(chainID)}
	f.k = keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(key), fakeAccounts{}, fakeBank{w},
		nil, fakeBeacon{w}, fakePoai{w}, who(39))
	f.msg = keeper.NewMsgServerImpl(f.k)
	require.NoError(t, f.k.InitGenesis(f.ctx, types.GenesisState{Params: testParams()}))
	return f
}

// block ends n blocks and checks the invariants after each.
func (f *fix) block(n int) {
	f.t.Helper()
	for range n {
		require.NoError(f.t, f.k.EndBlock(f.ctx))
		require.NoError(f.t, f.k.CheckInvariants(f.ctx))
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
	}
}

// poems is a contest of 4 seats, 8 entries, rounds of 1,000 of which graders get a fifth.
func poems() *types.MsgCreateContest {
	return &types.MsgCreateContest{
		Owner: who(0), Id: "poems", Criteria: make([]byte, 32), Seats: 4, MaxEntries: 8, SealBlocks: 5, RevealBlocks: 5, PauseBlocks: 3,
		Pot: sdk.NewInt64Coin(denom, 1_000_000), GraderBps: 2_000,
	}
}

// create makes a contest with graders 20 and on, entries of accounts 1 and on, and coins for some rounds.
func (f *fix) create(msg *types.MsgCreateContest, graders, entries int, funds int64) {
	f.t.Helper()
	_, err := f.msg.CreateContest(f.ctx, msg)
	require.NoError(f.t, err)
	for i := range graders {
		_, err := f.msg.JoinGraders(f.ctx, &types.MsgJoinGraders{Grader: who(20 + i), Contest: msg.Id})
		require.NoError(f.t, err)
	}
	for i := range entries {
		f.enter(msg.Id, 1+i)
	}
	if funds > 0 {
		_, err = f.msg.FundContest(f.ctx, &types.MsgFundContest{Sponsor: who(0), Contest: msg.Id, Amount: sdk.NewInt64Coin(denom, funds)})
		require.NoError(f.t, err)
	}
}

func (f *fix) enter(contest string, i int) *types.MsgEnterResponse {
	f.t.Helper()
	res, err := f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(i), Contest: contest, Hash: make([]byte, 32)})
	require.NoError(f.t, err)
	return res
}

func (f *fix) contest(id string) types.Contest {
	f.t.Helper()
	n, err := f.k.Names.Get(f.ctx, id)
	require.NoError(f.t, err)
	c, err := f.k.Contests.Get(f.ctx, n)
	require.NoError(f.t, err)
	return c
}

// until ends blocks up to a phase.
func (f *fix) until(id string, phase types.Phase) types.Contest {
	f.t.Helper()
	for range 50 {
		if c := f.contest(id); c.Phase == phase {
			return c
		}
		f.block(1)
	}
	require.FailNow(f.t, "phase not reached", "%+v", f.contest(id))
	return types.Contest{}
}

func saltOf(i int) (salt [32]byte) {
	salt[0] = byte(i)
	return salt
}

func (f *fix) seal(c types.Contest, grader int, grades ...uint32) error {
	seal := types.Seal(chainID, c.Number, c.Round, who(grader), grades, saltOf(grader))
	_, err := f.msg.SealGrades(f.ctx, &types.MsgSealGrades{Grader: who(grader), Contest: c.Id, Round: c.Round, Seal: seal[:]})
	return err
}

func (f *fix) reveal(c types.Contest, grader int, grades ...uint32) error {
	salt := saltOf(grader)
	_, err := f.msg.RevealGrades(f.ctx, &types.MsgRevealGrades{Grader: who(grader), Contest: c.Id, Round: c.Round, Grades: grades, Salt: salt[:]})
	return err
}

// round plays one round: grades[i] are those of grader 20+i; nil seals nothing.
func (f *fix) round(id string, grades ...[]uint32) types.RoundResult {
	f.t.Helper()
	c := f.until(id, types.PHASE_SEALING)
	for i, g := range grades {
		if g != nil {
			require.NoError(f.t, f.seal(c, 20+i, g...))
		}
	}
	f.until(id, types.PHASE_REVEALING)
	for i, g := range grades {
		if g != nil {
			require.NoError(f.t, f.reveal(c, 20+i, g...))
		}
	}
	f.block(1)
	return f.result(id, c.Round)
}

func (f *fix) result(id string, round uint64) types.RoundResult {
	f.t.Helper()
	r, err := f.k.Rounds.Get(f.ctx, keeper.SlotKeyOf(f.contest(id).Number, round))
	require.NoError(f.t, err)
	return r
}

func (f *fix) entry(id string, slot uint64) types.Entry {
	f.t.Helper()
	e, err := f.k.Entries.Get(f.ctx, keeper.SlotKeyOf(f.contest(id).Number, slot))
	require.NoError(f.t, err)
	return e
}

func (f *fix) balance(i int) int64 { return f.w.balances[who(i)].Int64() }
