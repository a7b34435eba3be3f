package market

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	auctionstypes "poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// start is a chain with shadow applications, a crew of five and two accounts that submit.
func start(t *testing.T) (*testutil.Chain, *testutil.Crew, *testutil.Account) {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: 8, Shadows: testutil.AllShadows()})
	c.RegisterEcho(c.Accounts[1])
	return c, c.NewCrew(c.Accounts[2:7]...), c.Accounts[7]
}

func submit(c *testutil.Chain, from *testutil.Account, n uint64, change func(*taskstypes.MsgSubmitTask)) uint64 {
	msg := testutil.SubmitEcho(from, n)
	change(msg)
	c.Deliver(from, msg)
	ids := testutil.TaskIDs(c, from)
	return ids[len(ids)-1]
}

func payment(t *testing.T, c *testutil.Chain, id uint64) taskstypes.Payment {
	t.Helper()
	pay, err := c.App.Tasks.Payments.Get(c.Ctx(), id)
	require.NoError(t, err)
	return pay
}

func balance(c *testutil.Chain, a *testutil.Account) math.Int {
	return c.App.Bank.GetBalance(c.Ctx(), a.Addr, params.Denom).Amount
}

// TestRequirements: a draw gives tasks only to who declares what they ask for; where nobody does they wait.
func TestRequirements(t *testing.T) {
	c, crew, alice := start(t)
	tagged := crew.Members[3]
	c.Deliver(tagged.Account, &poaitypes.MsgUpdateParticipant{
		Participant: tagged.String(), Moniker: "tagged", Concurrency: 1_000, MemoryMib: 4_096, Tags: []string{"gpu", "region:eu"},
	})
	for n := range uint64(5) {
		id := submit(c, alice, n, func(m *taskstypes.MsgSubmitTask) {
			m.Requirements = &poaitypes.Requirements{MemoryMib: 4_096, Tags: []string{"region:eu"}}
		})
		st := crew.WorkUntil(id, taskstypes.STATE_FINAL, 200)
		require.Equal(t, tagged.String(), st.Worker)
	}
	id := submit(c, alice, 9, func(m *taskstypes.MsgSubmitTask) { m.Requirements = &poaitypes.Requirements{MemoryMib: 4_097} })
	for range 20 {
		crew.Work()
	}
	st, err := c.App.Tasks.Statuses.Get(c.Ctx(), id)
	require.NoError(t, err)
	require.Equal(t, taskstypes.STATE_OPEN, st.State)
}

// TestRace: the first is paid as worker, the next share the verifiers' part; where the first stays silent the next has its place.
func TestRace(t *testing.T) {
	c, crew, alice := start(t)
	for _, m := range crew.Members {
		m.Races = true
	}
	race := func(m *taskstypes.MsgSubmitTask) { m.Allocation, m.Redundancy = taskstypes.ALLOCATION_RACE, 3 }
	st := crew.WorkUntil(submit(c, alice, 1, race), taskstypes.STATE_FINAL, 300)
	require.EqualValues(t, 2, st.Runners)
	pay := payment(t, c, testutil.TaskIDs(c, alice)[0])
	require.True(t, pay.Runners.IsPositive())
	require.True(t, pay.Worker.IsPositive())

	crew.Members[0].Behaviour = testutil.Mute // whoever sends first in a block is first
	id := submit(c, alice, 2, race)
	st = crew.WorkUntil(id, taskstypes.STATE_FINAL, 300)
	require.NotEqual(t, crew.Members[0].String(), st.Worker)
	p, err := c.App.Poai.GetParticipant(c.Ctx(), crew.Members[0].String())
	require.NoError(t, err)
	require.EqualValues(t, 1, p.Faults)
	require.Equal(t, 1, int(st.Attempt), "no new race was needed")
}

// TestOpenAuction: the least bid has the task, at its price; the others have their deposits back when they ask for them.
func TestOpenAuction(t *testing.T) {
	c, crew, alice := start(t)
	id := submit(c, alice, 1, func(m *taskstypes.MsgSubmitTask) {
		m.Allocation, m.Auction = taskstypes.ALLOCATION_AUCTION, &taskstypes.AuctionOptions{BidBlocks: 8}
	})
	before := balance(c, crew.Members[4].Account)
	for i, m := range crew.Members {
		c.Deliver(m.Account, &auctionstypes.MsgBid{Bidder: m.String(), TaskId: id, Price: math.NewInt(int64(500_000 - i*1_000))})
	}
	lowest := crew.Members[4]
	st := crew.WorkUntil(id, taskstypes.STATE_FINAL, 300)
	require.Equal(t, lowest.String(), st.Worker)
	require.Equal(t, "496000", st.Price.String())
	pay := payment(t, c, id)
	require.True(t, pay.Refund.GTE(math.NewInt(504_000)), "%s", pay.Refund)
	for _, m := range crew.Members {
		c.Deliver(m.Account, &auctionstypes.MsgWithdrawBids{Bidder: m.String(), TaskIds: []uint64{id}})
	}
	left := c.App.Bank.GetAllBalances(c.Ctx(), c.App.Auth.GetModuleAddress(auctionstypes.ModuleName))
	require.True(t, left.IsZero(), "%s", left)
	require.True(t, balance(c, lowest.Account).GT(before.SubRaw(1_000_000)), "its deposit is back")
}

// TestSealedAuction: nobody's price is known before all are sealed; who does not reveal loses its deposit; the winner that does not deliver makes place
// for the next bid.
func TestSealedAuction(t *testing.T) {
	c, crew, alice := start(t)
	id := submit(c, alice, 1, func(m *taskstypes.MsgSubmitTask) {
		m.Allocation, m.Auction = taskstypes.ALLOCATION_AUCTION, &taskstypes.AuctionOptions{BidBlocks: 6, Sealed: true}
	})
	task, err := c.App.Tasks.Tasks.Get(c.Ctx(), id)
	require.NoError(t, err)
	price := func(i int) math.Int { return math.NewInt(int64(300_000 + i*10_000)) }
	salt := [32]byte{1}
	for i, m := range crew.Members[:4] {
		bid := auctionstypes.Commitment(c.ChainID, id, m.String(), price(i), salt)
		c.Deliver(m.Account, &auctionstypes.MsgSealBid{Bidder: m.String(), TaskId: id, Commitment: bid[:]})
	}
	for c.Height() < task.Auction.BidUntil {
		c.Block()
	}
	for i, m := range crew.Members[:3] {
		c.Deliver(m.Account, &auctionstypes.MsgRevealBid{Bidder: m.String(), TaskId: id, Price: price(i), Salt: salt[:]})
	}
	crew.Members[0].Behaviour = testutil.Idle
	st := crew.WorkUntil(id, taskstypes.STATE_FINAL, 600)
	require.Equal(t, crew.Members[1].String(), st.Worker)
	require.Equal(t, "310000", st.Price.String())
	require.EqualValues(t, 2, st.Attempt)
	has, err := c.App.Auctions.Bids.Has(c.Ctx(), collections.Join(id, crew.Members[0].Addr))
	require.NoError(t, err)
	require.False(t, has, "who was to run it and did not has lost its deposit")
	for _, m := range crew.Members[1:4] {
		c.Deliver(m.Account, &auctionstypes.MsgWithdrawBids{Bidder: m.String(), TaskIds: []uint64{id}})
	}
	left := c.App.Bank.GetAllBalances(c.Ctx(), c.App.Auth.GetModuleAddress(auctionstypes.ModuleName))
	require.Equal(t, sdk.Coins{}, left)
}
