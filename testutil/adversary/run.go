package adversary

import (
	"fmt"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
)

// Run is a computation that somebody may lie about: all its tensors, by the reference path.
type Run struct {
	Machine game.Machine
	Weights []*engine.Tensor // in the program's order
	Inputs  []*engine.Tensor // likewise, defaults filled in
	Steps   uint64
	source  *game.ReferenceSource
}

// NewRun computes T steps. Inputs left out have their default.
func NewRun(prog *engine.Program, cost engine.CostParams, weights *engine.Weights, inputs map[string]*engine.Tensor, steps uint64) (*Run, error) {
	in, err := prog.BindInputs(inputs)
	if err != nil {
		return nil, err
	}
	m, err := game.NewProgramMachine(prog, in.Rows(), cost)
	if err != nil {
		return nil, err
	}
	return NewMachineRun(m, weights.Tensors(), in.Tensors(), steps)
}

// NewSegment computes the steps from a checkpoint to T.
func NewSegment(
	prog *engine.Program, cost engine.CostParams, weights *engine.Weights, inputs map[string]*engine.Tensor, from game.Checkpoint, steps uint64,
) (*Run, error) {
	in, err := prog.BindInputs(inputs)
	if err != nil {
		return nil, err
	}
	m, err := game.NewProgramMachine(prog, in.Rows(), cost)
	if err != nil {
		return nil, err
	}
	r := &Run{Machine: m, Weights: weights.Tensors(), Inputs: in.Tensors(), Steps: steps}
	r.source, err = game.NewReferenceSegment(m, r.Weights, r.Inputs, from, steps)
	return r, err
}

// NewMachineRun is NewRun for any machine.
func NewMachineRun(m game.Machine, weights, inputs []*engine.Tensor, steps uint64) (*Run, error) {
	r := &Run{Machine: m, Weights: weights, Inputs: inputs, Steps: steps}
	var err error
	r.source, err = game.NewReferenceSource(m, weights, inputs, steps)
	return r, err
}

// Answer is what a party says the result is, and the trace that it argues with.
type Answer struct {
	Root, StateRoot, OutputRoot commit.Hash
	// Outputs are the tensors under OutputRoot; nil where nobody knows them.
	Outputs []*engine.Tensor
	Trace   game.Trace
}

// Lie makes a wrong answer of a run.
type Lie func(r *Run) (*Answer, error)

// Honest is the right answer.
func Honest(r *Run) (*Answer, error) { return r.answer(r.trace(r.source)) }

// Trace is the run as it is.
func (r *Run) Trace() game.Trace { return r.trace(r.source) }

func (r *Run) trace(s game.Source) game.Trace {
	return game.NewRerun(r.Machine, s, r.Weights, r.Inputs, r.Steps)
}

// answer reads the result off a trace.
func (r *Run) answer(tr game.Trace) (*Answer, error) {
	a := &Answer{Trace: tr}
	var err error
	if a.StateRoot, err = tr.StateRoot(r.Steps); err != nil {
		return nil, fmt.Errorf("state root: %w", err)
	}
	tree, err := tr.Tree(game.TreeOutputs, r.Steps)
	if err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	a.OutputRoot = commit.NamedRootOf(tree.Root())
	a.Root = commit.ResultRoot(r.Steps, a.StateRoot, a.OutputRoot)
	for _, s := range r.Machine.Outputs() {
		spec := r.Machine.States()[s]
		x, err := tr.Tensor(r.Steps, stateRef(s))
		if err != nil {
			return nil, err
		}
		out, err := engine.TensorFromBytes(spec.DType, spec.Shape, x.Data)
		if err != nil {
			return nil, err
		}
		a.Outputs = append(a.Outputs, out)
	}
	return a, nil
}
