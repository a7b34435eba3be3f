package types

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// SaltSize is the length of a salt in bytes.
const SaltSize = 32

// Commitment of a sealed bid: H("poai/auctions/bid/1" ‖ chain id ‖ task ‖ bidder ‖ price ‖ salt), each text with its length. It binds chain, task and
// bidder, so that a copy is of no use to anybody else.
func Commitment(chainID string, task uint64, bidder string, price math.Int, salt [SaltSize]byte) [32]byte {
	b := []byte("poai/auctions/bid/1")
	text := func(s string) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	text(chainID)
	b = binary.LittleEndian.AppendUint64(b, task)
	text(bidder)
	text(price.String())
	return sha256.Sum256(append(b, salt[:]...))
}

// Sealed tells whether the bid's price is not known.
func (b Bid) Sealed() bool { return b.Price == nil }

// CheckPrice checks a price against the auction's limits.
func (t Terms) CheckPrice(price math.Int) error {
	if price.IsNil() || price.LT(t.Least) || price.GT(t.Ceiling.Amount) {
		return errorsmod.Wrapf(ErrPrice, "price: %s, want %s..%s", price, t.Least, t.Ceiling)
	}
	return nil
}

// before orders bids: the least price first, of equal prices the earliest.
func (b KeptBid) before(o KeptBid) bool {
	switch {
	case !b.Price.Equal(o.Price):
		return b.Price.LT(o.Price)
	case b.Order != o.Order:
		return b.Order < o.Order
	}
	return b.Bidder < o.Bidder // bids of one message of x/authz come at once
}

// Rank is where a bid would stand among the best; KeptBids or more where it would not.
func (s Standing) Rank(bid KeptBid) int {
	rank := 0
	for _, kept := range s.Best {
		if kept.Bidder != bid.Bidder && !bid.before(kept) {
			rank++
		}
	}
	return rank
}

// Keeps tells whether a bidder is among the best.
func (s Standing) Keeps(bidder string) bool {
	return slices.ContainsFunc(s.Best, func(b KeptBid) bool { return b.Bidder == bidder })
}

// Place puts a bid among the best, in the place of an older one of the same bidder. It returns who dropped out, "" for nobody. The rank must be below
// KeptBids.
func (s *Standing) Place(bid KeptBid) (dropped string) {
	rank := s.Rank(bid)
	best := slices.DeleteFunc(slices.Clone(s.Best), func(b KeptBid) bool { return b.Bidder == bid.Bidder })
	s.Best = slices.Insert(best, rank, bid)
	if len(s.Best) > KeptBids {
		dropped = s.Best[KeptBids].Bidder
		s.Best = s.Best[:KeptBids]
	}
	return dropped
}

// Reserved tells whether a bid may still have to run the task, or runs it.
func (s Standing) Reserved(bidder string) bool {
	return s.Phase == PHASE_BIDDING || s.Phase == PHASE_CLOSED && (s.Winner == bidder || s.Keeps(bidder))
}

// Holds tells whether the module holds the bid's deposit.
func (s Standing) Holds(b Bid) bool { return !s.Forfeited || !b.Sealed() }
