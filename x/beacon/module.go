// Package beacon gives every height 32 random bytes.
package beacon

import (
	"context"

	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/beacon/keeper"
	"poaid/x/beacon/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

// AppModule wires x/beacon into an app. What it does in every block (Keeper.PreBlock and Keeper.EndBlock) the app calls itself: it needs
// the block's proof and the updates of the validator set, which modules are not given.
type AppModule struct {
	appmod.Module[types.GenesisState, *types.GenesisState]
}

// NewAppModule wraps a keeper.
func NewAppModule(k *keeper.Keeper) AppModule {
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
