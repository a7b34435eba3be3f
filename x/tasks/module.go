package tasks

import (
	"context"

	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"poaid/internal/appmod"
	"poaid/x/tasks/keeper"
	"poaid/x/tasks/types"
)

// ConsensusVersion rises with every change of the state's layout.
const ConsensusVersion = 1

var _ appmodule.HasEndBlocker = AppModule{}

// AppModule is x/tasks.
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

// EndBlock makes the transitions that are due. It must run after x/bank's, which credits the escrows of the block.
func (m AppModule) EndBlock(ctx context.Context) error { return m.keeper.EndBlock(ctx) }
