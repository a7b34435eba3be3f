// Package appmod is what all modules of the chain do alike: services, REST routes and genesis.
package appmod

import (
	"context"
	"encoding/json"
	"fmt"

	"cosmossdk.io/core/appmodule"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/gogoproto/proto"
	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"
)

// Genesis is a pointer to a module's genesis state G.
type Genesis[G any] interface {
	*G
	proto.Message
	// Validate names the first thing that is wrong with the state by itself.
	Validate() error
}

// Keeper reads and writes a module's whole state.
type Keeper[G any] interface {
	InitGenesis(ctx context.Context, g G) error
	ExportGenesis(ctx context.Context) (*G, error)
}

// Spec is what a module has of its own.
type Spec[G any] struct {
	Name string
	// Version rises with every change of the state's layout.
	Version uint64
	// Default is the genesis of a chain that has nothing.
	Default func() *G
	// Amino and Interfaces register the messages, for amino JSON and for Any.
	Amino      func(*codec.LegacyAmino)
	Interfaces func(codectypes.InterfaceRegistry)
	// Gateway registers the REST routes of the queries.
	Gateway func(client.Context, *gwruntime.ServeMux) error
	// Services registers the message and query services.
	Services func(grpc.ServiceRegistrar)
}

// Module is embedded by a module, which adds what only some have: blocks, commands.
type Module[G any, P Genesis[G]] struct {
	spec   Spec[G]
	keeper Keeper[G]
}

var (
	_ module.AppModuleBasic      = Module[empty, *empty]{}
	_ module.HasGenesis          = Module[empty, *empty]{}
	_ module.HasConsensusVersion = Module[empty, *empty]{}
	_ appmodule.AppModule        = Module[empty, *empty]{}
	_ appmodule.HasServices      = Module[empty, *empty]{}
)

// empty is a genesis of nothing.
type empty struct{ proto.Message }

// Validate implements Genesis.
func (*empty) Validate() error { return nil }

// New wraps a keeper.
func New[G any, P Genesis[G]](keeper Keeper[G], spec Spec[G]) Module[G, P] {
	return Module[G, P]{spec: spec, keeper: keeper}
}

// IsAppModule implements appmodule.AppModule.
func (Module[G, P]) IsAppModule() {}

// IsOnePerModuleType implements depinject's marker.
func (Module[G, P]) IsOnePerModuleType() {}

// Name returns the module's name.
func (m Module[G, P]) Name() string { return m.spec.Name }

// ConsensusVersion implements module.HasConsensusVersion.
func (m Module[G, P]) ConsensusVersion() uint64 { return m.spec.Version }

// RegisterLegacyAminoCodec registers the messages for amino JSON.
func (m Module[G, P]) RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) { m.spec.Amino(cdc) }

// RegisterInterfaces registers the messages.
func (m Module[G, P]) RegisterInterfaces(r codectypes.InterfaceRegistry) { m.spec.Interfaces(r) }

// RegisterGRPCGatewayRoutes registers the REST routes of the queries.
func (m Module[G, P]) RegisterGRPCGatewayRoutes(c client.Context, mux *gwruntime.ServeMux) {
	if err := m.spec.Gateway(c, mux); err != nil {
		panic(fmt.Errorf("x/%s: REST routes: %w", m.spec.Name, err))
	}
}

// RegisterServices registers messages and queries.
func (m Module[G, P]) RegisterServices(r grpc.ServiceRegistrar) error {
	m.spec.Services(r)
	return nil
}

// DefaultGenesis is the genesis of a chain that has nothing.
func (m Module[G, P]) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	return cdc.MustMarshalJSON(P(m.spec.Default()))
}

// ValidateGenesis checks a genesis state by itself.
func (m Module[G, P]) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, bz json.RawMessage) error {
	var g G
	if err := cdc.UnmarshalJSON(bz, P(&g)); err != nil {
		return fmt.Errorf("x/%s genesis: %w", m.spec.Name, err)
	}
	return P(&g).Validate()
}

// InitGenesis writes the state. The manager takes no error: a genesis that cannot be imported must not start a chain.
func (m Module[G, P]) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, bz json.RawMessage) {
	var g G
	cdc.MustUnmarshalJSON(bz, P(&g))
	if err := m.keeper.InitGenesis(ctx, g); err != nil {
		panic(fmt.Errorf("x/%s genesis: %w", m.spec.Name, err))
	}
}

// ExportGenesis reads the state.
func (m Module[G, P]) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	g, err := m.keeper.ExportGenesis(ctx)
	if err != nil {
		panic(fmt.Errorf("x/%s genesis: %w", m.spec.Name, err))
	}
	return cdc.MustMarshalJSON(P(g))
}
