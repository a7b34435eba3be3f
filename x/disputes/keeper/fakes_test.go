package keeper_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	coreaddress "cosmossdk.io/core/address"
	"cosmossdk.io/math"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/engine"
	"poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const denom = "upoai"

// kv keeps the state of a fake as JSON in a store of its own, so that a dropped branch takes it back as it takes back the real one.
type kv struct{ key storetypes.StoreKey }

func (s kv) load(ctx context.Context, name string, v any) {
	if bz := sdk.UnwrapSDKContext(ctx).KVStore(s.key).Get([]byte(name)); bz != nil {
		if err := json.Unmarshal(bz, v); err != nil {
			panic(err)
		}
	}
}

func (s kv) save(ctx context.Context, name string, v any) {
	bz, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	sdk.UnwrapSDKContext(ctx).KVStore(s.key).Set([]byte(name), bz)
}

type fakeAccounts struct{}

func (fakeAccounts) AddressCodec() coreaddress.Codec { return addresscodec.NewBech32Codec("poai") }

func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func (fakeAccounts) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	return authtypes.NewEmptyModuleAccount(name)
}

// bankState holds one denom.
type bankState struct {
	Balances map[string]int64
	Burnt    int64
}

type fakeBank struct {
	kv
	blocked map[string]bool
}

func (b fakeBank) state(ctx context.Context) bankState {
	s := bankState{Balances: map[string]int64{}}
	b.load(ctx, "bank", &s)
	return s
}

func amount(c sdk.Coins) int64 {
	if len(c) != 1 || c[0].Denom != denom || !c[0].IsPositive() {
		panic(fmt.Sprintf("coins %s", c))
	}
	return c[0].Amount.Int64()
}

func (b fakeBank) send(ctx context.Context, from, to string, v int64) error {
	s := b.state(ctx)
	if s.Balances[from] < v {
		return errors.New("insufficient funds")
	}
	s.Balances[from] -= v
	if to == "" {
		s.Burnt += v
	} else {
		s.Balances[to] += v
	}
	b.save(ctx, "bank", s)
	return nil
}

func moduleOf(name string) string { return authtypes.NewModuleAddress(name).String() }

func (b fakeBank) SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, module string, c sdk.Coins) error {
	return b.send(ctx, from.String(), moduleOf(module), amount(c))
}

func (b fakeBank) SendCoinsFromModuleToAccount(ctx context.Context, module string, to sdk.AccAddress, c sdk.Coins) error {
	if b.BlockedAddr(to) {
		return errors.New("blocked")
	}
	return b.send(ctx, moduleOf(module), to.String(), amount(c))
}

func (b fakeBank) BurnCoins(ctx context.Context, module string, c sdk.Coins) error {
	return b.send(ctx, moduleOf(module), "", amount(c))
}

func (b fakeBank) GetBalance(ctx context.Context, addr sdk.AccAddress, d string) sdk.Coin {
	if d != denom {
		return sdk.NewInt64Coin(d, 0)
	}
	return sdk.NewInt64Coin(denom, b.state(ctx).Balances[addr.String()])
}

func (b fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.blocked[addr.String()] }

// fakeModels serves one program.
type fakeModels struct {
	model   modelstypes.Model
	program *engine.Program
}

func (m fakeModels) GetModel(_ context.Context, id string) (modelstypes.Model, error) {
	if id != m.model.Id {
		return modelstypes.Model{}, modelstypes.ErrModelNotFound
	}
	return m.model, nil
}

func (m fakeModels) LoadProgram(_ context.Context, id string) (*engine.Program, error) {
	if id != m.model.Id {
		return nil, modelstypes.ErrModelNotFound
	}
	return m.program, nil
}

func (fakeModels) RunCost(context.Context, string) (engine.CostParams, error) {
	return engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 64}, nil
}

// poaiState is the ledger: what is locked, what everybody has, and where slashes went.
type poaiState struct {
	Bonds, Locked, Paid map[string]int64
	Locks               map[string]int64
	Lies                map[string]int
	Burnt, Community    int64
}

type fakePoai struct {
	kv
	fail *bool
}

func (p fakePoai) state(ctx context.Context) poaiState {
	s := poaiState{Bonds: map[string]int64{}, Locked: map[string]int64{}, Paid: map[string]int64{}, Locks: map[string]int64{}, Lies: map[string]int{}}
	p.load(ctx, "poai", &s)
	return s
}

func lockKey(who string, kind poaitypes.LockKind, task uint64) string {
	return fmt.Sprintf("%s/%d/%d", who, kind, task)
}

func (fakePoai) BondDenom(context.Context) (string, error) { return denom, nil }

func (p fakePoai) LockBond(ctx context.Context, l poaitypes.Lock) error {
	s := p.state(ctx)
	bond, ok := s.Bonds[l.Participant]
	if !ok {
		return poaitypes.ErrUnknownParticipant
	}
	key := lockKey(l.Participant, l.Kind, l.Item)
	if _, ok := s.Locks[key]; ok {
		return poaitypes.ErrLockExists
	}
	if v := l.Amount.Int64(); v > bond-s.Locked[l.Participant] {
		return poaitypes.ErrInsufficientBond
	}
	s.Locks[key] = l.Amount.Int64()
	s.Locked[l.Participant] += l.Amount.Int64()
	p.save(ctx, "poai", s)
	return nil
}

func (p fakePoai) ReleaseLock(ctx context.Context, who string, kind poaitypes.LockKind, task uint64) error {
	s := p.state(ctx)
	key := lockKey(who, kind, task)
	v, ok := s.Locks[key]
	if !ok {
		return poaitypes.ErrLockNotFound.Wrap(key)
	}
	s.Locked[who] -= v
	delete(s.Locks, key)
	p.save(ctx, "poai", s)
	return nil
}

func (p fakePoai) Slash(ctx context.Context, req poaitypes.SlashRequest) error {
	if *p.fail {
		return errors.New("slash fails")
	}
	v := p.state(ctx).Locks[lockKey(req.Participant, req.Kind, req.Task)]
	if err := p.ReleaseLock(ctx, req.Participant, req.Kind, req.Task); err != nil {
		return err
	}
	s := p.state(ctx)
	if req.Bps != 10_000 || !req.Lie {
		return errors.New("not a lie")
	}
	s.Bonds[req.Participant] -= v
	s.Lies[req.Participant]++
	burn := (v + 1) / 2
	s.Burnt += burn
	rest := v - burn
	for i, b := range req.Beneficiaries {
		part := rest / int64(len(req.Beneficiaries)-i)
		s.Paid[b] += part
		rest -= part
	}
	s.Community += rest
	p.save(ctx, "poai", s)
	return nil
}

func (p fakePoai) GetParticipant(ctx context.Context, address string) (poaitypes.Participant, error) {
	bond, ok := p.state(ctx).Bonds[address]
	if !ok {
		return poaitypes.Participant{}, collections.ErrNotFound
	}
	return poaitypes.Participant{Address: address, Bond: math.NewInt(bond)}, nil
}

// fakeTask is a task with its committee; members hold (address, root).
type fakeTask struct {
	Task       taskstypes.Task
	Status     taskstypes.Status
	Inputs     taskstypes.Inputs
	Members    []taskstypes.Party
	Resolution *taskstypes.Resolution
	VoidInput  *bool
}

// fakeTasks settles locks as x/tasks does.
type fakeTasks struct {
	kv
	poai fakePoai
	fail *bool
}

func (t fakeTasks) get(ctx context.Context, id uint64) (fakeTask, error) {
	var x fakeTask
	t.load(ctx, fmt.Sprintf("task/%d", id), &x)
	if x.Task.Id == 0 {
		return x, collections.ErrNotFound
	}
	return x, nil
}

func (t fakeTasks) put(ctx context.Context, x fakeTask) {
	t.save(ctx, fmt.Sprintf("task/%d", x.Task.Id), x)
}

func (t fakeTasks) GetTask(ctx context.Context, id uint64) (taskstypes.Task, taskstypes.Status, error) {
	x, err := t.get(ctx, id)
	return x.Task, x.Status, err
}

func (t fakeTasks) GetInputs(ctx context.Context, id uint64) (taskstypes.Inputs, error) {
	x, err := t.get(ctx, id)
	return x.Inputs, err
}

func (t fakeTasks) GetCommitteeParties(ctx context.Context, id uint64) ([]string, error) {
	x, err := t.get(ctx, id)
	var out []string
	for _, m := range x.Members {
		out = append(out, m.Participant)
	}
	return out, err
}

func (x *fakeTask) dispute(cause string) taskstypes.Dispute {
	return taskstypes.Dispute{
		Task: x.Task, Attempt: x.Status.Attempt, Worker: taskstypes.Party{Participant: x.Status.Worker, Root: x.Status.ResultRoot},
		Members: x.Members, Until: x.Status.Deadline, Cause: cause,
	}
}

func (t fakeTasks) Contest(ctx context.Context, id uint64) (taskstypes.Dispute, error) {
	x, err := t.get(ctx, id)
	if err != nil {
		return taskstypes.Dispute{}, err
	}
	if x.Status.State != taskstypes.STATE_REVEALED {
		return taskstypes.Dispute{}, taskstypes.ErrState
	}
	if sdk.UnwrapSDKContext(ctx).BlockHeight() > x.Status.Deadline {
		return taskstypes.Dispute{}, taskstypes.ErrDeadline
	}
	x.Status.State = taskstypes.STATE_DISPUTED
	t.put(ctx, x)
	return x.dispute("claim"), nil
}

func (t fakeTasks) ResolveDispute(ctx context.Context, id uint64, r taskstypes.Resolution) error {
	if *t.fail {
		return errors.New("resolve fails")
	}
	x, err := t.get(ctx, id)
	if err != nil {
		return err
	}
	if x.Status.State != taskstypes.STATE_DISPUTED {
		return taskstypes.ErrState
	}
	settle := func(p taskstypes.Party, kind poaitypes.LockKind) error {
		if len(r.ValidRoot) == 0 || string(p.Root) == string(r.ValidRoot) {
			return t.poai.ReleaseLock(ctx, p.Participant, kind, id)
		}
		return t.poai.Slash(ctx, poaitypes.SlashRequest{Participant: p.Participant, Kind: kind, Task: id, Bps: 10_000, Lie: true, Beneficiaries: r.Beneficiaries})
	}
	if err := settle(taskstypes.Party{Participant: x.Status.Worker, Root: x.Status.ResultRoot}, poaitypes.LOCK_KIND_TASK); err != nil {
		return err
	}
	for _, m := range x.Members {
		if err := settle(m, poaitypes.LOCK_KIND_SEAT); err != nil {
			return err
		}
	}
	x.Status.State = taskstypes.STATE_REFUNDED
	if len(r.ValidRoot) > 0 {
		x.Status.State = taskstypes.STATE_OPEN
		if string(r.ValidRoot) == string(x.Status.ResultRoot) {
			x.Status.State = taskstypes.STATE_FINAL
		}
	}
	x.Resolution = &r
	t.put(ctx, x)
	return nil
}

func (t fakeTasks) VoidStart(ctx context.Context, id uint64) error { return t.VoidTask(ctx, id, false) }

func (t fakeTasks) VoidTask(ctx context.Context, id uint64, byInput bool) error {
	x, err := t.get(ctx, id)
	if err != nil {
		return err
	}
	if !x.Status.State.Active() {
		return taskstypes.ErrState
	}
	if err := t.poai.ReleaseLock(ctx, x.Status.Worker, poaitypes.LOCK_KIND_TASK, id); err != nil {
		return err
	}
	for _, m := range x.Members {
		if err := t.poai.ReleaseLock(ctx, m.Participant, poaitypes.LOCK_KIND_SEAT, id); err != nil {
			return err
		}
	}
	x.Status.State, x.VoidInput = taskstypes.STATE_REFUNDED, &byInput
	t.put(ctx, x)
	return nil
}

var (
	_ types.AccountKeeper = fakeAccounts{}
	_ types.BankKeeper    = fakeBank{}
	_ types.ModelsKeeper  = fakeModels{}
	_ types.PoaiKeeper    = fakePoai{}
	_ types.TasksKeeper   = fakeTasks{}
)
