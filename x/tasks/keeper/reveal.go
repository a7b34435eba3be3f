package keeper

import (
	"context"
	"errors"
	"slices"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine/graphpb"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// programs remembers the programs of one batch.
type programs map[string]*graphpb.Program

func (k Keeper) program(ctx context.Context, cache programs, model string) (*graphpb.Program, error) {
	if prog, ok := cache[model]; ok {
		return prog, nil
	}
	prog, err := k.models.Interface(ctx, model)
	if err == nil {
		cache[model] = prog
	}
	return prog, err
}

// reveal opens a worker's seal, and settles the task once everybody has revealed.
func (k Keeper) reveal(ctx context.Context, params types.Params, cache programs, worker string, item types.ResultReveal) error {
	st, err := k.working(ctx, worker, item.TaskId, types.STATE_REVEALING)
	if errors.Is(err, types.ErrNotWorker) && st.Runners > 0 {
		return k.revealRunner(ctx, params, cache, worker, st, item)
	}
	if err != nil {
		return err
	}
	if len(st.ResultRoot) > 0 {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is revealed already", item.TaskId)
	}
	task, err := k.Tasks.Get(ctx, item.TaskId)
	if err != nil {
		return err
	}
	if st.Forced = len(item.ForcedProof) > 0; st.Forced {
		if err := checkForced(task, st, item.ForcedProof); err != nil {
			return err
		}
	}
	out, root, err := k.openSeal(ctx, cache, task, st, item)
	if err != nil {
		return err
	}
	units, scoreUnits, err := k.runUnits(ctx, task, out.StepsDone)
	if err != nil {
		return err
	}
	st.ResultRoot, st.UnitsDone = root[:], min(units, task.Units)
	st.ScoreUnits = min(scoreUnits, st.UnitsDone)
	if st.NotFinite = task.FiniteOutput != "" && !types.Finite(out.Tensors, task.FiniteOutput); st.NotFinite {
		st.ScoreUnits = 0
	}
	result := types.Result{StateRoot: item.StateRoot, OutputRoot: out.Root[:], Outputs: out.Tensors, StepsDone: out.StepsDone}
	if err := k.Results.Set(ctx, task.Id, result); err != nil {
		return err
	}
	// Nothing new is due yet, so the entry of the deadline stays the one that counts.
	if err := k.Statuses.Set(ctx, task.Id, st); err != nil {
		return err
	}
	if err := k.poai.ReleaseWorker(ctx, worker); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventResultRevealed{
		TaskId: task.Id, Worker: worker, ResultRoot: st.ResultRoot, StepsDone: out.StepsDone, Forced: st.Forced,
	}); err != nil {
		return err
	}
	return k.settleIfRevealed(ctx, params, task, st)
}

// openSeal recomputes the seal from what is revealed, over the result root or, where the worker's error was forced, over the wrong one made of it.
func (k Keeper) openSeal(
	ctx context.Context, cache programs, task types.Task, st types.Status, item types.ResultReveal,
) (types.CheckedOutputs, commit.Hash, error) {
	for _, f := range []struct {
		name string
		data []byte
	}{{"state_root", item.StateRoot}, {"salt", item.Salt}} {
		if len(f.data) != commit.Size {
			return types.CheckedOutputs{}, commit.Hash{}, errorsmod.Wrapf(types.ErrLength, "%s: %d bytes, want %d", f.name, len(f.data), commit.Size)
		}
	}
	prog, err := k.program(ctx, cache, task.Model)
	if err != nil {
		return types.CheckedOutputs{}, commit.Hash{}, err
	}
	out, err := types.CheckOutputs(prog, item.Outputs, task.Steps, task.MaxInlineOutputBytes)
	if err != nil {
		return out, commit.Hash{}, err
	}
	if err := checkShown(task, item.Outputs); err != nil {
		return out, commit.Hash{}, err
	}
	root := commit.ResultRoot(task.Steps, commit.Hash(item.StateRoot), out.Root)
	chain, sealed := sdk.UnwrapSDKContext(ctx).ChainID(), root
	if st.Forced {
		sealed = commit.ForcedRoot(root)
	}
	if seal := commit.Seal(chain, task.Id, st.Worker, sealed, [commit.Size]byte(item.Salt)); string(seal[:]) != string(st.Seal) {
		return out, root, errorsmod.Wrapf(types.ErrSeal, "task_id: %d, result root %s", task.Id, root)
	}
	return out, root, nil
}

// settleIfRevealed settles a REVEALING task whose worker, sealed seats and runners have all revealed.
func (k Keeper) settleIfRevealed(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	if st.State != types.STATE_REVEALING || len(st.ResultRoot) == 0 {
		return nil
	}
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	for _, s := range seats {
		if s.State == poaitypes.SEAT_STATE_SEALED {
			return nil
		}
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil || slices.ContainsFunc(runners, silent) {
		return err
	}
	return k.settleReveals(ctx, params, task, st)
}
