package keeper_test

import (
	"math/bits"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/keeper"
	"poaid/x/poai/types"
)

func (f *fixture) epoch(number uint64) types.Epoch {
	f.t.Helper()
	e, err := f.GetEpoch(f.ctx, number)
	require.NoError(f.t, err)
	return e
}

func TestEpochsEndAndClose(t *testing.T) {
	f := newFixture(t) // epochs of 10 blocks that close 15 blocks after their end
	require.EqualValues(t, 1, f.epoch(1).StartHeight)
	f.endBlocks(9)
	now, err := f.CurrentEpoch(f.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, now)
	f.endBlocks(10)
	now, err = f.CurrentEpoch(f.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, now)
	e := f.epoch(1)
	require.EqualValues(t, 10, e.EndHeight)
	require.EqualValues(t, 25, e.CloseHeight)
	require.EqualValues(t, 11, f.epoch(2).StartHeight)
	f.at(11)
	f.endBlocks(24)
	require.Empty(t, f.hooks.closed)
	f.at(25)
	f.endBlocks(25)
	require.Len(t, f.hooks.closed, 1)
	require.True(t, f.hooks.closed[0].Closed)
	require.Equal(t, f.epoch(1), f.hooks.closed[0])
	f.at(26)
	f.endBlocks(60)
	numbers := []uint64{}
	for _, e := range f.hooks.closed {
		numbers = append(numbers, e.Number)
	}
	require.Equal(t, []uint64{1, 2, 3, 4}, numbers, "each once, in order")
	_, err = f.GetEpoch(f.ctx, 99)
	require.ErrorIs(t, err, collections.ErrNotFound)
}

// When governance shortens the delay many epochs are due at once; they close in order, a few a block.
func TestClosingBacklogIsBounded(t *testing.T) {
	f := newFixture(t)
	params := testParams()
	params.EpochBlocks, params.EpochCloseDelayBlocks = 1, 100
	require.NoError(t, f.Params.Set(f.ctx, params))
	f.endBlocks(20)
	require.Empty(t, f.hooks.closed)
	f.at(110)
	for want := 4; want <= 8; want += 4 {
		require.NoError(t, f.EndBlock(f.ctx))
		require.Len(t, f.hooks.closed, want)
	}
}

func TestCredit(t *testing.T) {
	f := newFixture(t)
	a, b := f.join(1, 2_000), f.join(2, 2_000)
	credit := func(p string, epoch, units, scored uint64, role types.Role) {
		t.Helper()
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: epoch, Participant: p, Task: 1, Units: units, ScoreUnits: scored, Role: role}))
	}
	score := func(epoch uint64, p string) int64 {
		t.Helper()
		s, err := f.GetScore(f.ctx, epoch, p)
		require.NoError(t, err)
		return s.Int64()
	}
	credit(a, 1, 1_000, 1_000, types.RoleWorker)
	require.EqualValues(t, 1_000*500_000, score(1, a), "units × reliability before the credit")
	require.EqualValues(t, 750_000, f.get(a).ReliabilityPpm, "a window's worth of units halves the gap")
	require.EqualValues(t, 1_000, f.get(a).UnitsProven)
	credit(b, 1, 1_000, 1_000, types.RoleVerifier)
	require.EqualValues(t, 1_000*500_000/2, score(1, b), "verifier_share")
	credit(a, 1, 10, 4, types.RoleWorker)
	require.EqualValues(t, 1_000*500_000+4*750_000, score(1, a))
	credit(a, 1, 10, 0, types.RoleWorker)
	require.EqualValues(t, 1_000*500_000+4*750_000, score(1, a), "fee-only work earns no score")
	e := f.epoch(1)
	require.Equal(t, score(1, a)+score(1, b), e.TotalScore.Int64())
	require.EqualValues(t, 1_000+500+4, e.TotalUnits.Int64())
	require.Zero(t, score(7, a))
	f.ok()
}

func TestCreditGoesToTheEpochOfAssignmentWhileItIsOpen(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	credit := func(epoch uint64) error {
		return f.Credit(f.ctx, types.CreditRequest{Epoch: epoch, Participant: a, Units: 1, ScoreUnits: 1, Role: types.RoleWorker})
	}
	f.endBlocks(24)
	require.NoError(t, credit(1))
	require.True(t, f.epoch(1).TotalScore.IsPositive(), "ended, not closed")
	f.at(25)
	f.endBlocks(25)
	closed := f.epoch(1)
	require.NoError(t, credit(1))
	require.Equal(t, closed, f.epoch(1), "closed: final")
	require.True(t, f.epoch(3).TotalScore.IsPositive(), "the running epoch instead")
	require.ErrorIs(t, credit(4), types.ErrUnknownEpoch)
	require.ErrorIs(t, credit(0), types.ErrUnknownEpoch)
	f.ok()
}

func TestCreditRefuses(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	req := types.CreditRequest{Epoch: 1, Participant: a, Units: 1, ScoreUnits: 1, Role: types.RoleWorker}
	role, scored, nobody := req, req, req
	role.Role, scored.ScoreUnits, nobody.Participant = 0, 2, addr(9)
	require.ErrorIs(t, f.Credit(f.ctx, role), types.ErrInvalidCredit)
	require.ErrorIs(t, f.Credit(f.ctx, scored), types.ErrInvalidCredit)
	require.ErrorIs(t, f.Credit(f.ctx, nobody), types.ErrUnknownParticipant)
}

// The largest units there are neither overflow nor fail.
func TestCreditOfHugeUnits(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	const huge = ^uint64(0)
	for range 3 {
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: 1, Participant: a, Units: huge, ScoreUnits: huge, Role: types.RoleWorker}))
	}
	p := f.get(a)
	require.Equal(t, huge, p.UnitsProven)
	require.LessOrEqual(t, p.ReliabilityPpm, uint64(types.PPM))
	got, err := f.GetScore(f.ctx, 1, a)
	require.NoError(t, err)
	require.True(t, got.GT(math.NewIntFromUint64(huge).MulRaw(500_000)))
	f.ok()
}

// After a fault, work counts by its units: n tasks of one unit raise reliability no more than continuous compounding of n units would,
// and no less than about one task of n units, whatever the sizes.
func TestReliabilityIsWeightedByUnits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.Uint64Range(1_000, 1_000_000).Draw(rt, "window")
		start := rapid.Uint64Range(0, types.PPM).Draw(rt, "reliability")
		p := types.Participant{ReliabilityPpm: start}
		total := uint64(0)
		for _, u := range rapid.SliceOfN(rapid.Uint64Range(1, 50), 1, 300).Draw(rt, "units") {
			before := p.ReliabilityPpm
			keeper.Prove(&p, u, window)
			require.GreaterOrEqual(rt, p.ReliabilityPpm, before)
			require.LessOrEqual(rt, p.ReliabilityPpm, uint64(types.PPM))
			total += u
		}
		// The gain is at most gap · total/window.
		hi, lo := bits.Mul64(types.PPM-start, total)
		require.Zero(rt, hi)
		require.LessOrEqual(rt, p.ReliabilityPpm-start, lo/window)
	})
}

func TestOneUnitTasksCannotLaunderAFault(t *testing.T) {
	f := newFixture(t)
	params := testParams()
	params.ReliabilityWindowUnits = 1_000_000
	require.NoError(t, f.Params.Set(f.ctx, params))
	a := f.join(1, 5_000)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 10)))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000, Lie: true}))
	require.EqualValues(t, 250_000, f.get(a).ReliabilityPpm)
	for range 1_000 {
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: 1, Participant: a, Units: 1, ScoreUnits: 1, Role: types.RoleWorker}))
	}
	got := f.get(a).ReliabilityPpm
	require.Greater(t, got, uint64(250_000), "small tasks count for what they are")
	require.LessOrEqual(t, got, uint64(250_750), "a thousandth of the window closes at most a thousandth of the gap")
}
