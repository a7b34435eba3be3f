package chain

import (
	"context"
	"fmt"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"

	sprintstypes "poaid/x/sprints/types"
)

// SprintsParams returns the params of sprints.
func (c *Client) SprintsParams(ctx context.Context) (sprintstypes.Params, error) {
	res, err := sprintstypes.NewQueryClient(c).Params(ctx, &sprintstypes.QueryParamsRequest{})
	if err != nil {
		return sprintstypes.Params{}, fmt.Errorf("params of sprints: %w", err)
	}
	return res.Params, nil
}

// CurrentWindow returns the window that was opened last, and whether it takes commits; ErrNotFound before the first.
func (c *Client) CurrentWindow(ctx context.Context) (w sprintstypes.Window, open bool, err error) {
	res, err := sprintstypes.NewQueryClient(c).Current(ctx, &sprintstypes.QueryCurrentRequest{})
	if err != nil {
		return w, false, fmt.Errorf("current sprint window: %w", err)
	}
	if res.Window == nil {
		return w, false, fmt.Errorf("current sprint window: %w", ErrNotFound)
	}
	return *res.Window, res.Open, nil
}

// Window returns a window that is kept.
func (c *Client) Window(ctx context.Context, number uint64) (sprintstypes.Window, error) {
	res, err := sprintstypes.NewQueryClient(c).Window(ctx, &sprintstypes.QueryWindowRequest{Number: number})
	if err != nil {
		return sprintstypes.Window{}, fmt.Errorf("sprint window %d: %w", number, err)
	}
	return res.Window, nil
}

// SprintCommit returns a participant's commit in a window.
func (c *Client) SprintCommit(ctx context.Context, window uint64, participant string) (sprintstypes.Commit, error) {
	res, err := sprintstypes.NewQueryClient(c).Commit(ctx, &sprintstypes.QueryCommitRequest{Window: window, Participant: participant})
	if err != nil {
		return sprintstypes.Commit{}, fmt.Errorf("commit of %s to sprint window %d: %w", participant, window, err)
	}
	return res.Commit, nil
}

// EachSprintAudit calls fn for every audit of a participant that is not over.
func (c *Client) EachSprintAudit(ctx context.Context, participant string, fn func(sprintstypes.AuditView) error) error {
	q := sprintstypes.NewQueryClient(c)
	return each("sprint audits of "+participant, fn, func(p *query.PageRequest) ([]sprintstypes.AuditView, *query.PageResponse, error) {
		res, err := q.Audits(ctx, &sprintstypes.QueryAuditsRequest{Participant: participant, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Audits, res.Pagination, nil
	})
}

// SprintLock is what a commit of so many leaves would lock now.
func (c *Client) SprintLock(ctx context.Context, count uint64) (math.Int, error) {
	res, err := sprintstypes.NewQueryClient(c).Lock(ctx, &sprintstypes.QueryLockRequest{Count: count})
	if err != nil {
		return math.Int{}, fmt.Errorf("lock of %d leaves: %w", count, err)
	}
	return res.Lock, nil
}
