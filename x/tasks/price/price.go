// Package price moves the price floor of a unit with the demand for units, as EIP-1559 moves the base fee of gas, in integers that can leave
// every value again: a floor of 1 rises as surely as a floor of a million.
package price

import "cosmossdk.io/math"

// PPM is the scale of rates.
const PPM = 1_000_000

// Next is the floor after a block in which used units were taken up where target were aimed at. Above the target it rises, by at least 1 and by at most
// maxChange (1/PPM of itself, rounded up), which it reaches at twice the target; below it falls by as much, rounded down, but not below least. With a target of 0 it stays.
// Amounts must not be negative.
func Next(floor, least math.Int, used, target uint64, maxChange uint32) math.Int {
	switch {
	case target == 0 || used == target:
		return math.MaxInt(floor, least)
	case used > target:
		over := math.NewIntFromUint64(min(used-target, target))
		num, den := scaled(floor, over, maxChange), scale(target)
		rise := num.Add(den).SubRaw(1).Quo(den)
		return math.MaxInt(floor.Add(math.MaxInt(rise, math.OneInt())), least)
	default:
		under := math.NewIntFromUint64(target - used)
		return math.MaxInt(floor.Sub(scaled(floor, under, maxChange).Quo(scale(target))), least)
	}
}

func scaled(floor, part math.Int, maxChange uint32) math.Int {
	return floor.Mul(part).Mul(math.NewIntFromUint64(uint64(maxChange)))
}

func scale(target uint64) math.Int { return math.NewIntFromUint64(target).MulRaw(PPM) }
