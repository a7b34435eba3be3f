package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

func draw(task uint64, lock int64, exclude ...string) types.DrawRequest {
	return types.DrawRequest{Task: task, Model: digits, Seed: []byte("seed"), Lock: math.NewInt(lock), Exclude: exclude}
}

func TestDrawWorkerLocksAndOccupies(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000, digits)
	worker, found, err := f.DrawWorker(f.ctx, draw(1, 700))
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, a, worker)
	p := f.get(a)
	require.EqualValues(t, 700, p.Locked.Int64())
	require.EqualValues(t, 1, p.Active)
	f.ok()

	require.NoError(t, f.ReleaseWorker(f.ctx, a))
	require.Zero(t, f.get(a).Active)
	require.EqualValues(t, 700, f.get(a).Locked.Int64(), "the lock stays")
	require.ErrorIs(t, f.ReleaseWorker(f.ctx, a), types.ErrNoPlace)
	f.ok()
}

func TestDrawWorkerSkipsWhoCannot(t *testing.T) {
	f := newFixture(t)
	poor, busy, excluded, fit := f.join(1, 10_000, digits), f.join(2, 10_000, digits), f.join(3, 10_000, digits), f.join(4, 1_000, digits)
	f.join(5, 10_000, story)
	require.NoError(t, f.LockBond(f.ctx, taskLock(poor, 99, 9_600)))
	p := f.get(busy)
	p.Concurrency, p.Active = 1, 1
	require.NoError(t, f.Participants.Set(f.ctx, busy, p))
	for task := range uint64(20) { // whatever comes first, the draw goes on to the one who can
		worker, found, err := f.DrawWorker(f.ctx, draw(task+100, 500, excluded, excluded, addr(77)))
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, fit, worker)
		require.NoError(t, f.ReleaseWorker(f.ctx, fit))
		require.NoError(t, f.ReleaseLock(f.ctx, fit, types.LOCK_KIND_TASK, task+100))
	}
	_, found, err := f.DrawWorker(f.ctx, draw(1, 500, excluded, fit))
	require.NoError(t, err)
	require.False(t, found)
	require.EqualValues(t, 9_600, f.get(poor).Locked.Int64(), "a failed draw leaves no trace")
}

func TestDrawWorkerTriesAreBounded(t *testing.T) {
	f := newFixture(t)
	for i := range 40 {
		f.join(i, minBond, digits)
	}
	fit := f.join(50, 1_500, digits)
	hits := 0
	for task := range uint64(30) {
		worker, found, err := f.DrawWorker(f.ctx, draw(task, 1_200))
		require.NoError(t, err)
		if !found {
			continue
		}
		hits++
		require.Equal(t, fit, worker)
		require.NoError(t, f.ReleaseWorker(f.ctx, fit))
		require.NoError(t, f.ReleaseLock(f.ctx, fit, types.LOCK_KIND_TASK, task))
	}
	require.Greater(t, hits, 3)
	require.Less(t, hits, 30, "16 tries of 41")
}

func TestDrawWorkerNobodyServes(t *testing.T) {
	f := newFixture(t)
	f.join(1, 2_000, story)
	_, found, err := f.DrawWorker(f.ctx, draw(1, 1))
	require.NoError(t, err)
	require.False(t, found)
}

func TestDrawWorkerDependsOnSeedAndTask(t *testing.T) {
	f := newFixture(t)
	for i := range 30 {
		f.join(i, minBond, digits)
	}
	drawn := map[string]int{}
	for task := range uint64(60) {
		worker, found, err := f.DrawWorker(f.ctx, draw(task, 0))
		require.NoError(t, err)
		require.True(t, found)
		drawn[worker]++
		require.NoError(t, f.ReleaseWorker(f.ctx, worker))
	}
	require.Greater(t, len(drawn), 15)
	f.ok()
}
