package keeper

import (
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"

	"poaid/x/beacon/types"
)

// Keeper is the state of x/beacon.
type Keeper struct {
	Schema  collections.Schema
	Params  collections.Item[types.Params]
	History collections.Map[int64, types.Randomness]
	Keys    collections.Map[[]byte, types.OperatorKeys] // by operator
	// Activations lists operators by the height from which a key of theirs acts.
	Activations collections.KeySet[collections.Pair[int64, []byte]]
	// Proposers is the validator set that CometBFT uses at the next height, by consensus address.
	Proposers collections.Map[[]byte, types.Proposer]
	// Updates of Proposers by the height at which they hold.
	Updates collections.Map[collections.Pair[int64, []byte], types.Proposer]
	// Standing of the next height.
	Standing collections.Item[types.Standing]

	operators address.Codec
	staking   types.StakingKeeper
	authority string
}

// NewKeeper builds the keeper; it panics when the schema is malformed, which is a programming error. operators reads operator addresses,
// authority may change the params.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, operators address.Codec, staking types.StakingKeeper, authority string,
) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	heightAnd := collections.PairKeyCodec(collections.Int64Key, collections.BytesKey)
	k := &Keeper{
		Params:      collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		History:     collections.NewMap(sb, types.HistoryPrefix, "history", collections.Int64Key, codec.CollValue[types.Randomness](cdc)),
		Keys:        collections.NewMap(sb, types.KeysPrefix, "keys", collections.BytesKey, codec.CollValue[types.OperatorKeys](cdc)),
		Activations: collections.NewKeySet(sb, types.ActivationsPrefix, "activations", heightAnd),
		Proposers:   collections.NewMap(sb, types.ProposersPrefix, "proposers", collections.BytesKey, codec.CollValue[types.Proposer](cdc)),
		Updates:     collections.NewMap(sb, types.UpdatesPrefix, "updates", heightAnd, codec.CollValue[types.Proposer](cdc)),
		Standing:    collections.NewItem(sb, types.StandingKey, "standing", codec.CollValue[types.Standing](cdc)),
		operators:   operators,
		staking:     staking,
		authority:   authority,
	}
	schema, err := sb.Build()
	if err != nil {
		panic(fmt.Errorf("schema of x/%s: %w", types.ModuleName, err))
	}
	k.Schema = schema
	return k
}
