package cmd

import (
	"errors"

	"cosmossdk.io/log/v2"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/spf13/cast"

	"poaid/app"
)

// newApp makes the application of a node. The SDK's signature leaves no way to return an error, so a wrong configuration
// panics here, before the node has done anything.
func newApp(logger log.Logger, db dbm.DB, opts servertypes.AppOptions) servertypes.Application {
	a, err := app.New(logger, db, true, opts, server.DefaultBaseappOptions(opts)...)
	if err != nil {
		panic(err)
	}
	return a
}

// exportApp writes the state at a height (-1: the latest) as a genesis.
func exportApp(
	logger log.Logger, db dbm.DB, height int64, forZeroHeight bool, _ []string, opts servertypes.AppOptions, modules []string,
) (servertypes.ExportedApp, error) {
	if cast.ToString(opts.Get(flags.FlagHome)) == "" {
		return servertypes.ExportedApp{}, errors.New("application home is not set")
	}
	a, err := app.New(logger, db, height == -1, opts)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	if height != -1 {
		if err := a.LoadHeight(height); err != nil {
			return servertypes.ExportedApp{}, err
		}
	}
	return a.Export(forZeroHeight, modules)
}
