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
