package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/internal/paging"
	"poaid/x/auctions/types"
)

type queryServer struct{ k Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServerImpl returns the query service.
func NewQueryServerImpl(k Keeper) types.QueryServer { return queryServer{k} }

// Params returns the params.
func (q queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := q.k.Params.Get(ctx)
	return &types.QueryParamsResponse{Params: params}, err
}

// Auction returns terms and standing of a task's auction.
func (q queryServer) Auction(ctx context.Context, req *types.QueryAuctionRequest) (*types.QueryAuctionResponse, error) {
	terms, s, err := q.k.auction(ctx, req.Task)
	if errors.Is(err, types.ErrUnknownAuction) {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return &types.QueryAuctionResponse{Terms: terms, Standing: s}, err
}

// Bids lists the bids on a task, by address.
func (q queryServer) Bids(ctx context.Context, req *types.QueryBidsRequest) (*types.QueryBidsResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	bids, next, err := query.CollectionPaginate(ctx, q.k.Bids, page,
		func(_ bidKey, b types.Bid) (types.Bid, error) { return b, nil }, query.WithCollectionPaginationPairPrefix[uint64, sdk.AccAddress](req.Task))
	return &types.QueryBidsResponse{Bids: bids, Pagination: next}, err
}

// BidsOf lists the bids of a participant that were not withdrawn.
func (q queryServer) BidsOf(ctx context.Context, req *types.QueryBidsOfRequest) (*types.QueryBidsOfResponse, error) {
	page, err := paging.Check(req.Pagination)
	if err != nil {
		return nil, err
	}
	addr, bidder, err := q.k.address(req.Bidder)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	bids, next, err := query.CollectionPaginate(ctx, q.k.ByBidder, page,
		func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (types.BidView, error) {
			b, err := q.k.Bids.Get(ctx, collections.Join(key.K2(), addr))
			if err != nil {
				return types.BidView{}, err
			}
			s, err := q.k.Standings.Get(ctx, key.K2())
			return types.BidView{
				Bid: b, Kept: s.Keeps(bidder) || s.Phase == types.PHASE_CLOSED && s.Winner == bidder, Withdrawable: !s.Reserved(bidder), Forfeited: !s.Holds(b),
			}, err
		}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](addr))
	return &types.QueryBidsOfResponse{Bids: bids, Pagination: next}, err
}
