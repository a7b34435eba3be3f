package keeper

import (
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

type (
	// LockKey is (participant, kind, task).
	LockKey = collections.Triple[string, int32, uint64]
	// UnbondingKey is (participant, mature height).
	UnbondingKey = collections.Pair[string, int64]
	// SeatKey is (task, index).
	SeatKey = collections.Pair[uint64, uint32]
	// DutyKey is (participant, task).
	DutyKey = collections.Pair[string, uint64]
	// ScoreKey is (epoch, participant).
	ScoreKey = collections.Pair[uint64, string]
	// DecayKey is (capacity_epoch, participant).
	DecayKey = collections.Pair[uint64, string]
	// StaleKey is (height of the fault, participant).
	StaleKey = collections.Pair[int64, string]
)

// Keeper is the state of x/poai and the keepers it calls.
type Keeper struct {
	accounts  types.AccountKeeper
	bank      types.BankKeeper
	community types.CommunityPool
	models    types.ModelsKeeper
	authority string

	committeeHooks types.CommitteeHooks
	epochHooks     types.EpochHooks
	bondHooks      types.BondHooks

	Schema        collections.Schema
	Params        collections.Item[types.Params]
	Participants  collections.Map[string, types.Participant]
	Locks         collections.Map[LockKey, math.Int]
	Unbondings    collections.Map[UnbondingKey, math.Int]
	Trees         sortition.Trees
	ReweighCursor collections.Item[string] // next participant to weigh anew; absent when all are
	Committees    collections.Map[uint64, types.Committee]
	Seats         collections.Map[SeatKey, types.Seat]
	Duties        collections.Map[DutyKey, uint32] // -> seat index, while the seat is open or sealed
	Epochs        collections.Map[uint64, types.Epoch]
	RunningEpoch  collections.Item[uint64]
	ClosedEpochs  collections.Item[uint64]               // all epochs up to this one are closed
	Scores        collections.Map[ScoreKey, types.Score] // epoch and participant are in the key alone
	Decays        collections.KeySet[DecayKey]           // who has capacity, by the epoch it is of
	Stale         collections.KeySet[StaleKey]           // who is to be weighed anew because of a fault
	CapacityFrom  collections.Item[uint64]               // first epoch in which capacity counts; absent while nobody has proven any
	powerState
	faultState
}

// NewKeeper builds the schema. It panics when the schema is malformed or the module has no account: both are wiring errors.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, accounts types.AccountKeeper, bank types.BankKeeper,
	community types.CommunityPool, models types.ModelsKeeper, authority string,
) *Keeper {
	if accounts.GetModuleAddress(types.ModuleName) == nil {
		panic(fmt.Errorf("x/%s has no module account", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(storeService)
	lockKey := collections.TripleKeyCodec(collections.StringKey, collections.Int32Key, collections.Uint64Key)
	k := &Keeper{
		accounts: accounts, bank: bank, community: community, models: models, authority: authority,

		Params:       collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Participants: collections.NewMap(sb, types.ParticipantsPrefix, "participants", collections.StringKey, codec.CollValue[types.Participant](cdc)),
		Locks:        collections.NewMap(sb, types.LocksPrefix, "locks", lockKey, sdk.IntValue),
		Unbondings: collections.NewMap(sb, types.UnbondingsPrefix, "unbondings",
			collections.PairKeyCodec(collections.StringKey, collections.Int64Key), sdk.IntValue),
		Trees:         sortition.New(sb, types.SortitionPrefix),
		ReweighCursor: collections.NewItem(sb, types.ReweighCursorKey, "reweigh_cursor", collections.StringValue),
		Committees:    collections.NewMap(sb, types.CommitteesPrefix, "committees", collections.Uint64Key, codec.CollValue[types.Committee](cdc)),
		Seats: collections.NewMap(sb, types.SeatsPrefix, "seats",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.Seat](cdc)),
		Duties: collections.NewMap(sb, types.DutiesPrefix, "duties",
			collections.PairKeyCodec(collections.StringKey, collections.Uint64Key), collections.Uint32Value),
		Epochs:       collections.NewMap(sb, types.EpochsPrefix, "epochs", collections.Uint64Key, codec.CollValue[types.Epoch](cdc)),
		RunningEpoch: collections.NewItem(sb, types.RunningEpochKey, "running_epoch", collections.Uint64Value),
		ClosedEpochs: collections.NewItem(sb, types.ClosedEpochsKey, "closed_epochs", collections.Uint64Value),
		Scores: collections.NewMap(sb, types.ScoresPrefix, "scores",
			collections.PairKeyCodec(collections.Uint64Key, collections.StringKey), codec.CollValue[types.Score](cdc)),
		Decays:       collections.NewKeySet(sb, types.DecaysPrefix, "decays", collections.PairKeyCodec(collections.Uint64Key, collections.StringKey)),
		Stale:        collections.NewKeySet(sb, types.StalePrefix, "stale", collections.PairKeyCodec(collections.Int64Key, collections.StringKey)),
		CapacityFrom: collections.NewItem(sb, types.CapacityFromKey, "capacity_from", collections.Uint64Value),
		powerState:   newPowerState(sb, cdc),
		faultState:   newFaultState(sb, cdc),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(fmt.Errorf("schema of x/%s: %w", types.ModuleName, err))
	}
	k.Schema = schema
	return k
}

// SetCommitteeHooks sets who hears of committees; once, while wiring.
func (k *Keeper) SetCommitteeHooks(h types.CommitteeHooks) {
	if k.committeeHooks != nil {
		panic(fmt.Errorf("committee hooks of x/%s are set twice", types.ModuleName))
	}
	k.committeeHooks = h
}

// SetEpochHooks sets who hears of epochs and lies; once, while wiring.
func (k *Keeper) SetEpochHooks(h types.EpochHooks) {
	if k.epochHooks != nil {
		panic(fmt.Errorf("epoch hooks of x/%s are set twice", types.ModuleName))
	}
	k.epochHooks = h
}

// SetBondHooks sets who may refuse that a participant takes out of its bond; once, while wiring.
func (k *Keeper) SetBondHooks(h types.BondHooks) {
	if k.bondHooks != nil {
		panic(fmt.Errorf("bond hooks of x/%s are set twice", types.ModuleName))
	}
	k.bondHooks = h
}
