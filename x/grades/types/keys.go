package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module, its store and its account, which holds the balances of all contests.
	ModuleName = "grades"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey      = collections.NewPrefix(0)
	NumberKey      = collections.NewPrefix(1)
	ContestsKey    = collections.NewPrefix(2)
	EntriesKey     = collections.NewPrefix(3)
	EntryOfKey     = collections.NewPrefix(4)
	SeatsKey       = collections.NewPrefix(5)
	BondsKey       = collections.NewPrefix(6)
	RoundsKey      = collections.NewPrefix(7)
	DueKey         = collections.NewPrefix(8)
	ContestNameKey = collections.NewPrefix(9)
)
