package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/types"
)

func lockKey(participant string, kind types.LockKind, task uint64) LockKey {
	return collections.Join3(participant, int32(kind), task)
}

// LockBond puts bond at risk for one item. ErrInsufficientBond when less is free, ErrLockExists when the item is locked already, ErrJailed in jail.
// An amount of zero is a lock too: it can be released and slashed like any other.
func (k *Keeper) LockBond(ctx context.Context, l types.Lock) error {
	p, err := k.participant(ctx, l.Participant)
	if err != nil {
		return err
	}
	if err := mayLock(p, l.Kind); err != nil {
		return err
	}
	if err := k.lock(ctx, &p, l.Kind, l.Item, l.Amount); err != nil {
		return err
	}
	return k.Participants.Set(ctx, p.Address, p)
}

// ReleaseLock ends a lock. ErrLockNotFound when there is none.
func (k *Keeper) ReleaseLock(ctx context.Context, participant string, kind types.LockKind, task uint64) error {
	p, err := k.participant(ctx, participant)
	if err != nil {
		return err
	}
	if _, err := k.unlock(ctx, &p, kind, task); err != nil {
		return err
	}
	return k.Participants.Set(ctx, p.Address, p)
}

// lock writes the ledger and changes p, which the caller stores.
func (k *Keeper) lock(ctx context.Context, p *types.Participant, kind types.LockKind, task uint64, amount math.Int) error {
	if _, known := types.LockKind_name[int32(kind)]; !known || kind == types.LOCK_KIND_UNSPECIFIED {
		return errorsmod.Wrapf(types.ErrInvalidLock, "kind %d", kind)
	}
	if amount.IsNil() || amount.IsNegative() {
		return errorsmod.Wrap(types.ErrInvalidLock, "amount: must not be negative")
	}
	key := lockKey(p.Address, kind, task)
	has, err := k.Locks.Has(ctx, key)
	if err != nil {
		return err
	}
	if has {
		return errorsmod.Wrapf(types.ErrLockExists, "participant %s, %s, task %d", p.Address, kind, task)
	}
	if free := p.Bond.Sub(p.Locked); amount.GT(free) {
		return errorsmod.Wrapf(types.ErrInsufficientBond, "participant %s: lock of %s, %s is free", p.Address, amount, free)
	}
	p.Locked = p.Locked.Add(amount)
	return k.Locks.Set(ctx, key, amount)
}

// unlock writes the ledger and changes p, which the caller stores. It returns what was locked.
func (k *Keeper) unlock(ctx context.Context, p *types.Participant, kind types.LockKind, task uint64) (math.Int, error) {
	key := lockKey(p.Address, kind, task)
	amount, err := k.Locks.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return amount, errorsmod.Wrapf(types.ErrLockNotFound, "participant %s, %s, task %d", p.Address, kind, task)
	}
	if err != nil {
		return amount, err
	}
	p.Locked = p.Locked.Sub(amount)
	return amount, k.Locks.Remove(ctx, key)
}

// occupy takes one of p's places.
func occupy(p *types.Participant) { p.Active++ }

// vacate gives one of p's places back.
func vacate(p *types.Participant) error {
	if p.Active == 0 {
		return errorsmod.Wrapf(types.ErrNoPlace, "participant %s", p.Address)
	}
	p.Active--
	return nil
}
