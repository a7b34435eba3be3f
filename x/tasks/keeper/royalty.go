package keeper

import (
	"context"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// giveRoyalty pays and books what a use of the model is worth to those behind it: into its lineage where it has parents, to its owner
// otherwise. It returns what could not be paid, as give does.
func (k Keeper) giveRoyalty(ctx context.Context, task types.Task, pay *types.Payment, owner string, amount math.Int) (left math.Int, err error) {
	if *k.lineage != nil && amount.IsPositive() {
		holder, err := (*k.lineage).Royalty(ctx, task.Model, types.ModuleName, sdk.NewCoin(task.MaxFee.Denom, amount))
		if err != nil {
			return amount, err
		}
		if holder != "" {
			pay.Book(types.PURPOSE_ROYALTY, holder, amount)
			return math.ZeroInt(), nil
		}
	}
	return k.give(ctx, task, pay, types.Flow{Purpose: types.PURPOSE_ROYALTY, Recipient: owner, Amount: amount})
}
