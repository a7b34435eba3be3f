package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// Keeper owns tasks, inputs, statuses, results, payments, claims and the due-queue.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	beacon    types.BeaconKeeper
	models    types.ModelsKeeper
	poai      types.PoaiKeeper
	authority string

	Schema   collections.Schema
	Params   collections.Item[types.Params]
	Tasks    collections.Map[uint64, types.Task]
	Statuses collections.Map[uint64, types.Status]
	Inputs   collections.Map[uint64, types.Inputs]
	Results  collections.Map[uint64, types.Result]
	Payments collections.Map[uint64, types.Payment]
	// Claims are keyed by task and challenger.
	Claims collections.Map[collections.Pair[uint64, sdk.AccAddress], types.Claim]
	// Seen tells which task first ran a model on an input root for score.
	Seen collections.Map[collections.Pair[string, []byte], uint64]
	// Due holds (height, task) of every transition that time causes. Entries are never deleted early.
	Due dueQueue
	// Retry holds those that were put off. It has a quota of its own, so that waiting tasks cannot delay deadlines.
	Retry dueQueue
	// BySubmitter and ByWorker index tasks; ByWorker holds unfinished ones only.
	BySubmitter collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	ByWorker    collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
}

// dueQueue is keyed by height and task.
type dueQueue = collections.KeySet[collections.Pair[int64, uint64]]

// NewKeeper builds the keeper. The module account needs permission to burn.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService,
	account types.AccountKeeper, bank types.BankKeeper, beacon types.BeaconKeeper, models types.ModelsKeeper, poai types.PoaiKeeper,
	authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	dueKey := collections.NamedPairKeyCodec("height", collections.Int64Key, "task_id", collections.Uint64Key)
	ownerKey := collections.NamedPairKeyCodec("address", sdk.AccAddressKey, "task_id", collections.Uint64Key)
	k := Keeper{
		account: account, bank: bank, beacon: beacon, models: models, poai: poai, authority: authority,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Tasks:    collections.NewMap(sb, types.TasksKey, "tasks", collections.Uint64Key, codec.CollValue[types.Task](cdc)),
		Statuses: collections.NewMap(sb, types.StatusesKey, "statuses", collections.Uint64Key, codec.CollValue[types.Status](cdc)),
		Inputs:   collections.NewMap(sb, types.InputsKey, "inputs", collections.Uint64Key, codec.CollValue[types.Inputs](cdc)),
		Results:  collections.NewMap(sb, types.ResultsKey, "results", collections.Uint64Key, codec.CollValue[types.Result](cdc)),
		Payments: collections.NewMap(sb, types.PaymentsKey, "payments", collections.Uint64Key, codec.CollValue[types.Payment](cdc)),
		Claims: collections.NewMap(sb, types.ClaimsKey, "claims",
			collections.NamedPairKeyCodec("task_id", collections.Uint64Key, "challenger", sdk.AccAddressKey), codec.CollValue[types.Claim](cdc)),
		Seen: collections.NewMap(sb, types.SeenKey, "seen",
			collections.NamedPairKeyCodec("model", collections.StringKey, "input_root", collections.BytesKey), collections.Uint64Value),
		Due:         collections.NewKeySet(sb, types.DueKey, "due", dueKey),
		Retry:       collections.NewKeySet(sb, types.RetryKey, "retry", dueKey),
		BySubmitter: collections.NewKeySet(sb, types.BySubmitterKey, "by_submitter", ownerKey),
		ByWorker:    collections.NewKeySet(sb, types.ByWorkerKey, "by_worker", ownerKey),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority is the address that may change params and resolve disputes.
func (k Keeper) Authority() string { return k.authority }
