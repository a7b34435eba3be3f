package game

import (
	"fmt"
	"math/bits"
)

// bpsDenominator is one whole, in basis points.
const bpsDenominator = 10000

// Bonds is what the parties put at risk, in the smallest coin.
type Bonds struct {
	Defender, Challenger uint64
	// MoveFee is what C's bond pays D for every move that D had to make, if D was right.
	MoveFee uint64
	// BurnBps is the part of the loser's bond that is burnt, at least half of it.
	BurnBps uint64
}

func (b Bonds) check(rounds uint64) error {
	if b.BurnBps < bpsDenominator/2 || b.BurnBps > bpsDenominator {
		return fmt.Errorf("bonds: burn_bps %d, want %d..%d", b.BurnBps, bpsDenominator/2, bpsDenominator)
	}
	if _, carry := bits.Add64(b.Defender, b.Challenger, 0); carry != 0 {
		return fmt.Errorf("bonds: %d and %d together exceed 64 bits", b.Defender, b.Challenger)
	}
	hi, fees := bits.Mul64(b.MoveFee, rounds)
	if hi != 0 || fees > b.Challenger-share(b.Challenger, b.BurnBps) {
		return fmt.Errorf("bonds: challenger %d does not prepay %d moves at %d besides what is burnt", b.Challenger, rounds, b.MoveFee)
	}
	return nil
}

// share is bps of an amount, rounded up.
func share(amount, bps uint64) uint64 {
	hi, lo := bits.Mul64(amount, bps)
	q, r := bits.Div64(hi, lo, bpsDenominator)
	if r > 0 {
		q++
	}
	return q
}

// Payout says where both bonds go. The three add up to them.
type Payout struct {
	Defender, Challenger, Burn uint64
}

// Payout settles a game that is over; before that, everybody has what they put in.
//
//	D wins: D gets its bond and MoveFee for every move it made, the rest of C's bond burns.
//	C wins: C gets its bond and what of D's bond does not burn.
//
// Rationale: at least half of a slash burns, so that nobody can win back a lie by challenging himself; a right challenge
// is paid by the liar, a wrong one pays the work that it caused.
func (g Game) Payout() Payout {
	b := g.Bonds
	switch g.Won {
	case Defender:
		fees := b.MoveFee * g.Rounds
		return Payout{Defender: b.Defender + fees, Burn: b.Challenger - fees}
	case Challenger:
		burn := share(b.Defender, b.BurnBps)
		return Payout{Challenger: b.Challenger + b.Defender - burn, Burn: burn}
	default:
		return Payout{Defender: b.Defender, Challenger: b.Challenger}
	}
}
