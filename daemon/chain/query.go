package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/cosmos/cosmos-sdk/x/feegrant"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// pageSize is how many entries one query asks for.
const pageSize = 200

// maxEndpoints bounds how many peers are learnt from the chain at a time.
const maxEndpoints = 1000

// each calls fn for every entry of a list, page by page to the end; what names the list in errors. A node that hands out the same cursor twice would loop
// for ever.
func each[T any](what string, fn func(T) error, ask func(*query.PageRequest) ([]T, *query.PageResponse, error)) error {
	req := &query.PageRequest{Limit: pageSize}
	for {
		entries, res, err := ask(req)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
		if res == nil || len(res.NextKey) == 0 {
			return nil
		}
		if string(res.NextKey) == string(req.Key) {
			return fmt.Errorf("%s: cursor %X does not advance", what, res.NextKey)
		}
		req = &query.PageRequest{Key: res.NextKey, Limit: pageSize}
	}
}

// all collects a list.
func all[T any](what string, ask func(*query.PageRequest) ([]T, *query.PageResponse, error)) (out []T, err error) {
	err = each(what, func(e T) error {
		out = append(out, e)
		return nil
	}, ask)
	return out, err
}

// EachAssigned implements Reader.
func (c *Client) EachAssigned(ctx context.Context, worker string, fn func(taskstypes.TaskView) error) error {
	q := taskstypes.NewQueryClient(c)
	return each("assigned tasks of "+worker, fn, func(p *query.PageRequest) ([]taskstypes.TaskView, *query.PageResponse, error) {
		res, err := q.Assigned(ctx, &taskstypes.QueryAssignedRequest{Worker: worker, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Tasks, res.Pagination, nil
	})
}

// EachOpen calls fn for every race that takes seals and auction that takes bids or reveals of a model, page by page to the end.
func (c *Client) EachOpen(ctx context.Context, model string, fn func(taskstypes.TaskView) error) error {
	q := taskstypes.NewQueryClient(c)
	return each("open tasks of model "+model, fn, func(p *query.PageRequest) ([]taskstypes.TaskView, *query.PageResponse, error) {
		res, err := q.Open(ctx, &taskstypes.QueryOpenRequest{Model: model, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Tasks, res.Pagination, nil
	})
}

// EachDuty implements Reader.
func (c *Client) EachDuty(ctx context.Context, participant string, fn func(poaitypes.Duty) error) error {
	q := poaitypes.NewQueryClient(c)
	return each("duties of "+participant, fn, func(p *query.PageRequest) ([]poaitypes.Duty, *query.PageResponse, error) {
		res, err := q.Duties(ctx, &poaitypes.QueryDutiesRequest{Address: participant, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Duties, res.Pagination, nil
	})
}

// Endpoints implements Reader. At most 1,000 are listed.
func (c *Client) Endpoints(ctx context.Context, model string) (out []string, err error) {
	q := poaitypes.NewQueryClient(c)
	full := errors.New("enough")
	err = each("participants", func(v poaitypes.Participant) error {
		if v.Endpoint != "" {
			out = append(out, v.Endpoint)
		}
		if len(out) >= maxEndpoints {
			return full
		}
		return nil
	}, func(p *query.PageRequest) ([]poaitypes.Participant, *query.PageResponse, error) {
		res, err := q.Participants(ctx, &poaitypes.QueryParticipantsRequest{Model: model, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Participants, res.Pagination, nil
	})
	if errors.Is(err, full) {
		err = nil
	}
	return out, err
}

// Task implements Reader.
func (c *Client) Task(ctx context.Context, id uint64) (taskstypes.TaskView, error) {
	res, err := c.TaskDetail(ctx, id)
	if err != nil {
		return taskstypes.TaskView{}, err
	}
	return taskstypes.TaskView{Task: res.Task, Status: res.Status}, nil
}

// TaskDetail returns all about a task.
func (c *Client) TaskDetail(ctx context.Context, id uint64) (*taskstypes.QueryTaskResponse, error) {
	res, err := taskstypes.NewQueryClient(c).Task(ctx, &taskstypes.QueryTaskRequest{Id: id})
	if err != nil {
		return nil, fmt.Errorf("task %d: %w", id, err)
	}
	return res, nil
}

// Inputs implements Reader.
func (c *Client) Inputs(ctx context.Context, id uint64) ([]taskstypes.NamedTensor, error) {
	res, err := taskstypes.NewQueryClient(c).Inputs(ctx, &taskstypes.QueryInputsRequest{Id: id})
	if err != nil {
		return nil, fmt.Errorf("inputs of task %d: %w", id, err)
	}
	return res.Inputs.Tensors, nil
}

// Model implements Reader.
func (c *Client) Model(ctx context.Context, id string) (modelstypes.Model, error) {
	res, err := modelstypes.NewQueryClient(c).Model(ctx, &modelstypes.QueryModelRequest{Id: id})
	if err != nil {
		return modelstypes.Model{}, fmt.Errorf("model %s: %w", id, err)
	}
	return res.Model, nil
}

// Program implements Reader.
func (c *Client) Program(ctx context.Context, id string) (*graphpb.Program, error) {
	res, err := modelstypes.NewQueryClient(c).Program(ctx, &modelstypes.QueryProgramRequest{Id: id})
	if err != nil {
		return nil, fmt.Errorf("program of model %s: %w", id, err)
	}
	if res.Program == nil {
		return nil, fmt.Errorf("program of model %s: %w", id, ErrNotFound)
	}
	return res.Program, nil
}

// TasksParams implements Reader.
func (c *Client) TasksParams(ctx context.Context) (taskstypes.Params, error) {
	res, err := taskstypes.NewQueryClient(c).Params(ctx, &taskstypes.QueryParamsRequest{})
	if err != nil {
		return taskstypes.Params{}, fmt.Errorf("params of tasks: %w", err)
	}
	return res.Params, nil
}

// PoaiParams implements Reader.
func (c *Client) PoaiParams(ctx context.Context) (poaitypes.Params, error) {
	res, err := poaitypes.NewQueryClient(c).Params(ctx, &poaitypes.QueryParamsRequest{})
	if err != nil {
		return poaitypes.Params{}, fmt.Errorf("params of poai: %w", err)
	}
	return res.Params, nil
}

// Participant implements Reader.
func (c *Client) Participant(ctx context.Context, address string) (poaitypes.Participant, error) {
	res, err := poaitypes.NewQueryClient(c).Participant(ctx, &poaitypes.QueryParticipantRequest{Address: address})
	if err != nil {
		return poaitypes.Participant{}, fmt.Errorf("participant %s: %w", address, err)
	}
	return res.Participant, nil
}

// FeeAllowance tells whether granter pays fees of grantee.
func (c *Client) FeeAllowance(ctx context.Context, granter, grantee string) (found bool, err error) {
	q := feegrant.NewQueryClient(c)
	err = each("fee allowances of "+grantee, func(g *feegrant.Grant) error {
		found = found || g.Granter == granter
		return nil
	}, func(p *query.PageRequest) ([]*feegrant.Grant, *query.PageResponse, error) {
		res, err := q.Allowances(ctx, &feegrant.QueryAllowancesRequest{Grantee: grantee, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Allowances, res.Pagination, nil
	})
	return found, err
}
