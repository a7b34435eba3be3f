// Package worker is the role that computes tasks: it seals the results of tasks it was drawn for, and reveals them when the chain asks.
package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	"poaid/x/beacon/vrf"
	taskstypes "poaid/x/tasks/types"
)

// Chain is what the role reads.
type Chain interface {
	EachAssigned(ctx context.Context, worker string, fn func(taskstypes.TaskView) error) error
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
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
	secret vrf.SecretKey
	races  Races
}

var _ agent.Role = (*Role)(nil)

// New returns the role of worker. secret is its VRF key, which tells it when its error is forced.
func New(c Chain, store Store, worker string, secret vrf.SecretKey) *Role {
	return &Role{chain: c, store: store, worker: worker, secret: secret}
}

// Name implements agent.Role.
func (r *Role) Name() journal.Role { return journal.Worker }

// Due implements agent.Role.
func (r *Role) Due(ctx context.Context, fn func(agent.Item) error) error {
	ours := map[uint64]bool{}
	err := r.chain.EachAssigned(ctx, r.worker, func(v taskstypes.TaskView) error {
		ours[v.Task.Id] = true
		it, ok := Classify(v, r.worker)
		if !ok {
			return nil
		}
		return fn(it)
	})
	if err != nil || r.races == nil {
		return err
	}
	return r.dueRaces(ctx, ours, fn)
}

// Classify says what a task needs of its worker; false: nothing now or later.
func Classify(v taskstypes.TaskView, worker string) (agent.Item, bool) {
	st := v.Status
	if v.Runner != nil && v.Runner.Participant == worker {
		// A runner of a race owes what its worker does, for its own seal.
		st.Worker, st.Seal, st.ResultRoot = worker, v.Runner.Seal, v.Runner.ResultRoot
	}
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

// errNotOurs is returned for a task that the node does not (yet, or any more) see in our hands: what has to be sealed depends on the draw.
var errNotOurs = errors.New("the node does not know that the task was assigned to us")

// Record implements agent.Role. Where the error is forced it holds the proof, and the seal will be over a wrong root. Outputs are revealed inline as far as the
// chain's limit goes; the largest go to the store and are revealed by root and content id.
func (r *Role) Record(ctx context.Context, view taskstypes.TaskView, res executor.Result) (journal.Record, error) {
	if view.Status.Worker != r.worker && !view.Task.Race() {
		return journal.Record{}, fmt.Errorf("task %d: %w", view.Task.Id, errNotOurs)
	}
	outputs := slices.Clone(res.Outputs)
	for _, i := range tooLarge(outputs, view.Task.FiniteOutput, view.Task.MaxInlineOutputBytes) {
		o := &outputs[i]
		var err error
		if o.Cid, err = r.store.PutBytes(ctx, o.Data); err != nil {
			return journal.Record{}, fmt.Errorf("task %d: output %q: %w", view.Task.Id, o.Name, err)
		}
		o.Data = nil
	}
	proof, err := ForcedProof(view, r.secret)
	return journal.Record{
		ResultRoot: res.ResultRoot, StateRoot: res.StateRoot, OutputRoot: res.OutputRoot, Outputs: outputs, ForcedProof: proof,
	}, err
}

// tooLarge are the outputs that cannot be inline: the largest ones, until the others are within the limit, and the one named last of all. What has to be inline,
// a stop state and what the chain is to look at, is small where it can be.
func tooLarge(outputs []taskstypes.NamedTensor, last string, limit uint64) (large []int) {
	order, size := make([]int, len(outputs)), uint64(0)
	for i, o := range outputs {
		order[i], size = i, size+uint64(len(o.Data))
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if isLast := outputs[a].Name == last; isLast != (outputs[b].Name == last) {
			if isLast {
				return 1
			}
			return -1
		}
		return len(outputs[b].Data) - len(outputs[a].Data)
	})
	for _, i := range order {
		if size <= limit {
			break
		}
		large, size = append(large, i), size-uint64(len(outputs[i].Data))
	}
	return large
}

// ForcedProof is the proof that the worker of a task is to seal a wrong root; nil where it is not, or where another key counts.
func ForcedProof(view taskstypes.TaskView, secret vrf.SecretKey) ([]byte, error) {
	st := view.Status
	if len(st.VrfKey) == 0 || !bytes.Equal(st.VrfKey, secret.Public()) {
		return nil, nil
	}
	proof := secret.Prove(st.VrfInput)
	output, err := vrf.Verify(st.VrfKey, st.VrfInput, proof)
	if err != nil {
		return nil, fmt.Errorf("task %d: own VRF proof: %w", view.Task.Id, err)
	}
	if !taskstypes.IsForced(output, view.Task.ForcedErrorPpm) {
		return nil, nil
	}
	return proof, nil
}

// Seal implements agent.Role.
func (r *Role) Seal(rec journal.Record, deadline int64) chain.Item {
	return chain.SealResult(rec.Task, rec.Seal[:], deadline)
}

// Reveal implements agent.Role.
func (r *Role) Reveal(rec journal.Record, deadline int64) chain.Item {
	return chain.RevealResult(taskstypes.ResultReveal{
		TaskId: rec.Task, StateRoot: rec.StateRoot[:], Outputs: rec.Outputs, Salt: rec.Salt[:], ForcedProof: rec.ForcedProof,
	}, deadline)
}
