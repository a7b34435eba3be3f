package keeper

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// Causes of a dispute.
const (
	causeAttestation = "attestation"
	causeClaim       = "claim"
)

// dispute freezes a task: escrow, the worker's lock and seats stay until ResolveDispute or VoidTask.
func (k Keeper) dispute(
	ctx context.Context, task types.Task, st types.Status, seats []poaitypes.Seat, until int64, cause string,
) (types.Dispute, error) {
	enter(&st, types.STATE_DISPUTED, 0, until)
	d := types.Dispute{
		Task: task, Attempt: st.Attempt, Worker: types.Party{Participant: st.Worker, Root: st.ResultRoot}, Until: until, Cause: cause,
	}
	wrong := trap(st)
	for _, s := range seats {
		if revealed(s) && !trapped(s, wrong) {
			d.Members = append(d.Members, types.Party{Participant: s.Participant, Root: s.ResultRoot})
		}
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return d, err
	}
	for _, r := range runners {
		if living(r) {
			d.Members = append(d.Members, types.Party{Participant: r.Participant, Root: r.ResultRoot, Runner: true})
		}
	}
	if err := emit(ctx, &types.EventTaskDisputed{TaskId: task.Id, Cause: cause}); err != nil {
		return d, err
	}
	return d, k.move(ctx, task.Id, st)
}

// Contest moves a REVEALED task in its challenge window to DISPUTED: somebody stands behind another root. ErrState in any other
// state, ErrDeadline when the window is over.
func (k Keeper) Contest(ctx context.Context, id uint64) (types.Dispute, error) {
	st, err := k.status(ctx, id)
	if err != nil {
		return types.Dispute{}, err
	}
	if st.State != types.STATE_REVEALED {
		return types.Dispute{}, errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, want %s", id, st.State, types.STATE_REVEALED)
	}
	if now := height(ctx); now > st.Deadline {
		return types.Dispute{}, errorsmod.Wrapf(types.ErrDeadline, "task_id: %d could be challenged until height %d, it is %d", id, st.Deadline, now)
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return types.Dispute{}, err
	}
	seats, err := k.seats(ctx, st, id)
	if err != nil {
		return types.Dispute{}, err
	}
	return k.dispute(ctx, task, st, seats, st.Deadline, causeClaim)
}

// ResolveDispute settles a DISPUTED task. See the payout table in README.md. ErrState in any other state, ErrLength for a root that is
// not 32 bytes.
func (k Keeper) ResolveDispute(ctx context.Context, id uint64, r types.Resolution) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	st, err := k.status(ctx, id)
	if err != nil {
		return err
	}
	if st.State != types.STATE_DISPUTED {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, want %s", id, st.State, types.STATE_DISPUTED)
	}
	if len(r.ValidRoot) != 0 && len(r.ValidRoot) != commit.Size {
		return errorsmod.Wrapf(types.ErrLength, "valid_root: %d bytes, want %d or none", len(r.ValidRoot), commit.Size)
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := emit(ctx, &types.EventDisputeResolved{TaskId: id, ValidRoot: r.ValidRoot}); err != nil {
		return err
	}
	switch {
	case len(r.ValidRoot) == 0:
		return k.release(ctx, params, task, st, nothing(), false)
	case bytes.Equal(r.ValidRoot, st.ResultRoot):
		return k.finalise(ctx, params, task, st, r.Beneficiaries)
	}
	return k.overturn(ctx, params, task, st, r)
}

// overturn slashes a worker whose result was wrong, and whoever attested it, and gives the task to another worker. A runner that has the root that
// is left takes the place at once.
func (k Keeper) overturn(ctx context.Context, params types.Params, task types.Task, st types.Status, r types.Resolution) error {
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return err
	}
	reward := reward(append(holders(seats, r.ValidRoot), holding(runners, r.ValidRoot)...), r.Beneficiaries)
	by := poaitypes.Evidence{OwnRoot: st.ResultRoot, ValidRoot: r.ValidRoot, Reference: foundBy(task, st)}
	if err := k.workerLied(ctx, task, st, "wrong result", by, reward); err != nil {
		return err
	}
	if next := slices.IndexFunc(runners, func(x types.Runner) bool { return living(x) && bytes.Equal(x.ResultRoot, r.ValidRoot) }); next >= 0 {
		if err := k.promote(ctx, task, &st, runners, next); err != nil {
			return err
		}
		return k.finalise(ctx, params, task, st, r.Beneficiaries)
	}
	if _, err := k.settleRunners(ctx, task.Id, runners, r.ValidRoot, reward); err != nil {
		return err
	}
	if len(seats) > 0 {
		out := poaitypes.CommitteeOutcome{ValidRoot: r.ValidRoot, FalseRoot: trap(st), Beneficiaries: reward, Reference: by.Reference}
		if _, err := k.poai.SettleCommittee(ctx, task.Id, out); err != nil {
			return err
		}
		// The next attempt may need a committee of its own.
		if err := k.poai.PruneCommittee(ctx, task.Id); err != nil {
			return err
		}
	}
	if err := k.Results.Remove(ctx, task.Id); err != nil {
		return err
	}
	if task.Assigned() {
		return k.endFailed(ctx, params, task, st, "wrong result", by, reward)
	}
	return k.reopen(ctx, params, task, st)
}

// VoidStart ends a segment of a run whose states at its start nobody produced: nobody is at fault, and the module that opened it is told.
// ErrState for a task that is no such segment, is without a worker, or has ended.
func (k Keeper) VoidStart(ctx context.Context, id uint64) error {
	task, err := k.Tasks.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnknownTask, "task_id: %d", id)
	}
	if err != nil {
		return err
	}
	if task.StartStep == 0 {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d begins at step 0, where the program says what the states are", id)
	}
	return k.void(ctx, id, math.ZeroInt(), true)
}

// VoidTask ends a task that cannot be judged because bytes are missing: locks are released, nobody is slashed or credited, and the
// submitter is refunded, but for what the pots are owed. byInput: an input was missing, and bringing its inputs is the submitter's part, so min_fee burns.
// ErrState for a task without a worker, or one that has ended.
func (k Keeper) VoidTask(ctx context.Context, id uint64, byInput bool) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	burn := math.ZeroInt()
	if byInput {
		burn = params.MinFee
	}
	return k.void(ctx, id, burn, false)
}

// void ends a task with a worker; burn is in fee_denom.
func (k Keeper) void(ctx context.Context, id uint64, burn math.Int, startLost bool) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	st, err := k.status(ctx, id)
	if err != nil {
		return err
	}
	if !st.State.Active() {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s", id, st.State)
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	if len(st.ResultRoot) == 0 {
		if err := k.poai.ReleaseWorker(ctx, st.Worker); err != nil {
			return err
		}
	}
	w := withheld{burn: types.Exchange(burn, task.Rate())}
	w.jackpot, w.audits = owedToPots(params, task, st)
	return k.release(ctx, params, task, st, w, startLost)
}

// release lets everybody go: the fault is nobody's (or ours, when independent parties agreed on what the referee rejects). Seats
// that sealed and did not reveal in time are still taken: that is a lie whatever the right root is.
func (k Keeper) release(ctx context.Context, params types.Params, task types.Task, st types.Status, w withheld, startLost bool) error {
	if err := k.poai.ReleaseLock(ctx, st.Worker, poaitypes.LOCK_KIND_TASK, task.Id); err != nil {
		return err
	}
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	if len(seats) > 0 {
		if _, err := k.poai.SettleCommittee(ctx, task.Id, poaitypes.CommitteeOutcome{FalseRoot: trap(st)}); err != nil {
			return err
		}
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return err
	}
	if _, err := k.settleRunners(ctx, task.Id, runners, nil, nil); err != nil {
		return err
	}
	if err := k.refund(ctx, params, task, st, types.STATE_REFUNDED, w); err != nil {
		return err
	}
	return k.announceEnd(ctx, types.Ended{
		Task: task, Worker: st.Worker, State: types.STATE_REFUNDED, Reason: "nobody was at fault", StartLost: startLost,
	})
}

// reward lists members that did their work, then those who argued, each once.
func reward(members, arguers []string) []string {
	var out []string
	seen := make(map[string]bool, len(members)+len(arguers))
	for _, list := range [][]string{members, arguers} {
		for _, p := range list {
			if !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	return out
}
