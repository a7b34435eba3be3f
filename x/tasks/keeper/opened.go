package keeper

import (
	"context"
	"slices"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/commit"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/types"
)

// opener is a module that opens tasks.
type opener struct {
	module string
	hooks  types.TaskHooks
}

// SetTaskHooks connects a module that opens tasks with how they end; once a module, before the first block. nil disconnects it.
func (k Keeper) SetTaskHooks(module string, h types.TaskHooks) {
	address, err := k.account.AddressCodec().BytesToString(authtypes.NewModuleAddress(module))
	if err != nil {
		panic(err)
	}
	if h == nil {
		delete(k.openers, address)
		return
	}
	k.openers[address] = opener{module: module, hooks: h}
}

// OpenTask opens a run, or a segment of one, that a module pays for. It is an ordinary task in everything but its submitter, who is told of
// the end by AfterTaskEnded, and its score, which the module decides about. The fee is taken from the module's account at once, and nothing
// more than the fee. Up to 256 in a block, from EndBlock. Errors are those of a submission, ErrSegment, ErrNoHooks, and ErrFee where Budget
// does not cover the fee.
func (k Keeper) OpenTask(ctx context.Context, req types.TaskRequest) (types.Task, error) {
	requester, address, err := k.address("requester", req.Requester)
	if err != nil {
		return types.Task{}, err
	}
	o, ok := k.openers[address]
	if !ok {
		return types.Task{}, errorsmod.Wrapf(types.ErrNoHooks, "requester: %s", address)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Task{}, err
	}
	task, inputs, err := k.openedTask(ctx, params, address, req)
	if err != nil {
		return types.Task{}, err
	}
	if task.Id, err = k.idAtEndOfBlock(ctx); err != nil {
		return types.Task{}, err
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, o.module, types.ModuleName, sdk.NewCoins(task.MaxFee)); err != nil {
		return types.Task{}, errorsmod.Wrap(err, "fee")
	}
	if err := k.record(ctx, requester, task, inputs); err != nil {
		return types.Task{}, err
	}
	st := types.Status{OpenedHeight: task.Height}
	enter(&st, types.STATE_OPEN, task.Height+params.DrawDelay, 0)
	return task, k.move(ctx, task.Id, st)
}

// Quote checks a request as OpenTask does and gives the task that it would be: its units, its fee, its input root. It has no id.
func (k Keeper) Quote(ctx context.Context, req types.TaskRequest) (types.Task, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Task{}, err
	}
	task, _, err := k.openedTask(ctx, params, req.Requester, req)
	return task, err
}

// FeeDenom is what runs are paid in.
func (k Keeper) FeeDenom(ctx context.Context) (string, error) {
	params, err := k.Params.Get(ctx)
	return params.FeeDenom, err
}

// openedTask checks and prices a request.
func (k Keeper) openedTask(
	ctx context.Context, params types.Params, requester string, req types.TaskRequest,
) (types.Task, []types.NamedTensor, error) {
	model, err := k.openModel(ctx, req.Model)
	if err != nil {
		return types.Task{}, nil, err
	}
	in, err := k.checkRun(ctx, &types.MsgSubmitTask{Model: req.Model, Inputs: req.Inputs, Steps: req.Steps}, params)
	if err != nil {
		return types.Task{}, nil, err
	}
	if err := k.checkSegment(ctx, params, req); err != nil {
		return types.Task{}, nil, err
	}
	task := types.Task{
		Submitter: requester, Model: model.Id, Steps: req.Steps, Allocation: types.ALLOCATION_DRAW, InputRoot: in.Root[:], MaxFee: req.Budget,
		PromptRows: in.PromptRows, Height: height(ctx), RoyaltyBps: model.RoyaltyBps,
		VerifierPayBps: params.VerifierPayBps, BurnBps: params.BurnBps,
		// The states at the start of a segment are bytes that others have to bring, as an input by CID is.
		ByCid:      !in.Inline || req.StartStep > 0,
		JackpotBps: params.JackpotBps, ForcedErrorPpm: params.ForcedErrorPpm,
		StartStep: req.StartStep, StartRoot: req.StartRoot, FiniteOutput: req.FiniteOutput,
		MaxInlineOutputBytes: params.MaxInlineOutputBytes,
	}
	scoreUnits, err := k.price(ctx, params, &task, in.Stops)
	if err != nil {
		return types.Task{}, nil, err
	}
	task.MaxFee.Amount = task.Fee
	task.Scored = req.Scored && in.Inline && scoreUnits > 0
	return task, in.Tensors, nil
}

// openModel gives a model that new tasks may use.
func (k Keeper) openModel(ctx context.Context, id string) (modelstypes.Model, error) {
	model, err := k.model(ctx, id)
	if err != nil {
		return model, err
	}
	if model.Retired {
		return model, errorsmod.Wrapf(types.ErrModel, "model: %q is retired", id)
	}
	return model, (*k.disputes).BeforeTaskSubmitted(ctx, model.Id)
}

// checkSegment checks where a request begins, and what must be finite.
func (k Keeper) checkSegment(ctx context.Context, params types.Params, req types.TaskRequest) error {
	prog, err := k.models.Interface(ctx, req.Model)
	if err != nil {
		return err
	}
	switch {
	case req.StartStep >= req.Steps:
		return errorsmod.Wrapf(types.ErrSegment, "start_step: %d of %d steps", req.StartStep, req.Steps)
	case req.StartStep == 0 && len(req.StartRoot) != 0:
		return errorsmod.Wrap(types.ErrSegment, "start_root: given for step 0, where the program says what the states are")
	case req.StartStep > 0 && len(req.StartRoot) != commit.Size:
		return errorsmod.Wrapf(types.ErrSegment, "start_root: %d bytes, want %d", len(req.StartRoot), commit.Size)
	case req.StartStep > 0 && prog.StopState != "":
		return errorsmod.Wrapf(types.ErrSegment, "model: a run of %q may stop, so it has no segments", req.Model)
	}
	if req.FiniteOutput == "" {
		return nil
	}
	at := slices.IndexFunc(prog.States, func(s *graphpb.StateSpec) bool { return s.Name == req.FiniteOutput })
	if at < 0 || prog.States[at].Dtype != graphpb.DTYPE_F32 || !slices.Contains(prog.Outputs, req.FiniteOutput) {
		return errorsmod.Wrapf(types.ErrOutput, "finite_output: %q is no f32 output of %q", clip(req.FiniteOutput), req.Model)
	}
	size, err := shownBytes(prog, req.FiniteOutput)
	if err != nil || size > params.MaxInlineOutputBytes {
		return errorsmod.Wrapf(types.ErrOutput, "finite_output: %q has %d bytes, a stop state included, and must be inline to be looked at, where max_inline_output_bytes allows %d",
			clip(req.FiniteOutput), size, params.MaxInlineOutputBytes)
	}
	return nil
}

// shownBytes is what has to be inline for the chain to look at an f32 output: that output, and a stop state, which has to be in any case.
func shownBytes(prog *graphpb.Program, name string) (uint64, error) {
	for _, s := range prog.States {
		if s.Name != name {
			continue
		}
		size, err := commit.TensorBytes(uint8(graphpb.DTYPE_F32), s.Shape)
		if err == nil && prog.StopState != "" && slices.Contains(prog.Outputs, prog.StopState) {
			size += types.StopBytes
		}
		return size, err
	}
	return 0, errorsmod.Wrapf(types.ErrOutput, "finite_output: %q is no state", clip(name))
}

// checkShown refuses an output that the chain is to look at and that is given by root and content id: whoever hid it would be paid, and end the score of all that
// follows. That it fits was checked when the task was opened.
func checkShown(task types.Task, outputs []types.NamedTensor) error {
	for _, o := range outputs {
		if o.Name == task.FiniteOutput && o.Cid != "" {
			return errorsmod.Wrapf(types.ErrOutput, "output %q: by cid, but it must be inline", clip(o.Name))
		}
	}
	return nil
}

// runUnits are the units of a task up to a step, and those of them that count for score.
func (k Keeper) runUnits(ctx context.Context, task types.Task, steps uint64) (units, scoreUnits uint64, err error) {
	units, scoreUnits, err = k.models.RunUnits(ctx, task.Model, steps, task.PromptRows)
	if err != nil || task.StartStep == 0 {
		return units, scoreUnits, err
	}
	before, scoreBefore, err := k.models.RunUnits(ctx, task.Model, task.StartStep, task.PromptRows)
	if err != nil {
		return 0, 0, err
	}
	if before > units || scoreBefore > scoreUnits {
		return 0, 0, errorsmod.Wrapf(types.ErrUnits, "model: %q costs less up to step %d than up to %d", task.Model, steps, task.StartStep)
	}
	return units - before, scoreUnits - scoreBefore, nil
}

// expire ends a task that nobody finished and tells the module that opened it.
func (k Keeper) expire(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	if err := k.refund(ctx, params, task, st, types.STATE_EXPIRED, nothing()); err != nil {
		return err
	}
	return k.announceEnd(ctx, types.Ended{Task: task, State: types.STATE_EXPIRED, Reason: "no worker finished it"})
}

// announceFinal tells the module that opened a task what it came to.
func (k Keeper) announceFinal(ctx context.Context, task types.Task, st types.Status) error {
	if _, opened := k.openers[task.Submitter]; !opened && !task.Assigned() {
		return nil
	}
	result, err := k.Results.Get(ctx, task.Id)
	if err != nil {
		return err
	}
	return k.announceEnd(ctx, types.Ended{Task: task, Worker: st.Worker, State: types.STATE_FINAL, Result: &result, NotFinite: st.NotFinite})
}

// announceEnd tells the module that opened a task how it ended; nobody of ordinary tasks.
func (k Keeper) announceEnd(ctx context.Context, e types.Ended) error {
	o, opened := k.openers[e.Task.Submitter]
	if !opened {
		if e.Task.Assigned() {
			return errorsmod.Wrapf(types.ErrNoHooks, "task %d", e.Task.Id)
		}
		return nil
	}
	pay, err := k.Payments.Get(ctx, e.Task.Id)
	if err != nil {
		return err
	}
	e.Refund = pay.Refund
	return o.hooks.AfterTaskEnded(ctx, e)
}
