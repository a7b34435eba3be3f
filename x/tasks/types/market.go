package types

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	auctionstypes "poaid/x/auctions/types"
)

// AuctionKeeper keeps bids and their deposits. x/auctions implements it.
type AuctionKeeper interface {
	// OpenAuction begins to take bids on a task; the deposit is the auction's to say.
	OpenAuction(ctx context.Context, terms auctionstypes.Terms) error
	// NextBid takes the best bid that is left, and closes the bidding when it is first called. Who bid has its bond free again for the task's lock.
	NextBid(ctx context.Context, task uint64) (bidder string, price math.Int, found bool, err error)
	// FailBid takes the deposit of the bid that was taken last, whose bidder did not deliver or no longer qualified. Nothing where the auction is over.
	FailBid(ctx context.Context, task uint64) error
	// EndAuction lets go of the bids kept in reserve; it may be called again.
	EndAuction(ctx context.Context, task uint64) error
}

// Race tells whether the task is whose who seals first.
func (t Task) Race() bool { return t.Allocation == ALLOCATION_RACE }

// Auctioned tells whether the task goes to who asks least.
func (t Task) Auctioned() bool { return t.Allocation == ALLOCATION_AUCTION }

// TakesComers tells whether participants may come for the task by themselves: seal a race, or bid.
func (t Task) TakesComers(st Status) bool {
	switch {
	case t.Race():
		return st.State == STATE_OPEN || st.State == STATE_SEALED && st.Runners+1 < t.Redundancy
	case t.Auctioned():
		return st.State == STATE_OPEN && st.Attempt == 0
	}
	return false
}

// ChargeBid is what the units done cost of an auctioned task, in the denom of max_fee: their part of the price, rounded up, at least min_fee and at most
// the price.
func (t Task) ChargeBid(price math.Int, done uint64, minFee math.Int) math.Int {
	part := price.Mul(math.NewIntFromUint64(done))
	units := math.NewIntFromUint64(max(t.Units, 1))
	part = part.Add(units).SubRaw(1).Quo(units)
	return math.MinInt(price, math.MaxInt(part, Exchange(minFee, t.Rate())))
}

// CheckAllocation checks allocation, requirements and the options that go with them.
func (m *MsgSubmitTask) CheckAllocation(p Params) error {
	if err := m.Requirements.Validate(); err != nil {
		return err
	}
	switch m.Allocation {
	case ALLOCATION_DRAW, ALLOCATION_AUCTION, ALLOCATION_RACE:
	default:
		return errorsmod.Wrapf(ErrAllocation, "allocation: %s, want %s, %s or %s", m.Allocation, ALLOCATION_DRAW, ALLOCATION_AUCTION, ALLOCATION_RACE)
	}
	if m.Redundancy > 0 && m.Allocation != ALLOCATION_RACE || m.Redundancy > p.MaxRedundancy {
		return errorsmod.Wrapf(ErrRedundancy, "redundancy: %d, want up to %d with %s, 0 with others", m.Redundancy, p.MaxRedundancy, ALLOCATION_RACE)
	}
	if (m.Auction != nil) != (m.Allocation == ALLOCATION_AUCTION) {
		return errorsmod.Wrapf(ErrAuction, "auction: must be given with %s and with no other", ALLOCATION_AUCTION)
	}
	if m.Auction != nil && !m.Tip.IsNil() && m.Tip.IsPositive() {
		return errorsmod.Wrapf(ErrAuction, "tip: %s, a bid says what the worker wants", m.Tip)
	}
	if m.Auction != nil && (m.Auction.BidBlocks < 1 || m.Auction.BidBlocks > p.MaxBidBlocks) {
		return errorsmod.Wrapf(ErrAuction, "bid_blocks: %d, want 1..%d", m.Auction.BidBlocks, p.MaxBidBlocks)
	}
	return nil
}

// Terms are the heights of an auction that begins at height.
func (o *AuctionOptions) Terms(height int64, p Params) *AuctionTerms {
	if o == nil {
		return nil
	}
	t := &AuctionTerms{BidUntil: height + o.BidBlocks, RevealUntil: height + o.BidBlocks, Sealed: o.Sealed}
	if o.Sealed {
		t.RevealUntil += p.BidRevealBlocks
	}
	return t
}

// RiskAtAnyPrice is Risk for a run whose price is not known yet, up to ceiling in fee_denom: whoever makes its answer up may gain the part of the dearest, where the
// run may stop early, and forgo nothing. So it holds for every bid.
func (p Params) RiskAtAnyPrice(units uint64, ceiling math.Int, royaltyBps uint32, stops bool) (lock math.Int, auditPpm uint32) {
	return p.risk(units, royaltyBps, stops, math.ZeroInt(), ceiling, math.ZeroInt())
}
