// Package split shares amounts so that nothing is lost: the parts always add up to the amount.
package split

import (
	"slices"

	"cosmossdk.io/math"
)

// Weighted shares an amount by weights, of which at least one is not zero. Largest remainder: what rounding down leaves over goes, one each,
// to the parts that lost most, the first of equals.
func Weighted(amount math.Int, weights ...uint64) []math.Int {
	total := math.ZeroInt()
	for _, w := range weights {
		total = total.Add(math.NewIntFromUint64(w))
	}
	parts, rest, left := make([]math.Int, len(weights)), make([]math.Int, len(weights)), amount
	order := make([]int, len(weights))
	for i, w := range weights {
		share := amount.Mul(math.NewIntFromUint64(w))
		parts[i], rest[i], order[i] = share.Quo(total), share.Mod(total), i
		left = left.Sub(parts[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].BigInt().Cmp(rest[a].BigInt()) })
	for i := range left.Uint64() { // fewer than len(weights)
		parts[order[i]] = parts[order[i]].AddRaw(1)
	}
	return parts
}

// Evenly shares an amount into n parts that differ by at most one, the larger ones first; none for n = 0.
func Evenly(amount math.Int, n int) []math.Int {
	parts := make([]math.Int, n)
	if n == 0 {
		return parts
	}
	share, extra := amount.QuoRaw(int64(n)), amount.ModRaw(int64(n)).Int64()
	for i := range parts {
		parts[i] = share
		if int64(i) < extra {
			parts[i] = share.AddRaw(1)
		}
	}
	return parts
}
