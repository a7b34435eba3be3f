package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"poaid/x/training/types"
)

// InitGenesis stores everything. The module's account must hold what is left of the budgets, and every job must stand where its checkpoints say.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	k.account.GetModuleAccount(ctx, types.ModuleName)
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, r := range g.Recipes {
		if err := k.Recipes.Set(ctx, r.Recipe.Id, r.Recipe); err != nil {
			return err
		}
		if err := k.RecipeProgress.Set(ctx, r.Recipe.Id, r.Progress); err != nil {
			return err
		}
	}
	for _, j := range g.Jobs {
		if err := k.initJob(ctx, j); err != nil {
			return err
		}
	}
	return k.CheckInvariants(ctx)
}

func (k Keeper) initJob(ctx context.Context, g types.GenesisJob) error {
	owner, _, err := k.address("owner", g.Job.Owner)
	if err != nil {
		return err
	}
	if err := k.Jobs.Set(ctx, g.Job.Id, g.Job); err != nil {
		return err
	}
	if err := k.ByOwner.Set(ctx, collections.Join(owner, g.Job.Id)); err != nil {
		return err
	}
	for _, c := range g.Checkpoints {
		if err := k.Checkpoints.Set(ctx, collections.Join(g.Job.Id, c.Step), c); err != nil {
			return err
		}
		if err := k.ByTask.Set(ctx, c.Task, g.Job.Id); err != nil {
			return err
		}
	}
	if g.Progress.Task != 0 {
		if err := k.ByTask.Set(ctx, g.Progress.Task, g.Job.Id); err != nil {
			return err
		}
	}
	return k.schedule(ctx, g.Job, &g.Progress, g.Progress.Due)
}

// ExportGenesis reads everything that InitGenesis cannot rebuild.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.Jobs.Walk(ctx, nil, func(id uint64, j types.Job) (bool, error) {
		out := types.GenesisJob{Job: j}
		var err error
		if out.Progress, err = k.Progress.Get(ctx, id); err != nil {
			return true, err
		}
		err = k.Checkpoints.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint64](id), func(_ stepKey, c types.Checkpoint) (bool, error) {
			out.Checkpoints = append(out.Checkpoints, c)
			return false, nil
		})
		g.Jobs = append(g.Jobs, out)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	err = k.Recipes.Walk(ctx, nil, func(id string, r types.Recipe) (bool, error) {
		p, err := k.RecipeProgress.Get(ctx, id)
		g.Recipes = append(g.Recipes, types.RecipeView{Recipe: r, Progress: p})
		return false, err
	})
	return g, err
}
