package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

var _ taskstypes.TaskHooks = Hooks{}

// Hooks are what x/tasks calls when a segment has ended.
type Hooks struct{ k Keeper }

// Hooks returns the module's hooks.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterTaskEnded takes in how a segment ended: a FINAL one is a checkpoint, any other is done again, from the checkpoint before if nobody
// had the states it began with.
func (h Hooks) AfterTaskEnded(ctx context.Context, e taskstypes.Ended) error {
	id, err := h.k.ByTask.Get(ctx, e.Task.Id)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	j, p, err := h.k.job(ctx, id)
	if err != nil {
		return err
	}
	if p.Task != e.Task.Id {
		return nil
	}
	params, err := h.k.Params.Get(ctx)
	if err != nil {
		return err
	}
	p.Task, p.To = 0, 0
	if !e.Refund.IsNil() {
		p.Escrow, p.Spent = p.Escrow.Add(e.Refund), p.Spent.Sub(e.Refund)
	}
	if e.State == taskstypes.STATE_FINAL {
		return h.k.done(ctx, j, p, e)
	}
	if err := h.k.ByTask.Remove(ctx, e.Task.Id); err != nil {
		return err
	}
	if p.State == types.STATE_CANCELLED {
		return h.k.leave(ctx, j, p)
	}
	why := e.State.String() + ": " + e.Reason
	if e.StartLost {
		why = "nobody has the states of the checkpoint"
		if err := h.k.fallBack(ctx, j, &p); err != nil {
			return err
		}
	}
	return h.k.failed(ctx, params, j, p, e.Task.Id, why, height(ctx))
}

// leave ends a cancelled job whose last segment has ended.
func (k Keeper) leave(ctx context.Context, j types.Job, p types.Progress) error {
	if err := k.unclaim(ctx, j); err != nil {
		return err
	}
	return k.schedule(ctx, j, &p, height(ctx))
}

// done keeps the checkpoint of a segment that stands, and goes on with the next.
func (k Keeper) done(ctx context.Context, j types.Job, p types.Progress, e taskstypes.Ended) error {
	c := types.Checkpoint{Step: e.Task.Steps, StateRoot: e.Result.StateRoot, Task: e.Task.Id, Worker: e.Worker, Height: height(ctx)}
	if err := k.keep(ctx, j, c); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventSegmentDone{JobId: j.Id, TaskId: c.Task, Step: c.Step, StateRoot: c.StateRoot, Worker: c.Worker}); err != nil {
		return err
	}
	p.Step, p.StateRoot = c.Step, c.StateRoot
	if c.Step > p.Furthest {
		p.Furthest, p.Failures = c.Step, 0
	}
	if err := k.advance(ctx, j, e.Task); err != nil {
		return err
	}
	if p.State == types.STATE_CANCELLED {
		return k.leave(ctx, j, p)
	}
	if e.NotFinite {
		p.NotFinite = true
		return k.pause(ctx, j, p, "the training has diverged: "+j.FiniteOutput+" is no number any more")
	}
	return k.goOn(ctx, j, p)
}

// keep stores a checkpoint. One of the same step, from before the job went back, is replaced, and its task forgotten.
func (k Keeper) keep(ctx context.Context, j types.Job, c types.Checkpoint) error {
	at := collections.Join(j.Id, c.Step)
	old, err := k.Checkpoints.Get(ctx, at)
	if err == nil && old.Task != c.Task {
		err = k.ByTask.Remove(ctx, old.Task)
	}
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return k.Checkpoints.Set(ctx, at, c)
}

// goOn opens the next segment, or ends a training that has done all of them.
func (k Keeper) goOn(ctx context.Context, j types.Job, p types.Progress) error {
	if p.Step < j.Steps {
		return k.enter(ctx, j, &p, types.STATE_OPENING, height(ctx), "")
	}
	if err := k.unclaim(ctx, j); err != nil {
		return err
	}
	state := types.STATE_TRAINED
	if j.Result == nil {
		state = types.STATE_FINISHED
	}
	return k.enter(ctx, j, &p, state, height(ctx), "")
}

// fallBack marks the checkpoint that a job stands at as lost and goes back to the one before that is not, or to the start, which everybody
// has.
func (k Keeper) fallBack(ctx context.Context, j types.Job, p *types.Progress) error {
	at := collections.Join(j.Id, p.Step)
	c, err := k.Checkpoints.Get(ctx, at)
	if err != nil {
		return err
	}
	c.Lost = true
	if err := k.Checkpoints.Set(ctx, at, c); err != nil {
		return err
	}
	lost := p.Step
	p.Step, p.StateRoot = 0, nil
	before := collections.NewPrefixedPairRange[uint64, uint64](j.Id).EndExclusive(lost).Descending()
	err = k.Checkpoints.Walk(ctx, before, func(_ stepKey, c types.Checkpoint) (bool, error) {
		if c.Lost {
			return false, nil
		}
		p.Step, p.StateRoot = c.Step, c.StateRoot
		return true, nil
	})
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventCheckpointLost{JobId: j.Id, Step: lost, BackTo: p.Step})
}
