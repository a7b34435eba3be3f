package types

import (
	"context"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
)

// PoaiKeeper knows who can do the work, and locks what backs a bid.
type PoaiKeeper interface {
	// Qualify returns poaitypes.ErrUnfit for who does not serve the model, meet the requirements, or have the lock free.
	Qualify(ctx context.Context, req poaitypes.QualifyRequest) error
	LockBond(ctx context.Context, l poaitypes.Lock) error
	ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, item uint64) error
	// GetLock returns collections.ErrNotFound when there is none.
	GetLock(ctx context.Context, participant string, kind poaitypes.LockKind, item uint64) (math.Int, error)
}

// BankKeeper moves deposits. They come in through the virtual send, so that transactions do not serialise on one balance.
type BankKeeper interface {
	SendCoinsFromAccountToModuleVirtual(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	GetAllBalances(ctx context.Context, addr sdk.AccAddress) sdk.Coins
}

// CommunityPool takes coins for the community.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
}

// AccountKeeper gives module addresses and reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
	GetModuleAddress(name string) sdk.AccAddress
	// GetModuleAccount creates the account where it does not exist yet.
	GetModuleAccount(ctx context.Context, name string) sdk.ModuleAccountI
}
