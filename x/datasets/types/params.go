package types

import (
	errorsmod "cosmossdk.io/errors"
)

// BasisPoints is the whole of a share.
const BasisPoints = 10_000

const (
	// DefaultMaxRoots of one dataset: a tensor may hold gigabytes.
	DefaultMaxRoots = 256
	// DefaultMaxShareBps leaves most of a model's royalties to others.
	DefaultMaxShareBps = 3_000
	// DefaultCommunityBps is a twentieth of each price.
	DefaultCommunityBps = 500
	// DefaultMaxGrantBlocks is five years of one-second blocks.
	DefaultMaxGrantBlocks = 157_680_000

	// maxRootsLimit bounds max_roots: a registration writes each.
	maxRootsLimit = 4096
	// maxGrantLimit keeps heights plus grants far from overflow.
	maxGrantLimit = 1 << 40
)

// DefaultParams of x/datasets.
func DefaultParams() Params {
	return Params{
		MaxRoots: DefaultMaxRoots, MaxShareBps: DefaultMaxShareBps, CommunityBps: DefaultCommunityBps, MaxGrantBlocks: DefaultMaxGrantBlocks,
	}
}

// Validate refuses params that make no sense; the error names the field and the limit.
func (p Params) Validate() error {
	for _, f := range []struct {
		name     string
		value    int64
		min, max int64
	}{
		{"max_roots", int64(p.MaxRoots), 1, maxRootsLimit},
		{"max_share_bps", int64(p.MaxShareBps), 0, BasisPoints},
		{"community_bps", int64(p.CommunityBps), 0, BasisPoints},
		{"max_grant_blocks", p.MaxGrantBlocks, 1, maxGrantLimit},
	} {
		if f.value < f.min || f.value > f.max {
			return errorsmod.Wrapf(ErrInvalidParams, "%s: %d must be in %d..%d", f.name, f.value, f.min, f.max)
		}
	}
	return nil
}
