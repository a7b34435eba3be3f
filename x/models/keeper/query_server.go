package keeper

import (
	"context"
	"errors"

	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/models/types"
)

type queryServer struct{ Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the query service of x/models.
func NewQueryServer(k Keeper) types.QueryServer { return queryServer{k} }

func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

func (q queryServer) Models(ctx context.Context, req *types.QueryModelsRequest) (*types.QueryModelsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	models, page, err := query.CollectionPaginate(ctx, q.Keeper.Models, req.Pagination,
		func(_ string, m types.Model) (types.Model, error) { return m, nil })
	return &types.QueryModelsResponse{Models: models, Pagination: page}, err
}

func (q queryServer) Model(ctx context.Context, req *types.QueryModelRequest) (*types.QueryModelResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	m, err := q.GetModel(ctx, req.Id)
	return &types.QueryModelResponse{Model: m}, queryError(err)
}

func (q queryServer) Program(ctx context.Context, req *types.QueryProgramRequest) (*types.QueryProgramResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	p, err := q.GetProgram(ctx, req.Id)
	return &types.QueryProgramResponse{Program: p}, queryError(err)
}

func (q queryServer) Vocabulary(ctx context.Context, req *types.QueryVocabularyRequest) (*types.QueryVocabularyResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	v, err := q.GetVocabulary(ctx, req.Id)
	return &types.QueryVocabularyResponse{Vocabulary: &v}, queryError(err)
}

func (q queryServer) Units(ctx context.Context, req *types.QueryUnitsRequest) (*types.QueryUnitsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	units, score, err := q.RunUnits(ctx, req.Id, req.Steps, req.PromptRows)
	return &types.QueryUnitsResponse{Units: units, ScoreUnits: score}, queryError(err)
}

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

// queryError gives not-found and bad-request errors the gRPC code that REST turns into 404 and 400.
func queryError(err error) error {
	switch {
	case errors.Is(err, types.ErrModelNotFound):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, types.ErrInvalidRun):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return err
}
