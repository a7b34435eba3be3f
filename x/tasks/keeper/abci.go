package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/branch"
	"poaid/x/tasks/types"
)

// maxBackoff is the longest time between two tries of a transition, in blocks.
const maxBackoff = 16

// retryShare: one in so many transitions of a block is kept for those that were put off.
const retryShare = 4

// dueKey is one entry of a due-queue: height and task.
type dueKey = collections.Pair[int64, uint64]

// EndBlock makes the transitions that are due, oldest first, at most max_transitions_per_block, and moves the price by the units that were
// given out. What fails is put off without a trace of its own and never stops the chain.
func (k Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	limit := int(params.MaxTransitionsPerBlock)
	due, err := dueKeys(ctx, k.Due, limit)
	if err != nil {
		return err
	}
	retry, err := dueKeys(ctx, k.Retry, limit)
	if err != nil {
		return err
	}
	due = due[:min(len(due), limit-min(len(retry), limit/retryShare))]
	retry = retry[:min(len(retry), limit-len(due))]
	var asked demand
	for _, key := range due {
		asked.add(k.handle(ctx, params, k.Due, key))
	}
	for _, key := range retry {
		asked.add(k.handle(ctx, params, k.Retry, key))
	}
	return k.movePrice(ctx, params, asked)
}

// dueKeys collects the oldest entries that are due, so that the queue is not changed while it is walked.
func dueKeys(ctx context.Context, queue dueQueue, limit int) ([]dueKey, error) {
	var keys []dueKey
	until := new(collections.Range[dueKey]).EndExclusive(collections.Join(height(ctx)+1, uint64(0)))
	err := queue.Walk(ctx, until, func(key dueKey) (bool, error) {
		keys = append(keys, key)
		return len(keys) == limit, nil
	})
	return keys, err
}

// handle makes one transition in a branch of the state; if it fails the branch is dropped and the transition put off. It returns the units that it
// gave out.
func (k Keeper) handle(ctx context.Context, params types.Params, queue dueQueue, key dueKey) demand {
	var asked demand
	err := branch.Run(ctx, func(ctx context.Context) error {
		if err := queue.Remove(ctx, key); err != nil {
			return err
		}
		return k.transition(ctx, params, key, &asked)
	})
	if err == nil {
		return asked
	}
	logger := sdk.UnwrapSDKContext(ctx).Logger().With("module", types.ModuleName, "task", key.K2())
	logger.Error("transition failed", "err", err)
	if err := branch.Run(ctx, func(ctx context.Context) error { return k.putOff(ctx, queue, key, err) }); err != nil {
		// The entry stays at the head of the queue and is tried again in the next block.
		logger.Error("transition not put off", "err", err)
	}
	return demand{}
}

// putOff queues a failed transition again.
func (k Keeper) putOff(ctx context.Context, queue dueQueue, key dueKey, cause error) error {
	st, err := k.Statuses.Get(ctx, key.K2())
	if err != nil {
		return err
	}
	if err := queue.Remove(ctx, key); err != nil {
		return err
	}
	st.Retries++
	st.Due = height(ctx) + backoff(st.Retries)
	if err := k.store(ctx, key.K2(), st); err != nil {
		return err
	}
	return emit(ctx, &types.EventTransitionFailed{TaskId: key.K2(), State: st.State, Error: reason(cause), RetryHeight: st.Due})
}

// backoff doubles from one block to maxBackoff.
func backoff(retries uint32) int64 {
	if retries > 4 {
		return maxBackoff
	}
	return 1 << (retries - 1)
}

// transition makes the transition of one entry; an entry whose height is not the status' due is stale. asked counts what it gives out.
func (k Keeper) transition(ctx context.Context, params types.Params, key dueKey, asked *demand) error {
	id := key.K2()
	st, err := k.Statuses.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) || err == nil && st.Due != key.K1() {
		return nil
	}
	if err != nil {
		return err
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	switch st.State {
	case types.STATE_OPEN:
		return k.assign(ctx, params, task, st, asked)
	case types.STATE_ASSIGNED:
		return k.sealTimeout(ctx, params, task, st)
	case types.STATE_SEALED:
		return k.auditDraw(ctx, params, task, st, asked)
	case types.STATE_AUDITED:
		return k.replaceSeats(ctx, params, task, st)
	case types.STATE_REVEALING:
		return k.settleReveals(ctx, params, task, st)
	case types.STATE_REVEALED:
		return k.finalise(ctx, params, task, st, nil)
	case types.STATE_CANCELLED, types.STATE_EXPIRED, types.STATE_FINAL, types.STATE_REFUNDED:
		return k.afterEnd(ctx, params, task, st)
	}
	return fmt.Errorf("task %d: nothing is due in %s", id, st.State)
}
