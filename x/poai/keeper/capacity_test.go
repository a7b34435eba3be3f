package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/types"
)

// counting is a fixture in epoch 2, in which capacity counts: somebody who serves nothing has proven some. Bond 10 backs a unit per block,
// 500 of a newcomer's bond count, capacity halves every 3 epochs.
func counting(tb testing.TB) *fixture {
	tb.Helper()
	f := newFixture(tb)
	f.join(900, minBond)
	f.setCapacity(addr(900), 1)
	f.endBlocks(10)
	f.at(11)
	return f
}

func (f *fixture) setCapacity(participant string, capacity uint64) {
	f.t.Helper()
	require.NoError(f.t, f.SetCapacity(f.ctx, participant, capacity))
}

// weight is a participant's leaf in a model's tree.
func (f *fixture) weight(participant string) uint64 {
	f.t.Helper()
	leaf, found, err := f.Trees.Leaf(f.ctx, digits, participant)
	require.NoError(f.t, err)
	require.True(f.t, found)
	return leaf.Weight
}

// lastEvent is the last event of a type, nil when there is none.
func lastEvent[T proto.Message](ctx sdk.Context) (last T) {
	for _, e := range ctx.EventManager().ABCIEvents() {
		if msg, err := sdk.ParseTypedEvent(e); err == nil {
			if m, ok := msg.(T); ok {
				last = m
			}
		}
	}
	return last
}

func TestWeight(t *testing.T) {
	params := testParams()
	for name, c := range map[string]struct {
		bond, capacity int64
		reliability    uint64
		counts         bool
		want           uint64
	}{
		"by bond before capacity counts":     {5_000, 0, 1_000_000, false, 5_000},
		"capacity does not count yet":        {5_000, 7, 1_000_000, false, 5_000},
		"max_weight_bond":                    {50_000, 0, 1_000_000, false, 10_000},
		"below min_bond is dust":             {999, 0, 1_000_000, false, 0},
		"dust with capacity":                 {999, 1_000, 1_000_000, true, 0},
		"a newcomer":                         {5_000, 0, 1_000_000, true, 500},
		"a newcomer with much bond":          {50_000, 0, 1_000_000, true, 500},
		"less proven than newcomers get":     {5_000, 49, 1_000_000, true, 500},
		"proven":                             {5_000, 100, 1_000_000, true, 1_000},
		"proven more than the bond backs":    {5_000, 10_000, 1_000_000, true, 5_000},
		"proven more than max_weight_bond":   {50_000, 10_000, 1_000_000, true, 10_000},
		"more than anybody could":            {50_000, gomaxInt64, 1_000_000, true, 10_000},
		"reliability":                        {5_000, 100, 250_000, true, 250},
		"reliability without capacity":       {5_000, 0, 999_999, false, 4_999},
		"no reliability":                     {5_000, 100, 0, true, 0},
		"reliability rounds down to nothing": {1_000, 0, 1, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := types.Participant{Bond: math.NewInt(c.bond), Capacity: uint64(c.capacity), ReliabilityPpm: 1, WeighedReliabilityPpm: c.reliability}
			require.Equal(t, c.want, params.Weight(p, c.counts))
		})
	}
}

const gomaxInt64 = 1<<63 - 1

func TestCapacityCountsFromTheEpochAfterTheFirstProof(t *testing.T) {
	f := newFixture(t)
	proven, newcomer := f.join(1, 8_000, digits), f.join(2, 8_000, digits)
	require.EqualValues(t, 4_000, f.weight(newcomer))
	f.setCapacity(proven, 0)
	f.setCapacity(proven, 200)
	require.Equal(t, &types.EventCapacityCounts{Epoch: 2}, lastEvent[*types.EventCapacityCounts](f.ctx))
	require.Equal(t, &types.EventCapacityChanged{Participant: proven, Capacity: 200, Epoch: 1}, lastEvent[*types.EventCapacityChanged](f.ctx))
	f.endBlocks(9)
	require.EqualValues(t, 4_000, f.weight(proven), "nobody else could prove any yet")
	require.EqualValues(t, 4_000, f.weight(newcomer))
	f.ok()
	f.endBlocks(10)
	require.EqualValues(t, 1_000, f.weight(proven))
	require.EqualValues(t, 250, f.weight(newcomer))
	f.ok()
	f.setCapacity(newcomer, 700)
	require.EqualValues(t, 3_500, f.weight(newcomer), "at once from then on")
	require.ErrorIs(t, f.SetCapacity(f.ctx, addr(77), 1), types.ErrUnknownParticipant)
	f.ok()
}

func TestWithoutBondPerUnitCapacityCountsForNothing(t *testing.T) {
	f := counting(t)
	a := f.join(1, 8_000, digits)
	require.EqualValues(t, 250, f.weight(a))
	params := testParams()
	params.Capacity.BondPerUnit = math.ZeroInt()
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: moduleAddress("gov"), Params: params})
	require.NoError(t, err)
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, 4_000, f.weight(a))
	f.credit(a, 2, 1<<40, types.RoleWorker)
	require.Equal(t, "0", lastEvent[*types.EventScored](f.ctx).Excess)
	f.ok()
}

func TestProofsReplaceAndVoid(t *testing.T) {
	f := counting(t)
	a := f.join(1, 8_000, digits)
	for _, c := range []struct{ capacity, weight uint64 }{{400, 2_000}, {200, 1_000}, {700, 3_500}, {0, 250}, {0, 250}, {300, 1_500}} {
		f.setCapacity(a, c.capacity)
		require.Equal(t, c.capacity, f.get(a).Capacity)
		require.Equal(t, c.weight, f.weight(a))
		f.ok()
	}
	require.EqualValues(t, 2, f.get(a).CapacityEpoch)
	// Voided for good: nothing is left in the queue that could touch it.
	f.setCapacity(a, 0)
	f.endBlocks(90)
	require.Zero(t, f.get(a).Capacity)
	f.ok()
}

func TestCapacityHalves(t *testing.T) {
	f := counting(t)
	old, fresh := f.join(1, 8_000, digits), f.join(2, 8_000, digits)
	f.setCapacity(old, 801)
	f.setCapacity(fresh, 800)
	f.endBlocks(20) // epoch 3 begins
	f.at(21)
	f.setCapacity(fresh, 600)
	f.endBlocks(39)
	require.EqualValues(t, 801, f.get(old).Capacity, "epoch 4: two epochs old")
	f.endBlocks(40)
	require.EqualValues(t, 400, f.get(old).Capacity, "epoch 5")
	require.EqualValues(t, 5, f.get(old).CapacityEpoch)
	require.EqualValues(t, 2_000, f.weight(old))
	require.Equal(t, &types.EventCapacityChanged{Participant: old, Capacity: 400, Epoch: 5}, lastEvent[*types.EventCapacityChanged](f.ctx))
	require.EqualValues(t, 600, f.get(fresh).Capacity, "proven again later")
	f.endBlocks(50)
	require.EqualValues(t, 300, f.get(fresh).Capacity)
	f.ok()
	f.at(51)
	f.endBlocks(500)
	require.Zero(t, f.get(old).Capacity)
	require.EqualValues(t, 250, f.weight(old), "a newcomer again")
	left := 0
	require.NoError(t, f.Decays.Walk(f.ctx, nil, func(capacityKey) (bool, error) { left++; return false, nil }))
	require.Zero(t, left)
	f.ok()
}

func TestHalvingIsBoundedAndCatchesUp(t *testing.T) {
	f := counting(t)
	params := testParams()
	params.Capacity.HalvingEpochs = 0
	require.NoError(t, f.Params.Set(f.ctx, params))
	for i := range 10 {
		f.setCapacity(f.join(i, 8_000, digits), 800)
	}
	f.setCapacity(addr(900), 0)
	f.endBlocks(80) // epoch 9 begins
	require.EqualValues(t, 800, f.get(addr(0)).Capacity, "never, with halving_epochs 0")
	params.Capacity.HalvingEpochs = 3
	require.NoError(t, f.Params.Set(f.ctx, params))
	halved := func() (n int) {
		for i := range 10 {
			switch p := f.get(addr(i)); p.Capacity {
			case 200:
				require.EqualValues(t, 8, p.CapacityEpoch)
				n++
			default:
				require.EqualValues(t, 800, p.Capacity)
			}
		}
		return n
	}
	for h, want := range []int{4, 8, 10, 10} {
		f.at(81 + int64(h))
		require.NoError(t, f.EndBlock(f.ctx))
		require.Equal(t, want, halved(), "twice at once, four participants a block")
		f.ok()
	}
}

// credit credits units to a participant in an epoch.
func (f *fixture) credit(participant string, epoch, units uint64, role types.Role) {
	f.t.Helper()
	require.NoError(f.t, f.Credit(f.ctx, types.CreditRequest{Epoch: epoch, Participant: participant, Task: 1, Units: units, ScoreUnits: units, Role: role}))
}

func (f *fixture) score(epoch uint64, participant string) int64 {
	f.t.Helper()
	s, err := f.GetScore(f.ctx, epoch, participant)
	require.NoError(f.t, err)
	return s.Int64()
}

func TestCreditsAreBoundedByCapacity(t *testing.T) {
	f := counting(t)
	params := testParams()
	params.ReliabilityWindowUnits = 1 << 48 // reliability stays a half
	require.NoError(t, f.Params.Set(f.ctx, params))
	newcomer, small, proven := f.join(1, 5_000), f.join(2, 5_000), f.join(3, 5_000)
	f.setCapacity(small, 20)
	f.setCapacity(proven, 300)
	const epochs = 10 * 2 // blocks of an epoch × slack
	for p, perBlock := range map[string]uint64{newcomer: 50, small: 50, proven: 300} {
		most := perBlock * epochs
		f.credit(p, 2, most-7, types.RoleWorker)
		require.Equal(t, fmt.Sprint((most-7)*1_000_000), lastEvent[*types.EventScored](f.ctx).Units)
		require.Equal(t, "0", lastEvent[*types.EventScored](f.ctx).Excess)
		require.EqualValues(t, (most-7)*500_000, f.score(2, p))
		f.credit(p, 2, 8, types.RoleVerifier)
		require.EqualValues(t, (most-3)*500_000, f.score(2, p), "a verifier's share counts")
		f.credit(p, 2, 10, types.RoleWorker)
		require.EqualValues(t, most*500_000, f.score(2, p))
		e := lastEvent[*types.EventScored](f.ctx)
		require.Equal(t, []string{"3000000", "7000000"}, []string{e.Units, e.Excess})
		proven := f.get(p).UnitsProven
		f.credit(p, 2, 1_000, types.RoleWorker)
		require.EqualValues(t, most*500_000, f.score(2, p), "no more")
		require.Equal(t, proven+1_000, f.get(p).UnitsProven, "but it is proven work all the same")
		require.Equal(t, "0", lastEvent[*types.EventScored](f.ctx).Score)
		f.credit(p, 1, 100*most, types.RoleWorker)
		require.EqualValues(t, 100*most*500_000, f.score(1, p), "capacity did not count in that epoch")
	}
	require.EqualValues(t, (50+50+300)*epochs, f.epoch(2).TotalUnits.Int64())
	f.ok()
}

func TestSprintsAreCreditedTheirShare(t *testing.T) {
	f := counting(t)
	a := f.join(1, 5_000)
	f.credit(a, 2, 1_000, types.RoleSprint)
	require.EqualValues(t, 1_000*100_000/2, f.score(2, a))
	require.EqualValues(t, 100, f.epoch(2).TotalUnits.Int64())
	f.ok()
}

// Halves of units are not lost: two verifiers' credits of one unit are one unit.
func TestUnitsAreCountedExactly(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000)
	for want := range int64(9) {
		require.Equal(t, want/2, f.epoch(1).TotalUnits.Int64())
		f.credit(a, 1, 1, types.RoleVerifier)
		f.ok()
	}
}

// TestNobodyIsCreditedAboveItsCapacity lets capacities change while credits come in.
func TestNobodyIsCreditedAboveItsCapacity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := counting(t)
		params := testParams()
		allowed := map[string]math.Int{} // the most each was ever allowed in epoch 2
		for i := range 4 {
			f.join(i, 5_000)
			allowed[addr(i)] = params.EpochAllowance(0)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			p := addr(rapid.IntRange(0, 3).Draw(rt, "who"))
			if rapid.IntRange(0, 3).Draw(rt, "prove") == 0 {
				f.setCapacity(p, rapid.Uint64Range(0, 300).Draw(rt, "capacity"))
				allowed[p] = math.MaxInt(allowed[p], params.EpochAllowance(f.get(p).Capacity))
				continue
			}
			role := rapid.SampledFrom([]types.Role{types.RoleWorker, types.RoleVerifier, types.RoleSprint}).Draw(rt, "role")
			f.credit(p, 2, rapid.Uint64Range(0, 3_000).Draw(rt, "units"), role)
			s, err := f.Scores.Get(f.ctx, scoreKey(2, p))
			if err == nil {
				require.True(rt, s.Units.LTE(allowed[p]), "%s of %s", s.Units, allowed[p])
			}
			require.NoError(rt, f.CheckScores(f.ctx))
		}
	})
}

// A fault costs weight at the end of the block, and nobody else any.
func TestFaultsCostWeight(t *testing.T) {
	for name, c := range map[string]struct {
		req  types.SlashRequest
		want uint64
	}{
		"a timeout":            {types.SlashRequest{Bps: 0}, 8_000 * 490_000 / 1_000_000},
		"a timeout that costs": {types.SlashRequest{Bps: 5_000}, 7_500 * 490_000 / 1_000_000},
		"a lie":                {types.SlashRequest{Bps: 10_000, Lie: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			a, b := f.join(1, 8_000, digits), f.join(2, 8_000, digits)
			require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 1_000)))
			c.req.Participant, c.req.Kind, c.req.Task = a, types.LOCK_KIND_TASK, 1
			require.NoError(t, f.Slash(f.ctx, c.req))
			f.ok()
			require.NoError(t, f.EndBlock(f.ctx))
			require.Equal(t, c.want, f.weight(a))
			require.EqualValues(t, 4_000, f.weight(b))
			f.ok()
		})
	}
}

func TestFaultsAreWeighedInBoundedWork(t *testing.T) {
	f := newFixture(t)
	const n = 150
	for i := range n {
		a := f.join(i, 8_000, digits)
		require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 0)))
		require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1}))
	}
	f.ok()
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, 100*3_920+50*4_000, f.total(digits))
	f.ok()
	f.at(2)
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, n*3_920, f.total(digits))
	f.ok()
}
