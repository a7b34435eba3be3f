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
	"poaid/x/grades/types"
)

// Keeper owns contests, entries, seats, bonds and results of rounds.
type Keeper struct {
	account   types.AccountKeeper
	bank      types.BankKeeper
	community types.CommunityPool
	beacon    types.BeaconKeeper
	poai      types.PoaiKeeper
	authority string

	Schema   collections.Schema
	Params   collections.Item[types.Params]
	Number   collections.Sequence
	Contests collections.Map[uint64, types.Contest]
	// Names gives the number of a contest.
	Names   collections.Map[string, uint64]
	Entries collections.Map[SlotKey, types.Entry]
	// EntryOf gives the slot of an owner's entry.
	EntryOf collections.Map[MemberKey, uint64]
	Seats   collections.Map[MemberKey, types.Seat]
	Bonds   collections.Map[MemberKey, types.Bonds]
	Rounds  collections.Map[SlotKey, types.RoundResult]
	// Due holds (height, contest) of the transition that is due, one a contest.
	Due collections.KeySet[collections.Pair[int64, uint64]]
}

// SlotKey is (contest, slot) or (contest, round).
type SlotKey = collections.Pair[uint64, uint64]

// MemberKey is (contest, address).
type MemberKey = collections.Pair[uint64, string]

// NewKeeper builds the keeper. The module account needs permission to burn.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, account types.AccountKeeper, bank types.BankKeeper, community types.CommunityPool,
	beacon types.BeaconKeeper, poai types.PoaiKeeper, authority string,
) Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	slotKey := collections.NamedPairKeyCodec("contest", collections.Uint64Key, "index", collections.Uint64Key)
	memberKey := collections.NamedPairKeyCodec("contest", collections.Uint64Key, "address", collections.StringKey)
	k := Keeper{
		account: account, bank: bank, community: community, beacon: beacon, poai: poai, authority: authority,

		Params:   collections.NewItem(sb, types.ParamsKey, "params", codec.CollValue[types.Params](cdc)),
		Number:   collections.NewSequence(sb, types.NumberKey, "number"),
		Contests: collections.NewMap(sb, types.ContestsKey, "contests", collections.Uint64Key, codec.CollValue[types.Contest](cdc)),
		Names:    collections.NewMap(sb, types.ContestNameKey, "names", collections.StringKey, collections.Uint64Value),
		Entries:  collections.NewMap(sb, types.EntriesKey, "entries", slotKey, codec.CollValue[types.Entry](cdc)),
		EntryOf:  collections.NewMap(sb, types.EntryOfKey, "entry_of", memberKey, collections.Uint64Value),
		Seats:    collections.NewMap(sb, types.SeatsKey, "seats", memberKey, codec.CollValue[types.Seat](cdc)),
		Bonds:    collections.NewMap(sb, types.BondsKey, "bonds", memberKey, codec.CollValue[types.Bonds](cdc)),
		Rounds:   collections.NewMap(sb, types.RoundsKey, "rounds", slotKey, codec.CollValue[types.RoundResult](cdc)),
		Due: collections.NewKeySet(sb, types.DueKey, "due",
			collections.NamedPairKeyCodec("height", collections.Int64Key, "contest", collections.Uint64Key)),
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

// contest reads a contest by its id; ErrNotFound when there is none.
func (k Keeper) contest(ctx context.Context, id string) (types.Contest, error) {
	number, err := k.Names.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Contest{}, errorsmod.Wrapf(types.ErrNotFound, "contest: %.40q is unknown", id)
	}
	if err != nil {
		return types.Contest{}, err
	}
	return k.Contests.Get(ctx, number)
}

// payable reads an address, and refuses one that coins cannot be sent to.
func (k Keeper) payable(field, text string) (sdk.AccAddress, string, error) {
	addr, name, err := k.address(field, text)
	if err == nil && k.bank.BlockedAddr(addr) {
		err = errorsmod.Wrapf(types.ErrAddress, "%s: %s cannot be paid", field, name)
	}
	return addr, name, err
}

// address gives an address and its canonical text.
func (k Keeper) address(field, text string) (sdk.AccAddress, string, error) {
	addr, err := k.account.AddressCodec().StringToBytes(text)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	name, err := k.account.AddressCodec().BytesToString(addr)
	if err != nil {
		return nil, "", errorsmod.Wrapf(types.ErrAddress, "%s: %s", field, err)
	}
	return addr, name, nil
}

// burnFee burns a fee of an account's. Unlike what is to be kept it is taken at once: burning needs the coins in this block.
func (k Keeper) burnFee(ctx context.Context, from sdk.AccAddress, denom string, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, from, types.ModuleName, coins(denom, amount)); err != nil {
		return err
	}
	return k.bank.BurnCoins(ctx, types.ModuleName, coins(denom, amount))
}

func coins(denom string, amount math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(denom, amount)) }

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }

func emit(ctx context.Context, event proto.Message) error { return events.Emit(ctx, event) }
