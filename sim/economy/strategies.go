package main

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	taskstypes "poaid/x/tasks/types"
)

// strategy is how a group of participants of one owner plays. As far as nothing is said it is honest.
type strategy struct {
	name string
	// submits are the tasks that the group asks for in a block.
	submits func(w *world) []sdk.Msg
	// units that participant i of the group has to compute for a task that it works on or checks; nil: all of them.
	units func(w *world, i int, t taskstypes.Task) uint64
	// declines tells that the group leaves a task undone.
	declines func(t taskstypes.Task) bool
	// copies: its members attest what the worker says.
	copies bool
	// captive: the group owns an eligible model that it serves alone.
	captive bool
	// market is what clients do, and the limit that holds.
	market market
}

// market is what a strategy meets.
type market struct {
	// idle: clients ask in every other epoch only.
	idle bool
	// steps of clients' tasks; 0: between minSteps and maxTaskSteps.
	steps uint64
	// audited: every task has a committee.
	audited bool
	// uncapped: what a run mints is limited by max_emission_per_unit alone.
	uncapped bool
}

// ownSteps is the size of the tasks that a group submits.
const ownSteps = maxTaskSteps

// own asks for n runs of a model in a block.
func own(model string, n int) func(w *world) []sdk.Msg {
	return func(w *world) (msgs []sdk.Msg) {
		for range n {
			msgs = append(msgs, w.submission(w.first().Account, model, ownSteps))
		}
		return msgs
	}
}

// isOwn tells whether the group asked for a task.
func isOwn(w *world, t taskstypes.Task) bool { return t.Submitter == w.first().String() }

// shareOwn computes clients' tasks, and the group's own once for all of the group.
func shareOwn(w *world, i int, t taskstypes.Task) uint64 {
	if isOwn(w, t) {
		return w.once(i, t)
	}
	return t.Units
}

// knowOwn computes nothing of what the group asked for; what finding it out before cost is not counted.
func knowOwn(w *world, _ int, t taskstypes.Task) uint64 {
	if isOwn(w, t) {
		return 0
	}
	return t.Units
}

// strategies of the table. prefix is how many steps of the farmer's tasks are its prompt.
func strategies() []strategy {
	const prefix, suffix = 5_000, 500
	return []strategy{
		{
			name: "self-dealer: asks for what it knows already", submits: own(workModel, 4),
			units: knowOwn,
		},
		{name: "wash trader: asks, works, checks once", submits: own(workModel, 4), units: shareOwn},
		{name: "captive model: asks for its own, served by its own alone", submits: own(captiveModel, 4), units: shareOwn, captive: true},
		{
			name: "captive model, no limit", submits: own(captiveModel, 4), units: shareOwn, captive: true, market: market{uncapped: true},
		},
		{
			name: "captive model, known answers: the same, computes nothing", submits: own(captiveModel, 4), units: knowOwn, captive: true,
		},
		{
			name: "copier: attests what workers say (500,000 units, all audited)", copies: true, market: market{steps: 500_000, audited: true},
			units: func(w *world, i int, t taskstypes.Task) uint64 {
				if st, err := w.c.App.Tasks.Statuses.Get(w.c.Ctx(), t.Id); err == nil && w.index[st.Worker] == i {
					return t.Units
				}
				return 0
			},
		},
		{name: "price-gouger: leaves small tasks to others", declines: func(t taskstypes.Task) bool { return t.Units < 30_000 }},
		{name: "idle-epoch hunter: asks where nobody else does", market: market{idle: true}, submits: func(w *world) []sdk.Msg {
			if !w.idleNow() {
				return nil
			}
			return own(workModel, 1)(w)
		}, units: shareOwn},
		{
			name: "NaN: asks for runs that are NaN, computes none", submits: func(w *world) []sdk.Msg {
				msgs := own(workModel, 4)(w)
				for _, m := range msgs {
					withNaN(m.(*taskstypes.MsgSubmitTask))
				}
				return msgs
			},
			units: knowOwn,
		},
		{
			name: "shared prefix: long prompts, computed once", submits: func(w *world) (msgs []sdk.Msg) {
				for range 4 {
					msgs = append(msgs, withPrompt(w.submission(w.first().Account, promptModel, prefix+suffix), prefix+1))
				}
				return msgs
			},
			units: func(w *world, _ int, t taskstypes.Task) uint64 {
				if isOwn(w, t) {
					return suffix
				}
				return t.Units
			},
		},
	}
}

// outcome compares a group's strategy with what the same participants earn by honest work where the same clients ask.
type outcome struct {
	name          string
	weight        float64 // share
	honest, plays account // sums over the group
	submitted     int
}

// sum of a group's accounts.
func sum(accounts []account) (out account) {
	for _, a := range accounts {
		out.size += a.size
		out.reward, out.fees, out.slashed = out.reward+a.reward, out.fees+a.fees, out.slashed+a.slashed
		out.paid, out.gas, out.cost = out.paid+a.paid, out.gas+a.gas, out.cost+a.cost
		out.drawn += a.drawn
	}
	return out
}

// compare a strategy's run with the honest one.
func compare(s setting, honest, played result) outcome {
	from := len(s.sizes) - s.group
	out := outcome{name: s.play.name, honest: sum(honest.accounts[from:]), plays: sum(played.accounts[from:])}
	total := uint64(0)
	for _, size := range s.sizes {
		total += size
	}
	out.weight = float64(out.plays.size) / float64(total)
	for _, t := range played.tasks {
		if t.by >= 0 {
			out.submitted++
		}
	}
	return out
}

// gain is what the strategy nets beyond what honest work nets.
func (o outcome) gain() float64 { return o.plays.net() - o.honest.net() }
