package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/x/grades/types"
)

// InitGenesis stores everything. It must run after x/bank and x/poai.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	numbers := make(map[string]uint64, len(g.Contests))
	for _, c := range g.Contests {
		if err := k.initContest(ctx, c); err != nil {
			return errorsmod.Wrapf(err, "contest %q", c.Id)
		}
		numbers[c.Id] = c.Number
	}
	for _, e := range g.Entries {
		n := numbers[e.Contest]
		if err := k.Entries.Set(ctx, collections.Join(n, uint64(e.Slot)), e); err != nil {
			return err
		}
		if err := k.EntryOf.Set(ctx, collections.Join(n, e.Owner), uint64(e.Slot)); err != nil {
			return err
		}
	}
	for _, s := range g.Seats {
		if err := k.Seats.Set(ctx, collections.Join(numbers[s.Contest], s.Grader), s); err != nil {
			return err
		}
	}
	for _, b := range g.Bonds {
		if err := k.Bonds.Set(ctx, collections.Join(numbers[b.Contest], b.Grader), b); err != nil {
			return err
		}
	}
	for _, r := range g.Rounds {
		if err := k.Rounds.Set(ctx, collections.Join(numbers[r.Contest], r.Round), r); err != nil {
			return err
		}
	}
	return k.checkBalance(ctx)
}

func (k Keeper) initContest(ctx context.Context, c types.Contest) error {
	if err := k.Names.Set(ctx, c.Id, c.Number); err != nil {
		return err
	}
	if err := k.Number.Set(ctx, c.Number); err != nil {
		return err
	}
	if c.Due > 0 {
		if err := k.Due.Set(ctx, collections.Join(c.Due, c.Number)); err != nil {
			return err
		}
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// ExportGenesis reads everything that InitGenesis cannot rebuild.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	if g.Contests, err = list(ctx, k.Contests, nil); err != nil {
		return nil, err
	}
	if g.Entries, err = list(ctx, k.Entries, nil); err != nil {
		return nil, err
	}
	if g.Seats, err = list(ctx, k.Seats, nil); err != nil {
		return nil, err
	}
	if g.Bonds, err = list(ctx, k.Bonds, nil); err != nil {
		return nil, err
	}
	g.Rounds, err = list(ctx, k.Rounds, nil)
	return g, err
}
