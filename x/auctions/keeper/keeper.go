package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/auctions/types"
	taskstypes "poaid/x/tasks/types"
)

var _ taskstypes.AuctionKeeper = Keeper{}

// Keeper owns auctions, bids and their deposits.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	community types.CommunityPool
	poai      types.PoaiKeeper
	authority string

	Schema    collections.Schema
	Params    collections.Item[types.Params]
	Terms     collections.Map[uint64, types.Terms]
	Standings collections.Map[uint64, types.Standing]
	// Bids by task and bidder, until they are withdrawn.
	Bids collections.Map[bidKey, types.Bid]
	// ByBidder indexes them.
	ByBidder collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
}

// bidKey is task and bidder.
type bidKey = collections.Pair[uint64, sdk.AccAddress]

// NewKeeper builds the keeper.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService,
	account types.AccountKeeper, bank types.BankKeeper, community types.CommunityPool, poai types.PoaiKeeper, authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := Keeper{
		account: account, bank: bank, community: community, poai: poai, authority: authority,

		Params:    collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Terms:     collections.NewMap(sb, types.TermsKey, "terms", collections.Uint64Key, codec.CollValue[types.Terms](cdc)),
		Standings: collections.NewMap(sb, types.StandingsKey, "standings", collections.Uint64Key, codec.CollValue[types.Standing](cdc)),
		Bids: collections.NewMap(sb, types.BidsKey, "bids",
			collections.NamedPairKeyCodec("task", collections.Uint64Key, "bidder", sdk.AccAddressKey), codec.CollValue[types.Bid](cdc)),
		ByBidder: collections.NewKeySet(sb, types.ByBidderKey, "by_bidder",
			collections.NamedPairKeyCodec("bidder", sdk.AccAddressKey, "task", collections.Uint64Key)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority is the address that may change params.
func (k Keeper) Authority() string { return k.authority }
