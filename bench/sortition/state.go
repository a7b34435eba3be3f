package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"cosmossdk.io/core/address"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/x/poai/keeper"
	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

const (
	model       = "digits"
	seats       = 21
	epochBlocks = 10
	reliability = 900_000
	// height is the last of epoch 2, at which epoch 1 closes.
	height = 2 * epochBlocks
)

// accounts is as much of x/auth as the operations measured here need.
type accounts struct{}

func (accounts) AddressCodec() address.Codec { return addresscodec.NewBech32Codec("poai") }
func (accounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

func (accounts) GetModuleAccount(_ context.Context, name string) sdk.ModuleAccountI {
	return authtypes.NewEmptyModuleAccount(name)
}

// state is a committed store with n participants that all serve one model.
type state struct {
	n      int
	db     dbm.DB
	key    *storetypes.KVStoreKey
	keeper *keeper.Keeper
	warm   storetypes.CommitMultiStore
}

func newState(n int) (*state, error) {
	registry := codectypes.NewInterfaceRegistry()
	types.RegisterInterfaces(registry)
	st := &state{n: n, db: dbm.NewMemDB(), key: storetypes.NewKVStoreKey(types.StoreKey)}
	// Neither coins nor models move here, so there is no bank and no x/models.
	st.keeper = keeper.NewKeeper(codec.NewProtoCodec(registry), runtime.NewKVStoreService(st.key), accounts{}, nil, nil, nil, "gov")
	var err error
	if st.warm, err = st.load(); err != nil {
		return nil, err
	}
	ctx := sdk.NewContext(st.warm, cmtproto.Header{Height: height}, false, log.NewNopLogger())
	if err := st.fill(ctx); err != nil {
		return nil, err
	}
	st.warm.Commit()
	return st, nil
}

func (st *state) load() (storetypes.CommitMultiStore, error) {
	cms := store.NewCommitMultiStore(st.db, log.NewNopLogger())
	cms.MountStoreWithDB(st.key, storetypes.StoreTypeIAVL, nil)
	return cms, cms.LoadLatestVersion()
}

// open returns a branch of the committed state. A cold one reads every node from the database.
func (st *state) open(cold bool) (sdk.Context, error) {
	cms := st.warm
	if cold {
		var err error
		if cms, err = st.load(); err != nil {
			return sdk.Context{}, err
		}
	}
	return sdk.NewContext(cms.CacheMultiStore(), cmtproto.Header{Height: height}, false, log.NewNopLogger()), nil
}

func participant(i int) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[12:], uint64(i))
	s, err := accounts{}.AddressCodec().BytesToString(b[:])
	if err != nil {
		panic(err) // twenty bytes are an address
	}
	return s
}

// fill writes params, epochs 1 and 2, and participants with capacities of epoch 1, of which a hundred are due to halve whenever halving is on.
func (st *state) fill(ctx sdk.Context) error {
	k, params := st.keeper, types.DefaultParams()
	params.EpochBlocks, params.EpochCloseDelayBlocks, params.MaxSeats, params.Capacity.HalvingEpochs = epochBlocks, epochBlocks, seats, 0
	if err := k.Params.Set(ctx, params); err != nil {
		return err
	}
	for number, e := range []types.Epoch{{StartHeight: 1, EndHeight: epochBlocks, CloseHeight: height}, {StartHeight: epochBlocks + 1}} {
		e.Number, e.TotalScore, e.TotalUnits = uint64(number+1), math.ZeroInt(), math.ZeroInt()
		if err := k.Epochs.Set(ctx, e.Number, e); err != nil {
			return err
		}
	}
	if err := k.RunningEpoch.Set(ctx, 2); err != nil {
		return err
	}
	if err := k.ClosedEpochs.Set(ctx, 0); err != nil {
		return err
	}
	if err := k.CapacityFrom.Set(ctx, 1); err != nil {
		return err
	}
	names, weights := make([]string, st.n), make([]uint64, st.n)
	for i := range st.n {
		p := types.Participant{
			Address: participant(i), Concurrency: 100, Bond: math.NewInt(int64(1_000_000_000 * (1 + i%1_000))), Locked: math.ZeroInt(),
			Unbonding: math.ZeroInt(), ReliabilityPpm: reliability, WeighedReliabilityPpm: reliability, Models: 1,
			Capacity: uint64(1_000_000 * (1 + i%700)), CapacityEpoch: 1,
		}
		names[i], weights[i] = p.Address, params.Weight(p, true)
		if err := k.Participants.Set(ctx, p.Address, p); err != nil {
			return err
		}
		if i >= 100 {
			continue
		}
		if err := k.SetCapacity(ctx, p.Address, p.Capacity); err != nil {
			return err
		}
	}
	return k.Trees.Fill(ctx, model, names, weights)
}

type operation struct {
	name string
	cold bool
	do   func(st *state, ctx sdk.Context, round uint64) error
}

func operations() (ops []operation) {
	for _, o := range []operation{
		{name: "21 draws", do: draws},
		{name: "committee of 21", do: committee},
		{name: "weight update", do: update},
		{name: "end of an epoch", do: endBlock},
		{name: "end, 100 halvings", do: endBlockHalving},
	} {
		cold := o
		o.name, cold.name, cold.cold = o.name+", warm", o.name+", cold", true
		ops = append(ops, o, cold)
	}
	return ops
}

// draws draws 21 without replacement.
func draws(st *state, ctx sdk.Context, round uint64) error {
	src := sortition.NewSource("seat", round, 0, []byte("seed"))
	var out []sortition.Leaf
	for range seats {
		_, leaf, found, err := st.keeper.Trees.Draw(ctx, model, src, out)
		if err != nil || !found {
			return fmt.Errorf("draw: found %t, %w", found, err)
		}
		out = append(out, leaf)
	}
	return nil
}

// committee draws 21 seats, locks their bonds and stores all of it.
func committee(st *state, ctx sdk.Context, round uint64) error {
	c, err := st.keeper.OpenCommittee(ctx, types.CommitteeRequest{
		Task: round + 1, Model: model, Worker: participant(1), Seed: []byte("seed"), Size: seats, LockPerSeat: math.NewInt(1_000), Deadline: height + 10,
	})
	if err == nil && c.Seats != seats {
		err = fmt.Errorf("%d seats", c.Seats)
	}
	return err
}

// update proves a new capacity, which writes the participant and a node a level.
func update(st *state, ctx sdk.Context, round uint64) error {
	return st.keeper.SetCapacity(ctx, participant(int((round+1)*7919)%st.n), 5_000+round)
}

// endBlock ends epoch 2 and closes epoch 1.
func endBlock(st *state, ctx sdk.Context, _ uint64) error {
	if err := st.keeper.EndBlock(ctx); err != nil {
		return err
	}
	closed, err := st.keeper.ClosedEpochs.Get(ctx)
	if err == nil && closed != 1 {
		err = fmt.Errorf("no epoch has closed")
	}
	return err
}

// endBlockHalving does the same with as many capacities to halve as a block halves at most.
func endBlockHalving(st *state, ctx sdk.Context, round uint64) error {
	params, err := st.keeper.Params.Get(ctx)
	if err != nil {
		return err
	}
	params.Capacity.HalvingEpochs = 1
	if err := st.keeper.Params.Set(ctx, params); err != nil {
		return err
	}
	return endBlock(st, ctx, round)
}
