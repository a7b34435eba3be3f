package keeper_test

import (
	"maps"
	"slices"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/types"
)

// lie locks an amount and has it lost for a lie.
func (f *fixture) lie(participant string, item uint64, amount int64) types.Fault {
	f.t.Helper()
	require.NoError(f.t, f.fault(participant, item, amount, types.SlashRequest{Bps: types.BPS, Lie: true, Reason: "wrong result"}))
	return f.lastFault(participant)
}

// timeout locks an amount and has a hundredth of it lost.
func (f *fixture) timeout(participant string, item uint64, amount int64) {
	f.t.Helper()
	require.NoError(f.t, f.fault(participant, item, amount, types.SlashRequest{Bps: 100, Reason: "late"}))
}

// fault locks by what was drawn before: a lock in jail is as one that was there.
func (f *fixture) fault(participant string, item uint64, amount int64, req types.SlashRequest) error {
	require.NoError(f.t, f.AssignWorker(f.ctx, participant, item))
	p := f.get(participant)
	p.Locked = p.Locked.AddRaw(amount)
	require.NoError(f.t, f.Participants.Set(f.ctx, participant, p))
	require.NoError(f.t, f.Locks.Set(f.ctx, collections.Join3(participant, int32(types.LOCK_KIND_TASK), item), math.NewInt(amount)))
	require.NoError(f.t, f.ReleaseWorker(f.ctx, participant))
	req.Participant, req.Kind, req.Task = participant, types.LOCK_KIND_TASK, item
	return f.Slash(f.ctx, req)
}

func (f *fixture) faults(participant string) []types.Fault {
	f.t.Helper()
	res, err := f.query.Faults(f.ctx, &types.QueryFaultsRequest{Address: participant})
	require.NoError(f.t, err)
	return res.Faults
}

func (f *fixture) lastFault(participant string) types.Fault {
	f.t.Helper()
	all := f.faults(participant)
	require.NotEmpty(f.t, all)
	return all[len(all)-1]
}

func (f *fixture) unjail(participant string) error {
	_, err := f.msgs.Unjail(f.ctx, &types.MsgUnjail{Participant: participant})
	return err
}

func (f *fixture) acquit(participant string, number uint64) error {
	_, err := f.msgs.Acquit(f.ctx, &types.MsgAcquit{Authority: moduleAddress("gov"), Participant: participant, Fault: number})
	return err
}

// with changes the params of faults.
func (f *fixture) with(change func(*types.FaultParams)) {
	f.t.Helper()
	p, err := f.Params.Get(f.ctx)
	require.NoError(f.t, err)
	change(&p.Fault)
	require.NoError(f.t, p.Validate())
	require.NoError(f.t, f.Params.Set(f.ctx, p))
}

func TestEverySlashLeavesARecord(t *testing.T) {
	f := newFixture(t)
	a, b := f.join(1, 9_000, digits), f.join(2, 9_000)
	f.endBlocks(3)
	own, valid := rootOf(1), rootOf(2)
	evidence := types.Evidence{OwnRoot: own[:], ValidRoot: valid[:], Reference: "case of task 7, attempt 1"}
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 7, 1_000)))
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 8, 500)))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 8, Bps: 100, Reason: "late"}))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{
		Participant: a, Kind: types.LOCK_KIND_TASK, Task: 7, Bps: types.BPS, Reason: "wrong result", Lie: true, Evidence: evidence, Beneficiaries: []string{b},
	}))
	require.Equal(t, uint64(2), lastEvent[*types.EventSlashed](f.ctx).Fault)
	zero := math.ZeroInt()
	require.Equal(t, []types.Fault{
		{
			Participant: a, Number: 1, Kind: types.LOCK_KIND_TASK, Item: 8, Reason: "late", Taken: math.NewInt(5), Extra: zero, Burnt: math.NewInt(3),
			Height: 3, Epoch: 1, ReliabilityBeforePpm: 500_000, ReliabilityAfterPpm: 490_000,
		},
		{
			Participant: a, Number: 2, Kind: types.LOCK_KIND_TASK, Item: 7, Reason: "wrong result", Lie: true, Evidence: evidence,
			Taken: math.NewInt(1_000), Extra: zero, Burnt: math.NewInt(500), Height: 3, Epoch: 1,
			ReliabilityBeforePpm: 490_000, ReliabilityAfterPpm: 245_000, JailedUntil: f.get(a).Conduct.JailedUntil,
		},
	}, f.faults(a))
	require.Empty(t, f.faults(b))
	f.ok()

	for n := range uint64(5) {
		f.timeout(b, n, 100)
	}
	var got []uint64
	for page := (&query.PageRequest{Limit: 2}); ; {
		res, err := f.query.Faults(f.ctx, &types.QueryFaultsRequest{Address: b, Pagination: page})
		require.NoError(t, err)
		for _, x := range res.Faults {
			got = append(got, x.Number)
		}
		if len(res.Pagination.NextKey) == 0 {
			break
		}
		page = &query.PageRequest{Limit: 2, Key: res.Pagination.NextKey}
	}
	require.Equal(t, []uint64{1, 2, 3, 4, 5}, got)
	require.Len(t, f.faults(a), 2, "one participant's pages do not run into another's")
	f.ok()
}

func TestExtra(t *testing.T) {
	for name, c := range map[string]struct {
		free, lost, total int64
		lies              uint32
		correlation       uint64
		want              int64
	}{
		"a single fault":                    {1_000_000, 0, 10_000_000, 0, 3_000_000, 0},
		"one small fault elsewhere":         {1_000_000, 1, 10_000_000_000, 0, 3_000_000, 0},
		"a hundredth of all":                {1_000_000, 100_000, 10_000_000, 0, 3_000_000, 30_000},
		"a third of all: everything":        {1_000_000, 3_333_334, 10_000_000, 0, 3_000_000, 1_000_000},
		"more than all":                     {1_000_000, 9_000_000, 10_000_000, 0, 3_000_000, 1_000_000},
		"one's own second lie":              {1_000_000, 0, 10_000_000, 1, 3_000_000, 10_000},
		"the hundredth and first":           {1_000_000, 0, 10_000_000, 100, 3_000_000, 1_000_000},
		"many more":                         {1_000_000, 0, 10_000_000, 1 << 31, 3_000_000, 1_000_000},
		"both":                              {1_000_000, 100_000, 10_000_000, 2, 3_000_000, 50_000},
		"no correlation":                    {1_000_000, 3_333_334, 10_000_000, 0, 0, 0},
		"nothing free":                      {0, 3_333_334, 10_000_000, 5, 3_000_000, 0},
		"the total is behind":               {1_000_000, 1_000_000, 0, 0, 1_000_000, 500_000},
		"nothing is known and nothing lost": {1_000_000, 0, 0, 0, 3_000_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultFaultParams()
			p.CorrelationPpm = c.correlation
			require.Equal(t, c.want, p.Extra(math.NewInt(c.free), math.NewInt(c.lost), math.NewInt(c.total), c.lies).Int64())
		})
	}
}

// TestExtraIsBounded: whatever the numbers, never more than what is free, never less for more lost, and nothing for a lie without company.
func TestExtraIsBounded(t *testing.T) {
	amount := func(rt *rapid.T, name string) math.Int {
		return math.NewIntFromUint64(rapid.Uint64().Draw(rt, name)).Mul(math.NewIntFromUint64(rapid.Uint64Range(0, 1<<36).Draw(rt, name+" scale")))
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultFaultParams()
		p.CorrelationPpm = rapid.Uint64Range(0, 1_000_000_000).Draw(rt, "correlation")
		p.RepeatPpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "repeat")
		free, lost, total := amount(rt, "free"), amount(rt, "lost"), amount(rt, "total")
		lies := rapid.Uint32().Draw(rt, "lies")
		got := p.Extra(free, lost, total, lies)
		require.False(rt, got.IsNegative())
		require.True(rt, got.LTE(free), "%s of %s", got, free)
		require.True(rt, got.LTE(p.Extra(free, lost.Add(lost), total.Add(lost), lies).Add(math.OneInt())) || total.LT(free.Add(lost.Add(lost))))
		require.True(rt, p.Extra(free, math.ZeroInt(), total, 0).IsZero())
	})
}

func TestLiesOfOneEpochCostMore(t *testing.T) {
	f := newFixture(t)
	var who []string
	for i := range 10 {
		who = append(who, f.join(i+1, 100_000))
	}
	require.NoError(t, f.EndBlock(f.ctx))
	free := int64(90_000)
	require.Zero(t, f.lie(who[0], 1, 10_000).Extra.Int64(), "the first")
	require.Equal(t, free*3*10_000/1_000_000, f.lie(who[1], 1, 10_000).Extra.Int64(), "a hundredth was lost: three hundredths")
	require.Equal(t, free*3*20_000/1_000_000, f.lie(who[2], 1, 10_000).Extra.Int64())
	res, err := f.query.Correlation(f.ctx, &types.QueryCorrelationRequest{})
	require.NoError(t, err)
	require.Equal(t, []int64{30_000, 1_000_000, 90_000}, []int64{res.Lost.Int64(), res.TotalBonded.Int64(), int64(res.ExtraPpm)})
	again := f.lie(who[0], 2, 10_000)
	require.EqualValues(t, 80_000*(90_000+10_000)/1_000_000, again.Extra.Int64(), "others', and its own second")
	require.EqualValues(t, 4_000, again.Extra.Int64()-again.Burnt.Int64()+5_000, "half of both burns")
	f.ok()

	f.endBlocks(10) // the next epoch
	require.Zero(t, f.lie(who[3], 1, 10_000).Extra.Int64(), "nothing is carried over")
	require.EqualValues(t, 0, f.lie(who[4], 1, 0).Taken.Int64())
	f.ok()
}

// Honest machines that go dark together lose their hundredth each and nothing else, however many they are.
func TestOfflineTogetherIsNotCorrelated(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) { p.CorrelationPpm, p.RepeatPpm = 1_000_000_000, types.PPM })
	for i := range 30 {
		f.join(i+1, 100_000, digits)
	}
	for round := range uint64(5) {
		for i := range 30 {
			f.timeout(addr(i+1), round, 10_000)
		}
	}
	for i := range 30 {
		p := f.get(addr(i + 1))
		require.EqualValues(t, 100_000-5*100, p.Bond.Int64())
		require.Zero(t, p.Faults)
	}
	require.Zero(t, f.lie(addr(1), 99, 1_000).Extra.Int64(), "nor does it make the first liar's fall deeper")
	f.ok()
}

func TestAcquitRestores(t *testing.T) {
	f := newFixture(t)
	a, b := f.join(1, 10_000, digits), f.join(2, 10_000, digits)
	f.endBlocks(2)
	f.fund("community", 50_000)
	before, weight := f.get(a), f.weight(a)
	f.lie(b, 1, 1_000)
	bad := f.lie(a, 1, 2_000)
	require.EqualValues(t, 1_200, bad.Extra.Int64(), "8,000 × 3 × 1,000 / 20,000")
	taken := bad.Taken.Add(bad.Extra)
	pool, burnt := f.bank.balance("community").Int64(), f.bank.burnt.Int64()
	require.NoError(t, f.acquit(a, 1))
	after := f.get(a)
	require.EqualValues(t, 1, after.Conduct.Records, "the record stays")
	require.True(t, f.lastFault(a).Acquitted)
	after.Conduct, before.Conduct = types.Conduct{}, types.Conduct{}
	require.Equal(t, before, after, "bond, reliability and lies are what they were")
	require.Equal(t, weight, f.weight(a), "and so is its weight, at once")
	require.Equal(t, pool-taken.Int64(), f.bank.balance("community").Int64())
	require.Equal(t, burnt, f.bank.burnt.Int64(), "what burnt stays burnt")
	f.ok()
	require.True(t, f.get(b).Jailed())
	res, err := f.query.Correlation(f.ctx, &types.QueryCorrelationRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 1_000, res.Lost.Int64(), "it weighs on nobody else any more")
}

func TestAcquitRefuses(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) { p.AppealBlocks = 50 })
	a := f.join(1, 10_000, digits)
	f.lie(a, 1, 2_000) // half of it is in the community pool
	_, err := f.msgs.Acquit(f.ctx, &types.MsgAcquit{Authority: a, Participant: a, Fault: 1})
	require.Error(t, err)
	require.ErrorIs(t, f.acquit(a, 2), types.ErrUnknownFault)
	require.ErrorIs(t, f.acquit(a, 0), types.ErrUnknownFault)
	require.ErrorIs(t, f.acquit(addr(9), 1), types.ErrUnknownParticipant)
	require.ErrorIs(t, f.acquit(a, 1), types.ErrPoolShort)
	require.EqualValues(t, 8_000, f.get(a).Bond.Int64())
	f.fund("community", 1_000)
	f.at(52)
	require.ErrorIs(t, f.acquit(a, 1), types.ErrAppealOver)
	f.at(51)
	require.NoError(t, f.acquit(a, 1))
	f.fund("community", 10_000)
	require.ErrorIs(t, f.acquit(a, 1), types.ErrAcquitted)
	require.EqualValues(t, 10_000, f.get(a).Bond.Int64())
	f.ok()
}

// One of several lies is taken back: what the others brought stays, whatever the order.
func TestAcquitTakesBackOneOfSeveral(t *testing.T) {
	jail := types.DefaultFaultParams().JailBlocks
	for name, number := range map[string]uint64{"the first": 1, "the last": 2} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.fund("community", 100_000)
			a := f.join(1, 1_000_000, digits)
			require.NoError(t, f.EndBlock(f.ctx))
			f.lie(a, 1, 2_000)
			f.lie(a, 2, 2_000)
			require.Equal(t, 1+2*jail, f.get(a).Conduct.JailedUntil)
			require.NoError(t, f.acquit(a, number))
			p := f.get(a)
			require.Equal(t, 1+jail, p.Conduct.JailedUntil, "as after one lie")
			require.EqualValues(t, 250_000, p.ReliabilityPpm)
			require.EqualValues(t, 1, p.Faults)
			require.Zero(t, f.total(digits))
			f.ok()
			require.NoError(t, f.acquit(a, 3-number))
			require.False(t, f.get(a).Jailed())
			require.EqualValues(t, 500_000, f.get(a).ReliabilityPpm)
			require.EqualValues(t, 1_000_000, f.get(a).Bond.Int64())
			f.ok()
		})
	}
}

// What was earned since the fault still counts.
func TestAcquitMultipliesReliabilityBack(t *testing.T) {
	f := newFixture(t)
	f.fund("community", 100_000)
	a := f.join(1, 10_000)
	f.lie(a, 1, 10)
	f.credit(a, 1, 1_000, types.RoleWorker)
	earned := f.get(a).ReliabilityPpm
	require.Greater(t, earned, uint64(250_000))
	require.NoError(t, f.acquit(a, 1))
	require.Equal(t, min(2*earned, types.PPM), f.get(a).ReliabilityPpm)

	params, err := f.Params.Get(f.ctx)
	require.NoError(t, err)
	params.ReliabilityFaultPpm = 0
	require.NoError(t, f.Params.Set(f.ctx, params))
	was := f.get(a).ReliabilityPpm
	f.lie(a, 2, 10)
	require.Zero(t, f.get(a).ReliabilityPpm)
	require.NoError(t, f.acquit(a, 2))
	require.Equal(t, was, f.get(a).ReliabilityPpm, "nothing can be multiplied back")
	f.ok()
}

func TestAcquitOfATimeout(t *testing.T) {
	f := newFixture(t)
	f.fund("community", 100)
	f.with(func(p *types.FaultParams) { p.MaxTimeouts = 2 })
	a := f.join(1, 10_000, digits)
	f.timeout(a, 1, 1_000)
	f.timeout(a, 2, 1_000)
	require.True(t, f.get(a).Jailed())
	require.NoError(t, f.acquit(a, 1))
	require.True(t, f.get(a).Jailed(), "it was the other that jailed")
	require.NoError(t, f.acquit(a, 2))
	require.False(t, f.get(a).Jailed())
	require.EqualValues(t, 10_000, f.get(a).Bond.Int64())
	require.InDelta(t, 500_000, f.get(a).ReliabilityPpm, 1, "but for rounding")
	require.Positive(t, f.total(digits))
	f.ok()
}

// Of what is paid back those who delegated get their part.
func TestAcquitGivesDelegatorsTheirPart(t *testing.T) {
	f := newFixture(t)
	f.fund("community", 10_000)
	a := f.join(1, 6_000, digits)
	f.delegate(2, a, 2_000)
	f.lie(a, 1, 4_000)
	require.EqualValues(t, 1_000, f.get(a).Delegated.Int64())
	require.NoError(t, f.acquit(a, 1))
	require.EqualValues(t, 2_000, f.get(a).Delegated.Int64())
	require.EqualValues(t, 8_000, f.get(a).Bond.Int64())
	f.ok()
}

// A committee's seat, a worker's lock and a claim are one lock each, and go once.
func TestNothingIsSlashedTwice(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 10_000, digits)
	for _, kind := range []types.LockKind{types.LOCK_KIND_TASK, types.LOCK_KIND_SEAT, types.LOCK_KIND_CLAIM, types.LOCK_KIND_SPRINT} {
		require.NoError(t, f.LockBond(f.ctx, types.Lock{Participant: a, Kind: kind, Item: 5, Amount: math.NewInt(100)}))
	}
	for _, kind := range []types.LockKind{types.LOCK_KIND_TASK, types.LOCK_KIND_SEAT, types.LOCK_KIND_CLAIM, types.LOCK_KIND_SPRINT} {
		req := types.SlashRequest{Participant: a, Kind: kind, Task: 5, Bps: 100, Reason: "late"}
		require.NoError(t, f.Slash(f.ctx, req))
		req.Lie, req.Bps = true, types.BPS
		before := f.get(a)
		require.ErrorIs(t, f.Slash(f.ctx, req), types.ErrLockNotFound, "late, and then a lie")
		require.Equal(t, before, f.get(a))
	}
	require.Len(t, f.faults(a), 4)
	require.False(t, f.get(a).Jailed())
	f.ok()
}

// TestRepeatsAreOfOneEpoch: lies of an epoch before are no repeats, however many there were.
func TestRepeatsAreOfOneEpoch(t *testing.T) {
	var c types.Conduct
	p := types.DefaultFaultParams()
	require.Zero(t, c.NoteLie(p, 1, 1))
	require.EqualValues(t, 1, c.NoteLie(p, 2, 1))
	require.Zero(t, c.NoteLie(p, 3, 2))
	require.EqualValues(t, 1, c.NoteLie(p, 4, 2))
	require.EqualValues(t, 4, c.Lies, "they are remembered all the same")
}

// TestOldFaultsAreDropped: what can be appealed no more goes, two records a fault, and is still counted.
func TestOldFaultsAreDropped(t *testing.T) {
	f := newFixture(t)
	f.with(func(p *types.FaultParams) { p.AppealBlocks = 10 })
	f.fund("community", 10_000)
	a := f.join(1, 10_000, digits)
	numbers := func() (out []uint64) {
		for _, x := range f.faults(a) {
			out = append(out, x.Number)
		}
		return out
	}
	start := f.ctx.BlockHeight()
	f.lie(a, 1, 100)
	for item := range uint64(3) {
		f.at(f.ctx.BlockHeight() + 1)
		f.timeout(a, 2+item, 100)
	}
	f.at(start + 10)
	f.timeout(a, 5, 100)
	require.Equal(t, []uint64{1, 2, 3, 4, 5}, numbers(), "all can be appealed")
	f.at(start + 13)
	f.timeout(a, 6, 100)
	require.Equal(t, []uint64{3, 4, 5, 6}, numbers(), "two at once, the oldest")
	f.timeout(a, 7, 100)
	require.Equal(t, []uint64{4, 5, 6, 7}, numbers(), "the fourth can be appealed in this block")
	require.EqualValues(t, 7, f.get(a).Conduct.Records)
	require.EqualValues(t, 1, f.get(a).Faults, "the lie is still counted")
	require.ErrorIs(t, f.acquit(a, 1), types.ErrUnknownFault)
	require.NoError(t, f.acquit(a, 4))
	f.ok()
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	g := newKeeper(t)
	g.bank.balances = maps.Clone(f.bank.balances)
	g.at(f.ctx.BlockHeight())
	require.NoError(t, g.InitGenesis(g.ctx, *gs))
	g.ok()
	require.Equal(t, f.lie(a, 9, 100), g.lie(a, 9, 100))
	gs.Faults[0].Lie, gs.Faults[0].Acquitted = true, false
	require.NoError(t, gs.Validate(), "one lie of those that are counted is listed")
	gs.Participants[0].Faults = 0
	require.ErrorIs(t, gs.Validate(), types.ErrInvalidGenesis, "more lies than there were")
	gs.Participants[0].Faults, gs.Faults = 1, slices.Delete(gs.Faults, 1, 2)
	require.ErrorIs(t, gs.Validate(), types.ErrInvalidGenesis, "one between others is missing")
}

// dropLast drops the last fault of a participant.
func dropLast(faults []types.Fault, participant string) []types.Fault {
	for i := len(faults) - 1; i >= 0; i-- {
		if faults[i].Participant == participant {
			return slices.Delete(faults, i, i+1)
		}
	}
	return faults
}

func TestFaultsSurviveAGenesis(t *testing.T) {
	f := newFixture(t)
	f.fund("community", 10_000)
	a, b := f.join(1, 10_000, digits), f.join(2, 10_000, digits)
	f.endBlocks(3)
	f.lie(a, 1, 1_000)
	f.lie(a, 2, 1_000)
	f.timeout(b, 1, 1_000)
	require.NoError(t, f.acquit(a, 1))
	require.NoError(t, f.EndBlock(f.ctx))
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, gs.Faults, 3)
	require.EqualValues(t, 1_000, gs.Losses.Lost.Int64())
	g := newKeeper(t)
	g.bank.balances = maps.Clone(f.bank.balances)
	g.at(f.ctx.BlockHeight())
	var parsed types.GenesisState
	f.cdc.MustUnmarshalJSON(f.cdc.MustMarshalJSON(gs), &parsed)
	require.NoError(t, g.InitGenesis(g.ctx, parsed))
	again, err := g.ExportGenesis(g.ctx)
	require.NoError(t, err)
	require.Equal(t, gs, again)
	g.ok()
	require.Equal(t, f.lie(b, 9, 100), g.lie(b, 9, 100), "and weigh on the next as before")
	require.NoError(t, g.acquit(a, 2))
	g.ok()

	for name, spoil := range map[string]func(*types.GenesisState){
		"the oldest is missing":   func(gs *types.GenesisState) { gs.Faults = slices.Delete(gs.Faults, 0, 1); gs.Participants[0].Faults-- },
		"the newest is missing":   func(gs *types.GenesisState) { gs.Faults = dropLast(gs.Faults, a) },
		"all are missing":         func(gs *types.GenesisState) { gs.Faults = nil },
		"number 0":                func(gs *types.GenesisState) { gs.Faults[0].Number = 0 },
		"a stranger's":            func(gs *types.GenesisState) { gs.Faults[0].Participant = addr(77) },
		"burnt more than taken":   func(gs *types.GenesisState) { gs.Faults[0].Burnt = math.NewInt(100_000) },
		"negative":                func(gs *types.GenesisState) { gs.Faults[0].Extra = math.NewInt(-1) },
		"reliability rose":        func(gs *types.GenesisState) { gs.Faults[0].ReliabilityAfterPpm = types.PPM },
		"a lie too many":          func(gs *types.GenesisState) { gs.Participants[0].Faults++ },
		"lost in the future":      func(gs *types.GenesisState) { gs.Losses.Epoch = 99 },
		"jailed for nothing":      func(gs *types.GenesisState) { gs.Participants[0].Conduct.JailedUntil = 0 },
		"jailed before the start": func(gs *types.GenesisState) { gs.Participants[0].Conduct.JailedUntil = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			var bad types.GenesisState
			f.cdc.MustUnmarshalJSON(f.cdc.MustMarshalJSON(gs), &bad)
			if bad.Participants[0].Address != a {
				bad.Participants[0], bad.Participants[1] = bad.Participants[1], bad.Participants[0]
			}
			require.NoError(t, bad.Validate())
			spoil(&bad)
			require.ErrorIs(t, bad.Validate(), types.ErrInvalidGenesis)
		})
	}
}

func TestTotalOfBonds(t *testing.T) {
	f := newFixture(t)
	for i := range 1_500 {
		f.join(i, 1_000)
	}
	f.ok()
	total := func() int64 {
		v, err := f.TotalBonded(f.ctx)
		require.NoError(t, err)
		return v.Int64()
	}
	require.Zero(t, total(), "transactions write nothing in common")
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, 1_000_000, total(), "a bounded number a block")
	f.ok()
	require.NoError(t, f.EndBlock(f.ctx))
	require.EqualValues(t, 1_500_000, total())
	f.ok()
}

func TestGuardsOfMinting(t *testing.T) {
	f := newFixture(t)
	params := testParams()
	params.Minting = types.MintingParams{MinOperators: 3, MaxOperatorSharePpm: 500_000}
	require.NoError(t, f.Params.Set(f.ctx, params))
	may := func(who string) bool {
		ok, err := f.MayScore(f.ctx, digits, who)
		require.NoError(t, err)
		return ok
	}
	a, b := f.join(1, 4_000, digits), f.join(2, 4_000, digits)
	require.False(t, may(a), "too few")
	c := f.join(3, 4_000, digits)
	require.True(t, may(a))
	require.True(t, may(c))
	whale := f.join(4, 10_000, digits)
	require.True(t, may(whale), "10,000 of 22,000")
	f.lie(b, 1, 0)
	require.False(t, may(whale), "10,000 of 18,000")
	require.True(t, may(a))
	f.lie(c, 1, 0)
	require.False(t, may(a), "who is in jail does not count")
	res, err := f.query.Operators(f.ctx, &types.QueryOperatorsRequest{Model: digits, Participant: a})
	require.NoError(t, err)
	require.Equal(t, &types.QueryOperatorsResponse{Operators: 2, MinOperators: 3, TotalWeight: 7_000, MaxWeight: 3_500, Weight: 2_000}, res)
	res, err = f.query.Operators(f.ctx, &types.QueryOperatorsRequest{Model: story})
	require.NoError(t, err)
	require.Zero(t, res.Operators)
	require.False(t, may(addr(99)))
	f.ok()
}
