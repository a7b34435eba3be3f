package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/delegation/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/delegation.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// parties reads a holder's address and checks a participant's.
func (m msgServer) parties(holder, participant string) (sdk.AccAddress, error) {
	if _, err := m.account("participant", participant); err != nil {
		return nil, err
	}
	return m.account("holder", holder)
}

// SetTerms opens a participant's pool or changes its terms.
func (m msgServer) SetTerms(ctx context.Context, msg *types.MsgSetTerms) (*types.MsgSetTermsResponse, error) {
	if _, err := m.account("participant", msg.Participant); err != nil {
		return nil, err
	}
	from, err := m.setTerms(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetTermsResponse{FromEpoch: from}, events.Emit(ctx, &types.EventTermsSet{
		Participant: msg.Participant, CommissionBps: msg.CommissionBps, FromEpoch: from, MaxChangeBps: msg.MaxChangeBps, Open: msg.Open,
	})
}

// Delegate puts a holder's coins into a participant's bond.
func (m msgServer) Delegate(ctx context.Context, msg *types.MsgDelegate) (*types.MsgDelegateResponse, error) {
	holder, err := m.parties(msg.Holder, msg.Participant)
	if err != nil {
		return nil, err
	}
	shares, active, err := m.delegate(ctx, holder, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgDelegateResponse{Shares: shares, ActiveEpoch: active}, events.Emit(ctx, &types.EventDelegated{
		Holder: msg.Holder, Participant: msg.Participant, Amount: msg.Amount.Amount.String(), Shares: shares.String(), ActiveEpoch: active,
	})
}

// Undelegate starts to take them out again.
func (m msgServer) Undelegate(ctx context.Context, msg *types.MsgUndelegate) (*types.MsgUndelegateResponse, error) {
	if _, err := m.parties(msg.Holder, msg.Participant); err != nil {
		return nil, err
	}
	amount, mature, err := m.undelegate(ctx, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgUndelegateResponse{Amount: amount, MatureHeight: mature}, events.Emit(ctx, &types.EventUndelegated{
		Holder: msg.Holder, Participant: msg.Participant, Shares: msg.Shares.String(), Amount: amount.Amount.String(), MatureHeight: mature,
	})
}

// Dissolve ends the shares of a participant's pool.
func (m msgServer) Dissolve(ctx context.Context, msg *types.MsgDissolve) (*types.MsgDissolveResponse, error) {
	if _, err := m.account("participant", msg.Participant); err != nil {
		return nil, err
	}
	pool, _, err := m.pool(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	amount, mature, err := m.dissolve(ctx, &pool)
	if err != nil {
		return nil, err
	}
	return &types.MsgDissolveResponse{Amount: amount, MatureHeight: mature}, m.Pools.Set(ctx, pool.Participant, pool)
}

// Claim pays a holder what its shares have earned.
func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	holder, err := m.parties(msg.Holder, msg.Participant)
	if err != nil {
		return nil, err
	}
	paid, err := m.claim(ctx, holder, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimResponse{Amount: paid}, events.Emit(ctx, &types.EventRewardsClaimed{
		Holder: msg.Holder, Participant: msg.Participant, Amount: paid.Amount.String(),
	})
}

// Withdraw pays a holder what has matured.
func (m msgServer) Withdraw(ctx context.Context, msg *types.MsgWithdraw) (*types.MsgWithdrawResponse, error) {
	holder, err := m.account("holder", msg.Holder)
	if err != nil {
		return nil, err
	}
	paid, err := m.withdraw(ctx, holder, msg.Holder)
	if err != nil {
		return nil, err
	}
	return &types.MsgWithdrawResponse{Amount: paid}, events.Emit(ctx, &types.EventWithdrawn{Holder: msg.Holder, Amount: paid.Amount.String()})
}

// UpdateParams replaces the params. The denom cannot change: rewards are kept in it.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	old, err := m.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if msg.Params.RewardDenom != old.RewardDenom {
		return nil, errorsmod.Wrapf(types.ErrInvalidParams, "reward_denom: %q cannot be changed to %q", old.RewardDenom, msg.Params.RewardDenom)
	}
	if err := m.Keeper.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority})
}

// worth is what shares of the pool's generation are worth in delegated bond.
func worth(pool types.Pool, shares, delegated math.Int) math.Int {
	if !shares.IsPositive() {
		return math.ZeroInt()
	}
	return types.MulDiv(delegated, shares, pool.Shares())
}
