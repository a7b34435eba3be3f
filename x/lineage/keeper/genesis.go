package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/lineage/types"
)

// InitGenesis writes a genesis state. Models, datasets and the module's balance are there by then, and must fit.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	nodes, err := types.Depths(g.Edges)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := k.Nodes.Set(ctx, n.Name, n.Node); err != nil {
			return err
		}
	}
	for _, e := range g.Edges {
		if err := k.link(ctx, e.Child, e.Parent, e.ShareBps); err != nil {
			return err
		}
	}
	for _, a := range g.Accounts {
		if err := k.Accounts.Set(ctx, collections.Join(a.Node, a.Denom), a.Account); err != nil {
			return err
		}
	}
	for _, s := range g.Settled {
		if err := k.Settled.Set(ctx, collections.Join3(s.Child, s.Parent, s.Denom), s.Amount); err != nil {
			return err
		}
	}
	return errorsmod.Wrap(k.Invariants(ctx), types.ErrInvalidGenesis.Error())
}

// ExportGenesis reads the whole state. Nodes follow from edges.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.Edges.Walk(ctx, nil, func(key collections.Pair[string, string], share uint32) (bool, error) {
		g.Edges = append(g.Edges, types.GenesisEdge{Child: key.K1(), Parent: key.K2(), ShareBps: share})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.Accounts.Walk(ctx, nil, func(key collections.Pair[string, string], a types.Account) (bool, error) {
		g.Accounts = append(g.Accounts, types.GenesisAccount{Node: key.K1(), Denom: key.K2(), Account: a})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return g, k.Settled.Walk(ctx, nil, func(key collections.Triple[string, string, string], v math.Int) (bool, error) {
		g.Settled = append(g.Settled, types.GenesisSettled{Child: key.K1(), Parent: key.K2(), Denom: key.K3(), Amount: v})
		return false, nil
	})
}
