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

	"poaid/commit"
	"poaid/internal/paging"
	"poaid/x/training/types"
)

type queryServer struct{ k Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServerImpl returns the query service.
func NewQueryServerImpl(k Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Jobs lists jobs by id, optionally of one owner.
func (q queryServer) Jobs(ctx context.Context, req *types.QueryJobsRequest) (*types.QueryJobsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	if req.Owner == "" {
		jobs, next, err := query.CollectionPaginate(ctx, q.k.Jobs, page, func(_ uint64, j types.Job) (types.JobView, error) {
			p, err := q.k.Progress.Get(ctx, j.Id)
			return types.JobView{Job: j, Progress: p}, err
		})
		return &types.QueryJobsResponse{Jobs: jobs, Pagination: next}, err
	}
	owner, _, err := q.k.address("owner", req.Owner)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	jobs, next, err := query.CollectionPaginate(ctx, q.k.ByOwner, page,
		func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (types.JobView, error) {
			j, p, err := q.k.job(ctx, key.K2())
			return types.JobView{Job: j, Progress: p}, err
		}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](owner))
	return &types.QueryJobsResponse{Jobs: jobs, Pagination: next}, err
}

// Job returns a job and where it stands.
func (q queryServer) Job(ctx context.Context, req *types.QueryJobRequest) (*types.QueryJobResponse, error) {
	j, p, err := q.k.job(ctx, req.Id)
	if err != nil {
		return nil, unknown(err)
	}
	return &types.QueryJobResponse{Job: j, Progress: p}, nil
}

// JobOfTask returns the job that a task is a segment of.
func (q queryServer) JobOfTask(ctx context.Context, req *types.QueryJobOfTaskRequest) (*types.QueryJobOfTaskResponse, error) {
	id, err := q.k.ByTask.Get(ctx, req.TaskId)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "task_id: %d is no segment that runs or is done", req.TaskId)
	}
	if err != nil {
		return nil, err
	}
	j, p, err := q.k.job(ctx, id)
	return &types.QueryJobOfTaskResponse{Job: j, Progress: p}, err
}

// Checkpoints lists the agreed states of a job.
func (q queryServer) Checkpoints(ctx context.Context, req *types.QueryCheckpointsRequest) (*types.QueryCheckpointsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	list, next, err := query.CollectionPaginate(ctx, q.k.Checkpoints, page,
		func(_ stepKey, c types.Checkpoint) (types.Checkpoint, error) { return c, nil },
		query.WithCollectionPaginationPairPrefix[uint64, uint64](req.Id))
	return &types.QueryCheckpointsResponse{Checkpoints: list, Pagination: next}, err
}

// Estimate prices the first segment and the last whole one, which is the dearest: dimensions never shrink.
func (q queryServer) Estimate(ctx context.Context, req *types.QueryEstimateRequest) (*types.QueryEstimateResponse, error) {
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := types.CheckSegments(req.Steps, req.SegmentSteps, params.MaxSegments); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	denom, err := q.k.tasks.FeeDenom(ctx)
	if err != nil {
		return nil, err
	}
	j := types.Job{Model: req.Model, Steps: req.Steps, SegmentSteps: req.SegmentSteps, Denom: denom}
	most := sdk.NewCoin(denom, math.NewInt(1<<62))
	root := make([]byte, commit.Size)
	out := types.Quote{Segments: j.Segments()}
	dearest := sdk.NewCoin(denom, math.ZeroInt())
	for i, from := range []uint64{0, req.Steps - req.SegmentSteps} {
		task, err := q.k.tasks.Quote(ctx, request(j, from, from+req.SegmentSteps, root, most))
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		if i == 0 {
			out.First = task.MaxFee
		}
		if dearest.IsLT(task.MaxFee) {
			dearest = task.MaxFee
		}
		out.Units = max(out.Units, task.Units)
	}
	out.Units *= out.Segments
	out.Budget = sdk.NewCoin(denom, dearest.Amount.Mul(math.NewIntFromUint64(out.Segments)))
	return &types.QueryEstimateResponse{Quote: out}, nil
}

// Recipes lists the recipes.
func (q queryServer) Recipes(ctx context.Context, req *types.QueryRecipesRequest) (*types.QueryRecipesResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	list, next, err := query.CollectionPaginate(ctx, q.k.Recipes, page, func(id string, r types.Recipe) (types.RecipeView, error) {
		p, err := q.k.RecipeProgress.Get(ctx, id)
		return types.RecipeView{Recipe: r, Progress: p}, err
	})
	return &types.QueryRecipesResponse{Recipes: list, Pagination: next}, err
}

func unknown(err error) error {
	if errors.Is(err, types.ErrUnknownJob) {
		return status.Error(codes.NotFound, err.Error())
	}
	return err
}
