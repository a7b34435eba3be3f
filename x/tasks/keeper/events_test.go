package keeper_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// TestStateEventIsTyped: the state event is built by hand and must read as the typed event it stands for.
func TestStateEventIsTyped(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	seen := 0
	check := func() {
		for _, e := range f.ctx.EventManager().ABCIEvents() {
			if e.Type != "poai.tasks.v1.EventTaskState" {
				continue
			}
			typed, err := sdk.ParseTypedEvent(e)
			require.NoError(t, err)
			back, err := sdk.TypedEventToEvent(typed)
			require.NoError(t, err)
			require.Equal(t, sdk.Event(e), back)
			seen++
		}
	}
	id := f.submit(digitsMsg(f.who(9), 1))
	check() // without a worker
	f.block(2)
	require.NoError(t, f.keeper.EndBlock(f.ctx))
	check()
	require.Equal(t, types.STATE_ASSIGNED, f.state(id))
	require.GreaterOrEqual(t, seen, 1)
	last, err := sdk.ParseTypedEvent(f.ctx.EventManager().ABCIEvents()[len(f.ctx.EventManager().ABCIEvents())-1])
	require.NoError(t, err)
	st := f.status(id)
	require.Equal(t, &types.EventTaskState{TaskId: id, State: types.STATE_ASSIGNED, Worker: st.Worker, Due: st.Due}, last)
}

// events are the events of a type in this block so far, and in the last one.
func (f *fix) events(name string) (out []proto.Message) {
	f.tb.Helper()
	for _, e := range append(f.last, f.ctx.EventManager().ABCIEvents()...) {
		if e.Type != "poai.tasks.v1.Event"+name {
			continue
		}
		typed, err := sdk.ParseTypedEvent(e)
		require.NoError(f.tb, err)
		out = append(out, typed)
	}
	return out
}
