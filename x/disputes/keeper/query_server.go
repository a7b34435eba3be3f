package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/disputes/types"
)

type queryServer struct{ k Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServerImpl returns the query service.
func NewQueryServerImpl(k Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params and the tick.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	tick, err := q.k.Tick.Get(ctx)
	return &types.QueryParamsResponse{Params: params, Tick: tick}, err
}

// Cases lists cases by task and attempt, all or those that are not closed.
func (q queryServer) Cases(ctx context.Context, req *types.QueryCasesRequest) (*types.QueryCasesResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	if !req.Open {
		cases, next, err := query.CollectionPaginate(ctx, q.k.Cases, page, func(_ caseKey, c types.Case) (types.Case, error) { return c, nil })
		return &types.QueryCasesResponse{Cases: cases, Pagination: next}, err
	}
	cases, next, err := query.CollectionPaginate(ctx, q.k.OpenCases, page,
		func(key caseKey, _ collections.NoValue) (types.Case, error) { return q.k.Cases.Get(ctx, key) })
	return &types.QueryCasesResponse{Cases: cases, Pagination: next}, err
}

// lastCase is the case of a task's last attempt that has one.
func (q queryServer) lastCase(ctx context.Context, task uint64) (*types.Case, error) {
	var last *types.Case
	err := q.k.Cases.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](task).Descending(), func(_ caseKey, c types.Case) (bool, error) {
		last = &c
		return true, nil
	})
	if err == nil && last == nil {
		err = status.Errorf(codes.NotFound, "task_id: nobody argued about task %d", task)
	}
	return last, err
}

// Case returns the last case of a task, its first claims, and the story of its first games.
func (q queryServer) Case(ctx context.Context, req *types.QueryCaseRequest) (*types.QueryCaseResponse, error) {
	c, err := q.lastCase(ctx, req.TaskId)
	if err != nil {
		return nil, err
	}
	res := &types.QueryCaseResponse{Case: *c}
	prefix := collections.NewSuperPrefixedTripleRange[uint64, uint32, uint32](c.TaskId, c.Attempt)
	err = q.k.Claims.Walk(ctx, prefix, func(_ claimKey, claim types.Claim) (bool, error) {
		res.Claims = append(res.Claims, claim)
		return len(res.Claims) == paging.Default, nil
	})
	if err != nil {
		return nil, err
	}
	var games []types.Game
	err = q.k.Games.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](c.TaskId), func(_ itemKey, g types.Game) (bool, error) {
		if g.Attempt == c.Attempt {
			games = append(games, g)
		}
		return len(games) == paging.Default, nil
	})
	if err != nil || len(games) == 0 {
		return res, err
	}
	t, err := q.k.table(ctx, c)
	if err != nil {
		return nil, err
	}
	for i := range games {
		s, err := q.k.story(ctx, t, &games[i])
		if err != nil {
			return nil, err
		}
		res.Games = append(res.Games, s)
	}
	return res, nil
}

// Claims lists the claims of a task's last case.
func (q queryServer) Claims(ctx context.Context, req *types.QueryClaimsRequest) (*types.QueryClaimsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	c, err := q.lastCase(ctx, req.TaskId)
	if err != nil {
		return nil, err
	}
	claims, next, err := query.CollectionPaginate(ctx, q.k.Claims, page,
		func(_ claimKey, claim types.Claim) (types.Claim, error) { return claim, nil },
		within(collections.TripleSuperPrefix[uint64, uint32, uint32](c.TaskId, c.Attempt)))
	return &types.QueryClaimsResponse{Claims: claims, Pagination: next}, err
}

// within bounds pages to the keys with a prefix.
func within[K any](prefix K) func(*query.CollectionsPaginateOptions[K]) {
	return func(o *query.CollectionsPaginateOptions[K]) { o.Prefix = &prefix }
}

// Games lists the games of a task, whatever the attempt.
func (q queryServer) Games(ctx context.Context, req *types.QueryGamesRequest) (*types.QueryGamesResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	games, next, err := query.CollectionPaginate(ctx, q.k.Games, page,
		func(_ itemKey, g types.Game) (types.Game, error) { return g, nil },
		query.WithCollectionPaginationPairPrefix[uint64, uint32](req.TaskId))
	return &types.QueryGamesResponse{Games: games, Pagination: next}, err
}

// Game returns a game with its position and story.
func (q queryServer) Game(ctx context.Context, req *types.QueryGameRequest) (*types.QueryGameResponse, error) {
	g, err := q.k.Games.Get(ctx, collections.Join(req.TaskId, req.Index))
	if err != nil {
		if errors.Is(err, collections.ErrNotFound) {
			return nil, status.Errorf(codes.NotFound, "index: task %d has no game %d", req.TaskId, req.Index)
		}
		return nil, err
	}
	c, err := q.k.Cases.Get(ctx, collections.Join(g.TaskId, g.Attempt))
	if err != nil {
		return nil, err
	}
	t, err := q.k.table(ctx, &c)
	if err != nil {
		return nil, err
	}
	s, err := q.k.story(ctx, t, &g)
	return &types.QueryGameResponse{Game: g, Story: s}, err
}

// Playing lists the running games of a participant.
func (q queryServer) Playing(ctx context.Context, req *types.QueryPlayingRequest) (*types.QueryPlayingResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	_, who, err := q.k.address("participant", req.Participant)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	games, next, err := query.CollectionPaginate(ctx, q.k.Playing, page,
		func(key playerKey, _ collections.NoValue) (types.Game, error) {
			return q.k.Games.Get(ctx, collections.Join(key.K2(), key.K3()))
		}, within(collections.TriplePrefix[string, uint64, uint32](who)))
	if err != nil {
		return nil, err
	}
	tick, err := q.k.Tick.Get(ctx)
	return &types.QueryPlayingResponse{Games: games, Pagination: next, Tick: tick}, err
}

// Demands lists the demands of a task; each was paid for.
func (q queryServer) Demands(ctx context.Context, req *types.QueryDemandsRequest) (*types.QueryDemandsResponse, error) {
	res := &types.QueryDemandsResponse{}
	err := q.k.Demands.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](req.TaskId).Descending(), func(_ itemKey, d types.Demand) (bool, error) {
		res.Demands = append(res.Demands, d)
		return len(res.Demands) == paging.Max, nil
	})
	return res, err
}

// Quarantines lists the ops that new tasks must not use.
func (q queryServer) Quarantines(ctx context.Context, _ *types.QueryQuarantinesRequest) (*types.QueryQuarantinesResponse, error) {
	res := &types.QueryQuarantinesResponse{}
	err := q.k.Quarantines.Walk(ctx, nil, func(_ string, v types.Quarantine) (bool, error) {
		res.Quarantines = append(res.Quarantines, v)
		return false, nil
	})
	return res, err
}
