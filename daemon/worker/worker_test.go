package worker_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/executor"
	"poaid/daemon/worker"
	"poaid/x/beacon/vrf"
	taskstypes "poaid/x/tasks/types"
)

func TestClassify(t *testing.T) {
	seal := commit.Hash{1}
	for _, c := range []struct {
		name     string
		state    taskstypes.State
		worker   string
		sealed   bool
		revealed bool
		want     agent.Need // 0: nothing now or later
	}{
		{"assigned", taskstypes.STATE_ASSIGNED, "me", false, false, agent.NeedSeal},
		{"assigned to another", taskstypes.STATE_ASSIGNED, "you", false, false, 0},
		{"sealed", taskstypes.STATE_SEALED, "me", true, false, agent.NeedNothing},
		{"audited", taskstypes.STATE_AUDITED, "me", true, false, agent.NeedNothing},
		{"revealing", taskstypes.STATE_REVEALING, "me", true, false, agent.NeedReveal},
		{"revealing, revealed by us", taskstypes.STATE_REVEALING, "me", true, true, 0},
		{"revealed", taskstypes.STATE_REVEALED, "me", true, true, 0},
		{"disputed", taskstypes.STATE_DISPUTED, "me", true, true, 0},
		{"open again", taskstypes.STATE_OPEN, "", false, false, 0},
		{"final", taskstypes.STATE_FINAL, "me", true, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := taskstypes.TaskView{Task: taskstypes.Task{Id: 7}, Status: taskstypes.Status{State: c.state, Worker: c.worker, Due: 9}}
			if c.sealed {
				v.Status.Seal = seal[:]
			}
			if c.revealed {
				v.Status.ResultRoot = make([]byte, 32)
			}
			got, ok := worker.Classify(v, "me")
			require.Equal(t, c.want != 0, ok)
			require.Equal(t, c.want, got.Need)
			if ok {
				require.EqualValues(t, 7, got.Task)
				require.EqualValues(t, 9, got.Deadline)
				require.Equal(t, c.sealed, got.Seal == seal)
			}
		})
	}
}

// limits is a chain that takes outputs of 8 bytes, and a store.
type limits struct {
	worker.Chain
	stored [][]byte
}

func (limits) TasksParams(context.Context) (taskstypes.Params, error) {
	return taskstypes.Params{MaxInlineOutputBytes: 8}, nil
}

func (l *limits) PutBytes(_ context.Context, data []byte) (string, error) {
	l.stored = append(l.stored, data)
	return "cid", nil
}

func TestRecordMovesLargeOutputsToTheStore(t *testing.T) {
	for _, size := range []int{8, 9} {
		l := &limits{}
		res := executor.Result{ResultRoot: commit.Hash{1}, Outputs: []taskstypes.NamedTensor{{Name: "o", Data: make([]byte, size), Root: make([]byte, 32)}}}
		rec, err := worker.New(l, l, "me", vrf.SecretKey{}).Record(t.Context(), taskstypes.TaskView{Status: taskstypes.Status{Worker: "me"}}, res)
		require.NoError(t, err)
		require.Len(t, res.Outputs[0].Data, size, "the result itself is left alone")
		require.Len(t, rec.Outputs[0].Root, 32)
		if size == 8 {
			require.Empty(t, l.stored)
			require.Len(t, rec.Outputs[0].Data, 8)
			require.Empty(t, rec.Outputs[0].Cid)
		} else {
			require.Len(t, l.stored, 1)
			require.Empty(t, rec.Outputs[0].Data)
			require.Equal(t, "cid", rec.Outputs[0].Cid)
		}
	}
}
