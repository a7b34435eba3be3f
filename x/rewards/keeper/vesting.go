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
	return types.Vesting{Participant: name, Amount: math.ZeroInt(), Released: math.ZeroInt()}, err
}

// setVesting stores a vesting, or drops it once nothing of it is left.
func (k Keeper) setVesting(ctx context.Context, participant sdk.AccAddress, v types.Vesting) error {
	if v.Remaining().IsZero() {
		return k.Vestings.Remove(ctx, participant)
	}
	return k.Vestings.Set(ctx, participant, v)
}

// vest pays out what has vested so far, and lets what remains vest anew together with amount, over vesting_blocks from now.
// It returns what was paid.
func (k Keeper) vest(ctx context.Context, participant sdk.AccAddress, amount math.Int) (math.Int, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	v, err := k.getVesting(ctx, participant)
	if err != nil {
		return math.Int{}, err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	paid := v.Vested(height).Sub(v.Released)
	v.Amount = v.Remaining().Sub(paid).Add(amount)
	v.Released = math.ZeroInt()
	v.StartHeight, v.EndHeight = height, height+params.VestingBlocks
	if params.VestingBlocks == 0 {
		paid = paid.Add(v.Amount)
		v.Released = v.Amount
	}
	if err := k.setVesting(ctx, participant, v); err != nil {
		return math.Int{}, err
	}
	return paid, k.pay(ctx, params.MintDenom, participant, paid)
}

// release pays out what has vested so far and returns it; zero when there is nothing.
func (k Keeper) release(ctx context.Context, participant sdk.AccAddress) (math.Int, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	v, err := k.getVesting(ctx, participant)
	if err != nil {
		return math.Int{}, err
	}
	paid := v.Vested(sdk.UnwrapSDKContext(ctx).BlockHeight()).Sub(v.Released)
	if paid.IsZero() {
		return paid, nil
	}
	v.Released = v.Released.Add(paid)
	if err := k.setVesting(ctx, participant, v); err != nil {
		return math.Int{}, err
	}
	return paid, k.pay(ctx, params.MintDenom, participant, paid)
}

func (k Keeper) pay(ctx context.Context, denom string, participant sdk.AccAddress, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	return k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, participant, sdk.NewCoins(sdk.NewCoin(denom, amount)))
}

// forfeit takes from a proven liar what has not vested yet, which goes to the community pool, and marks every share of an
// epoch closed so far that it has not claimed as lost: otherwise not claiming would be a shelter from forfeiture. What has
// vested stays the participant's, released or not.
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
	vested := v.Vested(height)
	lost := v.Amount.Sub(vested)
	if lost.IsZero() {
		return nil
	}
	v.Amount = vested
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
