package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module, its store and its module account, which needs the minter permission.
	ModuleName = "rewards"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. README.md has the table.
var (
	ParamsKey      = collections.NewPrefix(1)
	SupplyKey      = collections.NewPrefix(2)
	PoolsKey       = collections.NewPrefix(3)
	VestingsKey    = collections.NewPrefix(4)
	ClaimsKey      = collections.NewPrefix(5)
	ForfeituresKey = collections.NewPrefix(6)
	AutoBondsKey   = collections.NewPrefix(7)
)

const (
	// MaxClaimEpochs bounds the epochs of one claim or sweep.
	MaxClaimEpochs = 100
	// MaxAutoBondPpm is all of what is paid.
	MaxAutoBondPpm = 1_000_000
	// MaxClaimableScan bounds the epochs one page of the Claimable query looks at.
	MaxClaimableScan = 1000
)
