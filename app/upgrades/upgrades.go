// Package upgrades holds the chain's planned upgrades, one file each, registered by app.New.
package upgrades

import (
	"context"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
)

// Migrator moves the state of every module to its current version.
type Migrator func(ctx context.Context, from module.VersionMap) (module.VersionMap, error)

// Upgrade is one planned upgrade. Name is what the governance proposal names.
type Upgrade struct {
	Name string
	// Stores are added, renamed or deleted at the upgrade's height.
	Stores storetypes.StoreUpgrades
	// Handler builds what runs at the upgrade's height.
	Handler func(migrate Migrator) upgradetypes.UpgradeHandler
}

// All lists every upgrade this binary knows, oldest first. There is none before the first release: a binary that knows an
// upgrade refuses to run before its height, so an entry comes with the release it belongs to.
func All() []Upgrade { return nil }

// MigrateOnly is the handler of an upgrade that only runs the modules' own migrations.
func MigrateOnly(migrate Migrator) upgradetypes.UpgradeHandler {
	return func(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
		return migrate(ctx, from)
	}
}
