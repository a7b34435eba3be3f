package keeper

import (
	"bytes"
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/model"
	"poaid/x/models/types"
)

// RegisterTrained registers a model with the program of another and weights that were trained for it, for modules. Program and units are
// read through the model that has the program. The model is neither eligible nor retired. The caller answers for the weights' root.
// ErrModelNotFound without base, ErrModelExists where the id is taken, ErrInvalidModel where base follows from a seed or a field is
// malformed; errors of x/lineage for parents that it may not have.
func (k Keeper) RegisterTrained(ctx context.Context, req types.TrainedModel) (types.Model, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Model{}, err
	}
	if err := req.Validate(params); err != nil {
		return types.Model{}, err
	}
	_, owner, err := k.address("owner", req.Owner)
	if err != nil {
		return types.Model{}, err
	}
	if taken, err := k.Models.Has(ctx, req.ID); err != nil {
		return types.Model{}, err
	} else if taken {
		return types.Model{}, errorsmod.Wrapf(types.ErrModelExists, "id: %q", req.ID)
	}
	base, err := k.GetModel(ctx, req.Base)
	if err != nil {
		return types.Model{}, err
	}
	if base.Seeded() {
		return types.Model{}, errorsmod.Wrapf(types.ErrInvalidModel, "base: %q follows from a seed and will be removed", req.Base)
	}
	m := types.Model{
		Id: req.ID, Owner: owner, Description: req.Description, Class: base.Class, ProgramHash: base.ProgramHash,
		WeightsRoot: req.WeightsRoot, WeightsCid: req.WeightsCID, TokenizerCid: base.TokenizerCid, MetadataHash: req.MetadataHash,
		RoyaltyBps: req.RoyaltyBps, Outputs: base.Outputs, Labels: base.Labels, Height: sdk.UnwrapSDKContext(ctx).BlockHeight(),
		MaxSteps: base.MaxSteps, ParamCount: base.ParamCount, UnitsStep: base.UnitsStep, UnitsForced: base.UnitsForced, ProgramOf: base.Id,
	}
	if base.ProgramOf != "" {
		m.ProgramOf = base.ProgramOf
	}
	if err := k.Models.Set(ctx, m.Id, m); err != nil {
		return types.Model{}, err
	}
	if err := events.Emit(ctx, &types.EventModelTrained{Id: m.Id, Owner: owner, ProgramOf: m.ProgramOf, WeightsRoot: m.WeightsRoot}); err != nil {
		return types.Model{}, err
	}
	return m, k.announce(ctx, m, req.Parents)
}

// moveWeights sets where the weights of a model are. ErrInvalidWeightsCID for one that is malformed, or of a model that has no weights to fetch.
func (k Keeper) moveWeights(ctx context.Context, id string, owner sdk.AccAddress, cid string) error {
	err := k.update(ctx, id, owner, func(m *types.Model) error {
		if len(m.Seed) > 0 || m.ParamCount == 0 {
			return errorsmod.Wrapf(types.ErrInvalidWeightsCID, "weights_cid: %q has no weights to fetch", m.Id)
		}
		if _, err := model.ParseCID(cid); err != nil {
			return errorsmod.Wrapf(types.ErrInvalidWeightsCID, "weights_cid: %s", err)
		}
		m.WeightsCid = cid
		return nil
	})
	if err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventWeightsMoved{Id: id, WeightsCid: cid})
}

// checkTrained refuses a trained model that does not agree with the model whose program it shares.
func checkTrained(m, base types.Model) error {
	switch {
	case base.ProgramOf != "":
		return errorsmod.Wrapf(types.ErrInvalidModel, "program_of: %q has no program of its own", base.Id)
	case types.IsSeededID(m.Id):
		return errorsmod.Wrapf(types.ErrInvalidModel, "id: %q has the prefix of seeded models and no seed", m.Id)
	case len(m.WeightsRoot) != types.HashBytes:
		return errorsmod.Wrapf(types.ErrInvalidModel, "weights_root: %d bytes, want %d", len(m.WeightsRoot), types.HashBytes)
	case !bytes.Equal(base.ProgramHash, m.ProgramHash) || base.UnitsStep != m.UnitsStep || base.UnitsForced != m.UnitsForced ||
		base.MaxSteps != m.MaxSteps || base.ParamCount != m.ParamCount:
		return errorsmod.Wrapf(types.ErrInvalidModel, "program_hash, units, max_steps, param_count: not those of %q", base.Id)
	}
	return nil
}

// importTrained stores a trained model of a genesis; the model with the program comes before it.
func (k Keeper) importTrained(ctx context.Context, m types.Model) error {
	base, err := k.GetModel(ctx, m.ProgramOf)
	if err != nil {
		return err
	}
	if err := checkTrained(m, base); err != nil {
		return errorsmod.Wrap(types.ErrInvalidGenesis, err.Error())
	}
	return k.Models.Set(ctx, m.Id, m)
}
