package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/rewards/types"
)

// getVesting returns a participant's vesting; an empty one, which has nothing left, when there is none.
func (k Keeper) getVesting(ctx context.Context, participant sdk.AccAddress) (types.Vesting, error) {
	v, err := k.Vestings.Get(ctx, participant)
	if !errors.Is(err, collections.ErrNotFound) {
		return v, err
	}
	name, err := k.addresses.BytesToString(participant)
	return types.NoVesting(name), err
}

// setVesting stores a vesting, or drops it once nothing of it is left.
func (k Keeper) setVesting(ctx context.Context, participant sdk.AccAddress, v types.Vesting) error {
	if v.Empty() {
		return k.Vestings.Remove(ctx, participant)
	}
	return k.Vestings.Set(ctx, participant, v)
}

// due is what has vested at a height and was not released yet.
func due(v types.Vesting, height int64) parts {
	return parts{v.Vested(height).Sub(v.Released), v.HoldersVested(height).Sub(v.HoldersReleased)}
}

// vest pays out what has vested so far, and lets what remains vest anew together with added, over vesting_blocks from now.
// It returns what was paid.
func (k Keeper) vest(ctx context.Context, participant sdk.AccAddress, added parts) (payment, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return payment{}, err
	}
	v, err := k.getVesting(ctx, participant)
	if err != nil {
		return payment{}, err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	paid := due(v, height)
	v.Amount = v.Remaining().Sub(paid.own).Add(added.own)
	v.Holders = v.HoldersRemaining().Sub(paid.holders).Add(added.holders)
	v.Released, v.HoldersReleased = math.ZeroInt(), math.ZeroInt()
	v.StartHeight, v.EndHeight = height, height+params.VestingBlocks
	if params.VestingBlocks == 0 {
		paid = paid.add(parts{v.Amount, v.Holders})
		v.Released, v.HoldersReleased = v.Amount, v.Holders
	}
	if err := k.setVesting(ctx, participant, v); err != nil {
		return payment{}, err
	}
	return k.pay(ctx, params.MintDenom, participant, paid)
}

// release pays out what has vested so far and returns it; nothing when there is nothing.
func (k Keeper) release(ctx context.Context, participant sdk.AccAddress) (payment, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return payment{}, err
	}
	v, err := k.getVesting(ctx, participant)
	if err != nil {
		return payment{}, err
	}
	paid := due(v, sdk.UnwrapSDKContext(ctx).BlockHeight())
	if paid.sum().IsZero() {
		return payment{paid, math.ZeroInt()}, nil
	}
	v.Released, v.HoldersReleased = v.Released.Add(paid.own), v.HoldersReleased.Add(paid.holders)
	if err := k.setVesting(ctx, participant, v); err != nil {
		return payment{}, err
	}
	return k.pay(ctx, params.MintDenom, participant, paid)
}

// forfeit takes from a proven liar, and from those who delegated to it, what has not vested yet, which goes to the community pool, and marks every share of an
// epoch closed so far that it has not claimed as lost: otherwise not claiming would be a shelter from forfeiture. What has
// vested stays theirs, released or not.
func (k Keeper) forfeit(ctx context.Context, participant sdk.AccAddress) error {
	last, found, err := k.lastPool(ctx)
	if err != nil {
		return err
	}
	if found {
		if err := k.Forfeitures.Set(ctx, participant, last); err != nil {
			return err
		}
	}
	v, err := k.getVesting(ctx, participant)
	if err != nil {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	vested, holders := v.Vested(height), v.HoldersVested(height)
	lost := v.Amount.Sub(vested).Add(v.Holders.Sub(holders))
	if lost.IsZero() {
		return nil
	}
	v.Amount, v.Holders = vested, holders
	v.EndHeight = height
	if err := k.setVesting(ctx, participant, v); err != nil {
		return err
	}
	return k.toCommunity(ctx, v.Participant, lost)
}

// toCommunity hands a liar's coins to the community pool.
func (k Keeper) toCommunity(ctx context.Context, participant string, amount math.Int) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if amount.IsPositive() {
		if err := k.community.FundCommunityPool(ctx, sdk.NewCoins(sdk.NewCoin(params.MintDenom, amount)), k.module); err != nil {
			return err
		}
	}
	return events.Emit(ctx, &types.EventForfeited{Participant: participant, Amount: amount.String()})
}

// lastPool returns the number of the newest closed epoch.
func (k Keeper) lastPool(ctx context.Context) (epoch uint64, found bool, err error) {
	it, err := k.Pools.Iterate(ctx, new(collections.Range[uint64]).Descending())
	if err != nil {
		return 0, false, err
	}
	defer it.Close()
	if !it.Valid() {
		return 0, false, nil
	}
	epoch, err = it.Key()
	return epoch, true, err
}
