package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
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
	sdktestutil "github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/sprint"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	"poaid/x/sprints/keeper"
	"poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

const chainID = "poai-test"

var errFake = errors.New("not now")

// world is what the fakes remember. They keep it in memory: what a dropped branch did must be harmless to the tests that use it.
type world struct {
	epoch    uint64
	free     map[string]math.Int
	locks    map[string]math.Int
	capacity map[string]uint64
	slashed  []poaitypes.SlashRequest
	credits  []poaitypes.CreditRequest
	models   map[string]modelstypes.Model
	tasks    map[uint64]taskstypes.AuditRequest
	ended    map[uint64]bool
	next     uint64
	program  *engine.Program
	// failAudits: no task can be opened; failModel: the model must not be used.
	failAudits, failModel bool
}

func lockKey(who string, kind poaitypes.LockKind, item uint64) string {
	return fmt.Sprint(who, kind, item)
}

type fakeBeacon struct{}

func (fakeBeacon) Randomness(ctx context.Context, height int64) ([]byte, error) {
	if height > sdk.UnwrapSDKContext(ctx).BlockHeight() {
		return nil, errors.New("future")
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(height)))
	return sum[:], nil
}

type fakeModels struct{ w *world }

func (m fakeModels) GetModel(_ context.Context, id string) (modelstypes.Model, error) {
	if v, ok := m.w.models[id]; ok {
		return v, nil
	}
	return modelstypes.Model{}, modelstypes.ErrModelNotFound
}

func (m fakeModels) LoadProgram(ctx context.Context, id string) (*engine.Program, error) {
	_, err := m.GetModel(ctx, id)
	return m.w.program, err
}

func (m fakeModels) RunUnits(_ context.Context, _ string, steps, _ uint64) (units, score uint64, err error) {
	return 1_000 * steps, 1_000 * steps, nil
}

func (m fakeModels) RegisterBase(_ context.Context, id, _ string, _ *graphpb.Program, seed []byte) error {
	m.w.models[id] = modelstypes.Model{Id: id, Seed: seed}
	return nil
}

func (m fakeModels) RegisterSeeded(_ context.Context, base, id string, seed []byte) error {
	m.w.models[id] = modelstypes.Model{Id: id, Seed: seed, ProgramOf: base, WeightsRoot: seed}
	return nil
}

func (m fakeModels) RemoveSeeded(_ context.Context, id string) error {
	delete(m.w.models, id)
	return nil
}

type fakeTasks struct{ w *world }

func (t fakeTasks) OpenAudit(_ context.Context, req taskstypes.AuditRequest) (uint64, error) {
	if t.w.failAudits {
		return 0, errFake
	}
	t.w.next++
	t.w.tasks[t.w.next] = req
	return t.w.next, nil
}

func (fakeTasks) AuditLock(context.Context, uint64) (math.Int, error) { return math.NewInt(7), nil }
func (fakeTasks) CommitteeSize(context.Context) (uint32, error)       { return 3, nil }
func (t fakeTasks) CheckModel(context.Context, string) error {
	if t.w.failModel {
		return errFake
	}
	return nil
}

func (t fakeTasks) GetTask(_ context.Context, id uint64) (taskstypes.Task, taskstypes.Status, error) {
	if t.w.ended[id] {
		return taskstypes.Task{}, taskstypes.Status{State: taskstypes.STATE_FINAL}, nil
	}
	return taskstypes.Task{}, taskstypes.Status{State: taskstypes.STATE_ASSIGNED}, nil
}

type fakePoai struct{ w *world }

func (p fakePoai) CurrentEpoch(context.Context) (uint64, error) { return p.w.epoch, nil }
func (p fakePoai) Serves(_ context.Context, who, _ string) (bool, error) {
	_, ok := p.w.free[who]
	return ok, nil
}

func (p fakePoai) FreeBond(_ context.Context, who string) (math.Int, error) {
	return p.w.free[who], nil
}

func (p fakePoai) LockBond(_ context.Context, l poaitypes.Lock) error {
	p.w.free[l.Participant] = p.w.free[l.Participant].Sub(l.Amount)
	p.w.locks[lockKey(l.Participant, l.Kind, l.Item)] = l.Amount
	return nil
}

func (p fakePoai) take(who string, kind poaitypes.LockKind, item uint64) (math.Int, error) {
	key := lockKey(who, kind, item)
	amount, ok := p.w.locks[key]
	if !ok {
		return amount, errors.New("no lock " + key)
	}
	delete(p.w.locks, key)
	return amount, nil
}

func (p fakePoai) ReleaseLock(_ context.Context, who string, kind poaitypes.LockKind, item uint64) error {
	amount, err := p.take(who, kind, item)
	if err == nil {
		p.w.free[who] = p.w.free[who].Add(amount)
	}
	return err
}

func (p fakePoai) GetLock(_ context.Context, who string, kind poaitypes.LockKind, item uint64) (math.Int, error) {
	if amount, ok := p.w.locks[lockKey(who, kind, item)]; ok {
		return amount, nil
	}
	return math.Int{}, collections.ErrNotFound
}

func (p fakePoai) Slash(_ context.Context, req poaitypes.SlashRequest) error {
	_, err := p.take(req.Participant, req.Kind, req.Task)
	p.w.slashed = append(p.w.slashed, req)
	return err
}

func (p fakePoai) Credit(_ context.Context, req poaitypes.CreditRequest) error {
	p.w.credits = append(p.w.credits, req)
	return nil
}

func (p fakePoai) SetCapacity(_ context.Context, who string, units uint64) error {
	p.w.capacity[who] = units
	return nil
}

type fakeAccounts struct{}

func (fakeAccounts) AddressCodec() address.Codec { return addresscodec.NewBech32Codec("poai") }

// fix is a keeper with its fakes.
type fix struct {
	t   *testing.T
	ctx sdk.Context
	w   *world
	k   keeper.Keeper
	msg types.MsgServer
}

func who(i int) string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString([]byte(fmt.Sprintf("participant-%08d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

// fixture has n participants of much bond; windows open at every chance and nobody is audited but by a change of params.
func fixture(t *testing.T, n int, change func(*types.Params)) *fix {
	t.Helper()
	prog, err := sprint.Program(sprint.Tiny())
	require.NoError(t, err)
	w := &world{
		epoch: 1, free: map[string]math.Int{}, locks: map[string]math.Int{}, capacity: map[string]uint64{}, models: map[string]modelstypes.Model{},
		tasks: map[uint64]taskstypes.AuditRequest{}, ended: map[uint64]bool{}, program: prog,
	}
	for i := range n {
		w.free[who(i)] = math.NewInt(1 << 60)
	}
	key := storetypes.NewKVStoreKey(types.StoreKey)
	f := &fix{t: t, w: w, ctx: sdktestutil.DefaultContext(key, storetypes.NewTransientStoreKey("t")).WithBlockHeight(1).WithChainID(chainID)}
	f.k = keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(key), fakeAccounts{}, fakeBeacon{},
		fakeModels{w}, fakeTasks{w}, fakePoai{w}, who(99))
	f.msg = keeper.NewMsgServerImpl(f.k)
	p := types.DefaultParams()
	p.DutyPpm, p.WindowBlocks, p.Delay, p.Sample, p.MinTokens, p.FirstTokens, p.MaxTokens = 500_000, 4, 1, 8, 2, 4, 8
	p.VerifyPpm, p.OpenBlocks = 1, 5
	if change != nil {
		change(&p)
	}
	program := types.ProgramOf(sprint.Tiny())
	require.NoError(t, f.k.InitGenesis(f.ctx, types.GenesisState{Params: p, Program: &program}))
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

func (f *fix) window(number uint64) types.Window {
	w, err := f.k.Windows.Get(f.ctx, number)
	if err != nil {
		return types.Window{}
	}
	return w
}

// open ends blocks until the next window takes commits.
func (f *fix) open() types.Window {
	f.t.Helper()
	for range 1_000 {
		n, err := f.k.LastWindow.Get(f.ctx)
		if w := f.window(n); err == nil && w.Phase == types.PHASE_OPEN {
			return w
		}
		f.block(1)
	}
	f.t.Fatal("no window")
	return types.Window{}
}

func (f *fix) commit(i int, window, count uint64) {
	f.t.Helper()
	_, err := f.msg.CommitSprint(f.ctx, &types.MsgCommitSprint{Participant: who(i), Window: window, Count: count, Root: make([]byte, 32)})
	require.NoError(f.t, err)
}

func (f *fix) state(i int, window uint64) types.CommitState {
	f.t.Helper()
	c, err := f.k.Commits.Get(f.ctx, collections.Join(window, who(i)))
	require.NoError(f.t, err)
	return c.State
}

// until ends blocks up to a phase of a window.
func (f *fix) until(window uint64, phase types.Phase) types.Window {
	f.t.Helper()
	for range 200 {
		if w := f.window(window); w.Phase == phase {
			return w
		}
		f.block(1)
	}
	f.t.Fatalf("window %d: %+v", window, f.window(window))
	return types.Window{}
}

func (f *fix) end(task uint64, state taskstypes.State, result *taskstypes.Result) {
	f.t.Helper()
	f.w.ended[task] = true
	require.NoError(f.t, f.k.Hooks().AfterTaskEnded(f.ctx, taskstypes.Ended{
		Task: taskstypes.Task{Id: task}, State: state, Result: result, Reason: "reason", Heirs: []string{who(50)},
	}))
}
