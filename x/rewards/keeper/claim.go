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

// takeShares takes a participant's shares of some epochs out of their pools and returns the sum. Either all of them are shares
// lost to a lie (forfeited) or none is.
func (k Keeper) takeShares(ctx context.Context, participant sdk.AccAddress, epochs []uint64, forfeited bool) (math.Int, error) {
	if err := checkEpochs(epochs); err != nil {
		return math.Int{}, err
	}
	name, err := k.addresses.BytesToString(participant)
	if err != nil {
		return math.Int{}, err
	}
	sum := math.ZeroInt()
	for _, epoch := range epochs {
		lost, err := k.isForfeited(ctx, participant, epoch)
		if err != nil {
			return math.Int{}, err
		}
		if lost && !forfeited {
			return math.Int{}, errorsmod.Wrapf(types.ErrForfeited, "epoch %d: unclaimed when a lie of %s was proven", epoch, name)
		}
		if !lost && forfeited {
			return math.Int{}, errorsmod.Wrapf(types.ErrNotForfeited, "epoch %d of %s", epoch, name)
		}
		amount, err := k.takeShare(ctx, participant, name, epoch)
		if err != nil {
			return math.Int{}, err
		}
		sum = sum.Add(amount)
	}
	return sum, nil
}

// takeShare takes one share. Whoever takes the last one leaves the pool's rounding remainder to supply.carry.
func (k Keeper) takeShare(ctx context.Context, participant sdk.AccAddress, name string, epoch uint64) (math.Int, error) {
	pool, err := k.Pools.Get(ctx, epoch)
	if errors.Is(err, collections.ErrNotFound) {
		return math.Int{}, errorsmod.Wrapf(types.ErrEpochNotClosed, "epoch %d", epoch)
	}
	if err != nil {
		return math.Int{}, err
	}
	key := collections.Join(participant, epoch)
	if claimed, err := k.Claims.Has(ctx, key); err != nil {
		return math.Int{}, err
	} else if claimed {
		return math.Int{}, errorsmod.Wrapf(types.ErrAlreadyClaimed, "epoch %d of %s", epoch, name)
	}
	score, err := k.poai.GetScore(ctx, epoch, name)
	if err != nil {
		return math.Int{}, err
	}
	if !score.IsPositive() {
		return math.Int{}, errorsmod.Wrapf(types.ErrNoScore, "epoch %d of %s", epoch, name)
	}
	amount := share(pool, score)
	pool.ClaimedScore = pool.ClaimedScore.Add(score)
	pool.Claimed = pool.Claimed.Add(amount)
	if pool.ClaimedScore.GT(pool.TotalScore) {
		return math.Int{}, errorsmod.Wrapf(types.ErrAccounting, "epoch %d: shares of %s exceed the total score of %s",
			epoch, pool.ClaimedScore, pool.TotalScore)
	}
	if pool.ClaimedScore.Equal(pool.TotalScore) {
		if err := k.carryRemainder(ctx, &pool); err != nil {
			return math.Int{}, err
		}
	}
	if err := k.Claims.Set(ctx, key); err != nil {
		return math.Int{}, err
	}
	return amount, k.Pools.Set(ctx, epoch, pool)
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
