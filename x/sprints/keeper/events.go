package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	"poaid/internal/events"
)

// maxReason bounds the text of an error in an event.
const maxReason = 256

func emit(ctx context.Context, event proto.Message) error { return events.Emit(ctx, event) }

// reason cuts an error to what an event may hold.
func reason(err error) string {
	s := err.Error()
	return s[:min(len(s), maxReason)]
}
