package keeper

import (
	"context"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/x/tasks/types"
)

func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// emitState emits an EventTaskState, as EmitTypedEvent would, without its way through JSON: that was more than half of what an item
// of a batch of seals costs. Nothing in it needs escaping: worker is an address that x/poai returned, or empty.
func emitState(ctx context.Context, id uint64, st types.Status) {
	sdk.UnwrapSDKContext(ctx).EventManager().EmitEvent(sdk.NewEvent("poai.tasks.v1.EventTaskState",
		sdk.NewAttribute("due", `"`+strconv.FormatInt(st.Due, 10)+`"`),
		sdk.NewAttribute("state", `"`+st.State.String()+`"`),
		sdk.NewAttribute("task_id", `"`+strconv.FormatUint(id, 10)+`"`),
		sdk.NewAttribute("worker", `"`+st.Worker+`"`),
	))
}
