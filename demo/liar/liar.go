// Package liar is a participant that lies, for demonstrations on networks of real processes: it computes as everybody does, changes one bit
// somewhere inside, goes on from there, and argues for what came out.
package liar

import (
	"context"
	"fmt"
	"slices"

	"poaid/commit"
	"poaid/daemon/executor"
	"poaid/engine"
	"poaid/game"
	"poaid/testutil/adversary"
	taskstypes "poaid/x/tasks/types"
)

// Kinds of lies.
const (
	// Bit flips one bit of one element of the last product in the last step.
	Bit = "bit"
	// Output has honest states and another output.
	Output = "output"
	// Sprint computes nine of ten leaves of a sprint and makes up the others; tasks are done honestly.
	Sprint = "sprint"
)

// Kinds lists the lies about tasks.
func Kinds() []string { return []string{Bit, Output} }

// Runs lies about tasks of one step; others take too long to compute by the reference.
type Runs struct {
	*executor.Executor
	kind string
}

// New makes a liar of an executor.
func New(honest *executor.Executor, kind string) (*Runs, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("lie: %q, want one of %v", kind, Kinds())
	}
	return &Runs{honest, kind}, nil
}

// Run implements executor.Runner.
func (r *Runs) Run(ctx context.Context, task taskstypes.Task) (executor.Result, error) {
	res, err := r.Executor.Run(ctx, task)
	if err != nil || task.Steps > 1 {
		return res, err
	}
	m, release, err := r.Open(ctx, task)
	if err != nil {
		return executor.Result{}, err
	}
	defer release()
	machine, err := game.NewProgramMachine(m.Program, m.Inputs.Rows(), engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1})
	if err != nil {
		return executor.Result{}, err
	}
	a, err := r.lie(machine, m, task.Steps)
	if err != nil {
		return executor.Result{}, err
	}
	res.ResultRoot, res.StateRoot, res.OutputRoot = a.Root, a.StateRoot, a.OutputRoot
	for i, x := range a.Outputs {
		root, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
		if err != nil {
			return executor.Result{}, err
		}
		res.Outputs[i] = taskstypes.NamedTensor{
			Name: m.Program.OutputNames()[i], Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes(), Root: root[:],
		}
	}
	return res, nil
}

// Trace implements challenger.Tracer.
func (r *Runs) Trace(_ context.Context, machine game.Machine, task taskstypes.Task, m executor.Material) (game.Trace, error) {
	if task.Steps > 1 {
		return nil, nil
	}
	a, err := r.lie(machine, m, task.Steps)
	if err != nil {
		return nil, err
	}
	return a.Trace, nil
}

func (r *Runs) lie(machine game.Machine, m executor.Material, steps uint64) (*adversary.Answer, error) {
	run, err := adversary.NewMachineRun(machine, m.Weights.Tensors(), m.Inputs.Tensors(), steps)
	if err != nil {
		return nil, err
	}
	if r.kind == Output {
		return adversary.WrongOutput(0)(run)
	}
	return adversary.FlippedOp("matmul@1")(run)
}
