package main

import "math/rand/v2"

// totalPower of every simulated set.
const totalPower = 1_000_000

// validator is one member of a set. own tells whether it is of the coalition.
type validator struct {
	power, priority int64
	own             bool
}

// rotation is CometBFT's choice of proposers: everybody's priority rises by its power, the highest one proposes (of equals the one with
// the lowest address, here the lowest index) and falls by the power of all.
//
// CometBFT rotates once per height from the state of the height before, whatever round that was decided in, and once more per round. So
// while the set does not change there is one sequence s, and the proposer of height h in round r is s[h+r]: whoever forfeits a height
// leaves it to the proposer of the next one.
type rotation struct{ set []validator }

// next rotates once and returns the proposer's index.
func (r *rotation) next() int {
	r.rescale()
	r.centre()
	best := 0
	for i := range r.set {
		r.set[i].priority += r.set[i].power
		if r.set[i].priority > r.set[best].priority {
			best = i
		}
	}
	r.set[best].priority -= r.total()
	return best
}

func (r *rotation) total() int64 {
	var sum int64
	for _, v := range r.set {
		sum += v.power
	}
	return sum
}

// rescale keeps the priorities within twice the total power.
func (r *rotation) rescale() {
	low, high := r.set[0].priority, r.set[0].priority
	for _, v := range r.set {
		low, high = min(low, v.priority), max(high, v.priority)
	}
	window := 2 * r.total()
	if high-low <= window {
		return
	}
	ratio := (high - low + window - 1) / window
	for i := range r.set {
		r.set[i].priority /= ratio
	}
}

// centre takes the average, rounded down, off every priority.
func (r *rotation) centre() {
	n := int64(len(r.set))
	var sum int64
	for _, v := range r.set {
		sum += v.priority
	}
	average := sum / n
	if sum%n < 0 {
		average--
	}
	for i := range r.set {
		r.set[i].priority -= average
	}
}

// setup is a coalition in a validator set. Members have equal powers, and so have the others.
type setup struct {
	members, others int
	share           float64 // of the power that is the coalition's
	// adjacent members joined in one block: they have equal priorities and propose one after the other for ever. Otherwise everybody
	// joined at a time of its own.
	adjacent bool
	// jitter, if any, draws every power anew each epochBlocks from 1±jitter of its own, for epochs epochs before anything is looked at.
	jitter float64
	epochs int
}

// epochBlocks is how often powers change.
const epochBlocks = 600

// rotation makes the set. What is left over after an even division goes to the first ones.
func (s setup) rotation(rng *rand.Rand) *rotation {
	own := int64(s.share * totalPower)
	r := &rotation{set: append(spread(own, s.members, true), spread(totalPower-own, s.others, false)...)}
	phase := func() int64 { return rng.Int64N(totalPower) }
	joined := phase()
	for i := range r.set {
		if v := &r.set[i]; s.adjacent && v.own {
			v.priority = joined
		} else {
			v.priority = phase()
		}
	}
	return r
}

func spread(power int64, n int, own bool) []validator {
	set := make([]validator, n)
	for i := range set {
		set[i] = validator{power: power / int64(n), own: own}
		if int64(i) < power%int64(n) {
			set[i].power++
		}
	}
	return set
}

// slots are consecutive proposers: -1 for one that is not of the coalition, else its index.
func (s setup) slots(rng *rand.Rand, n int) []int {
	r := s.rotation(rng)
	for range 10 * len(r.set) {
		r.next()
	}
	for range s.epochs {
		s.shake(r, rng)
		for range epochBlocks {
			r.next()
		}
	}
	out := make([]int, n)
	for i := range out {
		if out[i] = r.next(); !r.set[out[i]].own {
			out[i] = -1
		}
	}
	return out
}

// shake draws the powers of the next epoch.
func (s setup) shake(r *rotation, rng *rand.Rand) {
	own := int64(s.share * totalPower)
	for i := range r.set {
		power, n := totalPower-own, s.others
		if r.set[i].own {
			power, n = own, s.members
		}
		r.set[i].power = int64(float64(power) / float64(n) * (1 + float64(s.jitter*(float64(2*rng.Float64())-1))))
	}
}
