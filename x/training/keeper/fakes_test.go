package keeper_test

import (
	"context"
	"errors"

	coreaddress "cosmossdk.io/core/address"
	"cosmossdk.io/math"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

const denom = "upoai"

// stepFee is what a step costs.
const stepFee = 100

type fakeAccounts struct{}

func (fakeAccounts) AddressCodec() coreaddress.Codec { return addresscodec.NewBech32Codec("poai") }

func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func (fakeAccounts) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	return authtypes.NewEmptyModuleAccount(name)
}

// fakeBank keeps balances; what is sent virtually is credited by endBlock. A failed message of these tests moves no coins before it fails.
type fakeBank struct {
	balances map[string]math.Int
	pending  math.Int
	blocked  map[string]bool
}

func (b *fakeBank) of(a sdk.AccAddress) math.Int {
	if v, ok := b.balances[a.String()]; ok {
		return v
	}
	return math.ZeroInt()
}

func (b *fakeBank) move(from, to sdk.AccAddress, v math.Int) error {
	if b.of(from).LT(v) {
		return errors.New("insufficient funds")
	}
	b.balances[from.String()] = b.of(from).Sub(v)
	b.balances[to.String()] = b.of(to).Add(v)
	return nil
}

func (b *fakeBank) SendCoinsFromAccountToModuleVirtual(_ context.Context, from sdk.AccAddress, _ string, c sdk.Coins) error {
	v := c.AmountOf(denom)
	if b.of(from).LT(v) {
		return errors.New("insufficient funds")
	}
	b.balances[from.String()] = b.of(from).Sub(v)
	b.pending = b.pending.Add(v)
	return nil
}

func (b *fakeBank) endBlock() {
	m := authtypes.NewModuleAddress(types.ModuleName)
	b.balances[m.String()] = b.of(m).Add(b.pending)
	b.pending = math.ZeroInt()
}

func (b *fakeBank) SendCoinsFromModuleToAccount(_ context.Context, module string, to sdk.AccAddress, c sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(module), to, c.AmountOf(denom))
}

func (b *fakeBank) GetBalance(_ context.Context, a sdk.AccAddress, d string) sdk.Coin {
	if d != denom {
		return sdk.NewInt64Coin(d, 0)
	}
	return sdk.NewCoin(denom, b.of(a))
}

func (b *fakeBank) BlockedAddr(a sdk.AccAddress) bool { return b.blocked[a.String()] }

// fakeTasks opens tasks that cost stepFee a step, and remembers them.
type fakeTasks struct {
	bank   *fakeBank
	opened []taskstypes.Task
	reqs   []taskstypes.TaskRequest
	refuse error
}

func (t *fakeTasks) Quote(_ context.Context, r taskstypes.TaskRequest) (taskstypes.Task, error) {
	fee := sdk.NewInt64Coin(denom, int64(r.Steps-r.StartStep)*stepFee)
	switch {
	case t.refuse != nil:
		return taskstypes.Task{}, t.refuse
	case r.Budget.Denom != denom || r.Budget.IsLT(fee):
		return taskstypes.Task{}, taskstypes.ErrFee.Wrapf("budget: %s", r.Budget)
	case r.Steps > 100 || (r.StartStep == 0) != (len(r.StartRoot) == 0):
		return taskstypes.Task{}, taskstypes.ErrSteps
	}
	return taskstypes.Task{
		Model: r.Model, Steps: r.Steps, StartStep: r.StartStep, StartRoot: r.StartRoot, MaxFee: fee, Units: r.Steps - r.StartStep, InputRoot: hash(200),
		Scored: r.Scored, FiniteOutput: r.FiniteOutput,
	}, nil
}

func (t *fakeTasks) OpenTask(ctx context.Context, r taskstypes.TaskRequest) (taskstypes.Task, error) {
	task, err := t.Quote(ctx, r)
	if err != nil {
		return task, err
	}
	if r.Requester != module() {
		return task, taskstypes.ErrNoHooks
	}
	task.Id = uint64(sdk.UnwrapSDKContext(ctx).BlockHeight())<<24 | 0xffff<<8 | uint64(len(t.opened)&0xff)
	if err := t.bank.move(authtypes.NewModuleAddress(types.ModuleName), authtypes.NewModuleAddress("tasks"), task.MaxFee.Amount); err != nil {
		return task, err
	}
	t.opened, t.reqs = append(t.opened, task), append(t.reqs, r)
	return task, nil
}

func (t *fakeTasks) FeeDenom(context.Context) (string, error) { return denom, nil }

func module() string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(authtypes.NewModuleAddress(types.ModuleName))
	if err != nil {
		panic(err)
	}
	return s
}

// fakeModels has a trainer with states w, m and loss, and a net with weights w and c, of which training makes w.
type fakeModels struct {
	models     map[string]modelstypes.Model
	registered []modelstypes.TrainedModel
	refuse     error
}

func f32(name string, shape ...int64) *graphpb.TensorSpec {
	return &graphpb.TensorSpec{Name: name, Dtype: graphpb.DTYPE_F32, Shape: shape}
}

func f32State(name string, shape ...int64) *graphpb.StateSpec {
	return &graphpb.StateSpec{Name: name, Dtype: graphpb.DTYPE_F32, Shape: shape}
}

func (m *fakeModels) GetModel(_ context.Context, id string) (modelstypes.Model, error) {
	out, ok := m.models[id]
	if !ok {
		return out, modelstypes.ErrModelNotFound.Wrapf("id: %q", id)
	}
	return out, nil
}

func (m *fakeModels) Interface(_ context.Context, id string) (*graphpb.Program, error) {
	switch id {
	case "trainer":
		return &graphpb.Program{
			Weights: []*graphpb.TensorSpec{f32("w", 2), f32("data", 9)},
			States:  []*graphpb.StateSpec{f32State("w", 2), f32State("m", 2), f32State("loss", 100)}, Outputs: []string{"loss"},
		}, nil
	case "net":
		return &graphpb.Program{Weights: []*graphpb.TensorSpec{f32("w", 2), f32("c", 3)}}, nil
	}
	return nil, modelstypes.ErrModelNotFound.Wrapf("id: %q", id)
}

// RegisterTrained keeps what it is asked for; the dry run of a creation, which has no root yet, is not kept.
func (m *fakeModels) RegisterTrained(_ context.Context, r modelstypes.TrainedModel) (modelstypes.Model, error) {
	if m.refuse != nil {
		return modelstypes.Model{}, m.refuse
	}
	if _, taken := m.models[r.ID]; taken {
		return modelstypes.Model{}, modelstypes.ErrModelExists.Wrapf("id: %q", r.ID)
	}
	if string(r.WeightsRoot) != string(make([]byte, 32)) {
		m.registered = append(m.registered, r)
	}
	return modelstypes.Model{Id: r.ID, Owner: r.Owner}, nil
}

var errNoGrant = errors.New("no grant")

// fakeDatasets owns the root of data.
type fakeDatasets struct {
	used   []string
	closed bool
}

func (d *fakeDatasets) Use(_ context.Context, user string, _ []byte, roots [][]byte) ([]modelstypes.Parent, error) {
	for _, r := range roots {
		if string(r) == string(hash(11)) {
			if d.closed {
				return nil, errNoGrant
			}
			d.used = append(d.used, user)
			return []modelstypes.Parent{{Kind: modelstypes.PARENT_KIND_DATASET, Id: "faces", ShareBps: 300}}, nil
		}
	}
	return nil, nil
}
