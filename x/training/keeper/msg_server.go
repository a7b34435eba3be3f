package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/training/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// CreateJob begins a training.
func (m msgServer) CreateJob(ctx context.Context, msg *types.MsgCreateJob) (*types.MsgCreateJobResponse, error) {
	j, err := m.create(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgCreateJobResponse{JobId: j.Id, Segments: j.Segments()}, nil
}

// FundJob adds to a job's budget.
func (m msgServer) FundJob(ctx context.Context, msg *types.MsgFundJob) (*types.MsgFundJobResponse, error) {
	return &types.MsgFundJobResponse{}, m.fund(ctx, msg)
}

// ResumeJob goes on with a paused job.
func (m msgServer) ResumeJob(ctx context.Context, msg *types.MsgResumeJob) (*types.MsgResumeJobResponse, error) {
	return &types.MsgResumeJobResponse{}, m.resume(ctx, msg)
}

// CancelJob gives a job up.
func (m msgServer) CancelJob(ctx context.Context, msg *types.MsgCancelJob) (*types.MsgCancelJobResponse, error) {
	return &types.MsgCancelJobResponse{}, m.cancel(ctx, msg)
}

// FinishJob registers the result of a trained job.
func (m msgServer) FinishJob(ctx context.Context, msg *types.MsgFinishJob) (*types.MsgFinishJobResponse, error) {
	p, err := m.finish(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgFinishJobResponse{Model: p.Model, WeightsRoot: p.WeightsRoot}, nil
}

// RegisterRecipe lets a training earn score; governance only.
func (m msgServer) RegisterRecipe(ctx context.Context, msg *types.MsgRegisterRecipe) (*types.MsgRegisterRecipeResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgRegisterRecipeResponse{}, m.registerRecipe(ctx, msg.Recipe)
}

// RemoveRecipe ends that; governance only.
func (m msgServer) RemoveRecipe(ctx context.Context, msg *types.MsgRemoveRecipe) (*types.MsgRemoveRecipeResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgRemoveRecipeResponse{}, m.removeRecipe(ctx, msg.Id)
}

// UpdateParams replaces the params; governance only.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority, Params: msg.Params})
}
