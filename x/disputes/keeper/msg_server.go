package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/disputes/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// Claim stands behind a root of a revealed task.
func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	_, participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	game, err := m.claim(ctx, participant, msg.TaskId, msg.ResultRoot)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimResponse{Game: game}, nil
}

// Attack opens a game against somebody who stands behind another root.
func (m msgServer) Attack(ctx context.Context, msg *types.MsgAttack) (*types.MsgAttackResponse, error) {
	from, participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	_, target, err := m.address("target", msg.Target)
	if err != nil {
		return nil, err
	}
	game, err := m.attack(ctx, from, participant, msg.TaskId, target)
	if err != nil {
		return nil, err
	}
	return &types.MsgAttackResponse{Game: game}, nil
}

// Defend takes the chair of a silent defender of the same root.
func (m msgServer) Defend(ctx context.Context, msg *types.MsgDefend) (*types.MsgDefendResponse, error) {
	_, participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	game, err := m.defend(ctx, participant, msg.TaskId, msg.Game)
	if err != nil {
		return nil, err
	}
	return &types.MsgDefendResponse{Game: game}, nil
}

// Move makes a move in a game.
func (m msgServer) Move(ctx context.Context, msg *types.MsgMove) (*types.MsgMoveResponse, error) {
	_, participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	return m.makeMove(ctx, participant, msg)
}

// DemandBytes asks for chunks of an input or a weight.
func (m msgServer) DemandBytes(ctx context.Context, msg *types.MsgDemandBytes) (*types.MsgDemandBytesResponse, error) {
	from, participant, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	canonical := *msg
	canonical.Participant = participant
	d, err := m.demand(ctx, from, &canonical)
	if err != nil {
		return nil, err
	}
	return &types.MsgDemandBytesResponse{Demand: d.Index, Deadline: d.Deadline}, nil
}

// ProduceBytes answers a demand.
func (m msgServer) ProduceBytes(ctx context.Context, msg *types.MsgProduceBytes) (*types.MsgProduceBytesResponse, error) {
	_, producer, err := m.address("producer", msg.Producer)
	if err != nil {
		return nil, err
	}
	return &types.MsgProduceBytesResponse{}, m.produce(ctx, producer, msg)
}

// SettleSuspect decides a held case; governance only.
func (m msgServer) SettleSuspect(ctx context.Context, msg *types.MsgSettleSuspect) (*types.MsgSettleSuspectResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgSettleSuspectResponse{}, m.settleSuspect(ctx, msg.TaskId, msg.Acquit)
}

// LiftQuarantine lets tasks use an op again; governance only.
func (m msgServer) LiftQuarantine(ctx context.Context, msg *types.MsgLiftQuarantine) (*types.MsgLiftQuarantineResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	return &types.MsgLiftQuarantineResponse{}, m.lift(ctx, msg.Op)
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
