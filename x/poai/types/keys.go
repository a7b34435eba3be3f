package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module and of its account, which holds all bonds.
	ModuleName = "poai"
	// StoreKey is the store key of the module.
	StoreKey = ModuleName
	// PPM is the scale of reliability and shares.
	PPM = 1_000_000
	// BPS is the scale of slashes.
	BPS = 10_000
)

// Prefixes of the state; see the table in README.md.
var (
	ParamsKey          = collections.NewPrefix(0x00)
	ParticipantsPrefix = collections.NewPrefix(0x01)
	LocksPrefix        = collections.NewPrefix(0x02)
	UnbondingsPrefix   = collections.NewPrefix(0x03)
	CommitteesPrefix   = collections.NewPrefix(0x04)
	SeatsPrefix        = collections.NewPrefix(0x05)
	DutiesPrefix       = collections.NewPrefix(0x06)
	EpochsPrefix       = collections.NewPrefix(0x07)
	RunningEpochKey    = collections.NewPrefix(0x08)
	ClosedEpochsKey    = collections.NewPrefix(0x09)
	ScoresPrefix       = collections.NewPrefix(0x0a)
	ReweighCursorKey   = collections.NewPrefix(0x0b)
	DecaysPrefix       = collections.NewPrefix(0x0c)
	StalePrefix        = collections.NewPrefix(0x0d)
	CapacityFromKey    = collections.NewPrefix(0x0e)
	PowerSetKey        = collections.NewPrefix(0x20)
	PowersPrefix       = collections.NewPrefix(0x21)
	BondsPrefix        = collections.NewPrefix(0x22)
	FaultsPrefix       = collections.NewPrefix(0x30)
	TotalBondKey       = collections.NewPrefix(0x31)
	BondMovesPrefix    = collections.NewPrefix(0x32)
	LossesKey          = collections.NewPrefix(0x33)
	// SortitionPrefix is followed by one byte for each map of the sortition trees.
	SortitionPrefix = byte(0x10)
)
