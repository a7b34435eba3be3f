package keeper

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/beacon/types"
)

var _ types.QueryServer = queryServer{}

type queryServer struct{ *Keeper }

// NewQueryServer serves the queries of x/beacon.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Randomness returns the value of a height; 0 means the latest.
func (q queryServer) Randomness(ctx context.Context, req *types.QueryRandomnessRequest) (*types.QueryRandomnessResponse, error) {
	if req == nil || req.Height < 0 {
		return nil, status.Error(codes.InvalidArgument, "height: must be 0 (latest) or above")
	}
	height := req.Height
	if height == 0 {
		height = sdk.UnwrapSDKContext(ctx).BlockHeight()
	}
	value, err := q.Keeper.Randomness(ctx, height)
	switch {
	case errors.Is(err, types.ErrFuture), errors.Is(err, types.ErrPruned):
		return nil, status.Error(codes.NotFound, err.Error())
	case err != nil:
		return nil, err
	}
	return &types.QueryRandomnessResponse{Randomness: types.Randomness{Height: height, Value: value}, Source: types.Source}, nil
}
