// Package auctions is the module of reverse auctions: bids to run a task, their deposits, and who is next.
package auctions

import (
	"context"

	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/auctions/keeper"
	"poaid/x/auctions/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

// AppModule is x/auctions.
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
			types.RegisterMsgServer(r, keeper.NewMsgServerImpl(k))
			types.RegisterQueryServer(r, keeper.NewQueryServerImpl(k))
		},
	})}
}
