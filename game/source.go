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
	states [][]*engine.Tensor
	nodes  [][]*engine.Tensor
}

// NewReferenceSource runs T steps. tamper, if set, is shown every node's tensor before it is used and may give another
// one in its place: that is how a run goes on after a lie.
func NewReferenceSource(m Machine, weights, inputs []*engine.Tensor, steps uint64,
	tamper func(t uint64, node int, out *engine.Tensor) *engine.Tensor,
) (*ReferenceSource, error) {
	r := &ReferenceSource{}
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
	for t := range steps {
		r.states = append(r.states, state)
		if m.Stop() >= 0 && state[m.Stop()].I64()[0] != 0 {
			r.nodes = append(r.nodes, nil)
			continue
		}
		nodes, err := referenceNodes(m, weights, inputs, state, t, tamper)
		if err != nil {
			return nil, err
		}
		r.nodes = append(r.nodes, nodes)
		next := slices.Clone(state)
		for s := range next {
			u, err := m.Update(t, s)
			if err != nil {
				return nil, err
			}
			if u >= 0 {
				next[s] = nodes[u]
			}
		}
		state = next
	}
	r.states = append(r.states, state)
	return r, nil
}

func referenceNodes(m Machine, weights, inputs, state []*engine.Tensor, t uint64,
	tamper func(t uint64, node int, out *engine.Tensor) *engine.Tensor,
) ([]*engine.Tensor, error) {
	nodes := make([]*engine.Tensor, m.Nodes(t))
	for n := range nodes {
		view, refs, err := m.Node(t, n)
		if err != nil {
			return nil, err
		}
		in := make([]*engine.Tensor, len(refs))
		for i, ref := range refs {
			switch ref.Kind {
			case graphpb.REF_KIND_WEIGHT:
				in[i] = weights[ref.Index]
			case graphpb.REF_KIND_INPUT:
				in[i] = inputs[ref.Index]
			case graphpb.REF_KIND_STATE:
				in[i] = state[ref.Index]
			default:
				in[i] = nodes[ref.Index]
			}
		}
		if nodes[n], err = engine.ReferenceEval(view, in); err != nil {
			return nil, fmt.Errorf("step %d, node %d: %w", t, n, err)
		}
		if tamper != nil {
			nodes[n] = tamper(t, n, nodes[n])
		}
	}
	return nodes, nil
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
