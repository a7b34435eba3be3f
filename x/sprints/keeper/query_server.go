package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/sprints/types"
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

// Season returns this epoch's model and difficulty.
func (q queryServer) Season(ctx context.Context, _ *types.QuerySeasonRequest) (*types.QuerySeasonResponse, error) {
	s, err := q.k.season(ctx)
	if err != nil || s.Epoch == 0 {
		return &types.QuerySeasonResponse{Season: s}, err
	}
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	units, err := q.k.leafUnits(ctx, s.Model, s.Tokens, params.Sample)
	return &types.QuerySeasonResponse{Season: s, LeafUnits: units}, err
}

// Current returns the last window.
func (q queryServer) Current(ctx context.Context, _ *types.QueryCurrentRequest) (*types.QueryCurrentResponse, error) {
	w, found, err := q.k.last(ctx)
	if err != nil || !found || w.OpenHeight == 0 {
		return &types.QueryCurrentResponse{}, err
	}
	return &types.QueryCurrentResponse{Window: &w, Open: w.Phase == types.PHASE_OPEN && height(ctx) < w.CloseHeight}, nil
}

// Windows lists the windows that are kept.
func (q queryServer) Windows(ctx context.Context, req *types.QueryWindowsRequest) (*types.QueryWindowsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	windows, next, err := query.CollectionPaginate(ctx, q.k.Windows, page, func(_ uint64, w types.Window) (types.Window, error) { return w, nil })
	return &types.QueryWindowsResponse{Windows: windows, Pagination: next}, err
}

// Window returns one window.
func (q queryServer) Window(ctx context.Context, req *types.QueryWindowRequest) (*types.QueryWindowResponse, error) {
	w, err := q.k.Windows.Get(ctx, req.Number)
	if err != nil {
		return nil, notFound(err, "number: window %d is not there, or not kept any more", req.Number)
	}
	return &types.QueryWindowResponse{Window: w}, nil
}

// Commits lists the commits of a window.
func (q queryServer) Commits(ctx context.Context, req *types.QueryCommitsRequest) (*types.QueryCommitsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	commits, next, err := query.CollectionPaginate(ctx, q.k.Commits, page,
		func(_ CommitKey, c types.Commit) (types.Commit, error) { return c, nil },
		query.WithCollectionPaginationPairPrefix[uint64, string](req.Window))
	return &types.QueryCommitsResponse{Commits: commits, Pagination: next}, err
}

// Commit returns one commit and what its audit asks for.
func (q queryServer) Commit(ctx context.Context, req *types.QueryCommitRequest) (*types.QueryCommitResponse, error) {
	participant, err := q.k.address("participant", req.Participant)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	c, err := q.k.Commits.Get(ctx, collections.Join(req.Window, participant))
	if err != nil {
		return nil, notFound(err, "window: %s has no commit in %d", participant, req.Window)
	}
	res := &types.QueryCommitResponse{Commit: c}
	if c.State != types.COMMIT_STATE_AUDITED {
		return res, nil
	}
	v, err := q.view(ctx, c.Task)
	if err != nil {
		return nil, err
	}
	res.Audit, res.Leaves = &v.Audit, v.Leaves
	return res, nil
}

// Audits lists audits that are kept, optionally of one participant.
func (q queryServer) Audits(ctx context.Context, req *types.QueryAuditsRequest) (*types.QueryAuditsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	if req.Participant == "" {
		audits, next, err := query.CollectionPaginate(ctx, q.k.Audits, page, func(task uint64, _ types.Audit) (types.AuditView, error) { return q.view(ctx, task) })
		return &types.QueryAuditsResponse{Audits: audits, Pagination: next}, err
	}
	participant, err := q.k.address("participant", req.Participant)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	audits, next, err := query.CollectionPaginate(ctx, q.k.AuditsOf, page,
		func(key collections.Pair[string, uint64], _ collections.NoValue) (types.AuditView, error) {
			return q.view(ctx, key.K2())
		},
		query.WithCollectionPaginationPairPrefix[string, uint64](participant))
	return &types.QueryAuditsResponse{Audits: audits, Pagination: next}, err
}

// view is an audit with the leaves that it asks for.
func (q queryServer) view(ctx context.Context, task uint64) (types.AuditView, error) {
	a, err := q.k.Audits.Get(ctx, task)
	if err != nil {
		return types.AuditView{}, err
	}
	w, err := q.k.Windows.Get(ctx, a.Window)
	if err != nil {
		return types.AuditView{}, err
	}
	c, err := q.k.Commits.Get(ctx, collections.Join(a.Window, a.Participant))
	if err != nil {
		return types.AuditView{}, err
	}
	leaves, err := sampled(w, c)
	return types.AuditView{Audit: a, Leaves: toOpen(leaves, c.Count)}, err
}

// Lock tells what a commit would lock: in the open window, otherwise in one that opened now.
func (q queryServer) Lock(ctx context.Context, req *types.QueryLockRequest) (*types.QueryLockResponse, error) {
	params, err := q.k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if req.Count < 1 || req.Count > params.MaxCount {
		return nil, status.Errorf(codes.InvalidArgument, "count: %d leaves, want 1..%d", req.Count, params.MaxCount)
	}
	w, found, err := q.k.last(ctx)
	if err != nil {
		return nil, err
	}
	if !found || w.Phase != types.PHASE_OPEN {
		s, err := q.k.season(ctx)
		if err != nil {
			return nil, err
		}
		if s.Epoch == 0 {
			return nil, status.Error(codes.FailedPrecondition, "no season has begun: duty_ppm is 0, or the chain has just started")
		}
		w = types.Window{Sample: params.Sample, CloseHeight: params.WindowBlocks}
		if w.LeafUnits, err = q.k.leafUnits(ctx, s.Model, s.Tokens, params.Sample); err != nil {
			return nil, err
		}
	}
	stake, err := q.k.stake(ctx, params, w.LeafUnits, w.Sample, req.Count)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryLockResponse{
		Lock: stake.Lock, AuditPpm: uint32(stake.AuditPpm), // #nosec G115 -- at most 10^6
		Capacity: max(stake.Units/uint64(w.CloseHeight-w.OpenHeight), 1),
	}, nil
}

func notFound(err error, format string, args ...any) error {
	if errors.Is(err, collections.ErrNotFound) {
		return status.Errorf(codes.NotFound, format, args...)
	}
	return err
}
