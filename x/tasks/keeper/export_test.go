package keeper

import (
	"context"

	"poaid/x/tasks/types"
)

// AuditPay pays members from the pot, with the params as they are.
func (k Keeper) AuditPay(ctx context.Context, task types.Task, st types.Status, pay *types.Payment, agreed []string) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	return k.auditPay(ctx, params, task, st, pay, agreed)
}
