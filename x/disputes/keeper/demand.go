package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// tensor is what demanded bytes are part of, as the program and the task declare it.
type tensor struct {
	dtype uint8
	shape []int64
	// root is the named root over n tensors, of which this one is number index.
	root     commit.Hash
	n, index uint64
}

// demand asks for chunks of an input, weight or state. The fee waits for whoever produces them.
func (k Keeper) demand(ctx context.Context, from sdk.AccAddress, msg *types.MsgDemandBytes) (types.Demand, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Demand{}, err
	}
	task, st, err := k.tasks.GetTask(ctx, msg.TaskId)
	if err != nil {
		return types.Demand{}, notFound(err, types.ErrUnknownTask, "task_id: %d", msg.TaskId)
	}
	if !st.State.Active() {
		return types.Demand{}, errorsmod.Wrapf(types.ErrState, "task_id: %d is %s", task.Id, st.State)
	}
	if err := k.mayDemand(ctx, task, st, msg.Participant); err != nil {
		return types.Demand{}, err
	}
	if err := k.checkDemand(ctx, task, msg); err != nil {
		return types.Demand{}, err
	}
	open, err := k.openDemands(ctx, task.Id, int(params.MaxDemands))
	if err != nil {
		return types.Demand{}, err
	}
	if len(open) >= int(params.MaxDemands) {
		return types.Demand{}, errorsmod.Wrapf(types.ErrTooManyDemands, "task_id: %d has %d open demands, limit %d", task.Id, len(open), params.MaxDemands)
	}
	if err := k.take(ctx, from, params.DemandFee); err != nil {
		return types.Demand{}, err
	}
	d := types.Demand{
		TaskId: task.Id, Demander: msg.Participant, Source: msg.Source, Name: msg.Name, First: msg.First, Count: msg.Count,
		Deadline: height(ctx) + params.DemandBlocks, Fee: params.DemandFee,
	}
	if d.Index, err = next(ctx, k.DemandCounts, task.Id); err != nil {
		return d, err
	}
	return d, k.addDemand(ctx, d)
}

func (k Keeper) addDemand(ctx context.Context, d types.Demand) error {
	id := collections.Join(d.TaskId, d.Index)
	if err := k.Demands.Set(ctx, id, d); err != nil {
		return err
	}
	if err := k.OpenDemands.Set(ctx, id); err != nil {
		return err
	}
	if err := k.DueDemands.Set(ctx, collections.Join3(d.Deadline+1, d.TaskId, d.Index)); err != nil {
		return err
	}
	return emit(ctx, &types.EventBytesDemanded{
		TaskId: d.TaskId, Demand: d.Index, Source: d.Source, Name: d.Name, First: d.First, Count: d.Count, Deadline: d.Deadline,
	})
}

// mayDemand admits the worker, members of the committee and claimants. In a dispute, which waits for the bytes, only as long as roots are
// claimed: afterwards a demand would put off the verdict.
func (k Keeper) mayDemand(ctx context.Context, task taskstypes.Task, st taskstypes.Status, who string) error {
	party := who == st.Worker
	c, err := k.Cases.Get(ctx, collections.Join(task.Id, st.Attempt))
	switch {
	case err == nil && (c.State != types.CASE_STATE_OPEN || height(ctx) > c.ClaimUntil):
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: bytes of task %d could be demanded until height %d", task.Id, c.ClaimUntil)
	case err == nil && !party:
		if party, err = k.ByParticipant.Has(ctx, collections.Join3(who, task.Id, st.Attempt)); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, collections.ErrNotFound):
		return err
	}
	if party {
		return nil
	}
	members, err := k.tasks.GetCommitteeParties(ctx, task.Id)
	if err != nil {
		return err
	}
	if !slices.Contains(members, who) {
		return errorsmod.Wrapf(types.ErrNotParty, "participant: %s is neither worker nor member nor claimant of task %d", who, task.Id)
	}
	return nil
}

// checkDemand refuses bytes that there are not, and inputs that stand on the chain.
func (k Keeper) checkDemand(ctx context.Context, task taskstypes.Task, msg *types.MsgDemandBytes) error {
	if msg.Count == 0 || msg.Count > types.MaxDemandChunks {
		return errorsmod.Wrapf(types.ErrDemand, "count: %d, want 1..%d", msg.Count, types.MaxDemandChunks)
	}
	x, err := k.tensorOf(ctx, task, msg.Source, msg.Name)
	if err != nil {
		return err
	}
	size, err := commit.TensorBytes(x.dtype, x.shape)
	if err != nil {
		return errorsmod.Wrapf(types.ErrDemand, "name: %s", err)
	}
	if leaves := commit.LeafCount(size); msg.First >= leaves || uint64(msg.Count) > leaves-msg.First {
		return errorsmod.Wrapf(types.ErrDemand, "first, count: %d, %d of %d chunks", msg.First, msg.Count, leaves)
	}
	return nil
}

// tensorOf finds an input given by CID, a weight, or a state that a segment begins with.
func (k Keeper) tensorOf(ctx context.Context, task taskstypes.Task, source types.Source, name string) (tensor, error) {
	prog, err := k.models.LoadProgram(ctx, task.Model)
	if err != nil {
		return tensor{}, err
	}
	switch source {
	case types.SOURCE_INPUT:
		return k.inputOf(ctx, task, prog, name)
	case types.SOURCE_WEIGHT:
		m, err := k.models.GetModel(ctx, task.Model)
		if err == nil && len(m.Seed) > 0 {
			// Who demanded them could have them void its own audit, where nobody bothers to produce them.
			return tensor{}, errorsmod.Wrapf(types.ErrDemand, "name: the weights of %q follow from its seed", task.Model)
		}
		if err != nil {
			return tensor{}, err
		}
		specs := prog.WeightSpecs()
		i := slices.IndexFunc(specs, func(s engine.WeightSpec) bool { return s.Name == name })
		if i < 0 {
			return tensor{}, errorsmod.Wrapf(types.ErrDemand, "name: model %s has no such weight", task.Model)
		}
		x := tensor{dtype: uint8(specs[i].DType), shape: specs[i].Shape, n: uint64(len(specs)), index: uint64(i)}
		x.root, err = commit.HashFromBytes(m.WeightsRoot)
		return x, err
	case types.SOURCE_STATE:
		return stateOf(task, prog, name)
	default:
		return tensor{}, errorsmod.Wrapf(types.ErrDemand, "source: %d, want input, weight or state", source)
	}
}

// stateOf finds a state before the first step of a segment. At step 0 the program says what the states are.
func stateOf(task taskstypes.Task, prog *engine.Program, name string) (tensor, error) {
	if task.StartStep == 0 {
		return tensor{}, errorsmod.Wrapf(types.ErrDemand, "source: task %d begins at step 0", task.Id)
	}
	specs := prog.StateSpecs()
	i := slices.IndexFunc(specs, func(s engine.StateSpec) bool { return s.Name == name })
	if i < 0 {
		return tensor{}, errorsmod.Wrapf(types.ErrDemand, "name: model %s has no such state", task.Model)
	}
	x := tensor{dtype: uint8(specs[i].DType), shape: specs[i].Shape, n: uint64(len(specs)), index: uint64(i)}
	var err error
	x.root, err = commit.HashFromBytes(task.StartRoot)
	return x, err
}

func (k Keeper) inputOf(ctx context.Context, task taskstypes.Task, prog *engine.Program, name string) (tensor, error) {
	specs := prog.InputSpecs()
	i := slices.IndexFunc(specs, func(s engine.InputSpec) bool { return s.Name == name })
	if i < 0 {
		return tensor{}, errorsmod.Wrapf(types.ErrDemand, "name: model %s has no such input", task.Model)
	}
	inputs, err := k.tasks.GetInputs(ctx, task.Id)
	if err != nil {
		return tensor{}, notFound(err, types.ErrState, "task_id: the inputs of task %d were dropped", task.Id)
	}
	at := slices.IndexFunc(inputs.Tensors, func(t taskstypes.NamedTensor) bool { return t.Name == name })
	if at < 0 || inputs.Tensors[at].Cid == "" {
		return tensor{}, errorsmod.Wrapf(types.ErrDemand, "name: input %q stands on the chain", name)
	}
	x := tensor{dtype: uint8(specs[i].DType), shape: inputs.Tensors[at].Shape, n: uint64(len(specs)), index: uint64(i)}
	x.root, err = commit.HashFromBytes(task.InputRoot)
	return x, err
}

// openDemands returns the open demands of a task, at most limit.
func (k Keeper) openDemands(ctx context.Context, task uint64, limit int) ([]types.Demand, error) {
	var ids []itemKey
	err := k.OpenDemands.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](task), func(id itemKey) (bool, error) {
		ids = append(ids, id)
		return len(ids) == limit, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]types.Demand, len(ids))
	for i, id := range ids {
		if out[i], err = k.Demands.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// awaited is until when bytes of a task are awaited; 0: none are.
func (k Keeper) awaited(ctx context.Context, task uint64) (until int64, err error) {
	open, err := k.openDemands(ctx, task, -1)
	for _, d := range open {
		until = max(until, d.Deadline)
	}
	return until, err
}

// produce answers a demand. The bytes stay in the transaction.
func (k Keeper) produce(ctx context.Context, producer string, msg *types.MsgProduceBytes) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.GasPerMove+params.GasPerByte*uint64(msg.Size()), "produce bytes")
	d, err := k.openDemand(ctx, msg.TaskId, msg.Demand)
	if err != nil {
		return err
	}
	if now := height(ctx); now > d.Deadline {
		return errorsmod.Wrapf(types.ErrDeadline, "demand: %d of task %d was open until height %d", d.Index, d.TaskId, d.Deadline)
	}
	task, _, err := k.tasks.GetTask(ctx, d.TaskId)
	if err != nil {
		return err
	}
	if err := k.verify(ctx, task, d, msg); err != nil {
		return err
	}
	if err := k.closeDemand(ctx, &d, producer); err != nil {
		return err
	}
	if err := k.wake(ctx, task.Id); err != nil {
		return err
	}
	return emit(ctx, &types.EventBytesProduced{TaskId: d.TaskId, Demand: d.Index, Producer: producer})
}

// wake has EndBlock look at a case that waited for bytes.
func (k Keeper) wake(ctx context.Context, task uint64) error {
	c, err := k.openCaseOf(ctx, task)
	switch {
	case errors.Is(err, types.ErrUnknownCase) || errors.Is(err, types.ErrState) || errors.Is(err, types.ErrUnknownTask):
		return nil
	case err != nil:
		return err
	case c.Running > 0:
		return nil
	}
	return k.store(ctx, c, height(ctx))
}

// verify holds produced bytes to what was demanded: chunks of a tensor whose root is proven under the inputs or weights of the task.
func (k Keeper) verify(ctx context.Context, task taskstypes.Task, d types.Demand, msg *types.MsgProduceBytes) error {
	x, err := k.tensorOf(ctx, task, d.Source, d.Name)
	if err != nil {
		return err
	}
	r, err := types.DecodeRange("range", msg.Range)
	if err != nil {
		return err
	}
	root, err := commit.HashFromBytes(msg.TensorRoot)
	if err != nil {
		return errorsmod.Wrapf(types.ErrLength, "tensor_root: %s", err)
	}
	member := make([]commit.Hash, len(msg.Member))
	for i, h := range msg.Member {
		if member[i], err = commit.HashFromBytes(h); err != nil {
			return errorsmod.Wrapf(types.ErrLength, "member[%d]: %s", i, err)
		}
	}
	if got := commit.LeafCount(uint64(len(r.Data))); r.First != d.First || got != uint64(d.Count) {
		return errorsmod.Wrapf(types.ErrProof, "range: %d chunks from %d, want %d from %d", got, r.First, d.Count, d.First)
	}
	if err := commit.VerifyNamed(x.root, x.n, x.index, []commit.Named{{Name: d.Name, Root: root}}, member); err != nil {
		return errorsmod.Wrapf(types.ErrProof, "member: %s", err)
	}
	if err := commit.VerifyTensorRange(root, x.dtype, x.shape, r.First, r.Data, r.Siblings); err != nil {
		return errorsmod.Wrapf(types.ErrProof, "range: %s", err)
	}
	return nil
}

// openDemand reads a demand that nobody has answered. ErrUnknownDemand.
func (k Keeper) openDemand(ctx context.Context, task uint64, index uint32) (types.Demand, error) {
	id := collections.Join(task, index)
	open, err := k.OpenDemands.Has(ctx, id)
	if err == nil && !open {
		err = collections.ErrNotFound
	}
	if err != nil {
		return types.Demand{}, notFound(err, types.ErrUnknownDemand, "demand: %d of task %d", index, task)
	}
	return k.Demands.Get(ctx, id)
}

// closeDemand pays the fee of a demand to its producer, or back to the demander.
func (k Keeper) closeDemand(ctx context.Context, d *types.Demand, producer string) error {
	if err := k.OpenDemands.Remove(ctx, collections.Join(d.TaskId, d.Index)); err != nil {
		return err
	}
	to := d.Demander
	if producer != "" {
		to, d.Producer = producer, producer
	} else {
		d.Expired = true
	}
	if err := k.pay(ctx, to, d.Fee); err != nil {
		return err
	}
	return k.Demands.Set(ctx, collections.Join(d.TaskId, d.Index), *d)
}

// demandIsDue ends a demand that nobody answered in time. Entries of answered ones are stale.
func (k Keeper) demandIsDue(ctx context.Context, key dueKey) {
	try(ctx, "demand", key.K2(), func(ctx context.Context) error {
		if err := k.DueDemands.Remove(ctx, key); err != nil {
			return err
		}
		d, err := k.openDemand(ctx, key.K2(), key.K3())
		if errors.Is(err, types.ErrUnknownDemand) {
			return nil
		}
		if err != nil {
			return err
		}
		return k.expire(ctx, d)
	}, func(ctx context.Context) error {
		if err := k.DueDemands.Remove(ctx, key); err != nil {
			return err
		}
		return k.DueDemands.Set(ctx, collections.Join3(height(ctx)+putOff, key.K2(), key.K3()))
	})
}

// expire makes a task void whose bytes nobody produced: it cannot be judged, so nobody loses. A task that has ended, or about which it is
// decided, stays as it is.
func (k Keeper) expire(ctx context.Context, d types.Demand) error {
	task, st, err := k.tasks.GetTask(ctx, d.TaskId)
	if err != nil {
		return err
	}
	if err := k.closeDemand(ctx, &d, ""); err != nil {
		return err
	}
	if !st.State.Active() {
		return nil
	}
	c, err := k.Cases.Get(ctx, collections.Join(task.Id, st.Attempt))
	argued := err == nil
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if argued && c.State != types.CASE_STATE_OPEN {
		return nil
	}
	if argued {
		c.State, c.Outcome, c.Suspect = types.CASE_STATE_SETTLING, types.OUTCOME_VOID, ""
		if err := k.store(ctx, &c, height(ctx)+1); err != nil {
			return err
		}
	}
	if d.Source == types.SOURCE_STATE {
		return k.tasks.VoidStart(ctx, task.Id)
	}
	return k.tasks.VoidTask(ctx, task.Id, d.Source == types.SOURCE_INPUT)
}
