package keeper

import (
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"

	"poaid/x/beacon/types"
)

// Keeper is the state of x/beacon.
type Keeper struct {
	Schema  collections.Schema
	Params  collections.Item[types.Params]
	History collections.Map[int64, []byte] // height -> 32 bytes
}

// NewKeeper builds the schema; it panics when the schema is malformed, which is a programming error.
func NewKeeper(cdc codec.BinaryCodec, storeService store.KVStoreService) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		Params:  collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		History: collections.NewMap(sb, types.HistoryPrefix, "history", collections.Int64Key, collections.BytesValue),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(fmt.Errorf("schema of x/%s: %w", types.ModuleName, err))
	}
	k.Schema = schema
	return k
}
