package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	"poaid/internal/events"
	"poaid/x/tasks/types"
)

func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}

// emitState emits an EventTaskState.
func emitState(ctx context.Context, id uint64, st types.Status) error {
	return emit(ctx, &types.EventTaskState{TaskId: id, State: st.State, Worker: st.Worker, Due: st.Due})
}
