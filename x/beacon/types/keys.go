package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the name of the module.
	ModuleName = "beacon"
	// StoreKey is the store key of the module.
	StoreKey = ModuleName
	// ValueSize is the size of one height's randomness in bytes.
	ValueSize = 32
	// ValidatorUpdateDelay is how many heights after the block that returned it an update of the validator set holds in CometBFT.
	ValidatorUpdateDelay = 2
)

// Sources of randomness, as the query reports them.
const (
	SourceVRF        = "vrf"
	SourceLastCommit = "last-commit"
)

var (
	// ParamsKey is where the params are.
	ParamsKey = collections.NewPrefix(0)
	// HistoryPrefix keys the randomness by height.
	HistoryPrefix = collections.NewPrefix(1)
	// KeysPrefix keys validators' VRF keys by operator.
	KeysPrefix = collections.NewPrefix(2)
	// ActivationsPrefix keys operators by the height from which a key of theirs acts.
	ActivationsPrefix = collections.NewPrefix(3)
	// ProposersPrefix keys the validator set that CometBFT uses at the next height, by consensus address.
	ProposersPrefix = collections.NewPrefix(4)
	// UpdatesPrefix keys updates of that set by the height at which they hold, and consensus address.
	UpdatesPrefix = collections.NewPrefix(5)
	// StandingKey is where the standing of the next height is.
	StandingKey = collections.NewPrefix(6)
)
