package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/delegation/types"
)

// setTerms opens a participant's pool or changes its terms, and returns the epoch that its commission holds from: the running one for a new
// pool, otherwise the next.
func (k Keeper) setTerms(ctx context.Context, msg *types.MsgSetTerms) (from uint64, err error) {
	if err := types.CheckTerms(msg.CommissionBps, msg.MaxChangeBps); err != nil {
		return 0, err
	}
	if _, err := k.participant(ctx, msg.Participant); err != nil {
		return 0, err
	}
	pool, epoch, err := k.pool(ctx, msg.Participant)
	if errors.Is(err, types.ErrNoPool) {
		return k.openPool(ctx, msg)
	}
	if err != nil {
		return 0, err
	}
	if msg.MaxChangeBps > pool.MaxChangeBps {
		return 0, errorsmod.Wrapf(types.ErrInvalidTerms, "max_change_bps: %d, can only be lowered from %d", msg.MaxChangeBps, pool.MaxChangeBps)
	}
	now, err := k.commission(ctx, msg.Participant, epoch)
	if err != nil {
		return 0, err
	}
	if change := max(now, msg.CommissionBps) - min(now, msg.CommissionBps); change > msg.MaxChangeBps {
		return 0, errorsmod.Wrapf(types.ErrInvalidTerms, "commission_bps: %d, is %d in this epoch and changes by %d at most",
			msg.CommissionBps, now, msg.MaxChangeBps)
	}
	next, err := k.commission(ctx, msg.Participant, epoch+1)
	if err != nil {
		return 0, err
	}
	if next != msg.CommissionBps {
		if err := k.Commissions.Set(ctx, collections.Join(msg.Participant, epoch+1), msg.CommissionBps); err != nil {
			return 0, err
		}
	}
	pool.Open, pool.MaxChangeBps = msg.Open, msg.MaxChangeBps
	return epoch + 1, k.Pools.Set(ctx, msg.Participant, pool)
}

func (k Keeper) openPool(ctx context.Context, msg *types.MsgSetTerms) (from uint64, err error) {
	epoch, err := k.poai.CurrentEpoch(ctx)
	if err != nil {
		return 0, err
	}
	if err := k.Commissions.Set(ctx, collections.Join(msg.Participant, epoch), msg.CommissionBps); err != nil {
		return 0, err
	}
	pool := types.NewPool(msg.Participant)
	pool.Open, pool.MaxChangeBps = msg.Open, msg.MaxChangeBps
	return epoch, k.Pools.Set(ctx, msg.Participant, pool)
}

// commission is what a participant takes of its holders' part of an epoch's share. What was said before the epoch began holds, whenever
// the share is claimed. All of it where there was no pool yet.
func (k Keeper) commission(ctx context.Context, participant string, epoch uint64) (bps uint32, err error) {
	iter, err := k.Commissions.Iterate(ctx, collections.NewPrefixedPairRange[string, uint64](participant).EndInclusive(epoch).Descending())
	if err != nil {
		return 0, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return types.BPS, nil
	}
	return iter.Value()
}

// HoldersShare is what of a participant's share of an epoch's pool is its holders': amount × delegated / score, less its commission in
// that epoch.
func (k Keeper) HoldersShare(ctx context.Context, participant string, epoch uint64, amount, score, delegated math.Int) (math.Int, error) {
	bps, err := k.commission(ctx, participant, epoch)
	if err != nil {
		return math.Int{}, err
	}
	// One rounding, down: against who holds, as a slash is rounded for them.
	return types.MulDiv(amount, delegated.MulRaw(int64(types.BPS-bps)), score.MulRaw(types.BPS)), nil
}
