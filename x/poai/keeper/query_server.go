package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/poai/types"
)

const (
	defaultPage = 100
	maxPage     = 1_000
)

var _ types.QueryServer = queryServer{}

type queryServer struct{ *Keeper }

// NewQueryServer serves the queries of x/poai.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k} }

// page caps the limit of a page request and drops the count of all entries, which would read them all.
func page(req *query.PageRequest) *query.PageRequest {
	if req == nil {
		return &query.PageRequest{Limit: defaultPage}
	}
	p := *req
	p.CountTotal = false
	if p.Limit == 0 {
		p.Limit = defaultPage
	}
	p.Limit = min(p.Limit, maxPage)
	return &p
}

// found turns a missing entry into codes.NotFound and leaves real failures alone.
func found(err error, format string, args ...any) error {
	if errors.Is(err, collections.ErrNotFound) {
		return status.Errorf(codes.NotFound, format, args...)
	}
	return err
}

var errEmptyRequest = status.Error(codes.InvalidArgument, "empty request")

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Participants lists participants by address, all or those who serve a model.
func (q queryServer) Participants(ctx context.Context, req *types.QueryParticipantsRequest) (*types.QueryParticipantsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	var (
		participants []types.Participant
		pageRes      *query.PageResponse
		err          error
	)
	if req.Model == "" {
		participants, pageRes, err = query.CollectionPaginate(ctx, q.Keeper.Participants, page(req.Pagination),
			func(_ string, p types.Participant) (types.Participant, error) { return p, nil })
	} else {
		participants, pageRes, err = query.CollectionPaginate(ctx, q.Trees.Slots, page(req.Pagination),
			func(key collections.Pair[string, string], _ uint64) (types.Participant, error) {
				return q.Keeper.Participants.Get(ctx, key.K2())
			}, query.WithCollectionPaginationPairPrefix[string, string](req.Model))
	}
	if err != nil {
		return nil, err
	}
	return &types.QueryParticipantsResponse{Participants: participants, Pagination: pageRes}, nil
}

// Participant returns one participant and what it serves.
func (q queryServer) Participant(ctx context.Context, req *types.QueryParticipantRequest) (*types.QueryParticipantResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	p, err := q.Keeper.Participants.Get(ctx, req.Address)
	if err != nil {
		return nil, found(err, "participant %q has not joined", req.Address)
	}
	models, err := q.Trees.Models(ctx, req.Address)
	if err != nil {
		return nil, err
	}
	return &types.QueryParticipantResponse{Participant: p, Models: models}, nil
}

// Locks lists what a participant has at risk, by kind and task.
func (q queryServer) Locks(ctx context.Context, req *types.QueryLocksRequest) (*types.QueryLocksResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	locks, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Locks, page(req.Pagination),
		func(key LockKey, amount math.Int) (types.Lock, error) {
			return types.Lock{Participant: key.K1(), Kind: types.LockKind(key.K2()), Item: key.K3(), Amount: amount}, nil
		}, func(o *query.CollectionsPaginateOptions[LockKey]) {
			prefix := collections.TriplePrefix[string, int32, uint64](req.Address)
			o.Prefix = &prefix
		})
	if err != nil {
		return nil, err
	}
	return &types.QueryLocksResponse{Locks: locks, Pagination: pageRes}, nil
}

// Unbondings lists bond on its way out, by height.
func (q queryServer) Unbondings(ctx context.Context, req *types.QueryUnbondingsRequest) (*types.QueryUnbondingsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	unbondings, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Unbondings, page(req.Pagination),
		func(key UnbondingKey, amount math.Int) (types.Unbonding, error) {
			return types.Unbonding{Participant: key.K1(), MatureHeight: key.K2(), Amount: amount}, nil
		}, query.WithCollectionPaginationPairPrefix[string, int64](req.Address))
	if err != nil {
		return nil, err
	}
	return &types.QueryUnbondingsResponse{Unbondings: unbondings, Pagination: pageRes}, nil
}

// Faults lists the faults of a participant, oldest first.
func (q queryServer) Faults(ctx context.Context, req *types.QueryFaultsRequest) (*types.QueryFaultsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	faults, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Faults, page(req.Pagination),
		func(_ FaultKey, f types.Fault) (types.Fault, error) { return f, nil }, query.WithCollectionPaginationPairPrefix[string, uint64](req.Address))
	if err != nil {
		return nil, err
	}
	return &types.QueryFaultsResponse{Faults: faults, Pagination: pageRes}, nil
}

// Correlation tells what the first lie of a participant would cost now besides its lock.
func (q queryServer) Correlation(ctx context.Context, _ *types.QueryCorrelationRequest) (*types.QueryCorrelationResponse, error) {
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	epoch, err := q.RunningEpoch.Get(ctx)
	if err != nil {
		return nil, err
	}
	losses, err := q.losses(ctx, epoch)
	if err != nil {
		return nil, err
	}
	total, err := q.TotalBonded(ctx)
	if err != nil {
		return nil, err
	}
	extra := params.Fault.Extra(math.NewInt(types.PPM), losses.Lost.MulRaw(types.PPM), total.MulRaw(types.PPM), 0)
	return &types.QueryCorrelationResponse{Epoch: epoch, Lost: losses.Lost, TotalBonded: total, ExtraPpm: extra.Uint64()}, nil
}

// Operators tells whether tasks of a model could earn score now, those of one participant or of any.
func (q queryServer) Operators(ctx context.Context, req *types.QueryOperatorsRequest) (*types.QueryOperatorsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	params, err := q.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	res := &types.QueryOperatorsResponse{MinOperators: params.Minting.MinOperators}
	if res.Operators, res.TotalWeight, res.MaxWeight, err = q.operators(ctx, req.Model, params); err != nil {
		return nil, err
	}
	if req.Participant == "" {
		res.Scores = res.Operators >= uint64(res.MinOperators)
		return res, nil
	}
	leaf, _, err := q.Trees.Leaf(ctx, req.Model, req.Participant)
	if err != nil {
		return nil, err
	}
	res.Weight = leaf.Weight
	res.Scores, err = q.MayScore(ctx, req.Model, req.Participant)
	return res, err
}

// Duties lists the open and sealed seats of a participant, by task.
func (q queryServer) Duties(ctx context.Context, req *types.QueryDutiesRequest) (*types.QueryDutiesResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	duties, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Duties, page(req.Pagination),
		func(key DutyKey, index uint32) (types.Duty, error) {
			seat, err := q.Seats.Get(ctx, collections.Join(key.K2(), index))
			if err != nil {
				return types.Duty{}, err
			}
			committee, err := q.Committees.Get(ctx, key.K2())
			return types.Duty{Seat: seat, Committee: committee}, err
		}, query.WithCollectionPaginationPairPrefix[string, uint64](req.Address))
	if err != nil {
		return nil, err
	}
	return &types.QueryDutiesResponse{Duties: duties, Pagination: pageRes}, nil
}

// Committee returns the committee of a task and its seats.
func (q queryServer) Committee(ctx context.Context, req *types.QueryCommitteeRequest) (*types.QueryCommitteeResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	committee, seats, err := q.GetCommittee(ctx, req.TaskId)
	if err != nil {
		return nil, found(err, "task %d has no committee", req.TaskId)
	}
	return &types.QueryCommitteeResponse{Committee: committee, Seats: seats}, nil
}

// Epoch returns an epoch; 0 means the running one.
func (q queryServer) Epoch(ctx context.Context, req *types.QueryEpochRequest) (*types.QueryEpochResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	number := req.Number
	if number == 0 {
		running, err := q.RunningEpoch.Get(ctx)
		if err != nil {
			return nil, err
		}
		number = running
	}
	epoch, err := q.GetEpoch(ctx, number)
	if err != nil {
		return nil, found(err, "epoch %d does not exist", number)
	}
	return &types.QueryEpochResponse{Epoch: epoch}, nil
}

// Epochs lists epochs by number.
func (q queryServer) Epochs(ctx context.Context, req *types.QueryEpochsRequest) (*types.QueryEpochsResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	epochs, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Epochs, page(req.Pagination),
		func(_ uint64, e types.Epoch) (types.Epoch, error) { return e, nil })
	if err != nil {
		return nil, err
	}
	return &types.QueryEpochsResponse{Epochs: epochs, Pagination: pageRes}, nil
}

// Scores lists the scores of an epoch by address; epoch 0 means the last one with a score, else the running one.
func (q queryServer) Scores(ctx context.Context, req *types.QueryScoresRequest) (*types.QueryScoresResponse, error) {
	if req == nil {
		return nil, errEmptyRequest
	}
	number, err := q.scoredEpoch(ctx, req.Epoch)
	if err != nil {
		return nil, err
	}
	epoch, err := q.GetEpoch(ctx, number)
	if err != nil {
		return nil, found(err, "epoch %d does not exist", number)
	}
	scores, pageRes, err := query.CollectionPaginate(ctx, q.Keeper.Scores, page(req.Pagination),
		func(key ScoreKey, score types.Score) (types.Score, error) {
			return types.Score{Epoch: key.K1(), Participant: key.K2(), Score: score.Score, Units: score.Units, Delegated: score.Delegated}, nil
		}, query.WithCollectionPaginationPairPrefix[uint64, string](number))
	if err != nil {
		return nil, err
	}
	return &types.QueryScoresResponse{Epoch: epoch, Scores: scores, Pagination: pageRes}, nil
}

// scoredEpoch is the number asked for, else that of the last key of the scores.
func (q queryServer) scoredEpoch(ctx context.Context, number uint64) (uint64, error) {
	if number != 0 {
		return number, nil
	}
	iter, err := q.Keeper.Scores.Iterate(ctx, new(collections.Range[ScoreKey]).Descending())
	if err != nil {
		return 0, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return q.RunningEpoch.Get(ctx)
	}
	key, err := iter.Key()
	return key.K1(), err
}
