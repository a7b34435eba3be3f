package keeper

import (
	"context"
	"slices"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/lineage/types"
)

type msgServer struct{ Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the transaction service of x/lineage.
func NewMsgServer(k Keeper) types.MsgServer { return msgServer{k} }

// Settle passes up what edges owe.
func (m msgServer) Settle(ctx context.Context, msg *types.MsgSettle) (*types.MsgSettleResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	if err := checkDenom(msg.Denom); err != nil {
		return nil, err
	}
	if len(msg.Edges) == 0 || len(msg.Edges) > types.MaxEdges {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "edges: %d given, must be 1..%d", len(msg.Edges), types.MaxEdges)
	}
	resp, some := &types.MsgSettleResponse{Amounts: make([]math.Int, len(msg.Edges))}, false
	for i, e := range msg.Edges {
		due, err := m.settle(ctx, e.Child, e.Parent, msg.Denom)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "edges[%d]", i)
		}
		resp.Amounts[i], some = due, some || due.IsPositive()
	}
	if !some {
		return nil, errorsmod.Wrapf(types.ErrNothingDue, "edges: nothing of %s", msg.Denom)
	}
	return resp, nil
}

// Claim pays the owner of a node.
func (m msgServer) Claim(ctx context.Context, msg *types.MsgClaim) (*types.MsgClaimResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	if len(msg.Denoms) == 0 || len(msg.Denoms) > types.MaxDenoms {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "denoms: %d given, must be 1..%d", len(msg.Denoms), types.MaxDenoms)
	}
	paid := sdk.NewCoins()
	for i, denom := range msg.Denoms {
		if err := checkDenom(denom); err != nil {
			return nil, errorsmod.Wrapf(err, "denoms[%d]", i)
		}
		if slices.Contains(msg.Denoms[:i], denom) {
			return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "denoms[%d]: %s is listed twice", i, denom)
		}
		coin, err := m.claim(ctx, msg.Node, denom)
		if err != nil {
			return nil, err
		}
		paid = paid.Add(coin)
	}
	if paid.IsZero() {
		return nil, errorsmod.Wrapf(types.ErrNothingDue, "node: %s has nothing to claim", msg.Node)
	}
	return &types.MsgClaimResponse{Claimed: paid}, nil
}

// Collect settles a path of edges and claims at its end.
func (m msgServer) Collect(ctx context.Context, msg *types.MsgCollect) (*types.MsgCollectResponse, error) {
	if _, _, err := m.address("sender", msg.Sender); err != nil {
		return nil, err
	}
	if err := checkDenom(msg.Denom); err != nil {
		return nil, err
	}
	if len(msg.Path) < 2 || len(msg.Path) > types.MaxEdges {
		return nil, errorsmod.Wrapf(types.ErrInvalidRequest, "path: %d nodes given, must be 2..%d", len(msg.Path), types.MaxEdges)
	}
	settled := sdk.NewCoin(msg.Denom, math.ZeroInt())
	for i, parent := range msg.Path[1:] {
		due, err := m.settle(ctx, msg.Path[i], parent, msg.Denom)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "path[%d]", i)
		}
		settled.Amount = due
	}
	node := msg.Path[len(msg.Path)-1]
	paid, err := m.claim(ctx, node, msg.Denom)
	if err != nil {
		return nil, err
	}
	if paid.IsZero() && settled.IsZero() {
		return nil, errorsmod.Wrapf(types.ErrNothingDue, "path: nothing of %s for %s", msg.Denom, node)
	}
	return &types.MsgCollectResponse{Settled: settled, Claimed: paid}, nil
}

// UpdateParams replaces the params. Edges that exist stay, whatever the new limits.
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

func checkDenom(denom string) error {
	if err := sdk.ValidateDenom(denom); err != nil {
		return errorsmod.Wrapf(types.ErrInvalidRequest, "denom: %.80s", err)
	}
	return nil
}
