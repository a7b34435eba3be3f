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

// parts are what a participant and those who delegated to it get of something.
type parts struct{ own, holders math.Int }

func noParts() parts { return parts{math.ZeroInt(), math.ZeroInt()} }

func (p parts) add(q parts) parts { return parts{p.own.Add(q.own), p.holders.Add(q.holders)} }

func (p parts) sum() math.Int { return p.own.Add(p.holders) }

// split divides a participant's share of an epoch's pool: the holders' part is what their bond backed of the score, less commission, and
// at most max_delegator_bps of the share.
func (k Keeper) split(ctx context.Context, params types.Params, name string, epoch uint64, amount, score, delegated math.Int) (parts, error) {
	if !delegated.IsPositive() {
		return parts{amount, math.ZeroInt()}, nil
	}
	if delegated.GT(score) {
		return parts{}, errorsmod.Wrapf(types.ErrAccounting, "epoch %d of %s: %s of a score of %s is delegated", epoch, name, delegated, score)
	}
	holders, err := k.delegation.HoldersShare(ctx, name, epoch, amount, score, delegated)
	if err != nil {
		return parts{}, err
	}
	if holders.IsNegative() || holders.GT(amount) {
		return parts{}, errorsmod.Wrapf(types.ErrAccounting, "epoch %d of %s: holders' part %s of %s", epoch, name, holders, amount)
	}
	holders = math.MinInt(holders, amount.MulRaw(int64(params.MaxDelegatorBps)).QuoRaw(types.BasisPoints))
	return parts{amount.Sub(holders), holders}, nil
}

// autoBond is how much of what a participant is paid goes into its bond, in millionths.
func (k Keeper) autoBond(ctx context.Context, participant sdk.AccAddress) (uint32, error) {
	ppm, err := k.AutoBonds.Get(ctx, participant)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return ppm, err
}

// setAutoBond stores it; 0 is not stored.
func (k Keeper) setAutoBond(ctx context.Context, participant sdk.AccAddress, name string, ppm uint32) error {
	if ppm > types.MaxAutoBondPpm {
		return errorsmod.Wrapf(types.ErrInvalidAutoBond, "ppm: %d, limit %d", ppm, types.MaxAutoBondPpm)
	}
	if ppm == 0 {
		return k.AutoBonds.Remove(ctx, participant)
	}
	joined, err := k.poai.HasJoined(ctx, name)
	if err != nil {
		return err
	}
	if !joined {
		return errorsmod.Wrapf(types.ErrInvalidAutoBond, "participant %s has not joined", name)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	bond, err := k.poai.BondDenom(ctx)
	if err != nil {
		return err
	}
	if bond != params.MintDenom {
		return errorsmod.Wrapf(types.ErrInvalidAutoBond, "rewards are in %s, bonds in %s", params.MintDenom, bond)
	}
	return k.AutoBonds.Set(ctx, participant, ppm)
}

// payment is what became of coins that were released.
type payment struct {
	parts
	bonded math.Int // of own
}

func (p payment) nothing() bool { return p.sum().IsZero() }

// pay hands released coins out: the participant's own to its bond as far as it said so and the rest to its account, the holders' to
// x/delegation.
func (k Keeper) pay(ctx context.Context, denom string, participant sdk.AccAddress, released parts) (payment, error) {
	paid := payment{released, math.ZeroInt()}
	if released.sum().IsZero() {
		return paid, nil
	}
	name, err := k.addresses.BytesToString(participant)
	if err != nil {
		return paid, err
	}
	if released.holders.IsPositive() {
		if err := k.delegation.Reward(ctx, types.ModuleName, name, sdk.NewCoin(denom, released.holders)); err != nil {
			return paid, err
		}
	}
	ppm, err := k.autoBond(ctx, participant)
	if err != nil {
		return paid, err
	}
	paid.bonded = released.own.MulRaw(int64(ppm)).QuoRaw(types.MaxAutoBondPpm)
	if paid.bonded.IsPositive() {
		if err := k.poai.AddBondFromModule(ctx, types.ModuleName, name, sdk.NewCoin(denom, paid.bonded)); err != nil {
			return paid, err
		}
	}
	left := released.own.Sub(paid.bonded)
	if !left.IsPositive() {
		return paid, nil
	}
	return paid, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, participant, sdk.NewCoins(sdk.NewCoin(denom, left)))
}
