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

// limits is a store.
type limits struct {
	worker.Chain
	stored [][]byte
}

// ours is a task of ours whose outputs may have 8 bytes.
func ours() taskstypes.TaskView {
	return taskstypes.TaskView{Task: taskstypes.Task{MaxInlineOutputBytes: 8}, Status: taskstypes.Status{Worker: "me"}}
}

func (l *limits) PutBytes(_ context.Context, data []byte) (string, error) {
	l.stored = append(l.stored, data)
	return "cid", nil
}

func TestRecordMovesLargeOutputsToTheStore(t *testing.T) {
	for _, size := range []int{8, 9} {
		l := &limits{}
		res := executor.Result{ResultRoot: commit.Hash{1}, Outputs: []taskstypes.NamedTensor{{Name: "o", Data: make([]byte, size), Root: make([]byte, 32)}}}
		rec, err := worker.New(l, l, "me", vrf.SecretKey{}).Record(t.Context(), ours(), res)
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

// TestSmallOutputsStayInline: of outputs that are too large together the largest go to the store; the one that the chain is to look at goes last.
func TestSmallOutputsStayInline(t *testing.T) {
	out := func(name string, n int) taskstypes.NamedTensor {
		return taskstypes.NamedTensor{Name: name, Data: make([]byte, n), Root: make([]byte, 32)}
	}
	for name, c := range map[string]struct {
		outputs []taskstypes.NamedTensor
		finite  string
		inline  []string
	}{
		"all fit":              {[]taskstypes.NamedTensor{out("a", 4), out("b", 4)}, "", []string{"a", "b"}},
		"the largest goes":     {[]taskstypes.NamedTensor{out("losses", 4), out("weights", 90), out("bias", 4)}, "", []string{"losses", "bias"}},
		"the first of equals":  {[]taskstypes.NamedTensor{out("a", 6), out("b", 6)}, "", []string{"b"}},
		"what is looked at":    {[]taskstypes.NamedTensor{out("losses", 8), out("bias", 4)}, "losses", []string{"losses"}},
		"too large whatsoever": {[]taskstypes.NamedTensor{out("losses", 9)}, "losses", nil},
	} {
		l := &limits{}
		view := ours()
		view.Task.FiniteOutput = c.finite
		rec, err := worker.New(l, l, "me", vrf.SecretKey{}).Record(t.Context(), view, executor.Result{Outputs: c.outputs})
		require.NoError(t, err)
		var inline []string
		for i, o := range rec.Outputs {
			require.Equal(t, c.outputs[i].Name, o.Name, name)
			if o.Cid == "" {
				inline = append(inline, o.Name)
			}
		}
		require.Equal(t, c.inline, inline, name)
	}
}
