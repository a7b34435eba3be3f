package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// sealRace takes a result from who comes to a race. The first is the worker; the next, up to redundancy and to the height that the audit's randomness
// follows, are runners. As in seal refusal says why the item is refused; failed is an error from before.
func (k Keeper) sealRace(
	ctx context.Context, params types.Params, who string, task types.Task, st types.Status, item types.ResultSeal, failed error,
) (refusal, err error) {
	if failed != nil {
		return nil, failed
	}
	now := height(ctx)
	switch {
	case len(item.Seal) != commit.Size:
		return errorsmod.Wrapf(types.ErrLength, "seal: %d bytes, want %d", len(item.Seal), commit.Size), nil
	case now > st.Deadline:
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: the race of %d was open until height %d, it is %d", task.Id, st.Deadline, now), nil
	case !task.TakesComers(st):
		return errorsmod.Wrapf(types.ErrRaceFull, "task_id: %d has its %d results", task.Id, task.Redundancy), nil
	case slices.Contains(st.Tried, who):
		return errorsmod.Wrapf(types.ErrTried, "task_id: %d, %s", task.Id, who), nil
	}
	err = k.poai.Enlist(ctx, poaitypes.QualifyRequest{
		Participant: who, Model: task.Model, Requirements: task.Requirements, Lock: task.Lock, Place: true,
	}, task.Id)
	if errors.Is(err, poaitypes.ErrUnfit) || errors.Is(err, poaitypes.ErrLockExists) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	if err := k.index(ctx, who, task.Id); err != nil {
		return nil, err
	}
	if st.State == types.STATE_SEALED {
		err = k.addRunner(ctx, who, task, &st, item.Seal)
	} else {
		err = k.startRace(ctx, params, who, task.Id, &st, item.Seal)
	}
	if err != nil {
		return nil, err
	}
	return nil, k.list(ctx, task, st)
}

// startRace makes the first who seals the worker.
func (k Keeper) startRace(ctx context.Context, params types.Params, who string, id uint64, st *types.Status, seal []byte) (err error) {
	if st.Epoch, err = k.poai.CurrentEpoch(ctx); err != nil {
		return err
	}
	now := height(ctx)
	st.Worker, st.Seal, st.AssignedHeight, st.SealedHeight = who, seal, now, now
	st.Attempt++
	until := drawHeight(*st)
	enter(st, types.STATE_SEALED, until+params.DrawDelay, until)
	if err := emit(ctx, &types.EventTaskAssigned{TaskId: id, Worker: who, Attempt: st.Attempt, Deadline: st.Deadline}); err != nil {
		return err
	}
	return k.move(ctx, id, *st)
}

func (k Keeper) addRunner(ctx context.Context, who string, task types.Task, st *types.Status, seal []byte) error {
	r := types.Runner{Participant: who, Seal: seal, SealedHeight: height(ctx)}
	if err := k.Runners.Set(ctx, collections.Join(task.Id, st.Runners), r); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventRunnerSealed{TaskId: task.Id, Participant: who, Index: st.Runners}); err != nil {
		return err
	}
	st.Runners++
	return k.Statuses.Set(ctx, task.Id, *st) // what is due stays due
}

// runners reads the runners of a task, in the order they sealed.
func (k Keeper) runners(ctx context.Context, st types.Status, id uint64) (out []types.Runner, err error) {
	if st.Runners == 0 {
		return nil, nil
	}
	err = k.Runners.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](id),
		func(_ collections.Pair[uint64, uint32], r types.Runner) (bool, error) {
			out = append(out, r)
			return false, nil
		})
	return out, err
}

// runnerOf finds the runner with that address, unless it is out; nil where there is none.
func (k Keeper) runnerOf(ctx context.Context, st types.Status, id uint64, addr sdk.AccAddress) (*types.Runner, error) {
	if st.Runners == 0 {
		return nil, nil
	}
	address, err := k.account.AddressCodec().BytesToString(addr)
	if err != nil {
		return nil, err
	}
	runners, err := k.runners(ctx, st, id)
	if i := slices.IndexFunc(runners, func(r types.Runner) bool { return r.Participant == address && !r.Out }); i >= 0 {
		return &runners[i], err
	}
	return nil, err
}

// revealRunner opens a runner's seal. Its result is kept, in case it becomes the worker.
func (k Keeper) revealRunner(ctx context.Context, params types.Params, cache programs, who string, st types.Status, item types.ResultReveal) error {
	runners, err := k.runners(ctx, st, item.TaskId)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(runners, func(r types.Runner) bool { return r.Participant == who && !r.Out })
	now := height(ctx)
	switch {
	case i < 0:
		return errorsmod.Wrapf(types.ErrNotWorker, "task_id: %d is not assigned to %s", item.TaskId, who)
	case st.State != types.STATE_REVEALING || !silent(runners[i]):
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, or revealed by %s already", item.TaskId, st.State, who)
	case now > st.Deadline:
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: %d was due at height %d, it is %d", item.TaskId, st.Deadline, now)
	case len(item.ForcedProof) > 0:
		return errorsmod.Wrapf(types.ErrForced, "forced_proof: no error of a race is forced")
	}
	task, err := k.Tasks.Get(ctx, item.TaskId)
	if err != nil {
		return err
	}
	r := &runners[i]
	out, root, err := k.openSeal(ctx, cache, task, types.Status{Worker: who, Seal: r.Seal}, item)
	if err != nil {
		return err
	}
	units, _, err := k.runUnits(ctx, task, out.StepsDone)
	if err != nil {
		return err
	}
	r.ResultRoot, r.UnitsDone = root[:], min(units, task.Units)
	r.Result = &types.Result{StateRoot: item.StateRoot, OutputRoot: out.Root[:], Outputs: out.Tensors, StepsDone: out.StepsDone}
	if err := k.Runners.Set(ctx, collections.Join(task.Id, uint32(i)), *r); err != nil {
		return err
	}
	if err := k.poai.ReleaseWorker(ctx, who); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventRunnerRevealed{TaskId: task.Id, Participant: who, ResultRoot: r.ResultRoot}); err != nil {
		return err
	}
	return k.settleIfRevealed(ctx, params, task, st)
}

// settleSilentRunners takes the lock of runners that sealed and did not reveal: as for a worker, silence is a lie. It returns all runners.
func (k Keeper) settleSilentRunners(ctx context.Context, task types.Task, st types.Status) ([]types.Runner, error) {
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return nil, err
	}
	for i := range runners {
		if !silent(runners[i]) {
			continue
		}
		by := poaitypes.Evidence{Seal: runners[i].Seal, Reference: foundBy(task, st)}
		if err := k.poai.Slash(ctx, lie(runners[i].Participant, poaitypes.LOCK_KIND_TASK, task.Id, "sealed result not revealed", by, nil)); err != nil {
			return nil, err
		}
		if err := k.retire(ctx, task.Id, runners, i); err != nil {
			return nil, err
		}
	}
	return runners, nil
}

// retire ends a runner's part in a task; its lock is gone already.
func (k Keeper) retire(ctx context.Context, id uint64, runners []types.Runner, i int) error {
	r := &runners[i]
	if silent(*r) { // its place was freed when it revealed
		if err := k.poai.ReleaseWorker(ctx, r.Participant); err != nil {
			return err
		}
	}
	if err := k.unindex(ctx, r.Participant, id); err != nil {
		return err
	}
	r.Out, r.Result = true, nil
	return k.Runners.Set(ctx, collections.Join(id, uint32(i)), *r)
}

// settleRunners ends the part of all runners: who revealed another root than a non-nil valid one loses its lock to the heirs, everybody else gets it back.
// It returns who has the valid root.
func (k Keeper) settleRunners(ctx context.Context, id uint64, runners []types.Runner, valid []byte, heirs []string) (matched []string, err error) {
	for i, r := range runners {
		switch {
		case r.Out:
			continue
		case valid != nil && len(r.ResultRoot) > 0 && !bytes.Equal(r.ResultRoot, valid):
			by := poaitypes.Evidence{OwnRoot: r.ResultRoot, ValidRoot: valid, Reference: fmt.Sprintf("task %d, runner %d", id, i)}
			err = k.poai.Slash(ctx, lie(r.Participant, poaitypes.LOCK_KIND_TASK, id, "wrong result", by, heirs))
		default:
			err = k.poai.ReleaseLock(ctx, r.Participant, poaitypes.LOCK_KIND_TASK, id)
			if valid != nil && bytes.Equal(r.ResultRoot, valid) {
				matched = append(matched, r.Participant)
			}
		}
		if err != nil {
			return nil, err
		}
		if err := k.retire(ctx, id, runners, i); err != nil {
			return nil, err
		}
	}
	return matched, nil
}

// replaceSilent takes the lock of a worker that sealed and did not reveal, and puts a runner in its place. Whoever revealed has a part of it.
func (k Keeper) replaceSilent(ctx context.Context, task types.Task, st *types.Status, runners []types.Runner, next int) error {
	seats, err := k.seats(ctx, *st, task.Id)
	if err != nil {
		return err
	}
	heirs := reward(holders(seats, nil), holding(runners, nil))
	if err := k.workerLied(ctx, task, *st, "sealed result not revealed", unopened(task, *st), heirs); err != nil {
		return err
	}
	if err := k.poai.ReleaseWorker(ctx, st.Worker); err != nil {
		return err
	}
	return k.promote(ctx, task, st, runners, next)
}

// promote puts a runner that revealed in the place of a worker whose lock and place are gone. The caller stores the status.
func (k Keeper) promote(ctx context.Context, task types.Task, st *types.Status, runners []types.Runner, next int) error {
	if err := k.unindex(ctx, st.Worker, task.Id); err != nil {
		return err
	}
	r := &runners[next]
	st.Tried = append(slices.Clone(st.Tried), st.Worker)
	st.Worker, st.Seal, st.SealedHeight = r.Participant, r.Seal, r.SealedHeight
	st.ResultRoot, st.UnitsDone, st.ScoreUnits = r.ResultRoot, r.UnitsDone, 0
	if err := k.Results.Set(ctx, task.Id, *r.Result); err != nil {
		return err
	}
	// Its lock and its entry in the index are the worker's from now on.
	r.Out, r.Result = true, nil
	if err := k.Runners.Set(ctx, collections.Join(task.Id, uint32(next)), *r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRunnerPromoted{TaskId: task.Id, Participant: r.Participant, ResultRoot: r.ResultRoot})
}

// creditRunners moves the reliability of runners that had the final root; no race earns score.
func (k Keeper) creditRunners(ctx context.Context, task types.Task, st types.Status, matched []string) error {
	for _, p := range matched {
		req := poaitypes.CreditRequest{Epoch: st.Epoch, Participant: p, Task: task.Id, Units: st.UnitsDone, Role: poaitypes.RoleVerifier}
		if err := k.poai.Credit(ctx, req); err != nil {
			return err
		}
	}
	return nil
}

// dropRunners forgets the runners of an attempt, or of a task.
func (k Keeper) dropRunners(ctx context.Context, st types.Status, id uint64) error {
	for i := range st.Runners {
		if err := k.Runners.Remove(ctx, collections.Join(id, i)); err != nil {
			return err
		}
	}
	return nil
}

// silent tells that a runner has not revealed.
func silent(r types.Runner) bool { return !r.Out && len(r.ResultRoot) == 0 }

// living tells that a runner has revealed and stands by it.
func living(r types.Runner) bool { return !r.Out && len(r.ResultRoot) > 0 }

// holding are the runners that stand by a root, by any for nil.
func holding(runners []types.Runner, root []byte) (out []string) {
	for _, r := range runners {
		if living(r) && (root == nil || bytes.Equal(r.ResultRoot, root)) {
			out = append(out, r.Participant)
		}
	}
	return out
}

func addresses(runners []types.Runner) (out []string) {
	for _, r := range runners {
		out = append(out, r.Participant)
	}
	return out
}

// initComers stores the runners of a genesis and rebuilds what is indexed of those who come by themselves.
func (k Keeper) initComers(ctx context.Context, t types.GenesisTask) error {
	for i, r := range t.Runners {
		if err := k.Runners.Set(ctx, collections.Join(t.Task.Id, uint32(i)), r); err != nil {
			return err
		}
		if r.Out {
			continue
		}
		if err := k.index(ctx, r.Participant, t.Task.Id); err != nil {
			return err
		}
	}
	if !t.Task.TakesComers(t.Status) {
		return nil
	}
	return k.Open.Set(ctx, collections.Join(t.Task.Model, t.Task.Id))
}

// checkComers checks that the index of tasks that take comers holds just these, and that runners are counted.
func (k Keeper) checkComers(ctx context.Context) error {
	listed := 0
	if err := k.Open.Walk(ctx, nil, func(collections.Pair[string, uint64]) (bool, error) {
		listed++
		return false, nil
	}); err != nil {
		return err
	}
	err := k.Tasks.Walk(ctx, nil, func(id uint64, task types.Task) (bool, error) {
		st, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return true, err
		}
		if task.TakesComers(st) {
			listed--
			if has, err := k.Open.Has(ctx, collections.Join(task.Model, id)); err != nil || !has {
				return true, errors.Join(err, errorsmod.Wrapf(types.ErrInvariant, "task %d: takes comers and is not listed", id))
			}
		}
		runners, err := k.runners(ctx, st, id)
		if err != nil {
			return true, err
		}
		if !st.Pruned && len(runners) != int(st.Runners) || st.State.Ended() && slices.ContainsFunc(runners, func(r types.Runner) bool { return !r.Out }) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "task %d: %d runners in %s, %d counted", id, len(runners), st.State, st.Runners)
		}
		return false, nil
	})
	if err == nil && listed != 0 {
		err = errorsmod.Wrapf(types.ErrInvariant, "%d tasks more listed than take comers", listed)
	}
	return err
}
