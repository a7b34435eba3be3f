package keeper_test

import (
	"bytes"
	"context"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/keeper"
	"poaid/x/training/types"
)

const authority = "authority"

type fix struct {
	t        require.TestingT
	ctx      sdk.Context
	keeper   keeper.Keeper
	msgs     types.MsgServer
	query    types.QueryServer
	bank     *fakeBank
	tasks    *fakeTasks
	models   *fakeModels
	datasets *fakeDatasets
	total    math.Int
}

func hash(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func named(names []string, roots ...[]byte) []byte {
	entries := make([]commit.Named, len(names))
	for i, n := range names {
		entries[i] = commit.Named{Name: n, Root: commit.Hash(roots[i])}
	}
	root := commit.NamedRoot(entries)
	return root[:]
}

func who(i byte) string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(bytes.Repeat([]byte{i}, 20))
	if err != nil {
		panic(err)
	}
	return s
}

func addr(i byte) sdk.AccAddress { return bytes.Repeat([]byte{i}, 20) }

func fixture(t require.TestingT) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContextWithKeys(map[string]*storetypes.KVStoreKey{types.StoreKey: key}, map[string]*storetypes.TransientStoreKey{},
		map[string]*storetypes.MemoryStoreKey{}).WithBlockHeight(1)
	bank := &fakeBank{balances: map[string]math.Int{}, pending: math.ZeroInt(), blocked: map[string]bool{}}
	f := &fix{
		t: t, ctx: ctx, bank: bank, tasks: &fakeTasks{bank: bank}, datasets: &fakeDatasets{}, total: math.ZeroInt(),
		models: &fakeModels{models: map[string]modelstypes.Model{
			"trainer": {Id: "trainer", Owner: who(8), ProgramHash: hash(77), WeightsRoot: named([]string{"w", "data"}, hash(10), hash(11))},
			"net":     {Id: "net", Owner: who(9), WeightsRoot: named([]string{"w", "c"}, hash(20), hash(21))},
			"taken":   {Id: "taken", Owner: who(9)},
		}},
	}
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f.keeper = keeper.NewKeeper(cdc, runtime.NewKVStoreService(key), fakeAccounts{}, bank, f.models, f.tasks, f.datasets, authority)
	f.msgs, f.query = keeper.NewMsgServerImpl(f.keeper), keeper.NewQueryServerImpl(f.keeper)
	require.NoError(t, f.keeper.InitGenesis(ctx, *types.DefaultGenesis()))
	for i := byte(1); i < 5; i++ {
		bank.balances[addr(i).String()] = math.NewInt(1_000_000)
		f.total = f.total.AddRaw(1_000_000)
	}
	return f
}

// deliver runs a message on a branch that is dropped when it fails.
func deliver[Req, Res any](f *fix, handler func(context.Context, Req) (Res, error), req Req) (Res, error) {
	ctx, write := f.ctx.CacheContext()
	res, err := handler(ctx, req)
	if err == nil {
		write()
	}
	return res, err
}

// block ends n blocks, checking all that must hold after each.
func (f *fix) block(n int) {
	for range n {
		f.bank.endBlock()
		require.NoError(f.t, f.keeper.EndBlock(f.ctx))
		require.NoError(f.t, f.keeper.CheckInvariants(f.ctx))
		sum := f.bank.pending
		for _, v := range f.bank.balances {
			sum = sum.Add(v)
		}
		require.Equal(f.t, f.total.String(), sum.String(), "coins")
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
	}
}

func coin(v int64) sdk.Coin { return sdk.NewInt64Coin(denom, v) }

// msg asks for 10 steps in segments of 4.
func msg() *types.MsgCreateJob {
	return &types.MsgCreateJob{
		Owner: who(1), Model: "trainer", Steps: 10, SegmentSteps: 4, Budget: coin(2_000), WeightRoots: [][]byte{hash(10), hash(11)},
		FiniteOutput: "loss", Result: &types.Plan{
			Id: "mine", Description: "a net", RoyaltyBps: 100, Base: "net", BaseShareBps: 1_000, Mappings: []types.Mapping{{Weight: "w", State: "w"}},
		},
	}
}

func (f *fix) create(m *types.MsgCreateJob) uint64 {
	res, err := deliver(f, f.msgs.CreateJob, m)
	require.NoError(f.t, err)
	return res.JobId
}

func (f *fix) progress(id uint64) types.Progress {
	p, err := f.keeper.Progress.Get(f.ctx, id)
	require.NoError(f.t, err)
	return p
}

// states are the roots of w, m and loss after a step.
func states(step uint64) [][]byte {
	return [][]byte{hash(byte(100 + step)), hash(byte(120 + step)), hash(byte(140 + step))}
}

func stateRoot(step uint64) []byte { return named([]string{"w", "m", "loss"}, states(step)...) }

// end ends the job's segment; of its fee refund comes back.
func (f *fix) end(id uint64, refund int64, change func(*taskstypes.Ended)) taskstypes.Task {
	p := f.progress(id)
	var task taskstypes.Task
	for _, t := range f.tasks.opened {
		if t.Id == p.Task {
			task = t
		}
	}
	require.NotZero(f.t, task.Id, "no segment runs: %s %s", p.State, p.Reason)
	e := taskstypes.Ended{
		Task: task, Worker: who(6), State: taskstypes.STATE_FINAL, Refund: math.NewInt(refund),
		Result: &taskstypes.Result{StateRoot: stateRoot(task.Steps)},
	}
	if change != nil {
		change(&e)
	}
	if e.State != taskstypes.STATE_FINAL {
		e.Result, e.Refund = nil, task.MaxFee.Amount
	}
	tasks := fakeAccounts{}.GetModuleAddress("tasks")
	if e.Refund.IsPositive() {
		require.NoError(f.t, f.bank.move(tasks, fakeAccounts{}.GetModuleAddress(types.ModuleName), e.Refund))
	}
	require.NoError(f.t, f.keeper.Hooks().AfterTaskEnded(f.ctx, e))
	f.block(1)
	return task
}

func expired(e *taskstypes.Ended) {
	e.State, e.Reason = taskstypes.STATE_EXPIRED, "no worker finished it"
}

func lost(e *taskstypes.Ended) { e.State, e.StartLost = taskstypes.STATE_REFUNDED, true }

func (f *fix) checkpoints(id uint64) []types.Checkpoint {
	res, err := f.query.Checkpoints(f.ctx, &types.QueryCheckpointsRequest{Id: id})
	require.NoError(f.t, err)
	return res.Checkpoints
}
