package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// NewPayment is a payment of nothing.
func NewPayment() Payment {
	zero := math.ZeroInt()
	return Payment{
		Worker: zero, Verifiers: zero, Royalty: zero, Burnt: zero, Refund: zero, Jackpot: zero, WorkerPrize: zero, MemberPrizes: zero, Tip: zero, Runners: zero,
		Audits: zero,
	}
}

// Book adds a flow and counts it to the sum that it belongs to. A prize is counted by who pays it: to the worker or to the members. Amounts of zero
// leave no trace.
func (p *Payment) Book(purpose Purpose, recipient string, amount math.Int) {
	if !amount.IsPositive() {
		return
	}
	p.Flows = append(p.Flows, Flow{Recipient: recipient, Purpose: purpose, Amount: amount})
	if sum := p.sum(purpose); sum != nil {
		*sum = sum.Add(amount)
	}
}

// sum is the sum that flows of a purpose are counted to; nil for prizes and unknown purposes.
func (p *Payment) sum(purpose Purpose) *math.Int {
	switch purpose {
	case PURPOSE_WORKER:
		return &p.Worker
	case PURPOSE_TIP:
		return &p.Tip
	case PURPOSE_VERIFIER:
		return &p.Verifiers
	case PURPOSE_ROYALTY:
		return &p.Royalty
	case PURPOSE_JACKPOT:
		return &p.Jackpot
	case PURPOSE_BURN, PURPOSE_COMMUNITY:
		return &p.Burnt
	case PURPOSE_REFUND:
		return &p.Refund
	case PURPOSE_RUNNER:
		return &p.Runners
	case PURPOSE_AUDITS:
		return &p.Audits
	}
	return nil
}

// Check tells whether every coin is booked: the flows make up the sums, and all but what came from pots add up to the escrow.
func (p Payment) Check(escrow math.Int) error {
	again, prizes := NewPayment(), math.ZeroInt()
	for i, f := range p.Flows {
		switch {
		case f.Amount.IsNil() || !f.Amount.IsPositive():
			return errorsmod.Wrapf(ErrPayment, "flows[%d].amount: %s, want a positive one", i, f.Amount)
		case f.Purpose == PURPOSE_PRIZE:
			prizes = prizes.Add(f.Amount)
		case again.sum(f.Purpose) == nil:
			return errorsmod.Wrapf(ErrPayment, "flows[%d].purpose: %d is unknown", i, f.Purpose)
		}
		if (f.Recipient == "") != (f.Purpose == PURPOSE_BURN) {
			return errorsmod.Wrapf(ErrPayment, "flows[%d].recipient: %q of %s", i, f.Recipient, f.Purpose)
		}
		again.Book(f.Purpose, f.Recipient, f.Amount)
	}
	sum := math.ZeroInt()
	for _, purpose := range []Purpose{
		PURPOSE_WORKER, PURPOSE_TIP, PURPOSE_VERIFIER, PURPOSE_ROYALTY, PURPOSE_JACKPOT, PURPOSE_BURN, PURPOSE_REFUND, PURPOSE_RUNNER,
		PURPOSE_AUDITS,
	} {
		got, want := *again.sum(purpose), *p.sum(purpose)
		if want.IsNil() || !got.Equal(want) {
			return errorsmod.Wrapf(ErrPayment, "%s: flows of %s, want %s", purpose, got, want)
		}
		if purpose != PURPOSE_VERIFIER {
			sum = sum.Add(got)
		}
	}
	if p.WorkerPrize.IsNil() || p.MemberPrizes.IsNil() || !prizes.Equal(p.WorkerPrize.Add(p.MemberPrizes)) {
		return errorsmod.Wrapf(ErrPayment, "%s: flows of %s, want %s and %s", PURPOSE_PRIZE, prizes, p.WorkerPrize, p.MemberPrizes)
	}
	if !sum.Equal(escrow) {
		return errorsmod.Wrapf(ErrPayment, "flows: %s, the escrow was %s", sum, escrow)
	}
	return nil
}
