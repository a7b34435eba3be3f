package app

import (
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/api"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"

	"poaid/app/edge"
	"poaid/app/openapi"
)

// RegisterAPIRoutes puts every module's queries, the SDK's services and the API's documentation behind HTTP.
func (a *App) RegisterAPIRoutes(srv *api.Server, cfg serverconfig.APIConfig) {
	srv.Router.Use(edge.CORS(a.edge.CORSOrigins), edge.RateLimit(a.edge.RateLimit, a.edge.RateBurst, a.edge.TrustForwarded))
	if cfg.Swagger {
		openapi.Register(srv.Router)
	}
	authtx.RegisterGRPCGatewayRoutes(srv.ClientCtx, srv.GRPCGatewayRouter)
	cmtservice.RegisterGRPCGatewayRoutes(srv.ClientCtx, srv.GRPCGatewayRouter)
	nodeservice.RegisterGRPCGatewayRoutes(srv.ClientCtx, srv.GRPCGatewayRouter)
	a.basics.RegisterGRPCGatewayRoutes(srv.ClientCtx, srv.GRPCGatewayRouter)
}

// RegisterTxService registers simulation, broadcast and lookup of transactions.
func (a *App) RegisterTxService(ctx client.Context) {
	authtx.RegisterTxService(a.GRPCQueryRouter(), ctx, a.Simulate, a.Registry)
}

// RegisterTendermintService registers queries about blocks and validators.
func (a *App) RegisterTendermintService(ctx client.Context) {
	cmtservice.RegisterTendermintService(ctx, a.GRPCQueryRouter(), a.Registry, server.NewCometABCIWrapper(a).Query)
}

// RegisterNodeService registers queries about this node.
func (a *App) RegisterNodeService(ctx client.Context, cfg serverconfig.Config) {
	nodeservice.RegisterNodeService(ctx, a.GRPCQueryRouter(), cfg, a.CommitMultiStore().EarliestVersion)
}
