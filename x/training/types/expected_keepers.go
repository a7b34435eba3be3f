package types

import (
	"context"

	"cosmossdk.io/core/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// TasksKeeper runs segments as tasks.
type TasksKeeper interface {
	// OpenTask opens a run or a segment of one, out of the module's account; its end is told to the hook AfterTaskEnded.
	OpenTask(ctx context.Context, req taskstypes.TaskRequest) (taskstypes.Task, error)
	// Quote checks a request as OpenTask does, and prices it.
	Quote(ctx context.Context, req taskstypes.TaskRequest) (taskstypes.Task, error)
	// FeeDenom is what runs are paid in.
	FeeDenom(ctx context.Context) (string, error)
}

// ModelsKeeper reads models and registers what was trained.
type ModelsKeeper interface {
	GetModel(ctx context.Context, id string) (modelstypes.Model, error)
	// Interface returns the program without its graphs: weights, inputs, states, outputs and limits.
	Interface(ctx context.Context, id string) (*graphpb.Program, error)
	// RegisterTrained registers a model with the program of another and weights that were trained for it.
	RegisterTrained(ctx context.Context, req modelstypes.TrainedModel) (modelstypes.Model, error)
}

// DatasetsKeeper knows whose data tensors are.
type DatasetsKeeper interface {
	// Use records that user trains the program on tensors with these roots, and returns their datasets as parents of what is trained. It
	// refuses data that the user may not train this program on.
	Use(ctx context.Context, user string, programHash []byte, roots [][]byte) ([]modelstypes.Parent, error)
}

// BankKeeper moves budgets. They go in through the virtual send, so that transactions do not serialise on one balance.
type BankKeeper interface {
	SendCoinsFromAccountToModuleVirtual(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
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
