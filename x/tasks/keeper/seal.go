package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
	"poaid/x/tasks/types"
)

// seal commits a worker's result, or that of who comes to a race. It reads first and writes last, so that a refused item leaves nothing behind without a branch of
// the state: two writes an item. refusal says why the item is refused; err fails the transaction.
func (k Keeper) seal(ctx context.Context, params types.Params, worker string, item types.ResultSeal) (refusal, err error) {
	st, refusal := k.working(ctx, worker, item.TaskId, types.STATE_ASSIGNED)
	if refusal != nil && st.Worker != worker && (st.State == types.STATE_OPEN || st.State == types.STATE_SEALED) {
		if task, err := k.Tasks.Get(ctx, item.TaskId); err != nil || task.Race() {
			return k.sealRace(ctx, params, worker, task, st, item, err)
		}
	}
	if refusal != nil {
		return refusal, nil
	}
	if len(item.Seal) != commit.Size {
		return errorsmod.Wrapf(types.ErrLength, "seal: %d bytes, want %d", len(item.Seal), commit.Size), nil
	}
	now := height(ctx)
	st.Seal, st.SealedHeight = item.Seal, now
	enter(&st, types.STATE_SEALED, drawHeight(st)+params.DrawDelay, 0)
	if err := k.move(ctx, item.TaskId, st); err != nil || st.Price == nil {
		return nil, err
	}
	return nil, k.endAuction(ctx, item.TaskId)
}

// drawHeight is the height whose randomness, draw_delay later, decides on the audit of a sealed result. It is one of two that were fixed at
// assignment: a worker with a validator of its own would otherwise seal when that validator makes the randomness, and forfeit blocks it does not like
// (docs/beacon.md).
func drawHeight(st types.Status) int64 {
	if late(st) {
		return st.Deadline
	}
	return st.PromptHeight
}

// late tells that a result was sealed after the prompt time.
func late(st types.Status) bool { return st.SealedHeight > st.PromptHeight }

// working reads the status of a task that the worker must act on in that state.
func (k Keeper) working(ctx context.Context, worker string, id uint64, state types.State) (types.Status, error) {
	st, err := k.status(ctx, id)
	if err != nil {
		return st, err
	}
	if st.Worker != worker {
		return st, errorsmod.Wrapf(types.ErrNotWorker, "task_id: %d is not assigned to %s", id, worker)
	}
	if st.State != state {
		return st, errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, want %s", id, st.State, state)
	}
	if now := height(ctx); now > st.Deadline {
		return st, errorsmod.Wrapf(types.ErrDeadline, "task_id: %d was due at height %d, it is %d", id, st.Deadline, now)
	}
	return st, nil
}
