package types

import "cosmossdk.io/math"

// DelegatedBond is the part of the bond that others have put up.
func (p Participant) DelegatedBond() math.Int {
	if p.Delegated.IsNil() {
		return math.ZeroInt()
	}
	return p.Delegated
}

// OwnBond is the part of the bond that is the participant's own.
func (p Participant) OwnBond() math.Int { return p.Bond.Sub(p.DelegatedBond()) }

// DelegatedPart is amount × delegated / bond, rounded down; nothing of it for a participant without bond.
func (p Participant) DelegatedPart(amount math.Int) math.Int {
	delegated := p.DelegatedBond()
	if delegated.IsZero() {
		return delegated
	}
	return amount.Mul(delegated).Quo(p.Bond)
}

// TakeBond takes an amount, at most the bond, out of own and delegated bond in proportion. Rounding is against the participant, who
// answers for what it did; the whole bond takes all of both. It returns what came out of the delegated part.
func (p *Participant) TakeBond(amount math.Int) (fromDelegated math.Int) {
	fromDelegated = p.DelegatedPart(amount)
	p.Bond, p.Delegated = p.Bond.Sub(amount), p.DelegatedBond().Sub(fromDelegated)
	return fromDelegated
}

// GiveBond gives an amount that was taken back to own and delegated bond, in the proportion that they have now. It returns what went to
// the delegated part: nothing where everybody who had a part of it has left or lost all.
func (p *Participant) GiveBond(amount math.Int) (toDelegated math.Int) {
	toDelegated = p.DelegatedPart(amount)
	p.Bond, p.Delegated = p.Bond.Add(amount), p.DelegatedBond().Add(toDelegated)
	return toDelegated
}
