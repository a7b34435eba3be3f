package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	coreaddress "cosmossdk.io/core/address"
	"cosmossdk.io/math"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
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

// fakeAccounts knows module accounts by the hash of their name.
type fakeAccounts struct{}

func (fakeAccounts) AddressCodec() coreaddress.Codec { return addresscodec.NewBech32Codec("poai") }

func (fakeAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func (fakeAccounts) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	return authtypes.NewEmptyModuleAccount(name)
}

// bankState holds balances by account, or account/denom where the denom is another. Pending is what virtual sends credit at the end of the block,
// Pool the community's.
type bankState struct {
	Balances map[string]math.Int
	Pending  sdk.Coins
	Burnt    sdk.Coins
	Pool     sdk.Coins
}

const other = "usdc"

func account(addr sdk.AccAddress, d string) string {
	if d == denom {
		return addr.String()
	}
	return addr.String() + "/" + d
}

type fakeBank struct {
	kv
	blocked map[string]bool
}

func (b fakeBank) state(ctx context.Context) bankState {
	s := bankState{Balances: map[string]math.Int{}}
	b.load(ctx, "bank", &s)
	return s
}

func (s bankState) of(addr sdk.AccAddress) math.Int { return s.in(addr, denom) }

func (s bankState) in(addr sdk.AccAddress, d string) math.Int {
	if v, ok := s.Balances[account(addr, d)]; ok {
		return v
	}
	return math.ZeroInt()
}

func (s bankState) add(addr sdk.AccAddress, v math.Int) error { return s.addIn(addr, denom, v) }

func (s bankState) addIn(addr sdk.AccAddress, d string, v math.Int) error {
	sum := s.in(addr, d).Add(v)
	if sum.IsNegative() {
		return errors.New("insufficient funds")
	}
	s.Balances[account(addr, d)] = sum
	return nil
}

func (b fakeBank) fund(ctx context.Context, addr sdk.AccAddress, v int64) {
	s := b.state(ctx)
	_ = s.add(addr, math.NewInt(v))
	b.save(ctx, "bank", s)
}

func amount(c sdk.Coins) sdk.Coin {
	if len(c) != 1 || c[0].Denom != denom && c[0].Denom != other || !c[0].IsPositive() {
		panic(fmt.Sprintf("coins %s", c))
	}
	return c[0]
}

// take takes a coin from an account.
func (s bankState) take(addr sdk.AccAddress, c sdk.Coin) error {
	return s.addIn(addr, c.Denom, c.Amount.Neg())
}

// credit gives coins to an account.
func (s bankState) credit(addr sdk.AccAddress, coins sdk.Coins) {
	for _, c := range coins {
		_ = s.addIn(addr, c.Denom, c.Amount)
	}
}

func (b fakeBank) SendCoinsFromAccountToModuleVirtual(ctx context.Context, from sdk.AccAddress, _ string, c sdk.Coins) error {
	s := b.state(ctx)
	if err := s.take(from, amount(c)); err != nil {
		return err
	}
	s.Pending = s.Pending.Add(c...)
	b.save(ctx, "bank", s)
	return nil
}

// endBlock credits the virtual sends.
func (b fakeBank) endBlock(ctx context.Context, module string) {
	s := b.state(ctx)
	s.credit(authtypes.NewModuleAddress(module), s.Pending)
	s.Pending = nil
	b.save(ctx, "bank", s)
}

func (b fakeBank) SendCoinsFromModuleToAccount(ctx context.Context, module string, to sdk.AccAddress, c sdk.Coins) error {
	if b.BlockedAddr(to) {
		return errors.New("blocked")
	}
	s := b.state(ctx)
	if err := s.take(authtypes.NewModuleAddress(module), amount(c)); err != nil {
		return err
	}
	s.credit(to, c)
	b.save(ctx, "bank", s)
	return nil
}

func (b fakeBank) SendCoinsFromModuleToModule(ctx context.Context, from, to string, c sdk.Coins) error {
	s := b.state(ctx)
	if err := s.take(authtypes.NewModuleAddress(from), amount(c)); err != nil {
		return err
	}
	s.credit(authtypes.NewModuleAddress(to), c)
	b.save(ctx, "bank", s)
	return nil
}

func (b fakeBank) BurnCoins(ctx context.Context, module string, c sdk.Coins) error {
	s := b.state(ctx)
	if err := s.take(authtypes.NewModuleAddress(module), amount(c)); err != nil {
		return err
	}
	if c[0].Denom != denom {
		return errors.New("not ours to burn")
	}
	s.Burnt = s.Burnt.Add(c...)
	b.save(ctx, "bank", s)
	return nil
}

// FundCommunityPool makes the bank stand for x/distribution too.
func (b fakeBank) FundCommunityPool(ctx context.Context, c sdk.Coins, from sdk.AccAddress) error {
	s := b.state(ctx)
	if err := s.take(from, amount(c)); err != nil {
		return err
	}
	s.Pool = s.Pool.Add(c...)
	b.save(ctx, "bank", s)
	return nil
}

func (b fakeBank) GetBalance(ctx context.Context, addr sdk.AccAddress, d string) sdk.Coin {
	return sdk.NewCoin(d, b.state(ctx).in(addr, d))
}

func (b fakeBank) BlockedAddr(addr sdk.AccAddress) bool { return b.blocked[addr.String()] }

// fakeBeacon hashes the height. It refuses heights to come, so that a draw from the future shows.
type fakeBeacon struct{ lost map[int64]bool }

func (b fakeBeacon) Randomness(ctx context.Context, height int64) ([]byte, error) {
	if height > sdk.UnwrapSDKContext(ctx).BlockHeight() || b.lost[height] {
		return nil, fmt.Errorf("no randomness for height %d", height)
	}
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(height)))
	return sum[:], nil
}

// fakeModels serves a fixed registry: each step costs unitsStep, forced ones as well.
type fakeModels struct {
	models     map[string]modelstypes.Model
	programs   map[string]*graphpb.Program
	vocabulary map[string]modelstypes.Vocabulary
}

func (m fakeModels) GetModel(_ context.Context, id string) (modelstypes.Model, error) {
	model, ok := m.models[id]
	if !ok {
		return model, modelstypes.ErrModelNotFound.Wrapf("id: %q", id)
	}
	return model, nil
}

func (m fakeModels) Interface(_ context.Context, id string) (*graphpb.Program, error) {
	prog, ok := m.programs[id]
	if !ok {
		return nil, modelstypes.ErrModelNotFound.Wrapf("id: %q", id)
	}
	return prog, nil
}

func (m fakeModels) RunUnits(_ context.Context, id string, steps, promptRows uint64) (uint64, uint64, error) {
	model, ok := m.models[id]
	if !ok || steps < 1 || steps > m.programs[id].MaxSteps {
		return 0, 0, modelstypes.ErrInvalidRun.Wrapf("steps: %d", steps)
	}
	forced := uint64(0)
	if promptRows > 1 {
		forced = min(steps, promptRows-1)
	}
	return steps * model.UnitsStep, (steps - forced) * model.UnitsStep, nil
}

func (m fakeModels) GetVocabulary(_ context.Context, id string) (modelstypes.Vocabulary, error) {
	return m.vocabulary[id], nil
}

var (
	_ types.AccountKeeper = fakeAccounts{}
	_ types.BankKeeper    = fakeBank{}
	_ types.CommunityPool = fakeBank{}
	_ types.BeaconKeeper  = fakeBeacon{}
	_ types.ModelsKeeper  = fakeModels{}
	_ types.PoaiKeeper    = &fakePoai{}
)
