package keeper_test

import (
	"context"
	"slices"

	"cosmossdk.io/math"

	auctionstypes "poaid/x/auctions/types"
	"poaid/x/tasks/types"
)

var _ types.AuctionKeeper = fakeAuctions{}

// fakeAuctions keeps bids in the order they are to be taken.
type fakeAuctions struct{ kv }

type fakeBid struct {
	Bidder string
	Price  math.Int
}

type fakeAuction struct {
	Terms auctionstypes.Terms
	Bids  []fakeBid
	Ended int
	// Taken is who bid last of those that were taken, Failed who lost its deposit.
	Taken  string
	Failed []string
}

type auctionState map[uint64]fakeAuction

func (a fakeAuctions) state(ctx context.Context) auctionState {
	s := auctionState{}
	a.load(ctx, "auctions", &s)
	return s
}

// bid adds a bid behind those that are there.
func (a fakeAuctions) bid(ctx context.Context, task uint64, bidder string, price int64) {
	s := a.state(ctx)
	x := s[task]
	x.Bids = append(x.Bids, fakeBid{bidder, math.NewInt(price)})
	s[task] = x
	a.save(ctx, "auctions", s)
}

func (a fakeAuctions) OpenAuction(ctx context.Context, terms auctionstypes.Terms) error {
	s := a.state(ctx)
	s[terms.Task] = fakeAuction{Terms: terms}
	a.save(ctx, "auctions", s)
	return nil
}

func (a fakeAuctions) NextBid(ctx context.Context, task uint64) (string, math.Int, bool, error) {
	s := a.state(ctx)
	x, known := s[task]
	if !known || len(x.Bids) == 0 {
		return "", math.Int{}, false, nil
	}
	best := x.Bids[0]
	x.Bids, x.Taken = slices.Delete(x.Bids, 0, 1), best.Bidder
	s[task] = x
	a.save(ctx, "auctions", s)
	return best.Bidder, best.Price, true, nil
}

func (a fakeAuctions) FailBid(ctx context.Context, task uint64) error {
	s := a.state(ctx)
	x := s[task]
	if x.Ended == 0 {
		x.Failed, x.Taken = append(x.Failed, x.Taken), ""
	}
	s[task] = x
	a.save(ctx, "auctions", s)
	return nil
}

func (a fakeAuctions) EndAuction(ctx context.Context, task uint64) error {
	s := a.state(ctx)
	x := s[task]
	x.Bids, x.Ended = nil, x.Ended+1
	s[task] = x
	a.save(ctx, "auctions", s)
	return nil
}
