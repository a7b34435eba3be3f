package main

import (
	"slices"

	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// pool is a class of equal participants: their number, and each one's share of the weight.
type pool struct {
	count int
	share float64
}

// seats is how many of k seats each member of every class has in expectation on the committee of a task. The worker is drawn by weight, then k others
// one after the other by weight among those who are left: the chain's own draws, enumerated.
func seats(classes []pool, k int) []float64 {
	out := make([]float64, len(classes))
	left := slices.Clone(classes)
	var draw func(depth int, chance, weight float64)
	draw = func(depth int, chance, weight float64) {
		for i := range left {
			if left[i].count == 0 {
				continue
			}
			p := chance * float64(left[i].count) * left[i].share / weight
			if depth > 0 {
				out[i] += p / float64(classes[i].count)
			}
			if depth == k {
				continue
			}
			left[i].count--
			draw(depth+1, p, weight-left[i].share)
			left[i].count++
		}
	}
	total := 0.0
	for _, c := range classes {
		total += float64(c.count) * c.share
	}
	draw(0, 1, total)
	return out
}

// classesOf groups equal weights, smallest first, and tells each participant's class.
func classesOf(weights []uint64) (classes []pool, of []int) {
	total := 0.0
	for _, w := range weights {
		total += float64(w)
	}
	sorted := slices.Clone(weights)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	classes, of = make([]pool, len(sorted)), make([]int, len(weights))
	for i, w := range weights {
		c, _ := slices.BinarySearch(sorted, w)
		of[i] = c
		classes[c].count++
		classes[c].share = float64(w) / total
	}
	return classes, of
}

// expected are the shares of all pay and of all computing that each participant has in expectation over the draws: of block reward and fees, and of what is
// computed, as worker and as member, given the tasks that were asked for and the weights in the chain's tree. What comes of it in a run is this and the
// luck of the draw.
func expected(weights []uint64, tasks []task) (pay, compute []float64) {
	p := taskstypes.DefaultParams()
	r := rewardstypes.DefaultParams()
	k := int(p.CommitteeSize)
	emission := unitEmission(p, r) * float64(r.ComputeBps) / rewardstypes.BasisPoints
	classes, of := classesOf(weights)
	seat := seats(classes, k)
	pay, compute = make([]float64, len(weights)), make([]float64, len(weights))
	for _, t := range tasks {
		u := float64(t.units)
		rest := u * price(p) * (1 - royaltyBps/1e4) // fees are above min_fee
		jackpot := rest * bps(p.JackpotBps)
		runs := workersPart(p, rest-jackpot, t.audit)
		worker := emission*u + runs + jackpot/10
		member := t.audit*(runs*bps(p.VerifierPayBps)+emission*u*verifierShare()) + jackpot*9/10/float64(k)
		for i := range weights {
			pay[i] += classes[of[i]].share*worker + seat[of[i]]*member
			compute[i] += (classes[of[i]].share + seat[of[i]]*t.audit) * u
		}
	}
	return shares(pay), shares(compute)
}

// workersPart is what the worker is paid of what is left of a fee after royalty and jackpot, at a rate of audits; a member is paid it too, by default.
func workersPart(p taskstypes.Params, rest, audit float64) float64 {
	return rest * (1 - bps(p.BurnBps)) / (1 + audit*float64(p.CommitteeSize)*bps(p.VerifierPayBps))
}

// shares of a sum.
func shares(v []float64) []float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x / sum
	}
	return out
}

// slope of the least-squares line through the origin.
func slope(x, y []float64) float64 {
	xy, xx := 0.0, 0.0
	for i := range x {
		xy, xx = xy+x[i]*y[i], xx+x[i]*x[i]
	}
	return xy / xx
}

// lorenz is the curve of what is paid against compute: participants by pay per compute, the worst paid first.
func lorenz(compute, pay []float64) (x, y []float64) {
	order := make([]int, len(compute))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmpFloat(pay[a]*compute[b], pay[b]*compute[a])
	})
	x, y = []float64{0}, []float64{0}
	for _, i := range order {
		x, y = append(x, x[len(x)-1]+compute[i]), append(y, y[len(y)-1]+pay[i])
	}
	return x, y
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// gini is twice the area between the curve and the diagonal: 0 where everybody is paid for compute alone, 1 where somebody without compute has everything.
func gini(compute, pay []float64) float64 {
	x, y := lorenz(compute, pay)
	area := 0.0
	for i := 1; i < len(x); i++ {
		area += (x[i] - x[i-1]) * (y[i] + y[i-1]) / 2
	}
	return 1 - 2*area
}

// auditRate of a task of clients' model.
func auditRate(units uint64) float64 {
	_, ppm := taskstypes.DefaultParams().Risk(units, royaltyBps, false)
	return float64(ppm) / taskstypes.PpmOne
}
