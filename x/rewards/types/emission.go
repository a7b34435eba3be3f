package types

import (
	"math/big"
	"math/bits"

	"cosmossdk.io/math"
)

const (
	// decayScale is the scale of decay_ppb.
	decayScale = 1_000_000_000
	// powerBits are the fractional bits of powers: what 63 squarings round away stays below 2^-126, so that block_emission, which has at most
	// maxAmountBits, loses less than a coin's 2^-26 by it.
	powerBits = 192
)

// BlockEmissionAt is what the supply curve allows the block at a height.
func (p Params) BlockEmissionAt(height int64) math.Int { return p.Emission(height, height) }

// Emission is the sum of BlockEmissionAt over the heights from..to, both included. Its cost grows with the number of different values in
// between, not with the number of blocks.
func (p Params) Emission(from, to int64) math.Int {
	from = max(from, 0)
	switch p.Curve {
	case CURVE_HALVING:
		return p.stepped(from, to, p.HalvingBlocks, p.halved)
	case CURVE_EXPONENTIAL:
		return p.stepped(from, to, p.PeriodBlocks, p.decayed)
	case CURVE_TABLE:
		return p.tabled(from, to)
	}
	return math.ZeroInt()
}

// stepped sums a curve that has one value in each period. Values never rise, so the first that is zero ends it.
func (p Params) stepped(from, to, period int64, value func(int64) *big.Int) math.Int {
	sum := new(big.Int)
	for height := from; height <= to; {
		each := value(height / period)
		if each.Sign() == 0 {
			break
		}
		after := min(period-height%period-1, to-height) // further blocks of the same emission
		sum.Add(sum, each.Mul(each, new(big.Int).Add(big.NewInt(after), big.NewInt(1))))
		if after == to-height {
			break
		}
		height += after + 1
	}
	return math.NewIntFromBigInt(sum)
}

// halved is block_emission >> halvings.
func (p Params) halved(halvings int64) *big.Int {
	first := p.BlockEmission.BigInt()
	if halvings >= int64(first.BitLen()) {
		return new(big.Int)
	}
	return first.Rsh(first, uint(halvings))
}

// decayed is block_emission × (1 − decay)^periods, rounded down; where that is within 2^-26 of a whole coin it is that coin, so that what fixed point
// rounds away takes none.
func (p Params) decayed(periods int64) *big.Int {
	v := p.BlockEmission.BigInt()
	v.Mul(v, keepPower(p.DecayPpb, periods))
	v.Add(v, new(big.Int).Lsh(big.NewInt(1), powerBits-26))
	return v.Rsh(v, powerBits)
}

// keepPower is (1 − ppb/10^9)^n with powerBits fractional bits, rounded down, by squaring.
func keepPower(ppb uint32, n int64) *big.Int {
	result := new(big.Int).Lsh(big.NewInt(1), powerBits)
	base := new(big.Int).Lsh(big.NewInt(decayScale-int64(ppb)), powerBits)
	base.Quo(base, big.NewInt(decayScale))
	for i := bits.Len64(uint64(n)) - 1; i >= 0; i-- {
		result.Rsh(result.Mul(result, result), powerBits)
		if n>>i&1 == 1 {
			result.Rsh(result.Mul(result, base), powerBits)
		}
	}
	return result
}

// tabled sums what the table's entries say of the heights from..to.
func (p Params) tabled(from, to int64) math.Int {
	sum := math.ZeroInt()
	for i, entry := range p.Table {
		first, last := max(entry.FromHeight, from), to
		if i+1 < len(p.Table) {
			last = min(last, p.Table[i+1].FromHeight-1)
		}
		if first <= last {
			sum = sum.Add(entry.BlockEmission.Mul(math.NewInt(last - first).AddRaw(1)))
		}
	}
	return sum
}

// UnitEmission is the most that a credited unit may mint, in millionths of a coin. A run credits its units to the worker and, where it was checked, a part of
// them (sharePpm) to each of its members: with cost for 10^6 units all of that mints at most max_emission_cost_bps of what one run costs, so that it does
// not pay to have one's own work done and checked by oneself, whatever the fee. A cost of 0 says that nobody knows: then max_emission_per_unit is the limit.
func (p Params) UnitEmission(cost math.Int, members uint32, sharePpm uint64) math.Int {
	if p.MaxEmissionCostBps == 0 || !cost.IsPositive() {
		return p.MaxEmissionPerUnit
	}
	credited := math.NewIntFromUint64(sharePpm).MulRaw(int64(members)).AddRaw(MicroPerCoin) // in millionths of the run's units
	most := cost.MulRaw(int64(p.MaxEmissionCostBps)).MulRaw(MicroPerCoin).Quo(credited.MulRaw(BasisPoints))
	return math.MinInt(p.MaxEmissionPerUnit, most)
}
