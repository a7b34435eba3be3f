package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/internal/events"
	"poaid/internal/split"
	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards/types"
)

// maxUnitsBits bounds an epoch's units: a billion credits of the largest uint64 stay far below it.
const maxUnitsBits = 128

// openPool mints what a closed epoch earns and writes its pool: a fixed number of reads and writes, however many participants
// share it. The carry of earlier rounding goes in with the first pool that somebody can claim from.
func (k Keeper) openPool(ctx context.Context, epoch poaitypes.Epoch) error {
	if found, err := k.Pools.Has(ctx, epoch.Number); err != nil {
		return err
	} else if found {
		return errorsmod.Wrapf(types.ErrPoolExists, "epoch %d", epoch.Number)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	supply, err := k.Supply.Get(ctx)
	if err != nil {
		return err
	}
	most, err := k.unitEmission(ctx, params)
	if err != nil {
		return err
	}
	emission, minted, err := epochEmission(params, supply, epoch, most)
	if err != nil {
		return err
	}
	parts := split.Weighted(minted, uint64(params.ComputeBps), uint64(params.CommunityBps), uint64(params.StakeBps))
	compute, community, stake := parts[0], parts[1], parts[2]
	if err := k.mint(ctx, params.MintDenom, minted, community, stake); err != nil {
		return err
	}
	pool := types.EpochPool{
		Epoch: epoch.Number, Pool: compute, TotalScore: epoch.TotalScore,
		ClaimedScore: math.ZeroInt(), Claimed: math.ZeroInt(), Carried: math.ZeroInt(),
		OpenedHeight: sdk.UnwrapSDKContext(ctx).BlockHeight(),
	}
	if epoch.TotalScore.IsPositive() {
		pool.Pool = pool.Pool.Add(supply.Carry)
		supply.Carry = math.ZeroInt()
	}
	supply.Minted = supply.Minted.Add(minted)
	if err := k.Supply.Set(ctx, supply); err != nil {
		return err
	}
	if err := k.Pools.Set(ctx, epoch.Number, pool); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventEpochPool{
		Epoch: epoch.Number, Pool: pool.Pool.String(), Community: community.String(), Stake: stake.String(),
		Minted: minted.String(), Unminted: emission.Sub(minted).String(),
	})
}

// epochEmission returns what the supply curve allows for the epoch's blocks, and what of it is minted: nothing for an epoch
// without score, never beyond max_supply, and never more a unit than most, in millionths of a coin. What is not minted is not owed.
func epochEmission(params types.Params, supply types.Supply, epoch poaitypes.Epoch, most math.Int) (emission, minted math.Int, err error) {
	if epoch.TotalScore.IsNil() || epoch.TotalScore.IsNegative() || epoch.TotalUnits.IsNil() || epoch.TotalUnits.IsNegative() {
		return emission, minted, errorsmod.Wrapf(types.ErrAccounting, "epoch %d: total_score and total_units must not be negative", epoch.Number)
	}
	if epoch.TotalUnits.BigInt().BitLen() > maxUnitsBits {
		return emission, minted, errorsmod.Wrapf(types.ErrAccounting, "epoch %d: total_units exceeds 2^%d", epoch.Number, maxUnitsBits)
	}
	emission = params.Emission(epoch.StartHeight, epoch.EndHeight)
	if !epoch.TotalScore.IsPositive() {
		return emission, math.ZeroInt(), nil
	}
	left := math.MaxInt(params.MaxSupply.Sub(supply.Minted), math.ZeroInt())
	earned := epoch.TotalUnits.Mul(most).QuoRaw(types.MicroPerCoin)
	return emission, math.MinInt(emission, math.MinInt(left, earned)), nil
}

// unitEmission is the most that a credited unit may mint, in millionths of a coin: max_emission_per_unit, and no more than leaves a run, its committee
// included, at most max_emission_cost_bps of what it costs. Otherwise whoever serves a model alone could ask itself, pay itself, and live on what that mints.
func (k Keeper) unitEmission(ctx context.Context, params types.Params) (math.Int, error) {
	cost, members, err := k.tasks.RunCost(ctx)
	if err != nil {
		return math.Int{}, err
	}
	share, err := k.poai.VerifierShare(ctx)
	if err != nil {
		return math.Int{}, err
	}
	return params.UnitEmission(cost, members, share), nil
}

// mint creates coins in the module's account and passes on the community's and the stakers' parts.
func (k Keeper) mint(ctx context.Context, denom string, minted, community, stake math.Int) error {
	if !minted.IsPositive() {
		return nil
	}
	coins := func(amount math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(denom, amount)) }
	if err := k.bank.MintCoins(ctx, types.ModuleName, coins(minted)); err != nil {
		return err
	}
	if community.IsPositive() {
		if err := k.community.FundCommunityPool(ctx, coins(community), k.module); err != nil {
			return err
		}
	}
	if stake.IsPositive() {
		return k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, authtypes.FeeCollectorName, coins(stake))
	}
	return nil
}
