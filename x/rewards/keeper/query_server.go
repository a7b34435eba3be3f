package keeper

import (
	"context"
	"encoding/binary"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/rewards/types"
)

type queryServer struct{ Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the query service of x/rewards.
func NewQueryServer(k Keeper) types.QueryServer { return queryServer{k} }

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

func (q queryServer) Supply(ctx context.Context, _ *types.QuerySupplyRequest) (*types.QuerySupplyResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	supply, err := q.Keeper.Supply.Get(ctx)
	if err != nil {
		return nil, err
	}
	next := params.BlockEmissionAt(sdk.UnwrapSDKContext(ctx).BlockHeight() + 1)
	return &types.QuerySupplyResponse{Supply: supply, BlockEmission: sdk.NewCoin(params.MintDenom, next)}, nil
}

func (q queryServer) Pools(ctx context.Context, req *types.QueryPoolsRequest) (*types.QueryPoolsResponse, error) {
	if req == nil {
		return nil, status.Error(codes.InvalidArgument, "empty request")
	}
	pools, page, err := query.CollectionPaginate(ctx, q.Keeper.Pools, req.Pagination,
		func(_ uint64, pool types.EpochPool) (types.EpochPool, error) { return pool, nil })
	return &types.QueryPoolsResponse{Pools: pools, Pagination: page}, err
}

func (q queryServer) Pool(ctx context.Context, req *types.QueryPoolRequest) (*types.QueryPoolResponse, error) {
	if req == nil {
		return nil, status.Error(codes.InvalidArgument, "empty request")
	}
	pool, err := q.Keeper.Pools.Get(ctx, req.Epoch)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "epoch %d has no pool: not closed yet, or unknown", req.Epoch)
	}
	return &types.QueryPoolResponse{Pool: pool}, err
}

// Claimable walks the closed epochs from the page's key on. A page ends after limit shares or MaxClaimableScan epochs,
// whichever comes first; total is the page's.
func (q queryServer) Claimable(ctx context.Context, req *types.QueryClaimableRequest) (*types.QueryClaimableResponse, error) {
	if req == nil {
		return nil, status.Error(codes.InvalidArgument, "empty request")
	}
	addr, name, err := q.address("participant", req.Participant)
	if err != nil {
		return nil, err
	}
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	rng, limit, err := epochRange(req.Pagination)
	if err != nil {
		return nil, err
	}
	resp := &types.QueryClaimableResponse{Total: sdk.NewCoin(params.MintDenom, math.ZeroInt()), Pagination: &query.PageResponse{}}
	it, err := q.Keeper.Pools.Iterate(ctx, rng)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for seen := 0; it.Valid(); it.Next() {
		pool, err := it.Value()
		if err != nil {
			return nil, err
		}
		if seen == types.MaxClaimableScan || len(resp.Claimable) == limit {
			resp.Pagination.NextKey = binary.BigEndian.AppendUint64(nil, pool.Epoch)
			break
		}
		seen++
		amount, ok, err := q.claimable(ctx, params, addr, name, pool)
		if err != nil {
			return nil, err
		}
		if ok {
			coin := sdk.NewCoin(params.MintDenom, amount.own)
			resp.Claimable = append(resp.Claimable, types.Claimable{
				Epoch: pool.Epoch, Amount: coin, Holders: sdk.NewCoin(params.MintDenom, amount.holders),
			})
			resp.Total = resp.Total.Add(coin)
		}
	}
	return resp, nil
}

// claimable returns a participant's share of a pool, if it can be claimed.
func (q queryServer) claimable(
	ctx context.Context, params types.Params, addr sdk.AccAddress, name string, pool types.EpochPool,
) (parts, bool, error) {
	if pool.ClaimedScore.Equal(pool.TotalScore) {
		return parts{}, false, nil
	}
	if lost, err := q.isForfeited(ctx, addr, pool.Epoch); err != nil || lost {
		return parts{}, false, err
	}
	if claimed, err := q.Claims.Has(ctx, collections.Join(addr, pool.Epoch)); err != nil || claimed {
		return parts{}, false, err
	}
	score, delegated, err := q.poai.ScoreParts(ctx, pool.Epoch, name)
	if err != nil || !score.IsPositive() {
		return parts{}, false, err
	}
	amount, err := q.split(ctx, params, name, pool.Epoch, share(pool, score), score, delegated)
	return amount, err == nil, err
}

// epochRange reads a page request whose key is an epoch, big endian.
func epochRange(page *query.PageRequest) (*collections.Range[uint64], int, error) {
	rng, limit := new(collections.Range[uint64]), query.DefaultLimit
	if page == nil {
		return rng, limit, nil
	}
	if page.Offset != 0 || page.CountTotal {
		return nil, 0, errorsmod.Wrap(types.ErrInvalidRequest, "pagination: offset and count_total are not supported, use key")
	}
	if page.Limit > types.MaxClaimableScan {
		return nil, 0, errorsmod.Wrapf(types.ErrInvalidRequest, "pagination.limit: %d, limit %d", page.Limit, types.MaxClaimableScan)
	}
	if page.Limit > 0 {
		limit = int(page.Limit)
	}
	if page.Reverse {
		rng = rng.Descending()
	}
	if len(page.Key) == 0 {
		return rng, limit, nil
	}
	if len(page.Key) != 8 {
		return nil, 0, errorsmod.Wrapf(types.ErrInvalidRequest, "pagination.key: %d bytes, want 8", len(page.Key))
	}
	start := binary.BigEndian.Uint64(page.Key)
	if page.Reverse {
		return rng.EndInclusive(start), limit, nil
	}
	return rng.StartInclusive(start), limit, nil
}

func (q queryServer) Vesting(ctx context.Context, req *types.QueryVestingRequest) (*types.QueryVestingResponse, error) {
	if req == nil {
		return nil, status.Error(codes.InvalidArgument, "empty request")
	}
	addr, _, err := q.address("participant", req.Participant)
	if err != nil {
		return nil, err
	}
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	v, err := q.getVesting(ctx, addr)
	if err != nil {
		return nil, err
	}
	last, err := q.Forfeitures.Get(ctx, addr)
	lied := err == nil
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	ppm, err := q.autoBond(ctx, addr)
	if err != nil {
		return nil, err
	}
	releasable := due(v, sdk.UnwrapSDKContext(ctx).BlockHeight())
	return &types.QueryVestingResponse{
		Vesting: v, Releasable: sdk.NewCoin(params.MintDenom, releasable.own), HoldersReleasable: sdk.NewCoin(params.MintDenom, releasable.holders),
		Lied: lied, ForfeitedEpoch: last, AutoBondPpm: ppm,
	}, nil
}
