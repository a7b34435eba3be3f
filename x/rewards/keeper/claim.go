package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/rewards/types"
)

// checkEpochs refuses lists that are empty, too long or not strictly ascending, which also keeps out duplicates.
func checkEpochs(epochs []uint64) error {
	if len(epochs) == 0 || len(epochs) > types.MaxClaimEpochs {
		return errorsmod.Wrapf(types.ErrInvalidEpochs, "epochs: %d given, must be 1..%d", len(epochs), types.MaxClaimEpochs)
	}
	for i := 1; i < len(epochs); i++ {
		if epochs[i] <= epochs[i-1] {
			return errorsmod.Wrapf(types.ErrInvalidEpochs, "epochs[%d]: %d after %d, must be strictly ascending", i, epochs[i], epochs[i-1])
		}
	}
	return nil
}

// taker says whose shares are taken, and how.
type taker struct {
	participant sdk.AccAddress
	forfeited   bool // only shares lost to a lie, otherwise only others
	overdue     bool // only shares that others have a part in and that were left unclaimed for vesting_blocks
}

// takeShares takes a participant's shares of some epochs out of their pools and returns the sum. All of them must be of the kind that
// the taker asks for.
func (k Keeper) takeShares(ctx context.Context, t taker, epochs []uint64) (parts, error) {
	if err := checkEpochs(epochs); err != nil {
		return parts{}, err
	}
	name, err := k.addresses.BytesToString(t.participant)
	if err != nil {
		return parts{}, err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return parts{}, err
	}
	sum := noParts()
	for _, epoch := range epochs {
		lost, err := k.isForfeited(ctx, t.participant, epoch)
		if err != nil {
			return parts{}, err
		}
		if lost && !t.forfeited {
			return parts{}, errorsmod.Wrapf(types.ErrForfeited, "epoch %d: unclaimed when a lie of %s was proven", epoch, name)
		}
		if !lost && t.forfeited {
			return parts{}, errorsmod.Wrapf(types.ErrNotForfeited, "epoch %d of %s", epoch, name)
		}
		amount, err := k.takeShare(ctx, params, t, name, epoch)
		if err != nil {
			return parts{}, err
		}
		sum = sum.add(amount)
	}
	return sum, nil
}

// takeShare takes one share. Whoever takes the last one leaves the pool's rounding remainder to supply.carry.
func (k Keeper) takeShare(ctx context.Context, params types.Params, t taker, name string, epoch uint64) (parts, error) {
	pool, err := k.Pools.Get(ctx, epoch)
	if errors.Is(err, collections.ErrNotFound) {
		return parts{}, errorsmod.Wrapf(types.ErrEpochNotClosed, "epoch %d", epoch)
	}
	if err != nil {
		return parts{}, err
	}
	key := collections.Join(t.participant, epoch)
	if claimed, err := k.Claims.Has(ctx, key); err != nil {
		return parts{}, err
	} else if claimed {
		return parts{}, errorsmod.Wrapf(types.ErrAlreadyClaimed, "epoch %d of %s", epoch, name)
	}
	score, delegated, err := k.poai.ScoreParts(ctx, epoch, name)
	if err != nil {
		return parts{}, err
	}
	if !score.IsPositive() {
		return parts{}, errorsmod.Wrapf(types.ErrNoScore, "epoch %d of %s", epoch, name)
	}
	if t.overdue {
		if err := checkOverdue(ctx, params, pool, name, delegated); err != nil {
			return parts{}, err
		}
	}
	if err := k.countShare(ctx, &pool, score); err != nil {
		return parts{}, err
	}
	if err := k.Claims.Set(ctx, key); err != nil {
		return parts{}, err
	}
	if err := k.Pools.Set(ctx, epoch, pool); err != nil {
		return parts{}, err
	}
	if t.forfeited {
		return parts{share(pool, score), math.ZeroInt()}, nil
	}
	return k.split(ctx, params, name, epoch, share(pool, score), score, delegated)
}

// checkOverdue refuses to claim for another what nobody else has a part in, and what it may still want to claim itself: a claim has what
// vests begin anew, and when to do that is its own choice for as long as vesting takes.
func checkOverdue(ctx context.Context, params types.Params, pool types.EpochPool, name string, delegated math.Int) error {
	if !delegated.IsPositive() {
		return errorsmod.Wrapf(types.ErrNotDelegated, "epoch %d of %s", pool.Epoch, name)
	}
	from := pool.OpenedHeight + params.VestingBlocks
	if height := sdk.UnwrapSDKContext(ctx).BlockHeight(); height < from {
		return errorsmod.Wrapf(types.ErrTooEarly, "epoch %d of %s: anybody can claim it from height %d, now %d", pool.Epoch, name, from, height)
	}
	return nil
}

// countShare counts one share of a pool as taken.
func (k Keeper) countShare(ctx context.Context, pool *types.EpochPool, score math.Int) error {
	amount := share(*pool, score)
	pool.ClaimedScore = pool.ClaimedScore.Add(score)
	pool.Claimed = pool.Claimed.Add(amount)
	if pool.ClaimedScore.GT(pool.TotalScore) {
		return errorsmod.Wrapf(types.ErrAccounting, "epoch %d: shares of %s exceed the total score of %s", pool.Epoch, pool.ClaimedScore, pool.TotalScore)
	}
	if pool.ClaimedScore.Equal(pool.TotalScore) {
		return k.carryRemainder(ctx, pool)
	}
	return nil
}

// share is pool × score / total, rounded down.
func share(pool types.EpochPool, score math.Int) math.Int {
	if !pool.TotalScore.IsPositive() {
		return math.ZeroInt()
	}
	return pool.Pool.Mul(score).Quo(pool.TotalScore)
}

// carryRemainder moves what rounding left of a pool without further claimants to supply.carry.
func (k Keeper) carryRemainder(ctx context.Context, pool *types.EpochPool) error {
	left := pool.Outstanding()
	if !left.IsPositive() {
		return nil
	}
	supply, err := k.Supply.Get(ctx)
	if err != nil {
		return err
	}
	pool.Carried = pool.Carried.Add(left)
	supply.Carry = supply.Carry.Add(left)
	return k.Supply.Set(ctx, supply)
}

// isForfeited tells whether a share was unclaimed when the participant was last proven to have lied.
func (k Keeper) isForfeited(ctx context.Context, participant sdk.AccAddress, epoch uint64) (bool, error) {
	last, err := k.Forfeitures.Get(ctx, participant)
	if errors.Is(err, collections.ErrNotFound) {
		return false, nil
	}
	return err == nil && epoch <= last, err
}
