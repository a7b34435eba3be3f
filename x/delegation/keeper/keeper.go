package keeper

import (
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/delegation/types"
)

type (
	// DelegationKey is (participant, holder).
	DelegationKey = collections.Pair[string, string]
	// CommissionKey is (participant, epoch it holds from).
	CommissionKey = collections.Pair[string, uint64]
	// StartKey is (participant, generation, epoch).
	StartKey = collections.Triple[string, uint64, uint64]
	// EndingKey is (participant, generation).
	EndingKey = collections.Pair[string, uint64]
	// UnbondingKey is (holder, mature height, participant).
	UnbondingKey = collections.Triple[string, int64, string]
)

// Keeper is the state of x/delegation and the keepers it calls.
type Keeper struct {
	accounts  types.AccountKeeper
	bank      types.BankKeeper
	community types.CommunityPool
	poai      types.PoaiKeeper
	// rewards comes later, since it needs this keeper; shared by all copies.
	rewards   *types.RewardsKeeper
	authority string

	Schema      collections.Schema
	Params      collections.Item[types.Params]
	Pools       collections.Map[string, types.Pool]
	Commissions collections.Map[CommissionKey, uint32]
	Delegations collections.Map[DelegationKey, types.Delegation]
	ByHolder    collections.KeySet[collections.Pair[string, string]] // (holder, participant)
	Starts      collections.Map[StartKey, types.Start]
	Endings     collections.Map[EndingKey, types.Ending]
	Unbondings  collections.Map[UnbondingKey, math.Int]
}

// NewKeeper builds the schema. It panics when the schema is malformed or the module has no account: both are wiring errors.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, accounts types.AccountKeeper, bank types.BankKeeper,
	community types.CommunityPool, poai types.PoaiKeeper, authority string,
) Keeper {
	if accounts.GetModuleAddress(types.ModuleName) == nil {
		panic(fmt.Errorf("x/%s has no module account", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(storeService)
	strings := collections.PairKeyCodec(collections.StringKey, collections.StringKey)
	numbered := collections.PairKeyCodec(collections.StringKey, collections.Uint64Key)
	k := Keeper{
		accounts: accounts, bank: bank, community: community, poai: poai,
		rewards: new(types.RewardsKeeper), authority: authority,

		Params:      collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Pools:       collections.NewMap(sb, types.PoolsKey, "pools", collections.StringKey, codec.CollValue[types.Pool](cdc)),
		Commissions: collections.NewMap(sb, types.CommissionsKey, "commissions", numbered, collections.Uint32Value),
		Delegations: collections.NewMap(sb, types.DelegationsKey, "delegations", strings, codec.CollValue[types.Delegation](cdc)),
		ByHolder:    collections.NewKeySet(sb, types.ByHolderKey, "by_holder", strings),
		Starts: collections.NewMap(sb, types.StartsKey, "starts",
			collections.TripleKeyCodec(collections.StringKey, collections.Uint64Key, collections.Uint64Key), codec.CollValue[types.Start](cdc)),
		Endings: collections.NewMap(sb, types.EndingsKey, "endings", numbered, codec.CollValue[types.Ending](cdc)),
		Unbondings: collections.NewMap(sb, types.UnbondingsPrefix, "unbondings",
			collections.TripleKeyCodec(collections.StringKey, collections.Int64Key, collections.StringKey), sdk.IntValue),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(fmt.Errorf("schema of x/%s: %w", types.ModuleName, err))
	}
	k.Schema = schema
	return k
}

// SetRewards connects what knows how fast rewards come; once, before the first block.
func (k Keeper) SetRewards(r types.RewardsKeeper) { *k.rewards = r }
