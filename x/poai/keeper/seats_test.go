package keeper_test

import (
	"fmt"
	"math"
	"testing"

	sdkmath "cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/types"
)

// TestSeatsAreDrawnByWeight compares who has the first and who the second seat with drawing by weight without replacement, the worker left out.
func TestSeatsAreDrawnByWeight(t *testing.T) {
	f := counting(t)
	worker := f.join(0, 9_000, digits)
	f.setCapacity(worker, 900)
	weights := []float64{250, 1_000, 250, 2_500, 600} // by bond or capacity, times a reliability of a half
	for i, capacity := range []uint64{0, 200, 30, 5_000, 120} {
		f.setCapacity(f.join(i+1, 5_000, digits), capacity)
		require.EqualValues(t, weights[i], f.weight(addr(i+1)))
	}
	const rounds = 8_000
	counts := map[[2]string]float64{}
	for i := range uint64(rounds) {
		branch, _ := f.ctx.CacheContext()
		_, err := f.OpenCommittee(branch, types.CommitteeRequest{
			Task: i, Model: digits, Worker: worker, Seed: []byte("joint"), Size: 2, LockPerSeat: sdkmath.NewInt(10), Deadline: 20,
		})
		require.NoError(t, err)
		_, seats, err := f.GetCommittee(branch, i)
		require.NoError(t, err)
		require.Len(t, seats, 2)
		counts[[2]string{seats[0].Participant, seats[1].Participant}]++
	}
	const total = 4_600
	x, seen := 0.0, 0.0
	for i, wi := range weights {
		for j, wj := range weights {
			if i == j {
				continue
			}
			p := rounds * wi / total * wj / (total - wi)
			got := counts[[2]string{addr(i + 1), addr(j + 1)}]
			x += (got - p) * (got - p) / p
			seen += got
		}
	}
	require.InDelta(t, rounds, seen, 0, "nobody else, and never the worker")
	const k = 19 // 99.9% point of chi-square (Wilson–Hilferty)
	require.Less(t, x, k*math.Pow(1-2./(9*k)+float64(3.09*math.Sqrt(2./(9*k))), 3))
}

// crowd lets random participants join: ordinary ones, dust (slashed below min_bond), some whose reliability is gone, and one whale. It returns who
// can be drawn.
func crowd(rt *rapid.T, f *fixture) (all []string, able map[string]bool) {
	able = map[string]bool{}
	for i := range rapid.IntRange(2, 12).Draw(rt, "participants") {
		bond := int64(minBond)
		kind := rapid.SampledFrom([]string{"plain", "rich", "dust", "no weight", "busy", "whale"}).Draw(rt, "kind")
		switch kind {
		case "rich":
			bond = 7_000
		case "whale":
			bond = 1 << 50
		}
		a := f.join(i, bond, digits)
		p := f.get(a)
		switch kind {
		case "dust":
			require.NoError(rt, f.LockBond(f.ctx, taskLock(a, 99, 1)))
			require.NoError(rt, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 99, Bps: 10_000}))
		case "no weight":
			p.ReliabilityPpm = 0
			require.NoError(rt, f.Participants.Set(f.ctx, a, p))
			f.setCapacity(a, 0)
			require.Zero(rt, f.weight(a))
		case "busy":
			require.NoError(rt, f.LockBond(f.ctx, taskLock(a, 98, minBond)))
		default:
			able[a] = true
		}
		all = append(all, a)
	}
	if rapid.Bool().Draw(rt, "end block") {
		require.NoError(rt, f.EndBlock(f.ctx))
	}
	return all, able
}

// TestCommitteesGrowAndNeverHoldTheWorker runs random committees with abstentions to their end: one seat an operator, never the worker nor anybody
// without weight or free bond, exactly as many seats as there can be, and nothing changes for those who are not in it.
func TestCommitteesGrowAndNeverHoldTheWorker(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		all, able := crowd(rt, f)
		worker := rapid.SampledFrom(append(all, addr(800))).Draw(rt, "worker")
		delete(able, worker)
		before := map[string]types.Participant{}
		for _, a := range all {
			before[a] = f.get(a)
		}
		size := rapid.Uint32Range(1, 8).Draw(rt, "size")
		f.at(5)
		c, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
			Task: task, Model: digits, Worker: worker, Seed: []byte("grow"), Size: size, LockPerSeat: sdkmath.NewInt(10), Deadline: 5,
		})
		require.NoError(rt, err)
		limit := testParams().MaxSeats
		require.Equal(rt, min(size, limit, uint32(len(able))), c.Seats)
		if c.Seats == 0 {
			return // nothing is stored
		}
		absent := map[string]bool{}
		for round := 0; c.Phase == types.COMMITTEE_PHASE_SEALING; round++ {
			for _, s := range f.seatsOf(task) {
				switch {
				case s.State != types.SEAT_STATE_OPEN:
				case rapid.Bool().Draw(rt, "absent"):
					absent[s.Participant] = true
				default:
					require.Empty(rt, f.seal(s.Participant, sealItem(s.Participant, task, rootOf(1))))
				}
			}
			if c = f.committee(task); c.Phase != types.COMMITTEE_PHASE_SEALING {
				break
			}
			want := min(c.Size_-c.Sealed, limit-c.Seats, uint32(len(able))-c.Seats)
			seats := c.Seats
			c, err = f.CloseOverdueSeats(f.ctx, task, fmt.Append(nil, round), f.ctx.BlockHeight())
			require.NoError(rt, err)
			require.Equal(rt, seats+want, c.Seats, "grown by what abstained, as far as there is anybody")
		}
		taken := map[string]bool{}
		for _, s := range f.seatsOf(task) {
			require.NotEqual(rt, worker, s.Participant)
			require.True(rt, able[s.Participant], "%s cannot take a seat", s.Participant)
			require.False(rt, taken[s.Participant], "one seat an operator")
			taken[s.Participant] = true
		}
		require.NoError(rt, f.EndBlock(f.ctx))
		for _, a := range all {
			p := f.get(a)
			if absent[a] {
				require.Less(rt, p.ReliabilityPpm, before[a].ReliabilityPpm)
				continue
			}
			require.Equal(rt, before[a].ReliabilityPpm, p.ReliabilityPpm)
			require.Equal(rt, before[a].Bond, p.Bond)
		}
		require.NoError(rt, f.CheckInvariants(f.ctx))
	})
}

// An absent party loses weight itself; nobody else's weight or score is touched, whatever part of all weight was its.
func TestAbsentWhaleChangesNobodyElse(t *testing.T) {
	f := newFixture(t)
	whale, a, b := f.join(1, 1<<50, digits), f.join(2, 2_000, digits), f.join(3, 3_000, digits)
	f.credit(a, 1, 100, types.RoleWorker)
	scoreA, weightA, weightB := f.score(1, a), f.weight(a), f.weight(b)
	f.at(5)
	_, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
		Task: task, Model: digits, Worker: addr(50), Seed: []byte("x"), Size: 3, LockPerSeat: sdkmath.NewInt(10), Deadline: 5,
	})
	require.NoError(t, err)
	for _, p := range []string{a, b} {
		require.Empty(t, f.seal(p, sealItem(p, task, rootOf(1))))
	}
	c, err := f.CloseOverdueSeats(f.ctx, task, []byte("y"), 6)
	require.NoError(t, err)
	require.Equal(t, types.COMMITTEE_PHASE_REVEALING, c.Phase, "nobody is left; the committee goes on without it")
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, 4_900, f.weight(whale))
	require.Equal(t, []uint64{weightA, weightB}, []uint64{f.weight(a), f.weight(b)})
	require.Equal(t, scoreA, f.score(1, a))
	require.Zero(t, f.score(1, whale))
	f.ok()
}

// Hundreds slashed to just below min_bond keep no draw from finding who can take the place: from the next blocks on they weigh nothing.
func TestDustCannotBreakADraw(t *testing.T) {
	f := newFixture(t)
	for i := range 300 {
		a := f.join(i+10, minBond, digits)
		require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 1)))
		require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000}))
	}
	fit := f.join(1, 2_000, digits)
	for h := int64(1); h <= 3; h++ { // a hundred are weighed anew in each block
		f.at(h)
		require.NoError(t, f.EndBlock(f.ctx))
	}
	require.Equal(t, f.weight(fit), uint64(f.total(digits)), "dust weighs nothing")
	for i := range uint64(50) {
		worker, found, err := f.DrawWorker(f.ctx, draw(100+i, 10))
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, fit, worker)
		require.NoError(t, f.ReleaseWorker(f.ctx, fit))
	}
	f.ok()
}
