package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and its account, which holds the deposits of bids.
	ModuleName = "auctions"
	// StoreKey is the store of the module.
	StoreKey = ModuleName
	// KeptBids is how many bids of an auction are kept: the winner, and who follows it where it fails.
	KeptBids = 3
	// BpsOne is one in 1/10,000.
	BpsOne = 10_000
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey    = collections.NewPrefix(0)
	TermsKey     = collections.NewPrefix(1)
	StandingsKey = collections.NewPrefix(2)
	BidsKey      = collections.NewPrefix(3)
	ByBidderKey  = collections.NewPrefix(4)
)
