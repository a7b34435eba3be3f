package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/delegation/types"
)

type queryServer struct{ Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the query service of x/delegation.
func NewQueryServer(k Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

// Pools lists pools.
func (q queryServer) Pools(ctx context.Context, req *types.QueryPoolsRequest) (*types.QueryPoolsResponse, error) {
	page, err := paging.Check(req.GetPagination())
	if err != nil {
		return nil, err
	}
	pools, next, err := query.CollectionPaginate(ctx, q.Keeper.Pools, page, func(_ string, p types.Pool) (types.Pool, error) { return p, nil })
	return &types.QueryPoolsResponse{Pools: pools, Pagination: next}, err
}

// Pool returns one pool as of now, and what it holds.
func (q queryServer) Pool(ctx context.Context, req *types.QueryPoolRequest) (*types.QueryPoolResponse, error) {
	ctx = branch(ctx)
	pool, epoch, err := q.pool(ctx, req.GetParticipant())
	if err != nil {
		return nil, notFound(err)
	}
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	denom, err := q.poai.BondDenom(ctx)
	if err != nil {
		return nil, err
	}
	p, err := q.participant(ctx, pool.Participant)
	if err != nil {
		return nil, err
	}
	room := math.MaxInt(p.OwnBond().MulRaw(int64(params.MaxLeverage)).Sub(p.DelegatedBond()), math.ZeroInt())
	res := &types.QueryPoolResponse{
		Pool: pool, Delegated: sdk.NewCoin(denom, p.DelegatedBond()), Own: sdk.NewCoin(denom, p.OwnBond()), Room: sdk.NewCoin(denom, room),
	}
	if res.CommissionBps, err = q.commission(ctx, pool.Participant, epoch); err != nil {
		return nil, err
	}
	res.NextCommissionBps, err = q.commission(ctx, pool.Participant, epoch+1)
	return res, err
}

// Holders lists the delegations of a pool as they are stored.
func (q queryServer) Holders(ctx context.Context, req *types.QueryHoldersRequest) (*types.QueryHoldersResponse, error) {
	page, err := paging.Check(req.GetPagination())
	if err != nil {
		return nil, err
	}
	list, next, err := query.CollectionPaginate(ctx, q.Keeper.Delegations, page,
		func(_ DelegationKey, d types.Delegation) (types.Delegation, error) { return d, nil },
		query.WithCollectionPaginationPairPrefix[string, string](req.GetParticipant()))
	return &types.QueryHoldersResponse{Delegations: list, Pagination: next}, err
}

// Delegation returns what one holder has in one pool, as of now.
func (q queryServer) Delegation(ctx context.Context, req *types.QueryDelegationRequest) (*types.QueryDelegationResponse, error) {
	ctx = branch(ctx)
	has, err := q.Keeper.Delegations.Has(ctx, collections.Join(req.GetParticipant(), req.GetHolder()))
	if err != nil {
		return nil, err
	}
	if !has {
		return nil, status.Errorf(codes.NotFound, "holder: %s has nothing with %s", req.GetHolder(), req.GetParticipant())
	}
	view, err := q.view(ctx, req.GetParticipant(), req.GetHolder())
	return &types.QueryDelegationResponse{Delegation: view}, err
}

// Delegations lists what a holder has in all pools, as of now.
func (q queryServer) Delegations(ctx context.Context, req *types.QueryDelegationsRequest) (*types.QueryDelegationsResponse, error) {
	page, err := paging.Check(req.GetPagination())
	if err != nil {
		return nil, err
	}
	ctx = branch(ctx)
	list, next, err := query.CollectionPaginate(ctx, q.ByHolder, page,
		func(key collections.Pair[string, string], _ collections.NoValue) (types.DelegationView, error) {
			return q.view(ctx, key.K2(), key.K1())
		},
		query.WithCollectionPaginationPairPrefix[string, string](req.GetHolder()))
	return &types.QueryDelegationsResponse{Delegations: list, Pagination: next}, err
}

// view is a delegation settled to now, in a branch of the state.
func (q queryServer) view(ctx context.Context, participant, holder string) (types.DelegationView, error) {
	var view types.DelegationView
	pool, _, err := q.pool(ctx, participant)
	if err != nil {
		return view, err
	}
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return view, err
	}
	denom, err := q.poai.BondDenom(ctx)
	if err != nil {
		return view, err
	}
	p, err := q.participant(ctx, participant)
	if err != nil {
		return view, err
	}
	d, _, err := q.holding(ctx, pool, holder)
	if err != nil {
		return view, err
	}
	return types.DelegationView{
		Delegation: d, Value: sdk.NewCoin(denom, worth(pool, d.Shares(), p.DelegatedBond())),
		Claimable: sdk.NewCoin(params.RewardDenom, types.Whole(d.Owed)),
	}, nil
}

// Unbondings lists what a holder has undelegated and not withdrawn.
func (q queryServer) Unbondings(ctx context.Context, req *types.QueryUnbondingsRequest) (*types.QueryUnbondingsResponse, error) {
	page, err := paging.Check(req.GetPagination())
	if err != nil {
		return nil, err
	}
	list, next, err := query.CollectionPaginate(ctx, q.Keeper.Unbondings, page,
		func(key UnbondingKey, amount math.Int) (types.Unbonding, error) {
			return types.Unbonding{Holder: key.K1(), MatureHeight: key.K2(), Participant: key.K3(), Amount: amount}, nil
		},
		func(o *query.CollectionsPaginateOptions[UnbondingKey]) {
			prefix := collections.TriplePrefix[string, int64, string](req.GetHolder())
			o.Prefix = &prefix
		})
	return &types.QueryUnbondingsResponse{Unbondings: list, Pagination: next}, err
}

// branch lets a query settle what a message would: nothing that it writes stays.
func branch(ctx context.Context) context.Context {
	out, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	return out
}

func notFound(err error) error {
	if errors.Is(err, types.ErrNoPool) {
		return status.Error(codes.NotFound, err.Error())
	}
	return err
}
