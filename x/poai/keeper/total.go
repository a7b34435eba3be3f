package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	"poaid/x/poai/types"
)

// bondMovesPerBlock bounds the participants whose bond changes go into the total in one block; the others wait for the next.
const bondMovesPerBlock = 1_000

// moveBond changes p's bond, which the caller stores, and notes by how much.
func (k *Keeper) moveBond(ctx context.Context, p *types.Participant, by math.Int) error {
	p.Bond = p.Bond.Add(by)
	return k.bondMoved(ctx, *p, by)
}

// bondMoved notes that p's bond has changed. The note is p's own key, so that transactions of different participants write nothing in common;
// EndBlock adds the notes to the total. Every change of a bond is noted.
func (k *Keeper) bondMoved(ctx context.Context, p types.Participant, by math.Int) error {
	if by.IsZero() {
		return nil
	}
	old, err := k.BondMoves.Get(ctx, p.Address)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err == nil {
		by = by.Add(old)
	}
	if by.IsZero() {
		return k.BondMoves.Remove(ctx, p.Address)
	}
	return k.BondMoves.Set(ctx, p.Address, by)
}

// takeBond takes what a slash costs from p's bond, its own and the delegated part alike, and notes it. The caller stores p.
func (k *Keeper) takeBond(ctx context.Context, p *types.Participant, amount math.Int) error {
	fromDelegated := p.TakeBond(amount)
	if err := k.bondMoved(ctx, *p, amount.Neg()); err != nil {
		return err
	}
	return emitDelegatedSlash(ctx, *p, fromDelegated)
}

// giveBond gives back what a slash took, in the proportion that the parts have now, and notes it. The caller stores p.
func (k *Keeper) giveBond(ctx context.Context, p *types.Participant, amount math.Int) error {
	toDelegated := p.GiveBond(amount)
	if err := k.bondMoved(ctx, *p, amount); err != nil || !toDelegated.IsPositive() {
		return err
	}
	return emitDelegated(ctx, *p, toDelegated, false)
}

// TotalBonded is the sum of all bonds as of the end of the last block.
func (k *Keeper) TotalBonded(ctx context.Context) (math.Int, error) {
	total, err := k.TotalBond.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	}
	return total, err
}

// sumBonds adds what was noted to the total.
func (k *Keeper) sumBonds(ctx context.Context) error {
	total, err := k.TotalBonded(ctx)
	if err != nil {
		return err
	}
	var moved []string
	err = k.BondMoves.Walk(ctx, nil, func(address string, by math.Int) (bool, error) {
		moved = append(moved, address)
		total = total.Add(by)
		return len(moved) == bondMovesPerBlock, nil
	})
	if err != nil || len(moved) == 0 {
		return err
	}
	for _, address := range moved {
		if err := k.BondMoves.Remove(ctx, address); err != nil {
			return err
		}
	}
	return k.TotalBond.Set(ctx, total)
}
