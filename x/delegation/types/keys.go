package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module and of its account, which holds unpaid rewards and what is unbonding.
	ModuleName = "delegation"
	// StoreKey is the store key of the module.
	StoreKey = ModuleName
	// BPS is the scale of commissions.
	BPS = 10_000
	// IndexBits are the fractional bits of indexes, remainders and what is owed.
	IndexBits = 128
	// MaxShareBits bounds the shares of a pool. They outgrow it only if a pool was slashed to about a 2^40th of itself again and again.
	MaxShareBits = 112
	// MaxWithdrawals bounds the entries that one Withdraw pays.
	MaxWithdrawals = 100
)

// Prefixes of the state; see the table in README.md.
var (
	ParamsKey        = collections.NewPrefix(0x00)
	PoolsKey         = collections.NewPrefix(0x01)
	CommissionsKey   = collections.NewPrefix(0x02)
	DelegationsKey   = collections.NewPrefix(0x03)
	ByHolderKey      = collections.NewPrefix(0x04)
	StartsKey        = collections.NewPrefix(0x05)
	EndingsKey       = collections.NewPrefix(0x06)
	UnbondingsPrefix = collections.NewPrefix(0x07)
)
