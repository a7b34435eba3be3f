package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

func TestALieJailsAtOnce(t *testing.T) {
	f := newFixture(t)
	f.open(5, 3) // five and the worker serve digits
	a := f.seatsOf(task)[0].Participant
	_, err := f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{story}})
	require.NoError(t, err)
	total := f.total(digits)
	require.Positive(t, f.total(story))
	f.lie(a, 77, 100)
	until := f.ctx.BlockHeight() + types.DefaultFaultParams().JailBlocks
	require.Equal(t, until, f.get(a).Conduct.JailedUntil)
	require.Zero(t, f.total(story), "in every tree, in the same transaction")
	require.Equal(t, total*5/6, f.total(digits))
	f.ok()

	for range 20 {
		worker, found, err := f.DrawWorker(f.ctx, draw(uint64(1_000+f.ctx.BlockHeight()), 0))
		require.NoError(t, err)
		require.True(t, found)
		require.NotEqual(t, a, worker)
		require.NoError(t, f.ReleaseWorker(f.ctx, worker))
		require.NoError(t, f.ReleaseLock(f.ctx, worker, types.LOCK_KIND_TASK, uint64(1_000+f.ctx.BlockHeight())))
		f.at(f.ctx.BlockHeight() + 1)
	}
	f.at(1)
	for _, kind := range []types.LockKind{types.LOCK_KIND_TASK, types.LOCK_KIND_SEAT, types.LOCK_KIND_CLAIM, types.LOCK_KIND_SPRINT} {
		require.ErrorIs(t, f.LockBond(f.ctx, types.Lock{Participant: a, Kind: kind, Item: 5, Amount: math.OneInt()}), types.ErrJailed)
	}
	require.ErrorIs(t, f.Qualify(f.ctx, types.QualifyRequest{Participant: a, Model: digits, Lock: math.ZeroInt()}), types.ErrUnfit)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{"third"}})
	require.ErrorIs(t, err, types.ErrJailed)
	require.Empty(t, f.seal(a, sealItem(a, task, rootOf(1))), "what was given to it is still due")
	require.NoError(t, f.AssignWorker(f.ctx, a, 9), "and what it owes")
	f.fund(a, 5_000)
	_, err = f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(5_000)})
	require.NoError(t, err)
	f.setCapacity(a, 900)
	require.Zero(t, f.total(story), "neither bond nor capacity buys it out")
	f.endBlocks(30)
	require.Zero(t, f.total(story))
	f.ok()
}

func TestUnjail(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 1_500, digits)
	require.ErrorIs(t, f.unjail(a), types.ErrNotJailed)
	require.ErrorIs(t, f.unjail(addr(9)), types.ErrUnknownParticipant)
	f.lie(a, 1, 800)
	until := f.get(a).Conduct.JailedUntil
	f.at(until - 1)
	require.ErrorIs(t, f.unjail(a), types.ErrStillJailed)
	f.at(until)
	require.ErrorIs(t, f.unjail(a), types.ErrBondTooLow)
	f.fund(a, 300)
	_, err := f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(300)})
	require.NoError(t, err)
	require.NoError(t, f.unjail(a))
	require.EqualValues(t, 250, f.total(digits), "1,000 by a reliability of a quarter")
	require.ErrorIs(t, f.unjail(a), types.ErrNotJailed)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 2, 1)))
	f.ok()
}

func TestJailDoublesWithLiesThatAreRemembered(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) {
		p.JailBlocks, p.MaxJailBlocks, p.MemoryBlocks, p.TimeoutJailBlocks = 10, 35, 100, 5
	})
	a := f.join(1, 1<<40)
	item := uint64(0)
	for _, c := range []struct{ at, jail int64 }{
		{1, 10}, {50, 20}, {150, 35}, {200, 35}, // each within a hundred blocks of the one before
		{301, 10}, // forgotten
		{302, 20},
	} {
		f.at(c.at)
		item++
		require.Equal(t, c.at+c.jail, f.lie(a, item, 10).JailedUntil, "lie at height %d", c.at)
	}
	f.ok()
}

// A lie that brings less jail than is left shortens nothing.
func TestJailIsNeverShortenedByAnotherLie(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) {
		p.JailBlocks, p.MaxJailBlocks, p.MemoryBlocks, p.TimeoutJailBlocks = 50, 200, 1, 5
	})
	a := f.join(1, 1<<40)
	for i := range uint64(3) {
		f.lie(a, i, 1)
	}
	require.EqualValues(t, 201, f.get(a).Conduct.JailedUntil)
	f.at(20)
	f.lie(a, 9, 1)
	require.EqualValues(t, 201, f.get(a).Conduct.JailedUntil)
}

func TestTimeoutsInARowJail(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) { p.MaxTimeouts, p.TimeoutJailBlocks = 3, 7 })
	a := f.join(1, 9_000, digits)
	f.timeout(a, 1, 10)
	f.timeout(a, 2, 10)
	f.credit(a, 1, 5, types.RoleWorker) // proven work between them
	f.timeout(a, 3, 10)
	f.timeout(a, 4, 10)
	require.False(t, f.get(a).Jailed())
	require.NoError(t, f.EndBlock(f.ctx))
	require.Positive(t, f.total(digits))
	f.timeout(a, 5, 10)
	require.EqualValues(t, 8, f.get(a).Conduct.JailedUntil)
	require.EqualValues(t, 8, f.lastFault(a).JailedUntil)
	require.Zero(t, f.total(digits))
	require.ErrorIs(t, f.LockBond(f.ctx, taskLock(a, 9, 1)), types.ErrJailed)
	require.NoError(t, f.LockBond(f.ctx, types.Lock{Participant: a, Kind: types.LOCK_KIND_CLAIM, Item: 9, Amount: math.OneInt()}),
		"who was silent, not lying, may still say that another lies")
	require.Empty(t, f.hooks.lies)
	for i := range uint64(10) {
		f.timeout(a, 20+i, 10)
	}
	require.EqualValues(t, 8, f.get(a).Conduct.JailedUntil, "what was due already makes it no longer")
	f.at(8)
	require.NoError(t, f.unjail(a))
	require.Positive(t, f.total(digits))
	require.Zero(t, f.get(a).Conduct.Timeouts)
	f.ok()
}

func TestTimeoutsNeverJailWhereTheLimitIsZero(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) { p.MaxTimeouts = 0 })
	a := f.join(1, 9_000)
	for i := range uint64(100) {
		f.timeout(a, i, 10)
	}
	require.False(t, f.get(a).Jailed())
}

func TestAbstentionsCountAsTimeouts(t *testing.T) {
	for name, excused := range map[string]bool{"abstained": false, "excused": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.with(func(p *types.FaultParams) { p.MaxTimeouts = 1 })
			a, b := f.join(1, 9_000, digits), f.join(2, 9_000, digits)
			f.at(5)
			_, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
				Task: task, Model: digits, Seed: []byte("x"), Size: 2, LockPerSeat: math.NewInt(10), Deadline: 5, Excused: excused,
			})
			require.NoError(t, err)
			require.Empty(t, f.seal(a, sealItem(a, task, rootOf(1))))
			_, err = f.CloseOverdueSeats(f.ctx, task, nil, 6)
			require.NoError(t, err)
			require.False(t, f.get(a).Jailed())
			require.Equal(t, !excused, f.get(b).Jailed())
			require.EqualValues(t, 9_000, f.get(b).Bond.Int64(), "it costs no bond")
			f.ok()
		})
	}
}
