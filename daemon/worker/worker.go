// Package worker is the role that computes tasks: it seals the results of tasks it was drawn for, and reveals them when the chain asks.
package worker

import (
	"context"
	"errors"
	"fmt"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	taskstypes "poaid/x/tasks/types"
)

// Chain is what the role reads.
type Chain interface {
	EachAssigned(ctx context.Context, worker string, fn func(taskstypes.TaskView) error) error
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
	TasksParams(ctx context.Context) (taskstypes.Params, error)
}

// Store keeps outputs that are too large for the chain.
type Store interface {
	PutBytes(ctx context.Context, data []byte) (cid string, err error)
}

// Role implements agent.Role.
type Role struct {
	chain  Chain
	store  Store
	worker string
}

var _ agent.Role = (*Role)(nil)

// New returns the role of worker.
func New(c Chain, store Store, worker string) *Role {
	return &Role{chain: c, store: store, worker: worker}
}

// Name implements agent.Role.
func (r *Role) Name() journal.Role { return journal.Worker }

// Due implements agent.Role.
func (r *Role) Due(ctx context.Context, fn func(agent.Item) error) error {
	return r.chain.EachAssigned(ctx, r.worker, func(v taskstypes.TaskView) error {
		it, ok := Classify(v, r.worker)
		if !ok {
			return nil
		}
		return fn(it)
	})
}

// Classify says what a task needs of its worker; false: nothing now or later.
func Classify(v taskstypes.TaskView, worker string) (agent.Item, bool) {
	st := v.Status
	if st.Worker != worker {
		return agent.Item{}, false
	}
	it := agent.Item{Task: v.Task.Id, Deadline: st.Due}
	if len(st.Seal) == commit.Size {
		it.Seal = commit.Hash(st.Seal)
	}
	switch st.State {
	case taskstypes.STATE_ASSIGNED:
		it.Need = agent.NeedSeal
	case taskstypes.STATE_SEALED, taskstypes.STATE_AUDITED:
		it.Need = agent.NeedNothing
	case taskstypes.STATE_REVEALING:
		if len(st.ResultRoot) > 0 {
			return agent.Item{}, false
		}
		it.Need = agent.NeedReveal
	default:
		return agent.Item{}, false
	}
	return it, true
}

// Over implements agent.Role.
func (r *Role) Over(ctx context.Context, task uint64) (bool, error) {
	v, err := r.chain.Task(ctx, task)
	if errors.Is(err, chain.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch v.Status.State {
	case taskstypes.STATE_FINAL, taskstypes.STATE_CANCELLED, taskstypes.STATE_EXPIRED, taskstypes.STATE_REFUNDED:
		return true, nil
	}
	return false, nil
}

// Record implements agent.Role. Outputs within the chain's limit are revealed inline; otherwise all of them go to the store and are
// revealed by root and content id.
func (r *Role) Record(ctx context.Context, task taskstypes.Task, res executor.Result) (journal.Record, error) {
	p, err := r.chain.TasksParams(ctx)
	if err != nil {
		return journal.Record{}, err
	}
	var size uint64
	for _, o := range res.Outputs {
		size += uint64(len(o.Data))
	}
	outputs := res.Outputs
	if size > p.MaxInlineOutputBytes {
		outputs = make([]taskstypes.NamedTensor, len(res.Outputs))
		for i, o := range res.Outputs {
			if o.Cid, err = r.store.PutBytes(ctx, o.Data); err != nil {
				return journal.Record{}, fmt.Errorf("task %d: output %q: %w", task.Id, o.Name, err)
			}
			o.Data = nil
			outputs[i] = o
		}
	}
	return journal.Record{ResultRoot: res.ResultRoot, StateRoot: res.StateRoot, OutputRoot: res.OutputRoot, Outputs: outputs}, nil
}

// Seal implements agent.Role.
func (r *Role) Seal(rec journal.Record, deadline int64) chain.Item {
	return chain.SealResult(rec.Task, rec.Seal[:], deadline)
}

// Reveal implements agent.Role.
func (r *Role) Reveal(rec journal.Record, deadline int64) chain.Item {
	return chain.RevealResult(taskstypes.ResultReveal{TaskId: rec.Task, StateRoot: rec.StateRoot[:], Outputs: rec.Outputs, Salt: rec.Salt[:]}, deadline)
}
