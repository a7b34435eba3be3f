package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and its store. Its account holds nothing: it stands as the submitter of audit tasks.
	ModuleName = "sprints"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// DefaultBaseModel is the id of the reference transformer.
	DefaultBaseModel = "sprint"
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey      = collections.NewPrefix(0)
	SeasonKey      = collections.NewPrefix(1)
	LastWindowKey  = collections.NewPrefix(2)
	WindowsKey     = collections.NewPrefix(3)
	CommitsKey     = collections.NewPrefix(4)
	AuditsKey      = collections.NewPrefix(5)
	AuditsOfKey    = collections.NewPrefix(6)
	DueOpeningsKey = collections.NewPrefix(7)
	SeededKey      = collections.NewPrefix(8)
	ProvenKey      = collections.NewPrefix(9)
)
