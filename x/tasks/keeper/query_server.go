package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/tasks/types"
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

// Tasks lists tasks by id, optionally of one submitter.
func (q queryServer) Tasks(ctx context.Context, req *types.QueryTasksRequest) (*types.QueryTasksResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	if req.Submitter != "" {
		tasks, next, err := q.owned(ctx, q.k.BySubmitter, "submitter", req.Submitter, page)
		return &types.QueryTasksResponse{Tasks: tasks, Pagination: next}, err
	}
	tasks, next, err := query.CollectionPaginate(ctx, q.k.Tasks, page, func(id uint64, task types.Task) (types.TaskView, error) {
		st, err := q.k.Statuses.Get(ctx, id)
		return types.TaskView{Task: task, Status: st}, err
	})
	return &types.QueryTasksResponse{Tasks: tasks, Pagination: next}, err
}

// Assigned lists the unfinished tasks of a worker.
func (q queryServer) Assigned(ctx context.Context, req *types.QueryAssignedRequest) (*types.QueryAssignedResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	tasks, next, err := q.owned(ctx, q.k.ByWorker, "worker", req.Worker, page)
	if err != nil {
		return nil, err
	}
	addr, _, err := q.k.address("worker", req.Worker)
	if err != nil {
		return nil, err
	}
	for i, v := range tasks {
		if tasks[i].Runner, err = q.k.runnerOf(ctx, v.Status, v.Task.Id, addr); err != nil {
			return nil, err
		}
		if tasks[i].Runner != nil {
			tasks[i].Runner.Result = nil
		}
	}
	return &types.QueryAssignedResponse{Tasks: tasks, Pagination: next}, nil
}

// owned pages through the tasks of one address.
func (q queryServer) owned(
	ctx context.Context, index collections.KeySet[collections.Pair[sdk.AccAddress, uint64]], field, address string, page *query.PageRequest,
) ([]types.TaskView, *query.PageResponse, error) {
	addr, _, err := q.k.address(field, address)
	if err != nil {
		return nil, nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return query.CollectionPaginate(ctx, index, page,
		func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (types.TaskView, error) {
			return q.view(ctx, key.K2())
		}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](addr))
}

func (q queryServer) view(ctx context.Context, id uint64) (types.TaskView, error) {
	task, err := q.k.Tasks.Get(ctx, id)
	if err != nil {
		return types.TaskView{}, err
	}
	st, err := q.k.Statuses.Get(ctx, id)
	return types.TaskView{Task: task, Status: st}, err
}

// Task returns all about one task.
func (q queryServer) Task(ctx context.Context, req *types.QueryTaskRequest) (*types.QueryTaskResponse, error) {
	view, err := q.view(ctx, req.Id)
	if err != nil {
		return nil, notFound(err, req.Id)
	}
	res := &types.QueryTaskResponse{Task: view.Task, Status: view.Status}
	if res.Result, err = optional(q.k.Results.Get(ctx, req.Id)); err != nil {
		return nil, err
	}
	if res.Payment, err = optional(q.k.Payments.Get(ctx, req.Id)); err != nil {
		return nil, err
	}
	if res.Runners, err = q.k.runners(ctx, view.Status, req.Id); err != nil {
		return nil, err
	}
	for i := range res.Runners {
		res.Runners[i].Result = nil
	}
	if view.Status.Audited && !view.Status.Pruned {
		seats, err := q.k.seats(ctx, view.Status, req.Id)
		if err != nil {
			return nil, err
		}
		for _, s := range seats {
			res.Committee = append(res.Committee, s.Participant)
		}
	}
	if res.Result == nil {
		return res, nil
	}
	model, err := q.k.model(ctx, view.Task.Model)
	if errors.Is(err, types.ErrModel) {
		return res, nil // a model of the chain's own that is gone; its receipts stay
	}
	if err != nil {
		return nil, err
	}
	res.Outputs, err = q.k.render(ctx, model, res.Result.Outputs)
	return res, err
}

// Inputs returns a task's inputs.
func (q queryServer) Inputs(ctx context.Context, req *types.QueryInputsRequest) (*types.QueryInputsResponse, error) {
	st, err := q.k.Statuses.Get(ctx, req.Id)
	if err != nil {
		return nil, notFound(err, req.Id)
	}
	if st.Pruned {
		return nil, status.Errorf(codes.NotFound, "id: the inputs of task %d were dropped after retention", req.Id)
	}
	inputs, err := q.k.Inputs.Get(ctx, req.Id)
	return &types.QueryInputsResponse{Inputs: inputs}, err
}

// Open lists races that take seals and auctions that take bids or reveals, optionally of one model.
func (q queryServer) Open(ctx context.Context, req *types.QueryOpenRequest) (*types.QueryOpenResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	var opts []func(*query.CollectionsPaginateOptions[collections.Pair[string, uint64]])
	if req.Model != "" {
		opts = append(opts, query.WithCollectionPaginationPairPrefix[string, uint64](req.Model))
	}
	tasks, next, err := query.CollectionPaginate(ctx, q.k.Open, page,
		func(key collections.Pair[string, uint64], _ collections.NoValue) (types.TaskView, error) {
			return q.view(ctx, key.K2())
		}, opts...)
	return &types.QueryOpenResponse{Tasks: tasks, Pagination: next}, err
}

// Jackpot tells what is in the jackpot of forced errors, and in the pot that members are paid from.
func (q queryServer) Jackpot(ctx context.Context, _ *types.QueryJackpotRequest) (*types.QueryJackpotResponse, error) {
	coins, err := potCoins(ctx, q.k.Jackpot)
	if err != nil {
		return nil, err
	}
	audits, err := potCoins(ctx, q.k.AuditPot)
	return &types.QueryJackpotResponse{Jackpot: coins, Audits: audits}, err
}

// optional turns ErrNotFound into nil.
func optional[T any](v T, err error) (*T, error) {
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return &v, err
}

func notFound(err error, id uint64) error {
	if errors.Is(err, collections.ErrNotFound) {
		return status.Errorf(codes.NotFound, "id: there is no task %d", id)
	}
	return err
}
