package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and its store. It has no module account: what is paid goes from buyer to owner.
	ModuleName = "datasets"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. README.md has the table.
var (
	ParamsKey    = collections.NewPrefix(1)
	DatasetsKey  = collections.NewPrefix(2)
	RootsKey     = collections.NewPrefix(3)
	TensorsKey   = collections.NewPrefix(4)
	ProgramsKey  = collections.NewPrefix(5)
	GrantsKey    = collections.NewPrefix(6)
	GrantCounts  = collections.NewPrefix(7)
	UseCountsKey = collections.NewPrefix(8)
	UsagesKey    = collections.NewPrefix(9)
	ExpiriesKey  = collections.NewPrefix(10)
)

// Limits that are no params, because nothing is gained by changing them.
const (
	// HashBytes is the length of a root or hash.
	HashBytes = 32
	// MaxDescriptionBytes bounds the description.
	MaxDescriptionBytes = 1024
	// MaxLicenceBytes bounds the licence.
	MaxLicenceBytes = 64
	// MaxSchemeBytes bounds the scheme of encryption.
	MaxSchemeBytes = 64
	// MaxEndpointBytes bounds the place where keys are asked for.
	MaxEndpointBytes = 256
	// MaxExpiry bounds the height at which a grant of a genesis ends, far from what int64 holds.
	MaxExpiry = 1 << 62
	// MaxUsedRoots bounds the roots of one Use.
	MaxUsedRoots = 4096
)
