package types

import (
	"context"

	"cosmossdk.io/core/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// TasksKeeper reads tasks and ends their disputes.
type TasksKeeper interface {
	// GetTask returns a task and where it stands; an error that is collections.ErrNotFound when unknown.
	GetTask(ctx context.Context, id uint64) (taskstypes.Task, taskstypes.Status, error)
	// GetInputs returns the inputs given with a task, without those left to their default.
	GetInputs(ctx context.Context, id uint64) (taskstypes.Inputs, error)
	// GetCommitteeParties returns the members of the task's committee that hold a seat, whatever its state.
	GetCommitteeParties(ctx context.Context, id uint64) ([]string, error)
	// Contest moves a REVEALED task in its challenge window to DISPUTED. ErrState, ErrDeadline otherwise.
	Contest(ctx context.Context, id uint64) (taskstypes.Dispute, error)
	// ResolveDispute settles a DISPUTED task: pays it (the worker's root is valid), gives it to another worker or refunds it (another
	// is), or releases everybody and refunds (none is).
	ResolveDispute(ctx context.Context, id uint64, r taskstypes.Resolution) error
	// VoidTask ends a task whose bytes nobody produced: locks are released, nobody is slashed or credited, the submitter is
	// refunded, but for what the pots are owed. byInput: an input was missing, so that min_fee of the escrow burns. ErrState for a task that has ended.
	VoidTask(ctx context.Context, id uint64, byInput bool) error
	// VoidStart does so for a segment of a run whose states at its start nobody produced.
	VoidStart(ctx context.Context, id uint64) error
}

// ModelsKeeper reads registered models.
type ModelsKeeper interface {
	GetModel(ctx context.Context, id string) (modelstypes.Model, error)
	// LoadProgram returns the model's program, validated. What it returns is shared: it must not be changed.
	LoadProgram(ctx context.Context, id string) (*engine.Program, error)
	// RunCost are the constants that units of the model are computed with; they never change.
	RunCost(ctx context.Context, id string) (engine.CostParams, error)
}

// PoaiKeeper holds what claims have at risk.
type PoaiKeeper interface {
	LockBond(ctx context.Context, l poaitypes.Lock) error
	ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, task uint64) error
	Slash(ctx context.Context, req poaitypes.SlashRequest) error
	GetParticipant(ctx context.Context, address string) (poaitypes.Participant, error)
	// BondDenom is what bonds are in; it never changes.
	BondDenom(ctx context.Context) (string, error)
}

// BankKeeper moves the stakes of attacks and the fees of demands.
type BankKeeper interface {
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
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
