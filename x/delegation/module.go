// Package delegation lets holders back the bonds of participants.
package delegation

import (
	"context"

	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/delegation/keeper"
	"poaid/x/delegation/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

// AppModule wires x/delegation into an application.
type AppModule struct {
	appmod.Module[types.GenesisState, *types.GenesisState]
}

// NewAppModule wraps a keeper.
func NewAppModule(k keeper.Keeper) AppModule {
	return AppModule{Module: appmod.New[types.GenesisState](k, appmod.Spec[types.GenesisState]{
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
