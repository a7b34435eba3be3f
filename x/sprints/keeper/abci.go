package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/branch"
	"poaid/x/sprints/types"
)

// EndBlock turns the season with the epoch, moves the window on, fails openings that are overdue, drops what is old, and tosses the coin for the
// next window. Each step runs on a branch of the state: what fails is announced, leaves no trace and is tried again in the next block.
func (k Keeper) EndBlock(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	last, err := k.LastWindow.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		last, err = 0, nil
	}
	if err != nil || params.DutyPpm == 0 && last == 0 {
		return err
	}
	for _, step := range []struct {
		name string
		run  func(context.Context, types.Params) error
	}{
		{"season", k.turnSeason},
		{"coin", k.tossCoin},
		{"window", k.moveWindow},
		{"overdue", k.failOverdue},
		{"prune", k.prune},
	} {
		if err := k.try(ctx, step.name, func(ctx context.Context) error { return step.run(ctx, params) }); err != nil {
			return err
		}
	}
	return nil
}

// try runs a step on a branch and announces its failure.
func (k Keeper) try(ctx context.Context, step string, f func(context.Context) error) error {
	err := branch.Run(ctx, f)
	if err == nil {
		return nil
	}
	sdk.UnwrapSDKContext(ctx).Logger().With("module", types.ModuleName).Error("step failed", "step", step, "err", err)
	return emit(ctx, &types.EventStepFailed{Step: step, Error: reason(err)})
}
