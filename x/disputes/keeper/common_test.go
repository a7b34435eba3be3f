package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/nn"
	"poaid/game"
	"poaid/x/disputes/keeper"
	"poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	authority = "authority"
	funds     = 1_000_000_000
	bond      = 1_000_000
	lock      = 1_001
	steps     = 5
	variants  = 5 // 0 is the truth
	people    = 12
)

// tb is what testing.T, testing.B and rapid.T have in common.
type tb interface {
	require.TestingT
	Helper()
}

// world is a run of a small program: y ← relu(x·w) + y, with the truth and some lies about it.
type world struct {
	program *engine.Program
	machine *game.ProgramMachine
	weights []*engine.Tensor
	inputs  []*engine.Tensor
	wRoot   commit.Hash
	inRoot  commit.Hash
	sources [variants]game.Source
	roots   [variants]commit.Hash
}

var theWorld = sync.OnceValue(makeWorld)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func floats(n int, shape ...int64) *engine.Tensor {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i%13)/8 - 0.6
	}
	return must(engine.FromF32(v, shape...))
}

func makeWorld() *world {
	b := nn.NewBuilder(8)
	x, w := b.Input("x", engine.F32, 1, 300), b.Weight("w", engine.F32, 300, 6)
	b.Weight("unused", engine.F32, 4)
	y := b.State("y", engine.F32, 1, 6)
	g := b.Step()
	g.Update(y, g.Add(g.Relu(g.MatMul(x, w, false, false, 0)), y))
	b.Output(y)
	prog := must(b.Build(engine.DefaultLimits()))
	out := &world{program: prog}
	for _, spec := range prog.WeightSpecs() {
		n := int(must(engine.Elements(spec.Shape)))
		out.weights = append(out.weights, floats(n, spec.Shape...))
	}
	out.wRoot = must(must(engine.NewWeights(prog, out.weights)).Root(1))
	in := must(prog.BindInputs(map[string]*engine.Tensor{"x": floats(300, 1, 300)}))
	out.inputs, out.inRoot = in.Tensors(), must(in.Root(1))
	out.machine = must(types.MachineOf(prog, in.Rows(), engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 64}))
	truth := must(game.NewReferenceSource(out.machine, out.weights, out.inputs, steps))
	for v := range variants {
		src := truth
		if v > 0 {
			src = must(truth.Tampered(func(t uint64, node int, x *engine.Tensor) *engine.Tensor {
				if t != uint64(v-1) || node != (v-1)%3 {
					return x
				}
				x = x.Clone()
				x.Bytes()[4*(v%6)+2] ^= 0x55
				return x
			}))
		}
		out.sources[v] = src
		out.roots[v] = must(game.ResultRoot(out.trace(v), steps))
		for u := range v {
			if out.roots[u] == out.roots[v] {
				panic("a lie that changes nothing")
			}
		}
	}
	return out
}

// trace is a variant's view of the run.
func (w *world) trace(variant int) game.Trace {
	return game.NewRerun(w.machine, w.sources[variant], w.weights, w.inputs, steps)
}

func (w *world) solver(variant int) *game.Solver {
	return &game.Solver{Machine: w.machine, Trace: w.trace(variant)}
}

// fix is a keeper with its fakes at a height.
type fix struct {
	tb      tb
	ctx     sdk.Context
	keeper  keeper.Keeper
	key     *storetypes.KVStoreKey
	msgs    types.MsgServer
	queries types.QueryServer
	bank    fakeBank
	poai    fakePoai
	tasks   fakeTasks
	models  fakeModels
	world   *world
	nextID  uint64
	full    bool
	// traces caches a solver per variant.
	solvers map[int]*game.Solver
}

func testParams() types.Params {
	p := types.DefaultParams()
	p.Arity, p.ClockBase, p.ClockReserve, p.ClockUnitsPerTick = 2, 4, 8, 1<<40
	p.MoveFee, p.ClaimBlocks, p.DemandBlocks, p.AppealBlocks = math.NewInt(10), 6, 5, 7
	p.DemandFee, p.MaxDemands, p.MaxParallel, p.SuspectSeats = math.NewInt(77), 3, 3, 2
	p.MaxTransitionsPerBlock = 64
	return p
}

func fixture(t tb) *fix {
	t.Helper()
	f := bare(t)
	g := types.DefaultGenesis()
	g.Params = testParams()
	require.NoError(t, f.keeper.InitGenesis(f.ctx, *g))
	for i := range people {
		f.join(who(i))
	}
	return f
}

// bare is a fixture without a genesis.
func bare(t tb) *fix {
	key, fakes := storetypes.NewKVStoreKey(types.StoreKey), storetypes.NewKVStoreKey("fakes")
	ctx := testutil.DefaultContextWithKeys(
		map[string]*storetypes.KVStoreKey{types.StoreKey: key, "fakes": fakes}, map[string]*storetypes.TransientStoreKey{},
		map[string]*storetypes.MemoryStoreKey{},
	).WithChainID("poai-test").WithBlockHeight(1)
	w := theWorld()
	f := &fix{tb: t, ctx: ctx, key: key, world: w, solvers: map[int]*game.Solver{}, poai: fakePoai{kv{fakes}, new(bool)}}
	f.bank = fakeBank{kv{fakes}, map[string]bool{}}
	f.tasks = fakeTasks{kv{fakes}, f.poai, new(bool)}
	f.models = fakeModels{modelstypes.Model{Id: "toy", WeightsRoot: w.wRoot[:]}, w.program}
	f.connect()
	return f
}

// connect makes keeper and services.
func (f *fix) connect() {
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f.keeper = keeper.NewKeeper(cdc, runtime.NewKVStoreService(f.key), fakeAccounts{}, f.bank, f.tasks, f.models, f.poai, authority)
	f.msgs, f.queries = keeper.NewMsgServerImpl(f.keeper), keeper.NewQueryServerImpl(f.keeper)
}

func who(i int) string {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	return must(fakeAccounts{}.AddressCodec().BytesToString(sum[:20]))
}

func acc(s string) sdk.AccAddress { return must(fakeAccounts{}.AddressCodec().StringToBytes(s)) }

func (f *fix) join(addr string) {
	s := f.poai.state(f.ctx)
	s.Bonds[addr] = bond
	f.poai.save(f.ctx, "poai", s)
	b := f.bank.state(f.ctx)
	b.Balances[acc(addr).String()] = funds
	f.bank.save(f.ctx, "bank", b)
}

func (f *fix) balance(addr string) int64 { return f.bank.state(f.ctx).Balances[acc(addr).String()] }

func (f *fix) params(change func(*types.Params)) {
	f.tb.Helper()
	p, err := f.keeper.Params.Get(f.ctx)
	require.NoError(f.tb, err)
	change(&p)
	require.NoError(f.tb, p.Validate())
	require.NoError(f.tb, f.keeper.Params.Set(f.ctx, p))
}

// deliver runs a message as baseapp does: on a branch that is dropped when it fails.
func deliver[Req, Res any](f *fix, handler func(context.Context, Req) (Res, error), req Req) (Res, error) {
	ctx, write := f.ctx.CacheContext()
	res, err := handler(ctx, req)
	if err == nil {
		write()
	}
	return res, err
}

// blocks ends n blocks, checking all that must hold after each.
func (f *fix) blocks(n int64) {
	f.tb.Helper()
	for range n {
		require.NoError(f.tb, f.keeper.SetLaneFull(f.ctx, f.full))
		require.NoError(f.tb, f.keeper.EndBlock(f.ctx))
		f.check()
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
	}
}

// check checks the module's invariants, that no coin is lost or made, and that CLAIM locks are those of claims not yet settled.
func (f *fix) check() {
	f.tb.Helper()
	require.NoError(f.tb, f.keeper.CheckInvariants(f.ctx))
	bank, poai := f.bank.state(f.ctx), f.poai.state(f.ctx)
	sum, bonds := bank.Burnt, poai.Burnt+poai.Community
	for _, v := range bank.Balances {
		sum += v
	}
	for _, v := range poai.Bonds {
		bonds += v
	}
	for _, v := range poai.Paid {
		bonds += v
	}
	require.Equal(f.tb, int64(len(poai.Bonds)*funds), sum, "coins")
	require.Equal(f.tb, int64(len(poai.Bonds)*bond), bonds, "bonds")
	want := map[string]bool{}
	require.NoError(f.tb, f.keeper.Claims.Walk(f.ctx, nil, func(_ collections.Triple[uint64, uint32, uint32], c types.Claim) (bool, error) {
		of, err := f.keeper.Cases.Get(f.ctx, collections.Join(c.TaskId, c.Attempt))
		if err == nil && c.Kind == types.CLAIM_KIND_CHALLENGE && c.Order >= of.Settled {
			want[lockKey(c.Participant, poaitypes.LOCK_KIND_CLAIM, c.TaskId)] = true
		}
		return false, err
	}))
	have := 0
	for key := range poai.Locks {
		if slices.Contains([]string{"3"}, key[len(key)-3:len(key)-2]) {
			have++
			require.True(f.tb, want[key], "lock %s leaks", key)
		}
	}
	require.Len(f.tb, want, have, "claims without a lock")
}

// task makes a task that was revealed: person 0 is the worker, 1, 2, … are members, each with a variant. Where they differ it is disputed.
func (f *fix) task(worker int, members ...int) uint64 {
	f.tb.Helper()
	f.nextID++
	return f.reveal(f.nextID, 1, worker, members...)
}

func (f *fix) reveal(id uint64, attempt uint32, worker int, members ...int) uint64 {
	f.tb.Helper()
	x := fakeTask{
		Task: taskstypes.Task{
			Id: id, Submitter: who(people - 1), Model: "toy", Steps: steps, InputRoot: f.world.inRoot[:], MaxFee: sdk.NewInt64Coin("uusd", 500), // what nobody here has
			Fee: math.NewInt(500), Lock: math.NewInt(lock), UnitPrice: math.OneInt(),
		},
		Status: taskstypes.Status{
			State: taskstypes.STATE_REVEALED, Attempt: attempt, Worker: who(0), ResultRoot: f.world.roots[worker][:], Deadline: f.ctx.BlockHeight() + 4,
		},
		Inputs: taskstypes.Inputs{Tensors: []taskstypes.NamedTensor{{
			Name: "x", Dtype: engine.F32, Shape: f.world.inputs[0].Shape(), Data: f.world.inputs[0].Bytes(),
		}}},
	}
	require.NoError(f.tb, f.poai.LockBond(f.ctx, poaitypes.Lock{Participant: who(0), Kind: poaitypes.LOCK_KIND_TASK, Item: id, Amount: math.NewInt(lock)}))
	differ := false
	for i, v := range members {
		x.Members = append(x.Members, taskstypes.Party{Participant: who(i + 1), Root: f.world.roots[v][:]})
		differ = differ || v != worker
		require.NoError(f.tb, f.poai.LockBond(f.ctx, poaitypes.Lock{Participant: who(i + 1), Kind: poaitypes.LOCK_KIND_SEAT, Item: id, Amount: math.NewInt(lock)}))
	}
	if differ {
		x.Status.State = taskstypes.STATE_DISPUTED
	}
	f.tasks.put(f.ctx, x)
	if differ {
		require.NoError(f.tb, f.keeper.Hooks().AfterRootsDiffer(f.ctx, x.dispute("attestation")))
	}
	return id
}

func (f *fix) one(id uint64) types.Case {
	f.tb.Helper()
	x := must(f.tasks.get(f.ctx, id))
	c, err := f.keeper.Cases.Get(f.ctx, collections.Join(id, x.Status.Attempt))
	require.NoError(f.tb, err)
	return c
}

func (f *fix) game(id uint64, index uint32) types.Game {
	f.tb.Helper()
	g, err := f.keeper.Games.Get(f.ctx, collections.Join(id, index))
	require.NoError(f.tb, err)
	return g
}

func (f *fix) claims(id uint64) []types.Claim {
	res, err := f.queries.Claims(f.ctx, &types.QueryClaimsRequest{TaskId: id})
	require.NoError(f.tb, err)
	return res.Claims
}

func (f *fix) running(id uint64) []types.Game {
	res, err := f.queries.Games(f.ctx, &types.QueryGamesRequest{TaskId: id})
	require.NoError(f.tb, err)
	return slices.DeleteFunc(res.Games, func(g types.Game) bool { return g.Result != types.GAME_RESULT_UNSPECIFIED })
}

func (f *fix) claim(person int, id uint64, variant int) (uint32, error) {
	res, err := deliver(f, f.msgs.Claim, &types.MsgClaim{Participant: who(person), TaskId: id, ResultRoot: f.world.roots[variant][:]})
	if err != nil {
		return 0, err
	}
	return res.Game, nil
}

func (f *fix) attack(person int, id uint64, target int) (uint32, error) {
	res, err := deliver(f, f.msgs.Attack, &types.MsgAttack{Participant: who(person), TaskId: id, Target: who(target)})
	if err != nil {
		return 0, err
	}
	return res.Game, nil
}

func (f *fix) defend(person int, id uint64, index uint32) (uint32, error) {
	res, err := deliver(f, f.msgs.Defend, &types.MsgDefend{Participant: who(person), TaskId: id, Game: index})
	if err != nil {
		return 0, err
	}
	return res.Game, nil
}

// at is a stored game as package game plays it.
func (f *fix) at(g types.Game) game.Game {
	f.tb.Helper()
	x := must(f.tasks.get(f.ctx, g.TaskId))
	return game.Resume(must(types.NewSetup(g, f.world.machine, x.Task, f.world.wRoot)), must(types.DecodePosition(g.Position)))
}

// next is what a variant would do in a game; false where it has nothing to say.
func (f *fix) next(g types.Game, variant int) (game.Move, bool) {
	s, ok := f.solvers[variant]
	if !ok {
		s = f.world.solver(variant)
		f.solvers[variant] = s
	}
	m, err := s.Next(f.at(g))
	return m, err == nil
}

func mover(g types.Game) string {
	if g.Position.Mover == uint32(game.Challenger) {
		return g.Challenger
	}
	return g.Defender
}

func (f *fix) send(from string, g types.Game, m game.Move) (*types.MsgMoveResponse, error) {
	f.tb.Helper()
	msg := &types.MsgMove{Participant: from, TaskId: g.TaskId, Game: g.Index, Moves: g.Moves, Move: must(types.EncodeMove(m))}
	return deliver(f, f.msgs.Move, msg)
}

// play makes the next move of a game by a variant's trace.
func (f *fix) play(id uint64, index uint32, variant int) *types.MsgMoveResponse {
	f.tb.Helper()
	g := f.game(id, index)
	m, ok := f.next(g, variant)
	require.True(f.tb, ok)
	res, err := f.send(mover(g), g, m)
	require.NoError(f.tb, err)
	return res
}

// through plays a game to its end, each side by its own variant.
func (f *fix) through(id uint64, index uint32) types.Game {
	f.tb.Helper()
	for range 200 {
		g := f.game(id, index)
		if g.Result != types.GAME_RESULT_UNSPECIFIED {
			return g
		}
		root := g.Root
		if mover(g) == g.Challenger {
			root = g.Rival
		}
		f.play(id, index, slices.Index(f.world.roots[:], commit.Hash(root)))
	}
	require.Fail(f.tb, "the game does not end")
	return types.Game{}
}

// settle ends blocks until a case is closed.
func (f *fix) settle(id uint64) types.Case {
	f.tb.Helper()
	for range 400 {
		if c := f.one(id); c.State == types.CASE_STATE_CLOSED {
			return c
		}
		f.blocks(1)
	}
	require.Fail(f.tb, "the case does not end", "%+v", f.one(id))
	return types.Case{}
}
