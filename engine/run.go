package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"poaid/commit"
	"poaid/engine/graphpb"
)

// ErrBroken is returned by a run after a step failed or was cancelled half-way: its states may be torn. Start a new
// run, or call SetStates with a checkpoint.
var ErrBroken = errors.New("run: a step was cut short; its states are lost")

// RunOptions are the options of a run. None of them changes a result.
type RunOptions struct {
	// Threads is the number of threads; 0 means one per processor.
	Threads int
	// Progress, if set, is called after every step of Execute.
	Progress func(step, total uint64)
}

// Run holds the states of one run and the buffers of its steps. It is not safe for concurrent use.
type Run struct {
	prog    *Program
	weights *Weights
	inputs  *Inputs
	opts    RunOptions
	t       uint64
	rows    uint64 // rows of the forced input
	states  []*Tensor
	step    *workspace
	forced  *workspace
	arena   *arena
	batch   *batch // of forced steps
	noBatch bool   // there is none
	broken  bool
}

// workspace is one graph made ready to run.
type workspace struct {
	g       *graph
	plan    *plan
	ctx     []EvalCtx
	filled  []bool   // per node: a once result is there
	scratch [][]byte // per entry of plan.copies
}

// arena holds the buffers that the step and the forced graph share; they never run at the same time.
type arena struct{ buffers [][]byte }

// take returns buffer i with at least size bytes.
func (a *arena) take(i int, size int64) []byte {
	for len(a.buffers) <= i {
		a.buffers = append(a.buffers, nil)
	}
	if int64(len(a.buffers[i])) < size {
		a.buffers[i] = alloc(size)
	}
	return a.buffers[i]
}

// NewRun starts a run at step 0. weights and inputs must come from the same program.
func NewRun(prog *Program, weights *Weights, inputs *Inputs, opts RunOptions) (*Run, error) {
	if weights == nil || weights.prog != prog || inputs == nil || inputs.prog != prog {
		return nil, fmt.Errorf("%w: weights or inputs of another program", ErrInput)
	}
	if opts.Threads <= 0 {
		opts.Threads = runtime.GOMAXPROCS(0)
	}
	r := &Run{prog: prog, weights: weights, inputs: inputs, opts: opts, rows: inputs.forcedRows(), arena: &arena{}}
	for _, s := range prog.pb.States {
		t, err := NewTensor(s.Dtype, s.Shape, prog.lim.TensorBytes)
		if err != nil {
			return nil, fmt.Errorf("state %q: %w", s.Name, err)
		}
		if s.InitWeight != "" {
			copy(t.data, weights.tensors[prog.weightIndex(s.InitWeight)].data)
		}
		r.states = append(r.states, t)
	}
	return r, nil
}

// T returns the number of steps done, identities included.
func (r *Run) T() uint64 { return r.t }

// Stopped returns the value of the stop state: the number of steps really done once the run has stopped, else 0.
func (r *Run) Stopped() int64 {
	if r.prog.stop < 0 {
		return 0
	}
	return r.states[r.prog.stop].I64()[0]
}

// State returns a state by name, nil when there is none. It is a view that the next step overwrites.
func (r *Run) State(name string) *Tensor {
	if i := r.prog.stateIndex(name); i >= 0 {
		return r.states[i]
	}
	return nil
}

// States returns the states in declaration order, as views that the next step overwrites.
func (r *Run) States() []*Tensor { return r.states }

// SetStates continues the run from state_t, copied from states in declaration order.
func (r *Run) SetStates(t uint64, states []*Tensor) error {
	if len(states) != len(r.states) {
		return fmt.Errorf("%w: states: %d given, the program has %d", ErrInput, len(states), len(r.states))
	}
	if t > r.prog.pb.MaxSteps {
		return fmt.Errorf("%w: t: %d exceeds max_steps %d", ErrInput, t, r.prog.pb.MaxSteps)
	}
	for i, s := range r.prog.pb.States {
		if err := checkTensor(states[i], s.Dtype, s.Shape); err != nil {
			return fmt.Errorf("%w: state %q: %w", ErrInput, s.Name, err)
		}
	}
	for i, s := range states {
		copy(r.states[i].data, s.data)
	}
	r.t, r.broken = t, false
	return nil
}

// Step computes state_t+1. A cancelled step leaves the run broken.
func (r *Run) Step(ctx context.Context) error { return r.advance(ctx, nil) }

// Advance computes one step, or up to n forced steps at once where the program allows it, and returns how many. The
// states are those of that many calls of Step, bit for bit.
func (r *Run) Advance(ctx context.Context, n uint64) (uint64, error) {
	if n == 0 {
		return 0, nil
	}
	if count := min(n, r.forcedAhead()); count > 1 && !r.broken && r.Stopped() == 0 {
		if b := r.forcedBatch(); b != nil {
			return r.advanceBatch(ctx, b, min(int64(count), b.width)) // #nosec G115 -- at most max_steps
		}
	}
	if err := r.Step(ctx); err != nil {
		return 0, err
	}
	return 1, nil
}

// forcedAhead counts the forced steps from here on.
func (r *Run) forcedAhead() uint64 {
	end := min(r.rows, r.prog.pb.MaxSteps+1) // step t is forced when t+1 < rows
	if r.prog.forced == nil || r.t+1 >= end {
		return 0
	}
	return end - 1 - r.t
}

// Trace is Step that shows every node's tensor to fn, in order; the tensor is only valid during the call. A stopped
// run has no nodes. An error of fn ends the step.
func (r *Run) Trace(ctx context.Context, fn func(node int, out *Tensor) error) error {
	return r.advance(ctx, fn)
}

func (r *Run) advance(ctx context.Context, fn func(int, *Tensor) error) error {
	if r.broken {
		return ErrBroken
	}
	if r.t >= r.prog.pb.MaxSteps {
		return fmt.Errorf("step %d: max_steps is %d", r.t, r.prog.pb.MaxSteps)
	}
	if r.Stopped() != 0 {
		r.t++
		return nil
	}
	ws := r.workspace(r.prog.IsForced(r.t, r.rows))
	r.broken = true
	if err := r.evaluate(ctx, ws, fn); err != nil {
		return fmt.Errorf("%s graph at step %d: %w", ws.g.name, r.t, err)
	}
	r.commitStates(ws)
	r.broken = false
	r.t++
	return nil
}

// evaluate runs the nodes in order.
func (r *Run) evaluate(ctx context.Context, ws *workspace, fn func(int, *Tensor) error) error {
	for i := range ws.g.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &ws.ctx[i]
		if c.T != r.t {
			c.T = r.t
			ws.g.nodes[i].reshapeAt(c)
		}
		done := fn == nil && ws.skips(i)
		switch ws.plan.place[i] {
		case alias:
			c.Y.data, done = aliasBytes(c), true
		case viewed:
			c.Y.data, done = c.X[0].data, true
			viewStrides(c)
		case inPlace:
			c.Y.data = c.X[ws.plan.source[i]].data
		case once:
			done, ws.filled[i] = ws.filled[i] || done, ws.filled[i] || !done
		}
		if !done {
			if err := c.Op.Eval(c); err != nil {
				return fmt.Errorf("nodes[%d] %q (%s): %w", i, c.Name, c.Op.Name, err)
			}
		}
		if fn != nil {
			if err := show(i, c, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// show gives a node's tensor to fn, views as dense tensors.
func show(i int, c *EvalCtx, fn func(int, *Tensor) error) error {
	y := c.Y
	if y.strides != nil {
		dense := *c
		dense.Y = &Tensor{dtype: y.dtype, shape: y.shape, data: alloc(int64(len(y.data)))}
		if err := c.Op.Eval(&dense); err != nil {
			return err
		}
		y = dense.Y
	}
	return fn(i, y)
}

// viewStrides sets the strides of a transposed view.
func viewStrides(c *EvalCtx) {
	perm := c.Attrs.Ints("perm")
	if c.Y.strides == nil {
		c.Y.strides = make([]int64, len(perm))
	}
	in := stridesOf(c.X[0].shape)
	for i, p := range perm {
		c.Y.strides[i] = in[p]
	}
}

// aliasBytes returns the operand's bytes that a reshape or a slice of one run is.
func aliasBytes(c *EvalCtx) []byte {
	if !c.Op.prefix {
		return c.X[0].data
	}
	size := SizeOf(c.Y.dtype)
	from := ravel(c.Attrs.Ints("start"), c.X[0].shape) * size
	return c.X[0].data[from : from+c.Out.elems()*size]
}

// reshapeAt sets the result's shape for step c.T; operands are shared tensors and have theirs already.
func (n *node) reshapeAt(c *EvalCtx) {
	if !n.out.Shape.Static() {
		for i, d := range n.out.Shape {
			c.Y.shape[i] = d.At(c.T)
		}
		size := int64(opBytes(&Operand{DType: c.Y.dtype, Shape: c.Y.shape}))
		if int64(cap(c.Y.data)) >= size { // aliases get their bytes from the operand
			c.Y.data = c.Y.data[:size]
		}
	}
	c.Out.Shape = c.Y.shape
	for i, x := range c.X {
		c.In[i].Shape = x.shape
	}
}

// commitStates makes the updates the states' values.
func (r *Run) commitStates(ws *workspace) {
	for j, s := range ws.plan.copies {
		copy(ws.scratch[j], ws.ctx[ws.g.update[s]].Y.data)
	}
	for j, s := range ws.plan.copies {
		ws.scratch[j], r.states[s].data = r.states[s].data, ws.scratch[j]
	}
	for i, place := range ws.plan.place {
		if place == kept {
			y, s := ws.ctx[i].Y, r.states[ws.plan.source[i]]
			y.data, s.data = s.data, y.data
		}
	}
}

// workspace returns a graph's workspace, made on first use.
func (r *Run) workspace(forced bool) *workspace {
	ws := &r.step
	if forced {
		ws = &r.forced
	}
	if *ws == nil {
		*ws = r.newWorkspace(r.prog.graph(forced))
	}
	return *ws
}

func (r *Run) newWorkspace(g *graph) *workspace {
	ws := &workspace{g: g, plan: makePlan(r.prog, g), ctx: make([]EvalCtx, len(g.nodes)), filled: make([]bool, len(g.nodes))}
	for b, size := range ws.plan.sizes {
		r.arena.take(b, size)
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		y := &Tensor{dtype: n.out.DType, shape: n.out.Shape.At(r.t)}
		switch ws.plan.place[i] {
		case pooled:
			y.data = r.arena.take(ws.plan.buffer[i], ws.plan.bytes[i])
		case kept, once:
			y.data = alloc(ws.plan.bytes[i])
		}
		if y.data != nil {
			y.data = y.data[:opBytes(&Operand{DType: y.dtype, Shape: y.shape})]
		}
		c := &ws.ctx[i]
		*c = EvalCtx{
			NodeView: NodeView{
				Op: n.op, Name: n.name, Attrs: n.attrs, T: ^uint64(0), In: make([]Operand, len(n.in)),
				Out: Operand{DType: y.dtype},
			},
			X: make([]*Tensor, len(n.in)), Y: y, Threads: r.opts.Threads,
		}
		for j, rf := range n.in {
			c.X[j] = r.operand(ws, rf)
			c.In[j] = Operand{DType: c.X[j].dtype, Shape: c.X[j].shape}
		}
	}
	ws.scratch = make([][]byte, len(ws.plan.copies))
	for j, s := range ws.plan.copies {
		ws.scratch[j] = alloc(int64(len(r.states[s].data)))
	}
	return ws
}

func (r *Run) operand(ws *workspace, rf ref) *Tensor {
	switch rf.kind {
	case graphpb.REF_KIND_NODE:
		return ws.ctx[rf.index].Y
	case graphpb.REF_KIND_WEIGHT:
		return r.weights.tensors[rf.index]
	case graphpb.REF_KIND_STATE:
		return r.states[rf.index]
	default:
		return r.inputs.tensors[rf.index]
	}
}

// StateRoot returns the named root of the states as they stand.
func (r *Run) StateRoot() (commit.Hash, error) {
	names := make([]string, len(r.states))
	for i, s := range r.prog.pb.States {
		names[i] = s.Name
	}
	return namedRoot(names, r.states, r.opts.Threads)
}

// Result closes the run: roots of the states as they stand, and copies of the outputs.
func (r *Run) Result() (*Result, error) {
	if r.broken {
		return nil, ErrBroken
	}
	res := &Result{T: r.t, StepsDone: r.t}
	if s := r.Stopped(); s != 0 {
		res.Stopped = uint64(s)
		res.StepsDone = min(res.Stopped, r.t)
	}
	var err error
	if res.StateRoot, err = r.StateRoot(); err != nil {
		return nil, err
	}
	tensors := make([]*Tensor, len(r.prog.outputs))
	for i, s := range r.prog.outputs {
		tensors[i] = r.states[s].Clone()
		res.Outputs = append(res.Outputs, Output{Name: r.prog.pb.Outputs[i], Tensor: tensors[i]})
	}
	if res.OutputRoot, err = namedRoot(r.prog.pb.Outputs, tensors, r.opts.Threads); err != nil {
		return nil, err
	}
	res.ResultRoot = commit.ResultRoot(res.T, res.StateRoot, res.OutputRoot)
	return res, nil
}

// Output is one named output.
type Output struct {
	Name   string
	Tensor *Tensor
}

// Result is what a run of T steps gives.
type Result struct {
	T          uint64
	StateRoot  commit.Hash
	OutputRoot commit.Hash
	ResultRoot commit.Hash // commit.ResultRoot(T, StateRoot, OutputRoot)
	Outputs    []Output    // in the program's order
	Stopped    uint64      // value of the stop state; 0: the run did not stop by itself
	StepsDone  uint64      // steps computed: Stopped if that is not 0 and at most T, else T
}

// Output returns an output by name, nil when there is none.
func (r *Result) Output(name string) *Tensor {
	for _, o := range r.Outputs {
		if o.Name == name {
			return o.Tensor
		}
	}
	return nil
}

// Execute runs the given number of steps and commits to the result. inputs are by name; those with a default may be left out.
// Cancelling ctx stops between two nodes.
func Execute(ctx context.Context, prog *Program, weights *Weights, inputs map[string]*Tensor, steps uint64, opts RunOptions) (*Result, error) {
	if steps > prog.pb.MaxSteps {
		return nil, fmt.Errorf("%w: steps: %d exceeds max_steps %d", ErrInput, steps, prog.pb.MaxSteps)
	}
	in, err := prog.BindInputs(inputs)
	if err != nil {
		return nil, err
	}
	run, err := NewRun(prog, weights, in, opts)
	if err != nil {
		return nil, err
	}
	for run.t < steps {
		if run.Stopped() != 0 {
			run.t = steps // every further step is the identity
			break
		}
		from := run.t
		if _, err := run.Advance(ctx, steps-from); err != nil {
			return nil, err
		}
		for t := from; opts.Progress != nil && t < run.t; t++ {
			opts.Progress(t+1, steps)
		}
	}
	return run.Result()
}
