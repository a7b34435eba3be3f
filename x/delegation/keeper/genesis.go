package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	"poaid/x/delegation/types"
)

// InitGenesis stores a genesis. x/bank and x/poai have stored theirs by then, and must agree with it.
func (k Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, p := range gs.Pools {
		if _, err := k.account("pools.participant", p.Participant); err != nil {
			return err
		}
		if err := k.Pools.Set(ctx, p.Participant, p); err != nil {
			return err
		}
	}
	for _, c := range gs.Commissions {
		if err := k.Commissions.Set(ctx, collections.Join(c.Participant, c.Epoch), c.Bps); err != nil {
			return err
		}
	}
	for _, d := range gs.Delegations {
		if _, err := k.account("delegations.holder", d.Holder); err != nil {
			return err
		}
		if err := k.Delegations.Set(ctx, collections.Join(d.Participant, d.Holder), d); err != nil {
			return err
		}
		if err := k.ByHolder.Set(ctx, collections.Join(d.Holder, d.Participant)); err != nil {
			return err
		}
	}
	for _, s := range gs.Starts {
		if err := k.Starts.Set(ctx, collections.Join3(s.Participant, s.Generation, s.Epoch), s); err != nil {
			return err
		}
	}
	for _, e := range gs.Endings {
		if err := k.Endings.Set(ctx, collections.Join(e.Participant, e.Generation), e); err != nil {
			return err
		}
	}
	for _, u := range gs.Unbondings {
		if _, err := k.account("unbondings.holder", u.Holder); err != nil {
			return err
		}
		if err := k.Unbondings.Set(ctx, collections.Join3(u.Holder, u.MatureHeight, u.Participant), u.Amount); err != nil {
			return err
		}
	}
	return k.CheckInvariants(ctx)
}

// ExportGenesis reads the whole state.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params}
	for _, export := range []func() error{
		func() error { return all(ctx, k.Pools, &gs.Pools) },
		func() error { return all(ctx, k.Delegations, &gs.Delegations) },
		func() error { return all(ctx, k.Starts, &gs.Starts) },
		func() error { return all(ctx, k.Endings, &gs.Endings) },
		func() error {
			return k.Commissions.Walk(ctx, nil, func(key CommissionKey, bps uint32) (bool, error) {
				gs.Commissions = append(gs.Commissions, types.Commission{Participant: key.K1(), Epoch: key.K2(), Bps: bps})
				return false, nil
			})
		},
		func() error {
			return k.Unbondings.Walk(ctx, nil, func(key UnbondingKey, amount math.Int) (bool, error) {
				gs.Unbondings = append(gs.Unbondings, types.Unbonding{
					Holder: key.K1(), MatureHeight: key.K2(), Participant: key.K3(), Amount: amount,
				})
				return false, nil
			})
		},
	} {
		if err := export(); err != nil {
			return nil, err
		}
	}
	return gs, nil
}

// all lists the values of a map.
func all[K, V any](ctx context.Context, m collections.Map[K, V], list *[]V) error {
	return m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		*list = append(*list, v)
		return false, nil
	})
}
