package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/sprint"
	poaitypes "poaid/x/poai/types"
	"poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// Gas of checking an opening, charged before the work.
const (
	gasPerLeaf storetypes.Gas = 1_000
	gasPerHash storetypes.Gas = 200
)

// openAudit makes the inputs of the sampled leaves and opens the task that the participant owes. w is changed; the caller stores it.
func (k Keeper) openAudit(ctx context.Context, params types.Params, w *types.Window, c types.Commit) error {
	leaves, err := sampled(*w, c)
	if err != nil {
		return err
	}
	prog, err := k.models.LoadProgram(ctx, w.Model)
	if err != nil {
		return err
	}
	chain := sdk.UnwrapSDKContext(ctx).ChainID()
	inputs, err := sprint.Inputs(prog, sprint.Key(chain, w.Random, w.Number, c.Participant), leaves, uint64(w.Tokens))
	if err != nil {
		return err
	}
	c.Task, err = k.tasks.OpenAudit(ctx, taskstypes.AuditRequest{
		Requester: requester(), Worker: c.Participant, Model: w.Model, Pool: w.Pool,
		Steps: uint64(len(leaves)) * uint64(w.Tokens), Inputs: named(prog, inputs),
	})
	if err != nil {
		return err
	}
	c.State = types.COMMIT_STATE_AUDITED
	if err := k.Commits.Set(ctx, collections.Join(c.Window, c.Participant), c); err != nil {
		return err
	}
	a := types.Audit{Task: c.Task, Window: c.Window, Participant: c.Participant, Deadline: height(ctx) + params.OpenBlocks}
	if err := k.Audits.Set(ctx, a.Task, a); err != nil {
		return err
	}
	if err := k.AuditsOf.Set(ctx, collections.Join(a.Participant, a.Task)); err != nil {
		return err
	}
	if err := k.DueOpenings.Set(ctx, collections.Join(a.Deadline, a.Task)); err != nil {
		return err
	}
	w.OpenAudits++
	return emit(ctx, &types.EventAuditOpened{Window: a.Window, Participant: a.Participant, TaskId: a.Task, Deadline: a.Deadline})
}

// sampled are the leaves of a commit that its audit runs, in the order of the run. Where there are fewer than a sample they repeat.
func sampled(w types.Window, c types.Commit) ([]uint64, error) {
	return sprint.Sample(w.AuditRandom, w.Number, c.Participant, c.Count, int(w.Sample))
}

// toOpen are the numbers of a sample that are opened: each once.
func toOpen(leaves []uint64, count uint64) []uint64 {
	if count < uint64(len(leaves)) {
		return leaves[:count]
	}
	return leaves
}

// named writes the inputs of a run in the order of the program.
func named(prog *engine.Program, inputs map[string]*engine.Tensor) []taskstypes.NamedTensor {
	var out []taskstypes.NamedTensor
	for _, spec := range prog.InputSpecs() {
		t := inputs[spec.Name]
		out = append(out, taskstypes.NamedTensor{Name: spec.Name, Dtype: t.DType(), Shape: t.Shape(), Data: t.Bytes()})
	}
	return out
}

// open takes the opening of the leaves that an audit asks for.
func (k Keeper) open(ctx context.Context, participant string, msg *types.MsgOpenSprint) error {
	c, w, a, err := k.audited(ctx, msg.Window, participant)
	if err != nil {
		return err
	}
	if len(a.Opened) > 0 {
		return errorsmod.Wrapf(types.ErrOpened, "window: the leaves of %d were opened", msg.Window)
	}
	if now := height(ctx); now > a.Deadline {
		return errorsmod.Wrapf(types.ErrLate, "window: the leaves of %d could be opened until height %d, it is %d", msg.Window, a.Deadline, now)
	}
	leaves, err := sampled(w, c)
	if err != nil {
		return err
	}
	values, err := k.verify(ctx, c, toOpen(leaves, c.Count), msg.Leaves)
	if err != nil {
		return err
	}
	prog, err := k.models.LoadProgram(ctx, w.Model)
	if err != nil {
		return err
	}
	rows := make([][]byte, len(leaves))
	for i := range rows {
		rows[i] = values[i%len(values)] // the sample repeats in the same way
	}
	root, err := sprint.OutputRoot(prog, rows)
	if err != nil {
		return err
	}
	a.Opened = root[:]
	if err := k.DueOpenings.Remove(ctx, collections.Join(a.Deadline, a.Task)); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventLeavesOpened{Window: a.Window, Participant: participant, TaskId: a.Task}); err != nil {
		return err
	}
	return k.judge(ctx, a)
}

// audited finds the running audit of a participant's commit.
func (k Keeper) audited(ctx context.Context, window uint64, participant string) (c types.Commit, w types.Window, a types.Audit, err error) {
	c, err = k.Commits.Get(ctx, collections.Join(window, participant))
	if errors.Is(err, collections.ErrNotFound) || err == nil && c.State != types.COMMIT_STATE_AUDITED {
		return c, w, a, errorsmod.Wrapf(types.ErrNotAudited, "window: nothing of %s is audited in %d", participant, window)
	}
	if err != nil {
		return c, w, a, err
	}
	if w, err = k.Windows.Get(ctx, window); err != nil {
		return c, w, a, err
	}
	a, err = k.Audits.Get(ctx, c.Task)
	return c, w, a, err
}

// verify checks that exactly the leaves asked for are opened, in ascending order, and returns their values.
func (k Keeper) verify(ctx context.Context, c types.Commit, want []uint64, given []types.OpenedLeaf) ([][]byte, error) {
	if len(given) != len(want) {
		return nil, errorsmod.Wrapf(types.ErrLeaves, "leaves: %d given, want %d", len(given), len(want))
	}
	gas := storetypes.Gas(0)
	for _, l := range given {
		gas += gasPerLeaf + gasPerHash*uint64(len(l.Proof))
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(gas, "check opened leaves")
	values := make([][]byte, len(given))
	for i, l := range given {
		switch {
		case l.Number >= c.Count:
			return nil, errorsmod.Wrapf(types.ErrLeaves, "leaves[%d].number: %d, the commit has %d leaves", i, l.Number, c.Count)
		case i > 0 && l.Number <= given[i-1].Number:
			return nil, errorsmod.Wrapf(types.ErrLeaves, "leaves[%d].number: %d does not follow %d", i, l.Number, given[i-1].Number)
		case l.Number != want[i]:
			return nil, errorsmod.Wrapf(types.ErrLeaves, "leaves[%d].number: %d, asked for %d", i, l.Number, want[i])
		}
		if err := sprint.VerifyOpening(c.Root, c.Count, l.Number, l.Value, l.Proof); err != nil {
			return nil, errorsmod.Wrapf(types.ErrProof, "leaves[%d]: %s", i, err)
		}
		values[i] = l.Value
	}
	return values, nil
}

// judge decides an audit when both the opening and the task's result are there, and stores it.
func (k Keeper) judge(ctx context.Context, a types.Audit) error {
	if a.Decided || len(a.Opened) == 0 || len(a.Computed) == 0 {
		return k.keep(ctx, a)
	}
	if bytes.Equal(a.Opened, a.Computed) {
		return k.conclude(ctx, a, verdict{state: types.COMMIT_STATE_PASSED})
	}
	return k.conclude(ctx, a, verdict{
		state: types.COMMIT_STATE_FAILED, reason: "opened leaves are not what they compute to",
		evidence: poaitypes.Evidence{OwnRoot: a.Opened, ValidRoot: a.Computed, Reference: found(a)},
	})
}

// found names an audit in the record of a fault.
func found(a types.Audit) string { return fmt.Sprintf("audit of window %d, task %d", a.Window, a.Task) }

// conclude decides the commit of an audit.
func (k Keeper) conclude(ctx context.Context, a types.Audit, v verdict) error {
	w, err := k.Windows.Get(ctx, a.Window)
	if err != nil {
		return err
	}
	c, err := k.Commits.Get(ctx, collections.Join(a.Window, a.Participant))
	if err != nil {
		return err
	}
	if err := k.decide(ctx, &w, c, v); err != nil {
		return err
	}
	if err := k.Windows.Set(ctx, w.Number, w); err != nil {
		return err
	}
	if len(a.Opened) == 0 {
		if err := k.DueOpenings.Remove(ctx, collections.Join(a.Deadline, a.Task)); err != nil {
			return err
		}
	}
	a.Decided = true
	return k.keep(ctx, a)
}

// keep stores an audit, or drops it when its commit is decided and its task has ended: until then the model must stay.
func (k Keeper) keep(ctx context.Context, a types.Audit) error {
	if !a.Decided || !a.Ended {
		return k.Audits.Set(ctx, a.Task, a)
	}
	if err := k.Audits.Remove(ctx, a.Task); err != nil {
		return err
	}
	if err := k.AuditsOf.Remove(ctx, collections.Join(a.Participant, a.Task)); err != nil {
		return err
	}
	w, err := k.Windows.Get(ctx, a.Window)
	if err != nil {
		return err
	}
	if w.OpenAudits == 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "window %d: no open audit is left to end", w.Number)
	}
	w.OpenAudits--
	return k.Windows.Set(ctx, w.Number, w)
}

// failOverdue fails the audits whose leaves were not opened in time. Silence costs what a lie does.
func (k Keeper) failOverdue(ctx context.Context, params types.Params) error {
	var due []collections.Pair[int64, uint64]
	until := new(collections.Range[collections.Pair[int64, uint64]]).EndExclusive(collections.Join(height(ctx)+1, uint64(0)))
	err := k.DueOpenings.Walk(ctx, until, func(key collections.Pair[int64, uint64]) (bool, error) {
		due = append(due, key)
		return len(due) == int(params.SettlesPerBlock), nil
	})
	if err != nil {
		return err
	}
	for _, key := range due {
		a, err := k.Audits.Get(ctx, key.K2())
		if err != nil {
			return fmt.Errorf("audit %d: %w", key.K2(), err)
		}
		err = k.try(ctx, "overdue opening", func(ctx context.Context) error {
			return k.conclude(ctx, a, verdict{
				state: types.COMMIT_STATE_FAILED, reason: "sampled leaves not opened in time", evidence: poaitypes.Evidence{Reference: found(a)},
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
