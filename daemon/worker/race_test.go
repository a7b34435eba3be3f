package worker_test

import (
	"context"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/executor"
	"poaid/daemon/worker"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// races is a chain with open tasks of one model and one participant.
type races struct {
	limits
	p        poaitypes.Participant
	open     []taskstypes.TaskView
	assigned []taskstypes.TaskView
}

func (r *races) EachOpen(_ context.Context, _ string, fn func(taskstypes.TaskView) error) error {
	for _, v := range r.open {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *races) EachAssigned(_ context.Context, _ string, fn func(taskstypes.TaskView) error) error {
	for _, v := range r.assigned {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *races) Serves(context.Context, string) (poaitypes.Participant, []string, error) {
	return r.p, []string{"m"}, nil
}

func race(id uint64) taskstypes.TaskView {
	return taskstypes.TaskView{
		Task:   taskstypes.Task{Id: id, Allocation: taskstypes.ALLOCATION_RACE, Redundancy: 2, Lock: math.NewInt(10)},
		Status: taskstypes.Status{State: taskstypes.STATE_OPEN, Deadline: 99, Due: 99},
	}
}

// TestJoinsRaces: a role joins races with room that it qualifies for, as many as it has places, and none that it is in.
func TestJoinsRaces(t *testing.T) {
	p := poaitypes.Participant{Address: "me", Concurrency: 2, Active: 0, Bond: math.NewInt(15), Locked: math.NewInt(5), Tags: []string{"region:eu"}}
	r := &races{p: p}
	add := func(change func(*taskstypes.TaskView)) {
		v := race(uint64(len(r.open) + 1))
		change(&v)
		r.open = append(r.open, v)
	}
	add(func(*taskstypes.TaskView) {})
	add(func(v *taskstypes.TaskView) {
		v.Task.Requirements = &poaitypes.Requirements{Tags: []string{"region:us"}}
	})
	add(func(v *taskstypes.TaskView) { v.Task.Lock = math.NewInt(11) })
	add(func(v *taskstypes.TaskView) { v.Status.Tried = []string{"me"} })
	add(func(v *taskstypes.TaskView) {
		v.Status.State, v.Status.Worker, v.Status.Runners = taskstypes.STATE_SEALED, "you", 1
	})
	add(func(v *taskstypes.TaskView) { v.Task.Allocation, v.Task.Redundancy = taskstypes.ALLOCATION_AUCTION, 0 })
	add(func(v *taskstypes.TaskView) { v.Status.State, v.Status.Worker = taskstypes.STATE_SEALED, "me" })
	add(func(v *taskstypes.TaskView) {
		v.Task.Requirements, v.Status.State, v.Status.Worker = &poaitypes.Requirements{Tags: []string{"region:eu"}}, taskstypes.STATE_SEALED, "you"
	})
	add(func(*taskstypes.TaskView) {})
	r.assigned = r.open[6:7]
	due := func(role *worker.Role) (out []uint64) {
		require.NoError(t, role.Due(t.Context(), func(it agent.Item) error {
			if it.Need == agent.NeedSeal {
				require.EqualValues(t, 99, it.Deadline)
				out = append(out, it.Task)
			}
			return nil
		}))
		return out
	}
	require.Equal(t, []uint64{1, 8}, due(worker.New(r, r, "me", vrf.SecretKey{}).Race(r)))
	require.Empty(t, due(worker.New(r, r, "me", vrf.SecretKey{})), "only where it was told to")

	_, err := worker.New(r, r, "me", vrf.SecretKey{}).Record(t.Context(), r.open[0], executor.Result{})
	require.NoError(t, err, "what is sealed in a race does not depend on a draw")
}

// TestClassifyRunner: a runner reveals its own seal.
func TestClassifyRunner(t *testing.T) {
	v := race(7)
	v.Status.State, v.Status.Worker, v.Status.Seal, v.Status.ResultRoot = taskstypes.STATE_REVEALING, "you", make([]byte, 32), make([]byte, 32)
	_, ok := worker.Classify(v, "me")
	require.False(t, ok)
	seal := commit.Hash{3}
	v.Runner = &taskstypes.Runner{Participant: "me", Seal: seal[:]}
	it, ok := worker.Classify(v, "me")
	require.True(t, ok)
	require.Equal(t, agent.NeedReveal, it.Need)
	require.Equal(t, seal, it.Seal)
	v.Runner.ResultRoot = make([]byte, 32)
	_, ok = worker.Classify(v, "me")
	require.False(t, ok, "revealed")
}
