package main

import (
	"fmt"
	"math/rand/v2"

	taskstypes "poaid/x/tasks/types"
)

// Strategy is how a participant plays.
type Strategy string

// The strategies. As far as nothing else is said they are honest.
const (
	Honest Strategy = "honest"
	// Guessing attests a root that it made up.
	Guessing Strategy = "lazy member: guesses"
	// Copying attests what the worker says that it sealed; all workers tell.
	Copying Strategy = "lazy member: copies from workers that tell"
	// Abstaining takes a seat and does not seal.
	Abstaining Strategy = "lazy member: abstains"
	// Cheating makes every answer up, CheatingAtTimes one in four.
	Cheating        Strategy = "worker: makes answers up"
	CheatingAtTimes Strategy = "worker: makes one in four up"
	// Silent makes answers up and does not reveal when it is audited.
	Silent Strategy = "worker: makes up, silent when audited"
	// Overstating works honestly and charges ten times the steps that were made, where a run ends when it ends.
	Overstating Strategy = "worker: charges steps not made"
	// Colluding makes answers up and attests those of its friends.
	Colluding Strategy = "colluders: make up, attest each other"
	// Sharing is no lie: friends compute once and share the true root.
	Sharing Strategy = "colluders: share a true root"
)

// Strategies are all but Honest.
var Strategies = []Strategy{Guessing, Copying, Abstaining, Cheating, CheatingAtTimes, Silent, Overstating, Colluding, Sharing}

// Setting is a world of equal participants, of whom the first Deviants play a strategy and the others are honest.
type Setting struct {
	Params taskstypes.Params
	// Units of each task, and what computing 1,000,000 of them truly costs.
	Units uint64
	Cost  int64
	// Stops: runs end after a tenth of their steps.
	Stops bool
	// Reward is the block reward of 1,000,000 units of score; a member gets half.
	Reward            int64
	Items             int
	Players, Deviants int
	Seed              uint64
}

// Outcome is what those who deviate earned and spent, in upoai.
type Outcome struct {
	Earned, Cost float64
	Duties       int
}

// PerDuty is what one task worked or verified earned after its cost, in parts of its fee's price per unit.
func (o Outcome) PerDuty(units uint64) float64 {
	return (o.Earned - o.Cost) / float64(max(o.Duties, 1)) / float64(units)
}

// LostBySaving is how much less was earned, a duty, for each upoai of cost saved: what is above 1 had better been spent. A dash where none was saved.
func (o Outcome) LostBySaving(honest Outcome) string {
	saved := honest.Cost/float64(max(honest.Duties, 1)) - o.Cost/float64(max(o.Duties, 1))
	lost := honest.Earned/float64(max(honest.Duties, 1)) - o.Earned/float64(max(o.Duties, 1))
	if saved < honest.Cost/float64(max(honest.Duties, 1))/100 {
		return "–"
	}
	return fmt.Sprintf("%.2f", lost/saved)
}

// world is one game.
type world struct {
	Setting
	strategy                      Strategy
	rng                           *rand.Rand
	out                           Outcome
	lock, fee, cost, score        float64
	worker, audits, auditPot      float64
	part, pot, toWorker, toMember float64
	auditPpm                      uint32
	length                        float64 // the part of a task's steps that a run takes
}

// Play plays all items. It is deterministic in the setting.
func Play(s Setting, strategy Strategy) Outcome {
	lock, ppm := s.Params.Risk(s.Units, 0, s.Stops)
	fee := float64(taskstypes.Fee(s.Units, s.Params.UnitPrice, s.Params.MinFee).Int64())
	length := 1.0
	if s.Stops {
		length = 0.1
	}
	w := &world{length: length, Setting: s, strategy: strategy, rng: rand.New(rand.NewPCG(s.Seed, 0)), lock: float64(lock.Int64()), fee: fee, auditPpm: ppm}
	w.cost = length * float64(s.Units) * float64(s.Cost) / taskstypes.PriceUnits
	w.score = float64(s.Units) * float64(s.Reward) / taskstypes.PriceUnits
	w.part = fee * float64(s.Params.JackpotBps) / taskstypes.BpsOne
	rest := (fee - w.part) * (1 - float64(s.Params.BurnBps)/taskstypes.BpsOne)
	checks := float64(s.Params.VerifierPayBps) / taskstypes.BpsOne * float64(ppm) / taskstypes.PpmOne * float64(s.Params.CommitteeSize)
	w.worker, w.audits = rest/(1+checks), rest*checks/(1+checks)
	if s.Params.ForcedErrorPpm > 0 {
		worth := w.part * taskstypes.PpmOne / float64(s.Params.ForcedErrorPpm)
		w.toWorker, w.toMember = worth/10, worth*9/10*taskstypes.PpmOne/float64(max(ppm, 1))
	}
	for range s.Items {
		w.item()
	}
	return w.out
}

func (w *world) hit(ppm uint32) bool { return w.rng.IntN(taskstypes.PpmOne) < int(ppm) }

func (w *world) deviates(player int) bool { return player < w.Deviants }

// pay adds to what a deviating player earned.
func (w *world) pay(player int, amount float64) {
	if w.deviates(player) {
		w.out.Earned += amount
	}
}

func (w *world) spend(player int, amount float64) {
	if w.deviates(player) {
		w.out.Cost += amount
	}
}

// item plays one task: what the worker seals, whether it is audited, what members attest, who is paid.
func (w *world) item() {
	worker := w.rng.IntN(w.Players)
	plays := w.deviates(worker)
	if plays {
		w.out.Duties++
	}
	lies, charge := w.work(worker, plays)
	forced := w.hit(w.Params.ForcedErrorPpm)
	w.pot += w.part
	if !w.hit(w.auditPpm) {
		w.settle(worker, charge, forced, nil)
		return
	}
	if plays && w.strategy == Silent {
		w.pay(worker, -w.lock) // nobody it could share with: honest members have what does not burn
		return
	}
	right, wrong, caught := w.committee(worker, plays, lies, forced)
	if lies && caught {
		w.slash(worker, right)
		for _, m := range wrong {
			w.slash(m, right)
		}
		return
	}
	if lies { // everybody on the committee was a friend, or nobody found it
		right, wrong = append(right, wrong...), nil
	}
	for _, m := range wrong {
		w.slash(m, append(right, worker))
	}
	w.settle(worker, charge, forced, right)
}

// work computes, or does not. charge is the part of the whole fee that is asked for.
func (w *world) work(worker int, plays bool) (lies bool, charge float64) {
	switch {
	case plays && (w.strategy == Cheating || w.strategy == Silent || w.strategy == Colluding),
		plays && w.strategy == CheatingAtTimes && w.rng.IntN(4) == 0:
		return true, 1
	case plays && w.strategy == Overstating:
		w.spend(worker, w.cost)
		return true, 1
	}
	w.spend(worker, w.cost)
	return false, w.length
}

// committee has k members attest. caught: one of them found a lie.
func (w *world) committee(worker int, plays, lies, forced bool) (right, wrong []int, caught bool) {
	seen, shared := map[int]bool{worker: true}, plays
	for range w.Params.CommitteeSize {
		m := w.rng.IntN(w.Players)
		for seen[m] {
			m = w.rng.IntN(w.Players)
		}
		seen[m] = true
		friend := w.deviates(m)
		if friend {
			w.out.Duties++
		}
		switch {
		case friend && w.strategy == Abstaining:
		case friend && w.strategy == Guessing:
			wrong = append(wrong, m)
		case friend && w.strategy == Copying && (forced || lies):
			wrong = append(wrong, m)
		case friend && w.strategy == Copying:
			right = append(right, m)
		case friend && w.strategy == Colluding && lies:
			wrong = append(wrong, m) // falls with the worker, if it falls
		case friend && w.strategy == Sharing && shared:
			right = append(right, m)
		default:
			w.spend(m, w.cost)
			right = append(right, m)
			shared = shared || friend
			caught = caught || w.hit(w.Params.DetectionPpm)
		}
	}
	return right, wrong, caught
}

// slash takes a lock; half burns, the rest is shared.
func (w *world) slash(player int, to []int) {
	w.pay(player, -w.lock)
	for _, b := range to {
		w.pay(b, w.lock/2/float64(len(to)))
	}
}

// settle pays a result that stands.
func (w *world) settle(worker int, charge float64, forced bool, right []int) {
	w.pay(worker, (w.worker+w.score)*charge)
	w.auditPot += w.audits * charge
	pay := 0.0
	if len(right) > 0 {
		pay = min(w.auditPot/float64(len(right)), w.audits*charge*taskstypes.PpmOne/float64(w.auditPpm)/float64(w.Params.CommitteeSize))
	}
	for _, m := range right {
		w.auditPot -= pay
		w.pay(m, pay+w.score/2*charge)
	}
	if !forced {
		return
	}
	prize := min(w.toWorker*charge, w.pot)
	w.pay(worker, prize)
	w.pot -= prize
	if len(right) == 0 {
		return
	}
	prize = min(w.toMember*charge, w.pot)
	w.pot -= prize
	for _, m := range right {
		w.pay(m, prize/float64(len(right)))
	}
}
