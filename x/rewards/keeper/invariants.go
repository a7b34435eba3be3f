package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/rewards/types"
)

// Invariants checks that the module's balance is, to the last coin, what it still owes: the outstanding parts of the pools,
// what vests, and the carry. It walks the whole state: for tests and genesis, never for a block.
func (k Keeper) Invariants(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	owed, err := k.owed(ctx)
	if err != nil {
		return err
	}
	if balance := k.bank.GetBalance(ctx, k.module, params.MintDenom); !balance.Amount.Equal(owed) {
		return errorsmod.Wrapf(types.ErrAccounting, "balance %s, owed %s%s", balance, owed, params.MintDenom)
	}
	return nil
}

// owed is the sum of all that the module keeps for others.
func (k Keeper) owed(ctx context.Context) (math.Int, error) {
	supply, err := k.Supply.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	if supply.Carry.IsNegative() || supply.Minted.IsNegative() {
		return math.Int{}, errorsmod.Wrapf(types.ErrAccounting, "minted %s or carry %s is negative", supply.Minted, supply.Carry)
	}
	owed := supply.Carry
	var bad error
	err = k.Pools.Walk(ctx, nil, func(epoch uint64, pool types.EpochPool) (bool, error) {
		bad = errorsmod.Wrapf(pool.Validate(), "epoch %d", epoch)
		owed = owed.Add(pool.Outstanding())
		return bad != nil, nil
	})
	if err != nil || bad != nil {
		return math.Int{}, firstError(err, bad)
	}
	err = k.Vestings.Walk(ctx, nil, func(_ sdk.AccAddress, v types.Vesting) (bool, error) {
		bad = errorsmod.Wrapf(v.Validate(), "vesting of %s", v.Participant)
		owed = owed.Add(v.Remaining()).Add(v.HoldersRemaining())
		return bad != nil, nil
	})
	if err != nil || bad != nil {
		return math.Int{}, firstError(err, bad)
	}
	return owed, k.Claims.Walk(ctx, nil, func(c collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		found, err := k.Pools.Has(ctx, c.K2())
		if err == nil && !found {
			err = errorsmod.Wrapf(types.ErrAccounting, "epoch %d is claimed and has no pool", c.K2())
		}
		return false, err
	})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
