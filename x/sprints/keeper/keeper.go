package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/x/sprints/types"
)

// Keeper owns seasons, windows, commits and audits.
type Keeper struct {
	account   types.AccountKeeper
	beacon    types.BeaconKeeper
	models    types.ModelsKeeper
	tasks     types.TasksKeeper
	poai      types.PoaiKeeper
	authority string

	Schema collections.Schema
	Params collections.Item[types.Params]
	Season collections.Item[types.Season]
	// LastWindow is the number of the window that was opened last. Only that one may be unsettled.
	LastWindow collections.Item[uint64]
	Windows    collections.Map[uint64, types.Window]
	Commits    collections.Map[CommitKey, types.Commit]
	// Audits by task; AuditsOf by participant; DueOpenings by deadline, of those not opened.
	Audits      collections.Map[uint64, types.Audit]
	AuditsOf    collections.KeySet[collections.Pair[string, uint64]]
	DueOpenings collections.KeySet[collections.Pair[int64, uint64]]
	// Seeded are the models of seasons, by epoch, oldest first.
	Seeded collections.Map[uint64, types.Seeded]
	// Proven tells in which window a participant's capacity was proven last.
	Proven collections.Map[string, uint64]
}

// CommitKey is (window, participant).
type CommitKey = collections.Pair[uint64, string]

// NewKeeper builds the keeper. authority may change params.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, account types.AccountKeeper, beacon types.BeaconKeeper, models types.ModelsKeeper,
	tasks types.TasksKeeper, poai types.PoaiKeeper, authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := Keeper{
		account: account, beacon: beacon, models: models, tasks: tasks, poai: poai, authority: authority,

		Params:     collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Season:     collections.NewItem(sb, types.SeasonKey, "season", codec.CollValue[types.Season](cdc)),
		LastWindow: collections.NewItem(sb, types.LastWindowKey, "last_window", collections.Uint64Value),
		Windows:    collections.NewMap(sb, types.WindowsKey, "windows", collections.Uint64Key, codec.CollValue[types.Window](cdc)),
		Commits: collections.NewMap(sb, types.CommitsKey, "commits",
			collections.NamedPairKeyCodec("window", collections.Uint64Key, "participant", collections.StringKey), codec.CollValue[types.Commit](cdc)),
		Audits: collections.NewMap(sb, types.AuditsKey, "audits", collections.Uint64Key, codec.CollValue[types.Audit](cdc)),
		AuditsOf: collections.NewKeySet(sb, types.AuditsOfKey, "audits_of",
			collections.NamedPairKeyCodec("participant", collections.StringKey, "task", collections.Uint64Key)),
		DueOpenings: collections.NewKeySet(sb, types.DueOpeningsKey, "due_openings",
			collections.NamedPairKeyCodec("deadline", collections.Int64Key, "task", collections.Uint64Key)),
		Seeded: collections.NewMap(sb, types.SeededKey, "seeded", collections.Uint64Key, codec.CollValue[types.Seeded](cdc)),
		Proven: collections.NewMap(sb, types.ProvenKey, "proven", collections.StringKey, collections.Uint64Value),
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

// requester stands as the submitter of audits.
func requester() string { return authtypes.NewModuleAddress(types.ModuleName).String() }

// address gives the canonical text of an address.
func (k Keeper) address(field, text string) (string, error) {
	addr, err := k.account.AddressCodec().StringToBytes(text)
	if err != nil {
		return "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	name, err := k.account.AddressCodec().BytesToString(addr)
	if err != nil {
		return "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	return name, nil
}

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }
