package main

import (
	sdkmath "cosmossdk.io/math"

	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

// account is what one participant earned and spent in a run, in upoai.
type account struct {
	size uint64
	// reward is what it claimed of block rewards, without what it forfeited; fees what it was paid of tasks' fees (royalties, prizes and what others were
	// slashed too), slashed what its bond lost.
	reward, fees, slashed float64
	// paid is what it paid for tasks it submitted, less refunds; gas what it paid for transactions; cost what its computing cost at reference_cost.
	paid, gas, cost float64
	// drawn counts tasks that it was the worker of.
	drawn int
}

// net is what is left.
func (a account) net() float64 { return a.reward + a.fees - a.slashed - a.paid - a.gas - a.cost }

// task is what one task of a run came to.
type task struct {
	units uint64
	audit float64 // probability
	by    int     // who submitted it; -1: a client
	state taskstypes.State
	audited,
	scored bool
}

// result of a run.
type result struct {
	accounts []account
	tasks    []task
	// weights of the participants in the tree of clients' model when the run began.
	weights []uint64
	blocks  int
	epochs  int
	// minted is all that compute was given; paidOut what tasks paid workers and members, prizes included.
	minted, paidOut float64
}

// run simulates a setting.
func (s setting) run(tb testutil.TB) result {
	w := newWorld(tb, s)
	res := result{weights: w.weights()}
	before := w.wealth()
	for i := range w.gas {
		w.gas[i] = 0
	}
	for w.sent < w.tasks {
		w.step()
	}
	for n := 0; w.unfinished() > 0; n += 5 {
		if n > maxBlocks {
			tb.Fatalf("%d tasks unfinished", w.unfinished())
		}
		for range 5 {
			w.step()
		}
	}
	w.claimAll()
	if err := testutil.CheckInvariants(w.c.App, w.c.Ctx()); err != nil {
		tb.Fatalf("%v", err)
	}
	res.blocks = w.blocks
	w.account(&res, before)
	return res
}

// wealth is balance and bond of each participant.
func (w *world) wealth() (out [][2]float64) {
	for _, m := range w.crew.Members {
		p, err := w.c.App.Poai.GetParticipant(w.c.Ctx(), m.String())
		if err != nil {
			w.tb.Fatalf("%s: %v", m.Name, err)
		}
		balance := w.c.App.Bank.GetBalance(w.c.Ctx(), m.Addr, "upoai").Amount
		out = append(out, [2]float64{float64(balance.Int64()), float64(p.Bond.Int64())})
	}
	return out
}

func (w *world) weights() (out []uint64) {
	for _, m := range w.crew.Members {
		leaf, _, err := w.c.App.Poai.Trees.Leaf(w.c.Ctx(), workModel, m.String())
		if err != nil {
			w.tb.Fatalf("%s: %v", m.Name, err)
		}
		out = append(out, leaf.Weight)
	}
	return out
}

// account reads off the state what everybody earned: block reward by pools and scores, fees by what balances say beside it.
func (w *world) account(res *result, before [][2]float64) {
	ctx := w.c.Ctx()
	after := w.wealth()
	cost := float64(taskstypes.DefaultParams().ReferenceCost.Int64()) / taskstypes.PriceUnits
	res.accounts = make([]account, len(w.sizes))
	for i := range res.accounts {
		res.accounts[i] = account{size: w.sizes[i], gas: float64(w.gas[i]), cost: float64(w.machines[i].ran) * cost, slashed: before[i][1] - after[i][1]}
	}
	w.collect(res)
	for e := uint64(1); ; e++ {
		pool, err := w.c.App.Rewards.Pools.Get(ctx, e)
		if err != nil {
			break
		}
		if !pool.TotalScore.IsPositive() {
			continue
		}
		res.epochs++
		res.minted += float64(pool.Pool.Int64())
		for i, m := range w.crew.Members {
			if e <= w.forfeited(m) {
				continue
			}
			score, err := w.c.App.Poai.GetScore(ctx, e, m.String())
			if err != nil {
				w.tb.Fatalf("score: %v", err)
			}
			res.accounts[i].reward += float64(pool.Pool.Mul(score).Quo(pool.TotalScore).Int64())
		}
	}
	for i := range res.accounts {
		a := &res.accounts[i]
		a.fees = after[i][0] - before[i][0] - a.reward + a.gas + a.paid
	}
}

// collect reads the tasks.
func (w *world) collect(res *result) {
	ctx := w.c.Ctx()
	err := w.c.App.Tasks.Statuses.Walk(ctx, nil, func(id uint64, st taskstypes.Status) (bool, error) {
		t, err := w.c.App.Tasks.Tasks.Get(ctx, id)
		if err != nil {
			return false, err
		}
		pay, err := w.c.App.Tasks.Payments.Get(ctx, id)
		if err != nil {
			return false, err
		}
		out := task{units: t.Units, audit: float64(st.AuditPpm) / taskstypes.PpmOne, by: -1, state: st.State, audited: st.Audited, scored: t.Scored}
		if i, ok := w.index[t.Submitter]; ok {
			out.by = i
			res.accounts[i].paid += float64(t.MaxFee.Amount.Sub(pay.Refund).Int64())
		}
		for _, v := range []sdkmath.Int{pay.Worker, pay.Verifiers, pay.WorkerPrize, pay.MemberPrizes} {
			res.paidOut += float64(v.Int64())
		}
		if i, ok := w.index[st.Worker]; ok {
			if t.Model == workModel {
				res.accounts[i].drawn++
			}
		}
		res.tasks = append(res.tasks, out)
		return false, nil
	})
	if err != nil {
		w.tb.Fatalf("tasks: %v", err)
	}
}
