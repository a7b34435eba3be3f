package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/branch"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

// EndBlock works on the jobs that are due, oldest first, at most max_per_block; the rest waits for the next block.
func (k Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	var keys []dueKey
	until := new(collections.Range[dueKey]).EndExclusive(collections.Join(height(ctx)+1, uint64(0)))
	err = k.Due.Walk(ctx, until, func(key dueKey) (bool, error) {
		keys = append(keys, key)
		return len(keys) == int(params.MaxPerBlock), nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := k.Due.Remove(ctx, key); err != nil {
			return err
		}
		err := branch.Run(ctx, func(ctx context.Context) error { return k.work(ctx, params, key) })
		if err == nil {
			continue
		}
		// Its own fault, or nobody's: the job waits and tries again.
		sdk.UnwrapSDKContext(ctx).Logger().With("module", types.ModuleName, "job", key.K2()).Error("job not moved on", "err", err)
		if err := k.putOff(ctx, params, key.K2()); err != nil {
			return err
		}
	}
	return nil
}

// putOff queues a job again whose work failed.
func (k Keeper) putOff(ctx context.Context, params types.Params, id uint64) error {
	j, p, err := k.job(ctx, id)
	if err != nil {
		return err
	}
	return k.schedule(ctx, j, &p, height(ctx)+params.RetryBlocks)
}

// work does what a job waits for: its next segment is opened, or what is left goes back to its owner.
func (k Keeper) work(ctx context.Context, params types.Params, key dueKey) error {
	j, p, err := k.job(ctx, key.K2())
	if err != nil {
		return err
	}
	if p.Due != key.K1() {
		return nil // stale
	}
	switch p.State {
	case types.STATE_OPENING:
		return k.open(ctx, params, j, p)
	case types.STATE_TRAINED, types.STATE_FINISHED, types.STATE_CANCELLED:
		return k.refund(ctx, j, p)
	}
	return k.schedule(ctx, j, &p, 0)
}

// open opens the next segment as a task. Where the escrow does not pay for it the job pauses; where it is refused otherwise the job tries
// again later, a bounded number of times.
func (k Keeper) open(ctx context.Context, params types.Params, j types.Job, p types.Progress) error {
	if !p.Escrow.IsPositive() {
		return k.pause(ctx, j, p, "nothing is left of the budget")
	}
	scored, err := k.claim(ctx, j, p)
	if err != nil {
		return err
	}
	req := request(j, p.Step, j.End(p.Step), p.StateRoot, sdk.NewCoin(j.Denom, p.Escrow))
	req.Scored = scored
	if req.Requester, err = k.requester(); err != nil {
		return err
	}
	var task taskstypes.Task
	err = branch.Run(ctx, func(ctx context.Context) error {
		var err error
		task, err = k.tasks.OpenTask(ctx, req)
		return err
	})
	switch {
	case errors.Is(err, taskstypes.ErrTooManyTasks):
		return k.schedule(ctx, j, &p, height(ctx)+1)
	case errors.Is(err, taskstypes.ErrFee):
		return k.pause(ctx, j, p, err.Error())
	case err != nil:
		return k.failed(ctx, params, j, p, 0, err.Error(), height(ctx)+params.RetryBlocks)
	}
	p.Task, p.To = task.Id, task.Steps
	p.Escrow = p.Escrow.Sub(task.MaxFee.Amount)
	p.Spent = p.Spent.Add(task.MaxFee.Amount)
	if err := k.ByTask.Set(ctx, task.Id, j.Id); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventSegmentOpened{JobId: j.Id, TaskId: task.Id, From: p.Step, To: p.To, Scored: task.Scored}); err != nil {
		return err
	}
	return k.enter(ctx, j, &p, types.STATE_RUNNING, 0, "")
}

// failed counts a segment that came to nothing, and tries again at a height, or pauses the job.
func (k Keeper) failed(ctx context.Context, params types.Params, j types.Job, p types.Progress, task uint64, why string, again int64) error {
	p.Failures++
	why = clip(why)
	if err := emit(ctx, &types.EventSegmentFailed{JobId: j.Id, TaskId: task, Reason: why}); err != nil {
		return err
	}
	if p.Failures >= params.MaxFailures {
		return k.pause(ctx, j, p, why)
	}
	return k.enter(ctx, j, &p, types.STATE_OPENING, again, why)
}

// pause has a job wait for its owner. Another job may follow its recipe meanwhile.
func (k Keeper) pause(ctx context.Context, j types.Job, p types.Progress, why string) error {
	if err := k.unclaim(ctx, j); err != nil {
		return err
	}
	return k.enter(ctx, j, &p, types.STATE_PAUSED, 0, clip(why))
}

// refund pays what is left of a budget to the owner.
func (k Keeper) refund(ctx context.Context, j types.Job, p types.Progress) error {
	left := p.Escrow
	if left.IsPositive() {
		owner, _, err := k.address("owner", j.Owner)
		if err != nil {
			return err
		}
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, owner, sdk.NewCoins(sdk.NewCoin(j.Denom, left))); err != nil {
			return err
		}
		if err := emit(ctx, &types.EventJobRefunded{JobId: j.Id, Amount: sdk.NewCoin(j.Denom, left).String()}); err != nil {
			return err
		}
	}
	p.Escrow = math.ZeroInt()
	return k.schedule(ctx, j, &p, 0)
}
