package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/rewards/types"
)

// Keeper holds the state of x/rewards: what was minted, the pools it was put into, and what has been claimed and vests.
type Keeper struct {
	addresses address.Codec
	authority string
	module    sdk.AccAddress

	bank      types.BankKeeper
	community types.CommunityPool
	poai      types.PoaiKeeper
	tasks     types.TasksKeeper

	delegation types.DelegationKeeper

	Schema      collections.Schema
	Params      collections.Item[types.Params]
	Supply      collections.Item[types.Supply]
	Pools       collections.Map[uint64, types.EpochPool]
	Vestings    collections.Map[sdk.AccAddress, types.Vesting]
	Claims      collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	Forfeitures collections.Map[sdk.AccAddress, uint64]
	AutoBonds   collections.Map[sdk.AccAddress, uint32]
}

// NewKeeper builds the keeper. authority may change the params; accounts must know the module's account.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, addresses address.Codec, accounts types.AccountKeeper,
	bank types.BankKeeper, community types.CommunityPool, poai types.PoaiKeeper, tasks types.TasksKeeper, delegation types.DelegationKeeper,
	authority string,
) Keeper {
	module := accounts.GetModuleAddress(types.ModuleName)
	if module == nil {
		panic(fmt.Sprintf("the x/%s module account has not been set", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(storeService)
	k := Keeper{
		addresses: addresses,
		authority: authority,
		module:    module,
		bank:      bank,
		community: community,
		poai:      poai,
		tasks:     tasks,

		delegation: delegation,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Supply:   collections.NewItem(sb, types.SupplyKey, "supply", codec.CollValue[types.Supply](cdc)),
		Pools:    collections.NewMap(sb, types.PoolsKey, "pools", collections.Uint64Key, codec.CollValue[types.EpochPool](cdc)),
		Vestings: collections.NewMap(sb, types.VestingsKey, "vestings", sdk.AccAddressKey, codec.CollValue[types.Vesting](cdc)),
		Claims: collections.NewKeySet(sb, types.ClaimsKey, "claims",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key)),
		Forfeitures: collections.NewMap(sb, types.ForfeituresKey, "forfeitures", sdk.AccAddressKey, collections.Uint64Value),
		AutoBonds:   collections.NewMap(sb, types.AutoBondsKey, "auto_bonds", sdk.AccAddressKey, collections.Uint32Value),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// VestingBlocks is how long a claim vests.
func (k Keeper) VestingBlocks(ctx context.Context) (int64, error) {
	params, err := k.Params.Get(ctx)
	return params.VestingBlocks, err
}

// Authority returns the address that may change the params.
func (k Keeper) Authority() string { return k.authority }
