package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/datasets/types"
)

// InitGenesis writes a genesis state.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	for i, d := range g.Datasets {
		if err := k.importDataset(ctx, d); err != nil {
			return errorsmod.Wrapf(err, "datasets[%d]", i)
		}
	}
	for i, r := range g.Grants {
		addr, _, err := k.address("grantee", r.Grantee)
		if err != nil {
			return errorsmod.Wrapf(err, "grants[%d]", i)
		}
		if err := k.setGrant(ctx, r.Dataset, addr, r.Expires); err != nil {
			return err
		}
	}
	for i, u := range g.Usages {
		addr, _, err := k.address("user", u.User)
		if err != nil {
			return errorsmod.Wrapf(err, "usages[%d]", i)
		}
		if err := k.Usages.Set(ctx, collections.Join(u.Dataset, addr), u.Usage); err != nil {
			return err
		}
	}
	return k.Invariants(ctx)
}

func (k Keeper) importDataset(ctx context.Context, g types.GenesisDataset) error {
	d := g.Dataset
	_, owner, err := k.address("owner", d.Owner)
	if err != nil {
		return err
	}
	d.Owner, d.Terms = owner, d.Terms.Normal()
	if err := k.Datasets.Set(ctx, d.Id, d); err != nil {
		return err
	}
	for _, root := range g.Roots {
		if err := k.takeRoot(ctx, d.Id, root); err != nil {
			return err
		}
	}
	for _, p := range g.Programs {
		if err := k.Programs.Set(ctx, collections.Join(d.Id, p.ProgramHash), p.Free); err != nil {
			return err
		}
	}
	if g.Counts.Grants > 0 {
		if err := k.GrantCounts.Set(ctx, d.Id, g.Counts.Grants); err != nil {
			return err
		}
	}
	if g.Counts.Uses == 0 {
		return nil
	}
	return k.UseCounts.Set(ctx, d.Id, g.Counts.Uses)
}

// ExportGenesis reads the whole state.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.Datasets.Walk(ctx, nil, func(_ string, d types.Dataset) (bool, error) {
		out, err := k.exportDataset(ctx, d)
		g.Datasets = append(g.Datasets, out)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	err = k.Grants.Walk(ctx, nil, func(key collections.Pair[string, sdk.AccAddress], expires int64) (bool, error) {
		name, err := k.addresses.BytesToString(key.K2())
		g.Grants = append(g.Grants, types.GenesisGrant{Dataset: key.K1(), Grantee: name, Expires: expires})
		return false, err
	})
	if err != nil {
		return nil, err
	}
	return g, k.Usages.Walk(ctx, nil, func(key collections.Pair[string, sdk.AccAddress], u types.Usage) (bool, error) {
		name, err := k.addresses.BytesToString(key.K2())
		g.Usages = append(g.Usages, types.GenesisUsage{Dataset: key.K1(), User: name, Usage: u})
		return false, err
	})
}

func (k Keeper) exportDataset(ctx context.Context, d types.Dataset) (types.GenesisDataset, error) {
	out := types.GenesisDataset{Dataset: d}
	of := collections.NewPrefixedPairRange[string, []byte](d.Id)
	err := k.Tensors.Walk(ctx, of, func(key collections.Pair[string, []byte]) (bool, error) {
		out.Roots = append(out.Roots, key.K2())
		return false, nil
	})
	if err != nil {
		return out, err
	}
	err = k.Programs.Walk(ctx, of, func(key collections.Pair[string, []byte], free bool) (bool, error) {
		out.Programs = append(out.Programs, types.Program{ProgramHash: key.K2(), Free: free})
		return false, nil
	})
	if err != nil {
		return out, err
	}
	out.Counts, err = k.counts(ctx, d.Id)
	return out, err
}
