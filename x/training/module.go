// Package training is the module of trainings whose segments are tasks.
package training

import (
	"context"

	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/training/keeper"
	"poaid/x/training/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

var _ appmodule.HasEndBlocker = AppModule{}

// AppModule is x/training.
type AppModule struct {
	appmod.Module[types.GenesisState, *types.GenesisState]
	keeper keeper.Keeper
}

// NewAppModule wraps a keeper.
func NewAppModule(k keeper.Keeper) AppModule {
	return AppModule{keeper: k, Module: appmod.New[types.GenesisState](k, appmod.Spec[types.GenesisState]{
		Name: types.ModuleName, Version: ConsensusVersion, Default: types.DefaultGenesis,
		Amino: types.RegisterLegacyAminoCodec, Interfaces: types.RegisterInterfaces,
		Gateway: func(c client.Context, mux *gwruntime.ServeMux) error {
			return types.RegisterQueryHandlerClient(context.Background(), mux, types.NewQueryClient(c))
		},
		Services: func(r grpc.ServiceRegistrar) {
			types.RegisterMsgServer(r, keeper.NewMsgServerImpl(k))
			types.RegisterQueryServer(r, keeper.NewQueryServerImpl(k))
		},
	})}
}

// EndBlock opens segments and pays back what is left of budgets.
func (m AppModule) EndBlock(ctx context.Context) error { return m.keeper.EndBlock(ctx) }
