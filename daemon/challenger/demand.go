package challenger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// demandBefore is how many blocks before a deadline missing bytes are demanded on the chain: until then peers are asked.
	demandBefore = 20
	// maxDemands bounds this participant's demands in one task: whoever has answered so many has the bytes, and serves them or not.
	maxDemands = 3
	// gatherFor bounds how long bytes that somebody demands are looked for.
	gatherFor = 20 * time.Second
)

// Lacks tells of an execution of this participant (as a worker or a member) that failed: if bytes are missing they are demanded on the
// chain before the deadline, and if nobody brings them the task is void and nobody at fault.
func (c *Challenger) Lacks(task uint64, err error) {
	var missing *executor.MissingError
	if errors.As(err, &missing) {
		c.want(task, func(a *affair) { a.lacks = missing })
	}
}

// stillLacks demands what a run of ours could not get, when its deadline is near, and tells whether it goes on waiting.
func (c *Challenger) stillLacks(ctx context.Context, a *affair, v View) (bool, error) {
	c.mu.Lock()
	missing := a.lacks
	c.mu.Unlock()
	if missing == nil {
		return false, nil
	}
	switch v.Task.Status.State {
	case taskstypes.STATE_ASSIGNED, taskstypes.STATE_AUDITED, taskstypes.STATE_REVEALING:
		return true, c.demand(ctx, a, v, missing)
	}
	c.mu.Lock()
	a.lacks = nil
	c.mu.Unlock()
	return false, nil
}

// demand asks on the chain for bytes that err says are missing, once the deadline is near. Other errors are none of its business.
func (c *Challenger) demand(ctx context.Context, a *affair, v View, cause error) error {
	var missing *executor.MissingError
	if !errors.As(cause, &missing) || ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	limit := a.due
	c.mu.Unlock()
	if limit == 0 {
		limit = v.Task.Status.Deadline
	}
	if limit > 0 && v.Height+demandBefore < limit {
		return nil
	}
	demands, err := c.chain.Demands(ctx, a.task)
	if err != nil && !errors.Is(err, chain.ErrNotFound) {
		return err
	}
	own := 0
	for _, d := range demands {
		if d.Producer == "" {
			return nil // one at a time
		}
		if d.Demander == c.cfg.Participant {
			own++
		}
	}
	if own >= maxDemands {
		c.once(a, "demands", "demanded bytes were produced on the chain, but peers still do not serve them", "demands", own)
		return nil
	}
	msg, err := c.demandOf(ctx, v.Task.Task, missing, len(demands))
	if err != nil {
		return fmt.Errorf("demand bytes: %w", err)
	}
	sent, err := c.send(msg, limit, v.Height)
	if sent {
		c.log.Warn(fmt.Sprintf("task %d: bytes are missing, demanding them", a.task), "source", msg.Source.String(), "name", msg.Name, "first", msg.First, "count", msg.Count)
	}
	return err
}

// demandOf picks the chunks to ask for: at a place that nobody can foresee, so that whoever answers must have all of it.
func (c *Challenger) demandOf(ctx context.Context, task taskstypes.Task, missing *executor.MissingError, nth int) (*disputestypes.MsgDemandBytes, error) {
	msg := &disputestypes.MsgDemandBytes{TaskId: task.Id, Source: disputestypes.SOURCE_INPUT, Name: missing.Input}
	var size int64
	if missing.State {
		return c.demandState(ctx, msg, task, nth)
	}
	if missing.Weights {
		prog, err := c.facts.Program(ctx, task.Model)
		if err != nil {
			return nil, err
		}
		msg.Source = disputestypes.SOURCE_WEIGHT
		for _, w := range prog.Weights { // the largest
			n, err := engine.ByteSize(w.Dtype, w.Shape)
			if err != nil {
				return nil, err
			}
			if n > size {
				size, msg.Name = n, w.Name
			}
		}
	} else {
		inputs, err := c.facts.Inputs(ctx, task.Id)
		if err != nil {
			return nil, err
		}
		for _, in := range inputs {
			if in.Name == missing.Input {
				if size, err = engine.ByteSize(in.Dtype, in.Shape); err != nil {
					return nil, err
				}
			}
		}
	}
	return c.chunks(msg, size, nth)
}

// demandState asks for a part of the largest state that a segment begins with.
func (c *Challenger) demandState(ctx context.Context, msg *disputestypes.MsgDemandBytes, task taskstypes.Task, nth int) (*disputestypes.MsgDemandBytes, error) {
	prog, err := c.facts.Program(ctx, task.Model)
	if err != nil {
		return nil, err
	}
	msg.Source = disputestypes.SOURCE_STATE
	var size int64
	for _, s := range prog.States {
		n, err := engine.ByteSize(s.Dtype, s.Shape)
		if err != nil {
			return nil, err
		}
		if n > size {
			size, msg.Name = n, s.Name
		}
	}
	return c.chunks(msg, size, nth)
}

// chunks fills in which chunks of a tensor of size bytes are asked for.
func (c *Challenger) chunks(msg *disputestypes.MsgDemandBytes, size int64, nth int) (*disputestypes.MsgDemandBytes, error) {
	if size == 0 {
		return nil, fmt.Errorf("%q is not part of task %d", msg.Name, msg.TaskId)
	}
	chunks := commit.LeafCount(uint64(size))
	count := min(chunks, disputestypes.MaxDemandChunks)
	msg.Count = uint32(count)
	msg.First = c.monitor.draw(fmt.Sprintf("poai/demand/1/%d", nth), msg.TaskId) % (chunks - count + 1)
	return msg, nil
}

// produce brings bytes that others demand, if this machine has them.
func (c *Challenger) produce(ctx context.Context, a *affair, v View) error {
	c.mu.Lock()
	demanded := a.demanded || a.open != nil
	c.mu.Unlock()
	if !c.cfg.Produce || !demanded {
		return nil
	}
	demands, err := c.chain.Demands(ctx, a.task)
	if err != nil {
		return err
	}
	open := false
	for i := range demands {
		d := &demands[i]
		if d.Producer != "" || d.Deadline <= v.Height || d.Demander == c.cfg.Participant {
			continue
		}
		msg, err := c.proofOf(ctx, v.Task.Task, d)
		var missing *executor.MissingError
		if errors.As(err, &missing) || errors.Is(err, context.DeadlineExceeded) {
			c.once(a, fmt.Sprintf("demand %d", d.Index), "bytes are demanded that I do not have either", "demand", d.Index, "error", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("produce %s %q: %w", d.Source, d.Name, err)
		}
		open = true
		sent, err := c.send(msg, d.Deadline, v.Height)
		if err != nil {
			return err
		}
		if sent {
			c.log.Info(fmt.Sprintf("task %d: producing demanded bytes", a.task), "demand", d.Index, "name", d.Name)
		}
	}
	c.mu.Lock()
	a.demanded = a.demanded && open
	c.mu.Unlock()
	return nil
}

// proofOf opens the chunks of a demand under the root that the chain holds.
func (c *Challenger) proofOf(ctx context.Context, task taskstypes.Task, d *disputestypes.Demand) (*disputestypes.MsgProduceBytes, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherFor)
	defer cancel()
	m, release, err := c.runs.Open(ctx, task)
	if err != nil {
		return nil, err
	}
	defer release()
	cost := engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1} // prices nothing here
	machine, err := disputestypes.MachineOf(m.Program, m.Inputs.Rows(), cost)
	if err != nil {
		return nil, err
	}
	// Only weights, inputs and the states at the start are asked for: nothing is executed.
	from := game.Checkpoint{Step: task.StartStep, States: m.Start}
	start, err := game.NewReferenceSegment(machine, m.Weights.Tensors(), m.Inputs.Tensors(), from, task.StartStep)
	if err != nil {
		return nil, err
	}
	at := task.StartStep
	bytes := game.NewRerun(machine, start, m.Weights.Tensors(), m.Inputs.Tensors(), task.Steps)
	tree, names, kind := game.TreeInputs, machine.Inputs(), graphpb.REF_KIND_INPUT
	if d.Source == disputestypes.SOURCE_WEIGHT {
		tree, names, kind = game.TreeWeights, machine.Weights(), graphpb.REF_KIND_WEIGHT
	}
	if d.Source == disputestypes.SOURCE_STATE {
		tree, names, kind = game.TreeStates, nil, graphpb.REF_KIND_STATE
		for _, s := range machine.States() {
			names = append(names, s.Name)
		}
	}
	for i, name := range names {
		if name != d.Name {
			continue
		}
		x, err := bytes.Tensor(at, engine.OperandRef{Kind: kind, Index: i})
		if err != nil {
			return nil, err
		}
		under, err := bytes.Tree(tree, at)
		if err != nil {
			return nil, err
		}
		member, err := under.Prove(uint64(i), 1)
		if err != nil {
			return nil, err
		}
		siblings, err := x.Tree.Prove(d.First, uint64(d.Count))
		if err != nil {
			return nil, err
		}
		from, to := d.First*commit.ChunkSize, min((d.First+uint64(d.Count))*commit.ChunkSize, uint64(len(x.Data)))
		out := &disputestypes.MsgProduceBytes{TaskId: task.Id, Demand: d.Index, TensorRoot: x.Root[:]}
		for _, h := range member {
			out.Member = append(out.Member, append([]byte(nil), h[:]...))
		}
		out.Range = disputestypes.EncodeRange(game.RangeProof{First: d.First, Data: x.Data[from:to], Siblings: siblings})
		return out, nil
	}
	return nil, fmt.Errorf("there is no %q", d.Name)
}
