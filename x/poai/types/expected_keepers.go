package types

import (
	"context"

	"cosmossdk.io/core/address"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// BankKeeper moves bonds. Bonds come in through the virtual send, so that transactions do not serialise on one balance.
type BankKeeper interface {
	SendCoinsFromAccountToModuleVirtual(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amt sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	// BlockedAddr tells that coins cannot be sent to addr.
	BlockedAddr(addr sdk.AccAddress) bool
}

// AccountKeeper gives module addresses and reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
	GetModuleAddress(name string) sdk.AccAddress
	// GetModuleAccount creates the account where it does not exist yet.
	GetModuleAccount(ctx context.Context, name string) sdk.ModuleAccountI
}

// CommunityPool takes coins for the community, and gives what governance spends.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
	// PayFromCommunityPool pays a module; ErrPoolShort when the pool has less.
	PayFromCommunityPool(ctx context.Context, amount sdk.Coins, module string) error
}

// ModelsKeeper tells whether a model exists.
type ModelsKeeper interface {
	HasModel(ctx context.Context, id string) (bool, error)
}
