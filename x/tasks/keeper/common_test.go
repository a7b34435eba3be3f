package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/keeper"
	"poaid/x/tasks/types"
)

const (
	chainID   = "poai-test"
	authority = "authority"
	opening   = "sprints" // a module that opens tasks
	funds     = 1_000_000_000_000
)

// tb is what testing.T, testing.B and rapid.T have in common.
type tb interface {
	require.TestingT
	Helper()
}

// fix is a keeper with its fakes at a height.
type fix struct {
	tb       tb
	ctx      sdk.Context
	keeper   keeper.Keeper
	msgs     types.MsgServer
	bank     fakeBank
	beacon   fakeBeacon
	models   fakeModels
	poai     *fakePoai
	disputes fakeDisputes
	endings  *endings
	auctions fakeAuctions
	tx       int
	total    sdk.Coins    // coins that were ever funded
	last     []abci.Event // of the last block
}

// fixture is an empty module with six participants and twelve funded accounts.
func fixture(t tb) *fix {
	t.Helper()
	key, fakes := storetypes.NewKVStoreKey(types.StoreKey), storetypes.NewKVStoreKey("fakes")
	ctx := testutil.DefaultContextWithKeys(
		map[string]*storetypes.KVStoreKey{types.StoreKey: key, "fakes": fakes}, map[string]*storetypes.TransientStoreKey{},
		map[string]*storetypes.MemoryStoreKey{},
	).WithChainID(chainID).WithBlockHeight(1)
	f := &fix{
		tb: t, bank: fakeBank{kv{fakes}, map[string]bool{}}, beacon: fakeBeacon{map[int64]bool{}}, models: registry(),
		poai: &fakePoai{kv: kv{fakes}, failSlash: new(bool)}, disputes: fakeDisputes{kv{fakes}, new(string)}, endings: &endings{},
		auctions: fakeAuctions{kv{fakes}},
	}
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f.keeper = keeper.NewKeeper(cdc, runtime.NewKVStoreService(key), fakeAccounts{}, f.bank, f.bank, f.beacon, f.models, f.poai, authority)
	f.poai.hooks = f.keeper.Hooks()
	f.keeper.SetDisputeHooks(f.disputes)
	f.keeper.SetAuctions(f.auctions)
	f.keeper.SetTaskHooks(opening, f.endings)
	f.msgs = keeper.NewMsgServerImpl(f.keeper)
	f.ctx = ctx
	params := types.DefaultParams()
	params.DrawDelay, params.SealBlocks, params.RevealBlocks, params.ChallengeBlocks, params.PromptBlocks = 2, 5, 4, 6, 1
	params.OpenBlocks, params.RetentionBlocks = 20, 30
	params.ForcedErrorPpm, params.JackpotBps = 0, 0 // forced_test.go and machine_test.go have them on
	require.NoError(t, f.keeper.InitGenesis(ctx, types.GenesisState{Params: params}))
	for i := range 6 {
		f.poai.join(f.ctx, f.who(i), 100_000_000, 4)
	}
	for i := range 12 {
		f.fund(f.who(i))
	}
	return f
}

// registry has four models: digits (one step, a label), story (a prompt, a stop state), big (outputs too large to be inline) and train (eight steps
// that can be cut into segments, with losses).
func registry() fakeModels {
	label := func(name string, shape ...int64) *graphpb.StateSpec {
		return &graphpb.StateSpec{Name: name, Dtype: graphpb.DTYPE_I64, Shape: shape}
	}
	owner := address(100)
	model := func(id string, units uint64, outputs ...modelstypes.OutputInfo) modelstypes.Model {
		hash := sha256.Sum256([]byte(id))
		return modelstypes.Model{
			Id: id, Owner: owner, Eligible: true, UnitsStep: units, RoyaltyBps: 500, Outputs: outputs, ProgramHash: hash[:], WeightsRoot: hash[:],
		}
	}
	digits := model("digits", 700, modelstypes.OutputInfo{Name: "label", Rendering: modelstypes.RENDERING_LABEL})
	digits.Labels = []string{"zero", "one", "two"}
	old := model("old", 1)
	old.Retired = true
	plain := model("plain", 700)
	plain.Eligible = false
	digitsProg := &graphpb.Program{
		Inputs:  []*graphpb.InputSpec{{Name: "image", Dtype: graphpb.DTYPE_F32, Shape: []int64{1, 4}}},
		States:  []*graphpb.StateSpec{label("label", 1)},
		Outputs: []string{"label"}, MaxSteps: 1,
	}
	return fakeModels{
		models: map[string]modelstypes.Model{
			"digits": digits, "old": old, "plain": plain, "big": model("big", 10),
			"train": model("train", 1000),
			"story": model("story", 1000, modelstypes.OutputInfo{Name: "tokens", Rendering: modelstypes.RENDERING_TOKENS, CountOutput: "count"}),
		},
		programs: map[string]*graphpb.Program{
			"digits": digitsProg, "old": digitsProg, "plain": digitsProg,
			"story": {
				Inputs: []*graphpb.InputSpec{
					{Name: "prompt", Dtype: graphpb.DTYPE_I32, Shape: []int64{8}, VariableRows: true},
					{Name: "temperature", Dtype: graphpb.DTYPE_F32, Shape: []int64{1}, DefaultData: []byte{0, 0, 128, 63}},
					{Name: "bias", Dtype: graphpb.DTYPE_F32, Shape: []int64{4, 2}, VariableRows: true, DefaultData: make([]byte, 16)},
				},
				States:      []*graphpb.StateSpec{label("count", 1), label("cache", 64), {Name: "tokens", Dtype: graphpb.DTYPE_I32, Shape: []int64{16}}},
				ForcedInput: "prompt", StopState: "count", Outputs: []string{"tokens", "count"}, MaxSteps: 16,
			},
			"train": {
				Inputs: []*graphpb.InputSpec{{Name: "seed", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, DefaultData: make([]byte, 8)}},
				States: []*graphpb.StateSpec{
					{Name: "w", Dtype: graphpb.DTYPE_F32, Shape: []int64{2}}, {Name: "losses", Dtype: graphpb.DTYPE_F32, Shape: []int64{8}}, label("count", 1),
				},
				Outputs: []string{"losses", "count"}, MaxSteps: 8,
			},
			"big": {
				Inputs:    []*graphpb.InputSpec{{Name: "seed", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, DefaultData: make([]byte, 8)}},
				States:    []*graphpb.StateSpec{label("stop", 1), label("image", 4096)},
				StopState: "stop", Outputs: []string{"image", "stop"}, MaxSteps: 4,
			},
		},
		vocabulary: map[string]modelstypes.Vocabulary{
			"story": {Pieces: [][]byte{[]byte("<unk>"), []byte("<s>"), []byte("</s>"), []byte(" Once"), []byte(" upon"), {0xc3}, {0xa9}}},
		},
	}
}

// address is the bech32 form of account i.
func address(i int) string {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	s, err := fakeAccounts{}.AddressCodec().BytesToString(sum[:20])
	if err != nil {
		panic(err)
	}
	return s
}

// who names account i: 0 to 5 are participants, all have funds.
func (f *fix) who(i int) string { return address(i) }

func (f *fix) fund(addr string) {
	f.bank.fund(f.ctx, f.acc(addr), funds)
	f.total = f.total.Add(coin(funds))
}

func (f *fix) acc(addr string) sdk.AccAddress {
	bz, err := fakeAccounts{}.AddressCodec().StringToBytes(addr)
	require.NoError(f.tb, err)
	return bz
}

func (f *fix) balance(addr string) math.Int { return f.bank.state(f.ctx).of(f.acc(addr)) }

// msg is the context of the next transaction.
func (f *fix) msg() context.Context {
	f.tx++
	return f.ctx.WithTxIndex(f.tx)
}

// deliver runs a message as baseapp does: on a branch that is dropped when it fails.
func deliver[Req, Res any](f *fix, handler func(context.Context, Req) (Res, error), req Req) (Res, error) {
	ctx, write := sdk.UnwrapSDKContext(f.msg()).CacheContext()
	res, err := handler(ctx, req)
	if err == nil {
		write()
	}
	return res, err
}

// block ends n blocks, checking all that must hold after each.
func (f *fix) block(n int64) {
	f.tb.Helper()
	for range n {
		f.bank.endBlock(f.ctx, types.ModuleName)
		require.NoError(f.tb, f.keeper.EndBlock(f.ctx))
		f.check()
		f.last = f.ctx.EventManager().ABCIEvents()
		f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
		f.tx = 0
	}
}

// check checks the module's invariants, that no coin is lost or made, and that no lock or place leaks.
func (f *fix) check() {
	f.tb.Helper()
	require.NoError(f.tb, f.keeper.CheckInvariants(f.ctx))
	bank := f.bank.state(f.ctx)
	sum := bank.Burnt.Add(bank.Pending...).Add(bank.Pool...)
	for name, v := range bank.Balances {
		require.False(f.tb, v.IsNegative())
		d := denom
		if _, after, found := strings.Cut(name, "/"); found {
			d = after
		}
		sum = sum.Add(sdk.NewCoin(d, v))
	}
	require.Equal(f.tb, f.total.String(), sum.String(), "coins")
	state := f.poai.state(f.ctx)
	locks := map[string]bool{}
	places := map[string]int{}
	require.NoError(f.tb, f.keeper.Statuses.Walk(f.ctx, nil, func(id uint64, st types.Status) (bool, error) {
		if !st.State.Active() {
			return false, nil
		}
		locks[lockKey(st.Worker, poaitypes.LOCK_KIND_TASK, id)] = true
		if len(st.ResultRoot) == 0 {
			places[st.Worker]++
		}
		for _, r := range f.runners(id) {
			if !r.Out {
				locks[lockKey(r.Participant, poaitypes.LOCK_KIND_TASK, id)] = true
				if len(r.ResultRoot) == 0 {
					places[r.Participant]++
				}
			}
		}
		for _, s := range state.Committees[id].Seats {
			if s.State != poaitypes.SEAT_STATE_CLOSED {
				locks[lockKey(s.Participant, poaitypes.LOCK_KIND_SEAT, id)] = true
			}
			if s.State == poaitypes.SEAT_STATE_OPEN || s.State == poaitypes.SEAT_STATE_SEALED {
				places[s.Participant]++
			}
		}
		return false, nil
	}))
	require.Len(f.tb, state.Locks, len(locks), "locks")
	for key := range state.Locks {
		require.True(f.tb, locks[key], "lock %s leaks", key)
	}
	for _, p := range state.Participants {
		require.Equal(f.tb, places[p.Address], p.Active, "places of %s", p.Address)
	}
}

func (f *fix) status(id uint64) types.Status {
	f.tb.Helper()
	st, err := f.keeper.Statuses.Get(f.ctx, id)
	require.NoError(f.tb, err)
	return st
}

func (f *fix) state(id uint64) types.State { return f.status(id).State }

func (f *fix) payment(id uint64) types.Payment {
	f.tb.Helper()
	pay, err := f.keeper.Payments.Get(f.ctx, id)
	require.NoError(f.tb, err)
	return pay
}

func (f *fix) params(change func(*types.Params)) {
	f.tb.Helper()
	p, err := f.keeper.Params.Get(f.ctx)
	require.NoError(f.tb, err)
	change(&p)
	require.NoError(f.tb, p.Validate())
	require.NoError(f.tb, f.keeper.Params.Set(f.ctx, p))
}

// audits makes every task audited, or none.
func (f *fix) audits(all bool) {
	f.tb.Helper()
	f.params(func(p *types.Params) {
		p.AuditMinPpm, p.ReferenceCost = 0, math.ZeroInt()
		if all {
			p.AuditMinPpm = types.PpmOne
		}
	})
}

func coin(v int64) sdk.Coin { return sdk.Coin{Denom: denom, Amount: math.NewInt(v)} }

// image is the input of digits; n makes it new.
func image(n int) types.NamedTensor {
	data := make([]byte, 16)
	binary.LittleEndian.PutUint64(data, uint64(n))
	return types.NamedTensor{Name: "image", Dtype: graphpb.DTYPE_F32, Shape: []int64{1, 4}, Data: data}
}

func prompt(tokens ...byte) types.NamedTensor {
	data := make([]byte, 4*len(tokens))
	for i, t := range tokens {
		data[4*i] = t
	}
	return types.NamedTensor{Name: "prompt", Dtype: graphpb.DTYPE_I32, Shape: []int64{int64(len(tokens))}, Data: data}
}

func digitsMsg(submitter string, n int) *types.MsgSubmitTask {
	return &types.MsgSubmitTask{
		Submitter: submitter, Model: "digits", Inputs: []types.NamedTensor{image(n)}, Steps: 1, Allocation: types.ALLOCATION_DRAW, MaxFee: coin(5_000),
	}
}

func storyMsg(submitter string, steps uint64, tokens ...byte) *types.MsgSubmitTask {
	return &types.MsgSubmitTask{
		Submitter: submitter, Model: "story", Inputs: []types.NamedTensor{prompt(tokens...)}, Steps: steps, Allocation: types.ALLOCATION_DRAW,
		MaxFee: coin(50_000),
	}
}

func (f *fix) submit(msg *types.MsgSubmitTask) uint64 {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.SubmitTask, msg)
	require.NoError(f.tb, err)
	return res.Id
}

// assigned submits a task and lets its worker be drawn.
func (f *fix) assigned(msg *types.MsgSubmitTask) uint64 {
	f.tb.Helper()
	id := f.submit(msg)
	f.until(id, types.STATE_ASSIGNED)
	return id
}

// until ends blocks up to a state.
func (f *fix) until(id uint64, want types.State) {
	f.tb.Helper()
	for range 100 {
		if f.state(id) == want {
			return
		}
		f.block(1)
	}
	require.Fail(f.tb, "no such state", "task %d is %s, want %s", id, f.state(id), want)
}

// answer is a result: the value of each output's first element.
type answer struct {
	reveal types.ResultReveal
	root   commit.Hash
}

// result is the right reveal of a task; stop is the stop state, variant makes it another result.
func (f *fix) result(id uint64, stop int64, variant byte) answer {
	f.tb.Helper()
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(f.tb, err)
	prog := f.models.programs[task.Model]
	item := types.ResultReveal{TaskId: id, StateRoot: slices.Repeat([]byte{variant}, 32), Salt: slices.Repeat([]byte{7}, 32)}
	entries := make([]commit.Named, 0, len(prog.Outputs))
	for _, name := range prog.Outputs {
		spec := prog.States[slices.IndexFunc(prog.States, func(s *graphpb.StateSpec) bool { return s.Name == name })]
		size, err := commit.TensorBytes(uint8(spec.Dtype), spec.Shape)
		require.NoError(f.tb, err)
		data := make([]byte, size)
		data[0] = 1
		if name == prog.StopState {
			binary.LittleEndian.PutUint64(data, uint64(stop))
		}
		root, err := commit.TensorRoot(uint8(spec.Dtype), spec.Shape, data)
		require.NoError(f.tb, err)
		t := types.NamedTensor{Name: name, Dtype: spec.Dtype, Shape: spec.Shape, Data: data}
		if task.Model == "big" && name == "image" {
			t.Data, t.Root, t.Cid = nil, root[:], "cid"
		}
		entries = append(entries, commit.Named{Name: name, Root: root})
		item.Outputs = append(item.Outputs, t)
	}
	return answer{item, commit.ResultRoot(task.Steps, commit.Hash(item.StateRoot), commit.NamedRoot(entries))}
}

func (f *fix) sealItem(id uint64, worker string, a answer) types.ResultSeal {
	seal := commit.Seal(chainID, id, worker, a.root, [32]byte(a.reveal.Salt))
	return types.ResultSeal{TaskId: id, Seal: seal[:]}
}

// seal seals as the task's worker.
func (f *fix) seal(id uint64, a answer) {
	f.tb.Helper()
	worker := f.status(id).Worker
	res, err := deliver(f, f.msgs.SealResults, &types.MsgSealResults{Worker: worker, Items: []types.ResultSeal{f.sealItem(id, worker, a)}})
	require.NoError(f.tb, err)
	require.True(f.tb, res.Results[0].Accepted, res.Results[0].Error)
}

// reveal reveals as the task's worker.
func (f *fix) reveal(id uint64, a answer) {
	f.tb.Helper()
	require.Empty(f.tb, f.tryReveal(id, a))
}

func (f *fix) tryReveal(id uint64, a answer) string {
	f.tb.Helper()
	res, err := deliver(f, f.msgs.RevealResults, &types.MsgRevealResults{Worker: f.status(id).Worker, Items: []types.ResultReveal{a.reveal}})
	require.NoError(f.tb, err)
	require.Equal(f.tb, res.Results[0].Error == "", res.Results[0].Accepted)
	return res.Results[0].Error
}

// members are the open or sealed seats of a committee.
func (f *fix) members(id uint64) []string {
	var out []string
	for _, s := range f.poai.state(f.ctx).Committees[id].Seats {
		if s.State != poaitypes.SEAT_STATE_CLOSED {
			out = append(out, s.Participant)
		}
	}
	return out
}

func (f *fix) sealSeats(id uint64) {
	f.tb.Helper()
	for _, m := range f.members(id) {
		require.NoError(f.tb, f.poai.sealSeat(f.ctx, id, m))
	}
}

// revealed brings a task to the end of its reveals without an audit.
func (f *fix) revealed(msg *types.MsgSubmitTask) (uint64, answer) {
	f.tb.Helper()
	id := f.assigned(msg)
	a := f.result(id, 0, 1)
	f.seal(id, a)
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, a)
	return id, a
}

// revealing brings an audited task to its reveals, with every seat sealed.
func (f *fix) revealing(msg *types.MsgSubmitTask) (uint64, answer) {
	f.tb.Helper()
	id := f.assigned(msg)
	a := f.result(id, 0, 1)
	f.seal(id, a)
	f.until(id, types.STATE_AUDITED)
	f.sealSeats(id)
	require.Equal(f.tb, types.STATE_REVEALING, f.state(id))
	return id, a
}

// slashes are what was taken for a task, as "account/kind/bps".
func (f *fix) slashes(id uint64) []string {
	var out []string
	for _, s := range f.poai.state(f.ctx).Slashes {
		if s.Task == id {
			out = append(out, fmt.Sprintf("%s/%d/%d/%v", s.Participant, s.Kind, s.Bps, s.Lie))
		}
	}
	return out
}

// credits are what was credited for a task.
func (f *fix) credits(id uint64) []poaitypes.CreditRequest {
	var out []poaitypes.CreditRequest
	for _, p := range f.poai.state(f.ctx).Participants {
		for _, c := range p.Credits {
			if c.Task == id {
				out = append(out, c)
			}
		}
	}
	return out
}
