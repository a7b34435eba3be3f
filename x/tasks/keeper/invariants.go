package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// CheckInvariants checks what holds between blocks. It walks every task, so it is for tests and audits.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkEscrow, k.checkTasks, k.checkIndexes, k.checkSeen} {
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
		sum := pay.Worker.Add(pay.Verifiers).Add(pay.Royalty).Add(pay.Burnt).Add(pay.Refund).Add(pay.Jackpot)
		if !st.State.Ended() || !sum.Equal(task.MaxFee.Amount) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: paid %s of %s in %s", id, sum, task.MaxFee, st.State)
		}
		return false, nil
	})
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
	if err := k.ByWorker.Walk(ctx, nil, func(key collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		active--
		st, err := k.Statuses.Get(ctx, key.K2())
		if err != nil {
			return true, err
		}
		if addr, _, err := k.address("worker", st.Worker); err != nil || !addr.Equals(key.K1()) || !st.State.Active() {
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
