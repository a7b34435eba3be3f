package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/grades/types"
)

// CheckInvariants checks what no message may break: the account holds the balances of all contests, a genesis of this state is valid (slots, owners and
// counts fit), and exactly the contests that say so are in the queue.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return errorsmod.Wrapf(types.ErrInvariant, "%s", err)
	}
	if err := k.checkBalance(ctx); err != nil {
		return err
	}
	waiting := 0
	for _, c := range g.Contests {
		if c.Due == 0 {
			continue
		}
		waiting++
		has, err := k.Due.Has(ctx, collections.Join(c.Due, c.Number))
		if err != nil {
			return err
		}
		if !has {
			return errorsmod.Wrapf(types.ErrInvariant, "contest %q: due at %d, not in the queue", c.Id, c.Due)
		}
	}
	queued := 0
	if err := k.Due.Walk(ctx, nil, func(collections.Pair[int64, uint64]) (bool, error) { queued++; return false, nil }); err != nil {
		return err
	}
	if queued != waiting {
		return errorsmod.Wrapf(types.ErrInvariant, "due: %d entries for %d contests", queued, waiting)
	}
	return nil
}

// checkBalance compares the account with the balances; after x/bank's EndBlock has credited virtual sends.
func (k Keeper) checkBalance(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	owed := math.ZeroInt()
	err = k.Contests.Walk(ctx, nil, func(_ uint64, c types.Contest) (bool, error) {
		owed = owed.Add(c.Balance)
		return false, nil
	})
	if err != nil {
		return err
	}
	held := k.bank.GetBalance(ctx, k.account.GetModuleAddress(types.ModuleName), params.FeeDenom)
	if !held.Amount.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "balance: the module holds %s, contests have %s", held, owed)
	}
	return nil
}
