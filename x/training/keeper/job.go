package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/x/training/types"
)

// fund adds to a job's budget.
func (k Keeper) fund(ctx context.Context, msg *types.MsgFundJob) error {
	sender, address, err := k.address("sender", msg.Sender)
	if err != nil {
		return err
	}
	j, p, err := k.job(ctx, msg.JobId)
	if err != nil {
		return err
	}
	if err := checkBudget(msg.Amount); err != nil {
		return err
	}
	switch {
	case msg.Amount.Denom != j.Denom:
		return errorsmod.Wrapf(types.ErrBudget, "amount: denom is %q, want %q", clip(msg.Amount.Denom), j.Denom)
	case p.State.Ended() || p.State == types.STATE_TRAINED:
		return errorsmod.Wrapf(types.ErrState, "job_id: %d is %s", j.Id, p.State)
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, sender, types.ModuleName, sdk.NewCoins(msg.Amount)); err != nil {
		return errorsmod.Wrap(err, "amount")
	}
	p.Escrow = p.Escrow.Add(msg.Amount.Amount)
	if err := k.Progress.Set(ctx, j.Id, p); err != nil {
		return err
	}
	return emit(ctx, &types.EventJobFunded{JobId: j.Id, Sender: address, Amount: msg.Amount.String()})
}

// resume goes on with a paused job.
func (k Keeper) resume(ctx context.Context, msg *types.MsgResumeJob) error {
	j, p, err := k.owned(ctx, msg.Owner, msg.JobId)
	if err != nil {
		return err
	}
	if p.State != types.STATE_PAUSED {
		return errorsmod.Wrapf(types.ErrState, "job_id: %d is %s, want %s", j.Id, p.State, types.STATE_PAUSED)
	}
	if msg.Rewind {
		if err := k.rewind(ctx, j, &p, msg.FromStep); err != nil {
			return err
		}
	} else if msg.FromStep != 0 {
		return errorsmod.Wrapf(types.ErrCheckpoint, "from_step: %d without rewind", msg.FromStep)
	}
	p.Failures = 0
	return k.goOn(ctx, j, p)
}

// rewind goes back to a checkpoint that is not lost.
func (k Keeper) rewind(ctx context.Context, j types.Job, p *types.Progress, step uint64) error {
	if step == 0 {
		p.Step, p.StateRoot = 0, nil
		return nil
	}
	c, err := k.Checkpoints.Get(ctx, collections.Join(j.Id, step))
	if errors.Is(err, collections.ErrNotFound) || err == nil && c.Lost {
		return errorsmod.Wrapf(types.ErrCheckpoint, "from_step: job %d has no checkpoint of step %d, or it is lost", j.Id, step)
	}
	p.Step, p.StateRoot = c.Step, c.StateRoot
	return err
}

// cancel gives a job up. What is left comes back in EndBlock, because a budget is credited at the end of the block it was taken in; of a
// segment that runs, once it has ended.
func (k Keeper) cancel(ctx context.Context, msg *types.MsgCancelJob) error {
	j, p, err := k.owned(ctx, msg.Owner, msg.JobId)
	if err != nil {
		return err
	}
	if p.State.Ended() || p.State == types.STATE_TRAINED {
		return errorsmod.Wrapf(types.ErrState, "job_id: %d is %s", j.Id, p.State)
	}
	if p.Task == 0 {
		if err := k.unclaim(ctx, j); err != nil {
			return err
		}
	}
	return k.enter(ctx, j, &p, types.STATE_CANCELLED, height(ctx), "cancelled by its owner")
}

// finish registers the result of a trained job from the tensor roots of its last states.
func (k Keeper) finish(ctx context.Context, msg *types.MsgFinishJob) (types.Progress, error) {
	_, sender, err := k.address("sender", msg.Sender)
	if err != nil {
		return types.Progress{}, err
	}
	j, p, err := k.job(ctx, msg.JobId)
	if err != nil {
		return p, err
	}
	if p.State != types.STATE_TRAINED {
		return p, errorsmod.Wrapf(types.ErrState, "job_id: %d is %s, want %s", j.Id, p.State, types.STATE_TRAINED)
	}
	plan, err := planOf(j, msg, sender)
	if err != nil {
		return p, err
	}
	root, err := k.resultRoot(ctx, j, p, msg)
	if err != nil {
		return p, err
	}
	m, err := k.models.RegisterTrained(ctx, trained(j, plan, root[:], msg.WeightsCid))
	if err != nil {
		return p, err
	}
	p.Model, p.WeightsRoot = m.Id, root[:]
	if err := emit(ctx, &types.EventJobFinished{JobId: j.Id, Model: m.Id, WeightsRoot: p.WeightsRoot, Sender: sender}); err != nil {
		return p, err
	}
	// What was not spent may still be due.
	return p, k.enter(ctx, j, &p, types.STATE_FINISHED, p.Due, "")
}

// planOf is the plan of a job, with what its owner wants otherwise.
func planOf(j types.Job, msg *types.MsgFinishJob, sender string) (*types.Plan, error) {
	if msg.Id == "" && msg.Description == "" && msg.RoyaltyBps == 0 {
		return j.Result, nil
	}
	if sender != j.Owner {
		return nil, errorsmod.Wrapf(types.ErrNotOwner, "id, description, royalty_bps: only the owner %s may change them", j.Owner)
	}
	plan := *j.Result
	if msg.Id != "" {
		plan.Id = msg.Id
	}
	if msg.Description != "" {
		plan.Description = msg.Description
	}
	if msg.RoyaltyBps != 0 {
		plan.RoyaltyBps = msg.RoyaltyBps
	}
	return &plan, nil
}

// resultRoot is the root of the result's weights: those that mappings name are states, the others the base's.
func (k Keeper) resultRoot(ctx context.Context, j types.Job, p types.Progress, msg *types.MsgFinishJob) (commit.Hash, error) {
	prog, err := k.models.Interface(ctx, j.Model)
	if err != nil {
		return commit.Hash{}, err
	}
	names := stateNames(prog)
	if err := checkRoots(ctx, "state_roots", names, msg.StateRoots, p.StateRoot); err != nil {
		return commit.Hash{}, err
	}
	base, err := k.models.GetModel(ctx, j.Result.Base)
	if err != nil {
		return commit.Hash{}, err
	}
	basis, err := k.models.Interface(ctx, j.Result.Base)
	if err != nil {
		return commit.Hash{}, err
	}
	weights := weightNames(basis)
	roots := msg.BaseRoots
	if len(j.Result.Mappings) < len(weights) {
		if err := checkRoots(ctx, "base_roots", weights, roots, base.WeightsRoot); err != nil {
			return commit.Hash{}, err
		}
	}
	states := make(map[string][]byte, len(names))
	for i, name := range names {
		states[name] = msg.StateRoots[i]
	}
	mapped := make(map[string]string, len(j.Result.Mappings))
	for _, m := range j.Result.Mappings {
		mapped[m.Weight] = m.State
	}
	out := make([][]byte, len(weights))
	for i, name := range weights {
		if state, ok := mapped[name]; ok {
			out[i] = states[state]
		} else {
			out[i] = roots[i]
		}
	}
	return namedRoot("weights", weights, out)
}
