package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/rewards/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/rewards.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// Claim moves shares of closed epochs into the participant's vesting.
func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	addr, name, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	amount, err := m.takeShares(ctx, addr, msg.Epochs, false)
	if err != nil {
		return nil, err
	}
	paid, err := m.vest(ctx, addr, amount)
	if err != nil {
		return nil, err
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	err = events.Emit(ctx, &types.EventClaimed{Participant: name, Epochs: msg.Epochs, Amount: amount.String()})
	if err != nil {
		return nil, err
	}
	if paid.IsPositive() {
		if err := events.Emit(ctx, &types.EventReleased{Participant: name, Amount: paid.String()}); err != nil {
			return nil, err
		}
	}
	return &types.MsgClaimResponse{
		Claimed: sdk.NewCoin(params.MintDenom, amount), Released: sdk.NewCoin(params.MintDenom, paid),
	}, nil
}

// Release pays out what has vested.
func (m msgServer) Release(ctx context.Context, msg *types.MsgRelease) (*types.MsgReleaseResponse, error) {
	addr, name, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	paid, err := m.release(ctx, addr)
	if err != nil {
		return nil, err
	}
	if paid.IsZero() {
		return nil, errorsmod.Wrapf(types.ErrNothingToRelease, "participant %s", name)
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	err = events.Emit(ctx, &types.EventReleased{Participant: name, Amount: paid.String()})
	if err != nil {
		return nil, err
	}
	return &types.MsgReleaseResponse{Released: sdk.NewCoin(params.MintDenom, paid)}, nil
}

// Sweep moves a liar's forfeited shares into the community pool.
func (m msgServer) Sweep(ctx context.Context, msg *types.MsgSweep) (*types.MsgSweepResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	addr, name, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	amount, err := m.takeShares(ctx, addr, msg.Epochs, true)
	if err != nil {
		return nil, err
	}
	if err := m.toCommunity(ctx, name, amount); err != nil {
		return nil, err
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.MsgSweepResponse{Swept: sdk.NewCoin(params.MintDenom, amount)}, nil
}

// UpdateParams replaces the params. The denom cannot change: pools and vestings are kept in it.
func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	if err := sdk.ValidateAuthority(sdkCtx, m.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	old, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if msg.Params.MintDenom != old.MintDenom {
		return nil, errorsmod.Wrapf(types.ErrInvalidParams, "mint_denom: %s cannot be changed to %s", old.MintDenom, msg.Params.MintDenom)
	}
	if err := m.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{Params: msg.Params})
}

// address decodes an address and gives its canonical text, so that one participant has one key.
func (k Keeper) address(field, text string) (sdk.AccAddress, string, error) {
	addr, err := k.addresses.StringToBytes(text)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, text, err)
	}
	name, err := k.addresses.BytesToString(addr)
	return addr, name, err
}
