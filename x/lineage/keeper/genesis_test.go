package keeper_test

import (
	"maps"
	"slices"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/x/lineage/types"
)

func TestGenesisThatIsRefused(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 1000)
	_, err := f.settle(denom, "model/leaf", "model/mid")
	require.NoError(t, err)
	roundTrip(t, f)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	for name, spoil := range map[string]func(g *types.GenesisState){
		"params":     func(g *types.GenesisState) { g.Params.MaxParents = 0 },
		"edge twice": func(g *types.GenesisState) { g.Edges = append(g.Edges, g.Edges[0]) },
		"zero share": func(g *types.GenesisState) { g.Edges[0].ShareBps = 0 },
		"share":      func(g *types.GenesisState) { g.Edges[0].ShareBps = 10_001 },
		"total":      func(g *types.GenesisState) { g.Edges[0].ShareBps = 9_500 },
		"cycle": func(g *types.GenesisState) {
			g.Edges = append(g.Edges, types.GenesisEdge{Child: "model/base", Parent: "model/leaf", ShareBps: 1})
		},
		"child":           func(g *types.GenesisState) { g.Edges[0].Child = "dataset/mnist" },
		"name":            func(g *types.GenesisState) { g.Edges[0].Parent = "mnist" },
		"unknown model":   func(g *types.GenesisState) { g.Edges[1].Parent = "model/nothing" },
		"unknown dataset": func(g *types.GenesisState) { g.Edges[0].Parent = "dataset/nothing" },
		"account twice":   func(g *types.GenesisState) { g.Accounts = append(g.Accounts, g.Accounts[0]) },
		"account":         func(g *types.GenesisState) { g.Accounts[0].Node = "leaf" },
		"denom":           func(g *types.GenesisState) { g.Accounts[0].Denom = "!" },
		"negative":        func(g *types.GenesisState) { g.Accounts[0].Account.Received = math.NewInt(-1) },
		"missing":         func(g *types.GenesisState) { g.Accounts[0].Account.Claimed = math.Int{} },
		"claimed":         func(g *types.GenesisState) { g.Accounts[0].Account.Claimed = math.NewInt(1001) },
		"claimed parents": func(g *types.GenesisState) { g.Accounts[0].Account.Claimed = math.NewInt(700) },
		"settled":         func(g *types.GenesisState) { g.Settled[0].Amount = math.NewInt(251) },
		"settled zero":    func(g *types.GenesisState) { g.Settled[0].Amount = math.ZeroInt() },
		"settled twice":   func(g *types.GenesisState) { g.Settled = append(g.Settled, g.Settled[0]) },
		"no such edge":    func(g *types.GenesisState) { g.Settled[0].Parent = "model/leaf" },
		"balance":         func(g *types.GenesisState) { g.Accounts[0].Account.Received = math.NewInt(1001) },
	} {
		bad := types.GenesisState{Params: g.Params, Edges: slices.Clone(g.Edges), Accounts: slices.Clone(g.Accounts), Settled: slices.Clone(g.Settled)}
		spoil(&bad)
		f2 := emptyFixture(t, f.reg)
		f2.bank.balances = maps.Clone(f.bank.balances)
		require.Error(t, f2.k.InitGenesis(f2.ctx, bad), name)
	}
}

// TestInvariantsSee breaks the state in ways that no message can.
func TestInvariantsSee(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, f *fix){
		"a coin is missing": func(t *testing.T, f *fix) {
			t.Helper()
			f.bank.balances[authtypes.NewModuleAddress(types.ModuleName).String()] = sdk.NewCoins(sdk.NewInt64Coin(denom, 999))
		},
		"a stranger's coin": func(t *testing.T, f *fix) {
			t.Helper()
			f.bank.balances[authtypes.NewModuleAddress(types.ModuleName).String()] = sdk.NewCoins(sdk.NewInt64Coin(denom, 1000), sdk.NewInt64Coin("x12", 1))
		},
		"depth": func(t *testing.T, f *fix) {
			t.Helper()
			require.NoError(t, f.k.Nodes.Set(f.ctx, "model/leaf", types.Node{Depth: 1, Parents: 3, TotalBps: 3833}))
		},
		"an edge of nobody": func(t *testing.T, f *fix) {
			t.Helper()
			require.NoError(t, f.k.Nodes.Remove(f.ctx, "model/leaf"))
		},
	} {
		f := family(t)
		f.use("leaf", denom, 1000)
		f.check()
		spoil(t, f)
		require.ErrorIs(t, f.k.Invariants(f.ctx), types.ErrAccounting, name)
	}
}
