package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/internal/events"
	"poaid/sprint"
	"poaid/x/models/types"
)

// RegisterBase registers a program whose weights follow from a seed, for modules: x/sprints does so at genesis. The model is of the
// authority, and retired, since nobody submits tasks to it. Errors are those of a registration.
func (k Keeper) RegisterBase(ctx context.Context, id, description string, program *graphpb.Program, seed []byte) error {
	if err := types.CheckSeed(seed); err != nil {
		return err
	}
	// The root follows below; the content id is not needed, because nobody has to fetch the weights.
	m, p, err := k.prepare(ctx, k.authority, &types.MsgRegisterModel{
		Id: id, Description: description, Class: types.CLASS_EXACT, Program: program, WeightsRoot: make([]byte, types.HashBytes),
	}, weightsSeeded)
	if err != nil {
		return err
	}
	if m.WeightsRoot, err = seededRoot(p, seed); err != nil {
		return err
	}
	m.Seed, m.Retired = seed, true
	if err := k.store(ctx, m, p, nil); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventModelSeeded{Id: id, Seed: seed, WeightsRoot: m.WeightsRoot})
}

// RegisterSeeded registers base's program once more under another id, with weights that the chain makes from a seed. Program and units are
// read through base. ErrModelNotFound without base, ErrModelExists where the id is taken, ErrInvalidModel where it has not the prefix of
// seeded models, base is seeded from another model itself, or its weights cannot be made from a seed. The work is hashing base's weights.
func (k Keeper) RegisterSeeded(ctx context.Context, base, id string, seed []byte) error {
	if err := types.ValidateID(id); err != nil {
		return err
	}
	if !types.IsSeededID(id) {
		return errorsmod.Wrapf(types.ErrInvalidModel, "id: %q, want the prefix %q", id, types.SeededPrefix)
	}
	if err := types.CheckSeed(seed); err != nil {
		return err
	}
	if taken, err := k.Models.Has(ctx, id); err != nil {
		return err
	} else if taken {
		return errorsmod.Wrapf(types.ErrModelExists, "id: %q", id)
	}
	m, err := k.GetModel(ctx, base)
	if err != nil {
		return err
	}
	if m.ProgramOf != "" {
		return errorsmod.Wrapf(types.ErrInvalidModel, "base: %q has no program of its own", base)
	}
	p, err := k.LoadProgram(ctx, base)
	if err != nil {
		return err
	}
	root, err := seededRoot(p, seed)
	if err != nil {
		return err
	}
	seeded := types.Model{
		Id: id, Owner: m.Owner, Description: m.Description, Class: m.Class, ProgramHash: m.ProgramHash, WeightsRoot: root, Retired: true,
		Outputs: m.Outputs, Labels: m.Labels, Height: sdk.UnwrapSDKContext(ctx).BlockHeight(), MaxSteps: m.MaxSteps, ParamCount: m.ParamCount,
		UnitsStep: m.UnitsStep, UnitsForced: m.UnitsForced, Seed: seed, ProgramOf: base,
	}
	if err := k.Models.Set(ctx, id, seeded); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventModelSeeded{Id: id, ProgramOf: base, Seed: seed, WeightsRoot: root})
}

// RemoveSeeded drops a model that RegisterSeeded made. The caller knows that no unfinished task refers to it. ErrModelNotFound; ErrInvalidModel for any other model.
func (k Keeper) RemoveSeeded(ctx context.Context, id string) error {
	m, err := k.GetModel(ctx, id)
	if err != nil {
		return err
	}
	if !m.Seeded() {
		return errorsmod.Wrapf(types.ErrInvalidModel, "id: %q is not a seeded model", id)
	}
	if err := k.Models.Remove(ctx, id); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventModelRemoved{Id: id})
}

// seededRoot makes the weights of a program from a seed and returns their root.
func seededRoot(p *engine.Program, seed []byte) ([]byte, error) {
	root, err := sprint.WeightsRoot(p, [types.HashBytes]byte(seed))
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidModel, "seed: %s", err)
	}
	return root[:], nil
}

// programOf is the id under which program and units of a model are stored.
func (k Keeper) programOf(ctx context.Context, id string) (string, error) {
	m, err := k.GetModel(ctx, id)
	if err != nil || m.ProgramOf == "" {
		return id, err
	}
	return m.ProgramOf, nil
}

// throughBase reads something of a model's program: its own, as most models have, otherwise that of the model it shares the program with.
// types.ErrModelNotFound when there is no model.
func throughBase[V any](ctx context.Context, k Keeper, m collections.Map[string, V], id string) (V, error) {
	v, err := m.Get(ctx, id)
	if !errors.Is(err, collections.ErrNotFound) {
		return v, err
	}
	base, err := k.programOf(ctx, id)
	if err != nil {
		return v, err
	}
	v, err = m.Get(ctx, base)
	return v, notFound(err, id)
}

// importSeeded stores a model of a genesis that shares the program of another, which must come before it.
func (k Keeper) importSeeded(ctx context.Context, m types.Model) error {
	base, err := k.GetModel(ctx, m.ProgramOf)
	if err != nil {
		return err
	}
	if base.ProgramOf != "" || !types.IsSeededID(m.Id) || !m.Retired {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "program_of: %q has no program of its own, or the model is not one that the chain makes", m.ProgramOf)
	}
	if !bytes.Equal(base.ProgramHash, m.ProgramHash) || base.UnitsStep != m.UnitsStep || base.UnitsForced != m.UnitsForced ||
		base.MaxSteps != m.MaxSteps || base.ParamCount != m.ParamCount {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "program_hash, units, max_steps, param_count: not those of %q", m.ProgramOf)
	}
	p, err := k.LoadProgram(ctx, base.Id)
	if err != nil {
		return err
	}
	if err := checkSeededRoot(p, m); err != nil {
		return err
	}
	return k.Models.Set(ctx, m.Id, m)
}

// checkSeededRoot makes the weights anew: a root that nobody can make weights for would make every task of the model undecidable.
func checkSeededRoot(p *engine.Program, m types.Model) error {
	if err := types.CheckSeed(m.Seed); err != nil {
		return err
	}
	root, err := seededRoot(p, m.Seed)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, m.WeightsRoot) {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "weights_root: %x, the seed gives %x", m.WeightsRoot, root)
	}
	return nil
}

// checkShared is the invariant of a model that shares another's program.
func (k Keeper) checkShared(ctx context.Context, m types.Model) error {
	base, err := k.GetModel(ctx, m.ProgramOf)
	if err != nil {
		return err
	}
	if m.Trained() {
		if err := checkTrained(m, base); err != nil {
			return errorsmod.Wrap(types.ErrState, err.Error())
		}
	} else if base.ProgramOf != "" || !m.Retired || len(m.Seed) != types.HashBytes || !bytes.Equal(m.ProgramHash, base.ProgramHash) || m.UnitsStep != base.UnitsStep {
		return errorsmod.Wrapf(types.ErrState, "does not agree with its base %q", m.ProgramOf)
	}
	for _, has := range []func(context.Context, string) (bool, error){k.Programs.Has, k.Interfaces.Has, k.Units.Has, k.Vocabularies.Has} {
		if own, err := has(ctx, m.Id); err != nil || own {
			return errorsmod.Wrapf(types.ErrState, "keeps a program or units of its own: %v", err)
		}
	}
	return nil
}
