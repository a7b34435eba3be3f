package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/delegation/types"
	poaitypes "poaid/x/poai/types"
)

// Reward takes coins out of a module's account for the holders behind a participant: each active share earns alike, in one write however many
// there are. With nobody to have them they go to the community pool, so that nobody gains by emptying a pool.
func (k Keeper) Reward(ctx context.Context, module, participant string, amount sdk.Coin) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if amount.Denom != params.RewardDenom {
		return errorsmod.Wrapf(types.ErrInvalidCoin, "reward: denom %q, must be %q", amount.Denom, params.RewardDenom)
	}
	if amount.Amount.IsNil() || !amount.Amount.IsPositive() {
		return errorsmod.Wrap(types.ErrInvalidCoin, "reward: must be positive")
	}
	pool, _, err := k.pool(ctx, participant)
	if err != nil && !errors.Is(err, types.ErrNoPool) {
		return err
	}
	event := &types.EventRewarded{Participant: participant, Amount: amount.Amount.String()}
	if err != nil || !pool.Active.IsPositive() {
		event.Community = true
		if err := k.community.FundCommunityPool(ctx, sdk.NewCoins(amount), k.accounts.GetModuleAddress(module)); err != nil {
			return err
		}
		return events.Emit(ctx, event)
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, module, types.ModuleName, sdk.NewCoins(amount)); err != nil {
		return err
	}
	pool.Advance(amount.Amount)
	if err := k.Pools.Set(ctx, participant, pool); err != nil {
		return err
	}
	return events.Emit(ctx, event)
}

// RewardDenom is what holders are paid in.
func (k Keeper) RewardDenom(ctx context.Context) (string, error) {
	params, err := k.Params.Get(ctx)
	return params.RewardDenom, err
}

// claim pays a holder the whole coins that its shares have earned; the fraction stays owed.
func (k Keeper) claim(ctx context.Context, holder sdk.AccAddress, msg *types.MsgClaim) (sdk.Coin, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return sdk.Coin{}, err
	}
	pool, _, err := k.pool(ctx, msg.Participant)
	if err != nil {
		return sdk.Coin{}, err
	}
	d, exchanged, err := k.holding(ctx, pool, msg.Holder)
	if err != nil {
		return sdk.Coin{}, err
	}
	coins := types.Whole(d.Owed)
	if coins.IsZero() && !exchanged {
		return sdk.Coin{}, errorsmod.Wrapf(types.ErrNothing, "holder %s has nothing to claim of %s", msg.Holder, msg.Participant)
	}
	d.Owed, pool.Unpaid = d.Owed.Sub(types.Fixed(coins)), pool.Unpaid.Sub(coins)
	if err := k.keep(ctx, pool, d); err != nil {
		return sdk.Coin{}, err
	}
	paid := sdk.NewCoin(params.RewardDenom, coins)
	if coins.IsZero() {
		return paid, nil
	}
	return paid, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, holder, sdk.NewCoins(paid))
}

// addUnbonding adds to what a holder can withdraw at a height.
func (k Keeper) addUnbonding(ctx context.Context, holder string, mature int64, participant string, amount math.Int) error {
	key := collections.Join3(holder, mature, participant)
	entry, err := k.Unbondings.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		entry, err = math.ZeroInt(), nil
	}
	if err != nil {
		return err
	}
	return k.Unbondings.Set(ctx, key, entry.Add(amount))
}

// withdraw pays a holder what has matured, the oldest first, a bounded number of entries.
func (k Keeper) withdraw(ctx context.Context, holder sdk.AccAddress, name string) (sdk.Coin, error) {
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return sdk.Coin{}, err
	}
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	var keys []UnbondingKey
	sum := math.ZeroInt()
	err = k.Unbondings.Walk(ctx, collections.NewPrefixedTripleRange[string, int64, string](name), func(key UnbondingKey, amount math.Int) (bool, error) {
		if key.K2() > now || len(keys) == types.MaxWithdrawals {
			return true, nil
		}
		keys = append(keys, key)
		sum = sum.Add(amount)
		return false, nil
	})
	if err != nil {
		return sdk.Coin{}, err
	}
	if len(keys) == 0 {
		return sdk.Coin{}, errorsmod.Wrapf(types.ErrNothing, "holder %s: nothing has matured at height %d", name, now)
	}
	for _, key := range keys {
		if err := k.Unbondings.Remove(ctx, key); err != nil {
			return sdk.Coin{}, err
		}
	}
	paid := sdk.NewCoin(denom, sum)
	return paid, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, holder, sdk.NewCoins(paid))
}

// Hooks listens to x/poai.
type Hooks struct{ k Keeper }

var _ poaitypes.BondHooks = Hooks{}

// Hooks returns the listener to register with x/poai.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// BeforeOwnBondFalls refuses that a participant takes out what delegated bond stands on.
func (h Hooks) BeforeOwnBondFalls(ctx context.Context, p poaitypes.Participant, left math.Int) error {
	if !p.DelegatedBond().IsPositive() {
		return nil
	}
	return h.k.checkLeverage(ctx, p.Address, p.DelegatedBond(), left)
}
