package main

import (
	"fmt"
	"math/rand/v2"
)

const (
	// defaultSeeds is how many sets of each kind the tables are averaged over.
	defaultSeeds = 64
	// maxDelay is the largest draw delay of the tables.
	maxDelay = 10
	// defaultDelay is x/tasks' draw_delay.
	defaultDelay = 6
	// minHeights of one set that are looked at.
	minHeights = 2_000
)

// goal is a draw that the coalition wants to come out its way.
type goal struct {
	name   string
	chance func(share float64) float64
}

// goals of the tables: x/tasks draws workers by weight, audits a quarter by default, and has committees of 3. The coalition is taken to
// have the same share of the weight as of the validators' power.
func goals() []goal {
	return []goal{
		{"be drawn as worker", func(f float64) float64 { return f }},
		{"no audit (rate 25%)", func(float64) float64 { return 0.75 }},
		{"all 3 seats", func(f float64) float64 { return f * f * f }},
		{"one in a million", func(float64) float64 { return 1e-6 }},
	}
}

// result of one setup, averaged over sets.
type result struct {
	// noHonest[d] is the share of heights whose last d proposers are all of the coalition. noHonest[d+1] is that of draws with delay d
	// that the proposer of the block with the commitment can foretell.
	noHonest [maxDelay + 2]float64
	// longest run of own proposers in any of the sets.
	longest int
	// outcomes to choose among: mean, and the most in a set, with a delay of defaultDelay.
	outcomes, mostOutcomes float64
	// won[g] and price[g] are the chance of goal g and the blocks forfeited for it per draw; best is at the height that suits the coalition
	// most.
	won, best, price, bestPrice []float64
}

// measure looks at every height of `seeds` sets.
func measure(s setup, seeds int) result {
	gs := goals()
	res := newResult(len(gs))
	for seed := range seeds {
		one := measureSet(s, gs, uint64(seed))
		for d := range res.noHonest {
			res.noHonest[d] += one.noHonest[d] / float64(seeds)
		}
		res.longest = max(res.longest, one.longest)
		res.outcomes += one.outcomes / float64(seeds)
		res.mostOutcomes += one.mostOutcomes / float64(seeds)
		for g := range gs {
			res.won[g] += one.won[g] / float64(seeds)
			res.best[g] += one.best[g] / float64(seeds)
			res.price[g] += one.price[g] / float64(seeds)
			res.bestPrice[g] += one.bestPrice[g] / float64(seeds)
		}
	}
	return res
}

func newResult(goals int) result {
	return result{
		won: make([]float64, goals), best: make([]float64, goals), price: make([]float64, goals), bestPrice: make([]float64, goals),
	}
}

func measureSet(s setup, gs []goal, seed uint64) result {
	members := s.members + s.others
	heights := max(minHeights, 20*members)
	rng := rand.New(rand.NewPCG(seed, uint64(members)))
	slots := append(s.slots(rng, heights+2*members), -1)
	res := newResult(len(gs))
	weight := 1 / float64(heights)
	run := 0
	known := map[string]tailValue{}
	for h := range members + heights {
		if slots[h] < 0 {
			run = 0
		} else {
			run++
		}
		if h < members { // so that the first run is not cut off
			continue
		}
		res.longest = max(res.longest, run)
		for d := range min(run, maxDelay+1) + 1 {
			res.noHonest[d] += weight
		}
		res.add(valueOf(tailAt(slots, h, defaultDelay), run > defaultDelay, gs, s.share, known), weight)
	}
	return res
}

// tailValue is what can be done about one height: see result.
type tailValue struct {
	outcomes   float64
	won, price []float64
}

// valueOf computes it once for equal tails. Whoever has proposed since before the commitment knows the value in time to choose what to
// commit (foretold), and wins for nothing.
func valueOf(t tail, foretold bool, gs []goal, share float64, known map[string]tailValue) tailValue {
	id := fmt.Sprint(t, foretold)
	if v, ok := known[id]; ok {
		return v
	}
	v := tailValue{outcomes: t.outcomes()}
	for _, g := range gs {
		p := g.chance(share)
		won, price := bestOf(v.outcomes, p), t.forfeits(p)
		if foretold {
			won, price = 1, 0
		}
		v.won, v.price = append(v.won, won), append(v.price, price)
	}
	known[id] = v
	return v
}

func (r *result) add(v tailValue, weight float64) {
	r.outcomes += float64(v.outcomes * weight)
	r.mostOutcomes = max(r.mostOutcomes, v.outcomes)
	for g, won := range v.won {
		r.won[g] += float64(won * weight)
		r.price[g] += float64(v.price[g] * weight)
		if won > r.best[g] || won == r.best[g] && v.price[g] < r.bestPrice[g] {
			r.best[g], r.bestPrice[g] = won, v.price[g]
		}
	}
}
