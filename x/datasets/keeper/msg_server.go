package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/datasets/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/datasets.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// RegisterDataset registers a dataset under an id and with roots that nobody had before.
func (m msgServer) RegisterDataset(ctx context.Context, msg *types.MsgRegisterDataset) (*types.MsgRegisterDatasetResponse, error) {
	return &types.MsgRegisterDatasetResponse{}, m.register(ctx, msg)
}

// SetTerms changes the terms.
func (m msgServer) SetTerms(ctx context.Context, msg *types.MsgSetTerms) (*types.MsgSetTermsResponse, error) {
	return &types.MsgSetTermsResponse{}, m.setTerms(ctx, msg)
}

// AllowProgram puts a program on the allowlist.
func (m msgServer) AllowProgram(ctx context.Context, msg *types.MsgAllowProgram) (*types.MsgAllowProgramResponse, error) {
	return &types.MsgAllowProgramResponse{}, m.allow(ctx, msg)
}

// DisallowProgram takes a program off the allowlist.
func (m msgServer) DisallowProgram(ctx context.Context, msg *types.MsgDisallowProgram) (*types.MsgDisallowProgramResponse, error) {
	return &types.MsgDisallowProgramResponse{}, m.disallow(ctx, msg)
}

// BuyAccess buys a grant.
func (m msgServer) BuyAccess(ctx context.Context, msg *types.MsgBuyAccess) (*types.MsgBuyAccessResponse, error) {
	expires, err := m.buy(ctx, msg)
	return &types.MsgBuyAccessResponse{Expires: expires}, err
}

// RetireDataset ends the sale of grants.
func (m msgServer) RetireDataset(ctx context.Context, msg *types.MsgRetireDataset) (*types.MsgRetireDatasetResponse, error) {
	return &types.MsgRetireDatasetResponse{}, m.retire(ctx, msg.Owner, msg.Id)
}

// StrikeRoots is governance's way to undo what was registered by somebody it does not belong to.
func (m msgServer) StrikeRoots(ctx context.Context, msg *types.MsgStrikeRoots) (*types.MsgStrikeRootsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgStrikeRootsResponse{}, m.strikeRoots(ctx, msg.Id, msg.Roots)
}

// UpdateParams replaces the params. What was registered and bought before stays.
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
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{Params: msg.Params})
}
