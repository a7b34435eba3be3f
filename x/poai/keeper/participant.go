package keeper

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// Limits of a participant's description, in bytes.
const (
	maxMoniker  = 70
	maxEndpoint = 200
)

// GetParticipant returns a participant; collections.ErrNotFound when unknown.
func (k *Keeper) GetParticipant(ctx context.Context, address string) (types.Participant, error) {
	return k.Participants.Get(ctx, address)
}

// participant returns a participant for a message; ErrUnknownParticipant when unknown.
func (k *Keeper) participant(ctx context.Context, address string) (types.Participant, error) {
	p, err := k.Participants.Get(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		return p, errorsmod.Wrapf(types.ErrUnknownParticipant, "participant %s has not joined", address)
	}
	return p, err
}

// accountOf reads an address. Only the canonical spelling is taken: bech32 allows two, and two would be two records of one key.
func (k *Keeper) accountOf(address string) (sdk.AccAddress, error) {
	codec := k.accounts.AddressCodec()
	bz, err := codec.StringToBytes(address)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "participant %q: %s", address, err)
	}
	canonical, err := codec.BytesToString(bz)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "participant %q: %s", address, err)
	}
	if canonical != address {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "participant %q: must be written %q", address, canonical)
	}
	return bz, nil
}

// join creates a participant. An address joins once ever: records are never deleted, so leaving and joining clears nothing.
func (k *Keeper) join(ctx context.Context, msg *types.MsgJoin) error {
	account, err := k.accountOf(msg.Participant)
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	has, err := k.Participants.Has(ctx, msg.Participant)
	if err != nil {
		return err
	}
	if has {
		return errorsmod.Wrapf(types.ErrAlreadyJoined, "participant %s", msg.Participant)
	}
	if err := checkDescription(msg.Moniker, msg.Endpoint, msg.Concurrency, params); err != nil {
		return err
	}
	if err := types.CheckDeclaration(msg.MemoryMib, msg.Tags); err != nil {
		return err
	}
	if err := checkCoin("bond", msg.Bond, params); err != nil {
		return err
	}
	if msg.Bond.Amount.LT(params.MinBond) {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %s: min_bond is %s%s", msg.Bond, params.MinBond, params.BondDenom)
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, account, types.ModuleName, sdk.NewCoins(msg.Bond)); err != nil {
		return err
	}
	p := types.Participant{
		Address: msg.Participant, Moniker: msg.Moniker, Endpoint: msg.Endpoint, Concurrency: msg.Concurrency,
		Bond: math.ZeroInt(), Locked: math.ZeroInt(), Unbonding: math.ZeroInt(), Delegated: math.ZeroInt(),
		ReliabilityPpm: params.ReliabilityStartPpm, WeighedReliabilityPpm: params.ReliabilityStartPpm, JoinedHeight: sdk.UnwrapSDKContext(ctx).BlockHeight(),
		MemoryMib: msg.MemoryMib, Tags: msg.Tags,
	}
	if err := k.moveBond(ctx, &p, msg.Bond.Amount); err != nil {
		return err
	}
	if len(msg.Models) > 0 {
		if err := k.serve(ctx, &p, msg.Models, params); err != nil {
			return err
		}
	}
	return k.Participants.Set(ctx, p.Address, p)
}

func checkCoin(field string, coin sdk.Coin, params types.Params) error {
	if coin.Denom != params.BondDenom {
		return errorsmod.Wrapf(types.ErrInvalidCoin, "%s: denom %q, must be %q", field, coin.Denom, params.BondDenom)
	}
	if coin.Amount.IsNil() || !coin.Amount.IsPositive() {
		return errorsmod.Wrapf(types.ErrInvalidCoin, "%s: must be positive", field)
	}
	return nil
}

func checkDescription(moniker, endpoint string, concurrency uint32, params types.Params) error {
	if len(moniker) > maxMoniker {
		return errorsmod.Wrapf(types.ErrInvalidDescription, "moniker: %d bytes, limit %d", len(moniker), maxMoniker)
	}
	if !utf8.ValidString(moniker) || strings.ContainsFunc(moniker, unicode.IsControl) {
		return errorsmod.Wrap(types.ErrInvalidDescription, "moniker: must be UTF-8 without control characters")
	}
	if err := checkEndpoint(endpoint); err != nil {
		return err
	}
	if concurrency == 0 || concurrency > params.MaxConcurrency {
		return errorsmod.Wrapf(types.ErrInvalidConcurrency, "concurrency %d: must be 1 to %d", concurrency, params.MaxConcurrency)
	}
	return nil
}

// checkEndpoint takes "" and http(s)://host… in printable ASCII. It is spelt out rather than left to net/url, whose idea of a
// URL may change with the toolchain and would then split the chain.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	if len(endpoint) > maxEndpoint {
		return errorsmod.Wrapf(types.ErrInvalidDescription, "endpoint: %d bytes, limit %d", len(endpoint), maxEndpoint)
	}
	_, rest, ok := strings.Cut(endpoint, "://")
	if !ok || !strings.HasPrefix(endpoint, "http://") && !strings.HasPrefix(endpoint, "https://") {
		return errorsmod.Wrapf(types.ErrInvalidDescription, "endpoint %q: must start with http:// or https://", endpoint)
	}
	for _, c := range []byte(endpoint) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"<>\^{|}@?#`+"`", c) >= 0 {
			return errorsmod.Wrapf(types.ErrInvalidDescription, "endpoint %q: character %q is not allowed", endpoint, c)
		}
	}
	if host, _, _ := strings.Cut(rest, "/"); host == "" || host[0] == ':' {
		return errorsmod.Wrapf(types.ErrInvalidDescription, "endpoint %q: has no host", endpoint)
	}
	return nil
}
