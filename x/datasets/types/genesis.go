package types

import (
	errorsmod "cosmossdk.io/errors"

	modelstypes "poaid/x/models/types"
)

// DefaultGenesis has default params and no datasets.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks the parts of a genesis state against each other. Limits that params may have lowered since are not looked at.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	known, roots := make(map[string]bool, len(g.Datasets)), make(map[string]bool)
	for i, d := range g.Datasets {
		if known[d.Dataset.Id] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "datasets[%d]: id %q is listed twice", i, d.Dataset.Id)
		}
		known[d.Dataset.Id] = true
		if err := d.validate(roots); err != nil {
			return errorsmod.Wrapf(err, "datasets[%d] %q", i, d.Dataset.Id)
		}
	}
	grants := make(map[[2]string]bool, len(g.Grants))
	for i, r := range g.Grants {
		key := [2]string{r.Dataset, r.Grantee}
		if !known[r.Dataset] || grants[key] || r.Expires < 1 || r.Expires > MaxExpiry {
			return errorsmod.Wrapf(ErrInvalidGenesis, "grants[%d]: unknown dataset %q, listed twice, or expires at %d", i, r.Dataset, r.Expires)
		}
		grants[key] = true
	}
	usages := make(map[[2]string]bool, len(g.Usages))
	for i, u := range g.Usages {
		key := [2]string{u.Dataset, u.User}
		if !known[u.Dataset] || usages[key] || u.Usage.Uses == 0 {
			return errorsmod.Wrapf(ErrInvalidGenesis, "usages[%d]: unknown dataset %q, listed twice, or no use", i, u.Dataset)
		}
		usages[key] = true
		if err := CheckHash("last_program", u.Usage.LastProgram); err != nil {
			return errorsmod.Wrapf(ErrInvalidGenesis, "usages[%d]: %s", i, err)
		}
	}
	return nil
}

// validate checks one dataset; roots are those of the datasets before it.
func (g GenesisDataset) validate(roots map[string]bool) error {
	d := g.Dataset
	if err := modelstypes.ValidateID(d.Id); err != nil {
		return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
	}
	if err := d.checkText(); err != nil {
		return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
	}
	if d.Terms.ShareBps > BasisPoints {
		return errorsmod.Wrapf(ErrInvalidGenesis, "terms.share_bps: %d, limit %d", d.Terms.ShareBps, BasisPoints)
	}
	if err := d.Terms.validatePrice(maxGrantLimit); err != nil {
		return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
	}
	if int(d.Tensors) != len(g.Roots) {
		return errorsmod.Wrapf(ErrInvalidGenesis, "tensors: %d, %d roots are listed", d.Tensors, len(g.Roots))
	}
	for i, r := range g.Roots {
		if len(r) != HashBytes || roots[string(r)] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "roots[%d]: %x is not 32 bytes or listed twice", i, r)
		}
		roots[string(r)] = true
	}
	programs := make(map[string]bool, len(g.Programs))
	for i, p := range g.Programs {
		if len(p.ProgramHash) != HashBytes || programs[string(p.ProgramHash)] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "programs[%d]: %x is not 32 bytes or listed twice", i, p.ProgramHash)
		}
		programs[string(p.ProgramHash)] = true
	}
	return nil
}
