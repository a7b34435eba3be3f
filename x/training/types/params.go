package types

import errorsmod "cosmossdk.io/errors"

// Limits of the params.
const (
	maxSegments    = 1_000_000
	maxFailures    = 1_000
	maxRetryBlocks = 1_000_000
	maxPerBlock    = 10_000
	bpsOne         = 10_000
)

// DefaultParams of x/training.
func DefaultParams() Params {
	return Params{MaxSegments: 10_000, MaxFailures: 5, RetryBlocks: 16, MaxPerBlock: 64, MinBaseShareBps: 1_000}
}

// Validate names the first param that is out of its limits.
func (p Params) Validate() error {
	for _, b := range []struct {
		name          string
		v             uint64
		least, atMost uint64
	}{
		{"max_segments", p.MaxSegments, 1, maxSegments},
		{"max_failures", uint64(p.MaxFailures), 1, maxFailures},
		{"max_per_block", uint64(p.MaxPerBlock), 1, maxPerBlock},
		{"min_base_share_bps", uint64(p.MinBaseShareBps), 0, bpsOne},
	} {
		if b.v < b.least || b.v > b.atMost {
			return errorsmod.Wrapf(ErrParams, "%s: %d, want %d..%d", b.name, b.v, b.least, b.atMost)
		}
	}
	if p.RetryBlocks < 1 || p.RetryBlocks > maxRetryBlocks {
		return errorsmod.Wrapf(ErrParams, "retry_blocks: %d, want 1..%d", p.RetryBlocks, maxRetryBlocks)
	}
	return nil
}
