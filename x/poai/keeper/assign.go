package keeper

import (
	"context"

	"cosmossdk.io/math"

	"poaid/x/poai/types"
)

// AssignWorker gives a task to a participant that owes it: it takes a place, even beyond its concurrency, since it has promised
// to be there, and has a lock of zero, because what is at risk is locked elsewhere. ErrUnknownParticipant, ErrLockExists.
func (k *Keeper) AssignWorker(ctx context.Context, worker string, task uint64) error {
	p, err := k.participant(ctx, worker)
	if err != nil {
		return err
	}
	if err := k.lock(ctx, &p, types.LOCK_KIND_TASK, task, math.ZeroInt()); err != nil {
		return err
	}
	occupy(&p)
	return k.Participants.Set(ctx, p.Address, p)
}

// Serves tells whether a participant serves a model.
func (k *Keeper) Serves(ctx context.Context, participant, model string) (bool, error) {
	_, found, err := k.Trees.Leaf(ctx, model, participant)
	return found, err
}

// FreeBond is what of a participant's bond backs nothing yet. ErrUnknownParticipant.
func (k *Keeper) FreeBond(ctx context.Context, participant string) (math.Int, error) {
	p, err := k.participant(ctx, participant)
	if err != nil {
		return math.ZeroInt(), err
	}
	return p.Bond.Sub(p.Locked), nil
}

// GetLock returns the amount of a lock; collections.ErrNotFound when there is none.
func (k *Keeper) GetLock(ctx context.Context, participant string, kind types.LockKind, item uint64) (math.Int, error) {
	return k.Locks.Get(ctx, lockKey(participant, kind, item))
}
