package types

import (
	"math/big"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// NewPool has no shares.
func NewPool(participant string) Pool {
	return Pool{Participant: participant, Active: zero(), Pending: zero(), Index: zero(), Remainder: zero(), Unpaid: zero()}
}

// Shares are all of the pool's, those that are not active yet included.
func (p Pool) Shares() math.Int { return p.Active.Add(p.Pending) }

// Advance moves the index by a reward: each active share earns alike, and what does not divide waits for the next one. There must be
// active shares.
func (p *Pool) Advance(coins math.Int) {
	sum := Fixed(coins).Add(p.Remainder)
	p.Index = p.Index.Add(sum.Quo(p.Active))
	p.Remainder = sum.Mod(p.Active)
	p.Unpaid = p.Unpaid.Add(coins)
}

// NewDelegation has no shares.
func NewDelegation(pool Pool, holder string) Delegation {
	return Delegation{
		Participant: pool.Participant, Holder: holder, Generation: pool.Generation,
		Active: zero(), Index: pool.Index, Pending: zero(), Owed: zero(),
	}
}

// Shares are all of the delegation's.
func (d Delegation) Shares() math.Int { return d.Active.Add(d.Pending) }

// Earn adds what shares have earned from one stand of the index to another.
func (d *Delegation) Earn(shares, from, to math.Int) { d.Owed = d.Owed.Add(shares.Mul(to.Sub(from))) }

// Fixed is a number of coins in 2^-IndexBits of a coin.
func Fixed(coins math.Int) math.Int {
	return math.NewIntFromBigInt(new(big.Int).Lsh(coins.BigInt(), IndexBits))
}

// Whole is the number of whole coins in an amount of 2^-IndexBits of a coin.
func Whole(fixed math.Int) math.Int {
	return math.NewIntFromBigInt(new(big.Int).Rsh(fixed.BigInt(), IndexBits))
}

// MulDiv is a × b / c, rounded down, whatever the size of the product.
func MulDiv(a, b, c math.Int) math.Int {
	v := new(big.Int).Mul(a.BigInt(), b.BigInt())
	return math.NewIntFromBigInt(v.Quo(v, c.BigInt()))
}

// CheckTerms checks a commission and how much it may change.
func CheckTerms(commissionBps, maxChangeBps uint32) error {
	if commissionBps > BPS {
		return errorsmod.Wrapf(ErrInvalidTerms, "commission_bps: %d, limit %d", commissionBps, BPS)
	}
	if maxChangeBps > BPS {
		return errorsmod.Wrapf(ErrInvalidTerms, "max_change_bps: %d, limit %d", maxChangeBps, BPS)
	}
	return nil
}
