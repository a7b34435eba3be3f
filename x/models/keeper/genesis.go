package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/engine"
	"poaid/x/models/types"
)

// InitGenesis writes a genesis state. Programs are compiled and priced anew, each under the constants it was registered
// with; the limits are the engine's own, because params may have become stricter since.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	// Those that share a program come after the one they share it with.
	for _, shares := range []bool{false, true} {
		for i, m := range g.Models {
			if (m.Model.ProgramOf != "") != shares {
				continue
			}
			if err := k.importModel(ctx, m); err != nil {
				return errorsmod.Wrapf(err, "models[%d] %q", i, m.Model.Id)
			}
		}
	}
	return nil
}

func (k Keeper) importModel(ctx context.Context, g types.GenesisModel) error {
	m := g.Model
	_, owner, err := k.address("owner", m.Owner)
	if err != nil {
		return err
	}
	m.Owner = owner
	switch {
	case m.Trained():
		return k.importTrained(ctx, m)
	case m.Seeded():
		return k.importSeeded(ctx, m)
	}
	p, err := compile(ctx, g.Program, engine.DefaultLimits())
	if err != nil {
		return err
	}
	if err := types.CheckProgram(p, m.Outputs, m.Labels); err != nil {
		return err
	}
	cost := engine.CostParams{MacsPerUnit: g.MacsPerUnit, BytesPerUnit: g.BytesPerUnit}
	u, err := k.setUnits(ctx, m.Id, p, cost, importEvaluations)
	if err != nil {
		return err
	}
	hash := p.Hash()
	if !bytes.Equal(hash[:], m.ProgramHash) {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "program_hash: %x, the program's is %x", m.ProgramHash, hash)
	}
	for _, f := range []struct {
		name       string
		have, want uint64
	}{
		{"units_step", m.UnitsStep, u.Step},
		{"units_forced", m.UnitsForced, u.Forced},
		{"max_steps", m.MaxSteps, p.MaxSteps()},
		{"param_count", m.ParamCount, types.ParamCount(p)},
	} {
		if f.have != f.want {
			return errorsmod.Wrapf(types.ErrInvalidGenesis, "%s: %d, the program's is %d", f.name, f.have, f.want)
		}
	}
	if len(m.Seed) > 0 {
		if err := checkSeededRoot(p, m); err != nil {
			return err
		}
	}
	return k.store(ctx, m, p, g.Vocabulary)
}

// importEvaluations is the largest max_evaluations that params may ever have had.
const importEvaluations = types.MaxEvaluationsLimit

// ExportGenesis reads the whole state.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	return g, k.Models.Walk(ctx, nil, func(id string, m types.Model) (bool, error) {
		out := types.GenesisModel{Model: m}
		if m.ProgramOf != "" {
			g.Models = append(g.Models, out)
			return false, nil
		}
		var err error
		if out.Program, err = k.GetProgram(ctx, id); err != nil {
			return true, err
		}
		u, err := k.Units.Get(ctx, id)
		if err != nil {
			return true, err
		}
		out.MacsPerUnit, out.BytesPerUnit = u.MacsPerUnit, u.BytesPerUnit
		v, err := k.Vocabularies.Get(ctx, id)
		if err == nil {
			out.Vocabulary = &v
		} else if !errors.Is(err, collections.ErrNotFound) {
			return true, err
		}
		g.Models = append(g.Models, out)
		return false, nil
	})
}
