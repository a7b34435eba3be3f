package main

import (
	"math"

	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// verifierShare of a unit's score is a member's (x/poai).
func verifierShare() float64 {
	return float64(poaitypes.DefaultParams().VerifierSharePpm) / poaitypes.PPM
}

// sprintShare is what a unit of a sprint counts.
func sprintShare() float64 {
	return float64(poaitypes.DefaultParams().Capacity.SprintSharePpm) / poaitypes.PPM
}

func bps(n uint32) float64 { return float64(n) / 1e4 }

// price of a unit, in upoai.
func price(p taskstypes.Params) float64 { return float64(p.UnitPrice.Int64()) / taskstypes.PriceUnits }

// unitEmission is the most that a credited unit mints, in upoai, before it is shared with the community.
func unitEmission(p taskstypes.Params, r rewardstypes.Params) float64 {
	most := r.UnitEmission(p.ReferenceCost, p.CommitteeSize, poaitypes.DefaultParams().VerifierSharePpm)
	return float64(most.Int64()) / rewardstypes.MicroPerCoin
}

// wash is somebody who submits tasks to the draw, works on those that it draws itself, and computes each once for all its seats.
type wash struct {
	tasks   taskstypes.Params
	rewards rewardstypes.Params
	// weight is its share of the weight that serves the model; audit the rate.
	weight, audit float64
	// price and cost of a unit, in upoai; royalty of the model, and whether it is its own.
	price, cost, royalty float64
	owns                 bool
}

// defaults is a wash trader with the default params, at the unit price of the params and a cost of reference_cost.
func defaults(weight float64) wash {
	p := taskstypes.DefaultParams()
	_, ppm := p.Risk(ownSteps, royaltyBps, false)
	return wash{
		tasks: p, rewards: rewardstypes.DefaultParams(), weight: weight, audit: float64(ppm) / taskstypes.PpmOne, price: price(p),
		cost: float64(p.ReferenceCost.Int64()) / taskstypes.PriceUnits, royalty: royaltyBps / 1e4,
	}
}

// net is what a unit of such a task brings, in upoai, beyond not having asked for it: block reward and its part of the fee, less the fee and the
// computing. Block reward is what the limit per unit allows; where the supply curve allows less it is less.
func (w wash) net() float64 {
	k := float64(w.tasks.CommitteeSize)
	royalty := w.price * w.royalty
	jackpot := (w.price - royalty) * bps(w.tasks.JackpotBps)
	// Worker, audit pot and jackpot come back by its weight; what burns does not.
	back := w.weight * ((w.price-royalty-jackpot)*(1-bps(w.tasks.BurnBps)) + jackpot)
	if w.owns {
		back += royalty
	}
	reward := w.weight * w.emission() * (1 + k*verifierShare()*w.audit)
	seated := 1 - math.Pow(1-w.weight, 1+k) // it is the worker or has a seat
	cost := w.cost * ((1-w.audit)*w.weight + w.audit*seated)
	return back + reward - w.price - cost
}

// breakEven is the weight above which it pays, 0 where it never does.
func (w wash) breakEven() float64 {
	const steps = 10_000
	for i := range steps + 1 {
		w.weight = float64(i) / steps
		if w.net() > 0 {
			return w.weight
		}
	}
	return 0
}

// slack is how many times its capacity a participant may be credited in an epoch.
func slack() float64 {
	return float64(poaitypes.DefaultParams().Capacity.CreditSlackPpm) / poaitypes.PPM
}

// emission is what compute is given for a credited unit.
func (w wash) emission() float64 {
	return unitEmission(w.tasks, w.rewards) * float64(w.rewards.ComputeBps) / rewardstypes.BasisPoints
}

// paid is what a worker is paid of a unit's fee, and what a member is.
func (w wash) paid() (worker, member float64) {
	rest := w.price * (1 - w.royalty) * (1 - bps(w.tasks.JackpotBps))
	worker = workersPart(w.tasks, rest, w.audit)
	return worker, worker * bps(w.tasks.VerifierPayBps)
}

// workerNets is what honest work nets of a unit, in upoai.
func workerNets() float64 {
	w := defaults(0)
	worker, _ := w.paid()
	return worker + w.emission() - w.cost
}
