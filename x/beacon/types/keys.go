package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module.
	ModuleName = "beacon"
	// StoreKey is the store key of the module.
	StoreKey = ModuleName
	// Source tells where the randomness comes from, as the query reports it.
	Source = "last-commit"
	// ValueSize is the size of one height's randomness in bytes.
	ValueSize = 32
)

var (
	// ParamsKey is where the params are.
	ParamsKey = collections.NewPrefix(0)
	// HistoryPrefix keys the randomness by height.
	HistoryPrefix = collections.NewPrefix(1)
)
