package keeper

import (
	"context"
	gomath "math"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// OpenAudit opens a task that its worker owes to a module. The worker is assigned at once, has one attempt, is always audited, and gets
// no fee; what it has at risk is locked by the module, which is told of the end by AfterTaskEnded. Members of the committee are credited
// as for any task. Up to 256 in a block, from EndBlock. Errors are those of a submission.
func (k Keeper) OpenAudit(ctx context.Context, req types.AuditRequest) (uint64, error) {
	requester, address, err := k.address("requester", req.Requester)
	if err != nil {
		return 0, err
	}
	if _, ok := k.openers[address]; !ok {
		return 0, errorsmod.Wrapf(types.ErrNoHooks, "requester: %s", address)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	task, inputs, err := k.auditTask(ctx, params, req)
	if err != nil {
		return 0, err
	}
	if err := k.poai.AssignWorker(ctx, req.Worker, task.Id); err != nil {
		return 0, err
	}
	if err := k.record(ctx, requester, task, inputs); err != nil {
		return 0, err
	}
	if err := k.index(ctx, req.Worker, task.Id); err != nil {
		return 0, err
	}
	now := height(ctx)
	st := types.Status{Worker: req.Worker, OpenedHeight: now, AssignedHeight: now, Attempt: 1}
	if st.Epoch, err = k.poai.CurrentEpoch(ctx); err != nil {
		return 0, err
	}
	window, _ := params.SealWindow(task.Units)
	st.PromptHeight = now + params.PromptBlocks + window - params.SealBlocks
	enter(&st, types.STATE_ASSIGNED, now+window, now+window)
	if err := emit(ctx, &types.EventTaskAssigned{TaskId: task.Id, Worker: st.Worker, Attempt: st.Attempt, Deadline: st.Deadline}); err != nil {
		return 0, err
	}
	return task.Id, k.move(ctx, task.Id, st)
}

// auditTask checks and prices a run that is owed. Its lock is what members and claimants put at risk, as for any task of its size.
func (k Keeper) auditTask(ctx context.Context, params types.Params, req types.AuditRequest) (types.Task, []types.NamedTensor, error) {
	prog, err := k.models.Interface(ctx, req.Model)
	if err != nil {
		return types.Task{}, nil, err
	}
	if req.Steps < 1 || req.Steps > prog.MaxSteps {
		return types.Task{}, nil, errorsmod.Wrapf(types.ErrSteps, "steps: %d, want 1..%d", req.Steps, prog.MaxSteps)
	}
	// The limit of inline inputs is for what submitters put into transactions.
	in, err := types.CheckInputs(prog, req.Inputs, gomath.MaxUint64)
	if err != nil {
		return types.Task{}, nil, err
	}
	if !in.Inline || req.Steps < in.PromptRows {
		return types.Task{}, nil, errorsmod.Wrapf(types.ErrInput, "inputs: want them inline, and at most %d rows of %q", req.Steps, prog.ForcedInput)
	}
	zero := math.ZeroInt()
	task := types.Task{
		Submitter: req.Requester, Model: req.Model, Pool: req.Pool, Steps: req.Steps, Allocation: types.ALLOCATION_ASSIGNED,
		InputRoot: in.Root[:], PromptRows: in.PromptRows, Height: height(ctx), MaxFee: sdk.NewCoin(params.FeeDenom, zero), UnitPrice: zero, Fee: zero,
		Tip: zero, FeeRate: math.NewInt(types.PriceUnits),
		VerifierPayBps: params.VerifierPayBps, BurnBps: params.BurnBps, MaxInlineOutputBytes: params.MaxInlineOutputBytes,
	}
	if task.Units, _, err = k.models.RunUnits(ctx, task.Model, task.Steps, task.PromptRows); err != nil {
		return task, nil, err
	}
	if _, fits := params.SealWindow(task.Units); !fits {
		return task, nil, errorsmod.Wrapf(types.ErrUnits, "steps: %d units take more than %d blocks", task.Units, types.MaxSealBlocks)
	}
	task.Lock, _ = params.Risk(task.Units, 0, false)
	task.AuditPpm = types.PpmOne
	task.Id, err = k.idAtEndOfBlock(ctx)
	return task, in.Tensors, err
}

// AuditLock is what a run of that many units would have its members lock: a worker that owes it should risk no less.
func (k Keeper) AuditLock(ctx context.Context, units uint64) (math.Int, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return math.ZeroInt(), err
	}
	lock, _ := params.Risk(units, 0, false)
	return lock, nil
}

// CheckModel refuses a model that new tasks must not use now; it may be retired.
func (k Keeper) CheckModel(ctx context.Context, model string) error {
	return (*k.disputes).BeforeTaskSubmitted(ctx, model)
}

// idAtEndOfBlock is the id of a task opened outside of transactions: as if by one more transaction than a block can have.
func (k Keeper) idAtEndOfBlock(ctx context.Context) (uint64, error) {
	h := height(ctx)
	if h < 1 || uint64(h) > maxIDHeight {
		return 0, errorsmod.Wrapf(types.ErrTooManyTasks, "height: %d, limit %d", h, uint64(maxIDHeight))
	}
	base := uint64(h)<<idHeightShift | endBlockTx<<idTxShift
	for n := range uint64(maxIDN + 1) {
		taken, err := k.Tasks.Has(ctx, base|n)
		if err != nil {
			return 0, err
		}
		if !taken {
			return base | n, nil
		}
	}
	return 0, errorsmod.Wrapf(types.ErrTooManyTasks, "height: more than %d tasks opened by modules at %d", maxIDN+1, h)
}

// silentDebtor ends a task whose worker owed it and did not seal in time. Where delivering is a duty, silence is a lie; the module that opened the task
// takes what is at risk for it.
func (k Keeper) silentDebtor(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	const reason = "owed run not sealed in time"
	by := unopened(task, st)
	if err := k.workerLied(ctx, task, st, reason, by, nil); err != nil {
		return err
	}
	return k.endFailed(ctx, params, task, st, reason, by, nil)
}

// endFailed ends a task that its worker owed and failed. Its lock is gone; there is nobody else to do it.
func (k Keeper) endFailed(
	ctx context.Context, params types.Params, task types.Task, st types.Status, reason string, by poaitypes.Evidence, heirs []string,
) error {
	if len(st.ResultRoot) == 0 { // its place was freed when it revealed
		if err := k.poai.ReleaseWorker(ctx, st.Worker); err != nil {
			return err
		}
	}
	st.ResultRoot, st.UnitsDone, st.ScoreUnits = nil, 0, 0
	if err := k.refund(ctx, params, task, st, types.STATE_EXPIRED, nothing()); err != nil {
		return err
	}
	return k.announceEnd(ctx, types.Ended{Task: task, Worker: st.Worker, State: types.STATE_EXPIRED, Heirs: heirs, Reason: reason, Evidence: by})
}

// RunCost is what computing 10^6 units costs (reference_cost, 0 where it is not known) and how many members are credited for checking a run.
func (k Keeper) RunCost(ctx context.Context) (cost math.Int, members uint32, err error) {
	params, err := k.Params.Get(ctx)
	return params.ReferenceCost, params.CommitteeSize, err
}

// CommitteeSize is how many members check a task.
func (k Keeper) CommitteeSize(ctx context.Context) (uint32, error) {
	params, err := k.Params.Get(ctx)
	return params.CommitteeSize, err
}
