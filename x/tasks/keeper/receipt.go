package keeper

import (
	"context"

	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
)

// writeReceipt stores what a task that becomes FINAL leaves for ever.
func (k Keeper) writeReceipt(ctx context.Context, task types.Task, st types.Status, model modelstypes.Model) error {
	result, err := k.Results.Get(ctx, task.Id)
	if err != nil {
		return err
	}
	return k.Receipts.Set(ctx, task.Id, types.Receipt{
		TaskId: task.Id, Model: task.Model, ProgramHash: model.ProgramHash, WeightsRoot: model.WeightsRoot, InputRoot: task.InputRoot,
		OutputRoot: result.OutputRoot, ResultRoot: st.ResultRoot, Steps: task.Steps, Worker: st.Worker, Height: height(ctx),
		StartStep: task.StartStep, StartRoot: task.StartRoot,
	})
}
