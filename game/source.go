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
	states          [][]*engine.Tensor
	nodes           [][]*engine.Tensor
}

// Tamper is shown every node's tensor before it is used and returns it, or another one in its place: that is how a run
// goes on after a lie.
type Tamper func(t uint64, node int, out *engine.Tensor) *engine.Tensor

// NewReferenceSource runs T steps.
func NewReferenceSource(m Machine, weights, inputs []*engine.Tensor, steps uint64) (*ReferenceSource, error) {
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
	r := &ReferenceSource{machine: m, weights: weights, inputs: inputs, states: [][]*engine.Tensor{state}}
	for range steps {
		if err := r.step(nil, nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Tampered runs the same again with a lie in it; only what the lie touches is computed anew.
func (r *ReferenceSource) Tampered(tamper Tamper) (*ReferenceSource, error) {
	c := &ReferenceSource{machine: r.machine, weights: r.weights, inputs: r.inputs, states: r.states[:1:1]}
	for range r.nodes {
		if err := c.step(r, tamper); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// step adds a step. Nodes whose operands are the very ones that base has are taken from there.
func (r *ReferenceSource) step(base *ReferenceSource, tamper Tamper) error {
	t := uint64(len(r.nodes))
	state := r.states[t]
	if stop := r.machine.Stop(); stop >= 0 && state[stop].I64()[0] != 0 {
		r.nodes, r.states = append(r.nodes, nil), append(r.states, state)
		return nil
	}
	r.nodes = append(r.nodes, make([]*engine.Tensor, r.machine.Nodes(t)))
	for n := range r.nodes[t] {
		view, refs, err := r.machine.Node(t, n)
		if err != nil {
			return err
		}
		in := r.operands(t, refs)
		out := (*engine.Tensor)(nil)
		if base != nil && base.nodes[t] != nil && slices.Equal(in, base.operands(t, refs)) {
			out = base.nodes[t][n]
		} else if out, err = engine.ReferenceEval(view, in); err != nil {
			return fmt.Errorf("step %d, node %d: %w", t, n, err)
		}
		if tamper != nil {
			out = tamper(t, n, out)
		}
		r.nodes[t][n] = out
	}
	next := slices.Clone(state)
	for s := range next {
		u, err := r.machine.Update(t, s)
		if err != nil {
			return err
		}
		if u >= 0 {
			next[s] = r.nodes[t][u]
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
			in[i] = r.states[t][ref.Index]
		default:
			in[i] = r.nodes[t][ref.Index]
		}
	}
	return in
}

// States implements Source.
func (r *ReferenceSource) States(t uint64) ([]*engine.Tensor, error) {
	if t >= uint64(len(r.states)) {
		return nil, fmt.Errorf("step %d: the run has %d", t, len(r.states)-1)
	}
	return r.states[t], nil
}

// Nodes implements Source.
func (r *ReferenceSource) Nodes(t uint64) ([]*engine.Tensor, error) {
	if t >= uint64(len(r.nodes)) {
		return nil, fmt.Errorf("step %d: the run has %d", t, len(r.nodes))
	}
	return r.nodes[t], nil
}

// EngineSource re-executes a run by the engine. It keeps a checkpoint of the states every √T steps, made as the run first
// comes by, and the nodes of one step. Not safe for concurrent use.
type EngineSource struct {
	ctx     context.Context
	run     *engine.Run
	stop    string
	stride  uint64
	checks  []checkpoint // ascending
	nodesAt uint64
	nodes   []*engine.Tensor
	states  checkpoint // the last ones asked for
}

type checkpoint struct {
	t      uint64
	states []*engine.Tensor
}

// NewEngineSource makes a source of a run of T steps. Cancelling ctx ends whatever re-execution is under way.
func NewEngineSource(ctx context.Context, prog *engine.Program, w *engine.Weights, in *engine.Inputs, steps uint64, opts engine.RunOptions) (*EngineSource, error) {
	run, err := engine.NewRun(prog, w, in, opts)
	if err != nil {
		return nil, err
	}
	e := &EngineSource{ctx: ctx, run: run, stop: prog.StopState(), stride: max(1, uint64(math.Sqrt(float64(steps)))), nodesAt: math.MaxUint64}
	e.checks = []checkpoint{{0, cloneAll(run.States())}}
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
	i, _ := slices.BinarySearchFunc(e.checks, t+1, func(c checkpoint, t uint64) int { return cmpUint(c.t, t) })
	if c := e.checks[i-1]; e.run.T() > t || e.run.T() < c.t {
		if err := e.run.SetStates(c.t, c.states); err != nil {
			return err
		}
	}
	for e.run.T() < t {
		if err := e.run.Step(e.ctx); err != nil {
			return err
		}
		if last := e.checks[len(e.checks)-1].t; e.run.T() == last+e.stride {
			e.checks = append(e.checks, checkpoint{e.run.T(), cloneAll(e.run.States())})
		}
	}
	return nil
}

// States implements Source.
func (e *EngineSource) States(t uint64) ([]*engine.Tensor, error) {
	if e.states.t == t {
		return e.states.states, nil
	}
	if err := e.seek(t); err != nil {
		return nil, err
	}
	e.states = checkpoint{t, cloneAll(e.run.States())}
	return e.states.states, nil
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
	src, err := NewEngineSource(ctx, prog, w, in, steps, opts)
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
