package power

import (
	"math/big"
	"slices"

	"cosmossdk.io/math"
)

const (
	// Scale is what the powers of a set add up to at the end of an epoch: power is in billionths.
	Scale = int64(1_000_000_000)
	// MaxTotal is what they never exceed, also within an epoch. CometBFT's own limit is 2^60.
	MaxTotal = 2 * Scale
	// PPM is the scale of the rule.
	PPM = uint64(1_000_000)
)

// Rule says how bond and compute become power, in millionths.
type Rule struct {
	// ComputePpm of a share is by proven compute, the rest by bond; at most PPM.
	ComputePpm uint64
	// LambdaPpm bounds the share of power by that of bond: share ≤ λ · share of bond. Below PPM no set could be filled; PPM is taken then.
	LambdaPpm uint64
	// CapPpm bounds the share of each; where 1/n is more, that.
	CapPpm uint64
}

// Validator is what a target depends on.
type Validator struct {
	// Bond in whole units of bonded power, at least 1.
	Bond int64
	// Score of the last closed epochs; nil is zero.
	Score math.Int
}

// Goal is where a set should be, and what limited it.
type Goal struct {
	// Powers add up to Scale; each is at least 1.
	Powers []int64
	// Limits are λ's, in units of Scale, rounded up.
	Limits []int64
	// Cap of each, in units of Scale. It is above Rule.CapPpm where 1/n is, or where λ's limits leave no other way to fill the set.
	Cap int64
	// ByBond tells that there is no score at all, so that shares are by bond.
	ByBond bool
}

// Target returns where the set should be. A share that is cut goes to the others in proportion, until nobody is above a limit. What those
// with compute may not have goes to the others by bond. Every validator has the least power at least: CometBFT would forget it otherwise.
func Target(r Rule, set []Validator) Goal {
	n := int64(len(set))
	if n == 0 {
		return Goal{}
	}
	bonds, total := make([]*big.Int, n), new(big.Int)
	for i, v := range set {
		bonds[i] = big.NewInt(max(v.Bond, 1))
		total.Add(total, bonds[i])
	}
	weights, byBond := blend(r.ComputePpm, set, bonds, total)
	g := Goal{Powers: make([]int64, n), Limits: lambda(r.LambdaPpm, bonds, total), ByBond: byBond}
	g.Cap = level(max(Scale/int64(PPM)*int64(min(r.CapPpm, PPM)), (Scale+n-1)/n), g.Limits)

	rooms := make([]int64, n)
	for i, limit := range g.Limits {
		g.Powers[i] = 1
		rooms[i] = min(limit, g.Cap) - 1
	}
	left := pour(Scale-n, weights, rooms, g.Powers)
	pour(left, without(bonds, weights), rooms, g.Powers)
	return g
}

// blend returns what shares are in proportion to: (1 − c) · bond / Σ bond + c · score / Σ score, times everything below a fraction line.
func blend(computePpm uint64, set []Validator, bonds []*big.Int, total *big.Int) (weights []*big.Int, byBond bool) {
	scores, sum := make([]*big.Int, len(set)), new(big.Int)
	for i, v := range set {
		scores[i] = new(big.Int)
		if !v.Score.IsNil() && v.Score.IsPositive() {
			scores[i].Set(v.Score.BigInt())
		}
		sum.Add(sum, scores[i])
	}
	if sum.Sign() == 0 {
		return bonds, true
	}
	c := min(computePpm, PPM)
	byScore := new(big.Int).Mul(new(big.Int).SetUint64(c), total)
	byBonds := new(big.Int).Mul(new(big.Int).SetUint64(PPM-c), sum)
	weights = make([]*big.Int, len(set))
	for i := range set {
		w := new(big.Int).Mul(byBonds, bonds[i])
		weights[i] = w.Add(w, scores[i].Mul(scores[i], byScore))
	}
	return weights, false
}

// lambda returns ⌈λ · bond / Σ bond⌉ in units of Scale, so that the limits add up to Scale at least.
func lambda(ppm uint64, bonds []*big.Int, total *big.Int) []int64 {
	factor := new(big.Int).Mul(new(big.Int).SetUint64(max(ppm, PPM)), big.NewInt(Scale))
	below := new(big.Int).Mul(total, new(big.Int).SetUint64(PPM))
	limits := make([]int64, len(bonds))
	for i, b := range bonds {
		limit, rest := new(big.Int).QuoRem(new(big.Int).Mul(factor, b), below, new(big.Int))
		if rest.Sign() > 0 {
			limit.Add(limit, big.NewInt(1))
		}
		if limits[i] = Scale; limit.Cmp(big.NewInt(Scale)) < 0 {
			limits[i] = limit.Int64()
		}
	}
	return limits
}

// level raises a cap to the lowest one under which the set can be filled.
func level(limit int64, limits []int64) int64 {
	room := func(limit int64) (sum int64) {
		for _, l := range limits {
			if sum += min(l, limit); sum >= Scale {
				return Scale
			}
		}
		return sum
	}
	low, high := limit, Scale
	for low < high {
		if mid := low + (high-low)/2; room(mid) >= Scale {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// without returns weights for those that have none in used.
func without(weights, used []*big.Int) []*big.Int {
	out := make([]*big.Int, len(weights))
	for i, w := range weights {
		if out[i] = new(big.Int); used[i].Sign() == 0 {
			out[i] = w
		}
	}
	return out
}

// pour shares an amount in proportion to weights, none above its room, adds the shares to powers and returns what found no room.
//
// With the water level θ, a share is min(θ · weight, room): who has the least room for its weight is full first, so one pass in that order
// finds who is full.
func pour(amount int64, weights []*big.Int, rooms, powers []int64) int64 {
	var order []int
	sum := new(big.Int)
	for i, w := range weights {
		if w.Sign() > 0 {
			order = append(order, i)
			sum.Add(sum, w)
		}
	}
	scaled := func(n int64, w *big.Int) *big.Int { return new(big.Int).Mul(big.NewInt(n), w) }
	slices.SortStableFunc(order, func(a, b int) int { return scaled(rooms[a], weights[b]).Cmp(scaled(rooms[b], weights[a])) })
	for len(order) > 0 && scaled(amount, weights[order[0]]).Cmp(scaled(rooms[order[0]], sum)) >= 0 {
		i := order[0]
		powers[i] += rooms[i]
		amount -= rooms[i]
		sum.Sub(sum, weights[i])
		order = order[1:]
	}
	if len(order) == 0 {
		return amount
	}
	slices.Sort(order)
	rest := make([]*big.Int, len(order))
	for k, i := range order {
		rest[k] = weights[i]
	}
	for k, part := range split(amount, rest) {
		powers[order[k]] += part
	}
	return 0
}

// split shares an amount by weights, of which one is above zero. What rounding down leaves goes, one each, to those that lost most, the first of equals.
func split(amount int64, weights []*big.Int) []int64 {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, w)
	}
	parts, rests, order, left := make([]int64, len(weights)), make([]*big.Int, len(weights)), make([]int, len(weights)), amount
	for i, w := range weights {
		share, rest := new(big.Int).QuoRem(new(big.Int).Mul(big.NewInt(amount), w), total, new(big.Int))
		parts[i], rests[i], order[i] = share.Int64(), rest, i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return rests[b].Cmp(rests[a]) })
	for i := range left { // fewer than have a rest
		parts[order[i]]++
	}
	return parts
}
