package game

import (
	"context"
	"fmt"
	"math"
	"slices"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// ReferenceSource computes a whole run of any Machine element by element and keeps all of it: for tests and toys.
type ReferenceSource struct {
	machine         Machine
	weights, inputs []*engine.Tensor
	start           uint64
	states          [][]*engine.Tensor // before step start + i
	nodes           [][]*engine.Tensor
}

// Checkpoint is the states before a step.
type Checkpoint struct {
	Step   uint64
	States []*engine.Tensor
}

// Tamper is shown every node's tensor before it is used and returns it, or another one in its place: that is how a run
// goes on after a lie.
type Tamper func(t uint64, node int, out *engine.Tensor) *engine.Tensor

// NewReferenceSource runs T steps.
func NewReferenceSource(m Machine, weights, inputs []*engine.Tensor, steps uint64) (*ReferenceSource, error) {
	state, err := firstStates(m, weights)
	if err != nil {
		return nil, err
	}
	return NewReferenceSegment(m, weights, inputs, Checkpoint{States: state}, steps)
}

// NewReferenceSegment runs the steps from a checkpoint to T.
func NewReferenceSegment(m Machine, weights, inputs []*engine.Tensor, from Checkpoint, steps uint64) (*ReferenceSource, error) {
	r := &ReferenceSource{machine: m, weights: weights, inputs: inputs, start: from.Step, states: [][]*engine.Tensor{from.States}}
	for t := from.Step; t < steps; t++ {
		if err := r.step(nil, nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// firstStates are those before step 0.
func firstStates(m Machine, weights []*engine.Tensor) ([]*engine.Tensor, error) {
	state := make([]*engine.Tensor, len(m.States()))
	for i, s := range m.States() {
		x, err := engine.NewTensor(s.DType, s.Shape, math.MaxInt32)
		if err != nil {
			return nil, err
		}
		if s.InitWeight != "" {
			x = weights[slices.Index(m.Weights(), s.InitWeight)]
		}
		state[i] = x
	}
	return state, nil
}

// Tampered runs the same again with a lie in it; only what the lie touches is computed anew.
func (r *ReferenceSource) Tampered(tamper Tamper) (*ReferenceSource, error) {
	c := &ReferenceSource{machine: r.machine, weights: r.weights, inputs: r.inputs, start: r.start, states: r.states[:1:1]}
	for range r.nodes {
		if err := c.step(r, tamper); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// step adds a step. Nodes whose operands are the very ones that base has are taken from there.
func (r *ReferenceSource) step(base *ReferenceSource, tamper Tamper) error {
	i := len(r.nodes)
	t := r.start + uint64(i)
	state := r.states[i]
	if stop := r.machine.Stop(); stop >= 0 && state[stop].I64()[0] != 0 {
		r.nodes, r.states = append(r.nodes, nil), append(r.states, state)
		return nil
	}
	r.nodes = append(r.nodes, make([]*engine.Tensor, r.machine.Nodes(t)))
	for n := range r.nodes[i] {
		view, refs, err := r.machine.Node(t, n)
		if err != nil {
			return err
		}
		in := r.operands(t, refs)
		out := (*engine.Tensor)(nil)
		if base != nil && base.nodes[i] != nil && slices.Equal(in, base.operands(t, refs)) {
			out = base.nodes[i][n]
		} else if out, err = engine.ReferenceEval(view, in); err != nil {
			return fmt.Errorf("step %d, node %d: %w", t, n, err)
		}
		if tamper != nil {
			out = tamper(t, n, out)
		}
		r.nodes[i][n] = out
	}
	next := slices.Clone(state)
	for s := range next {
		u, err := r.machine.Update(t, s)
		if err != nil {
			return err
		}
		if u >= 0 {
			next[s] = r.nodes[i][u]
		}
	}
	r.states = append(r.states, next)
	return nil
}

// operands are the tensors that a node of step t reads.
func (r *ReferenceSource) operands(t uint64, refs []engine.OperandRef) []*engine.Tensor {
	in := make([]*engine.Tensor, len(refs))
	for i, ref := range refs {
		switch ref.Kind {
		case graphpb.REF_KIND_WEIGHT:
			in[i] = r.weights[ref.Index]
		case graphpb.REF_KIND_INPUT:
			in[i] = r.inputs[ref.Index]
		case graphpb.REF_KIND_STATE:
			in[i] = r.states[t-r.start][ref.Index]
		default:
			in[i] = r.nodes[t-r.start][ref.Index]
		}
	}
	return in
}

// States implements Source.
func (r *ReferenceSource) States(t uint64) ([]*engine.Tensor, error) {
	if t < r.start || t-r.start >= uint64(len(r.states)) {
		return nil, fmt.Errorf("step %d: the run has %d..%d", t, r.start, r.start+uint64(len(r.nodes)))
	}
	return r.states[t-r.start], nil
}

// Nodes implements Source.
func (r *ReferenceSource) Nodes(t uint64) ([]*engine.Tensor, error) {
	if t < r.start || t-r.start >= uint64(len(r.nodes)) {
		return nil, fmt.Errorf("step %d: the run has those from %d to before %d", t, r.start, r.start+uint64(len(r.nodes)))
	}
	return r.nodes[t-r.start], nil
}

// EngineSource re-executes a run by the engine. It keeps a checkpoint of the states every √T steps, made as the run first
// comes by, and the nodes of one step. Not safe for concurrent use.
type EngineSource struct {
	ctx     context.Context
	run     *engine.Run
	stop    string
	stride  uint64
	checks  []Checkpoint // ascending
	nodesAt uint64
	nodes   []*engine.Tensor
	states  Checkpoint // the last ones asked for
}

// NewEngineSource makes a source of a run of T steps. Cancelling ctx ends whatever re-execution is under way.
func NewEngineSource(ctx context.Context, prog *engine.Program, w *engine.Weights, in *engine.Inputs, steps uint64, opts engine.RunOptions) (*EngineSource, error) {
	return NewEngineSegment(ctx, prog, w, in, Checkpoint{}, steps, opts)
}

// NewEngineSegment makes a source of steps [from.Step, T) of a run, from the states before the first of them. At step 0 they are as the
// program says.
func NewEngineSegment(
	ctx context.Context, prog *engine.Program, w *engine.Weights, in *engine.Inputs, from Checkpoint, steps uint64, opts engine.RunOptions,
) (*EngineSource, error) {
	run, err := engine.NewRun(prog, w, in, opts)
	if err != nil {
		return nil, err
	}
	if from.Step > 0 {
		if err := run.SetStates(from.Step, from.States); err != nil {
			return nil, err
		}
	}
	if from.Step >= steps {
		return nil, fmt.Errorf("from step %d: the run has %d", from.Step, steps)
	}
	stride := max(1, uint64(math.Sqrt(float64(steps-from.Step))))
	e := &EngineSource{ctx: ctx, run: run, stop: prog.StopState(), stride: stride, nodesAt: math.MaxUint64}
	e.checks = []Checkpoint{{from.Step, cloneAll(run.States())}}
	e.states = e.checks[0]
	return e, nil
}

func cloneAll(list []*engine.Tensor) []*engine.Tensor {
	out := make([]*engine.Tensor, len(list))
	for i, x := range list {
		out[i] = x.Clone()
	}
	return out
}

// seek brings the run to the states before step t, from where it stands or from the nearest checkpoint.
func (e *EngineSource) seek(t uint64) error {
	i, _ := slices.BinarySearchFunc(e.checks, t+1, func(c Checkpoint, t uint64) int { return cmpUint(c.Step, t) })
	if i == 0 {
		return fmt.Errorf("step %d: the run begins at %d", t, e.checks[0].Step)
	}
	if c := e.checks[i-1]; e.run.T() > t || e.run.T() < c.Step {
		if err := e.run.SetStates(c.Step, c.States); err != nil {
			return err
		}
	}
	for e.run.T() < t {
		if err := e.run.Step(e.ctx); err != nil {
			return err
		}
		if last := e.checks[len(e.checks)-1].Step; e.run.T() == last+e.stride {
			e.checks = append(e.checks, Checkpoint{e.run.T(), cloneAll(e.run.States())})
		}
	}
	return nil
}

// States implements Source.
func (e *EngineSource) States(t uint64) ([]*engine.Tensor, error) {
	if e.states.Step == t {
		return e.states.States, nil
	}
	if err := e.seek(t); err != nil {
		return nil, err
	}
	e.states = Checkpoint{t, cloneAll(e.run.States())}
	return e.states.States, nil
}

// Nodes implements Source.
func (e *EngineSource) Nodes(t uint64) ([]*engine.Tensor, error) {
	if e.nodesAt == t {
		return e.nodes, nil
	}
	if err := e.seek(t); err != nil {
		return nil, err
	}
	var nodes []*engine.Tensor
	err := e.run.Trace(e.ctx, func(_ int, out *engine.Tensor) error {
		nodes = append(nodes, out.Clone())
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.nodesAt, e.nodes = t, nodes
	return nodes, nil
}

// NewEngineTrace is a Trace that re-derives everything by re-execution.
func NewEngineTrace(ctx context.Context, m Machine, prog *engine.Program, w *engine.Weights, in *engine.Inputs, steps uint64, opts engine.RunOptions) (*Rerun, error) {
	return NewSegmentTrace(ctx, m, prog, w, in, Checkpoint{}, steps, opts)
}

// NewSegmentTrace is a Trace of steps [from.Step, T) that re-derives everything by re-execution.
func NewSegmentTrace(
	ctx context.Context, m Machine, prog *engine.Program, w *engine.Weights, in *engine.Inputs, from Checkpoint, steps uint64, opts engine.RunOptions,
) (*Rerun, error) {
	src, err := NewEngineSegment(ctx, prog, w, in, from, steps, opts)
	if err != nil {
		return nil, err
	}
	return NewRerun(m, src, w.Tensors(), in.Tensors(), steps), nil
}

// ResultRoot is the result root of a trace's run.
func ResultRoot(tr Trace, steps uint64) (commit.Hash, error) {
	state, err := tr.StateRoot(steps)
	if err != nil {
		return commit.Hash{}, err
	}
	outputs, err := tr.Tree(TreeOutputs, steps)
	if err != nil {
		return commit.Hash{}, err
	}
	return commit.ResultRoot(steps, state, commit.NamedRootOf(outputs.Root())), nil
}
