package types

import (
	"context"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
)

// PoaiKeeper keeps bonds. How much is delegated to a participant is known to it alone.
type PoaiKeeper interface {
	// GetParticipant is collections.ErrNotFound when unknown.
	GetParticipant(ctx context.Context, address string) (poaitypes.Participant, error)
	CurrentEpoch(ctx context.Context) (uint64, error)
	BondDenom(ctx context.Context) (string, error)
	UnbondingBlocks(ctx context.Context) (int64, error)
	// AddDelegated moves a holder's coins into a bond.
	AddDelegated(ctx context.Context, participant string, holder sdk.AccAddress, amount sdk.Coin) error
	// RemoveDelegated moves delegated bond that is not locked into a module's account.
	RemoveDelegated(ctx context.Context, participant string, amount sdk.Coin, module string) error
}

// RewardsKeeper says how fast rewards come.
type RewardsKeeper interface {
	// VestingBlocks is how long a claim vests, and after how long anybody can make it.
	VestingBlocks(ctx context.Context) (int64, error)
}

// BankKeeper moves rewards and what has unbonded.
type BankKeeper interface {
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
}

// AccountKeeper gives module addresses and reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
	GetModuleAddress(name string) sdk.AccAddress
}

// CommunityPool takes coins for the community.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
}

// zero is nothing.
func zero() math.Int { return math.ZeroInt() }
