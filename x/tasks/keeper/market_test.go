package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/tasks/keeper"
	"poaid/x/tasks/types"
)

func runnerKey(id uint64, i uint32) collections.Pair[uint64, uint32] { return collections.Join(id, i) }

// open are the tasks of a model that participants may come for.
func (f *fix) open(model string) (ids []uint64) {
	f.tb.Helper()
	res, err := keeper.NewQueryServerImpl(f.keeper).Open(f.ctx, &types.QueryOpenRequest{Model: model})
	require.NoError(f.tb, err)
	for _, v := range res.Tasks {
		ids = append(ids, v.Task.Id)
	}
	return ids
}

// imported is a fixture with the same fakes' state and a keeper made of a genesis.
func (f *fix) imported(g types.GenesisState) *fix {
	f.tb.Helper()
	h := fixture(f.tb)
	h.ctx = h.ctx.WithBlockHeight(f.ctx.BlockHeight())
	h.total = f.total
	h.poai.save(h.ctx, "poai", f.poai.state(f.ctx))
	f.bank.endBlock(f.ctx, types.ModuleName)
	h.bank.save(h.ctx, "bank", f.bank.state(f.ctx))
	h.auctions.save(h.ctx, "auctions", f.auctions.state(f.ctx))
	require.NoError(f.tb, h.keeper.InitGenesis(h.ctx, g))
	h.check()
	return h
}

// auctionMsg is digits for who asks least, in the next 5 blocks.
func auctionMsg(submitter string, image int) *types.MsgSubmitTask {
	msg := digitsMsg(submitter, image)
	msg.Allocation, msg.Auction, msg.MaxFee = types.ALLOCATION_AUCTION, &types.AuctionOptions{BidBlocks: 5}, coin(500_000)
	return msg
}

func (f *fix) done(id uint64) {
	f.tb.Helper()
	f.seal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_FINAL)
}

func TestAuctionGoesToTheBestBid(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(auctionMsg(f.who(9), 1))
	task, st, err := f.keeper.GetTask(f.ctx, id)
	require.NoError(t, err)
	require.False(t, task.Scored)
	require.Equal(t, "500000", task.Fee.String(), "the ceiling, until there is a price")
	require.EqualValues(t, 6, st.Due)
	terms := f.auctions.state(f.ctx)[id].Terms
	require.Equal(t, int64(6), terms.BidUntil)
	require.Equal(t, "1000", terms.Least.String())
	require.Equal(t, task.Lock.String(), terms.Lock.String())
	require.Equal(t, []uint64{id}, f.open(""))
	f.auctions.bid(f.ctx, id, f.who(2), 300_000)
	f.auctions.bid(f.ctx, id, f.who(1), 300_001)
	f.until(id, types.STATE_ASSIGNED)
	require.EqualValues(t, 7, f.ctx.BlockHeight(), "at the end of the last height for bids")
	require.Empty(t, f.open(""))
	st = f.status(id)
	require.Equal(t, f.who(2), st.Worker)
	require.Equal(t, "300000", st.Price.String())
	f.done(id)
	pay := f.payment(id)
	require.Equal(t, "200000", pay.Refund.String(), "what was not asked for")
	require.Equal(t, "270750", pay.Worker.String())
	require.Equal(t, 2, f.auctions.state(f.ctx)[id].Ended, "when it was delivered, and once more at the end")
	for _, c := range f.credits(id) {
		require.Zero(t, c.ScoreUnits)
	}
}

// TestSealedAuction closes after the reveals.
func TestSealedAuction(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.BidRevealBlocks = 7 })
	msg := auctionMsg(f.who(9), 1)
	msg.Auction.Sealed = true
	id := f.submit(msg)
	require.EqualValues(t, 13, f.status(id).Due)
	require.EqualValues(t, 6, f.auctions.state(f.ctx)[id].Terms.BidUntil)
}

// TestNextBid: whoever fails makes place for the next bid, at its price; who cannot run the task any more is passed over; in the end it expires.
func TestNextBid(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id := f.submit(auctionMsg(f.who(9), 1))
	for i := range 3 {
		f.auctions.bid(f.ctx, id, f.who(i), 2_000+int64(i))
	}
	s := f.poai.state(f.ctx)
	s.participant(f.who(1)).Bond = math.NewInt(5) // lost meanwhile
	f.poai.save(f.ctx, "poai", s)
	f.until(id, types.STATE_ASSIGNED)
	require.Equal(t, f.who(0), f.status(id).Worker)
	f.until(id, types.STATE_OPEN)
	require.Empty(t, f.open(""), "no new bids")
	require.Nil(t, f.status(id).Price)
	f.until(id, types.STATE_ASSIGNED)
	require.Equal(t, f.who(2), f.status(id).Worker)
	require.Equal(t, "2002", f.status(id).Price.String())
	f.until(id, types.STATE_OPEN)
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, "500000", f.payment(id).Refund.String())
	require.Len(t, f.slashes(id), 2, "each for its timeout")
	require.Equal(t, []string{f.who(0), f.who(1), f.who(2)}, f.auctions.state(f.ctx)[id].Failed, "who was passed over loses its deposit too")
}

// TestBidderHasTheInput: bytes by CID are no excuse for who offered to run the task.
func TestBidderHasTheInput(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	msg := auctionMsg(f.who(9), 1)
	id := f.submit(msg)
	task, _, err := f.keeper.GetTask(f.ctx, id)
	require.NoError(t, err)
	task.ByCid = true
	require.NoError(t, f.keeper.Tasks.Set(f.ctx, id, task))
	f.auctions.bid(f.ctx, id, f.who(0), 2_000)
	f.until(id, types.STATE_ASSIGNED)
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, []string{f.who(0) + "/1/100/false"}, f.slashes(id))
	require.Equal(t, []string{f.who(0)}, f.auctions.state(f.ctx)[id].Failed)
}

// TestBidderNeedsNoPlace: it has promised to be there, so it takes a place beyond its concurrency.
func TestBidderNeedsNoPlace(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	ids := make([]uint64, 5)
	for i := range ids {
		ids[i] = f.submit(auctionMsg(f.who(9), i))
		f.auctions.bid(f.ctx, ids[i], f.who(0), 2_000)
	}
	for _, id := range ids {
		f.until(id, types.STATE_ASSIGNED)
		require.Equal(t, f.who(0), f.status(id).Worker)
	}
	require.Equal(t, 5, f.poai.state(f.ctx).participant(f.who(0)).Active)
}

func TestNobodyBids(t *testing.T) {
	f := fixture(t)
	id := f.submit(auctionMsg(f.who(9), 1))
	f.until(id, types.STATE_EXPIRED)
	require.Equal(t, "500000", f.payment(id).Refund.String())
	require.Equal(t, 1, f.auctions.state(f.ctx)[id].Ended)
}

func TestAuctionIsCancelled(t *testing.T) {
	f := fixture(t)
	id := f.submit(auctionMsg(f.who(9), 1))
	f.auctions.bid(f.ctx, id, f.who(0), 2_000)
	f.block(2)
	_, err := deliver(f, f.msgs.CancelTask, &types.MsgCancelTask{Submitter: f.who(9), TaskId: id})
	require.NoError(t, err)
	require.Empty(t, f.open(""))
	f.block(1)
	require.Equal(t, "500000", f.payment(id).Refund.String())
	require.Equal(t, 1, f.auctions.state(f.ctx)[id].Ended, "bids are let go")
	f.block(10)
	require.Equal(t, types.STATE_CANCELLED, f.state(id))
}

func TestAuctionRefusals(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.MaxBidBlocks = 9 })
	for _, c := range []struct {
		name   string
		change func(*types.MsgSubmitTask)
		want   error
	}{
		{"without options", func(m *types.MsgSubmitTask) { m.Auction = nil }, types.ErrAuction},
		{"no time", func(m *types.MsgSubmitTask) { m.Auction.BidBlocks = 0 }, types.ErrAuction},
		{"negative time", func(m *types.MsgSubmitTask) { m.Auction.BidBlocks = -1 }, types.ErrAuction},
		{"too long", func(m *types.MsgSubmitTask) { m.Auction.BidBlocks = 10 }, types.ErrAuction},
		{"options of another", func(m *types.MsgSubmitTask) { m.Allocation = types.ALLOCATION_DRAW }, types.ErrAuction},
		{"redundancy", func(m *types.MsgSubmitTask) { m.Redundancy = 1 }, types.ErrRedundancy},
		{"below the least fee", func(m *types.MsgSubmitTask) { m.MaxFee = coin(999) }, types.ErrFee},
		{"assigned", func(m *types.MsgSubmitTask) { m.Allocation = types.ALLOCATION_ASSIGNED }, types.ErrAllocation},
	} {
		t.Run(c.name, func(t *testing.T) {
			msg := auctionMsg(f.who(9), 1)
			c.change(msg)
			_, err := deliver(f, f.msgs.SubmitTask, msg)
			require.ErrorIs(t, err, c.want)
		})
	}
	id := f.submit(auctionMsg(f.who(9), 1))
	require.NotEmpty(t, f.come(id, f.who(0), f.result(id, 0, 1)), "an auction is no race")
}

func TestAuctionGenesis(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	waiting := f.submit(auctionMsg(f.who(9), 1))
	f.auctions.bid(f.ctx, waiting, f.who(1), 4_000)
	running := f.submit(auctionMsg(f.who(9), 2))
	f.auctions.bid(f.ctx, running, f.who(0), 3_000)
	f.block(1)
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	h := f.imported(*g)
	require.Equal(t, []uint64{waiting, running}, h.open(""))
	h.until(running, types.STATE_ASSIGNED)
	h.block(0)
	g, err = h.keeper.ExportGenesis(h.ctx)
	require.NoError(t, err)
	h = h.imported(*g)
	h.done(running)
	require.Equal(t, "3000", h.status(running).Price.String())
}

// TestCharge: the part of a price for the units done is between the least fee and the price, grows with the units, and is the price for all of them.
func TestCharge(t *testing.T) {
	least := math.NewInt(1_000)
	rapid.Check(t, func(t *rapid.T) {
		task := types.Task{Units: rapid.Uint64Min(1).Draw(t, "units")}
		done := rapid.Uint64Range(1, task.Units).Draw(t, "done")
		price := math.NewIntFromUint64(rapid.Uint64Min(1_000).Draw(t, "price"))
		c := task.ChargeBid(price, done, least)
		require.True(t, c.GTE(least) && c.LTE(price))
		require.True(t, c.LTE(task.ChargeBid(price, min(done, task.Units-1)+1, least)))
		require.True(t, task.ChargeBid(price, task.Units, least).Equal(price))
		exact := price.Mul(math.NewIntFromUint64(done))
		require.True(t, c.Equal(least) || c.Mul(math.NewIntFromUint64(task.Units)).Sub(exact).LT(math.NewIntFromUint64(task.Units)), "rounded up by less than one")
	})
	require.Equal(t, "500", types.Task{Units: 10}.ChargeBid(math.NewInt(500), 1, least).String(), "a price below the least fee of now")
}

// TestRiskAtAnyPrice: lock and rate hold for whatever is bid.
func TestRiskAtAnyPrice(t *testing.T) {
	p := types.DefaultParams()
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Uint64Range(1, 1_000_000_000).Draw(t, "units")
		ceiling := math.NewIntFromUint64(rapid.Uint64Range(1_000, 1<<50).Draw(t, "ceiling"))
		stops := rapid.Bool().Draw(t, "stops")
		lock, ppm := p.RiskAtAnyPrice(units, ceiling, 500, stops)
		// Each bid is a unit price of its own, with the rate that a drawn task would have at it.
		bid := ceiling.MulRaw(rapid.Int64Range(0, 1_000).Draw(t, "share")).QuoRaw(1_000)
		q := p
		q.UnitPrice, q.MinFee = math.ZeroInt(), math.MaxInt(bid, math.NewInt(1))
		least, rate := q.Risk(units, 500, stops)
		require.True(t, lock.GTE(least), "%s < %s", lock, least)
		if lock.Equal(least) {
			require.GreaterOrEqual(t, ppm, rate)
		}
	})
}
