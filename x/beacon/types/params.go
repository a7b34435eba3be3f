package types

import errorsmod "cosmossdk.io/errors"

// Limits of the params, in blocks.
const (
	MinHistory     = 2
	MaxHistory     = 1_000_000
	DefaultHistory = 10_000

	// MinActivationBlocks is far above any run of blocks whose proposers are all of one coalition, so that nobody
	// registers a key knowing what it will be applied to.
	MinActivationBlocks     = 50
	MaxActivationBlocks     = 1_000_000
	DefaultActivationBlocks = 3_600
)

// DefaultParams keeps enough history for draws that a backlog delays.
func DefaultParams() Params {
	return Params{History: DefaultHistory, ActivationBlocks: DefaultActivationBlocks}
}

// Validate checks the params.
func (p Params) Validate() error {
	if p.History < MinHistory || p.History > MaxHistory {
		return errorsmod.Wrapf(ErrInvalidParams, "history %d: must be %d to %d", p.History, MinHistory, MaxHistory)
	}
	if p.ActivationBlocks < MinActivationBlocks || p.ActivationBlocks > MaxActivationBlocks {
		return errorsmod.Wrapf(ErrInvalidParams, "activation_blocks %d: must be %d to %d", p.ActivationBlocks, MinActivationBlocks, MaxActivationBlocks)
	}
	return nil
}
