package keeper

import (
	"context"
	"errors"
	"strings"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/internal/events"
	"poaid/x/models/types"
)

// HasModel tells whether participants may serve a model: it is registered, retired or not, and no short-lived one of the chain's own.
func (k Keeper) HasModel(ctx context.Context, id string) (bool, error) {
	if types.IsSeededID(id) {
		return false, nil
	}
	return k.Models.Has(ctx, id)
}

// GetModel returns a model, types.ErrModelNotFound when there is none.
func (k Keeper) GetModel(ctx context.Context, id string) (types.Model, error) {
	m, err := k.Models.Get(ctx, id)
	return m, notFound(err, id)
}

// Interface returns a model's program without its graphs, types.ErrModelNotFound when there is no model.
func (k Keeper) Interface(ctx context.Context, id string) (*graphpb.Program, error) {
	p, err := throughBase(ctx, k, k.Interfaces, id)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// GetProgram returns a model's program with its graphs.
func (k Keeper) GetProgram(ctx context.Context, id string) (*graphpb.Program, error) {
	bz, err := throughBase(ctx, k, k.Programs, id)
	if err != nil {
		return nil, err
	}
	p := new(graphpb.Program)
	if err := p.Unmarshal(bz); err != nil {
		return nil, errorsmod.Wrapf(types.ErrState, "program of %q: %s", id, err)
	}
	return p, nil
}

// GetVocabulary returns a model's vocabulary: empty when the model has none, types.ErrModelNotFound when there is no model.
func (k Keeper) GetVocabulary(ctx context.Context, id string) (types.Vocabulary, error) {
	v, err := k.Vocabularies.Get(ctx, id)
	if !errors.Is(err, collections.ErrNotFound) {
		return v, err
	}
	m, err := k.GetModel(ctx, id)
	if err != nil || !m.Trained() {
		return types.Vocabulary{}, err
	}
	if v, err = k.Vocabularies.Get(ctx, m.ProgramOf); errors.Is(err, collections.ErrNotFound) {
		return types.Vocabulary{}, nil
	}
	return v, err
}

// notFound names the model in place of collections.ErrNotFound; other failures pass.
func notFound(err error, id string) error {
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrModelNotFound, "id: %q", id)
	}
	return err
}

// register checks and stores a model. owner is the canonical text of the message's owner.
func (k Keeper) register(ctx context.Context, owner string, msg *types.MsgRegisterModel) (types.Model, error) {
	m, program, err := k.prepare(ctx, owner, msg, weightsByCID)
	if err != nil {
		return m, err
	}
	if err := k.store(ctx, m, program, msg.Vocabulary); err != nil {
		return m, err
	}
	return m, k.announce(ctx, m, msg.Parents)
}

// weightsSource says where weights come from.
type weightsSource bool

const (
	weightsByCID  weightsSource = false // from whoever registers the model
	weightsSeeded weightsSource = true  // from a seed
)

// prepare checks a registration and stores the units; the caller stores the model it returns.
func (k Keeper) prepare(
	ctx context.Context, owner string, msg *types.MsgRegisterModel, weights weightsSource,
) (types.Model, *engine.Program, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Model{}, nil, err
	}
	if err := msg.ValidateBasics(params, weights == weightsByCID); err != nil {
		return types.Model{}, nil, err
	}
	if taken, err := k.Models.Has(ctx, msg.Id); err != nil {
		return types.Model{}, nil, err
	} else if taken {
		return types.Model{}, nil, errorsmod.Wrapf(types.ErrModelExists, "id: %q", msg.Id)
	}
	program, err := compile(ctx, msg.Program, params.EngineLimits())
	if err != nil {
		return types.Model{}, nil, err
	}
	if err := types.CheckProgram(program, msg.Outputs, msg.Labels); err != nil {
		return types.Model{}, nil, err
	}
	if err := k.checkJudgeable(ctx, program); err != nil {
		return types.Model{}, nil, err
	}
	units, err := k.setUnits(ctx, msg.Id, program, params.Cost(), params.MaxEvaluations)
	if err != nil {
		return types.Model{}, nil, err
	}
	hash := program.Hash()
	m := types.Model{
		Id: msg.Id, Owner: owner, Description: msg.Description, Class: msg.Class, ProgramHash: hash[:],
		WeightsRoot: msg.WeightsRoot, WeightsCid: msg.WeightsCid, TokenizerCid: msg.TokenizerCid, MetadataHash: msg.MetadataHash,
		RoyaltyBps: msg.RoyaltyBps, Outputs: msg.Outputs, Labels: msg.Labels, Height: sdk.UnwrapSDKContext(ctx).BlockHeight(),
		MaxSteps: program.MaxSteps(), ParamCount: types.ParamCount(program), UnitsStep: units.Step, UnitsForced: units.Forced,
	}
	return m, program, nil
}

// compile validates a program. Gas for its size is charged before.
func compile(ctx context.Context, pb *graphpb.Program, lim engine.Limits) (*engine.Program, error) {
	gas := sdk.UnwrapSDKContext(ctx).GasMeter()
	gas.ConsumeGas(uint64(pb.Size())*gasPerProgramByte, "decode program")
	work := storetypes.Gas(0)
	for _, g := range []*graphpb.Graph{pb.Step, pb.Forced} {
		for _, n := range g.GetNodes() {
			work += gasPerNode + uint64(len(n.GetInputs()))*gasPerOperand
		}
	}
	gas.ConsumeGas(work, "validate program")
	p, err := engine.New(pb, lim)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidProgram, "program: %s", strings.TrimPrefix(err.Error(), engine.ErrProgram.Error()+": "))
	}
	return p, nil
}

// checkJudgeable refuses programs that x/disputes could not judge: with an element, or a fold step, of more evidence than a move holds.
func (k Keeper) checkJudgeable(ctx context.Context, p *engine.Program) error {
	nodes := len(p.Proto().Step.GetNodes()) + len(p.Proto().Forced.GetNodes())
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(uint64(nodes)*gasPerJudgeableNode, "check that a program is judgeable")
	if err := k.judgeable(p); err != nil {
		return errorsmod.Wrapf(types.ErrInvalidProgram, "program: nobody could judge it: %s", err)
	}
	return nil
}

// store writes a new model and what belongs to it but for its units.
func (k Keeper) store(ctx context.Context, m types.Model, p *engine.Program, v *types.Vocabulary) error {
	if err := k.Models.Set(ctx, m.Id, m); err != nil {
		return err
	}
	if err := k.Programs.Set(ctx, m.Id, p.Bytes()); err != nil {
		return err
	}
	if err := k.Interfaces.Set(ctx, m.Id, types.InterfaceOf(p.Proto())); err != nil {
		return err
	}
	if v == nil || len(v.Pieces) == 0 {
		return nil
	}
	return k.Vocabularies.Set(ctx, m.Id, *v)
}

// change applies f to a stored model and announces it. With an owner only that owner may; without one anybody may, because
// the caller has checked the authority.
func (k Keeper) change(ctx context.Context, id string, owner sdk.AccAddress, f func(*types.Model) error) error {
	var m types.Model
	err := k.update(ctx, id, owner, func(model *types.Model) error {
		err := f(model)
		m = *model
		return err
	})
	if err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventModelChanged{
		Id: m.Id, RoyaltyBps: m.RoyaltyBps, Eligible: m.Eligible, Retired: m.Retired,
	})
}

// update is change without announcing it.
func (k Keeper) update(ctx context.Context, id string, owner sdk.AccAddress, f func(*types.Model) error) error {
	m, err := k.GetModel(ctx, id)
	if err != nil {
		return err
	}
	if owner != nil {
		have, err := k.addresses.StringToBytes(m.Owner)
		if err != nil {
			return err
		}
		if !owner.Equals(sdk.AccAddress(have)) {
			return errorsmod.Wrapf(types.ErrNotOwner, "model %q belongs to %s", id, m.Owner)
		}
	}
	if err := f(&m); err != nil {
		return err
	}
	return k.Models.Set(ctx, id, m)
}
