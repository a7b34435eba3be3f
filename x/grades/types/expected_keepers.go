package types

import (
	"context"

	"cosmossdk.io/core/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
)

// BeaconKeeper gives randomness.
type BeaconKeeper interface {
	// Randomness returns 32 bytes for a height at or below the current one; beacontypes.ErrPruned beyond the kept history.
	Randomness(ctx context.Context, height int64) ([]byte, error)
}

// PoaiKeeper draws graders and holds what they risk.
type PoaiKeeper interface {
	// DrawGraders draws and locks up to req.Seats participants, without replacement.
	DrawGraders(ctx context.Context, req poaitypes.GradersRequest) ([]string, error)
	// JoinPool and LeavePool make a participant a candidate of a named pool, or end that.
	JoinPool(ctx context.Context, participant, pool string) error
	LeavePool(ctx context.Context, participant, pool string) error
	ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, item uint64) error
	Slash(ctx context.Context, req poaitypes.SlashRequest) error
}

// BankKeeper moves coins. They come in through the virtual send, so that transactions do not serialise on one balance.
type BankKeeper interface {
	SendCoinsFromAccountToModuleVirtual(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	// BlockedAddr tells that coins cannot be sent to addr.
	BlockedAddr(addr sdk.AccAddress) bool
}

// CommunityPool takes coins for the community.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
}

// AccountKeeper gives module addresses and reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
	GetModuleAddress(name string) sdk.AccAddress
}
