package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/datasets/types"
)

type queryServer struct{ Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the query service of x/datasets.
func NewQueryServer(k Keeper) types.QueryServer { return queryServer{k} }

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

func (q queryServer) Datasets(ctx context.Context, req *types.QueryDatasetsRequest) (*types.QueryDatasetsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Datasets, req.Pagination,
		func(_ string, d types.Dataset) (types.Dataset, error) { return d, nil })
	return &types.QueryDatasetsResponse{Datasets: list, Pagination: page}, err
}

func (q queryServer) Dataset(ctx context.Context, req *types.QueryDatasetRequest) (*types.QueryDatasetResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	d, err := q.GetDataset(ctx, req.Id)
	if err != nil {
		return nil, queryError(err)
	}
	counts, err := q.counts(ctx, req.Id)
	return &types.QueryDatasetResponse{Dataset: d, Counts: counts}, err
}

func (q queryServer) Roots(ctx context.Context, req *types.QueryRootsRequest) (*types.QueryRootsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	roots, page, err := query.CollectionPaginate(ctx, q.Tensors, req.Pagination,
		func(key collections.Pair[string, []byte], _ collections.NoValue) ([]byte, error) {
			return key.K2(), nil
		},
		query.WithCollectionPaginationPairPrefix[string, []byte](req.Id))
	return &types.QueryRootsResponse{Roots: roots, Pagination: page}, err
}

func (q queryServer) RootOwner(ctx context.Context, req *types.QueryRootOwnerRequest) (*types.QueryRootOwnerResponse, error) {
	if req == nil || len(req.Root) != types.HashBytes {
		return nil, status.Errorf(codes.InvalidArgument, "root: want %d bytes", types.HashBytes)
	}
	id, err := q.Keeper.Roots.Get(ctx, req.Root)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "root %x belongs to no dataset", req.Root)
	}
	return &types.QueryRootOwnerResponse{Id: id}, err
}

func (q queryServer) Programs(ctx context.Context, req *types.QueryProgramsRequest) (*types.QueryProgramsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Programs, req.Pagination,
		func(key collections.Pair[string, []byte], free bool) (types.Program, error) {
			return types.Program{ProgramHash: key.K2(), Free: free}, nil
		},
		query.WithCollectionPaginationPairPrefix[string, []byte](req.Id))
	return &types.QueryProgramsResponse{Programs: list, Pagination: page}, err
}

func (q queryServer) Grants(ctx context.Context, req *types.QueryGrantsRequest) (*types.QueryGrantsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Grants, req.Pagination,
		func(key collections.Pair[string, sdk.AccAddress], expires int64) (types.GenesisGrant, error) {
			name, err := q.addresses.BytesToString(key.K2())
			return types.GenesisGrant{Dataset: key.K1(), Grantee: name, Expires: expires}, err
		},
		query.WithCollectionPaginationPairPrefix[string, sdk.AccAddress](req.Id))
	return &types.QueryGrantsResponse{Grants: list, Pagination: page}, err
}

func (q queryServer) Usages(ctx context.Context, req *types.QueryUsagesRequest) (*types.QueryUsagesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	list, page, err := query.CollectionPaginate(ctx, q.Keeper.Usages, req.Pagination,
		func(key collections.Pair[string, sdk.AccAddress], u types.Usage) (types.GenesisUsage, error) {
			name, err := q.addresses.BytesToString(key.K2())
			return types.GenesisUsage{Dataset: key.K1(), User: name, Usage: u}, err
		},
		query.WithCollectionPaginationPairPrefix[string, sdk.AccAddress](req.Id))
	return &types.QueryUsagesResponse{Usages: list, Pagination: page}, err
}

func (q queryServer) MayTrain(ctx context.Context, req *types.QueryMayTrainRequest) (*types.QueryMayTrainResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	user, _, err := q.address("user", req.User)
	if err != nil {
		return nil, queryError(err)
	}
	if err := types.CheckHash("program_hash", req.ProgramHash); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	d, err := q.GetDataset(ctx, req.Id)
	if err != nil {
		return nil, queryError(err)
	}
	err = q.check(ctx, d, user, req.ProgramHash)
	if errors.Is(err, types.ErrClosed) || errors.Is(err, types.ErrNoGrant) {
		return &types.QueryMayTrainResponse{Reason: err.Error()}, nil
	}
	return &types.QueryMayTrainResponse{Allowed: err == nil}, err
}

// counts of a dataset, zero where nothing was counted.
func (k Keeper) counts(ctx context.Context, id string) (c types.Counts, err error) {
	if c.Grants, err = k.GrantCounts.Get(ctx, id); err != nil && !errors.Is(err, collections.ErrNotFound) {
		return c, err
	}
	if c.Uses, err = k.UseCounts.Get(ctx, id); err != nil && !errors.Is(err, collections.ErrNotFound) {
		return c, err
	}
	return c, nil
}

// queryError gives errors the gRPC code that REST turns into 404 and 400.
func queryError(err error) error {
	switch {
	case errors.Is(err, types.ErrNotFound):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, types.ErrInvalidAddress):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return err
}
