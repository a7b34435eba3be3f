package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/rewards/types"
)

// InitGenesis writes a genesis state. The module's balance, which x/bank has set by then, must be what the state owes, and x/delegation, which has its
// state by then, must take what is minted.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	denom, err := k.delegation.RewardDenom(ctx)
	if err != nil {
		return err
	}
	if denom != g.Params.MintDenom {
		return errorsmod.Wrapf(types.ErrInvalidGenesis, "params.mint_denom: %s, reward_denom of x/delegation is %s", g.Params.MintDenom, denom)
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.Supply.Set(ctx, g.Supply); err != nil {
		return err
	}
	for _, p := range g.Pools {
		if err := k.Pools.Set(ctx, p.Epoch, p); err != nil {
			return err
		}
	}
	for i, v := range g.Vestings {
		addr, name, err := k.address("participant", v.Participant)
		if err != nil {
			return errorsmod.Wrapf(err, "vestings[%d]", i)
		}
		v.Participant = name
		if err := k.Vestings.Set(ctx, addr, v); err != nil {
			return err
		}
	}
	for i, c := range g.Claims {
		addr, _, err := k.address("participant", c.Participant)
		if err != nil {
			return errorsmod.Wrapf(err, "claims[%d]", i)
		}
		if err := k.Claims.Set(ctx, collections.Join(addr, c.Epoch)); err != nil {
			return err
		}
	}
	for i, f := range g.Forfeitures {
		addr, _, err := k.address("participant", f.Participant)
		if err != nil {
			return errorsmod.Wrapf(err, "forfeitures[%d]", i)
		}
		if err := k.Forfeitures.Set(ctx, addr, f.Epoch); err != nil {
			return err
		}
	}
	for i, b := range g.AutoBonds {
		addr, _, err := k.address("participant", b.Participant)
		if err != nil {
			return errorsmod.Wrapf(err, "auto_bonds[%d]", i)
		}
		if err := k.AutoBonds.Set(ctx, addr, b.Ppm); err != nil {
			return err
		}
	}
	return k.Invariants(ctx)
}

// ExportGenesis reads the whole state.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	supply, err := k.Supply.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params, Supply: supply}
	err = k.Pools.Walk(ctx, nil, func(_ uint64, p types.EpochPool) (bool, error) {
		g.Pools = append(g.Pools, p)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.Vestings.Walk(ctx, nil, func(_ sdk.AccAddress, v types.Vesting) (bool, error) {
		g.Vestings = append(g.Vestings, v)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.Claims.Walk(ctx, nil, func(c collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		name, err := k.addresses.BytesToString(c.K1())
		g.Claims = append(g.Claims, types.ClaimRecord{Participant: name, Epoch: c.K2()})
		return false, err
	})
	if err != nil {
		return nil, err
	}
	err = k.AutoBonds.Walk(ctx, nil, func(addr sdk.AccAddress, ppm uint32) (bool, error) {
		name, err := k.addresses.BytesToString(addr)
		g.AutoBonds = append(g.AutoBonds, types.AutoBond{Participant: name, Ppm: ppm})
		return false, err
	})
	if err != nil {
		return nil, err
	}
	return g, k.Forfeitures.Walk(ctx, nil, func(addr sdk.AccAddress, epoch uint64) (bool, error) {
		name, err := k.addresses.BytesToString(addr)
		g.Forfeitures = append(g.Forfeitures, types.Forfeiture{Participant: name, Epoch: epoch})
		return false, err
	})
}
