// Package audit says how often a result is audited and how much its worker puts at risk, so that making answers up loses in expectation.
//
// An honest worker earns R − C. One that made its answer up gains G more than an honest one as long as nobody looks, and when it is caught forgoes R and
// loses the burnt part of its lock S. An audit catches it with probability δ(1 − f^k): not all of the k members collude, and one of them does its work.
// So cheating loses where
//
//	p · δ · (1 − f^k) · (R + S_burnt) > G
//
// and Rate is the least p for which the left side is margin times the right one. Everything is an integer, rounded so that the margin holds
// (docs/adr/0009).
package audit

import (
	"errors"
	"fmt"

	"cosmossdk.io/math"
)

// Scales and limits.
const (
	// PpmOne is one in millionths.
	PpmOne = 1_000_000
	// BpsOne is one in 1/10,000.
	BpsOne = 10_000
	// MinMarginBps is the least margin: two.
	MinMarginBps = 20_000
	// MaxMarginBps bounds it.
	MaxMarginBps = 1_000_000
	// MaxAdversaryPpm bounds f: with more nothing could be assumed about one seat.
	MaxAdversaryPpm = 900_000
	// MinDetectionPpm is the least δ.
	MinDetectionPpm = 10_000
	// MaxSeats bounds k.
	MaxSeats = 64
	// MaxAmountBits bounds gain and reward, so that no product has more than 256 bits.
	MaxAmountBits = 146

	// powerOne is one in the fixed point of f^k.
	powerOne = 1_000_000_000_000
	// burntParts: of every slash at least one in so many burns, and only what burns deters: the rest may go to the liar's friends.
	burntParts = 2
)

// ErrTerms is returned for terms out of their limits.
var ErrTerms = errors.New("invalid terms of audits")

// Terms are what rates and locks follow from.
type Terms struct {
	// MarginBps is how many times what cheating gains is lost by it, in 1/10,000.
	MarginBps uint32
	// MinPpm is the least rate.
	MinPpm uint32
	// AdversaryPpm is f, the assumed weight of colluders.
	AdversaryPpm uint32
	// DetectionPpm is δ.
	DetectionPpm uint32
	// Seats is k.
	Seats uint32
}

// Validate names the first term that is out of its limits.
func (t Terms) Validate() error {
	for _, b := range []struct {
		name             string
		v, least, atMost uint32
	}{
		{"audit_margin_bps", t.MarginBps, MinMarginBps, MaxMarginBps},
		{"audit_min_ppm", t.MinPpm, 0, PpmOne},
		{"adversary_ppm", t.AdversaryPpm, 0, MaxAdversaryPpm},
		{"detection_ppm", t.DetectionPpm, MinDetectionPpm, PpmOne},
		{"committee_size", t.Seats, 1, MaxSeats},
	} {
		if b.v < b.least || b.v > b.atMost {
			return fmt.Errorf("%w: %s: %d, want %d..%d", ErrTerms, b.name, b.v, b.least, b.atMost)
		}
	}
	return nil
}

// honest is 1 − f^k in 1/powerOne, rounded down.
func (t Terms) honest() int64 {
	power := int64(powerOne)
	for range t.Seats {
		power = (power*int64(t.AdversaryPpm) + PpmOne - 1) / PpmOne
	}
	return powerOne - power
}

// need is what must be lost by being caught at p = 1, margin · gain / (δ(1 − f^k)), as a fraction.
func (t Terms) need(gain math.Int) (num, den math.Int) {
	num = gain.MulRaw(int64(t.MarginBps)).MulRaw(PpmOne).MulRaw(powerOne)
	return num, math.NewInt(BpsOne).MulRaw(int64(t.DetectionPpm)).MulRaw(t.honest())
}

// Rate is the probability of an audit in millionths: what reaches the margin, rounded up, at least MinPpm and at most one. gain is what cheating gains
// when it is not caught, reward what a worker that is caught forgoes, lock what it has at risk. None is negative or has more than MaxAmountBits.
func (t Terms) Rate(gain, reward, lock math.Int) uint32 {
	if !gain.IsPositive() {
		return t.MinPpm
	}
	risk := reward.Add(burnt(lock))
	if !risk.IsPositive() {
		return PpmOne
	}
	num, den := t.need(gain)
	rate := ceil(ceil(num.MulRaw(PpmOne), den), risk)
	return max(t.MinPpm, uint32(math.MinInt(rate, math.NewInt(PpmOne)).Int64()))
}

// Lock is what a worker must have at risk: base, or what it takes for the margin to be reached where every result is audited.
func (t Terms) Lock(gain, reward, base math.Int) math.Int {
	num, den := t.need(gain)
	return math.MaxInt(base, ceil(num, den).Sub(reward).MulRaw(burntParts))
}

// burnt is the part of a lost lock that certainly burns.
func burnt(lock math.Int) math.Int { return lock.QuoRaw(burntParts) }

// ceil is a/b rounded up, for a ≥ 0 and b > 0.
func ceil(a, b math.Int) math.Int { return a.Add(b).SubRaw(1).Quo(b) }
