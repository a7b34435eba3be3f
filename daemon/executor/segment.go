package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"poaid/commit"
	"poaid/engine"
	taskstypes "poaid/x/tasks/types"
)

// errNoStates is returned for a segment where there is nowhere to get states from.
var errNoStates = errors.New("this machine has no store of states")

// start brings the states that a segment begins with and checks them against its root; nil for a run from the start.
func (e *Executor) start(ctx context.Context, prog *engine.Program, task taskstypes.Task) ([]*engine.Tensor, error) {
	if task.StartStep == 0 {
		return nil, nil
	}
	root, err := commit.HashFromBytes(task.StartRoot)
	if err != nil {
		return nil, fmt.Errorf("start root: %w", err)
	}
	if e.opt.States == nil {
		return nil, &MissingError{State: true, Err: errNoStates}
	}
	size, err := StateBytes(prog)
	if err != nil {
		return nil, err
	}
	var states []*engine.Tensor
	_, err = e.opt.States.GetState(ctx, root, size, func(data []byte) error {
		var err error
		states, err = DecodeStates(prog, data, root)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &MissingError{State: true, Err: err}
	}
	return states, nil
}

// execute runs a task: from the start, or the segment that it is. What a segment ends with is kept for whoever does the next one.
func (e *Executor) execute(ctx context.Context, m Material, task taskstypes.Task) (*engine.Result, error) {
	keep := e.opt.Keeps != nil && e.opt.Keeps(task)
	keep = e.opt.States != nil && (keep || task.StartStep > 0)
	if task.StartStep == 0 && !keep {
		return engine.Execute(ctx, m.Program, m.Weights, m.given, task.Steps, e.RunOptions())
	}
	run, err := engine.NewRun(m.Program, m.Weights, m.Inputs, e.RunOptions())
	if err != nil {
		return nil, err
	}
	if task.StartStep > 0 {
		if err := run.SetStates(task.StartStep, m.Start); err != nil {
			return nil, err
		}
	}
	for run.T() < task.Steps {
		if err := run.Step(ctx); err != nil {
			return nil, err
		}
	}
	res, err := run.Result()
	if err != nil || !keep {
		return res, err
	}
	return res, e.opt.States.PutState(ctx, res.StateRoot, EncodeStates(run.States()))
}

// StateBytes is what all states of a program take.
func StateBytes(prog *engine.Program) (int64, error) {
	size := int64(0)
	for _, s := range prog.StateSpecs() {
		n, err := engine.ByteSize(s.DType, s.Shape)
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, nil
}

// EncodeStates is how states are kept and sent: their bytes, in the order of the program, and nothing else.
func EncodeStates(states []*engine.Tensor) []byte {
	var b bytes.Buffer
	for _, s := range states {
		b.Write(s.Bytes())
	}
	return b.Bytes()
}

// DecodeStates reads states and checks them against their root. ErrRoot.
func DecodeStates(prog *engine.Program, data []byte, root commit.Hash) ([]*engine.Tensor, error) {
	specs := prog.StateSpecs()
	states, entries := make([]*engine.Tensor, len(specs)), make([]commit.Named, len(specs))
	for i, s := range specs {
		n, err := engine.ByteSize(s.DType, s.Shape)
		if err != nil {
			return nil, err
		}
		if int64(len(data)) < n {
			return nil, fmt.Errorf("%w: states: %q is cut short", ErrRoot, s.Name)
		}
		if states[i], err = engine.TensorFromBytes(s.DType, s.Shape, data[:n:n]); err != nil {
			return nil, fmt.Errorf("state %q: %w", s.Name, err)
		}
		entries[i] = commit.Named{Name: s.Name}
		if entries[i].Root, err = commit.TensorRoot(uint8(s.DType), s.Shape, data[:n]); err != nil {
			return nil, fmt.Errorf("state %q: %w", s.Name, err)
		}
		data = data[n:]
	}
	if got := commit.NamedRoot(entries); got != root || len(data) > 0 {
		return nil, fmt.Errorf("%w: states have %s and %d bytes more, want %s", ErrRoot, got, len(data), root)
	}
	return states, nil
}
