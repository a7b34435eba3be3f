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

// claim moves shares of closed epochs into a participant's vesting.
func (m msgServer) claim(ctx context.Context, t taker, epochs []uint64) (*types.MsgClaimResponse, error) {
	amount, err := m.takeShares(ctx, t, epochs)
	if err != nil {
		return nil, err
	}
	paid, err := m.vest(ctx, t.participant, amount)
	if err != nil {
		return nil, err
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	name, err := m.addresses.BytesToString(t.participant)
	if err != nil {
		return nil, err
	}
	err = events.Emit(ctx, &types.EventClaimed{Participant: name, Epochs: epochs, Amount: amount.own.String(), Holders: amount.holders.String()})
	if err != nil {
		return nil, err
	}
	if !paid.nothing() {
		if err := emitReleased(ctx, name, paid); err != nil {
			return nil, err
		}
	}
	return &types.MsgClaimResponse{
		Claimed: sdk.NewCoin(params.MintDenom, amount.own), Released: sdk.NewCoin(params.MintDenom, paid.own),
		Holders: sdk.NewCoin(params.MintDenom, amount.holders),
	}, nil
}

// Claim moves shares of closed epochs into the participant's vesting.
func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	addr, _, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	return m.claim(ctx, taker{participant: addr}, msg.Epochs)
}

// ClaimFor does it for a participant that has left it undone for vesting_blocks, where others have a part in it.
func (m msgServer) ClaimFor(ctx context.Context, msg *types.MsgClaimFor) (*types.MsgClaimForResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	addr, _, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	res, err := m.claim(ctx, taker{participant: addr, overdue: true}, msg.Epochs)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimForResponse{Claimed: res.Claimed, Released: res.Released, Holders: res.Holders}, nil
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
	if paid.nothing() {
		return nil, errorsmod.Wrapf(types.ErrNothingToRelease, "participant %s", name)
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	res := &types.MsgReleaseResponse{Released: sdk.NewCoin(params.MintDenom, paid.own), Holders: sdk.NewCoin(params.MintDenom, paid.holders)}
	return res, emitReleased(ctx, name, paid)
}

// ReleaseFor does it for a participant; the coins go to whom they would go to otherwise.
func (m msgServer) ReleaseFor(ctx context.Context, msg *types.MsgReleaseFor) (*types.MsgReleaseForResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	res, err := m.Release(ctx, &types.MsgRelease{Participant: msg.Participant})
	if err != nil {
		return nil, err
	}
	return &types.MsgReleaseForResponse{Released: res.Released, Holders: res.Holders}, nil
}

func emitReleased(ctx context.Context, name string, paid payment) error {
	return events.Emit(ctx, &types.EventReleased{
		Participant: name, Amount: paid.own.String(), Bonded: paid.bonded.String(), Holders: paid.holders.String(),
	})
}

// SetAutoBond sets how much of what the participant is paid goes into its bond.
func (m msgServer) SetAutoBond(ctx context.Context, msg *types.MsgSetAutoBond) (*types.MsgSetAutoBondResponse, error) {
	addr, name, err := m.address("participant", msg.Participant)
	if err != nil {
		return nil, err
	}
	if err := m.setAutoBond(ctx, addr, name, msg.Ppm); err != nil {
		return nil, err
	}
	return &types.MsgSetAutoBondResponse{}, events.Emit(ctx, &types.EventAutoBondSet{Participant: name, Ppm: msg.Ppm})
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
	shares, err := m.takeShares(ctx, taker{participant: addr, forfeited: true}, msg.Epochs)
	if err != nil {
		return nil, err
	}
	amount := shares.sum()
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
