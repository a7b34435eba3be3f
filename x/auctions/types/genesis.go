package types

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// DefaultGenesis has no auctions.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	last := uint64(0)
	for i, a := range g.Auctions {
		if a.Terms.Task <= last {
			return errorsmod.Wrapf(ErrGenesis, "auctions[%d]: task %d does not follow %d", i, a.Terms.Task, last)
		}
		last = a.Terms.Task
		if err := a.Validate(); err != nil {
			return errorsmod.Wrapf(err, "auctions[%d]", i)
		}
	}
	return nil
}

// Validate checks that an auction's counters and best bids are those of its bids.
func (a GenesisAuction) Validate() error {
	if err := a.Terms.Validate(); err != nil {
		return err
	}
	bids := make(map[string]Bid, len(a.Bids))
	held, revealed, s := uint64(0), uint64(0), a.Standing
	for i, b := range a.Bids {
		if _, twice := bids[b.Bidder]; twice || b.Bidder == "" || b.Task != a.Terms.Task {
			return errorsmod.Wrapf(ErrGenesis, "bids[%d]: twice, of nobody or of another task", i)
		}
		if !b.Sealed() && a.Terms.CheckPrice(*b.Price) != nil || a.Terms.Sealed && len(b.Commitment) != SaltSize || !a.Terms.Sealed && b.Sealed() {
			return errorsmod.Wrapf(ErrGenesis, "bids[%d]: price or commitment", i)
		}
		bids[b.Bidder] = b
		if s.Holds(b) {
			held++
		}
		if !b.Sealed() {
			revealed++
		}
	}
	switch {
	case s.Phase < PHASE_BIDDING || s.Phase > PHASE_OVER:
		return errorsmod.Wrapf(ErrGenesis, "phase: %d is unknown", s.Phase)
	// Nothing is withdrawn, taken or lost before the close, which pays out of what is held for bids that are not revealed.
	case s.Phase == PHASE_BIDDING && (s.Stored != s.Bids || s.Revealed != revealed || s.Winner != "" || s.Forfeited):
		return errorsmod.Wrapf(ErrGenesis, "bidding: %d bids, %d stored, %d revealed, winner %q, forfeited %t", s.Bids, s.Stored, s.Revealed, s.Winner, s.Forfeited)
	case held != s.Held || s.Stored != uint64(len(a.Bids)) || s.Revealed > s.Bids || s.Stored > s.Bids || revealed > s.Revealed:
		return errorsmod.Wrapf(ErrGenesis, "held %d, stored %d, revealed %d, bids %d: the bids say %d and %d", s.Held, s.Stored, s.Revealed, s.Bids, held, len(a.Bids))
	case len(s.Best) > KeptBids || s.Phase == PHASE_OVER && (len(s.Best) > 0 || len(a.Bids) == 0):
		return errorsmod.Wrapf(ErrGenesis, "best: %d in %s", len(s.Best), s.Phase)
	}
	for i, kept := range s.Best {
		b, known := bids[kept.Bidder]
		if !known || b.Sealed() || !b.Price.Equal(kept.Price) || b.Order != kept.Order || i > 0 && !s.Best[i-1].before(kept) {
			return errorsmod.Wrapf(ErrGenesis, "best[%d]: not a bid, or out of order", i)
		}
	}
	return nil
}

// Validate checks terms on their own.
func (t Terms) Validate() error {
	switch {
	case t.Task == 0 || t.Model == "":
		return errorsmod.Wrap(ErrGenesis, "task or model: missing")
	case t.Ceiling.Validate() != nil || t.Least.IsNil() || t.Least.IsNegative() || t.Least.GT(t.Ceiling.Amount):
		return errorsmod.Wrap(ErrGenesis, "ceiling or least: malformed")
	case t.Lock.IsNil() || t.Lock.IsNegative():
		return errorsmod.Wrap(ErrGenesis, "lock: missing or negative")
	case t.Deposit.Validate() != nil || !t.Deposit.IsPositive():
		return errorsmod.Wrap(ErrGenesis, "deposit: malformed")
	case t.RevealUntil < t.BidUntil || t.BidUntil < 1:
		return errorsmod.Wrap(ErrGenesis, "bid_until, reveal_until: do not ascend")
	}
	return t.Requirements.Validate()
}

// Owed is what the module must hold for the auctions.
func (g GenesisState) Owed() (coins sdk.Coins) {
	for _, a := range g.Auctions {
		coins = coins.Add(Times(a.Terms.Deposit, a.Standing.Held)...)
	}
	return coins
}
