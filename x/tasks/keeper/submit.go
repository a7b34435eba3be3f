package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
)

// submit checks a task, takes its escrow and opens it.
func (k Keeper) submit(ctx context.Context, msg *types.MsgSubmitTask) (types.Task, error) {
	submitter, address, err := k.address("submitter", msg.Submitter)
	if err != nil {
		return types.Task{}, err
	}
	if k.bank.BlockedAddr(submitter) {
		return types.Task{}, errorsmod.Wrapf(types.ErrAddress, "submitter: %s cannot be refunded", address)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Task{}, err
	}
	if err := msg.CheckAllocation(params); err != nil {
		return types.Task{}, err
	}
	model, err := k.model(ctx, msg.Model)
	if err != nil {
		return types.Task{}, err
	}
	if model.Retired {
		return types.Task{}, errorsmod.Wrapf(types.ErrModel, "model: %q is retired", msg.Model)
	}
	if err := (*k.disputes).BeforeTaskSubmitted(ctx, model.Id); err != nil {
		return types.Task{}, err
	}
	in, err := k.checkRun(ctx, msg, params)
	if err != nil {
		return types.Task{}, err
	}
	task := types.Task{
		Submitter: address, Model: model.Id, Steps: msg.Steps, Allocation: msg.Allocation, InputRoot: in.Root[:], MaxFee: msg.MaxFee,
		PromptRows: in.PromptRows, Height: height(ctx), RoyaltyBps: model.RoyaltyBps, Tip: msg.Tip,
		VerifierPayBps: params.VerifierPayBps, BurnBps: params.BurnBps, ByCid: !in.Inline,
		JackpotBps: params.JackpotBps, ForcedErrorPpm: params.ForcedErrorPpm,
		Requirements: msg.Requirements, Auction: msg.Auction.Terms(height(ctx), params), Redundancy: msg.Redundancy, MaxInlineOutputBytes: params.MaxInlineOutputBytes,
	}
	if task.Race() {
		// Who comes by itself could come where its error is forced, and only there.
		task.Redundancy, task.JackpotBps, task.ForcedErrorPpm = max(task.Redundancy, 1), 0, 0
	}
	scoreUnits, err := k.price(ctx, params, &task, in.Stops)
	if err != nil {
		return types.Task{}, err
	}
	drawn := task.Allocation == types.ALLOCATION_DRAW // whoever chooses its tasks, or its worker, could mint for itself
	if task.Scored, err = k.scorable(ctx, task, drawn && model.Eligible && in.Inline && scoreUnits > 0); err != nil {
		return types.Task{}, err
	}
	if task.Id, err = k.nextID(ctx); err != nil {
		return types.Task{}, err
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, submitter, types.ModuleName, sdk.NewCoins(task.MaxFee)); err != nil {
		return types.Task{}, errorsmod.Wrap(err, "max_fee")
	}
	return task, k.open(ctx, submitter, task, in.Tensors, params)
}

// open stores a new task and queues its draw.
func (k Keeper) open(ctx context.Context, submitter sdk.AccAddress, task types.Task, inputs []types.NamedTensor, params types.Params) error {
	if err := k.record(ctx, submitter, task, inputs); err != nil {
		return err
	}
	if task.Scored {
		if err := k.Seen.Set(ctx, collections.Join(task.Model, task.InputRoot), task.Id); err != nil {
			return err
		}
	}
	st := types.Status{OpenedHeight: task.Height}
	enterOpen(&st, params, task)
	if err := k.move(ctx, task.Id, st); err != nil {
		return err
	}
	return k.offer(ctx, params, task, st)
}

// record stores what was asked for, and announces it.
func (k Keeper) record(ctx context.Context, submitter sdk.AccAddress, task types.Task, inputs []types.NamedTensor) error {
	if err := k.Tasks.Set(ctx, task.Id, task); err != nil {
		return err
	}
	if err := k.Inputs.Set(ctx, task.Id, types.Inputs{Tensors: inputs}); err != nil {
		return err
	}
	if err := k.BySubmitter.Set(ctx, collections.Join(submitter, task.Id)); err != nil {
		return err
	}
	return emit(ctx, &types.EventTaskSubmitted{
		TaskId: task.Id, Submitter: task.Submitter, Model: task.Model, Units: task.Units, MaxFee: task.MaxFee.String(), Scored: task.Scored,
	})
}

// checkRun checks steps and inputs against the model's program.
func (k Keeper) checkRun(ctx context.Context, msg *types.MsgSubmitTask, params types.Params) (types.CheckedInputs, error) {
	prog, err := k.models.Interface(ctx, msg.Model)
	if err != nil {
		return types.CheckedInputs{}, err
	}
	if msg.Steps < 1 || msg.Steps > prog.MaxSteps {
		return types.CheckedInputs{}, errorsmod.Wrapf(types.ErrSteps, "steps: %d, want 1..%d", msg.Steps, prog.MaxSteps)
	}
	in, err := types.CheckInputs(prog, msg.Inputs, params.MaxInlineInputBytes)
	if err != nil {
		return in, err
	}
	if msg.Steps < in.PromptRows {
		return in, errorsmod.Wrapf(types.ErrSteps, "steps: %d, want at least the %d rows of input %q", msg.Steps, in.PromptRows, prog.ForcedInput)
	}
	return in, nil
}

// price fills in units, prices, fee, lock and audit rate of a task whose max_fee and tip are what was offered, and returns the units that count for score.
func (k Keeper) price(ctx context.Context, params types.Params, task *types.Task, stops bool) (scoreUnits uint64, err error) {
	if task.FeeRate, err = checkMaxFee(params, task.MaxFee); err != nil {
		return 0, err
	}
	if task.Tip, err = params.CheckTip(task.Tip); err != nil {
		return 0, err
	}
	if task.UnitPrice, err = k.floor(ctx, params); err != nil {
		return 0, err
	}
	task.Units, scoreUnits, err = k.runUnits(ctx, *task, task.Steps)
	if err != nil {
		return 0, err
	}
	if _, fits := params.SealWindow(task.Units); !fits {
		return 0, errorsmod.Wrapf(types.ErrUnits, "steps: %d units take more than %d blocks at %d units a block",
			task.Units, types.MaxSealBlocks, params.UnitsPerBlock)
	}
	if task.Auctioned() { // bids make the price
		return scoreUnits, k.priceAuction(params, task, stops)
	}
	fee, extra := types.Quote(task.Units, task.UnitPrice, params.MinFee, task.Tip, task.FeeRate)
	task.Fee = fee.Add(extra)
	task.Lock, task.AuditPpm = params.RiskOf(task.Units, task.RoyaltyBps, task.MaxRunners(), stops, types.Worth(fee, task.FeeRate), types.Worth(extra, task.FeeRate))
	if task.MaxFee.Amount.LT(task.Fee) {
		return 0, errorsmod.Wrapf(types.ErrFee, "max_fee: %s, the run costs %s%s", task.MaxFee, task.Fee, task.MaxFee.Denom)
	}
	return scoreUnits, nil
}

// scorable tells whether the task may earn score: it qualifies and no task before it has run its model on the same input.
func (k Keeper) scorable(ctx context.Context, task types.Task, qualifies bool) (bool, error) {
	if !qualifies {
		return false, nil
	}
	seen, err := k.Seen.Has(ctx, collections.Join(task.Model, task.InputRoot))
	return !seen, err
}

// model reads a model; ErrModel if there is none.
func (k Keeper) model(ctx context.Context, id string) (modelstypes.Model, error) {
	model, err := k.models.GetModel(ctx, id)
	if errors.Is(err, collections.ErrNotFound) || errors.Is(err, modelstypes.ErrModelNotFound) {
		return model, errorsmod.Wrapf(types.ErrModel, "model: %q is unknown", clip(id))
	}
	return model, err
}

// checkMaxFee checks what a submitter would pay, and returns the rate of its denom.
func checkMaxFee(params types.Params, fee sdk.Coin) (math.Int, error) {
	rate, err := params.RateOf(fee.Denom)
	if err != nil {
		return rate, errorsmod.Wrap(err, "max_fee")
	}
	if fee.Amount.IsNil() || !fee.Amount.IsPositive() {
		return rate, errorsmod.Wrapf(types.ErrFee, "max_fee: %s, want a positive amount", fee.Amount)
	}
	if fee.Amount.BigInt().BitLen() > types.MaxFeeBits {
		return rate, errorsmod.Wrapf(types.ErrFee, "max_fee: %s, want less than 2^%d", fee.Amount, types.MaxFeeBits)
	}
	return rate, nil
}

// cancel ends a task that no worker was drawn for yet. The refund follows in EndBlock: the escrow is credited at the end of the
// block it was taken in.
func (k Keeper) cancel(ctx context.Context, submitter string, id uint64) error {
	_, address, err := k.address("submitter", submitter)
	if err != nil {
		return err
	}
	st, err := k.status(ctx, id)
	if err != nil {
		return err
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	if task.Submitter != address {
		return errorsmod.Wrapf(types.ErrNotSubmitter, "submitter: task %d is not of %s", id, address)
	}
	if st.State != types.STATE_OPEN || st.Attempt > 0 {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s after %d attempts, only a task that was never assigned can be cancelled",
			id, st.State, st.Attempt)
	}
	enter(&st, types.STATE_CANCELLED, height(ctx), 0)
	st.FinalHeight = height(ctx)
	if err := k.move(ctx, id, st); err != nil {
		return err
	}
	return k.list(ctx, task, st)
}

// clip keeps what a stranger wrote short in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
