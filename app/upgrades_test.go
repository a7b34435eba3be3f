package app

import (
	"context"
	"os"
	"testing"

	"cosmossdk.io/log/v2"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/stretchr/testify/require"

	"poaid/app/upgrades"
)

type bareOptions struct{}

func (bareOptions) Get(string) any { return nil }

func TestUpgradeHandlersAreRegistered(t *testing.T) {
	a, err := New(log.NewNopLogger(), dbm.NewMemDB(), true, bareOptions{})
	require.NoError(t, err)
	require.False(t, a.Upgrade.HasHandler("v9"))
	ran := false
	u := upgrades.Upgrade{Name: "v9", Handler: func(upgrades.Migrator) upgradetypes.UpgradeHandler {
		return func(_ context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
			ran = true
			return from, nil
		}
	}}
	require.NoError(t, a.registerUpgrades([]upgrades.Upgrade{u}, false))
	require.True(t, a.Upgrade.HasHandler("v9"))
	ctx := sdk.NewContext(a.CommitMultiStore().CacheMultiStore(), cmtproto.Header{Height: 1}, false, log.NewNopLogger())
	require.NoError(t, a.Upgrade.ApplyUpgrade(ctx, upgradetypes.Plan{Name: "v9", Height: 1}))
	require.True(t, ran)
}

func TestNamesOfUpgradesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, u := range upgrades.All() {
		require.False(t, seen[u.Name], u.Name)
		require.NotNil(t, u.Handler, u.Name)
		seen[u.Name] = true
	}
}

func TestNothingIsWrittenWithoutAHome(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := New(log.NewNopLogger(), dbm.NewMemDB(), true, bareOptions{})
	require.NoError(t, err)
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, entries)
}
