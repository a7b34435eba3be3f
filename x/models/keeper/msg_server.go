package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/models/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/models.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// RegisterModel registers a model under an id that was never used before.
func (m msgServer) RegisterModel(ctx context.Context, msg *types.MsgRegisterModel) (*types.MsgRegisterModelResponse, error) {
	_, owner, err := m.address("owner", msg.Owner)
	if err != nil {
		return nil, err
	}
	model, err := m.register(ctx, owner, msg)
	if err != nil {
		return nil, err
	}
	err = events.Emit(ctx, &types.EventModelRegistered{
		Id: model.Id, Owner: model.Owner, ProgramHash: model.ProgramHash, UnitsStep: model.UnitsStep,
	})
	return &types.MsgRegisterModelResponse{
		ProgramHash: model.ProgramHash, UnitsStep: model.UnitsStep, UnitsForced: model.UnitsForced,
	}, err
}

// SetRoyalty changes the royalty of tasks submitted from now on.
func (m msgServer) SetRoyalty(ctx context.Context, msg *types.MsgSetRoyalty) (*types.MsgSetRoyaltyResponse, error) {
	owner, _, err := m.address("owner", msg.Owner)
	if err != nil {
		return nil, err
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetRoyaltyResponse{}, m.change(ctx, msg.Id, owner, func(model *types.Model) error {
		if msg.RoyaltyBps > params.MaxRoyaltyBps {
			return errorsmod.Wrapf(types.ErrInvalidRoyalty, "royalty_bps: %d, limit %d", msg.RoyaltyBps, params.MaxRoyaltyBps)
		}
		model.RoyaltyBps = msg.RoyaltyBps
		return nil
	})
}

// RetireModel stops new tasks on a model, for good.
func (m msgServer) RetireModel(ctx context.Context, msg *types.MsgRetireModel) (*types.MsgRetireModelResponse, error) {
	owner, _, err := m.address("owner", msg.Owner)
	if err != nil {
		return nil, err
	}
	return &types.MsgRetireModelResponse{}, m.change(ctx, msg.Id, owner, func(model *types.Model) error {
		if model.Retired {
			return errorsmod.Wrapf(types.ErrRetired, "id: %q", model.Id)
		}
		model.Retired = true
		return nil
	})
}

// SetWeightsCID tells where the weights of a model are now. What they are is fixed by their root.
func (m msgServer) SetWeightsCID(ctx context.Context, msg *types.MsgSetWeightsCID) (*types.MsgSetWeightsCIDResponse, error) {
	owner, _, err := m.address("owner", msg.Owner)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetWeightsCIDResponse{}, m.moveWeights(ctx, msg.Id, owner, msg.WeightsCid)
}

// SetEligibility is governance's word on whether a model's tasks earn block reward.
func (m msgServer) SetEligibility(ctx context.Context, msg *types.MsgSetEligibility) (*types.MsgSetEligibilityResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgSetEligibilityResponse{}, m.change(ctx, msg.Id, nil, func(model *types.Model) error {
		model.Eligible = msg.Eligible
		return nil
	})
}

// UpdateParams replaces the params. Models registered before keep the units and the limits they were registered under.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	if err := sdk.ValidateAuthority(sdkCtx, m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{Params: msg.Params})
}

// address decodes an address and gives its canonical text.
func (k Keeper) address(field, text string) (sdk.AccAddress, string, error) {
	addr, err := k.addresses.StringToBytes(text)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, text, err)
	}
	name, err := k.addresses.BytesToString(addr)
	return addr, name, err
}
