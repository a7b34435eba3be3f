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

	"poaid/x/lineage/types"
)

type queryServer struct{ Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the query service of x/lineage.
func NewQueryServer(k Keeper) types.QueryServer { return queryServer{k} }

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

func (q queryServer) Node(ctx context.Context, req *types.QueryNodeRequest) (*types.QueryNodeResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	owner, err := q.owner(ctx, req.Node)
	if err != nil {
		return nil, queryError(err)
	}
	n, err := q.Nodes.Get(ctx, req.Node)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	resp := &types.QueryNodeResponse{Owner: owner, Depth: n.Depth}
	return resp, q.parents(ctx, req.Node, func(parent string, share uint32) error {
		resp.Parents = append(resp.Parents, types.Share{Node: parent, ShareBps: share})
		return nil
	})
}

func (q queryServer) Children(ctx context.Context, req *types.QueryChildrenRequest) (*types.QueryChildrenResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Children, req.Pagination,
		func(key collections.Pair[string, string], _ collections.NoValue) (types.Share, error) {
			share, err := q.Edges.Get(ctx, collections.Join(key.K2(), key.K1()))
			return types.Share{Node: key.K2(), ShareBps: share}, err
		},
		query.WithCollectionPaginationPairPrefix[string, string](req.Node))
	return &types.QueryChildrenResponse{Children: list, Pagination: page}, err
}

func (q queryServer) Accounts(ctx context.Context, req *types.QueryAccountsRequest) (*types.QueryAccountsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Accounts, req.Pagination,
		func(key collections.Pair[string, string], a types.Account) (types.DenomAccount, error) {
			out := types.DenomAccount{Denom: key.K2(), Account: a}
			var err error
			if out.Passed, err = q.passed(ctx, key.K1(), key.K2()); err != nil {
				return out, err
			}
			out.Claimable, err = q.claimable(ctx, key.K1(), a)
			return out, err
		},
		query.WithCollectionPaginationPairPrefix[string, string](req.Node))
	return &types.QueryAccountsResponse{Accounts: list, Pagination: page}, err
}

// passed is what a node has settled to its parents.
func (k Keeper) passed(ctx context.Context, node, denom string) (math.Int, error) {
	sum := math.ZeroInt()
	err := k.parents(ctx, node, func(parent string, _ uint32) error {
		v, err := k.settled(ctx, node, parent, denom)
		if err == nil {
			sum = sum.Add(v)
		}
		return err
	})
	return sum, err
}

func (q queryServer) Pending(ctx context.Context, req *types.QueryPendingRequest) (*types.QueryPendingResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if err := sdk.ValidateDenom(req.Denom); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "denom: %s", err)
	}
	limit := int(req.MaxEdges)
	if limit == 0 {
		limit = types.DefaultPendingEdges
	}
	if limit > types.MaxPendingEdges {
		return nil, status.Errorf(codes.InvalidArgument, "max_edges: %d, limit %d", limit, types.MaxPendingEdges)
	}
	if err := q.exists(ctx, req.Node); err != nil {
		return nil, queryError(err)
	}
	return q.pending(ctx, req.Node, req.Denom, limit)
}

// queryError gives errors the gRPC code that REST turns into 404 and 400.
func queryError(err error) error {
	switch {
	case errors.Is(err, types.ErrUnknownNode):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, types.ErrInvalidNode):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return err
}
