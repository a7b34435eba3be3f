package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// CheckInvariants checks what holds between blocks. It walks every task, so it is for tests and audits.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkEscrow, k.checkTasks, k.checkIndexes, k.checkSeen, k.checkComers} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkTasks checks each task on its own: that its status fits its state, that its next transition is queued, and that a payment
// adds up to the escrow.
func (k Keeper) checkTasks(ctx context.Context) error {
	return k.Tasks.Walk(ctx, nil, func(id uint64, task types.Task) (bool, error) {
		st, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return true, err
		}
		if st.State.Active() != (st.Worker != "") && !st.State.Ended() {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: %s with worker %q", id, st.State, st.Worker)
		}
		if err := k.checkQueued(ctx, id, st); err != nil {
			return true, err
		}
		pay, err := k.Payments.Get(ctx, id)
		if errors.Is(err, collections.ErrNotFound) {
			if st.State.Ended() && st.State != types.STATE_CANCELLED {
				return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: %s without payment", id, st.State)
			}
			return false, nil
		}
		if err != nil {
			return true, err
		}
		if !st.State.Ended() {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: paid in %s", id, st.State)
		}
		if err := pay.Check(task.MaxFee.Amount); err != nil {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: %s", id, err)
		}
		return false, k.checkReceipt(ctx, task, st)
	})
}

// checkReceipt checks that a FINAL task has its receipt, and no other has one.
func (k Keeper) checkReceipt(ctx context.Context, task types.Task, st types.Status) error {
	r, err := k.Receipts.Get(ctx, task.Id)
	if errors.Is(err, collections.ErrNotFound) {
		if st.State == types.STATE_FINAL {
			return errorsmod.Wrapf(types.ErrInvariant, "task %d: %s without receipt", task.Id, st.State)
		}
		return nil
	}
	if err != nil {
		return err
	}
	result, err := k.Results.Get(ctx, task.Id)
	if err != nil {
		return err
	}
	if st.State != types.STATE_FINAL || r.TaskId != task.Id || r.Model != task.Model || r.Steps != task.Steps || r.Worker != st.Worker ||
		!bytes.Equal(r.ResultRoot, st.ResultRoot) || !bytes.Equal(r.InputRoot, task.InputRoot) || !bytes.Equal(r.OutputRoot, result.OutputRoot) {
		return errorsmod.Wrapf(types.ErrInvariant, "task %d: its receipt says something else", task.Id)
	}
	return nil
}

// checkQueued checks that what is due is in a queue, and that something is due unless governance or nobody moves the task on.
func (k Keeper) checkQueued(ctx context.Context, id uint64, st types.Status) error {
	if (st.Due == 0) != (st.State == types.STATE_DISPUTED || st.Pruned) {
		return errorsmod.Wrapf(types.ErrInvariant, "task %d: %s is due at %d", id, st.State, st.Due)
	}
	if st.Due == 0 {
		return nil
	}
	queue := k.Due
	if st.Retries > 0 {
		queue = k.Retry
	}
	queued, err := queue.Has(ctx, collections.Join(st.Due, id))
	if err == nil && !queued {
		err = errorsmod.Wrapf(types.ErrInvariant, "task %d: %s is due at %d and not queued", id, st.State, st.Due)
	}
	return err
}

// checkIndexes checks that ByWorker holds the tasks in the hands of a worker and BySubmitter all tasks.
func (k Keeper) checkIndexes(ctx context.Context) error {
	active, all := 0, 0
	if err := k.Statuses.Walk(ctx, nil, func(_ uint64, st types.Status) (bool, error) {
		all++
		if st.State.Active() {
			active++
		}
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.Runners.Walk(ctx, nil, func(_ collections.Pair[uint64, uint32], r types.Runner) (bool, error) {
		if !r.Out {
			active++
		}
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.ByWorker.Walk(ctx, nil, func(key collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		active--
		st, err := k.Statuses.Get(ctx, key.K2())
		if err != nil {
			return true, err
		}
		runner, err := k.runnerOf(ctx, st, key.K2(), key.K1())
		if err != nil {
			return true, err
		}
		if addr, _, err := k.address("worker", st.Worker); runner == nil && (err != nil || !addr.Equals(key.K1()) || !st.State.Active()) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: indexed for %s, in %s of %q", key.K2(), key.K1(), st.State, st.Worker)
		}
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.BySubmitter.Walk(ctx, nil, func(collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		all--
		return false, nil
	}); err != nil {
		return err
	}
	if active != 0 || all != 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "indexes: %d active and %d tasks more than indexed", active, all)
	}
	return nil
}

// checkSeen checks that each input kept for score belongs to a task that has earned or may still earn it.
func (k Keeper) checkSeen(ctx context.Context) error {
	return k.Seen.Walk(ctx, nil, func(key collections.Pair[string, []byte], id uint64) (bool, error) {
		task, err := k.Tasks.Get(ctx, id)
		if err != nil {
			return true, err
		}
		st, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return true, err
		}
		paid, err := k.Payments.Has(ctx, id)
		if err != nil {
			return true, err
		}
		if !task.Scored || task.Model != key.K1() || paid && st.State != types.STATE_FINAL {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: keeps input %X in %s", id, key.K2(), st.State)
		}
		return false, nil
	})
}
