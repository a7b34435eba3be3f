package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/x/models/types"
)

// Keeper holds the registered models, their programs and what their runs cost.
type Keeper struct {
	addresses address.Codec
	authority string
	// programs is shared by all copies of the keeper.
	programs *programCache
	// lineage keeps parents; shared likewise.
	lineage *types.LineageHooks
	// judgeable refuses programs that x/disputes could not judge.
	judgeable func(*engine.Program) error

	Schema       collections.Schema
	Params       collections.Item[types.Params]
	Models       collections.Map[string, types.Model]
	Programs     collections.Map[string, []byte]
	Interfaces   collections.Map[string, graphpb.Program]
	Vocabularies collections.Map[string, types.Vocabulary]
	Units        collections.Map[string, types.Units]
	// UnitSums holds prefix sums of step units, types.ChunkSums a key (model, forced, chunk), of models whose steps differ in cost.
	UnitSums collections.Map[collections.Triple[string, bool, uint64], []byte]
}

// NewKeeper builds the keeper. authority may change params and eligibility.
func NewKeeper(cdc codec.BinaryCodec, storeService store.KVStoreService, addresses address.Codec, authority string) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := Keeper{
		addresses:    addresses,
		authority:    authority,
		programs:     newProgramCache(),
		lineage:      new(types.LineageHooks),
		judgeable:    game.Judgeable,
		Params:       collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Models:       collections.NewMap(sb, types.ModelsKey, "models", collections.StringKey, codec.CollValue[types.Model](cdc)),
		Programs:     collections.NewMap(sb, types.ProgramsKey, "programs", collections.StringKey, collections.BytesValue),
		Interfaces:   collections.NewMap(sb, types.InterfacesKey, "interfaces", collections.StringKey, codec.CollValue[graphpb.Program](cdc)),
		Vocabularies: collections.NewMap(sb, types.VocabulariesKey, "vocabularies", collections.StringKey, codec.CollValue[types.Vocabulary](cdc)),
		Units:        collections.NewMap(sb, types.UnitsKey, "units", collections.StringKey, codec.CollValue[types.Units](cdc)),
		UnitSums: collections.NewMap(sb, types.UnitSumsKey, "unit_sums",
			collections.TripleKeyCodec(collections.StringKey, collections.BoolKey, collections.Uint64Key), collections.BytesValue),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority returns the address that may change params and eligibility.
func (k Keeper) Authority() string { return k.authority }
