package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training/types"
)

// gasPerRoot pays for hashing one tensor root under a named root.
const gasPerRoot storetypes.Gas = 500

// create checks a job, takes its budget and queues its first segment.
func (k Keeper) create(ctx context.Context, msg *types.MsgCreateJob) (types.Job, error) {
	owner, address, err := k.address("owner", msg.Owner)
	if err != nil {
		return types.Job{}, err
	}
	if k.bank.BlockedAddr(owner) {
		return types.Job{}, errorsmod.Wrapf(types.ErrAddress, "owner: %s cannot be refunded", address)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Job{}, err
	}
	j := types.Job{
		Owner: address, Model: msg.Model, Steps: msg.Steps, SegmentSteps: msg.SegmentSteps, Result: msg.Result, Recipe: msg.Recipe,
		FiniteOutput: msg.FiniteOutput, Height: height(ctx), Denom: msg.Budget.Denom,
	}
	if err := k.checkRun(ctx, params, &j, msg); err != nil {
		return j, err
	}
	if err := k.checkRecipe(ctx, j); err != nil {
		return j, err
	}
	if j.Parents, err = k.lineage(ctx, params, j, msg.WeightRoots); err != nil {
		return j, err
	}
	if err := k.checkPlan(ctx, j); err != nil {
		return j, err
	}
	if j.Id, err = k.nextID(ctx); err != nil {
		return j, err
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, owner, types.ModuleName, sdk.NewCoins(msg.Budget)); err != nil {
		return j, errorsmod.Wrap(err, "budget")
	}
	return j, k.begin(ctx, owner, j, msg.Budget)
}

// begin stores a new job.
func (k Keeper) begin(ctx context.Context, owner sdk.AccAddress, j types.Job, budget sdk.Coin) error {
	if err := k.Jobs.Set(ctx, j.Id, j); err != nil {
		return err
	}
	if err := k.ByOwner.Set(ctx, collections.Join(owner, j.Id)); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventJobCreated{JobId: j.Id, Owner: j.Owner, Model: j.Model, Steps: j.Steps, Budget: budget.String()}); err != nil {
		return err
	}
	p := types.Progress{Escrow: budget.Amount, Spent: math.ZeroInt()}
	return k.enter(ctx, j, &p, types.STATE_OPENING, height(ctx), "")
}

// checkRun checks the run and that it can be cut, by pricing its first and its last segment.
func (k Keeper) checkRun(ctx context.Context, params types.Params, j *types.Job, msg *types.MsgCreateJob) error {
	if err := checkBudget(msg.Budget); err != nil {
		return err
	}
	if err := types.CheckSegments(j.Steps, j.SegmentSteps, params.MaxSegments); err != nil {
		return err
	}
	j.Inputs = msg.Inputs
	first, err := k.tasks.Quote(ctx, request(*j, 0, j.End(0), make([]byte, commit.Size), msg.Budget))
	if err != nil {
		return errorsmod.Wrap(err, "first segment")
	}
	j.InputRoot = first.InputRoot
	last := (j.Segments() - 1) * j.SegmentSteps
	if last == 0 {
		return nil
	}
	// What the budget must cover is the first segment: more can be paid in later.
	most := sdk.NewCoin(j.Denom, math.NewInt(1<<62))
	if _, err := k.tasks.Quote(ctx, request(*j, last, j.Steps, make([]byte, commit.Size), most)); err != nil {
		return errorsmod.Wrap(err, "last segment")
	}
	return nil
}

func checkBudget(c sdk.Coin) error {
	if c.Validate() != nil || !c.IsPositive() {
		return errorsmod.Wrapf(types.ErrBudget, "budget: %s, want a positive amount", c)
	}
	return nil
}

// request is what x/tasks is asked for. A run from step 0 has no root.
func request(j types.Job, from, to uint64, root []byte, budget sdk.Coin) taskstypes.TaskRequest {
	if from == 0 {
		root = nil
	}
	return taskstypes.TaskRequest{
		Model: j.Model, Steps: to, StartStep: from, StartRoot: root, Inputs: j.Inputs, Budget: budget, FiniteOutput: j.FiniteOutput,
	}
}

// lineage checks the roots of the training program's weights against what the chain holds, has x/datasets allow and record the use of those
// that are somebody's data, and returns what the result descends from.
func (k Keeper) lineage(ctx context.Context, params types.Params, j types.Job, roots [][]byte) ([]modelstypes.Parent, error) {
	model, err := k.model(ctx, j.Model)
	if err != nil {
		return nil, err
	}
	prog, err := k.models.Interface(ctx, j.Model)
	if err != nil {
		return nil, err
	}
	if err := checkRoots(ctx, "weight_roots", weightNames(prog), roots, model.WeightsRoot); err != nil {
		return nil, err
	}
	parents, err := k.datasets.Use(ctx, j.Owner, model.ProgramHash, roots)
	if err != nil || j.Result == nil {
		return nil, err
	}
	base, err := k.model(ctx, j.Result.Base)
	if err != nil {
		return nil, errorsmod.Wrap(err, "result.base")
	}
	share := j.Result.BaseShareBps
	if base.Owner != j.Owner && share < params.MinBaseShareBps {
		return nil, errorsmod.Wrapf(types.ErrPlan, "result.base_share_bps: %d, %q is somebody else's, who gets at least %d", share, base.Id, params.MinBaseShareBps)
	}
	if share == 0 {
		return parents, nil
	}
	return append([]modelstypes.Parent{{Kind: modelstypes.PARENT_KIND_MODEL, Id: base.Id, ShareBps: share}}, parents...), nil
}

// checkPlan checks that the states of the training program can be the weights of the result, and that the model could be registered: it
// is, and what was written is dropped.
func (k Keeper) checkPlan(ctx context.Context, j types.Job) error {
	if j.Result == nil {
		return nil
	}
	prog, err := k.models.Interface(ctx, j.Model)
	if err != nil {
		return err
	}
	base, err := k.models.Interface(ctx, j.Result.Base)
	if err != nil {
		return err
	}
	if len(j.Result.Mappings) == 0 || len(j.Result.Mappings) > len(base.Weights) {
		return errorsmod.Wrapf(types.ErrPlan, "result.mappings: %d, %q has %d weights", len(j.Result.Mappings), j.Result.Base, len(base.Weights))
	}
	weights := make(map[string]*graphpb.TensorSpec, len(base.Weights))
	for _, w := range base.Weights {
		weights[w.Name] = w
	}
	states := make(map[string]*graphpb.StateSpec, len(prog.States))
	for _, s := range prog.States {
		states[s.Name] = s
	}
	seen := make(map[string]bool, len(j.Result.Mappings))
	for i, m := range j.Result.Mappings {
		w, s := weights[m.Weight], states[m.State]
		switch {
		case w == nil || s == nil:
			return errorsmod.Wrapf(types.ErrPlan, "result.mappings[%d]: %q has no weight %q, or %q no state %q", i, j.Result.Base, clip(m.Weight), j.Model, clip(m.State))
		case seen[m.Weight]:
			return errorsmod.Wrapf(types.ErrPlan, "result.mappings[%d]: weight %q is there twice", i, m.Weight)
		case w.Dtype != s.Dtype || !slices.Equal(w.Shape, s.Shape):
			return errorsmod.Wrapf(types.ErrPlan, "result.mappings[%d]: weight %q is %s%v, state %q %s%v", i, m.Weight, w.Dtype, w.Shape, m.State, s.Dtype, s.Shape)
		}
		seen[m.Weight] = true
	}
	dry, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	_, err = k.models.RegisterTrained(dry, trained(j, j.Result, make([]byte, commit.Size), ""))
	return errorsmod.Wrap(err, "result")
}

// trained is the registration of a job's result.
func trained(j types.Job, plan *types.Plan, root []byte, cid string) modelstypes.TrainedModel {
	return modelstypes.TrainedModel{
		Base: plan.Base, ID: plan.Id, Owner: j.Owner, Description: plan.Description, WeightsRoot: root, WeightsCID: cid,
		MetadataHash: plan.MetadataHash, RoyaltyBps: plan.RoyaltyBps, Parents: j.Parents,
	}
}

// model reads a model; ErrPlan if there is none.
func (k Keeper) model(ctx context.Context, id string) (modelstypes.Model, error) {
	m, err := k.models.GetModel(ctx, id)
	if errors.Is(err, modelstypes.ErrModelNotFound) {
		return m, errorsmod.Wrapf(types.ErrPlan, "model: %q is unknown", clip(id))
	}
	return m, err
}

func weightNames(p *graphpb.Program) []string {
	names := make([]string, len(p.Weights))
	for i, w := range p.Weights {
		names[i] = w.Name
	}
	return names
}

func stateNames(p *graphpb.Program) []string {
	names := make([]string, len(p.States))
	for i, s := range p.States {
		names[i] = s.Name
	}
	return names
}

// checkRoots holds tensor roots, in the order of names, to the named root over them. ErrRoots.
func checkRoots(ctx context.Context, field string, names []string, roots [][]byte, want []byte) error {
	if len(roots) != len(names) {
		return errorsmod.Wrapf(types.ErrRoots, "%s: %d, want %d", field, len(roots), len(names))
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(gasPerRoot*uint64(len(roots)), "hash tensor roots")
	root, err := namedRoot(field, names, roots)
	if err != nil {
		return err
	}
	if string(root[:]) != string(want) {
		return errorsmod.Wrapf(types.ErrRoots, "%s: they have %s, want %X", field, root, want)
	}
	return nil
}

func namedRoot(field string, names []string, roots [][]byte) (commit.Hash, error) {
	entries := make([]commit.Named, len(names))
	for i, name := range names {
		root, err := commit.HashFromBytes(roots[i])
		if err != nil {
			return commit.Hash{}, errorsmod.Wrapf(types.ErrRoots, "%s[%d]: %s", field, i, err)
		}
		entries[i] = commit.Named{Name: name, Root: root}
	}
	return commit.NamedRoot(entries), nil
}
