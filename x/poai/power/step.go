package power

import "math/big"

// Budget is how much of Scale may change hands in one epoch, where ppm of it may in one trusting period of so many epochs. A span of that
// length can hold the ends of one more epoch than it is long.
func Budget(ppm uint64, epochs uint32) int64 {
	return int64(min(ppm, PPM)) * (Scale / int64(PPM)) / (int64(epochs) + 1)
}

// Step takes a set one epoch nearer to a target that adds up to Scale. Half the sum of absolute changes of shares, beside what was told,
// is at most budget/Scale, and every validator that is not there yet moves by the same fraction of what is left. moved is in units of Scale.
func Step(told, target []int64, budget int64) (powers []int64, moved int64) {
	powers = normal(told)
	budget -= distance(told, powers)
	var gap int64
	up, down := make([]*big.Int, len(powers)), make([]*big.Int, len(powers))
	for i := range powers {
		d := target[i] - powers[i]
		up[i], down[i] = big.NewInt(max(d, 0)), big.NewInt(max(-d, 0))
		gap += max(d, 0)
	}
	if gap <= budget {
		copy(powers, target)
		return powers, gap
	}
	if budget <= 0 {
		return powers, 0
	}
	for i, d := range split(budget, up) {
		powers[i] += d
	}
	for i, d := range split(budget, down) {
		powers[i] -= d
	}
	return powers, budget
}

// normal brings powers to Scale, each in proportion and at least 1.
func normal(powers []int64) []int64 {
	var total int64
	weights := make([]*big.Int, len(powers))
	for i, p := range powers {
		total += p
		weights[i] = big.NewInt(p)
	}
	if total == Scale || total == 0 {
		return append([]int64(nil), powers...)
	}
	out := split(Scale, weights)
	var largest int
	for i, p := range out {
		if p > out[largest] {
			largest = i
		}
	}
	for i := range out {
		if out[i] == 0 { // only where the total was above Scale
			out[i]++
			out[largest]--
		}
	}
	return out
}

// distance is half the sum of absolute changes of shares, in units of Scale and rounded up.
func distance(a, b []int64) int64 {
	var totalA, totalB int64
	for i := range a {
		totalA += a[i]
		totalB += b[i]
	}
	if totalA == 0 || totalB == 0 {
		return 0
	}
	sum := new(big.Int)
	for i := range a {
		d := new(big.Int).Mul(big.NewInt(a[i]), big.NewInt(totalB))
		sum.Add(sum, d.Sub(d, new(big.Int).Mul(big.NewInt(b[i]), big.NewInt(totalA))).Abs(d))
	}
	sum.Mul(sum, big.NewInt(Scale))
	below := new(big.Int).Mul(big.NewInt(2*totalA), big.NewInt(totalB))
	sum.Add(sum, new(big.Int).Sub(below, big.NewInt(1)))
	return sum.Quo(sum, below).Int64()
}

// Share of a total, in units of Scale and rounded down; 0 of nothing.
func Share(power, total int64) int64 {
	if total == 0 {
		return 0
	}
	return mulDiv(power, Scale, total)
}

// mulDiv is ⌊a · b / c⌋ without overflow on the way.
func mulDiv(a, b, c int64) int64 {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	return n.Quo(n, big.NewInt(c)).Int64()
}
