package keeper

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"poaid/game"
	"poaid/x/disputes/types"
)

// suspect notes the op about which the referee and all who attested independently disagree: the worker or a member was refuted, for the
// root that all of them have. Silence proves nothing, and a mere supporter may be refuted on purpose. Whether it counts shows when the
// case is decided. The caller stores the case.
func (k Keeper) suspect(ctx context.Context, t *table, defender *types.Claim, result types.GameResult, at game.Game) error {
	c := t.c
	if result != types.GAME_RESULT_REFUTED || at.Tree != game.TreeTensor || c.Suspect != "" || c.Dissent > 0 ||
		defender.Kind == types.CLAIM_KIND_CHALLENGE || defender.Kind == types.CLAIM_KIND_RUNNER || !bytes.Equal(defender.ResultRoot, c.WorkerRoot) {
		return nil
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if c.Seats-c.Runners < params.SuspectSeats {
		return nil
	}
	view, _, err := t.machine.Node(at.From, at.Node)
	if err != nil {
		return err
	}
	c.Suspect = view.Op.Name
	return nil
}

// hold leaves a decided case to governance for appeal_blocks and keeps the suspected op out of new tasks meanwhile.
func (k Keeper) hold(ctx context.Context, params types.Params, c *types.Case) error {
	c.State, c.HeldUntil = types.CASE_STATE_HELD, height(ctx)+params.AppealBlocks
	if err := k.store(ctx, c, c.HeldUntil+1); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventCaseHeld{TaskId: c.TaskId, Attempt: c.Attempt, Op: c.Suspect, Until: c.HeldUntil}); err != nil {
		return err
	}
	q, err := k.Quarantines.Get(ctx, c.Suspect)
	if err == nil && (q.Until == 0 || q.Until >= c.HeldUntil) {
		return nil
	}
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return k.quarantine(ctx, c, c.HeldUntil)
}

func (k Keeper) quarantine(ctx context.Context, c *types.Case, until int64) error {
	q := types.Quarantine{Op: c.Suspect, TaskId: c.TaskId, Height: height(ctx), Until: until}
	if err := k.Quarantines.Set(ctx, q.Op, q); err != nil {
		return err
	}
	return emit(ctx, &types.EventQuarantined{Op: q.Op, TaskId: q.TaskId, Until: q.Until})
}

// settleSuspect decides a held case. Acquitted: the op is at fault, nobody is slashed, and it stays out until lifted. Otherwise the case is
// settled as any other, and the quarantine that it caused ends.
func (k Keeper) settleSuspect(ctx context.Context, task uint64, acquit bool) error {
	_, st, err := k.tasks.GetTask(ctx, task)
	if err != nil {
		return notFound(err, types.ErrUnknownTask, "task_id: %d", task)
	}
	c, err := k.Cases.Get(ctx, collections.Join(task, st.Attempt))
	if err != nil {
		return notFound(err, types.ErrUnknownCase, "task_id: nobody argues about task %d", task)
	}
	if c.State != types.CASE_STATE_HELD {
		return errorsmod.Wrapf(types.ErrState, "the case of task %d is %s, want %s", task, c.State, types.CASE_STATE_HELD)
	}
	c.State = types.CASE_STATE_SETTLING
	if acquit {
		c.Outcome, c.ValidRoot = types.OUTCOME_ACQUITTED, nil
		err = k.quarantine(ctx, &c, 0)
	} else {
		err = k.endQuarantine(ctx, &c)
	}
	if err != nil {
		return err
	}
	return k.store(ctx, &c, height(ctx)+1)
}

// endQuarantine lifts a quarantine that only this case caused.
func (k Keeper) endQuarantine(ctx context.Context, c *types.Case) error {
	q, err := k.Quarantines.Get(ctx, c.Suspect)
	if errors.Is(err, collections.ErrNotFound) || err == nil && (q.Until == 0 || q.TaskId != c.TaskId) {
		return nil
	}
	if err != nil {
		return err
	}
	return k.lift(ctx, c.Suspect)
}

// expireQuarantine drops a quarantine whose time is over.
func (k Keeper) expireQuarantine(ctx context.Context, op string) error {
	q, err := k.Quarantines.Get(ctx, op)
	if errors.Is(err, collections.ErrNotFound) || err == nil && (q.Until == 0 || height(ctx) <= q.Until) {
		return nil
	}
	if err != nil {
		return err
	}
	return k.lift(ctx, op)
}

// lift lets tasks use an op again. ErrUnknownQuarantine.
func (k Keeper) lift(ctx context.Context, op string) error {
	if has, err := k.Quarantines.Has(ctx, op); err != nil {
		return err
	} else if !has {
		return errorsmod.Wrapf(types.ErrUnknownQuarantine, "op: %q", op)
	}
	if err := k.Quarantines.Remove(ctx, op); err != nil {
		return err
	}
	return emit(ctx, &types.EventQuarantineLifted{Op: op})
}

// admit refuses a model that uses a quarantined op. One read where nothing is quarantined.
func (k Keeper) admit(ctx context.Context, model string) error {
	var active []string
	now := height(ctx)
	err := k.Quarantines.Walk(ctx, nil, func(op string, q types.Quarantine) (bool, error) {
		if q.Until == 0 || now <= q.Until {
			active = append(active, op)
		}
		return false, nil
	})
	if err != nil || len(active) == 0 {
		return err
	}
	prog, err := k.models.LoadProgram(ctx, model)
	if err != nil {
		return err
	}
	for _, op := range types.OpsOf(prog) {
		if slices.Contains(active, op) {
			return errorsmod.Wrapf(types.ErrQuarantined, "model: %s uses %s", model, op)
		}
	}
	return nil
}
