package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/training/types"
)

// CheckInvariants checks what holds between blocks. It walks everything, so it is for tests and audits.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkEscrow, k.checkJobs, k.checkIndexes, k.checkRecipes} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func broken(format string, args ...any) error {
	return errorsmod.Wrapf(types.ErrInvariant, format, args...)
}

// checkEscrow checks that the module's account holds what is left of all budgets, no more and no less.
func (k Keeper) checkEscrow(ctx context.Context) error {
	owed := sdk.NewCoins()
	var denoms []string
	seen := make(map[string]bool)
	err := k.Jobs.Walk(ctx, nil, func(id uint64, j types.Job) (bool, error) {
		p, err := k.Progress.Get(ctx, id)
		if err != nil {
			return true, err
		}
		if !seen[j.Denom] {
			seen[j.Denom] = true
			denoms = append(denoms, j.Denom)
		}
		if p.Escrow.IsPositive() {
			owed = owed.Add(sdk.NewCoin(j.Denom, p.Escrow))
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	account := k.account.GetModuleAddress(types.ModuleName)
	for _, denom := range denoms {
		if held := k.bank.GetBalance(ctx, account, denom); !held.Amount.Equal(owed.AmountOf(denom)) {
			return broken("escrow: the module holds %s, jobs are owed %s", held, owed)
		}
	}
	return nil
}

// checkJobs checks each job on its own: that what it says fits its state, that it stands at a checkpoint, and that what is due is queued.
func (k Keeper) checkJobs(ctx context.Context) error {
	return k.Jobs.Walk(ctx, nil, func(id uint64, j types.Job) (bool, error) {
		p, err := k.Progress.Get(ctx, id)
		if err != nil {
			return true, err
		}
		switch {
		case p.Escrow.IsNegative() || p.Spent.IsNegative():
			return true, broken("job %d: escrow %s, spent %s", id, p.Escrow, p.Spent)
		case p.State == types.STATE_RUNNING && p.Task == 0 || p.Task != 0 && p.State != types.STATE_RUNNING && p.State != types.STATE_CANCELLED:
			return true, broken("job %d: task %d in %s", id, p.Task, p.State)
		case p.State == types.STATE_OPENING && p.Due == 0 || p.State == types.STATE_PAUSED && p.Due != 0:
			return true, broken("job %d: due at %d in %s", id, p.Due, p.State)
		case (p.State == types.STATE_TRAINED || p.State == types.STATE_FINISHED) && p.Step != j.Steps:
			return true, broken("job %d: %s after %d of %d steps", id, p.State, p.Step, j.Steps)
		case p.Due == 0 && p.Task == 0 && p.Escrow.IsPositive() && p.State != types.STATE_PAUSED:
			return true, broken("job %d: keeps %s in %s", id, p.Escrow, p.State)
		}
		if p.Step > 0 {
			c, err := k.Checkpoints.Get(ctx, collections.Join(id, p.Step))
			if err != nil || string(c.StateRoot) != string(p.StateRoot) {
				return true, broken("job %d: stands at step %d with root %X, its checkpoint has %X: %v", id, p.Step, p.StateRoot, c.StateRoot, err)
			}
		}
		if p.Due != 0 {
			if queued, err := k.Due.Has(ctx, collections.Join(p.Due, id)); err != nil || !queued {
				return true, broken("job %d: due at %d and not queued: %v", id, p.Due, err)
			}
		}
		return false, nil
	})
}

// checkIndexes checks that ByTask has the tasks of checkpoints and of running segments and no others, and ByOwner every job.
func (k Keeper) checkIndexes(ctx context.Context) error {
	tasks := 0
	if err := k.Progress.Walk(ctx, nil, func(id uint64, p types.Progress) (bool, error) {
		if p.Task == 0 {
			return false, nil
		}
		tasks++
		return false, k.checkTask(ctx, p.Task, id)
	}); err != nil {
		return err
	}
	if err := k.Checkpoints.Walk(ctx, nil, func(key stepKey, c types.Checkpoint) (bool, error) {
		tasks++
		return false, k.checkTask(ctx, c.Task, key.K1())
	}); err != nil {
		return err
	}
	if err := k.ByTask.Walk(ctx, nil, func(uint64, uint64) (bool, error) {
		tasks--
		return false, nil
	}); err != nil || tasks != 0 {
		return broken("%d tasks more than checkpoints and running segments have are kept: %v", -tasks, err)
	}
	return k.ByOwner.Walk(ctx, nil, func(key collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		j, err := k.Jobs.Get(ctx, key.K2())
		if err != nil {
			return true, err
		}
		if owner, _, err := k.address("owner", j.Owner); err != nil || !owner.Equals(key.K1()) {
			return true, broken("job %d: indexed for %s, owned by %s", j.Id, key.K1(), j.Owner)
		}
		return false, nil
	})
}

func (k Keeper) checkTask(ctx context.Context, task, job uint64) error {
	got, err := k.ByTask.Get(ctx, task)
	if err != nil || got != job {
		return broken("job %d: its task %d is kept for job %d: %v", job, task, got, err)
	}
	return nil
}

// checkRecipes checks that a job that earns score for a recipe follows it and is under way.
func (k Keeper) checkRecipes(ctx context.Context) error {
	return k.RecipeProgress.Walk(ctx, nil, func(id string, r types.RecipeProgress) (bool, error) {
		recipe, err := k.Recipes.Get(ctx, id)
		if err != nil {
			return true, err
		}
		if r.Done > recipe.Steps {
			return true, broken("recipe %q: %d of %d steps", id, r.Done, recipe.Steps)
		}
		if r.Job == 0 {
			return false, nil
		}
		j, p, err := k.job(ctx, r.Job)
		if err != nil {
			return true, err
		}
		if j.Recipe != id || p.Task == 0 && p.State != types.STATE_OPENING {
			return true, broken("recipe %q: job %d, which follows %q, is %s", id, j.Id, j.Recipe, p.State)
		}
		return false, nil
	})
}
