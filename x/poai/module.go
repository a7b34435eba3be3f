// Package poai keeps participants, their bond and score, and draws who works and who checks.
package poai

import (
	"context"

	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/poai/keeper"
	"poaid/x/poai/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

var _ appmodule.HasEndBlocker = AppModule{}

// AppModule wires x/poai into an app.
type AppModule struct {
	appmod.Module[types.GenesisState, *types.GenesisState]
	keeper *keeper.Keeper
}

// NewAppModule wraps a keeper.
func NewAppModule(k *keeper.Keeper) AppModule {
	return AppModule{keeper: k, Module: appmod.New[types.GenesisState](k, appmod.Spec[types.GenesisState]{
		Name: types.ModuleName, Version: ConsensusVersion, Default: types.DefaultGenesisState,
		Amino: types.RegisterLegacyAminoCodec, Interfaces: types.RegisterInterfaces,
		Gateway: func(c client.Context, mux *gwruntime.ServeMux) error {
			return types.RegisterQueryHandlerClient(context.Background(), mux, types.NewQueryClient(c))
		},
		Services: func(r grpc.ServiceRegistrar) {
			types.RegisterMsgServer(r, keeper.NewMsgServer(k))
			types.RegisterQueryServer(r, keeper.NewQueryServer(k))
		},
	})}
}

// EndBlock ends and closes epochs.
func (m AppModule) EndBlock(ctx context.Context) error { return m.keeper.EndBlock(ctx) }
