package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"poaid/commit"
	"poaid/engine"
)

// ErrResume is wrapped by errors about a checkpoint of another training.
var ErrResume = errors.New("the checkpoint is of another training")

// ErrSegment is returned by Verify for a claim that does not hold.
var ErrSegment = errors.New("the segment does not hold")

// Segment is a part of a training: steps [From, To) lead from the states with root Before to those with root After. Segments with equal
// roots at their ends join.
type Segment struct {
	From   uint64      `json:"from"`
	To     uint64      `json:"to"`
	Before commit.Hash `json:"before"`
	After  commit.Hash `json:"after"`
	// Result is the result root of a run of To steps from the start: commit.ResultRoot(To, After, output root). A task that is sealed
	// with it says the same whether its worker did all steps or went on from Before.
	Result commit.Hash `json:"result"`
}

// First is the checkpoint before the first step.
func (j *Job) First() (*Checkpoint, error) {
	run, err := j.newRun(1)
	if err != nil {
		return nil, err
	}
	return j.checkpoint(run, nil)
}

// Advance goes on from a checkpoint to step to and gives what was done and the checkpoint there.
func (j *Job) Advance(ctx context.Context, from *Checkpoint, to uint64, threads int) (Segment, *Checkpoint, error) {
	if to < from.Step || to > uint64(j.Spec.Steps) {
		return Segment{}, nil, fmt.Errorf("segment: to: %d, want %d to %d", to, from.Step, j.Spec.Steps)
	}
	run, err := j.restore(from, threads)
	if err != nil {
		return Segment{}, nil, err
	}
	for run.T() < to {
		if err := run.Step(ctx); err != nil {
			return Segment{}, nil, err
		}
	}
	end, err := j.checkpoint(run, from.Measures)
	if err != nil {
		return Segment{}, nil, err
	}
	res, err := run.Result()
	if err != nil {
		return Segment{}, nil, err
	}
	return Segment{From: from.Step, To: to, Before: from.StateRoot, After: end.StateRoot, Result: res.ResultRoot}, end, nil
}

// Verify does a segment again from its first checkpoint, which must have the root that the claim begins with. A claim that does not
// hold gives ErrSegment and names what differs.
func (j *Job) Verify(ctx context.Context, from *Checkpoint, claim Segment, threads int) error {
	if from.Step != claim.From || from.StateRoot != claim.Before {
		return fmt.Errorf("%w: before: the checkpoint is of step %d with root %s", ErrSegment, from.Step, from.StateRoot)
	}
	got, _, err := j.Advance(ctx, from, claim.To, threads)
	if err != nil {
		return err
	}
	if got.After != claim.After {
		return fmt.Errorf("%w: after: claimed %s, got %s", ErrSegment, claim.After, got.After)
	}
	if got.Result != claim.Result {
		return fmt.Errorf("%w: result: claimed %s, got %s", ErrSegment, claim.Result, got.Result)
	}
	return nil
}

func (j *Job) newRun(threads int) (*engine.Run, error) {
	return engine.NewRun(j.Program, j.Weights, j.Inputs, engine.RunOptions{Threads: threads})
}

// restore checks a checkpoint against the job and makes a run of it.
func (j *Job) restore(c *Checkpoint, threads int) (*engine.Run, error) {
	if err := j.matches(c); err != nil {
		return nil, err
	}
	run, err := j.newRun(threads)
	if err != nil {
		return nil, err
	}
	if err := run.SetStates(c.Step, c.States); err != nil {
		return nil, err
	}
	root, err := run.StateRoot()
	if err != nil {
		return nil, err
	}
	if root != c.StateRoot {
		return nil, fmt.Errorf("%w: state_root: the states have %s, it says %s", ErrCheckpoint, root, c.StateRoot)
	}
	return run, nil
}

// matches names the first thing in which a checkpoint's training differs from this one.
func (j *Job) matches(c *Checkpoint) error {
	head, err := j.cachedHead()
	if err != nil {
		return err
	}
	names := []string{}
	for name := range head.Spec { // sorted below
		names = append(names, name)
	}
	for name := range c.Spec { // sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if head.Spec[name] != c.Spec[name] {
			return fmt.Errorf("%w: %s: the spec says %s, the checkpoint's %s", ErrResume, name, orNone(head.Spec[name]), orNone(c.Spec[name]))
		}
	}
	if !slices.Equal(head.Weights, c.Weights) {
		for i, w := range head.Weights {
			if i >= len(c.Weights) || c.Weights[i] != w {
				return fmt.Errorf("%w: weight %q: its root is %s here; the data or the model it starts from changed", ErrResume, w.Name, w.Root)
			}
		}
		return fmt.Errorf("%w: weights: it has %d, here are %d", ErrResume, len(c.Weights), len(head.Weights))
	}
	for _, r := range []struct {
		name       string
		here, file commit.Hash
	}{
		{"program_hash", head.ProgramHash, c.ProgramHash},
		{"weights_root", head.WeightsRoot, c.WeightsRoot},
		{"input_root", head.InputRoot, c.InputRoot},
	} {
		if r.here != r.file {
			return fmt.Errorf("%w: %s: %s here, %s there; another version of poaid may have written it", ErrResume, r.name, r.here, r.file)
		}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// head fills in what does not depend on the step.
func (j *Job) head() (Head, error) {
	h := Head{Format: checkpointFormat, Steps: uint64(j.Spec.Steps), ProgramHash: j.Program.Hash()}
	var err error
	if h.Spec, err = j.Spec.fields(); err != nil {
		return h, err
	}
	entries := make([]commit.Named, len(j.Weights.Tensors()))
	specs := j.Program.WeightSpecs()
	for i, t := range j.Weights.Tensors() {
		root, err := commit.TensorRoot(uint8(t.DType()), t.Shape(), t.Bytes())
		if err != nil {
			return h, fmt.Errorf("weight %q: %w", specs[i].Name, err)
		}
		entries[i] = commit.Named{Name: specs[i].Name, Root: root}
		h.Weights = append(h.Weights, NamedRoot{Name: specs[i].Name, Root: root})
	}
	h.WeightsRoot = commit.NamedRoot(entries)
	if h.InputRoot, err = j.Inputs.Root(1); err != nil {
		return h, err
	}
	for _, s := range j.Program.StateSpecs() {
		h.StateNames = append(h.StateNames, s.Name)
	}
	return h, nil
}

// checkpoint copies a run's states.
func (j *Job) checkpoint(run *engine.Run, measures []Measure) (*Checkpoint, error) {
	head, err := j.cachedHead()
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Head: head}
	c.Step, c.Measures = run.T(), slices.Clone(measures)
	if c.StateRoot, err = run.StateRoot(); err != nil {
		return nil, err
	}
	for _, t := range run.States() {
		c.States = append(c.States, t.Clone())
	}
	return c, nil
}

// cachedHead computes the roots of the weights, among them the data, once.
func (j *Job) cachedHead() (Head, error) {
	j.once.Do(func() { j.headValue, j.headErr = j.head() })
	return j.headValue, j.headErr
}
