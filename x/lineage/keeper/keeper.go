package keeper

import (
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/lineage/types"
)

// Keeper holds what models descend from, and the royalties on their way up.
type Keeper struct {
	addresses address.Codec
	authority string
	module    sdk.AccAddress
	bank      types.BankKeeper
	models    types.ModelsKeeper
	datasets  types.DatasetsKeeper

	Schema collections.Schema
	Params collections.Item[types.Params]
	// Nodes are the models that have parents.
	Nodes collections.Map[string, types.Node]
	// Edges hold the share in 1/10,000, keyed by child and parent.
	Edges collections.Map[collections.Pair[string, string], uint32]
	// Children index edges by parent and child.
	Children collections.KeySet[collections.Pair[string, string]]
	// Accounts are keyed by node and denom.
	Accounts collections.Map[collections.Pair[string, string], types.Account]
	// Settled is what an edge has passed up, keyed by child, parent and denom; without entries of zero.
	Settled collections.Map[collections.Triple[string, string, string], math.Int]
}

// NewKeeper builds the keeper. authority may change the params; accounts must know the module's account.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, addresses address.Codec, accounts types.AccountKeeper, bank types.BankKeeper,
	models types.ModelsKeeper, datasets types.DatasetsKeeper, authority string,
) Keeper {
	module := accounts.GetModuleAddress(types.ModuleName)
	if module == nil {
		panic(fmt.Sprintf("the x/%s module account has not been set", types.ModuleName))
	}
	sb := collections.NewSchemaBuilder(storeService)
	pair := collections.PairKeyCodec(collections.StringKey, collections.StringKey)
	k := Keeper{
		addresses: addresses, authority: authority, module: module, bank: bank, models: models, datasets: datasets,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Nodes:    collections.NewMap(sb, types.NodesKey, "nodes", collections.StringKey, codec.CollValue[types.Node](cdc)),
		Edges:    collections.NewMap(sb, types.EdgesKey, "edges", pair, collections.Uint32Value),
		Children: collections.NewKeySet(sb, types.ChildrenKey, "children", pair),
		Accounts: collections.NewMap(sb, types.AccountsKey, "accounts", pair, codec.CollValue[types.Account](cdc)),
		Settled: collections.NewMap(sb, types.SettledKey, "settled",
			collections.TripleKeyCodec(collections.StringKey, collections.StringKey, collections.StringKey), sdk.IntValue),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority returns the address that may change the params.
func (k Keeper) Authority() string { return k.authority }
