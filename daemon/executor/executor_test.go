package executor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	"poaid/model"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

var errMissing = errors.New("missing")

// world is chain and blobs in memory: y accumulates x + w over T steps.
type world struct {
	program *engine.Program
	model   modelstypes.Model
	inputs  []taskstypes.NamedTensor
	task    taskstypes.Task
	blobs   map[string][]byte
	loads   atomic.Int32
}

func (w *world) Inputs(context.Context, uint64) ([]taskstypes.NamedTensor, error) {
	return w.inputs, nil
}

func (w *world) Model(context.Context, string) (modelstypes.Model, error) {
	w.loads.Add(1)
	return w.model, nil
}

func (w *world) Program(context.Context, string) (*graphpb.Program, error) {
	return w.program.Proto(), nil
}

func (w *world) GetBytes(_ context.Context, cid string, limit int64) ([]byte, error) {
	data, ok := w.blobs[cid]
	if !ok || int64(len(data)) > limit {
		return nil, errMissing
	}
	return data, nil
}

func tensor(t *testing.T, v ...float32) *engine.Tensor {
	t.Helper()
	x, err := engine.FromF32(v, int64(len(v)))
	require.NoError(t, err)
	return x
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b := nn.NewBuilder(10)
	weight, x, y := b.Weight("w", engine.F32, 2), b.Input("x", engine.F32, 2), b.State("y", engine.F32, 2)
	g := b.Step()
	g.Update(y, g.Add(y, g.Add(x, weight)))
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)

	wt := tensor(t, 1, 2)
	file, err := model.FormatSafetensors([]model.NamedTensor{{Name: "w", Tensor: wt}}, nil)
	require.NoError(t, err)
	weights, err := engine.NewWeights(prog, []*engine.Tensor{wt})
	require.NoError(t, err)
	wroot, err := weights.Root(1)
	require.NoError(t, err)
	in := tensor(t, 10, 20)
	bound, err := prog.BindInputs(map[string]*engine.Tensor{"x": in})
	require.NoError(t, err)
	iroot, err := bound.Root(1)
	require.NoError(t, err)
	hash := prog.Hash()
	return &world{
		program: prog, blobs: map[string][]byte{model.CIDOf(file): file, model.CIDOf(in.Bytes()): in.Bytes()},
		model:  modelstypes.Model{Id: "m", ProgramHash: hash[:], WeightsRoot: wroot[:], WeightsCid: model.CIDOf(file)},
		inputs: []taskstypes.NamedTensor{{Name: "x", Dtype: engine.F32, Shape: []int64{2}, Data: in.Bytes()}},
		task:   taskstypes.Task{Id: 7, Model: "m", Steps: 3, InputRoot: iroot[:]},
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	e := New(w, w, Options{Threads: 1})
	res, err := e.Run(t.Context(), w.task)
	require.NoError(t, err)
	require.Len(t, res.Outputs, 1)
	require.Equal(t, tensor(t, 33, 66).Bytes(), res.Outputs[0].Data)
	root, err := commit.TensorRoot(commit.F32, []int64{2}, res.Outputs[0].Data)
	require.NoError(t, err)
	require.Equal(t, root[:], res.Outputs[0].Root)
	require.Equal(t, commit.NamedRoot([]commit.Named{{Name: "y", Root: root}}), res.OutputRoot)
	require.Equal(t, commit.ResultRoot(3, res.StateRoot, res.OutputRoot), res.ResultRoot)

	again, err := e.Run(t.Context(), w.task)
	require.NoError(t, err)
	require.Equal(t, res, again)
	require.EqualValues(t, 1, w.loads.Load(), "the model stays in memory")
}

func TestRunByCID(t *testing.T) {
	w := newWorld(t)
	want, err := New(w, w, Options{}).Run(t.Context(), w.task)
	require.NoError(t, err)
	in := &w.inputs[0]
	root, err := commit.TensorRoot(commit.F32, in.Shape, in.Data)
	require.NoError(t, err)
	in.Cid, in.Root, in.Data = model.CIDOf(in.Data), root[:], nil
	got, err := New(w, w, Options{}).Run(t.Context(), w.task)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestNothingIsTakenOnTrust(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage string
		want   error
	}{
		{"other program", "program", ErrRoot},
		{"other weights", "weights", ErrRoot},
		{"weights nowhere", "no weights", errMissing},
		{"other input", "input", ErrRoot},
		{"input unlike its root", "root", ErrRoot},
		{"input nowhere", "cid", errMissing},
		{"input of another shape", "shape", engine.ErrInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			switch c.damage {
			case "program":
				w.model.ProgramHash = make([]byte, 32)
			case "weights":
				w.model.WeightsRoot = make([]byte, 32)
			case "no weights":
				w.model.WeightsCid = model.CIDOf(nil)
			case "input":
				w.inputs[0].Data = tensor(t, 10, 21).Bytes()
			case "root":
				w.inputs[0].Root = make([]byte, 32)
			case "cid":
				w.inputs[0].Cid = model.CIDOf(nil)
			case "shape":
				w.inputs[0].Shape, w.inputs[0].Data = []int64{1}, make([]byte, 4)
			}
			_, err := New(w, w, Options{}).Run(t.Context(), w.task)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// sized makes a cache whose models take the bytes that their one-letter names say.
func sized(bound int64, loads *atomic.Int32) *cache {
	sizes := map[string]int64{"a": 4, "b": 4, "c": 4, "big": 11}
	return newCache(bound, func(_ context.Context, id string, reserve func(int64) error) (*loaded, error) {
		loads.Add(1)
		if err := reserve(sizes[id]); err != nil {
			return nil, err
		}
		return &loaded{}, nil
	})
}

func TestCacheEvictsLeastRecentlyUsed(t *testing.T) {
	var loads atomic.Int32
	c := sized(10, &loads)
	for _, id := range []string{"a", "b", "a", "c", "a"} { // c drives b out
		_, release, err := c.get(t.Context(), id)
		require.NoError(t, err)
		release()
	}
	require.EqualValues(t, 3, loads.Load())
	require.EqualValues(t, 8, c.bytes())
	_, release, err := c.get(t.Context(), "b")
	require.NoError(t, err)
	release()
	require.EqualValues(t, 4, loads.Load())
	_, _, err = c.get(t.Context(), "big")
	require.ErrorIs(t, err, ErrMemory)
	require.EqualValues(t, 8, c.bytes())
}

func TestCacheWaitsForRunningModels(t *testing.T) {
	var loads atomic.Int32
	c := sized(10, &loads)
	_, releaseA, err := c.get(t.Context(), "a")
	require.NoError(t, err)
	_, releaseB, err := c.get(t.Context(), "b")
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = c.get(short, "c")
	require.ErrorIs(t, err, context.DeadlineExceeded, "a and b are in use")
	got := make(chan error)
	go func() {
		_, release, err := c.get(t.Context(), "c")
		if err == nil {
			release()
		}
		got <- err
	}()
	releaseA()
	require.NoError(t, <-got)
	releaseB()
	require.LessOrEqual(t, c.bytes(), int64(10))
}

func TestCacheSharesOneLoad(t *testing.T) {
	var loads atomic.Int32
	c := sized(10, &loads)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, release, err := c.get(t.Context(), "a")
			if err == nil {
				release()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, loads.Load())
}

// TestRunsAreBounded: what a program or an input asks for is refused before it is allocated.
func TestRunsAreBounded(t *testing.T) {
	b := nn.NewBuilder(10)
	huge := b.State("huge", engine.F32, 1<<31)
	b.Step()
	b.Output(huge)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	w := newWorld(t)
	hash := prog.Hash()
	w.program, w.model = prog, modelstypes.Model{Id: "m", ProgramHash: hash[:]}
	_, err = New(w, w, Options{MemoryBytes: 1 << 20}).Run(t.Context(), w.task)
	require.ErrorIs(t, err, ErrMemory)

	w = newWorld(t)
	w.inputs[0].Shape, w.inputs[0].Cid = []int64{1 << 20}, "cid"
	_, err = New(w, w, Options{MemoryBytes: 1 << 20}).Run(t.Context(), w.task)
	require.ErrorIs(t, err, ErrMemory)
}
