package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/auctions/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServerImpl returns the message service.
func NewMsgServerImpl(k Keeper) types.MsgServer { return msgServer{k} }

// Bid offers to run a task at a price, or lowers an offer.
func (m msgServer) Bid(ctx context.Context, msg *types.MsgBid) (*types.MsgBidResponse, error) {
	addr, bidder, err := m.address(msg.Bidder)
	if err != nil {
		return nil, err
	}
	kept, err := m.bid(ctx, addr, bidder, msg.TaskId, msg.Price)
	return &types.MsgBidResponse{Kept: kept}, err
}

// SealBid commits an offer.
func (m msgServer) SealBid(ctx context.Context, msg *types.MsgSealBid) (*types.MsgSealBidResponse, error) {
	addr, bidder, err := m.address(msg.Bidder)
	if err != nil {
		return nil, err
	}
	return &types.MsgSealBidResponse{}, m.sealBid(ctx, addr, bidder, msg.TaskId, msg.Commitment)
}

// RevealBid opens a sealed offer.
func (m msgServer) RevealBid(ctx context.Context, msg *types.MsgRevealBid) (*types.MsgRevealBidResponse, error) {
	addr, bidder, err := m.address(msg.Bidder)
	if err != nil {
		return nil, err
	}
	kept, err := m.revealBid(ctx, addr, bidder, msg)
	return &types.MsgRevealBidResponse{Kept: kept}, err
}

// WithdrawBids takes deposits back, all of the batch or none.
func (m msgServer) WithdrawBids(ctx context.Context, msg *types.MsgWithdrawBids) (*types.MsgWithdrawBidsResponse, error) {
	addr, bidder, err := m.address(msg.Bidder)
	if err != nil {
		return nil, err
	}
	params, err := m.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(msg.TaskIds); n == 0 || n > int(params.MaxBatch) {
		return nil, errorsmod.Wrapf(types.ErrBatch, "task_ids: %d, want 1..%d", n, params.MaxBatch)
	}
	var sum sdk.Coins
	seen := make(map[uint64]bool, len(msg.TaskIds))
	for i, task := range msg.TaskIds {
		if seen[task] {
			return nil, errorsmod.Wrapf(types.ErrDuplicate, "task_ids[%d]: %d is there twice", i, task)
		}
		seen[task] = true
		paid, err := m.withdraw(ctx, addr, bidder, task)
		if err != nil {
			return nil, err
		}
		sum = sum.Add(paid...)
	}
	if !sum.IsZero() {
		if err := m.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, sum); err != nil {
			return nil, err
		}
	}
	return &types.MsgWithdrawBidsResponse{Amount: sum}, nil
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
	return &types.MsgUpdateParamsResponse{}, events.Emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority, Params: msg.Params})
}

// address reads the bidder's address; it returns it in canonical form too.
func (k Keeper) address(s string) (sdk.AccAddress, string, error) {
	codec := k.account.AddressCodec()
	addr, err := codec.StringToBytes(s)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "bidder: %s", err)
	}
	canonical, err := codec.BytesToString(addr)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "bidder: %s", err)
	}
	return addr, canonical, nil
}
