package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// maxWithdrawals bounds the unbonding entries one message pays out; what is left takes another message.
const maxWithdrawals = 100

// addBond moves coins of an account into p's bond and stores p.
func (k *Keeper) addBond(ctx context.Context, p *types.Participant, from sdk.AccAddress, amount sdk.Coin, params types.Params) error {
	if err := checkCoin("amount", amount, params); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, from, types.ModuleName, sdk.NewCoins(amount)); err != nil {
		return err
	}
	return k.raiseBond(ctx, p, amount.Amount, params)
}

// raiseBond counts coins that have come in as p's bond and stores p.
func (k *Keeper) raiseBond(ctx context.Context, p *types.Participant, amount math.Int, params types.Params) error {
	if err := k.moveBond(ctx, p, amount); err != nil {
		return err
	}
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	return k.Participants.Set(ctx, p.Address, *p)
}

// unbond moves free bond of p's own into an unbonding entry and stores p. Locked bond stays, so that no coin backs two things, and what
// is left of its own must be min_bond or nothing at all, so that no dust stays.
func (k *Keeper) unbond(ctx context.Context, p *types.Participant, amount sdk.Coin, params types.Params) (mature int64, err error) {
	if err := checkCoin("amount", amount, params); err != nil {
		return 0, err
	}
	if free := p.Bond.Sub(p.Locked); amount.Amount.GT(free) {
		return 0, errorsmod.Wrapf(types.ErrBondLocked, "amount %s: %s of the bond is free, %s is locked", amount, free, p.Locked)
	}
	if err := k.checkOwnBond(ctx, *p, amount, params); err != nil {
		return 0, err
	}
	if p.Bond.Equal(amount.Amount) && p.Models > 0 {
		return 0, errorsmod.Wrapf(types.ErrBondTooLow, "amount %s: %d models are still served, stop serving first", amount, p.Models)
	}
	if err := k.moveBond(ctx, p, amount.Amount.Neg()); err != nil {
		return 0, err
	}
	mature = sdk.UnwrapSDKContext(ctx).BlockHeight() + params.UnbondingBlocks
	entry, err := k.Unbondings.Get(ctx, collections.Join(p.Address, mature))
	if errors.Is(err, collections.ErrNotFound) {
		entry, err = math.ZeroInt(), nil
	}
	if err != nil {
		return 0, err
	}
	if err := k.Unbondings.Set(ctx, collections.Join(p.Address, mature), entry.Add(amount.Amount)); err != nil {
		return 0, err
	}
	p.Unbonding = p.Unbonding.Add(amount.Amount)
	if err := k.weigh(ctx, p, params); err != nil {
		return 0, err
	}
	return mature, k.Participants.Set(ctx, p.Address, *p)
}

// withdrawUnbonded pays out matured entries, oldest first, and stores p.
func (k *Keeper) withdrawUnbonded(ctx context.Context, p *types.Participant, params types.Params) (sdk.Coin, error) {
	account, err := k.accountOf(p.Address)
	if err != nil {
		return sdk.Coin{}, err
	}
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	keys, sum, err := k.matured(ctx, p.Address, now)
	if err != nil {
		return sdk.Coin{}, err
	}
	if len(keys) == 0 {
		return sdk.Coin{}, errorsmod.Wrapf(types.ErrNothingMatured, "participant %s at height %d", p.Address, now)
	}
	for _, key := range keys {
		if err := k.Unbondings.Remove(ctx, key); err != nil {
			return sdk.Coin{}, err
		}
	}
	p.Unbonding = p.Unbonding.Sub(sum)
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return sdk.Coin{}, err
	}
	paid := sdk.NewCoin(params.BondDenom, sum)
	return paid, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, account, sdk.NewCoins(paid))
}

func (k *Keeper) matured(ctx context.Context, address string, now int64) (keys []UnbondingKey, sum math.Int, err error) {
	sum = math.ZeroInt()
	iter, err := k.Unbondings.Iterate(ctx, collections.NewPrefixedPairRange[string, int64](address).EndInclusive(now))
	if err != nil {
		return nil, sum, err
	}
	defer iter.Close()
	for ; iter.Valid() && len(keys) < maxWithdrawals; iter.Next() {
		kv, err := iter.KeyValue()
		if err != nil {
			return nil, sum, err
		}
		keys = append(keys, kv.Key)
		sum = sum.Add(kv.Value)
	}
	return keys, sum, nil
}
