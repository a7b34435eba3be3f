package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// settleReveals ends the revealing phase: one root is REVEALED, differing roots are DISPUTED, and a silent worker has lied.
// A seat that sealed and did not reveal keeps its lock frozen until the committee is settled, which takes it whole.
func (k Keeper) settleReveals(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	runners, err := k.settleSilentRunners(ctx, task, st)
	if err != nil {
		return err
	}
	if len(st.ResultRoot) == 0 {
		first := slices.IndexFunc(runners, living)
		if first < 0 {
			return k.silentWorker(ctx, params, task, st)
		}
		if err := k.replaceSilent(ctx, task, &st, runners, first); err != nil {
			return err
		}
	}
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	until := height(ctx) + params.ChallengeBlocks
	st.RevealedHeight = height(ctx)
	// A root that the worker was forced to seal is nobody's opinion: who attested it loses its lock when the committee is settled.
	wrong := trap(st)
	if slices.ContainsFunc(seats, func(s poaitypes.Seat) bool {
		return revealed(s) && !bytes.Equal(s.ResultRoot, st.ResultRoot) && !trapped(s, wrong)
	}) || slices.ContainsFunc(runners, func(r types.Runner) bool { return living(r) && !bytes.Equal(r.ResultRoot, st.ResultRoot) }) {
		d, err := k.dispute(ctx, task, st, seats, until, causeAttestation)
		if err != nil {
			return err
		}
		return (*k.disputes).AfterRootsDiffer(ctx, d)
	}
	enter(&st, types.STATE_REVEALED, until, until)
	return k.move(ctx, task.Id, st)
}

// silentWorker slashes a worker who sealed and did not reveal: silence must never be cheaper than being caught. What is not burnt
// goes to the members who did their work for nothing. Then another worker is drawn.
func (k Keeper) silentWorker(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	members := holders(seats, nil)
	if err := k.workerLied(ctx, task, st, "sealed result not revealed", unopened(task, st), members); err != nil {
		return err
	}
	if len(seats) > 0 {
		if _, err := k.poai.SettleCommittee(ctx, task.Id, poaitypes.CommitteeOutcome{Beneficiaries: members}); err != nil {
			return err
		}
		// The next attempt may need a committee of its own.
		if err := k.poai.PruneCommittee(ctx, task.Id); err != nil {
			return err
		}
	}
	return k.reopen(ctx, params, task, st)
}

// finalise pays and credits a result that stands. Of what wrong members lose, the worker, members who agreed and those who argued for
// the result have a part.
func (k Keeper) finalise(ctx context.Context, params types.Params, task types.Task, st types.Status, arguers []string) error {
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return err
	}
	right := append([]string{st.Worker}, holders(seats, st.ResultRoot)...)
	heirs := reward(append(right, holding(runners, st.ResultRoot)...), arguers)
	var agreed []string
	if len(seats) > 0 {
		agreed, err = k.poai.SettleCommittee(ctx, task.Id, poaitypes.CommitteeOutcome{
			ValidRoot: st.ResultRoot, FalseRoot: trap(st), Beneficiaries: heirs, Reference: foundBy(task, st),
		})
		if err != nil {
			return err
		}
	}
	matched, err := k.settleRunners(ctx, task.Id, runners, st.ResultRoot, heirs)
	if err != nil {
		return err
	}
	if err := k.poai.ReleaseLock(ctx, st.Worker, poaitypes.LOCK_KIND_TASK, task.Id); err != nil {
		return err
	}
	model, err := k.model(ctx, task.Model)
	if err != nil {
		return err
	}
	pay, err := k.payOut(ctx, params, task, st, model.Owner, agreed, matched)
	if err != nil {
		return err
	}
	scored := task.Scored && !st.Captive && st.ScoreUnits > 0 && (!st.Audited || slices.ContainsFunc(seats, sealed))
	if err := k.credit(ctx, task, st, scored, agreed); err != nil {
		return err
	}
	if err := k.creditRunners(ctx, task, st, matched); err != nil {
		return err
	}
	if !scored {
		if err := k.forgetInput(ctx, task); err != nil {
			return err
		}
	}
	if err := emit(ctx, &types.EventTaskFinal{
		TaskId: task.Id, Worker: st.Worker, Units: st.UnitsDone, Fee: task.MaxFee.Amount.Sub(pay.Refund).String(), Refund: pay.Refund.String(),
	}); err != nil {
		return err
	}
	if err := k.writeReceipt(ctx, task, st, model); err != nil {
		return err
	}
	if err := k.end(ctx, params, task, st, types.STATE_FINAL, pay); err != nil {
		return err
	}
	return k.announceFinal(ctx, task, st)
}

// credit credits the worker and the members who agreed. Score needs a task that may earn it and, where a committee was drawn, at
// least one member that did its work; reliability moves in any case.
func (k Keeper) credit(ctx context.Context, task types.Task, st types.Status, scored bool, agreed []string) error {
	req := poaitypes.CreditRequest{
		Epoch: st.Epoch, Participant: st.Worker, Task: task.Id, Units: st.UnitsDone, Role: poaitypes.RoleWorker,
	}
	if scored {
		req.ScoreUnits = st.ScoreUnits
	}
	if err := k.poai.Credit(ctx, req); err != nil {
		return err
	}
	req.Role = poaitypes.RoleVerifier
	if task.Assigned() {
		req.ScoreUnits = st.ScoreUnits // the run is the worker's duty; checking it is work like any other
	}
	for _, member := range agreed {
		req.Participant = member
		if err := k.poai.Credit(ctx, req); err != nil {
			return err
		}
	}
	return nil
}

// refund ends a task without a result that stands; the submitter gets the escrow back, less what is withheld.
func (k Keeper) refund(ctx context.Context, params types.Params, task types.Task, st types.Status, state types.State, w withheld) error {
	pay := types.NewPayment()
	if err := k.bookPots(&pay, w.jackpot, w.audits); err != nil {
		return err
	}
	rest := task.MaxFee.Amount.Sub(w.jackpot).Sub(w.audits)
	burn := math.MinInt(w.burn, rest)
	left, err := k.give(ctx, task, &pay, types.Flow{Purpose: types.PURPOSE_REFUND, Recipient: task.Submitter, Amount: rest.Sub(burn)})
	if err != nil {
		return err
	}
	if err := k.burn(ctx, params, task, &pay, left.Add(burn)); err != nil {
		return err
	}
	if err := k.fillPots(ctx, task.MaxFee.Denom, pay); err != nil {
		return err
	}
	if err := k.forgetInput(ctx, task); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventTaskRefunded{TaskId: task.Id, State: state, Refund: pay.Refund.String()}); err != nil {
		return err
	}
	return k.end(ctx, params, task, st, state, pay)
}

// end stores the payment, which says that the escrow is gone, and queues the pruning.
func (k Keeper) end(ctx context.Context, params types.Params, task types.Task, st types.Status, state types.State, pay types.Payment) error {
	if err := k.Payments.Set(ctx, task.Id, pay); err != nil {
		return err
	}
	if st.Worker != "" {
		if err := k.unindex(ctx, st.Worker, task.Id); err != nil {
			return err
		}
	}
	if err := k.withdraw(ctx, task); err != nil {
		return err
	}
	changed := st.State != state
	st.FinalHeight = height(ctx)
	enter(&st, state, st.FinalHeight+params.RetentionBlocks, 0)
	if !changed {
		return k.store(ctx, task.Id, st)
	}
	return k.move(ctx, task.Id, st)
}

// forgetInput lets the input of a task that earned no score be submitted for score again.
func (k Keeper) forgetInput(ctx context.Context, task types.Task) error {
	if !task.Scored {
		return nil
	}
	key := collections.Join(task.Model, task.InputRoot)
	by, err := k.Seen.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) || err == nil && by != task.Id {
		return nil
	}
	if err != nil {
		return err
	}
	return k.Seen.Remove(ctx, key)
}

// holders are the members that revealed that root, any root for nil, in seat order and each once.
func holders(seats []poaitypes.Seat, root []byte) []string {
	var out []string
	for _, s := range seats {
		if revealed(s) && (root == nil || bytes.Equal(s.ResultRoot, root)) && !slices.Contains(out, s.Participant) {
			out = append(out, s.Participant)
		}
	}
	return out
}

// trapped tells that a member attested what the worker was forced to seal.
func trapped(s poaitypes.Seat, trap []byte) bool {
	return trap != nil && revealed(s) && bytes.Equal(s.ResultRoot, trap)
}

func revealed(s poaitypes.Seat) bool { return s.State == poaitypes.SEAT_STATE_REVEALED }

func sealed(s poaitypes.Seat) bool {
	return s.State == poaitypes.SEAT_STATE_SEALED || s.State == poaitypes.SEAT_STATE_REVEALED
}

// workerLied takes the whole lock of a worker. Of an owed run the module that opened it holds what is at risk, and is told when the task ends: one
// fault, one slash.
func (k Keeper) workerLied(ctx context.Context, task types.Task, st types.Status, reason string, by poaitypes.Evidence, beneficiaries []string) error {
	if task.Assigned() {
		return k.poai.ReleaseLock(ctx, st.Worker, poaitypes.LOCK_KIND_TASK, task.Id)
	}
	return k.poai.Slash(ctx, lie(st.Worker, poaitypes.LOCK_KIND_TASK, task.Id, reason, by, beneficiaries))
}

// lie takes a whole lock.
func lie(
	participant string, kind poaitypes.LockKind, task uint64, reason string, by poaitypes.Evidence, beneficiaries []string,
) poaitypes.SlashRequest {
	return poaitypes.SlashRequest{
		Participant: participant, Kind: kind, Task: task, Bps: types.BpsOne, Reason: reason, Lie: true, Beneficiaries: beneficiaries, Evidence: by,
	}
}

// unopened is the evidence against a worker that sealed and did not reveal, or did not seal.
func unopened(task types.Task, st types.Status) poaitypes.Evidence {
	return poaitypes.Evidence{Seal: st.Seal, Reference: fmt.Sprintf("task %d, attempt %d", task.Id, st.Attempt)}
}

// foundBy names what says which root of a task is right: the case that argued it down, or the task's own course.
func foundBy(task types.Task, st types.Status) string {
	if st.State == types.STATE_DISPUTED {
		return fmt.Sprintf("case of task %d, attempt %d", task.Id, st.Attempt)
	}
	return fmt.Sprintf("task %d, attempt %d", task.Id, st.Attempt)
}

func coins(denom string, amount math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(denom, amount)) }
