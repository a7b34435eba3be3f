package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	auctionstypes "poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// enterOpen opens a task, at opened_height. A draw waits for randomness, an auction for its bids, or, after its worker failed, no longer than a
// draw would. A race has the heights that a task has which is assigned when the race opens, so that nobody can choose the randomness of its audit by
// when it seals.
func enterOpen(st *types.Status, params types.Params, task types.Task) {
	from := st.OpenedHeight
	switch {
	case task.Race():
		window, _ := params.SealWindow(task.Units)
		st.PromptHeight = from + params.PromptBlocks + window - params.SealBlocks
		enter(st, types.STATE_OPEN, from+window, from+window)
	case task.Auctioned() && st.Attempt == 0:
		enter(st, types.STATE_OPEN, task.Auction.RevealUntil, 0)
	default:
		enter(st, types.STATE_OPEN, from+params.DrawDelay, 0)
	}
}

// offer announces a new task to those who may come for it.
func (k Keeper) offer(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	if err := k.list(ctx, task, st); err != nil || !task.Auctioned() {
		return err
	}
	if *k.auctions == nil {
		return types.ErrNoAuctions
	}
	return (*k.auctions).OpenAuction(ctx, auctionstypes.Terms{
		Task: task.Id, Model: task.Model, Requirements: task.Requirements, Ceiling: task.MaxFee, Least: types.Exchange(params.MinFee, task.Rate()), Lock: task.Lock,
		BidUntil: task.Auction.BidUntil, RevealUntil: task.Auction.RevealUntil, Sealed: task.Auction.Sealed,
	})
}

// priceAuction sets what a task may cost that bids make the price of, and what is at risk whatever they say.
func (k Keeper) priceAuction(params types.Params, task *types.Task, stops bool) error {
	task.Fee = task.MaxFee.Amount
	if least := types.Exchange(params.MinFee, task.Rate()); task.Fee.LT(least) {
		return errorsmod.Wrapf(types.ErrFee, "max_fee: %s, the least fee is %s", task.MaxFee, least)
	}
	task.Lock, task.AuditPpm = params.RiskAtAnyPrice(task.Units, types.Worth(task.Fee, task.Rate()), task.RoyaltyBps, stops)
	return nil
}

// list keeps the index of tasks that participants may come for.
func (k Keeper) list(ctx context.Context, task types.Task, st types.Status) error {
	if task.TakesComers(st) {
		return k.Open.Set(ctx, collections.Join(task.Model, task.Id))
	}
	return k.unlist(ctx, task)
}

func (k Keeper) unlist(ctx context.Context, task types.Task) error {
	if !task.Race() && !task.Auctioned() {
		return nil
	}
	return k.Open.Remove(ctx, collections.Join(task.Model, task.Id))
}

// takeBid gives an auctioned task to the best bid that is left, whoever made it must still qualify: at most as many are looked at as an auction keeps.
// Who bid has promised to be there: it needs no free place, and who is not fit any more loses its deposit. Without a bid the task has found nobody.
func (k Keeper) takeBid(ctx context.Context, params types.Params, task types.Task, st types.Status, asked *demand) error {
	if *k.auctions == nil {
		return types.ErrNoAuctions
	}
	if err := k.unlist(ctx, task); err != nil {
		return err
	}
	for range auctionstypes.KeptBids {
		bidder, price, found, err := (*k.auctions).NextBid(ctx, task.Id)
		if err != nil {
			return err
		}
		if !found {
			break
		}
		err = k.poai.Enlist(ctx, poaitypes.QualifyRequest{
			Participant: bidder, Model: task.Model, Requirements: task.Requirements, Lock: task.Lock,
		}, task.Id)
		if errors.Is(err, poaitypes.ErrUnfit) {
			if err := (*k.auctions).FailBid(ctx, task.Id); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		st.Price = &price
		if st.Attempt == 0 {
			asked.count(bought(task, price), true)
		}
		return k.handTo(ctx, params, task, st, bidder)
	}
	if st.Attempt == 0 {
		asked.count(bought(task, task.MaxFee.Amount), false)
	}
	return k.expire(ctx, params, task, st)
}

// endAuction lets go of bids kept in reserve: the task was delivered, or has ended.
func (k Keeper) endAuction(ctx context.Context, id uint64) error {
	if *k.auctions == nil {
		return types.ErrNoAuctions
	}
	return (*k.auctions).EndAuction(ctx, id)
}

// failBid takes the deposit of a bidder that was handed the task and did not deliver. Nobody has to bid, so an input by CID is no excuse: who bids has the bytes.
func (k Keeper) failBid(ctx context.Context, task types.Task) error {
	if !task.Auctioned() {
		return nil
	}
	if *k.auctions == nil {
		return types.ErrNoAuctions
	}
	return (*k.auctions).FailBid(ctx, task.Id)
}

// withdraw takes an ended task from those who might still come for it.
func (k Keeper) withdraw(ctx context.Context, task types.Task) error {
	if err := k.unlist(ctx, task); err != nil || !task.Auctioned() {
		return err
	}
	return k.endAuction(ctx, task.Id)
}
