package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/events"
	"poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
)

// OpenAuction begins to take bids on a task. The deposit is what the params say now.
func (k Keeper) OpenAuction(ctx context.Context, terms types.Terms) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	terms.Deposit = params.Deposit(terms.Lock)
	if err := k.Terms.Set(ctx, terms.Task, terms); err != nil {
		return err
	}
	if err := k.Standings.Set(ctx, terms.Task, types.Standing{Phase: types.PHASE_BIDDING}); err != nil {
		return err
	}
	return events.Emit(ctx, &types.EventAuctionOpened{
		TaskId: terms.Task, Ceiling: terms.Ceiling.String(), Deposit: terms.Deposit.String(), BidUntil: terms.BidUntil, RevealUntil: terms.RevealUntil,
	})
}

// auction reads terms and standing; ErrUnknownAuction where there are none, or none any more.
func (k Keeper) auction(ctx context.Context, task uint64) (types.Terms, types.Standing, error) {
	terms, err := k.Terms.Get(ctx, task)
	if errors.Is(err, collections.ErrNotFound) {
		return terms, types.Standing{}, errorsmod.Wrapf(types.ErrUnknownAuction, "task_id: %d", task)
	}
	if err != nil {
		return terms, types.Standing{}, err
	}
	standing, err := k.Standings.Get(ctx, task)
	return terms, standing, err
}

// NextBid takes the best bid that is left and frees the bond that backed it; the first time it closes the bidding, which costs sealed bids that were not
// revealed their deposits. Its cost does not depend on how many bid. found is false where no bid is left.
func (k Keeper) NextBid(ctx context.Context, task uint64) (bidder string, price math.Int, found bool, err error) {
	terms, s, err := k.auction(ctx, task)
	if errors.Is(err, types.ErrUnknownAuction) {
		return "", price, false, nil // over, and every bid withdrawn
	}
	if err != nil {
		return "", price, false, err
	}
	if s.Phase == types.PHASE_BIDDING {
		if err := k.close(ctx, terms, &s); err != nil {
			return "", price, false, err
		}
	}
	if len(s.Best) == 0 {
		return "", price, false, k.Standings.Set(ctx, task, s)
	}
	best := s.Best[0]
	s.Best, s.Winner = s.Best[1:], best.Bidder
	if err := k.poai.ReleaseLock(ctx, best.Bidder, poaitypes.LOCK_KIND_BID, task); err != nil {
		return "", price, false, err
	}
	if err := k.Standings.Set(ctx, task, s); err != nil {
		return "", price, false, err
	}
	return best.Bidder, best.Price, true, events.Emit(ctx, &types.EventBidTaken{TaskId: task, Bidder: best.Bidder, Price: best.Price.String()})
}

// FailBid drops the bid that was taken last, whose bidder did not deliver, or no longer qualified when its turn came; the community pool has its deposit. It
// does nothing where the auction is over.
func (k Keeper) FailBid(ctx context.Context, task uint64) error {
	terms, s, err := k.auction(ctx, task)
	if errors.Is(err, types.ErrUnknownAuction) || err == nil && (s.Phase != types.PHASE_CLOSED || s.Winner == "") {
		return nil
	}
	if err != nil {
		return err
	}
	addr, bidder, err := k.address(s.Winner)
	if err != nil {
		return err
	}
	if err := k.drop(ctx, addr, task); err != nil {
		return err
	}
	s.Winner, s.Held, s.Stored = "", s.Held-1, s.Stored-1
	if err := k.community.FundCommunityPool(ctx, sdk.NewCoins(terms.Deposit), k.account.GetModuleAddress(types.ModuleName)); err != nil {
		return err
	}
	if err := events.Emit(ctx, &types.EventBidFailed{TaskId: task, Bidder: bidder, Forfeited: terms.Deposit.String()}); err != nil {
		return err
	}
	return k.Standings.Set(ctx, task, s)
}

// close ends the bidding. All deposits of an auction are equal, so those that are lost are counted, not looked for.
func (k Keeper) close(ctx context.Context, terms types.Terms, s *types.Standing) error {
	unrevealed := s.Bids - s.Revealed
	lost := types.Times(terms.Deposit, unrevealed)
	s.Phase, s.Forfeited, s.Held = types.PHASE_CLOSED, terms.Sealed, s.Held-unrevealed
	if !lost.IsZero() {
		if err := k.community.FundCommunityPool(ctx, lost, k.account.GetModuleAddress(types.ModuleName)); err != nil {
			return err
		}
	}
	return events.Emit(ctx, &types.EventAuctionClosed{TaskId: terms.Task, Bids: s.Bids, Forfeited: lost.String()})
}

// EndAuction lets go of the bids kept in reserve; every bid can be withdrawn from now on. It does nothing where the auction is over. Where it was
// cancelled before it closed nobody loses a deposit.
func (k Keeper) EndAuction(ctx context.Context, task uint64) error {
	_, s, err := k.auction(ctx, task)
	if errors.Is(err, types.ErrUnknownAuction) || err == nil && s.Phase == types.PHASE_OVER {
		return nil
	}
	if err != nil {
		return err
	}
	for _, kept := range s.Best {
		if err := k.poai.ReleaseLock(ctx, kept.Bidder, poaitypes.LOCK_KIND_BID, task); err != nil {
			return err
		}
	}
	s.Phase, s.Best = types.PHASE_OVER, nil
	if err := events.Emit(ctx, &types.EventAuctionOver{TaskId: task}); err != nil {
		return err
	}
	return k.store(ctx, task, s)
}

// store writes a standing, or drops an auction that is over and has no bids.
func (k Keeper) store(ctx context.Context, task uint64, s types.Standing) error {
	if s.Phase != types.PHASE_OVER || s.Stored > 0 {
		return k.Standings.Set(ctx, task, s)
	}
	if err := k.Terms.Remove(ctx, task); err != nil {
		return err
	}
	return k.Standings.Remove(ctx, task)
}

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }
