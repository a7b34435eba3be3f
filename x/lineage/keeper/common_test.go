package keeper_test

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	datasetstypes "poaid/x/datasets/types"
	"poaid/x/lineage/keeper"
	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

const (
	authority = "authority"
	denom     = "upoai"
)

var addresses = address.NewBech32Codec("poai")

// who names account i.
func who(i int) string {
	s, err := addresses.BytesToString([]byte(fmt.Sprintf("participant-%08d", i)))
	if err != nil {
		panic(err)
	}
	return s
}

// fakeBank keeps balances by address, in memory.
type fakeBank struct {
	balances map[string]sdk.Coins
	blocked  map[string]bool
}

func (b *fakeBank) move(from, to sdk.AccAddress, amt sdk.Coins) error {
	rest, negative := b.balances[from.String()].SafeSub(amt...)
	if negative {
		return errors.New("insufficient funds")
	}
	b.balances[from.String()] = rest
	b.balances[to.String()] = b.balances[to.String()].Add(amt...)
	return nil
}

func (b *fakeBank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(from), authtypes.NewModuleAddress(to), amt)
}

func (b *fakeBank) SendCoinsFromModuleToAccount(_ context.Context, module string, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(module), to, amt)
}

func (b *fakeBank) GetAllBalances(_ context.Context, addr sdk.AccAddress) sdk.Coins {
	return b.balances[addr.String()]
}

func (b *fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.blocked[addr.String()] }

// fakeRegistry has models and datasets with their owners.
type fakeRegistry struct{ models, datasets map[string]string }

func (r fakeRegistry) HasModel(_ context.Context, id string) (bool, error) {
	return r.models[id] != "" && !modelstypes.IsSeededID(id), nil
}

func (r fakeRegistry) GetModel(_ context.Context, id string) (modelstypes.Model, error) {
	owner, ok := r.models[id]
	if !ok {
		return modelstypes.Model{}, modelstypes.ErrModelNotFound
	}
	return modelstypes.Model{Id: id, Owner: owner}, nil
}

func (r fakeRegistry) GetDataset(_ context.Context, id string) (datasetstypes.Dataset, error) {
	owner, ok := r.datasets[id]
	if !ok {
		return datasetstypes.Dataset{}, datasetstypes.ErrNotFound
	}
	return datasetstypes.Dataset{Id: id, Owner: owner}, nil
}

type fakeAccounts struct{}

func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

var (
	_ types.BankKeeper     = &fakeBank{}
	_ types.ModelsKeeper   = fakeRegistry{}
	_ types.DatasetsKeeper = fakeRegistry{}
	_ types.AccountKeeper  = fakeAccounts{}
)

type fix struct {
	t    require.TestingT
	ctx  sdk.Context
	k    keeper.Keeper
	msg  types.MsgServer
	q    types.QueryServer
	bank *fakeBank
	reg  fakeRegistry
}

func fixture(t require.TestingT) *fix {
	f := emptyFixture(t, fakeRegistry{map[string]string{}, map[string]string{}})
	require.NoError(t, f.k.InitGenesis(f.ctx, *types.DefaultGenesis()))
	return f
}

func emptyFixture(t require.TestingT, reg fakeRegistry) *fix {
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")).WithBlockHeight(42)
	bank := &fakeBank{map[string]sdk.Coins{}, map[string]bool{}}
	k := keeper.NewKeeper(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()), runtime.NewKVStoreService(key), addresses, fakeAccounts{},
		bank, reg, reg, authority)
	return &fix{t: t, ctx: ctx, k: k, msg: keeper.NewMsgServer(k), q: keeper.NewQueryServer(k), bank: bank, reg: reg}
}

func model(id string, share uint32) modelstypes.Parent {
	return modelstypes.Parent{Kind: modelstypes.PARENT_KIND_MODEL, Id: id, ShareBps: share}
}

func dataset(id string, share uint32) modelstypes.Parent {
	return modelstypes.Parent{Kind: modelstypes.PARENT_KIND_DATASET, Id: id, ShareBps: share}
}

// register has account owner register a model.
func (f *fix) register(id string, owner int, parents ...modelstypes.Parent) error {
	f.reg.models[id] = who(owner)
	if len(parents) == 0 {
		return nil
	}
	return f.k.Hooks().AfterModelRegistered(f.ctx, modelstypes.Model{Id: id, Owner: who(owner)}, parents)
}

func (f *fix) mustRegister(id string, owner int, parents ...modelstypes.Parent) {
	require.NoError(f.t, f.register(id, owner, parents...))
}

// use pays a royalty from the account of x/tasks.
func (f *fix) use(model, denom string, amount int64) (direct bool) {
	coin := sdk.NewInt64Coin(denom, amount)
	tasks := authtypes.NewModuleAddress("tasks").String()
	f.bank.balances[tasks] = f.bank.balances[tasks].Add(coin)
	holder, err := f.k.Royalty(f.ctx, model, "tasks", coin)
	require.NoError(f.t, err)
	return holder == ""
}

func (f *fix) settle(denom string, names ...string) ([]math.Int, error) {
	msg := &types.MsgSettle{Sender: who(99), Denom: denom}
	for i := 0; i < len(names); i += 2 {
		msg.Edges = append(msg.Edges, types.Edge{Child: names[i], Parent: names[i+1]})
	}
	resp, err := f.msg.Settle(f.ctx, msg)
	if err != nil {
		return nil, err
	}
	return resp.Amounts, nil
}

func (f *fix) claim(node string, denoms ...string) (sdk.Coins, error) {
	resp, err := f.msg.Claim(f.ctx, &types.MsgClaim{Sender: who(99), Node: node, Denoms: denoms})
	if err != nil {
		return nil, err
	}
	return resp.Claimed, nil
}

// balance of account i.
func (f *fix) balance(i int, denom string) int64 {
	addr, err := addresses.StringToBytes(who(i))
	require.NoError(f.t, err)
	return f.bank.balances[sdk.AccAddress(addr).String()].AmountOf(denom).Int64()
}

func (f *fix) check() { require.NoError(f.t, f.k.Invariants(f.ctx)) }
