package keeper

import (
	"context"

	"poaid/x/tasks/types"
)

// PayMembers pays members from the pot, with the params as they are.
func (k Keeper) PayMembers(ctx context.Context, task types.Task, st types.Status, pay *types.Payment, agreed []string) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	return k.payMembers(ctx, params, task, st, pay, agreed)
}
