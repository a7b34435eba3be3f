package keeper

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
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
	r, err := q.At(ctx, height)
	switch {
	case errors.Is(err, types.ErrPruned):
		return nil, status.Error(codes.NotFound, err.Error())
	case err != nil:
		return nil, err
	}
	source := types.SourceLastCommit
	if r.Proven {
		source = types.SourceVRF
	}
	return &types.QueryRandomnessResponse{Randomness: r, Source: source}, nil
}

// Status tells how the next height's randomness will be made.
func (q queryServer) Status(ctx context.Context, _ *types.QueryStatusRequest) (*types.QueryStatusResponse, error) {
	s, err := q.standing(ctx)
	if err != nil {
		return nil, err
	}
	var powers []int64
	err = q.Proposers.Walk(ctx, nil, func(_ []byte, p types.Proposer) (bool, error) {
		powers = append(powers, p.Power)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return &types.QueryStatusResponse{Scheme: vrf.Suite, Standing: s, Required: s.Required(), SafeDelay: types.SafeDelay(powers)}, nil
}

// Key returns the keys of one validator.
func (q queryServer) Key(ctx context.Context, req *types.QueryKeyRequest) (*types.QueryKeyResponse, error) {
	if req == nil {
		return nil, status.Error(codes.InvalidArgument, "operator: missing")
	}
	operator, err := q.operators.StringToBytes(req.Operator)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "operator: %s", err)
	}
	keys, err := q.OperatorKeys(ctx, operator)
	if err != nil {
		return nil, err
	}
	if !keys.Next.IsSet() {
		return nil, status.Errorf(codes.NotFound, "operator %s has registered no key", req.Operator)
	}
	return &types.QueryKeyResponse{Keys: keys, Acting: keys.Acting(sdk.UnwrapSDKContext(ctx).BlockHeight() + 1)}, nil
}

// Keys returns the keys of all validators.
func (q queryServer) Keys(ctx context.Context, req *types.QueryKeysRequest) (*types.QueryKeysResponse, error) {
	if req == nil {
		req = &types.QueryKeysRequest{}
	}
	keys, page, err := query.CollectionPaginate(ctx, q.Keeper.Keys, req.Pagination,
		func(_ []byte, keys types.OperatorKeys) (types.OperatorKeys, error) { return keys, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryKeysResponse{Keys: keys, Pagination: page}, nil
}
