package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// TestFailingTransition: what fails leaves nothing half done, is tried again more and more rarely, and is never lost.
func TestFailingTransition(t *testing.T) {
	f := fixture(t)
	id := f.assigned(digitsMsg(f.who(9), 1))
	other := f.submit(digitsMsg(f.who(9), 2))
	st := f.status(id)
	*f.poai.failSlash = true
	var tries []int64
	for range 40 {
		before := f.status(id).Retries
		f.block(1) // checks that the slash was taken back
		if f.status(id).Retries != before {
			tries = append(tries, f.ctx.BlockHeight()-1-st.Deadline)
		}
	}
	require.Equal(t, []int64{0, 1, 3, 7, 15, 31}, tries)
	require.Equal(t, types.STATE_ASSIGNED, f.state(id))
	require.Equal(t, st.Deadline, f.status(id).Deadline, "a retry extends no deadline")
	require.Equal(t, uint32(1), f.status(other).Attempt, "the others went on")
	*f.poai.failSlash = false
	f.until(id, types.STATE_OPEN)
	require.Len(t, f.slashes(id), 1)
}

// TestLostRandomness: where the randomness of a height is gone, a later one is used.
func TestLostRandomness(t *testing.T) {
	f := fixture(t)
	id := f.submit(digitsMsg(f.who(9), 1))
	f.beacon.lost[3] = true
	f.block(3)
	st := f.status(id)
	require.Equal(t, types.STATE_OPEN, st.State)
	require.Equal(t, int64(4), st.Due)
	f.block(1)
	require.Equal(t, types.STATE_ASSIGNED, f.state(id))
}

// TestPanicIsAnError: a panic of another module in one transition stops that transition only.
func TestPanicIsAnError(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	model := f.models.models["digits"]
	model.Owner = "nobody" // no address: payment fails
	f.models.models["digits"] = model
	other, _ := f.revealed(&types.MsgSubmitTask{
		Submitter: f.who(9), Model: "plain", Inputs: []types.NamedTensor{image(5)}, Steps: 1, Allocation: types.ALLOCATION_DRAW, MaxFee: coin(5_000),
	})
	f.until(other, types.STATE_FINAL)
	require.Equal(t, types.STATE_REVEALED, f.state(id))
	require.NotZero(t, f.status(id).Retries)
	model.Owner = address(100)
	f.models.models["digits"] = model
	f.until(id, types.STATE_FINAL)
}

// TestBoundedBlocks: a block makes at most max_transitions_per_block, oldest first, and the rest is made later. Deadlines hold by
// height, not by when the queue got to them.
func TestBoundedBlocks(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.MaxTransitionsPerBlock = 8 })
	ids := make([]uint64, 20)
	for i := range ids {
		ids[i] = f.submit(digitsMsg(f.who(9), i))
	}
	assigned := func() (n int) {
		for _, id := range ids {
			if f.state(id) == types.STATE_ASSIGNED {
				n++
			}
		}
		return n
	}
	f.block(2)
	for _, want := range []int{8, 16, 20} {
		f.block(1)
		require.Equal(t, want, assigned())
	}
	require.Equal(t, types.STATE_ASSIGNED, f.state(ids[0]))
}

// waiting submits n tasks that nobody has the bond for.
func (f *fix) waiting(n int) []uint64 {
	story := f.models.models["story"]
	story.UnitsStep = 100_000_000
	f.models.models["story"] = story
	ids := make([]uint64, n)
	for i := range ids {
		msg := storyMsg(f.who(9), 1, byte(i))
		msg.MaxFee = coin(200_000_000)
		ids[i] = f.submit(msg)
	}
	return ids
}

// tried counts the tasks that the next block tries to draw for.
func (f *fix) tried(ids []uint64) (n int) {
	before := make([]int64, len(ids))
	for i, id := range ids {
		before[i] = f.status(id).Due
	}
	f.block(1)
	for i, id := range ids {
		if f.status(id).Due != before[i] {
			n++
		}
	}
	return n
}

// TestWaitingTasksDoNotDelayDeadlines: tasks nobody can be drawn for take their quota of a full block, no less and no more.
func TestWaitingTasksDoNotDelayDeadlines(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.MaxTransitionsPerBlock, p.OpenBlocks = 8, 1000 })
	waiting := f.waiting(60)
	f.block(12) // all of them tried once, and waiting again
	require.Equal(t, 8, f.tried(waiting), "nothing else is due")
	for i := range 20 {
		f.submit(digitsMsg(f.who(8), 100+i))
	}
	mine := f.submit(digitsMsg(f.who(8), 1))
	require.Equal(t, 8, f.tried(waiting))
	require.Equal(t, 8, f.tried(waiting))
	require.Equal(t, 2, f.tried(waiting), "a quarter")
	require.Equal(t, 2, f.tried(waiting))
	require.Equal(t, 2, f.tried(waiting))
	require.Equal(t, types.STATE_OPEN, f.state(mine))
	require.Equal(t, 5, f.tried(waiting), "the last three of 21 leave room")
	require.Equal(t, types.STATE_ASSIGNED, f.state(mine))
	for _, id := range waiting {
		require.Equal(t, types.STATE_OPEN, f.state(id))
		require.LessOrEqual(t, f.status(id).Due, f.ctx.BlockHeight()+16)
	}
}

// TestStaleEntries: entries for heights that are no longer due are dropped, whatever they say.
func TestStaleEntries(t *testing.T) {
	f := fixture(t)
	id := f.submit(digitsMsg(f.who(9), 1))
	require.NoError(t, f.keeper.Due.Set(f.ctx, collections.Join(int64(1), id)))
	require.NoError(t, f.keeper.Due.Set(f.ctx, collections.Join(int64(2), id)))
	require.NoError(t, f.keeper.Due.Set(f.ctx, collections.Join(int64(1), uint64(77))))
	f.block(2)
	require.Equal(t, types.STATE_OPEN, f.state(id))
	left := 0
	require.NoError(t, f.keeper.Due.Walk(f.ctx, nil, func(collections.Pair[int64, uint64]) (bool, error) { left++; return false, nil }))
	require.Equal(t, 1, left)
}
