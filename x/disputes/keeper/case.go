package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

func keyOf(c *types.Case) caseKey { return collections.Join(c.TaskId, c.Attempt) }

// openCase opens a case: the worker and the members that revealed become claims, and members with another root than the worker's
// challenge it at once.
func (k Keeper) openCase(ctx context.Context, d taskstypes.Dispute) (*types.Case, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	now := height(ctx)
	c := &types.Case{
		TaskId: d.Task.Id, Attempt: d.Attempt, Model: d.Task.Model, State: types.CASE_STATE_OPEN, Cause: d.Cause, OpenedHeight: now,
		ClaimUntil: max(d.Until, now+params.ClaimBlocks), WorkerRoot: d.Worker.Root, Lock: d.Task.Lock,
	}
	c.SupportUntil = c.ClaimUntil + params.ClaimBlocks
	if exists, err := k.Cases.Has(ctx, keyOf(c)); err != nil {
		return nil, err
	} else if exists {
		return nil, errorsmod.Wrapf(types.ErrState, "task %d has a case of attempt %d", c.TaskId, c.Attempt)
	}
	prog, err := k.models.LoadProgram(ctx, c.Model)
	if err != nil {
		return nil, err
	}
	inputs, err := k.tasks.GetInputs(ctx, c.TaskId)
	if err != nil {
		return nil, err
	}
	if c.Rows, err = types.RowsOf(prog, d.Task, inputs); err != nil {
		return nil, err
	}
	if err := emit(ctx, &types.EventCaseOpened{TaskId: c.TaskId, Attempt: c.Attempt, Cause: c.Cause, ClaimUntil: c.ClaimUntil}); err != nil {
		return nil, err
	}
	dissenters, err := k.firstClaims(ctx, c, d)
	if err != nil {
		return nil, err
	}
	if err := k.challengeWorker(ctx, params, c, dissenters); err != nil {
		return nil, err
	}
	c.Due = c.SupportUntil + 1
	if err := k.DueCases.Set(ctx, collections.Join3(c.Due, c.TaskId, c.Attempt)); err != nil {
		return nil, err
	}
	if err := k.OpenCases.Set(ctx, keyOf(c)); err != nil {
		return nil, err
	}
	return c, k.Cases.Set(ctx, keyOf(c), *c)
}

// firstClaims makes claims of the worker and of members, and returns those whose root is not the worker's.
func (k Keeper) firstClaims(ctx context.Context, c *types.Case, d taskstypes.Dispute) ([]types.Claim, error) {
	if _, _, _, err := k.addClaim(ctx, c, d.Worker.Participant, d.Worker.Root, types.CLAIM_KIND_WORKER); err != nil {
		return nil, err
	}
	var dissenters []types.Claim
	for _, m := range d.Members {
		kind := types.CLAIM_KIND_SEAT
		if m.Runner {
			kind = types.CLAIM_KIND_RUNNER
			c.Runners++
		}
		claim, _, _, err := k.addClaim(ctx, c, m.Participant, m.Root, kind)
		if err != nil {
			return nil, err
		}
		c.Seats++
		if !bytes.Equal(m.Root, c.WorkerRoot) {
			if !m.Runner {
				c.Dissent++
			}
			dissenters = append(dissenters, claim)
		}
	}
	return dissenters, nil
}

func (k Keeper) challengeWorker(ctx context.Context, params types.Params, c *types.Case, dissenters []types.Claim) error {
	if len(dissenters) == 0 {
		return nil
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return err
	}
	worker, err := k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, uint32(0)))
	if err != nil {
		return err
	}
	for i := range dissenters {
		if _, err := k.openGame(ctx, t, &worker, &dissenters[i], challenge{rules: params.RulesOf(false)}); err != nil {
			return err
		}
	}
	return nil
}

// store writes a case and moves its entry in the queue to due; 0: nothing is to be looked at.
func (k Keeper) store(ctx context.Context, c *types.Case, due int64) error {
	if c.Due != due {
		if c.Due != 0 {
			if err := k.DueCases.Remove(ctx, collections.Join3(c.Due, c.TaskId, c.Attempt)); err != nil {
				return err
			}
		}
		if due != 0 {
			if err := k.DueCases.Set(ctx, collections.Join3(due, c.TaskId, c.Attempt)); err != nil {
				return err
			}
		}
		c.Due = due
	}
	return k.Cases.Set(ctx, keyOf(c), *c)
}

// caseOf returns the case of a task's attempt that is being argued. ErrUnknownTask, ErrUnknownCase, ErrState where it is not open.
func (k Keeper) openCaseOf(ctx context.Context, task uint64) (*types.Case, error) {
	_, st, err := k.tasks.GetTask(ctx, task)
	if err != nil {
		return nil, notFound(err, types.ErrUnknownTask, "task_id: %d", task)
	}
	c, err := k.Cases.Get(ctx, collections.Join(task, st.Attempt))
	if err != nil {
		return nil, notFound(err, types.ErrUnknownCase, "task_id: nobody argues about task %d", task)
	}
	if c.State != types.CASE_STATE_OPEN {
		return nil, errorsmod.Wrapf(types.ErrState, "the case of task %d is %s, want %s", task, c.State, types.CASE_STATE_OPEN)
	}
	return &c, nil
}
