package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	reflectionv1 "cosmossdk.io/api/cosmos/reflection/v1"
	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/log/v2"
	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec/address"
	runtimeservices "github.com/cosmos/cosmos-sdk/runtime/services"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/version"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/spf13/cast"

	"poaid/app/params"
	"poaid/app/upgrades"
	"poaid/internal/vrfkey"
)

// Name of the application and of its binary.
const Name = "poaid"

var _ servertypes.Application = (*App)(nil)

// App is the chain's state machine.
type App struct {
	*baseapp.BaseApp
	Encoding
	Keepers

	stores       stores
	modules      *module.Manager
	basics       module.BasicManager
	configurator module.Configurator
	edge         EdgeConfig
	vrfKeys      vrfkey.Keys
}

// New wires the application on db. opts are app.toml and the command line's flags. With loadLatest false the caller loads a
// height itself (App.LoadHeight).
func New(logger log.Logger, db dbm.DB, loadLatest bool, opts servertypes.AppOptions, baseOpts ...func(*baseapp.BaseApp)) (*App, error) {
	params.Configure()
	enc, err := newEncoding()
	if err != nil {
		return nil, err
	}
	edge, err := readEdgeConfig(opts)
	if err != nil {
		return nil, err
	}
	vrfKeys, err := loadVRFKeys(cast.ToString(opts.Get(flags.FlagHome)))
	if err != nil {
		return nil, err
	}
	bApp := baseapp.NewBaseApp(Name, logger, db, enc.TxConfig.TxDecoder(), baseOpts...)
	bApp.SetVersion(version.Version)
	bApp.SetInterfaceRegistry(enc.Registry)
	bApp.SetTxEncoder(enc.TxConfig.TxEncoder())

	a := &App{BaseApp: bApp, Encoding: enc, stores: newStores(), edge: edge, vrfKeys: vrfKeys}
	a.MountKVStores(a.stores.kv)
	a.MountObjectStores(a.stores.obj)
	blockexec.Apply(bApp, opts, a.stores.all(), enc.TxConfig.TxDecoder(), func(storetypes.MultiStore) string { return params.Denom },
		blockexec.WithRunnerWrap(newProofRunner))

	if a.Keepers, err = newKeepers(enc.Codec, enc.Amino, a.stores, bApp, logger, opts); err != nil {
		return nil, err
	}
	bApp.SetParamStore(a.Consensus.ParamsStore)
	a.modules = newModuleManager(enc.Codec, enc.Registry, enc.TxConfig, a.Keepers, a)
	a.basics = newBasicManager(a.modules)
	a.basics.RegisterLegacyAminoCodec(enc.Amino)
	a.basics.RegisterInterfaces(enc.Registry)
	if err := a.registerServices(); err != nil {
		return nil, err
	}
	if err := a.registerUpgrades(upgrades.All(), cast.ToString(opts.Get(flags.FlagHome)) != ""); err != nil {
		return nil, err
	}
	if err := a.setHandlers(); err != nil {
		return nil, err
	}
	if loadLatest {
		if err := a.LoadLatestVersion(); err != nil {
			return nil, fmt.Errorf("load latest state: %w", err)
		}
	}
	return a, nil
}

func (a *App) registerServices() error {
	a.configurator = module.NewConfigurator(a.Codec, a.MsgServiceRouter(), a.GRPCQueryRouter())
	if err := a.modules.RegisterServices(a.configurator); err != nil {
		return fmt.Errorf("register services: %w", err)
	}
	autocliv1.RegisterQueryServer(a.GRPCQueryRouter(), runtimeservices.NewAutoCLIQueryService(a.modules.Modules))
	reflection, err := runtimeservices.NewReflectionService()
	if err != nil {
		return fmt.Errorf("reflection service: %w", err)
	}
	reflectionv1.RegisterReflectionServiceServer(a.GRPCQueryRouter(), reflection)
	return nil
}

// registerUpgrades registers every handler, and lets the store of a pending upgrade load with its new shape. Without a home there is
// nothing on disk to be read, and reading would make a folder wherever the program was started.
func (a *App) registerUpgrades(all []upgrades.Upgrade, hasHome bool) error {
	migrate := func(ctx context.Context, from module.VersionMap) (module.VersionMap, error) {
		return a.modules.RunMigrations(ctx, a.configurator, from)
	}
	var info upgradetypes.Plan
	if hasHome {
		var err error
		if info, err = a.Upgrade.ReadUpgradeInfoFromDisk(); err != nil {
			return fmt.Errorf("read upgrade info: %w", err)
		}
	}
	for _, u := range all {
		a.Upgrade.SetUpgradeHandler(u.Name, u.Handler(migrate))
		if info.Name == u.Name && !a.Upgrade.IsSkipHeight(info.Height) {
			a.SetStoreLoader(upgradetypes.UpgradeStoreLoader(info.Height, &u.Stores))
		}
	}
	return nil
}

func (a *App) setHandlers() error {
	ante, err := newAnteHandler(a)
	if err != nil {
		return err
	}
	a.SetAnteHandler(ante)
	a.SetInitChainer(a.initChainer)
	a.SetPrepareProposal(a.prepareProposal)
	a.SetProcessProposal(a.processProposal)
	a.SetPreBlocker(a.preBlock)
	a.SetBeginBlocker(a.modules.BeginBlock)
	a.SetEndBlocker(a.endBlock)
	return nil
}

func (a *App) initChainer(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var state map[string]json.RawMessage
	if err := json.Unmarshal(req.AppStateBytes, &state); err != nil {
		return nil, fmt.Errorf("genesis app_state: %w", err)
	}
	if err := a.Upgrade.SetModuleVersionMap(ctx, a.modules.GetVersionMap()); err != nil {
		return nil, fmt.Errorf("module versions: %w", err)
	}
	res, err := a.modules.InitGenesis(ctx, a.Codec, state)
	if err != nil {
		return nil, err
	}
	if err := a.Beacon.SetValidators(ctx, max(req.InitialHeight, 1), res.Validators); err != nil {
		return nil, fmt.Errorf("x/beacon: %w", err)
	}
	// A module account made on first use would be written by every transaction that races to use it first.
	for _, name := range slices.Sorted(maps.Keys(moduleAccountPerms())) {
		a.Auth.GetModuleAccount(ctx, name)
	}
	return res, nil
}

// LoadHeight loads the state of one height.
func (a *App) LoadHeight(height int64) error { return a.LoadVersion(height) }

// DefaultGenesis is the genesis of a chain without accounts or validators.
func (a *App) DefaultGenesis() map[string]json.RawMessage { return a.basics.DefaultGenesis(a.Codec) }

// Basics gives the modules' stateless side, which the command line needs.
func (a *App) Basics() module.BasicManager { return a.basics }

// StoreKeys lists the key of every store.
func (a *App) StoreKeys() []storetypes.StoreKey { return a.stores.all() }

// AutoCLIOptions tell the command line which queries and transactions there are.
func (a *App) AutoCLIOptions() autocli.AppOptions {
	modules := make(map[string]appmodule.AppModule, len(a.modules.Modules))
	for name, m := range a.modules.Modules {
		if am, ok := m.(appmodule.AppModule); ok {
			modules[name] = am
		}
	}
	return autocli.AppOptions{
		Modules:               modules,
		ModuleOptions:         runtimeservices.ExtractAutoCLIOptions(a.modules.Modules),
		AddressCodec:          address.NewBech32Codec(params.Bech32Prefix),
		ValidatorAddressCodec: address.NewBech32Codec(params.Bech32PrefixValAddr),
		ConsensusAddressCodec: address.NewBech32Codec(params.Bech32PrefixConAddr),
	}
}
