package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/engine"
	"poaid/x/models/types"
)

// Invariants checks that what is stored about each model agrees: hash, interface and units follow from the program, and every
// run up to max_steps can be priced. It compiles every program: for tests, never for a block.
func (k Keeper) Invariants(ctx context.Context) error {
	models := 0
	err := k.Models.Walk(ctx, nil, func(id string, m types.Model) (bool, error) {
		if m.ProgramOf != "" {
			return false, errorsmod.Wrapf(k.checkShared(ctx, m), "model %q", id)
		}
		models++
		return false, errorsmod.Wrapf(k.checkModel(ctx, id, m), "model %q", id)
	})
	if err != nil {
		return err
	}
	return k.Programs.Walk(ctx, nil, func(id string, _ []byte) (bool, error) {
		models--
		if models < 0 {
			return true, errorsmod.Wrapf(types.ErrState, "program %q has no model", id)
		}
		return false, nil
	})
}

func (k Keeper) checkModel(ctx context.Context, id string, m types.Model) error {
	bz, err := k.Programs.Get(ctx, id)
	if err != nil {
		return err
	}
	p, err := engine.Decode(bz, engine.DefaultLimits())
	if err != nil {
		return err
	}
	hash := p.Hash()
	if m.Id != id || !bytes.Equal(hash[:], m.ProgramHash) {
		return errorsmod.Wrap(types.ErrState, "id or program_hash")
	}
	face, err := k.Interface(ctx, id)
	if err != nil {
		return err
	}
	want := types.InterfaceOf(p.Proto())
	if face.String() != want.String() {
		return errorsmod.Wrap(types.ErrState, "interface")
	}
	u, err := k.Units.Get(ctx, id)
	if err != nil {
		return err
	}
	if u.Step != m.UnitsStep || u.Forced != m.UnitsForced || u.MaxSteps != m.MaxSteps {
		return errorsmod.Wrap(types.ErrState, "units")
	}
	for _, rows := range []uint64{0, u.MaxPromptRows} {
		if _, _, err := k.RunUnits(ctx, id, u.MaxSteps, rows); err != nil {
			return err
		}
	}
	return k.checkSums(ctx, id, u)
}

// checkSums checks that prefix sums are kept exactly for the steps that runs can ask for.
func (k Keeper) checkSums(ctx context.Context, id string, u types.Units) error {
	want := uint64(0)
	if u.TimeDependent {
		want = u.MaxSteps/types.ChunkSums + 1 + u.MaxForced()/types.ChunkSums + 1
	}
	have := uint64(0)
	rng := collections.NewPrefixedTripleRange[string, bool, uint64](id)
	err := k.UnitSums.Walk(ctx, rng, func(collections.Triple[string, bool, uint64], []byte) (bool, error) {
		have++
		return false, nil
	})
	if err == nil && have != want {
		err = errorsmod.Wrapf(types.ErrState, "unit sums: %d chunks, want %d", have, want)
	}
	return err
}
