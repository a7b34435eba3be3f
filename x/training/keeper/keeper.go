package keeper

import (
	"context"
	"errors"
	"math"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/internal/events"
	"poaid/x/training/types"
)

// Keeper owns jobs, where they stand, their checkpoints, and recipes.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	models    types.ModelsKeeper
	tasks     types.TasksKeeper
	datasets  types.DatasetsKeeper
	authority string

	Schema   collections.Schema
	Params   collections.Item[types.Params]
	Jobs     collections.Map[uint64, types.Job]
	Progress collections.Map[uint64, types.Progress]
	// Checkpoints by job and step.
	Checkpoints collections.Map[stepKey, types.Checkpoint]
	ByOwner     collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	// ByTask tells whose segment a task is: of those that run, and of those that led to a checkpoint.
	ByTask collections.Map[uint64, uint64]
	// Due holds (height, job) of every job that EndBlock has to work on. Entries are never deleted early: one whose height is not the job's due
	// is stale.
	Due            collections.KeySet[dueKey]
	Recipes        collections.Map[string, types.Recipe]
	RecipeProgress collections.Map[string, types.RecipeProgress]
}

type (
	stepKey = collections.Pair[uint64, uint64]
	dueKey  = collections.Pair[int64, uint64]
)

// NewKeeper builds the keeper. authority may change params and recipes.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, account types.AccountKeeper, bank types.BankKeeper, models types.ModelsKeeper,
	tasks types.TasksKeeper, datasets types.DatasetsKeeper, authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := Keeper{
		account: account, bank: bank, models: models, tasks: tasks, datasets: datasets, authority: authority,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Jobs:     collections.NewMap(sb, types.JobsKey, "jobs", collections.Uint64Key, codec.CollValue[types.Job](cdc)),
		Progress: collections.NewMap(sb, types.ProgressKey, "progress", collections.Uint64Key, codec.CollValue[types.Progress](cdc)),
		Checkpoints: collections.NewMap(sb, types.CheckpointsKey, "checkpoints",
			collections.NamedPairKeyCodec("job", collections.Uint64Key, "step", collections.Uint64Key), codec.CollValue[types.Checkpoint](cdc)),
		ByOwner: collections.NewKeySet(sb, types.ByOwnerKey, "by_owner",
			collections.NamedPairKeyCodec("owner", sdk.AccAddressKey, "job", collections.Uint64Key)),
		ByTask:  collections.NewMap(sb, types.ByTaskKey, "by_task", collections.Uint64Key, collections.Uint64Value),
		Due:     collections.NewKeySet(sb, types.DueKey, "due", collections.NamedPairKeyCodec("height", collections.Int64Key, "job", collections.Uint64Key)),
		Recipes: collections.NewMap(sb, types.RecipesKey, "recipes", collections.StringKey, codec.CollValue[types.Recipe](cdc)),
		RecipeProgress: collections.NewMap(sb, types.RecipeProgressKey, "recipe_progress", collections.StringKey,
			codec.CollValue[types.RecipeProgress](cdc)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority is the address that may change params and recipes.
func (k Keeper) Authority() string { return k.authority }

// Bits of a job's id: height << 24 | index of the transaction << 8 | n, as ids of tasks.
const (
	idTxShift     = 8
	idHeightShift = 24
	maxIDHeight   = math.MaxUint64 >> idHeightShift
	maxIDTx       = 1<<(idHeightShift-idTxShift) - 1
	maxIDN        = 1<<idTxShift - 1
)

// nextID is the id of the job that this message creates. No counter of the chain is read, so transactions stay independent.
func (k Keeper) nextID(ctx context.Context) (uint64, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	// Both indexes are -1 outside a transaction.
	height, tx, first := sdkCtx.BlockHeight(), max(sdkCtx.TxIndex(), 0), max(sdkCtx.MsgIndex(), 0)
	if height < 0 || uint64(height) > maxIDHeight || tx > maxIDTx {
		return 0, errorsmod.Wrapf(types.ErrTooManyJobs, "transaction: index %d at height %d, limits %d and %d", tx, height, maxIDTx, uint64(maxIDHeight))
	}
	base := uint64(height)<<idHeightShift | uint64(tx)<<idTxShift
	for n := first; n <= maxIDN; n++ {
		id := base | uint64(n)
		taken, err := k.Jobs.Has(ctx, id)
		if err != nil {
			return 0, err
		}
		if !taken && id != 0 {
			return id, nil
		}
	}
	return 0, errorsmod.Wrapf(types.ErrTooManyJobs, "message: more than %d jobs in one transaction", maxIDN+1)
}

// job reads a job and where it stands; ErrUnknownJob if there is none.
func (k Keeper) job(ctx context.Context, id uint64) (types.Job, types.Progress, error) {
	j, err := k.Jobs.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return j, types.Progress{}, errorsmod.Wrapf(types.ErrUnknownJob, "job_id: %d", id)
	}
	if err != nil {
		return j, types.Progress{}, err
	}
	p, err := k.Progress.Get(ctx, id)
	return j, p, err
}

// owned reads a job of owner. ErrNotOwner for anybody else's.
func (k Keeper) owned(ctx context.Context, owner string, id uint64) (types.Job, types.Progress, error) {
	_, address, err := k.address("owner", owner)
	if err != nil {
		return types.Job{}, types.Progress{}, err
	}
	j, p, err := k.job(ctx, id)
	if err == nil && j.Owner != address {
		err = errorsmod.Wrapf(types.ErrNotOwner, "owner: job %d is not of %s", id, address)
	}
	return j, p, err
}

// enter moves a job to a state and has EndBlock work on it at a height; 0: it need not.
func (k Keeper) enter(ctx context.Context, j types.Job, p *types.Progress, state types.State, due int64, why string) error {
	p.State, p.Reason = state, why
	if err := k.schedule(ctx, j, p, due); err != nil {
		return err
	}
	return emit(ctx, &types.EventJobState{JobId: j.Id, State: state, Step: p.Step, Reason: why})
}

// schedule stores where a job stands and queues it.
func (k Keeper) schedule(ctx context.Context, j types.Job, p *types.Progress, due int64) error {
	p.Due = due
	if err := k.Progress.Set(ctx, j.Id, *p); err != nil {
		return err
	}
	if due == 0 {
		return nil
	}
	return k.Due.Set(ctx, collections.Join(due, j.Id))
}

// address reads an address of a message; it returns it in canonical form too.
func (k Keeper) address(field, s string) (sdk.AccAddress, string, error) {
	codec := k.account.AddressCodec()
	addr, err := codec.StringToBytes(s)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	canonical, err := codec.BytesToString(addr)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	return addr, canonical, nil
}

// requester stands as the submitter of segments.
func (k Keeper) requester() (string, error) {
	return k.account.AddressCodec().BytesToString(k.account.GetModuleAddress(types.ModuleName))
}

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }

func emit(ctx context.Context, event proto.Message) error { return events.Emit(ctx, event) }

// maxReason bounds the text of an error that is kept.
const maxReason = 256

func clip(s string) string { return s[:min(len(s), maxReason)] }
