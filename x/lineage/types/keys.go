package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module, its store and its module account, which only holds coins.
	ModuleName = "lineage"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. README.md has the table.
var (
	ParamsKey   = collections.NewPrefix(1)
	NodesKey    = collections.NewPrefix(2)
	EdgesKey    = collections.NewPrefix(3)
	ChildrenKey = collections.NewPrefix(4)
	AccountsKey = collections.NewPrefix(5)
	SettledKey  = collections.NewPrefix(6)
)

const (
	// MaxEdges bounds the edges of one MsgSettle and the nodes of one MsgCollect.
	MaxEdges = 100
	// MaxDenoms bounds the denoms of one MsgClaim.
	MaxDenoms = 16
	// DefaultPendingEdges and MaxPendingEdges bound what one Pending query looks at.
	DefaultPendingEdges = 200
	// MaxPendingEdges as above.
	MaxPendingEdges = 1000
	// MaxAmountBits bounds what a node may ever receive of one denom, so that no product with a share overflows.
	MaxAmountBits = 200
)
