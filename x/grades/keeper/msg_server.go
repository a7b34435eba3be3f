package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/grades/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// CreateContest creates a contest.
func (m msgServer) CreateContest(ctx context.Context, msg *types.MsgCreateContest) (*types.MsgCreateContestResponse, error) {
	number, err := m.create(ctx, msg)
	return &types.MsgCreateContestResponse{Number: number}, err
}

// FundContest puts coins into a contest.
func (m msgServer) FundContest(ctx context.Context, msg *types.MsgFundContest) (*types.MsgFundContestResponse, error) {
	return &types.MsgFundContestResponse{}, m.fund(ctx, msg)
}

// CloseContest ends a contest.
func (m msgServer) CloseContest(ctx context.Context, msg *types.MsgCloseContest) (*types.MsgCloseContestResponse, error) {
	return &types.MsgCloseContestResponse{}, m.close(ctx, msg)
}

// Enter puts a work into a contest.
func (m msgServer) Enter(ctx context.Context, msg *types.MsgEnter) (*types.MsgEnterResponse, error) {
	e, err := m.enter(ctx, msg)
	return &types.MsgEnterResponse{Slot: e.Slot, FirstRound: e.FirstRound}, err
}

// Leave takes a work out of a contest.
func (m msgServer) Leave(ctx context.Context, msg *types.MsgLeave) (*types.MsgLeaveResponse, error) {
	return &types.MsgLeaveResponse{}, m.leave(ctx, msg)
}

// JoinGraders lets a participant be drawn.
func (m msgServer) JoinGraders(ctx context.Context, msg *types.MsgJoinGraders) (*types.MsgJoinGradersResponse, error) {
	return &types.MsgJoinGradersResponse{}, m.joinGraders(ctx, msg.Grader, msg.Contest)
}

// LeaveGraders ends that.
func (m msgServer) LeaveGraders(ctx context.Context, msg *types.MsgLeaveGraders) (*types.MsgLeaveGradersResponse, error) {
	return &types.MsgLeaveGradersResponse{}, m.leaveGraders(ctx, msg.Grader, msg.Contest)
}

// SealGrades commits grades.
func (m msgServer) SealGrades(ctx context.Context, msg *types.MsgSealGrades) (*types.MsgSealGradesResponse, error) {
	return &types.MsgSealGradesResponse{}, m.seal(ctx, msg)
}

// RevealGrades opens them.
func (m msgServer) RevealGrades(ctx context.Context, msg *types.MsgRevealGrades) (*types.MsgRevealGradesResponse, error) {
	return &types.MsgRevealGradesResponse{}, m.reveal(ctx, msg)
}

// UpdateParams replaces the params; governance only. Contests keep the limits they were created under.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	old, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if msg.Params.FeeDenom != old.FeeDenom {
		return nil, errorsmod.Wrapf(types.ErrParams, "fee_denom: %q cannot change, contests hold it", old.FeeDenom)
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, emit(ctx, &types.EventParamsUpdated{Params: msg.Params})
}
