package keeper

import (
	"context"
	"errors"

	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/grades/types"
)

type queryServer struct{ k Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServerImpl returns the query service.
func NewQueryServerImpl(k Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

// Contests lists contests by number.
func (q queryServer) Contests(ctx context.Context, req *types.QueryContestsRequest) (*types.QueryContestsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	contests, next, err := query.CollectionPaginate(ctx, q.k.Contests, page, func(_ uint64, c types.Contest) (types.Contest, error) { return c, nil })
	return &types.QueryContestsResponse{Contests: contests, Pagination: next}, err
}

// Contest returns one contest.
func (q queryServer) Contest(ctx context.Context, req *types.QueryContestRequest) (*types.QueryContestResponse, error) {
	c, err := q.contest(ctx, req.Id)
	return &types.QueryContestResponse{Contest: c}, err
}

// Entries lists a contest's entries.
func (q queryServer) Entries(ctx context.Context, req *types.QueryEntriesRequest) (*types.QueryEntriesResponse, error) {
	c, page, err := q.pageOf(ctx, req.Contest, req.Pagination)
	if err != nil {
		return nil, err
	}
	entries, next, err := query.CollectionPaginate(ctx, q.k.Entries, page, func(_ SlotKey, e types.Entry) (types.Entry, error) { return e, nil },
		query.WithCollectionPaginationPairPrefix[uint64, uint64](c.Number))
	return &types.QueryEntriesResponse{Entries: entries, Pagination: next}, err
}

// Seats lists the graders of a contest's running round.
func (q queryServer) Seats(ctx context.Context, req *types.QuerySeatsRequest) (*types.QuerySeatsResponse, error) {
	c, page, err := q.pageOf(ctx, req.Contest, req.Pagination)
	if err != nil {
		return nil, err
	}
	seats, next, err := query.CollectionPaginate(ctx, q.k.Seats, page, func(_ MemberKey, s types.Seat) (types.Seat, error) { return s, nil },
		query.WithCollectionPaginationPairPrefix[uint64, string](c.Number))
	return &types.QuerySeatsResponse{Seats: seats, Pagination: next}, err
}

// Rounds lists a contest's results that are kept.
func (q queryServer) Rounds(ctx context.Context, req *types.QueryRoundsRequest) (*types.QueryRoundsResponse, error) {
	c, page, err := q.pageOf(ctx, req.Contest, req.Pagination)
	if err != nil {
		return nil, err
	}
	rounds, next, err := query.CollectionPaginate(ctx, q.k.Rounds, page, func(_ SlotKey, r types.RoundResult) (types.RoundResult, error) { return r, nil },
		query.WithCollectionPaginationPairPrefix[uint64, uint64](c.Number))
	return &types.QueryRoundsResponse{Rounds: rounds, Pagination: next}, err
}

func (q queryServer) pageOf(ctx context.Context, contest string, page *query.PageRequest) (types.Contest, *query.PageRequest, error) {
	page, err := paging.Check(page)
	if err != nil {
		return types.Contest{}, nil, err
	}
	c, err := q.contest(ctx, contest)
	return c, page, err
}

func (q queryServer) contest(ctx context.Context, id string) (types.Contest, error) {
	c, err := q.k.contest(ctx, id)
	if errors.Is(err, types.ErrNotFound) {
		err = status.Error(codes.NotFound, err.Error())
	}
	return c, err
}
