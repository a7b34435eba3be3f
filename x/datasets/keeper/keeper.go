package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/datasets/types"
)

// Keeper holds the registered datasets, who may train on them and who did.
type Keeper struct {
	addresses address.Codec
	authority string
	bank      types.BankKeeper
	community types.CommunityPool

	Schema   collections.Schema
	Params   collections.Item[types.Params]
	Datasets collections.Map[string, types.Dataset]
	// Roots tells which dataset a tensor root belongs to.
	Roots collections.Map[[]byte, string]
	// Tensors holds the roots of each dataset.
	Tensors collections.KeySet[collections.Pair[string, []byte]]
	// Programs are the allowlists; the value tells whether no grant is needed.
	Programs collections.Map[collections.Pair[string, []byte], bool]
	// Grants hold the first height at which a grant no longer holds.
	Grants collections.Map[collections.Pair[string, sdk.AccAddress], int64]
	// Expiries has them by that height.
	Expiries    collections.KeySet[expiryKey]
	GrantCounts collections.Map[string, uint64]
	UseCounts   collections.Map[string, uint64]
	Usages      collections.Map[collections.Pair[string, sdk.AccAddress], types.Usage]
}

// expiryKey is (height, dataset, account).
type expiryKey = collections.Triple[int64, string, sdk.AccAddress]

// NewKeeper builds the keeper. authority may change the params and strike roots.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, addresses address.Codec, bank types.BankKeeper, community types.CommunityPool,
	authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	ofHash := collections.PairKeyCodec(collections.StringKey, collections.BytesKey)
	ofAccount := collections.PairKeyCodec(collections.StringKey, sdk.AccAddressKey)
	k := Keeper{
		addresses: addresses, authority: authority, bank: bank, community: community,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Datasets: collections.NewMap(sb, types.DatasetsKey, "datasets", collections.StringKey, codec.CollValue[types.Dataset](cdc)),
		Roots:    collections.NewMap(sb, types.RootsKey, "roots", collections.BytesKey, collections.StringValue),
		Tensors:  collections.NewKeySet(sb, types.TensorsKey, "tensors", ofHash),
		Programs: collections.NewMap(sb, types.ProgramsKey, "programs", ofHash, collections.BoolValue),
		Grants:   collections.NewMap(sb, types.GrantsKey, "grants", ofAccount, collections.Int64Value),
		Expiries: collections.NewKeySet(sb, types.ExpiriesKey, "expiries",
			collections.TripleKeyCodec(collections.Int64Key, collections.StringKey, sdk.AccAddressKey)),
		GrantCounts: collections.NewMap(sb, types.GrantCounts, "grant_counts", collections.StringKey, collections.Uint64Value),
		UseCounts:   collections.NewMap(sb, types.UseCountsKey, "use_counts", collections.StringKey, collections.Uint64Value),
		Usages:      collections.NewMap(sb, types.UsagesKey, "usages", ofAccount, codec.CollValue[types.Usage](cdc)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority returns the address that may change the params and strike roots.
func (k Keeper) Authority() string { return k.authority }
