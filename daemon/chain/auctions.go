package chain

import (
	"context"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/query"

	auctionstypes "poaid/x/auctions/types"
)

// AuctionsParams returns the params of auctions.
func (c *Client) AuctionsParams(ctx context.Context) (auctionstypes.Params, error) {
	res, err := auctionstypes.NewQueryClient(c).Params(ctx, &auctionstypes.QueryParamsRequest{})
	if err != nil {
		return auctionstypes.Params{}, fmt.Errorf("params of auctions: %w", err)
	}
	return res.Params, nil
}

// AuctionTerms returns the terms of a task's auction; ErrNotFound where there is none, or none any more.
func (c *Client) AuctionTerms(ctx context.Context, task uint64) (auctionstypes.Terms, error) {
	res, err := auctionstypes.NewQueryClient(c).Auction(ctx, &auctionstypes.QueryAuctionRequest{Task: task})
	if err != nil {
		return auctionstypes.Terms{}, fmt.Errorf("auction of task %d: %w", task, err)
	}
	return res.Terms, nil
}

// EachBid calls fn for every bid of a participant that was not withdrawn, page by page to the end.
func (c *Client) EachBid(ctx context.Context, bidder string, fn func(auctionstypes.BidView) error) error {
	q := auctionstypes.NewQueryClient(c)
	return each("bids of "+bidder, fn, func(p *query.PageRequest) ([]auctionstypes.BidView, *query.PageResponse, error) {
		res, err := q.BidsOf(ctx, &auctionstypes.QueryBidsOfRequest{Bidder: bidder, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Bids, res.Pagination, nil
	})
}
