package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

// checkRecipe refuses a job that says it follows a recipe and does not.
func (k Keeper) checkRecipe(ctx context.Context, j types.Job) error {
	if j.Recipe == "" {
		return nil
	}
	r, err := k.Recipes.Get(ctx, j.Recipe)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrRecipe, "recipe: %q is unknown", clip(j.Recipe))
	}
	if err != nil {
		return err
	}
	switch {
	case r.Model != j.Model:
		return errorsmod.Wrapf(types.ErrRecipe, "model: %q, recipe %q is of %q", j.Model, r.Id, r.Model)
	case r.Steps != j.Steps:
		return errorsmod.Wrapf(types.ErrRecipe, "steps: %d, recipe %q has %d", j.Steps, r.Id, r.Steps)
	case !bytes.Equal(r.InputRoot, j.InputRoot):
		return errorsmod.Wrapf(types.ErrRecipe, "inputs: their root is %X, recipe %q has %X", j.InputRoot, r.Id, r.InputRoot)
	case r.FiniteOutput != j.FiniteOutput:
		return errorsmod.Wrapf(types.ErrRecipe, "finite_output: %q, recipe %q has %q", clip(j.FiniteOutput), r.Id, r.FiniteOutput)
	}
	return nil
}

// followed reads how far the recipe is that a job follows. found is false where it follows none: governance has removed it since, or given its name to
// another.
func (k Keeper) followed(ctx context.Context, j types.Job) (r types.RecipeProgress, found bool, err error) {
	if j.Recipe == "" {
		return r, false, nil
	}
	if err := k.checkRecipe(ctx, j); err != nil {
		if errors.Is(err, types.ErrRecipe) {
			err = nil
		}
		return r, false, err
	}
	r, err = k.RecipeProgress.Get(ctx, j.Recipe)
	return r, err == nil, err
}

// claim tells whether the next segment of a job may earn score. One job at a time earns it for a recipe, and every step once, in their order: what was
// done before can be copied, and what is done before its turn could be paid again.
func (k Keeper) claim(ctx context.Context, j types.Job, p types.Progress) (bool, error) {
	if p.NotFinite {
		return false, nil
	}
	r, found, err := k.followed(ctx, j)
	if err != nil || !found || r.Job != 0 && r.Job != j.Id || p.Step != r.Done {
		return false, err
	}
	r.Job = j.Id
	return true, k.RecipeProgress.Set(ctx, j.Recipe, r)
}

// unclaim lets another job earn score for the recipe.
func (k Keeper) unclaim(ctx context.Context, j types.Job) error {
	if j.Recipe == "" {
		return nil
	}
	r, err := k.RecipeProgress.Get(ctx, j.Recipe)
	if errors.Is(err, collections.ErrNotFound) || err == nil && r.Job != j.Id {
		return nil
	}
	if err != nil {
		return err
	}
	r.Job = 0
	return k.RecipeProgress.Set(ctx, j.Recipe, r)
}

// advance notes that steps of a recipe are done, whoever did them and whether they were paid with score.
func (k Keeper) advance(ctx context.Context, j types.Job, task taskstypes.Task) error {
	r, found, err := k.followed(ctx, j)
	if err != nil || !found || task.StartStep > r.Done || task.Steps <= r.Done {
		return err
	}
	r.Done = task.Steps
	return k.RecipeProgress.Set(ctx, j.Recipe, r)
}

// registerRecipe keeps a recipe whose model is there.
func (k Keeper) registerRecipe(ctx context.Context, r types.Recipe) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if has, err := k.Recipes.Has(ctx, r.Id); err != nil {
		return err
	} else if has {
		return errorsmod.Wrapf(types.ErrRecipe, "id: %q is taken", r.Id)
	}
	if _, err := k.model(ctx, r.Model); err != nil {
		return err
	}
	if err := k.Recipes.Set(ctx, r.Id, r); err != nil {
		return err
	}
	if err := k.RecipeProgress.Set(ctx, r.Id, types.RecipeProgress{}); err != nil {
		return err
	}
	return emit(ctx, &types.EventRecipeRegistered{Id: r.Id, Model: r.Model})
}

// removeRecipe ends a recipe: no segment that is opened from now on earns score.
func (k Keeper) removeRecipe(ctx context.Context, id string) error {
	if has, err := k.Recipes.Has(ctx, id); err != nil {
		return err
	} else if !has {
		return errorsmod.Wrapf(types.ErrRecipe, "id: %q is unknown", clip(id))
	}
	if err := k.Recipes.Remove(ctx, id); err != nil {
		return err
	}
	if err := k.RecipeProgress.Remove(ctx, id); err != nil {
		return err
	}
	return emit(ctx, &types.EventRecipeRemoved{Id: id})
}
