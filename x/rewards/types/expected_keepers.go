package types

import (
	"context"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// PoaiKeeper reads scores.
type PoaiKeeper interface {
	// GetScore is zero for a participant without one.
	GetScore(ctx context.Context, epoch uint64, participant string) (math.Int, error)
	// VerifierShare is what a unit counts for a member that checked it, in millionths of what it counts for the worker.
	VerifierShare(ctx context.Context) (ppm uint64, err error)
}

// TasksKeeper says what work costs.
type TasksKeeper interface {
	// RunCost is what computing 10^6 units costs, 0 where nobody knows, and how many members are credited for checking a run.
	RunCost(ctx context.Context) (cost math.Int, members uint32, err error)
}

// BankKeeper mints and moves coins.
type BankKeeper interface {
	MintCoins(ctx context.Context, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
}

// AccountKeeper gives module addresses.
type AccountKeeper interface {
	GetModuleAddress(name string) sdk.AccAddress
}

// CommunityPool takes coins for the community.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
}
