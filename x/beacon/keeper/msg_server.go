package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/beacon/types"
)

type msgServer struct{ *Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/beacon.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k} }

// RegisterKey registers or replaces a validator's VRF key.
func (m msgServer) RegisterKey(ctx context.Context, msg *types.MsgRegisterKey) (*types.MsgRegisterKeyResponse, error) {
	activeFrom, err := m.Keeper.RegisterKey(ctx, msg.Operator, msg.PubKey, msg.Proof)
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterKeyResponse{ActiveFrom: activeFrom}, nil
}

// UpdateParams replaces the params.
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
	p := msg.Params
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{History: p.History, ActivationBlocks: p.ActivationBlocks})
}
