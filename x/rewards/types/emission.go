package types

import (
	"math/big"

	"cosmossdk.io/math"
)

// BlockEmissionAt is what the supply curve allows the block at a height: block_emission >> (height / halving_blocks).
func (p Params) BlockEmissionAt(height int64) math.Int { return p.Emission(height, height) }

// Emission is the sum of BlockEmissionAt over the heights from..to, both included. Its cost grows with the number of halvings
// that still leave something, not with the number of blocks.
func (p Params) Emission(from, to int64) math.Int {
	sum := new(big.Int)
	first := p.BlockEmission.BigInt()
	for height := max(from, 0); height <= to; {
		halvings := height / p.HalvingBlocks
		if halvings >= int64(first.BitLen()) {
			break
		}
		after := min(p.HalvingBlocks-height%p.HalvingBlocks-1, to-height) // further blocks at the same emission
		each := new(big.Int).Rsh(first, uint(halvings))
		sum.Add(sum, each.Mul(each, new(big.Int).Add(big.NewInt(after), big.NewInt(1))))
		if after == to-height {
			break
		}
		height += after + 1
	}
	return math.NewIntFromBigInt(sum)
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
