package majority

import (
	"errors"
	"fmt"
	"math/big"
)

const (
	ppm = 1_000_000
	// MaxAdversaryPpm bounds f, in millionths: nearer to one half the lead grows beyond all use.
	MaxAdversaryPpm = 490_000
	// MaxExponent bounds e of a chance of capture of 10^−e.
	MaxExponent = 18
)

// ErrRange is returned for arguments out of range.
var ErrRange = errors.New("out of range")

// Lead returns the least L with (f/(1−f))^L ≤ 10^−exponent: by how many seats an answer must lead so that an adversary with a share f of the
// weight wins with at most that probability. It is exact: powers are compared as integers. At least 1. ErrRange when adversaryPpm is above
// MaxAdversaryPpm or exponent above MaxExponent.
func Lead(adversaryPpm uint64, exponent uint32) (uint64, error) {
	if adversaryPpm > MaxAdversaryPpm {
		return 0, fmt.Errorf("%w: adversary_ppm %d, limit %d", ErrRange, adversaryPpm, MaxAdversaryPpm)
	}
	if exponent > MaxExponent {
		return 0, fmt.Errorf("%w: exponent %d, limit %d", ErrRange, exponent, MaxExponent)
	}
	f, honest := new(big.Int).SetUint64(adversaryPpm), new(big.Int).SetUint64(ppm-adversaryPpm)
	// f^L · 10^e against (1−f)^L, for L = 1, 2, …
	left := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
	right := big.NewInt(1)
	for lead := uint64(1); ; lead++ { // ends: left/right shrinks by f/(1−f) ≤ 49/51 each time, at most 1,037 times
		left.Mul(left, f)
		right.Mul(right, honest)
		if left.Cmp(right) <= 0 {
			return lead, nil
		}
	}
}

// Decided returns which answer leads every other by at least lead seats, given the seats of each answer. decided is false while none does,
// always when lead is 0.
func Decided(counts []uint64, lead uint64) (winner int, decided bool) {
	if lead == 0 || len(counts) == 0 {
		return 0, false
	}
	second := uint64(0)
	for i, c := range counts[1:] {
		if c > counts[winner] {
			second, winner = counts[winner], i+1
		} else {
			second = max(second, c)
		}
	}
	if counts[winner]-second < lead {
		return 0, false
	}
	return winner, true
}
