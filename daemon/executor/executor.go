package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

var (
	// ErrRoot is returned when bytes are not what the chain committed to.
	ErrRoot = errors.New("root does not match")
	// ErrMemory is returned for a model, a run of it or an input that alone exceeds the memory bound.
	ErrMemory = errors.New("exceeds the memory bound")
)

// MissingError is returned when bytes that a task needs cannot be got from anywhere. It wraps the last failure.
type MissingError struct {
	// Weights: the model's weights are missing; State: the states that a segment begins with. Otherwise Input names the input.
	Weights, State bool
	Input          string
	Err            error
}

// Error says what is missing.
func (e *MissingError) Error() string {
	if e.Weights {
		return fmt.Sprintf("weights: %v", e.Err)
	}
	if e.State {
		return fmt.Sprintf("states at the start: %v", e.Err)
	}
	return e.Err.Error()
}

// Unwrap gives the last failure.
func (e *MissingError) Unwrap() error { return e.Err }

// Result is what a task comes to.
type Result struct {
	ResultRoot commit.Hash
	StateRoot  commit.Hash
	OutputRoot commit.Hash
	// Outputs in the program's order, with data and roots.
	Outputs []taskstypes.NamedTensor
	Units   uint64 // of the task, for metrics
}

// Runner computes results. A Runner may be asked for the same task again and must give the same result.
type Runner interface {
	Run(ctx context.Context, task taskstypes.Task) (Result, error)
}

// Chain is what the executor reads of the chain.
type Chain interface {
	Inputs(ctx context.Context, id uint64) ([]taskstypes.NamedTensor, error)
	Model(ctx context.Context, id string) (modelstypes.Model, error)
	Program(ctx context.Context, id string) (*graphpb.Program, error)
}

// Blobs gives artifacts by content id, verified, of at most limit bytes.
type Blobs interface {
	GetBytes(ctx context.Context, cid string, limit int64) ([]byte, error)
}

// States keeps the states between segments of runs, and brings those that others keep.
type States interface {
	// GetState gives the states with a root, which have size bytes and pass check.
	GetState(ctx context.Context, root commit.Hash, size int64, check func([]byte) error) ([]byte, error)
	PutState(ctx context.Context, root commit.Hash, data []byte) error
}

// Options configure an Executor.
type Options struct {
	// States, if given, are what segments begin with and where what they end with is kept.
	States States
	// Keeps says whose tasks are segments, so that what they end with is kept; nil: those that do not begin at step 0.
	Keeps func(taskstypes.Task) bool
	// Threads of one run; 0: one per processor.
	Threads int
	// MemoryBytes bounds the models kept in memory, counted twice their weights (the engine packs them), and, by itself, what one
	// run may take for its states and results, and one input. 0: 4 GiB.
	MemoryBytes int64
	// Limits of programs; zero: engine.DefaultLimits.
	Limits engine.Limits
}

// Executor is the Runner of honest daemons.
type Executor struct {
	chain Chain
	blobs Blobs
	opt   Options
	cache *cache
}

var _ Runner = (*Executor)(nil)

// New returns an executor.
func New(chain Chain, blobs Blobs, opt Options) *Executor {
	if opt.MemoryBytes <= 0 {
		opt.MemoryBytes = 4 << 30
	}
	if opt.Limits == (engine.Limits{}) {
		opt.Limits = engine.DefaultLimits()
	}
	e := &Executor{chain: chain, blobs: blobs, opt: opt}
	e.cache = newCache(opt.MemoryBytes, e.load)
	return e
}

// CachedBytes is the memory that loaded models take.
func (e *Executor) CachedBytes() int64 { return e.cache.bytes() }

// Material is what a run is made of, checked against the chain.
type Material struct {
	Program *engine.Program
	Weights *engine.Weights
	Inputs  *engine.Inputs
	// Start are the states before the first step of a segment, nil for a run from the start.
	Start []*engine.Tensor

	given map[string]*engine.Tensor
}

// Open gathers what a task is computed from. The model may be dropped from the executor's memory once release is called.
func (e *Executor) Open(ctx context.Context, task taskstypes.Task) (m Material, release func(), err error) {
	loaded, release, err := e.cache.get(ctx, task.Model)
	if err != nil {
		return Material{}, nil, fmt.Errorf("model %s: %w", task.Model, err)
	}
	inputs, given, err := e.inputs(ctx, loaded.program, task)
	if err != nil {
		release()
		return Material{}, nil, fmt.Errorf("task %d: %w", task.Id, err)
	}
	m = Material{Program: loaded.program, Weights: loaded.weights, Inputs: inputs, given: given}
	if m.Start, err = e.start(ctx, loaded.program, task); err != nil {
		release()
		return Material{}, nil, fmt.Errorf("task %d: %w", task.Id, err)
	}
	return m, release, nil
}

// Load gives a model ready to run, checked against the chain. It may be dropped from the executor's memory once release is called.
func (e *Executor) Load(ctx context.Context, id string) (*engine.Program, *engine.Weights, func(), error) {
	m, release, err := e.cache.get(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	return m.program, m.weights, release, nil
}

// RunOptions are those that tasks are executed with.
func (e *Executor) RunOptions() engine.RunOptions { return engine.RunOptions{Threads: e.opt.Threads} }

// Run implements Runner.
func (e *Executor) Run(ctx context.Context, task taskstypes.Task) (Result, error) {
	m, release, err := e.Open(ctx, task)
	if err != nil {
		return Result{}, err
	}
	defer release()
	res, err := e.execute(ctx, m, task)
	if err != nil {
		return Result{}, fmt.Errorf("task %d: execute: %w", task.Id, err)
	}
	out := Result{ResultRoot: res.ResultRoot, StateRoot: res.StateRoot, OutputRoot: res.OutputRoot, Units: task.Units}
	for _, o := range res.Outputs {
		root, err := commit.TensorRoot(uint8(o.Tensor.DType()), o.Tensor.Shape(), o.Tensor.Bytes())
		if err != nil {
			return Result{}, fmt.Errorf("task %d: output %q: %w", task.Id, o.Name, err)
		}
		out.Outputs = append(out.Outputs, taskstypes.NamedTensor{
			Name: o.Name, Dtype: o.Tensor.DType(), Shape: o.Tensor.Shape(), Data: o.Tensor.Bytes(), Root: root[:],
		})
	}
	return out, nil
}

// inputs gathers a task's inputs and checks them against the root that the chain holds.
func (e *Executor) inputs(ctx context.Context, prog *engine.Program, task taskstypes.Task) (*engine.Inputs, map[string]*engine.Tensor, error) {
	given, err := e.chain.Inputs(ctx, task.Id)
	if err != nil {
		return nil, nil, err
	}
	out := make(map[string]*engine.Tensor, len(given))
	for _, in := range given {
		if _, twice := out[in.Name]; twice {
			return nil, nil, fmt.Errorf("input %q: given twice", in.Name)
		}
		if out[in.Name], err = e.tensor(ctx, in); err != nil {
			return nil, nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
	}
	bound, err := prog.BindInputs(out)
	if err != nil {
		return nil, nil, err
	}
	root, err := bound.Root(e.opt.Threads)
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(root[:], task.InputRoot) {
		return nil, nil, fmt.Errorf("%w: inputs have %s, the task %X", ErrRoot, root, task.InputRoot)
	}
	return bound, out, nil
}

func (e *Executor) tensor(ctx context.Context, in taskstypes.NamedTensor) (*engine.Tensor, error) {
	size, err := engine.ByteSize(in.Dtype, in.Shape)
	if err != nil {
		return nil, err
	}
	if limit := min(e.opt.Limits.TensorBytes, e.opt.MemoryBytes); size > limit {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrMemory, size, limit)
	}
	data := in.Data
	if in.Cid != "" {
		if data, err = e.blobs.GetBytes(ctx, in.Cid, size); err != nil {
			return nil, &MissingError{Input: in.Name, Err: err}
		}
	}
	t, err := engine.TensorFromBytes(in.Dtype, in.Shape, data)
	if err != nil {
		return nil, err
	}
	if len(in.Root) > 0 {
		root, err := commit.TensorRootParallel(uint8(in.Dtype), in.Shape, data, e.opt.Threads)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(root[:], in.Root) {
			return nil, fmt.Errorf("%w: data has %s, the task says %X", ErrRoot, root, in.Root)
		}
	}
	return t, nil
}
