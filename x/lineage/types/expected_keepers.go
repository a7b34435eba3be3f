package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	datasetstypes "poaid/x/datasets/types"
	modelstypes "poaid/x/models/types"
)

// ModelsKeeper reads models.
type ModelsKeeper interface {
	// HasModel is false for short-lived models of the chain's own.
	HasModel(ctx context.Context, id string) (bool, error)
	// GetModel returns a model, modelstypes.ErrModelNotFound when there is none.
	GetModel(ctx context.Context, id string) (modelstypes.Model, error)
}

// DatasetsKeeper reads datasets.
type DatasetsKeeper interface {
	// GetDataset returns a dataset, datasetstypes.ErrNotFound when there is none.
	GetDataset(ctx context.Context, id string) (datasetstypes.Dataset, error)
}

// BankKeeper moves coins.
type BankKeeper interface {
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	GetAllBalances(ctx context.Context, addr sdk.AccAddress) sdk.Coins
	// BlockedAddr tells that coins cannot be sent to addr.
	BlockedAddr(addr sdk.AccAddress) bool
}

// AccountKeeper gives module addresses.
type AccountKeeper interface {
	GetModuleAddress(name string) sdk.AccAddress
}
