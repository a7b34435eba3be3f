package types

import errorsmod "cosmossdk.io/errors"

// BasisPoints is the whole of what a node receives.
const BasisPoints = 10_000

const (
	// DefaultMaxParents bounds what a claim reads.
	DefaultMaxParents = 16
	// DefaultMaxDepth is more generations than a royalty survives at any share but the whole.
	DefaultMaxDepth = 32
	// DefaultMaxTotalBps leaves a tenth to the owner.
	DefaultMaxTotalBps = 9_000

	// maxParentsLimit and maxDepthLimit bound those params.
	maxParentsLimit = 256
	maxDepthLimit   = 1024
)

// DefaultParams of x/lineage.
func DefaultParams() Params {
	return Params{MaxParents: DefaultMaxParents, MaxDepth: DefaultMaxDepth, MaxTotalBps: DefaultMaxTotalBps}
}

// Validate refuses params that make no sense; the error names the field and the limit.
func (p Params) Validate() error {
	for _, f := range []struct {
		name            string
		value, min, max uint32
	}{
		{"max_parents", p.MaxParents, 1, maxParentsLimit},
		{"max_depth", p.MaxDepth, 1, maxDepthLimit},
		{"max_total_bps", p.MaxTotalBps, 1, BasisPoints},
	} {
		if f.value < f.min || f.value > f.max {
			return errorsmod.Wrapf(ErrInvalidParams, "%s: %d must be in %d..%d", f.name, f.value, f.min, f.max)
		}
	}
	return nil
}
