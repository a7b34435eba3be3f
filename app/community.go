package app

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"

	poaitypes "poaid/x/poai/types"
)

// communityPool is x/distribution's, and can pay modules, which x/distribution itself does not: their accounts take no coins from it.
type communityPool struct {
	distrkeeper.Keeper
	bank bankkeeper.Keeper
}

// PayFromCommunityPool pays a module. poaitypes.ErrPoolShort when the pool has less.
func (c communityPool) PayFromCommunityPool(ctx context.Context, amount sdk.Coins, module string) error {
	pool, err := c.FeePool.Get(ctx)
	if err != nil {
		return err
	}
	left, short := pool.CommunityPool.SafeSub(sdk.NewDecCoinsFromCoins(amount...))
	if short {
		return errorsmod.Wrapf(poaitypes.ErrPoolShort, "%s is asked of %s", amount, pool.CommunityPool)
	}
	pool.CommunityPool = left
	if err := c.FeePool.Set(ctx, pool); err != nil {
		return err
	}
	return c.bank.SendCoinsFromModuleToModule(ctx, distrtypes.ModuleName, module, amount)
}
