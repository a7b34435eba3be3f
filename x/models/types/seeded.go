package types

import (
	"strings"

	errorsmod "cosmossdk.io/errors"
)

// SeededPrefix begins the ids of models that the chain itself makes from a seed; nobody else may use it.
const SeededPrefix = "sprint-"

// IsSeededID tells whether an id is kept for models that the chain makes.
func IsSeededID(id string) bool { return strings.HasPrefix(id, SeededPrefix) }

// CheckSeed refuses seeds that are not 32 bytes.
func CheckSeed(seed []byte) error {
	if len(seed) != HashBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "seed: %d bytes, want %d", len(seed), HashBytes)
	}
	return nil
}
