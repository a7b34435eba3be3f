package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// Keeper owns tasks, inputs, statuses, results, payments and the due-queue.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	community types.CommunityPool
	beacon    types.BeaconKeeper
	models    types.ModelsKeeper
	poai      types.PoaiKeeper
	authority string
	// disputes is shared by all copies of the keeper.
	disputes *types.DisputeHooks
	// openers are the modules that open tasks, by address; shared likewise.
	openers map[string]opener
	// lineage takes royalties; shared likewise. Nil: owners are paid at once.
	lineage *types.LineageKeeper
	// auctions keep bids; shared likewise.
	auctions *types.AuctionKeeper

	Schema   collections.Schema
	Params   collections.Item[types.Params]
	Tasks    collections.Map[uint64, types.Task]
	Statuses collections.Map[uint64, types.Status]
	Inputs   collections.Map[uint64, types.Inputs]
	Results  collections.Map[uint64, types.Result]
	Payments collections.Map[uint64, types.Payment]
	// Seen tells which task first ran a model on an input root for score.
	Seen collections.Map[collections.Pair[string, []byte], uint64]
	// Due holds (height, task) of every transition that time causes. Entries are never deleted early.
	Due dueQueue
	// Retry holds those that were put off. It has a quota of its own, so that waiting tasks cannot delay deadlines.
	Retry dueQueue
	// BySubmitter and ByWorker index tasks; ByWorker holds unfinished ones only.
	BySubmitter collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	ByWorker    collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	// Runners holds (task, index) of who sealed a result of a race after its worker, until the task is pruned.
	Runners collections.Map[collections.Pair[uint64, uint32], types.Runner]
	// Open holds (model, task) of races that take seals and auctions that take bids or reveals.
	Open collections.KeySet[collections.Pair[string, uint64]]
	// Jackpot is what forced errors are paid from, by denom; without entries of zero.
	Jackpot collections.Map[string, math.Int]
	// AuditPot is what members of committees are paid from, likewise.
	AuditPot collections.Map[string, math.Int]
	// Price is where the price floor stands; nothing while it is at unit_price and nobody asks for units.
	Price collections.Item[types.Price]
	// Receipts of FINAL tasks, for ever.
	Receipts collections.Map[uint64, types.Receipt]
}

// dueQueue is keyed by height and task.
type dueQueue = collections.KeySet[collections.Pair[int64, uint64]]

// NewKeeper builds the keeper. The module account needs permission to burn.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService,
	account types.AccountKeeper, bank types.BankKeeper, community types.CommunityPool,
	beacon types.BeaconKeeper, models types.ModelsKeeper, poai types.PoaiKeeper, authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	dueKey := collections.NamedPairKeyCodec("height", collections.Int64Key, "task_id", collections.Uint64Key)
	ownerKey := collections.NamedPairKeyCodec("address", sdk.AccAddressKey, "task_id", collections.Uint64Key)
	k := Keeper{
		account: account, bank: bank, community: community, beacon: beacon, models: models, poai: poai, authority: authority,
		disputes: new(types.DisputeHooks), openers: make(map[string]opener), auctions: new(types.AuctionKeeper), lineage: new(types.LineageKeeper),

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Tasks:    collections.NewMap(sb, types.TasksKey, "tasks", collections.Uint64Key, codec.CollValue[types.Task](cdc)),
		Statuses: collections.NewMap(sb, types.StatusesKey, "statuses", collections.Uint64Key, codec.CollValue[types.Status](cdc)),
		Inputs:   collections.NewMap(sb, types.InputsKey, "inputs", collections.Uint64Key, codec.CollValue[types.Inputs](cdc)),
		Results:  collections.NewMap(sb, types.ResultsKey, "results", collections.Uint64Key, codec.CollValue[types.Result](cdc)),
		Payments: collections.NewMap(sb, types.PaymentsKey, "payments", collections.Uint64Key, codec.CollValue[types.Payment](cdc)),
		Seen: collections.NewMap(sb, types.SeenKey, "seen",
			collections.NamedPairKeyCodec("model", collections.StringKey, "input_root", collections.BytesKey), collections.Uint64Value),
		Due:         collections.NewKeySet(sb, types.DueKey, "due", dueKey),
		Retry:       collections.NewKeySet(sb, types.RetryKey, "retry", dueKey),
		BySubmitter: collections.NewKeySet(sb, types.BySubmitterKey, "by_submitter", ownerKey),
		ByWorker:    collections.NewKeySet(sb, types.ByWorkerKey, "by_worker", ownerKey),
		Runners: collections.NewMap(sb, types.RunnersKey, "runners",
			collections.NamedPairKeyCodec("task_id", collections.Uint64Key, "index", collections.Uint32Key), codec.CollValue[types.Runner](cdc)),
		Open: collections.NewKeySet(sb, types.OpenKey, "open",
			collections.NamedPairKeyCodec("model", collections.StringKey, "task_id", collections.Uint64Key)),
		Jackpot:  collections.NewMap(sb, types.JackpotKey, "jackpot", collections.StringKey, sdk.IntValue),
		AuditPot: collections.NewMap(sb, types.AuditPotKey, "audit_pot", collections.StringKey, sdk.IntValue),
		Price:    collections.NewItem(sb, types.PriceKey, "price", codec.CollValue[types.Price](cdc)),
		Receipts: collections.NewMap(sb, types.ReceiptsKey, "receipts", collections.Uint64Key, codec.CollValue[types.Receipt](cdc)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority is the address that may change params.
func (k Keeper) Authority() string { return k.authority }

// SetDisputeHooks connects what argues over results; once, before the first block.
func (k Keeper) SetDisputeHooks(h types.DisputeHooks) { *k.disputes = h }

// SetLineage connects what takes the royalties of models with parents; once, before the first block.
func (k Keeper) SetLineage(l types.LineageKeeper) { *k.lineage = l }

// SetAuctions connects what keeps bids; once, before the first block.
func (k Keeper) SetAuctions(a types.AuctionKeeper) { *k.auctions = a }

// GetTask returns a task and where it stands; an error that is collections.ErrNotFound when unknown.
func (k Keeper) GetTask(ctx context.Context, id uint64) (types.Task, types.Status, error) {
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return task, types.Status{}, err
	}
	st, err := k.Statuses.Get(ctx, id)
	return task, st, err
}

// GetInputs returns the inputs given with a task, without those left to their default; collections.ErrNotFound once pruned.
func (k Keeper) GetInputs(ctx context.Context, id uint64) (types.Inputs, error) {
	return k.Inputs.Get(ctx, id)
}

// GetCommitteeParties returns the members of the task's committee, in seat order, whatever the state of their seat, and then the runners of a race.
func (k Keeper) GetCommitteeParties(ctx context.Context, id uint64) ([]string, error) {
	st, err := k.Statuses.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	seats, err := k.seats(ctx, st, id)
	if err != nil {
		return nil, err
	}
	members := make([]string, len(seats))
	for i, s := range seats {
		members[i] = s.Participant
	}
	runners, err := k.runners(ctx, st, id)
	return append(members, addresses(runners)...), err
}
