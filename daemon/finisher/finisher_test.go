package finisher_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/finisher"
	"poaid/daemon/journal"
	"poaid/engine"
	"poaid/engine/graphpb"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

const me = "poai1me"

// academy is a chain with segments of trainings, and a machine that has what they came to.
type academy struct {
	t     *testing.T
	tasks map[uint64]taskstypes.TaskView
	jobs  map[uint64]trainingtypes.QueryJobOfTaskResponse
	prog  *engine.Program
	state *engine.Tensor
	sent  []chain.Item
	puts  int
}

func (a *academy) JobOfTask(_ context.Context, task uint64) (trainingtypes.Job, trainingtypes.Progress, error) {
	j, ok := a.jobs[task]
	if !ok {
		return trainingtypes.Job{}, trainingtypes.Progress{}, chain.ErrNotFound
	}
	return j.Job, j.Progress, nil
}

func (a *academy) Task(_ context.Context, id uint64) (taskstypes.TaskView, error) {
	v, ok := a.tasks[id]
	if !ok {
		return v, chain.ErrNotFound
	}
	return v, nil
}

func (a *academy) Load(context.Context, string) (*engine.Program, *engine.Weights, func(), error) {
	w, err := engine.WeightsByName(a.prog, map[string]*engine.Tensor{"w": a.state})
	return a.prog, w, func() {}, err
}

func (a *academy) GetState(_ context.Context, _ commit.Hash, _ int64, check func([]byte) error) ([]byte, error) {
	data := a.state.Bytes()
	return data, check(data)
}

func (a *academy) PutBytes(context.Context, []byte) (string, error) {
	a.puts++
	return "bafkreiweights", nil
}

func (a *academy) Enqueue(it chain.Item, _ int64) bool {
	a.sent = append(a.sent, it)
	return true
}

// newAcademy has a program with one weight and one state of the same name.
func newAcademy(t *testing.T) *academy {
	t.Helper()
	shape := []*graphpb.Dim{{A: 2}}
	prog, err := engine.New(&graphpb.Program{
		Weights: []*graphpb.TensorSpec{{Name: "w", Dtype: graphpb.DTYPE_F32, Shape: []int64{2}}},
		States:  []*graphpb.StateSpec{{Name: "w", Dtype: graphpb.DTYPE_F32, Shape: []int64{2}}},
		Step: &graphpb.Graph{
			Nodes: []*graphpb.Node{{
				Name: "y", Op: "relu@1", Inputs: []*graphpb.Ref{{Kind: graphpb.REF_KIND_WEIGHT, Index: 0}}, Dtype: graphpb.DTYPE_F32, Shape: shape,
			}},
			Updates: []*graphpb.Update{{State: 0, Node: 0}},
		},
		Outputs: []string{"w"}, MaxSteps: 8,
	}, engine.DefaultLimits())
	require.NoError(t, err)
	state, err := engine.FromF32([]float32{1, 2}, 2)
	require.NoError(t, err)
	return &academy{t: t, tasks: map[uint64]taskstypes.TaskView{}, jobs: map[uint64]trainingtypes.QueryJobOfTaskResponse{}, prog: prog, state: state}
}

// segment adds a segment up to step to of 8, of worker, and where it and its training stand.
func (a *academy) segment(id, to uint64, worker string, task taskstypes.State, job trainingtypes.State) {
	root, err := commit.TensorRoot(uint8(a.state.DType()), a.state.Shape(), a.state.Bytes())
	require.NoError(a.t, err)
	stateRoot := commit.NamedRoot([]commit.Named{{Name: "w", Root: root}})
	a.tasks[id] = taskstypes.TaskView{Task: taskstypes.Task{Id: id, Steps: to}, Status: taskstypes.Status{State: task, Worker: worker}}
	a.jobs[id] = trainingtypes.QueryJobOfTaskResponse{
		Job: trainingtypes.Job{
			Id: 100 + id, Model: "m-trainer", Steps: 8, Result: &trainingtypes.Plan{Id: "m", Base: "m-base", Mappings: []trainingtypes.Mapping{{Weight: "w", State: "w"}}},
		},
		Progress: trainingtypes.Progress{State: job, StateRoot: stateRoot[:]},
	}
}

func (a *academy) finisher(book finisher.Book) *finisher.Finisher {
	return finisher.New(a, a, a, a, book, a, me, slog.New(slog.DiscardHandler))
}

// TestSurvivesRestart: a machine that did the last segment, and was killed before the training ended, registers the result after it has started again.
func TestSurvivesRestart(t *testing.T) {
	a := newAcademy(t)
	path := filepath.Join(t.TempDir(), "journal")
	book, err := journal.Open(path, "c-1", me)
	require.NoError(t, err)
	f := a.finisher(book)
	for id := range uint64(7) {
		require.NoError(t, f.Watch(id+1))
		require.NoError(t, f.Watch(id+1), "twice is once")
	}
	a.segment(1, 8, me, taskstypes.STATE_REVEALED, trainingtypes.STATE_RUNNING)
	a.segment(2, 4, me, taskstypes.STATE_FINAL, trainingtypes.STATE_RUNNING)                   // not the last one
	a.segment(3, 8, "poai1other", taskstypes.STATE_FINAL, trainingtypes.STATE_TRAINED)         // somebody else's
	a.segment(4, 8, me, taskstypes.STATE_FINAL, trainingtypes.STATE_FINISHED)                  // finished by somebody
	a.segment(5, 8, me, taskstypes.STATE_EXPIRED, trainingtypes.STATE_OPENING)                 // came to nothing
	a.tasks[6] = taskstypes.TaskView{Status: taskstypes.Status{State: taskstypes.STATE_FINAL}} // no segment, or not any more
	// 7 is not on the chain.
	require.NoError(t, f.LookAll(t.Context(), 10))
	require.Empty(t, a.sent)
	left, err := book.Tasks(journal.Trainer, 0, 100)
	require.NoError(t, err)
	require.Equal(t, []uint64{1}, left, "only this one decides something yet")

	require.NoError(t, book.Close())
	book, err = journal.Open(path, "c-1", me)
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	f = a.finisher(book)
	a.segment(1, 8, me, taskstypes.STATE_FINAL, trainingtypes.STATE_TRAINED)
	require.NoError(t, f.LookAll(t.Context(), 20))
	require.Len(t, a.sent, 1)
	require.Equal(t, chain.KindFinishJob, a.sent[0].Kind)
	require.EqualValues(t, 101, a.sent[0].Task)
	require.Equal(t, 1, a.puts, "its weights are where others find them")

	a.segment(1, 8, me, taskstypes.STATE_FINAL, trainingtypes.STATE_FINISHED)
	require.NoError(t, f.LookAll(t.Context(), 30))
	require.Len(t, a.sent, 1)
}
