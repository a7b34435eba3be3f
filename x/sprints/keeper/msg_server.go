package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/sprints/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// CommitSprint commits what was computed in the open window.
func (m msgServer) CommitSprint(ctx context.Context, msg *types.MsgCommitSprint) (*types.MsgCommitSprintResponse, error) {
	participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	c, err := m.commit(ctx, participant, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgCommitSprintResponse{Lock: c.Lock, AuditPpm: c.AuditPpm}, nil
}

// OpenSprint opens the leaves that an audit asks for.
func (m msgServer) OpenSprint(ctx context.Context, msg *types.MsgOpenSprint) (*types.MsgOpenSprintResponse, error) {
	participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	return &types.MsgOpenSprintResponse{}, m.open(ctx, participant, msg)
}

// UpdateParams replaces the params; governance only. A changed duty or length of windows makes the coin start anew.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	if err := m.checkBase(ctx, msg.Params); err != nil {
		return nil, err
	}
	old, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	if err := m.restartCoin(ctx, old, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority, Params: msg.Params})
}

// checkBase refuses params that the base model's program does not fit; without windows there need not be one.
func (k Keeper) checkBase(ctx context.Context, p types.Params) error {
	if p.DutyPpm == 0 {
		return nil
	}
	l, err := k.layout(ctx, p.BaseModel)
	if err != nil {
		return err
	}
	return p.CheckLayout(l)
}

// restartCoin gives the season the coin that new params ask for.
func (k Keeper) restartCoin(ctx context.Context, old, p types.Params) error {
	if p.StartCoin() == old.StartCoin() {
		return nil
	}
	s, err := k.season(ctx)
	if err != nil || s.Epoch == 0 {
		return err
	}
	s.CoinPpm, s.StartHeight, s.WindowBlocks = p.StartCoin(), height(ctx), 0
	return k.Season.Set(ctx, s)
}
