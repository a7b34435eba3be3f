package keeper

import (
	"bytes"
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

// biddable reads an auction that takes bids of that kind now.
func (k Keeper) biddable(ctx context.Context, task uint64, sealed bool) (types.Terms, types.Standing, error) {
	terms, s, err := k.auction(ctx, task)
	if err != nil {
		return terms, s, err
	}
	if terms.Sealed != sealed {
		return terms, s, errorsmod.Wrapf(types.ErrKind, "task_id: bids on %d are sealed: %t", task, terms.Sealed)
	}
	return terms, s, inTime(terms, s, height(ctx), terms.BidUntil)
}

func inTime(terms types.Terms, s types.Standing, now, until int64) error {
	if s.Phase != types.PHASE_BIDDING {
		return errorsmod.Wrapf(types.ErrPhase, "task_id: %d is in %s", terms.Task, s.Phase)
	}
	if now > until {
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: %d could be bid on until height %d, it is %d", terms.Task, until, now)
	}
	return nil
}

// bid makes an open bid, or lowers one.
func (k Keeper) bid(ctx context.Context, addr sdk.AccAddress, bidder string, task uint64, price math.Int) (kept bool, err error) {
	terms, s, err := k.biddable(ctx, task, false)
	if err != nil {
		return false, err
	}
	if err := terms.CheckPrice(price); err != nil {
		return false, err
	}
	b, err := k.Bids.Get(ctx, collections.Join(task, addr))
	switch {
	case errors.Is(err, collections.ErrNotFound):
		b = types.Bid{Task: task, Bidder: bidder}
		if err := k.add(ctx, addr, terms, &s, b); err != nil {
			return false, err
		}
		s.Revealed++
	case err != nil:
		return false, err
	case price.GTE(*b.Price):
		return false, errorsmod.Wrapf(types.ErrPrice, "price: %s does not lower the bid of %s", price, b.Price)
	}
	b.Price, b.Order = &price, order(ctx)
	if kept, err = k.rank(ctx, terms, &s, b); err != nil {
		return false, err
	}
	return kept, k.put(ctx, addr, s, b, kept)
}

// sealBid commits a bid. It must be of somebody who could run the task; that it has the bond free shows when it is revealed.
func (k Keeper) sealBid(ctx context.Context, addr sdk.AccAddress, bidder string, task uint64, commitment []byte) error {
	terms, s, err := k.biddable(ctx, task, true)
	if err != nil {
		return err
	}
	if len(commitment) != types.SaltSize {
		return errorsmod.Wrapf(types.ErrLength, "commitment: %d bytes, want %d", len(commitment), types.SaltSize)
	}
	has, err := k.Bids.Has(ctx, collections.Join(task, addr))
	if err != nil {
		return err
	}
	if has {
		return errorsmod.Wrapf(types.ErrBidExists, "bidder: %s has sealed a bid on %d", bidder, task)
	}
	if err := k.qualifies(ctx, terms, bidder, math.ZeroInt()); err != nil {
		return err
	}
	b := types.Bid{Task: task, Bidder: bidder, Order: order(ctx), Commitment: commitment}
	if err := k.add(ctx, addr, terms, &s, b); err != nil {
		return err
	}
	return k.put(ctx, addr, s, b, false)
}

// revealBid opens a sealed bid. Who cannot back it any more has its deposit back, and no place among the best.
func (k Keeper) revealBid(ctx context.Context, addr sdk.AccAddress, bidder string, msg *types.MsgRevealBid) (kept bool, err error) {
	terms, s, err := k.auction(ctx, msg.TaskId)
	if err != nil {
		return false, err
	}
	if !terms.Sealed {
		return false, errorsmod.Wrapf(types.ErrKind, "task_id: bids on %d are open", msg.TaskId)
	}
	if now := height(ctx); now <= terms.BidUntil {
		return false, errorsmod.Wrapf(types.ErrDeadline, "task_id: bids on %d are revealed from height %d, it is %d", msg.TaskId, terms.BidUntil+1, now)
	}
	if err := inTime(terms, s, height(ctx), terms.RevealUntil); err != nil {
		return false, err
	}
	b, err := k.ofBidder(ctx, addr, bidder, msg.TaskId)
	if err != nil {
		return false, err
	}
	if err := checkReveal(ctx, terms, b, msg); err != nil {
		return false, err
	}
	price := msg.Price
	b.Price = &price
	s.Revealed++
	if kept, err = k.rank(ctx, terms, &s, b); err != nil && !errors.Is(err, poaitypes.ErrUnfit) {
		return false, err
	}
	return kept, k.put(ctx, addr, s, b, kept)
}

func checkReveal(ctx context.Context, terms types.Terms, b types.Bid, msg *types.MsgRevealBid) error {
	if !b.Sealed() {
		return errorsmod.Wrapf(types.ErrReveal, "task_id: the bid on %d is revealed already", msg.TaskId)
	}
	if err := terms.CheckPrice(msg.Price); err != nil {
		return err
	}
	if len(msg.Salt) != types.SaltSize {
		return errorsmod.Wrapf(types.ErrLength, "salt: %d bytes, want %d", len(msg.Salt), types.SaltSize)
	}
	want := types.Commitment(sdk.UnwrapSDKContext(ctx).ChainID(), b.Task, b.Bidder, msg.Price, [types.SaltSize]byte(msg.Salt))
	if !bytes.Equal(want[:], b.Commitment) {
		return errorsmod.Wrapf(types.ErrReveal, "task_id: %d, price %s", msg.TaskId, msg.Price)
	}
	return nil
}

// add takes the deposit of a new bid and counts it. The caller stores it.
func (k Keeper) add(ctx context.Context, addr sdk.AccAddress, terms types.Terms, s *types.Standing, b types.Bid) error {
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, addr, types.ModuleName, sdk.NewCoins(terms.Deposit)); err != nil {
		return errorsmod.Wrap(err, "deposit")
	}
	s.Bids++
	s.Held++
	s.Stored++
	return k.ByBidder.Set(ctx, collections.Join(addr, b.Task))
}

// put stores a bid and the standing that it has changed.
func (k Keeper) put(ctx context.Context, addr sdk.AccAddress, s types.Standing, b types.Bid, kept bool) error {
	if err := k.Bids.Set(ctx, collections.Join(b.Task, addr), b); err != nil {
		return err
	}
	if err := k.Standings.Set(ctx, b.Task, s); err != nil {
		return err
	}
	event := &types.EventBid{TaskId: b.Task, Bidder: b.Bidder, Kept: kept}
	if !b.Sealed() {
		event.Price = b.Price.String()
	}
	return events.Emit(ctx, event)
}

// rank puts a bid among the best, if it belongs there, with the lock behind it; who drops out has its lock back. So whoever is kept can pay for failing when
// its turn comes, and closing has nothing to look for. ErrUnfit, without any change, where the bidder could not run the task.
func (k Keeper) rank(ctx context.Context, terms types.Terms, s *types.Standing, b types.Bid) (kept bool, err error) {
	bid := types.KeptBid{Bidder: b.Bidder, Price: *b.Price, Order: b.Order}
	had := s.Keeps(b.Bidder)
	kept = s.Rank(bid) < types.KeptBids
	lock := math.ZeroInt()
	if kept && !had {
		lock = terms.Lock
	}
	if err := k.qualifies(ctx, terms, b.Bidder, lock); err != nil || !kept {
		return false, err
	}
	if dropped := s.Place(bid); dropped != "" {
		if err := k.poai.ReleaseLock(ctx, dropped, poaitypes.LOCK_KIND_BID, b.Task); err != nil {
			return false, err
		}
	}
	if had {
		return true, nil
	}
	return true, k.poai.LockBond(ctx, poaitypes.Lock{Participant: b.Bidder, Kind: poaitypes.LOCK_KIND_BID, Item: b.Task, Amount: lock})
}

func (k Keeper) qualifies(ctx context.Context, terms types.Terms, bidder string, lock math.Int) error {
	return k.poai.Qualify(ctx, poaitypes.QualifyRequest{Participant: bidder, Model: terms.Model, Requirements: terms.Requirements, Lock: lock})
}

// ofBidder reads a bid; ErrUnknownBid where there is none.
func (k Keeper) ofBidder(ctx context.Context, addr sdk.AccAddress, bidder string, task uint64) (types.Bid, error) {
	b, err := k.Bids.Get(ctx, collections.Join(task, addr))
	if errors.Is(err, collections.ErrNotFound) {
		return b, errorsmod.Wrapf(types.ErrUnknownBid, "task_id: %d has no bid of %s", task, bidder)
	}
	return b, err
}

// withdraw drops a bid and pays its deposit back, unless that is lost.
func (k Keeper) withdraw(ctx context.Context, addr sdk.AccAddress, bidder string, task uint64) (sdk.Coins, error) {
	b, err := k.ofBidder(ctx, addr, bidder, task)
	if err != nil {
		return nil, err
	}
	terms, s, err := k.auction(ctx, task)
	if err != nil {
		return nil, err
	}
	if s.Phase == types.PHASE_BIDDING {
		return nil, errorsmod.Wrapf(types.ErrPhase, "task_id: %d is in %s", task, s.Phase)
	}
	if s.Reserved(bidder) {
		return nil, errorsmod.Wrapf(types.ErrReserved, "task_id: the bid on %d may still have to run it", task)
	}
	var paid sdk.Coins
	if s.Holds(b) {
		paid = sdk.NewCoins(terms.Deposit)
		s.Held--
	}
	s.Stored--
	if err := k.drop(ctx, addr, task); err != nil {
		return nil, err
	}
	if err := k.store(ctx, task, s); err != nil {
		return nil, err
	}
	return paid, events.Emit(ctx, &types.EventBidWithdrawn{TaskId: task, Bidder: bidder, Amount: paid.String()})
}

// drop deletes a bid and its index entry; the caller counts.
func (k Keeper) drop(ctx context.Context, addr sdk.AccAddress, task uint64) error {
	if err := k.Bids.Remove(ctx, collections.Join(task, addr)); err != nil {
		return err
	}
	return k.ByBidder.Remove(ctx, collections.Join(addr, task))
}

// order is when a message came: height << 24 | index of the transaction << 8 | index of the message.
func order(ctx context.Context) uint64 {
	c := sdk.UnwrapSDKContext(ctx)
	// Both indexes are -1 outside a transaction.
	tx, msg := min(max(c.TxIndex(), 0), 1<<16-1), min(max(c.MsgIndex(), 0), 1<<8-1)
	return uint64(c.BlockHeight())<<24 | uint64(tx)<<8 | uint64(msg) // #nosec G115 -- none is negative
}
