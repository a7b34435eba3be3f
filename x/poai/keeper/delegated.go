package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// AddDelegated moves coins of a holder into a participant's bond, as delegated bond. Who has what of it is x/delegation's to keep.
func (k *Keeper) AddDelegated(ctx context.Context, participant string, holder sdk.AccAddress, amount sdk.Coin) error {
	p, params, err := k.bonded(ctx, participant)
	if err != nil {
		return err
	}
	if err := checkCoin("amount", amount, params); err != nil {
		return err
	}
	p.Delegated = p.DelegatedBond().Add(amount.Amount)
	if err := k.addBond(ctx, &p, holder, amount, params); err != nil {
		return err
	}
	return emitDelegated(ctx, p, amount.Amount, false)
}

// RemoveDelegated moves delegated bond that is free into a module's account. Unlike the participant's own it may leave a bond below min_bond,
// which then weighs nothing.
func (k *Keeper) RemoveDelegated(ctx context.Context, participant string, amount sdk.Coin, module string) error {
	p, params, err := k.bonded(ctx, participant)
	if err != nil {
		return err
	}
	if err := checkCoin("amount", amount, params); err != nil {
		return err
	}
	if amount.Amount.GT(p.DelegatedBond()) {
		return errorsmod.Wrapf(types.ErrBondDelegated, "amount %s: %s of the bond of %s is delegated", amount, p.DelegatedBond(), p.Address)
	}
	if free := p.Bond.Sub(p.Locked); amount.Amount.GT(free) {
		return errorsmod.Wrapf(types.ErrBondLocked, "amount %s: %s of the bond of %s is free, %s is locked", amount, free, p.Address, p.Locked)
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, module, sdk.NewCoins(amount)); err != nil {
		return err
	}
	p.Delegated = p.DelegatedBond().Sub(amount.Amount)
	if err := k.moveBond(ctx, &p, amount.Amount.Neg()); err != nil {
		return err
	}
	if err := k.weigh(ctx, &p, params); err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, p); err != nil {
		return err
	}
	return emitDelegated(ctx, p, amount.Amount.Neg(), false)
}

// AddBondFromModule moves coins of a module's account into a participant's own bond: what it has earned.
func (k *Keeper) AddBondFromModule(ctx context.Context, module, participant string, amount sdk.Coin) error {
	p, params, err := k.bonded(ctx, participant)
	if err != nil {
		return err
	}
	if err := checkCoin("amount", amount, params); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, module, types.ModuleName, sdk.NewCoins(amount)); err != nil {
		return err
	}
	if err := k.raiseBond(ctx, &p, amount.Amount, params); err != nil {
		return err
	}
	return emitBond(ctx, p)
}

// BondDenom is the denom of bonds.
func (k *Keeper) BondDenom(ctx context.Context) (string, error) {
	params, err := k.Params.Get(ctx)
	return params.BondDenom, err
}

// UnbondingBlocks is how long bond takes to leave.
func (k *Keeper) UnbondingBlocks(ctx context.Context) (int64, error) {
	params, err := k.Params.Get(ctx)
	return params.UnbondingBlocks, err
}

func (k *Keeper) bonded(ctx context.Context, participant string) (types.Participant, types.Params, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Participant{}, params, err
	}
	p, err := k.participant(ctx, participant)
	return p, params, err
}

// checkOwnBond refuses to unbond what is not p's own, what would leave dust of its own, and what delegated bond stands on.
func (k *Keeper) checkOwnBond(ctx context.Context, p types.Participant, amount sdk.Coin, params types.Params) error {
	left := p.OwnBond().Sub(amount.Amount)
	if left.IsNegative() {
		return errorsmod.Wrapf(types.ErrBondDelegated, "amount %s: %s of the bond is your own, %s is delegated", amount, p.OwnBond(), p.DelegatedBond())
	}
	if left.LT(params.MinBond) && !left.IsZero() {
		return errorsmod.Wrapf(types.ErrBondTooLow, "amount %s: would leave %s of your own, must be 0 or min_bond %s", amount, left, params.MinBond)
	}
	if k.bondHooks == nil {
		return nil
	}
	return k.bondHooks.BeforeOwnBondFalls(ctx, p, left)
}

// emitDelegatedSlash tells those who delegated what a slash took from them.
func emitDelegatedSlash(ctx context.Context, p types.Participant, taken math.Int) error {
	if !taken.IsPositive() {
		return nil
	}
	return emitDelegated(ctx, p, taken.Neg(), true)
}

func emitDelegated(ctx context.Context, p types.Participant, change math.Int, slashed bool) error {
	return emit(ctx, &types.EventDelegatedBondChanged{
		Participant: p.Address, Change: change.String(), Delegated: p.Delegated.String(), Bond: p.Bond.String(), Slashed: slashed,
	})
}

// HasJoined tells whether a participant exists.
func (k *Keeper) HasJoined(ctx context.Context, participant string) (bool, error) {
	return k.Participants.Has(ctx, participant)
}
