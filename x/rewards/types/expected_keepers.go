package types

import (
	"context"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// PoaiKeeper reads scores and takes bond.
type PoaiKeeper interface {
	// ScoreParts is a participant's score and the part of it that delegated bond backed; zeros for a participant without one.
	ScoreParts(ctx context.Context, epoch uint64, participant string) (score, delegated math.Int, err error)
	// HasJoined tells whether the participant exists.
	HasJoined(ctx context.Context, participant string) (bool, error)
	// BondDenom is what bonds are in.
	BondDenom(ctx context.Context) (string, error)
	// AddBondFromModule moves coins of a module's account into a participant's own bond.
	AddBondFromModule(ctx context.Context, module, participant string, amount sdk.Coin) error
	// VerifierShare is what a unit counts for a member that checked it, in millionths of what it counts for the worker.
	VerifierShare(ctx context.Context) (ppm uint64, err error)
}

// TasksKeeper says what work costs.
type TasksKeeper interface {
	// RunCost is what computing 10^6 units costs, 0 where nobody knows, and how many members are credited for checking a run.
	RunCost(ctx context.Context) (cost math.Int, members uint32, err error)
}

// DelegationKeeper takes the part of those who delegated to a participant.
type DelegationKeeper interface {
	// HoldersShare is what of a participant's share of an epoch's pool is its holders': amount × delegated / score, less its commission
	// in that epoch. delegated is at most score.
	HoldersShare(ctx context.Context, participant string, epoch uint64, amount, score, delegated math.Int) (math.Int, error)
	// RewardDenom is what it takes.
	RewardDenom(ctx context.Context) (string, error)
	// Reward takes coins out of a module's account for the holders behind a participant.
	Reward(ctx context.Context, module, participant string, amount sdk.Coin) error
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
