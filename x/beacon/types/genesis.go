package types

import errorsmod "cosmossdk.io/errors"

// Limits of the history param, in heights.
const (
	MinHistory     = 2
	MaxHistory     = 1_000_000
	DefaultHistory = 10_000
)

// DefaultParams keeps enough history for draws that a backlog delays.
func DefaultParams() Params { return Params{History: DefaultHistory} }

// Validate checks the params.
func (p Params) Validate() error {
	if p.History < MinHistory || p.History > MaxHistory {
		return errorsmod.Wrapf(ErrInvalidParams, "history %d: must be %d to %d", p.History, MinHistory, MaxHistory)
	}
	return nil
}

// DefaultGenesisState starts without history.
func DefaultGenesisState() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks the params and that heights ascend and values have 32 bytes.
func (gs GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	last := int64(-1)
	for i, r := range gs.History {
		if r.Height <= last {
			return errorsmod.Wrapf(ErrInvalidGenesis, "history[%d]: height %d does not ascend", i, r.Height)
		}
		if len(r.Value) != ValueSize {
			return errorsmod.Wrapf(ErrInvalidGenesis, "history[%d]: value has %d bytes, must be %d", i, len(r.Value), ValueSize)
		}
		last = r.Height
	}
	return nil
}
