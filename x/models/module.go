// Package models is the registry of what can be computed: programs, checked and priced by the chain, and the weights they run on.
package models

import (
	"context"

	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/models/keeper"
	"poaid/x/models/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

// AppModule wires x/models into an application.
type AppModule struct {
	appmod.Module[types.GenesisState, *types.GenesisState]
}

// NewAppModule wraps a keeper.
func NewAppModule(k keeper.Keeper) AppModule {
	return AppModule{Module: appmod.New[types.GenesisState](k, appmod.Spec[types.GenesisState]{
		Name: types.ModuleName, Version: ConsensusVersion, Default: types.DefaultGenesis,
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
