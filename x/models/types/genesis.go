package types

import (
	errorsmod "cosmossdk.io/errors"
)

// DefaultGenesis has default params and no models.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks what can be checked without compiling the programs, which import does.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(g.Models))
	for i, m := range g.Models {
		shares := m.Model.ProgramOf != ""
		if (m.Program == nil) != shares {
			return errorsmod.Wrapf(ErrInvalidGenesis, "models[%d]: program is missing, or given beside program_of", i)
		}
		if err := ValidateID(m.Model.Id); err != nil {
			return errorsmod.Wrapf(err, "models[%d]", i)
		}
		if seen[m.Model.Id] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "models[%d]: id %q is listed twice", i, m.Model.Id)
		}
		seen[m.Model.Id] = true
		if !shares && (m.MacsPerUnit == 0 || m.BytesPerUnit == 0) {
			return errorsmod.Wrapf(ErrInvalidGenesis, "models[%d]: macs_per_unit and bytes_per_unit must be positive", i)
		}
	}
	return nil
}
