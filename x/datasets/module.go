// Package datasets is the registry of data to train on: tensor roots, licences, terms, grants, allowlists, and who used what.
package datasets

import (
	"context"

	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/datasets/keeper"
	"poaid/x/datasets/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

// AppModule wires x/datasets into an application.
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
