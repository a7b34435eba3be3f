package keeper_test

import (
	"strings"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/grades/types"
	"poaid/x/poai/yuma"
)

// TestRoundPaysByConsensus: three of four graders agree that the second entry is twice as good; the fourth praises the first to the skies, which is cut.
func TestRoundPaysByConsensus(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 3, 2_500_000)
	before := [4]int64{f.balance(1), f.balance(2), f.balance(3), f.balance(20)}
	r := f.round("poems", []uint32{1, 2}, []uint32{10, 20}, []uint32{100, 200}, []uint32{65_535})
	require.Empty(t, r.Reason)
	require.Equal(t, int64(1_000_000), r.Paid.Int64())
	require.Len(t, r.Entries, 3)
	// κ = ½ of four: the grades of two suffice, so a third and two thirds. The fourth grader's row is cut to a third of the first entry.
	require.Equal(t, uint64(333_333_333), r.Entries[0].ConsensusPpb)
	require.Equal(t, uint64(666_666_667), r.Entries[1].ConsensusPpb)
	require.Zero(t, r.Entries[2].ConsensusPpb)
	// Ranks: (4·⅓, 3·⅔) of 10/3.
	require.InDelta(t, 400_000_000, r.Entries[0].IncentivePpb, 2)
	require.Equal(t, int64(320_000), f.balance(1)-before[0])
	require.Equal(t, int64(480_000), f.balance(2)-before[1])
	require.Equal(t, before[2], f.balance(3))
	require.Equal(t, grader(r, 20).Paid.Int64(), f.balance(20)-before[3])
	outlier := grader(r, 23)
	require.Less(t, outlier.TrustPpb, grader(r, 20).TrustPpb)
	require.Less(t, outlier.Paid.Int64(), int64(200_000/4), "a grader that is off earns less than its part")
	require.Empty(t, f.w.locks)
	require.Empty(t, f.w.slashed)
	require.Equal(t, int64(1_500_000), f.contest("poems").Balance.Int64())
}

func grader(r types.RoundResult, i int) types.GraderResult {
	for _, g := range r.Graders {
		if g.Grader == who(i) {
			return g
		}
	}
	return types.GraderResult{}
}

// TestSelfGradesAreMasked: a grader's own entry gets nothing from it.
func TestSelfGradesAreMasked(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 1, 0)
	for _, i := range []int{20, 21, 22} { // owners and graders at once
		f.enter("poems", i)
	}
	_, err := f.msg.FundContest(f.ctx, &types.MsgFundContest{Sponsor: who(0), Contest: "poems", Amount: sdk.NewInt64Coin(denom, 1_000_000)})
	require.NoError(t, err)
	r := f.round("poems", []uint32{1, 1_000, 0, 0}, []uint32{1, 0, 1_000, 0}, []uint32{1, 0, 0, 1_000}, []uint32{5})
	require.Equal(t, uint64(yuma.One), r.Entries[0].IncentivePpb)
	for _, e := range r.Entries[1:] {
		require.Zero(t, e.IncentivePpb)
	}
}

// TestSelfGradesMakeNoMajority: with its own grade an entry would have half of the graders, which is enough; without it has one of four.
func TestSelfGradesMakeNoMajority(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 1, 0)
	f.enter("poems", 20)
	_, err := f.msg.FundContest(f.ctx, &types.MsgFundContest{Sponsor: who(0), Contest: "poems", Amount: sdk.NewInt64Coin(denom, 1_000_000)})
	require.NoError(t, err)
	first, second := []uint32{1, 0}, []uint32{0, 1}
	r := f.round("poems", second, second, first, first)
	require.Equal(t, uint64(yuma.One), r.Entries[0].IncentivePpb)
	require.Zero(t, r.Entries[1].ConsensusPpb)
}

// TestNewcomersAreMasked: grades that were sealed before an entry came do not count for what is in its slot now; nor do bonds.
func TestNewcomersAreMasked(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 10_000_000)
	good := []uint32{0, 9}
	f.round("poems", good, good, good, good)
	c := f.until("poems", types.PHASE_SEALING)
	for i := range 4 {
		require.NoError(t, f.seal(c, 20+i, 1, 9))
	}
	// The holder of slot 1 replaces its work by another: sealed grades are not for that one.
	res := f.enter("poems", 2)
	require.Equal(t, uint32(1), res.Slot)
	require.Equal(t, c.Round+1, res.FirstRound)
	for i := range 4 {
		require.NoError(t, f.reveal(c, 20+i, 1, 9))
	}
	f.block(1)
	r := f.result("poems", c.Round)
	require.Len(t, r.Entries, 1)
	require.Equal(t, uint64(yuma.One), r.Entries[0].IncentivePpb)
	// Next round: bonds that graders had in the earlier work of slot 1 are void, so all start equal.
	r = f.round("poems", good, good, good, good)
	require.Len(t, r.Entries, 2)
	for _, g := range r.Graders {
		require.Equal(t, uint64(yuma.One/4), g.DividendPpb)
	}
}

// TestBondsRewardWhoWasEarly: who finds the good entry last has lower dividends, even once all have found it.
func TestBondsRewardWhoWasEarly(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 100_000_000)
	first, second := []uint32{9, 1}, []uint32{1, 9}
	for range 5 {
		f.round("poems", first, second, second, second)
	}
	r := f.round("poems", second, second, second, second)
	late := grader(r, 20)
	for i := 21; i < 24; i++ {
		require.Greater(t, grader(r, i).DividendPpb, late.DividendPpb)
	}
}

// TestBondsGoWithTheWork: where all works are replaced all graders start equal, however unequal their bonds were.
func TestBondsGoWithTheWork(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 100_000_000)
	first, second := []uint32{9, 1}, []uint32{1, 9}
	for range 5 {
		f.round("poems", first, second, second, second)
	}
	earned := f.entry("poems", 0).Earned
	require.True(t, earned.IsPositive())
	f.enter("poems", 1)
	f.enter("poems", 2)
	require.Equal(t, earned, f.entry("poems", 0).Earned, "what it earned before is still said")
	r := f.round("poems", second, second, second, second)
	for _, g := range r.Graders {
		require.Equal(t, uint64(yuma.One/4), g.DividendPpb)
	}
}

// TestQuorumIsEnough: three of four, drawn as well as revealed.
func TestQuorumIsEnough(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 3, 2, 1_000_000)
	require.EqualValues(t, 3, testParams().Quorum(4))
	g := []uint32{1, 1}
	r := f.round("poems", g, g, g)
	require.Empty(t, r.Reason)
	require.Equal(t, int64(1_000_000), r.Paid.Int64())
}

// TestTransitionsWait: a block makes transitions_per_block, the others wait for the next.
func TestTransitionsWait(t *testing.T) {
	f := fixture(t)
	p := testParams()
	p.TransitionsPerBlock = 2
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(39), Params: p})
	require.NoError(t, err)
	ids := []string{"one", "two", "three"}
	for _, id := range ids {
		msg := poems()
		msg.Id = id
		f.create(msg, 4, 2, 1_000_000)
	}
	f.until("one", types.PHASE_SEALING)
	require.Equal(t, types.PHASE_SEALING, f.contest("two").Phase)
	require.Equal(t, types.PHASE_DRAWING, f.contest("three").Phase)
	f.block(1)
	require.Equal(t, types.PHASE_SEALING, f.contest("three").Phase)
}

// TestNumbersEnd: seals have room for so many contests.
func TestNumbersEnd(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.k.Number.Set(f.ctx, 1<<32-2))
	f.create(poems(), 0, 0, 0)
	require.Equal(t, uint64(1<<32-1), f.contest("poems").Number)
	msg := poems()
	msg.Id = "more"
	_, err := f.msg.CreateContest(f.ctx, msg)
	require.ErrorIs(t, err, types.ErrContest)
}

// TestSilence: who seals nothing loses a little, who does not reveal loses all, and below a quorum nobody is paid and the pot stays.
func TestSilence(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 1_000_000)
	c := f.until("poems", types.PHASE_SEALING)
	for i := range 3 {
		require.NoError(t, f.seal(c, 20+i, 1, 2))
	}
	f.until("poems", types.PHASE_REVEALING)
	require.NoError(t, f.reveal(c, 20, 1, 2))
	require.NoError(t, f.reveal(c, 21, 1, 2))
	f.until("poems", types.PHASE_IDLE)
	r := f.result("poems", 1)
	require.Contains(t, r.Reason, "2 of 4 graders revealed, want 3")
	require.True(t, r.Paid.IsZero())
	require.Equal(t, int64(1_000_000), f.contest("poems").Balance.Int64())
	require.Len(t, f.w.slashed, 2)
	require.Equal(t, who(22), f.w.slashed[0].Participant)
	require.True(t, f.w.slashed[0].Lie)
	require.Equal(t, uint32(types.BpsOne), f.w.slashed[0].Bps)
	require.Equal(t, who(23), f.w.slashed[1].Participant)
	require.False(t, f.w.slashed[1].Lie)
	require.Equal(t, testParams().AbstainSlashBps, f.w.slashed[1].Bps)
	require.Empty(t, f.w.locks)
	f.until("poems", types.PHASE_SEALING) // and another round
	require.Equal(t, uint64(2), f.contest("poems").Round)
}

// TestTooFewGraders: without a quorum nobody could settle it; who was drawn is let go, and the randomness of the next try is another.
func TestTooFewGraders(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 2, 2, 1_000_000)
	f.block(12)
	require.Contains(t, f.result("poems", 1).Reason, "2 graders for 4 seats")
	require.Empty(t, f.w.locks)
	require.Empty(t, f.w.slashed)
	require.GreaterOrEqual(t, len(f.w.seeds), 2)
	require.NotEqual(t, f.w.seeds[0], f.w.seeds[1])
	require.Equal(t, int64(1_000_000), f.contest("poems").Balance.Int64())
}

// TestPhases: what comes in the wrong phase or round, twice, late, or from nobody who was drawn is refused.
func TestPhases(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 1_000_000)
	c := f.contest("poems")
	require.Equal(t, types.PHASE_DRAWING, c.Phase)
	require.ErrorIs(t, f.seal(c, 20, 1), types.ErrPhase)
	c = f.until("poems", types.PHASE_SEALING)
	require.ErrorIs(t, f.seal(c, 30, 1), types.ErrNotGrader)
	require.ErrorIs(t, f.reveal(c, 20, 1), types.ErrPhase)
	other := c
	other.Round++
	require.ErrorIs(t, f.seal(other, 20, 1), types.ErrPhase)
	_, err := f.msg.SealGrades(f.ctx, &types.MsgSealGrades{Grader: who(20), Contest: "poems", Round: 1, Seal: make([]byte, 31)})
	require.ErrorIs(t, err, types.ErrLength)
	require.NoError(t, f.seal(c, 20, 1))
	require.ErrorIs(t, f.seal(c, 20, 1), types.ErrTwice)
	require.NoError(t, f.seal(c, 21, 1))
	require.NoError(t, f.seal(c, 22, 1))
	last, _ := f.ctx.WithBlockHeight(c.Deadline).CacheContext()
	_, err = f.msg.SealGrades(last, &types.MsgSealGrades{Grader: who(23), Contest: "poems", Round: 1, Seal: make([]byte, 32)})
	require.NoError(t, err, "in the last block")
	late := f.ctx.WithBlockHeight(c.Deadline + 1)
	_, err = f.msg.SealGrades(late, &types.MsgSealGrades{Grader: who(23), Contest: "poems", Round: 1, Seal: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrPhase)
	f.until("poems", types.PHASE_REVEALING)
	require.ErrorIs(t, f.reveal(c, 23, 1), types.ErrSeal) // sealed nothing
	require.ErrorIs(t, f.reveal(c, 20, 2), types.ErrSeal) // sealed another
	require.ErrorIs(t, f.reveal(c, 20, 65_536), types.ErrGrades)
	require.ErrorIs(t, f.reveal(c, 20, make([]uint32, 9)...), types.ErrGrades)
	require.NoError(t, f.reveal(c, 20, 1))
	require.ErrorIs(t, f.reveal(c, 20, 1), types.ErrTwice)
}

// TestSealBinds: nobody can hand in what another grader sealed, nor for another round, contest or chain.
func TestSealBinds(t *testing.T) {
	salt := saltOf(1)
	base := types.Seal(chainID, 1, 1, who(1), []uint32{1, 2}, salt)
	for _, other := range [][32]byte{
		types.Seal("x", 1, 1, who(1), []uint32{1, 2}, salt), types.Seal(chainID, 2, 1, who(1), []uint32{1, 2}, salt),
		types.Seal(chainID, 1, 2, who(1), []uint32{1, 2}, salt), types.Seal(chainID, 1, 1, who(2), []uint32{1, 2}, salt),
		types.Seal(chainID, 1, 1, who(1), []uint32{1, 2, 0}, salt), types.Seal(chainID, 1, 1, who(1), []uint32{2, 1}, salt),
		types.Seal(chainID, 1, 1, who(1), []uint32{1, 2}, saltOf(2)),
	} {
		require.NotEqual(t, [32]byte(base), other)
	}
}

// TestClose: the running round is paid, the rest comes back, and nothing is taken any more.
func TestClose(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 5_000_000)
	f.until("poems", types.PHASE_SEALING)
	_, err := f.msg.CloseContest(f.ctx, &types.MsgCloseContest{Owner: who(1), Contest: "poems"})
	require.ErrorIs(t, err, types.ErrNotOwner)
	_, err = f.msg.CloseContest(f.ctx, &types.MsgCloseContest{Owner: who(0), Contest: "poems"})
	require.NoError(t, err)
	before := f.balance(0)
	g := []uint32{1, 1}
	f.round("poems", g, g, g, g)
	require.Equal(t, int64(4_000_000), f.balance(0)-before)
	c := f.contest("poems")
	require.Equal(t, types.PHASE_CLOSED, c.Phase)
	require.True(t, c.Balance.IsZero())
	_, err = f.msg.FundContest(f.ctx, &types.MsgFundContest{Sponsor: who(0), Contest: "poems", Amount: sdk.NewInt64Coin(denom, 1)})
	require.ErrorIs(t, err, types.ErrClosed)
	_, err = f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(9), Contest: "poems", Hash: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrClosed)
	_, err = f.msg.CloseContest(f.ctx, &types.MsgCloseContest{Owner: who(0), Contest: "poems"})
	require.ErrorIs(t, err, types.ErrClosed)
	_, err = f.msg.Leave(f.ctx, &types.MsgLeave{Owner: who(1), Contest: "poems"})
	require.NoError(t, err)
	f.block(20)
}

// TestFull: an entry that earned nothing makes room, one that is new or earned something does not.
func TestFull(t *testing.T) {
	f := fixture(t)
	msg := poems()
	msg.MaxEntries = 2
	f.create(msg, 4, 2, 10_000_000)
	_, err := f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(9), Contest: "poems", Hash: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrFull)
	g := []uint32{1, 0}
	f.round("poems", g, g, g, g)
	res := f.enter("poems", 9)
	require.Equal(t, uint32(1), res.Slot)
	require.Equal(t, uint64(2), res.FirstRound)
	_, err = f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(10), Contest: "poems", Hash: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrFull)
	_, err = f.msg.Leave(f.ctx, &types.MsgLeave{Owner: who(2), Contest: "poems"})
	require.ErrorIs(t, err, types.ErrNotFound)
}

// TestTheOldestMakesRoom: of those that earned nothing the one that had most rounds to.
func TestTheOldestMakesRoom(t *testing.T) {
	f := fixture(t)
	msg := poems()
	msg.MaxEntries = 3
	f.create(msg, 4, 3, 10_000_000)
	g := []uint32{1, 0, 0}
	f.round("poems", g, g, g, g)
	f.enter("poems", 2) // anew, in slot 1
	f.round("poems", g, g, g, g)
	require.Equal(t, uint32(2), f.enter("poems", 9).Slot)
}

// TestFees are burnt.
func TestFees(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 0, 2, 0)
	p := testParams()
	require.Equal(t, p.CreateFee.Add(p.EntryFee.MulRaw(2)), f.w.burnt)
	require.Equal(t, int64(rich)-p.EntryFee.Int64(), f.balance(1))
}

// TestBlockedWinner: what cannot be paid stays with the contest.
func TestBlockedWinner(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 1_000_000)
	f.w.blocked[who(1)] = true
	g := []uint32{1, 1}
	r := f.round("poems", g, g, g, g)
	require.Equal(t, int64(600_000), r.Paid.Int64())
	require.Equal(t, int64(400_000), f.contest("poems").Balance.Int64())
}

// TestFailedDrawIsTriedAgain: an error leaves the contest as it was.
func TestFailedDrawIsTriedAgain(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 1_000_000)
	f.w.failDraw = true
	f.block(5)
	require.Equal(t, types.PHASE_DRAWING, f.contest("poems").Phase)
	f.w.failDraw = false
	f.until("poems", types.PHASE_SEALING)
}

// TestDrawOutlivesItsRandomness: where a draw was put off until the beacon kept its randomness no more, it is made with that of a later height.
func TestDrawOutlivesItsRandomness(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 1_000_000)
	f.w.failDraw, f.w.history = true, 10
	f.block(30)
	c := f.contest("poems")
	require.Equal(t, types.PHASE_DRAWING, c.Phase)
	f.w.failDraw = false
	later := f.until("poems", types.PHASE_SEALING)
	require.Equal(t, c.Round, later.Round)
	require.Len(t, f.w.seeds, 1)
	require.Greater(t, later.Deadline-later.SealBlocks, c.Deadline+f.w.history)
}

// TestCreateRefuses names what is wrong.
func TestCreateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*types.MsgCreateContest)
		err    error
		field  string
	}{
		"id":             {func(m *types.MsgCreateContest) { m.Id = "Poems" }, types.ErrContest, "id"},
		"short id":       {func(m *types.MsgCreateContest) { m.Id = "p" }, types.ErrContest, "id"},
		"criteria":       {func(m *types.MsgCreateContest) { m.Criteria = nil }, types.ErrLength, "criteria"},
		"description":    {func(m *types.MsgCreateContest) { m.Description = strings.Repeat("x", 1_025) }, types.ErrContest, "description"},
		"control":        {func(m *types.MsgCreateContest) { m.Description = "a\x00" }, types.ErrContest, "description"},
		"seats":          {func(m *types.MsgCreateContest) { m.Seats = 0 }, types.ErrContest, "seats"},
		"many seats":     {func(m *types.MsgCreateContest) { m.Seats = 129 }, types.ErrContest, "seats"},
		"entries":        {func(m *types.MsgCreateContest) { m.MaxEntries = 1 }, types.ErrContest, "max_entries"},
		"seal blocks":    {func(m *types.MsgCreateContest) { m.SealBlocks = 0 }, types.ErrContest, "seal_blocks"},
		"pause":          {func(m *types.MsgCreateContest) { m.PauseBlocks = -1 }, types.ErrContest, "pause_blocks"},
		"grader share":   {func(m *types.MsgCreateContest) { m.GraderBps = 10_001 }, types.ErrContest, "grader_bps"},
		"small pot":      {func(m *types.MsgCreateContest) { m.Pot.Amount = math.NewInt(999_999) }, types.ErrAmount, "pot"},
		"nil pot":        {func(m *types.MsgCreateContest) { m.Pot.Amount = math.Int{} }, types.ErrAmount, "pot"},
		"huge pot":       {func(m *types.MsgCreateContest) { m.Pot.Amount = math.NewIntFromBigInt(maxInt()) }, types.ErrAmount, "pot"},
		"other denom":    {func(m *types.MsgCreateContest) { m.Pot.Denom = "uatom" }, types.ErrAmount, "pot"},
		"address":        {func(m *types.MsgCreateContest) { m.Owner = "nobody" }, types.ErrAddress, "owner"},
		"module account": {func(m *types.MsgCreateContest) { m.Owner = moduleAddress() }, types.ErrAddress, "owner"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			msg := poems()
			c.change(msg)
			_, err := f.msg.CreateContest(f.ctx, msg)
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, c.field)
			require.True(t, f.w.burnt.IsZero())
		})
	}
	f := fixture(t)
	f.create(poems(), 0, 0, 0)
	_, err := f.msg.CreateContest(f.ctx, poems())
	require.ErrorIs(t, err, types.ErrExists)
	_, err = f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(1), Contest: "novels", Hash: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrNotFound)
}

// TestOldRoundsAreDropped: keep_rounds results stay.
func TestOldRoundsAreDropped(t *testing.T) {
	f := fixture(t)
	f.create(poems(), 4, 2, 100_000_000)
	g := []uint32{1, 1}
	for range 6 {
		f.round("poems", g, g, g, g)
	}
	res, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, res.Rounds, 3)
	require.Equal(t, uint64(4), res.Rounds[0].Round)
}

// TestParamsRefuse: only governance, never another denom.
func TestParamsRefuse(t *testing.T) {
	f := fixture(t)
	p := testParams()
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(1), Params: p})
	require.Error(t, err)
	p.FeeDenom = "uatom"
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(39), Params: p})
	require.ErrorIs(t, err, types.ErrParams)
	p = testParams()
	p.KappaPpb = yuma.One/2 - 1
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(39), Params: p})
	require.ErrorContains(t, err, "kappa_ppb")
	p = testParams()
	p.KeepRounds = 5
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(39), Params: p})
	require.NoError(t, err)
}
