package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/price"
)

// MaxPriceBits bounds prices, so that every fee fits. The floor stops rising there.
const MaxPriceBits = maxAmountBits

// MaxFeeBits bounds max_fee, so that what a task pays can be converted and added up where it goes, whatever its denom is worth.
const MaxFeeBits = 128

// validateFeeRates checks the other denoms that pay fees: few, in order, each with a rate.
func (p Params) validateFeeRates() error {
	if len(p.FeeRates) > maxFeeRates {
		return errorsmod.Wrapf(ErrParams, "fee_rates: %d, at most %d", len(p.FeeRates), maxFeeRates)
	}
	for i, r := range p.FeeRates {
		if err := sdk.ValidateDenom(r.Denom); err != nil {
			return errorsmod.Wrapf(ErrParams, "fee_rates[%d].denom: %s", i, err)
		}
		if r.Denom == p.FeeDenom {
			return errorsmod.Wrapf(ErrParams, "fee_rates[%d].denom: %s is fee_denom, whose rate is fixed", i, r.Denom)
		}
		if i > 0 && r.Denom <= p.FeeRates[i-1].Denom {
			return errorsmod.Wrapf(ErrParams, "fee_rates[%d].denom: %s does not follow %s", i, r.Denom, p.FeeRates[i-1].Denom)
		}
		if r.Rate.IsNil() || !r.Rate.IsPositive() || r.Rate.BigInt().BitLen() > maxAmountBits {
			return errorsmod.Wrapf(ErrParams, "fee_rates[%d].rate: %s, want 1..2^%d", i, r.Rate, maxAmountBits)
		}
	}
	return nil
}

// RateOf is what 1,000,000 of a denom are worth in fee_denom; ErrDenom where fees cannot be paid in it.
func (p Params) RateOf(denom string) (math.Int, error) {
	if denom == p.FeeDenom {
		return math.NewInt(PriceUnits), nil
	}
	for _, r := range p.FeeRates {
		if r.Denom == denom {
			return r.Rate, nil
		}
	}
	return math.Int{}, errorsmod.Wrapf(ErrDenom, "denom: %q, want %q or one of fee_rates", clip(denom), p.FeeDenom)
}

// CheckTip refuses a tip that is negative or above max_tip; one that is not given is zero.
func (p Params) CheckTip(tip math.Int) (math.Int, error) {
	switch {
	case tip.IsNil():
		return math.ZeroInt(), nil
	case tip.IsNegative() || tip.GT(p.MaxTip):
		return tip, errorsmod.Wrapf(ErrTip, "tip: %s, want 0..%s", tip, p.MaxTip)
	}
	return tip, nil
}

// NextFloor is the price floor after a block in which that many units were asked for; it never passes MaxPriceBits.
func (p Params) NextFloor(floor math.Int, demand uint64) math.Int {
	next := price.Next(floor, p.UnitPrice, demand, p.TargetUnitsPerBlock, p.PriceChangePpm)
	if next.BigInt().BitLen() > MaxPriceBits {
		return floor
	}
	return next
}

// Exchange is what an amount of fee_denom is in a denom, 1,000,000 of which are worth rate: rounded up.
func Exchange(amount, rate math.Int) math.Int {
	if rate.Equal(math.NewInt(PriceUnits)) {
		return amount
	}
	return amount.MulRaw(PriceUnits).Add(rate).SubRaw(1).Quo(rate)
}

// Worth is what an amount of that denom is in fee_denom: rounded up.
func Worth(amount, rate math.Int) math.Int {
	return amount.Mul(rate).AddRaw(PriceUnits - 1).QuoRaw(PriceUnits)
}

// Quote is what a run of that many units costs in a denom of that rate: the fee at a unit price, and the tip on top.
func Quote(units uint64, unitPrice, minFee, tip, rate math.Int) (fee, extra math.Int) {
	return Exchange(Fee(units, unitPrice, minFee), rate), Exchange(priced(units, tip), rate)
}

// Charge is what the units done cost, in the denom of max_fee, at the prices of submission: never more than the whole run cost then.
func (t Task) Charge(done uint64, minFee math.Int) (fee, tip math.Int) {
	rate, perUnits := t.Rate(), orZero(t.Tip)
	whole := Exchange(priced(t.Units, perUnits), rate)
	fee, tip = Quote(min(done, t.Units), t.UnitPrice, minFee, perUnits, rate)
	return math.MinInt(t.Fee.Sub(whole), fee), tip
}

// Rate is what 1,000,000 of the denom of max_fee were worth at submission; tasks that pay nothing may leave it out.
func (t Task) Rate() math.Int {
	if t.FeeRate.IsNil() || !t.FeeRate.IsPositive() {
		return math.NewInt(PriceUnits)
	}
	return t.FeeRate
}

func orZero(x math.Int) math.Int {
	if x.IsNil() {
		return math.ZeroInt()
	}
	return x
}
