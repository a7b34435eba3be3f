package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/internal/events"
	"poaid/x/disputes/types"
)

// Keys of more than one part.
type (
	caseKey   = collections.Pair[uint64, uint32]           // task, attempt
	claimKey  = collections.Triple[uint64, uint32, uint32] // task, attempt, order
	rootKey   = collections.Triple[uint64, uint32, []byte] // task, attempt, root
	livingKey = collections.Quad[uint64, uint32, uint32, uint32]
	itemKey   = collections.Pair[uint64, uint32] // task, index of a game or demand
	pairKey   = collections.Triple[uint64, uint32, uint32]
	tickKey   = collections.Triple[uint64, uint64, uint32] // tick, task, index
	dueKey    = collections.Triple[int64, uint64, uint32]  // height, task, attempt or index
	playerKey = collections.Triple[string, uint64, uint32]
	pruneKey  = collections.Pair[int64, uint64]
)

// plainKey is a key for maps in memory: those of collections hold pointers, and are never equal.
type plainKey struct {
	task           uint64
	attempt, order uint32
}

// Keeper owns cases, claims, games, demands, quarantines and the clock of games.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	tasks     types.TasksKeeper
	models    types.ModelsKeeper
	poai      types.PoaiKeeper
	authority string

	Schema collections.Schema
	Params collections.Item[types.Params]
	// Tick is the clock of all games: blocks in which the lane for moves was not full.
	Tick collections.Item[uint64]
	// LaneFull tells that this block's lane is full, so that its end is no tick.
	LaneFull collections.Item[bool]
	Cases    collections.Map[caseKey, types.Case]
	// OpenCases are those that are not closed.
	OpenCases collections.KeySet[caseKey]
	Claims    collections.Map[claimKey, types.Claim]
	// ByParticipant finds the order of a participant's claim.
	ByParticipant collections.Map[playerKey, uint32]
	// RootOf finds a root's number, the order of its first claim; also of one that fell.
	RootOf collections.Map[rootKey, uint32]
	// Roots holds (task, attempt, number) of roots with a living claim.
	Roots collections.Map[claimKey, types.Root]
	// Living holds (task, attempt, number of the root, order) of claims that are neither beaten nor settled.
	Living collections.KeySet[livingKey]
	Games  collections.Map[itemKey, types.Game]
	// GameCounts and DemandCounts are the indexes used so far.
	GameCounts collections.Map[uint64, uint32]
	// Playing holds (player, task, index) of running games, Pairs finds them by (task, challenger's order, defender's order).
	Playing collections.KeySet[playerKey]
	Pairs   collections.Map[pairKey, uint32]
	// DueGames holds (due, task, index) of every running game, DueCases (due, task, attempt) of cases that EndBlock looks at.
	DueGames collections.KeySet[tickKey]
	DueCases collections.KeySet[dueKey]
	Demands  collections.Map[itemKey, types.Demand]
	// OpenDemands are not answered yet; DueDemands holds (height, task, index) of when they are looked at.
	OpenDemands  collections.KeySet[itemKey]
	DueDemands   collections.KeySet[dueKey]
	DemandCounts collections.Map[uint64, uint32]
	Quarantines  collections.Map[string, types.Quarantine]
	// Pruning holds (height, task) of what is dropped, a bounded number of records a block.
	Pruning collections.KeySet[pruneKey]
}

// NewKeeper builds the keeper. The module account needs permission to burn.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService,
	account types.AccountKeeper, bank types.BankKeeper, tasks types.TasksKeeper, models types.ModelsKeeper, poai types.PoaiKeeper,
	authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	u32, u64, i64 := collections.Uint32Key, collections.Uint64Key, collections.Int64Key
	item := collections.NamedPairKeyCodec("task_id", u64, "index", u32)
	claim := collections.NamedTripleKeyCodec("task_id", u64, "attempt", u32, "order", u32)
	player := collections.NamedTripleKeyCodec("participant", collections.StringKey, "task_id", u64, "index", u32)
	due := collections.NamedTripleKeyCodec("height", i64, "task_id", u64, "index", u32)
	k := Keeper{
		account: account, bank: bank, tasks: tasks, models: models, poai: poai, authority: authority,

		Params:        collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Tick:          collections.NewItem(sb, types.TickKey, "tick", collections.Uint64Value),
		LaneFull:      collections.NewItem(sb, types.LaneFullKey, "lane_full", collections.BoolValue),
		Cases:         collections.NewMap(sb, types.CasesKey, "cases", collections.NamedPairKeyCodec("task_id", u64, "attempt", u32), codec.CollValue[types.Case](cdc)),
		OpenCases:     collections.NewKeySet(sb, types.OpenCasesKey, "open_cases", collections.NamedPairKeyCodec("task_id", u64, "attempt", u32)),
		Claims:        collections.NewMap(sb, types.ClaimsKey, "claims", claim, codec.CollValue[types.Claim](cdc)),
		ByParticipant: collections.NewMap(sb, types.ByParticipantKey, "by_participant", player, collections.Uint32Value),
		RootOf: collections.NewMap(sb, types.RootOfKey, "root_of",
			collections.NamedTripleKeyCodec("task_id", u64, "attempt", u32, "root", collections.BytesKey), collections.Uint32Value),
		Roots: collections.NewMap(sb, types.RootsKey, "roots", claim, codec.CollValue[types.Root](cdc)),
		Living: collections.NewKeySet(sb, types.LivingKey, "living",
			collections.NamedQuadKeyCodec("task_id", u64, "attempt", u32, "root", u32, "order", u32)),
		Games:      collections.NewMap(sb, types.GamesKey, "games", item, codec.CollValue[types.Game](cdc)),
		GameCounts: collections.NewMap(sb, types.GameCountsKey, "game_counts", u64, collections.Uint32Value),
		Playing:    collections.NewKeySet(sb, types.PlayingKey, "playing", player),
		Pairs: collections.NewMap(sb, types.PairsKey, "pairs",
			collections.NamedTripleKeyCodec("task_id", u64, "challenger", u32, "defender", u32), collections.Uint32Value),
		DueGames:     collections.NewKeySet(sb, types.DueGamesKey, "due_games", collections.NamedTripleKeyCodec("tick", u64, "task_id", u64, "index", u32)),
		DueCases:     collections.NewKeySet(sb, types.DueCasesKey, "due_cases", due),
		Demands:      collections.NewMap(sb, types.DemandsKey, "demands", item, codec.CollValue[types.Demand](cdc)),
		OpenDemands:  collections.NewKeySet(sb, types.OpenDemandsKey, "open_demands", item),
		DueDemands:   collections.NewKeySet(sb, types.DueDemandsKey, "due_demands", due),
		DemandCounts: collections.NewMap(sb, types.DemandCountsKey, "demand_counts", u64, collections.Uint32Value),
		Quarantines:  collections.NewMap(sb, types.QuarantinesKey, "quarantines", collections.StringKey, codec.CollValue[types.Quarantine](cdc)),
		Pruning:      collections.NewKeySet(sb, types.PruningKey, "pruning", collections.NamedPairKeyCodec("height", i64, "task_id", u64)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.Schema = schema
	return k
}

// Authority is the address that decides suspected cases and may change params.
func (k Keeper) Authority() string { return k.authority }

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }

func emit(ctx context.Context, event proto.Message) error { return events.Emit(ctx, event) }

// address reads an address and returns its canonical text. ErrAddress names the field.
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

// notFound names what there is not in place of collections.ErrNotFound; other failures pass.
func notFound(err, sentinel error, format string, args ...any) error {
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(sentinel, format, args...)
	}
	return err
}

// optional gives the zero value in place of collections.ErrNotFound.
func optional[T any](v T, err error) (T, error) {
	if errors.Is(err, collections.ErrNotFound) {
		var zero T
		return zero, nil
	}
	return v, err
}

// next counts up a number per task, from 1.
func next(ctx context.Context, counts collections.Map[uint64, uint32], task uint64) (uint32, error) {
	n, err := optional(counts.Get(ctx, task))
	if err != nil {
		return 0, err
	}
	return n + 1, counts.Set(ctx, task, n+1)
}

// coins of what bonds are in: stakes and fees are, whatever a task is paid in. Whoever has a bond has them, so nobody is safe from challenges by paying in
// a coin that nobody else has.
func (k Keeper) coins(ctx context.Context, amount math.Int) (sdk.Coins, error) {
	denom, err := k.poai.BondDenom(ctx)
	if err != nil {
		return nil, err
	}
	return sdk.NewCoins(sdk.NewCoin(denom, amount)), nil
}

// take takes coins from an account into the module's.
func (k Keeper) take(ctx context.Context, from sdk.AccAddress, amount math.Int) error {
	coins, err := k.coins(ctx, amount)
	if err != nil {
		return err
	}
	return k.bank.SendCoinsFromAccountToModule(ctx, from, types.ModuleName, coins)
}

// pay pays coins of the module's account; what the recipient may not receive is burnt, so that nobody can hold up a game.
func (k Keeper) pay(ctx context.Context, to string, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	addr, _, err := k.address("recipient", to)
	if err != nil {
		return err
	}
	coins, err := k.coins(ctx, amount)
	if err != nil {
		return err
	}
	if k.bank.BlockedAddr(addr) {
		return k.bank.BurnCoins(ctx, types.ModuleName, coins)
	}
	return k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, coins)
}

func (k Keeper) burn(ctx context.Context, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	coins, err := k.coins(ctx, amount)
	if err != nil {
		return err
	}
	return k.bank.BurnCoins(ctx, types.ModuleName, coins)
}
