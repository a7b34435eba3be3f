package app_test

import (
	"encoding/json"
	"slices"
	"testing"

	"cosmossdk.io/log/v2"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/baseapp"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/stretchr/testify/require"

	"poaid/app"
	"poaid/app/params"
	"poaid/testutil"
)

func TestEveryStoreIsKnownToParallelExecution(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	mounted := c.App.CommitMultiStore().(interface {
		StoreKeysByName() map[string]storetypes.StoreKey
	}).StoreKeysByName()
	var names []string
	for _, key := range c.App.StoreKeys() {
		names = append(names, key.Name())
		require.Same(t, mounted[key.Name()], key, "store %s", key.Name())
	}
	for name := range mounted {
		require.Contains(t, names, name, "this store is mounted, but parallel execution does not know it")
	}
	slices.Sort(names)
	require.Len(t, slices.Compact(names), len(c.App.StoreKeys()), "two stores share a name")
	require.Contains(t, names, banktypes.ObjectStoreKey)
}

func TestFeesReachTheCollectorAtTheEndOfTheBlock(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
	from, to := c.Accounts[1], c.Accounts[2]
	collector := authtypes.NewModuleAddress(authtypes.FeeCollectorName)
	before := c.App.Bank.GetBalance(c.Ctx(), from.Addr, params.Denom)
	c.Deliver(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(5)))
	fee := c.App.Bank.GetBalance(c.Ctx(), collector, params.Denom)
	require.Equal(t, int64(testutil.DefaultGas/400), fee.Amount.Int64())
	require.Equal(t, before.SubAmount(fee.Amount).Amount.SubRaw(5), c.App.Bank.GetBalance(c.Ctx(), from.Addr, params.Denom).Amount)
	c.Block()
	require.True(t, c.App.Bank.GetBalance(c.Ctx(), collector, params.Denom).IsZero(), "x/distribution takes the fees of the last block")
}

func TestGenesisRoundTrip(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[1], c.Accounts[2]
	c.Deliver(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Poai(3)))
	c.Blocks(3)
	roundTrip(t, c)
}

// roundTrip exports the chain, starts another one from the export and compares what that one exports.
func roundTrip(t *testing.T, c *testutil.Chain) {
	t.Helper()
	first, err := c.App.Export(false, nil)
	require.NoError(t, err)
	require.Equal(t, c.Height()+1, first.Height)

	again, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), true, noOptions{}, baseapp.SetChainID(c.ChainID))
	require.NoError(t, err)
	cp := first.ConsensusParams
	_, err = again.InitChain(&abci.RequestInitChain{
		ChainId: c.ChainID, Time: c.Time, InitialHeight: first.Height, ConsensusParams: &cp, AppStateBytes: first.AppState,
	})
	require.NoError(t, err)
	b, err := again.ExportState(again.NewContextLegacy(false, cmtproto.Header{Height: c.Height(), Time: c.Time}), nil)
	require.NoError(t, err)
	var a map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(first.AppState, &a))
	require.Len(t, b, len(a))
	for module, state := range a {
		require.JSONEq(t, string(state), string(b[module]), module)
	}

	// The new chain goes on where the old one stopped.
	_, err = again.FinalizeBlock(c.Request())
	require.NoError(t, err)
	_, err = again.Commit()
	require.NoError(t, err)
	require.NoError(t, testutil.CheckInvariants(again, again.NewContextLegacy(true, cmtproto.Header{Height: again.LastBlockHeight(), Time: c.Time})))
}

func TestExportForZeroHeightIsRefused(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	_, err := c.App.Export(true, nil)
	require.ErrorContains(t, err, "initial_height")
}

func TestDefaultGenesisNamesTheDenomination(t *testing.T) {
	a, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), true, noOptions{})
	require.NoError(t, err)
	g := a.DefaultGenesis()
	require.NoError(t, a.Basics().ValidateGenesis(a.Codec, a.TxConfig, g))
	var bank banktypes.GenesisState
	a.Codec.MustUnmarshalJSON(g[banktypes.ModuleName], &bank)
	require.Len(t, bank.DenomMetadata, 1)
	require.Equal(t, params.Denom, bank.DenomMetadata[0].Base)
	require.Equal(t, uint32(params.Exponent), bank.DenomMetadata[0].DenomUnits[1].Exponent)
	require.NotContains(t, string(mustJSON(t, g)), `"stake"`, "the SDK's default denomination is left somewhere")
	require.Contains(t, g, upgradetypes.ModuleName)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	bz, err := json.Marshal(v)
	require.NoError(t, err)
	return bz
}

type noOptions struct{}

func (noOptions) Get(string) any { return nil }
