package keeper

import (
	"context"

	"poaid/x/tasks/types"
)

// afterEnd pays the refund of a cancelled task; for a task whose escrow is gone retention is over.
func (k Keeper) afterEnd(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	paid, err := k.Payments.Has(ctx, task.Id)
	if err != nil {
		return err
	}
	if !paid {
		return k.refund(ctx, params, task, st, st.State, nothing())
	}
	return k.prune(ctx, task, st)
}

// prune drops inputs and committee; task, status, result and payment stay as the receipt.
func (k Keeper) prune(ctx context.Context, task types.Task, st types.Status) error {
	if err := k.Inputs.Remove(ctx, task.Id); err != nil {
		return err
	}
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	if len(seats) > 0 {
		if err := k.poai.PruneCommittee(ctx, task.Id); err != nil {
			return err
		}
	}
	if err := k.dropRunners(ctx, st, task.Id); err != nil {
		return err
	}
	enter(&st, st.State, 0, 0)
	st.Pruned, st.Seal, st.Tried, st.VrfKey, st.VrfInput = true, nil, nil, nil, nil
	if err := k.store(ctx, task.Id, st); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventTaskPruned{TaskId: task.Id}); err != nil {
		return err
	}
	return (*k.disputes).AfterTaskPruned(ctx, task.Id)
}
