package keeper_test

import (
	"slices"
	"testing"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/datasets/types"
)

func TestGenesis(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	second := mnist()
	second.Id, second.Roots, second.Encryption, second.Terms = "letters", [][]byte{root(11)}, nil, types.Terms{ShareBps: 250, Closed: true}
	require.NoError(t, f.register(second))
	f.fund(2, sdk.NewInt64Coin(denom, 1000))
	require.NoError(t, f.buy(2, sdk.NewInt64Coin(denom, 1000), ""))
	require.NoError(t, f.allow(root(5), true))
	_, err := f.k.Use(f.ctx, who(2), root(5), [][]byte{root(2)})
	require.NoError(t, err)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	f2 := emptyFixture(t)
	require.NoError(t, f2.k.InitGenesis(f2.ctx, *g))
	again, err := f2.k.ExportGenesis(f2.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)

	for name, spoil := range map[string]func(g *types.GenesisState){
		"params":     func(g *types.GenesisState) { g.Params.MaxRoots = 0 },
		"twice":      func(g *types.GenesisState) { g.Datasets[1].Dataset.Id = "letters" },
		"id":         func(g *types.GenesisState) { g.Datasets[0].Dataset.Id = "L" },
		"owner":      func(g *types.GenesisState) { g.Datasets[0].Dataset.Owner = "x" },
		"cid":        func(g *types.GenesisState) { g.Datasets[0].Dataset.Cid = "x" },
		"tensors":    func(g *types.GenesisState) { g.Datasets[0].Dataset.Tensors++ },
		"root twice": func(g *types.GenesisState) { g.Datasets[0].Roots = [][]byte{root(1)} },
		"root":       func(g *types.GenesisState) { g.Datasets[0].Roots = [][]byte{root(1)[:3]} },
		"share":      func(g *types.GenesisState) { g.Datasets[0].Dataset.Terms.ShareBps = 10_001 },
		"time":       func(g *types.GenesisState) { g.Datasets[0].Dataset.Terms.GrantBlocks = 5 },
		"program":    func(g *types.GenesisState) { g.Datasets[1].Programs = []types.Program{{ProgramHash: root(1)[:3]}} },
		"program twice": func(g *types.GenesisState) {
			g.Datasets[1].Programs = []types.Program{{ProgramHash: root(1)}, {ProgramHash: root(1)}}
		},
		"uses":          func(g *types.GenesisState) { g.Datasets[1].Counts.Uses++ },
		"grant of none": func(g *types.GenesisState) { g.Grants[0].Dataset = "nothing" },
		"grantee":       func(g *types.GenesisState) { g.Grants[0].Grantee = "x" },
		"expires":       func(g *types.GenesisState) { g.Grants[0].Expires = -1 },
		"never expires": func(g *types.GenesisState) { g.Grants[0].Expires = 1<<62 + 1 },
		"grant twice":   func(g *types.GenesisState) { g.Grants = append(g.Grants, g.Grants[0]) },
		"usage of none": func(g *types.GenesisState) { g.Usages[0].Dataset = "nothing" },
		"user":          func(g *types.GenesisState) { g.Usages[0].User = "x" },
		"usage":         func(g *types.GenesisState) { g.Usages[0].Usage.Uses = 0 },
		"last program":  func(g *types.GenesisState) { g.Usages[0].Usage.LastProgram = nil },
	} {
		bad := types.GenesisState{Params: g.Params, Datasets: slices.Clone(g.Datasets), Grants: slices.Clone(g.Grants), Usages: slices.Clone(g.Usages)}
		spoil(&bad)
		f3 := emptyFixture(t)
		require.Error(t, f3.k.InitGenesis(f3.ctx, bad), name)
	}
}

func TestInvariantsSee(t *testing.T) {
	for name, spoil := range map[string]func(f *fix) error{
		"a root of nobody":        func(f *fix) error { return f.k.Roots.Set(f.ctx, root(50), "mnist") },
		"another's root":          func(f *fix) error { return f.k.Roots.Set(f.ctx, root(1), "other") },
		"a grant that never ends": func(f *fix) error { return f.k.Grants.Set(f.ctx, collections.Join("mnist", acc(f.t, who(2))), 7) },
		"the end of no grant": func(f *fix) error {
			return f.k.Expiries.Set(f.ctx, collections.Join3(int64(7), "mnist", acc(f.t, who(2))))
		},
		"uses":                    func(f *fix) error { return f.k.UseCounts.Set(f.ctx, "mnist", 1) },
		"uses of what is not":     func(f *fix) error { return f.k.UseCounts.Set(f.ctx, "other", 1) },
		"a dataset under another": func(f *fix) error { return f.k.Datasets.Set(f.ctx, "other", types.Dataset{Id: "mnist"}) },
	} {
		f := fixture(t)
		require.NoError(t, f.register(mnist()))
		require.NoError(t, spoil(f), name)
		require.ErrorIs(t, f.k.Invariants(f.ctx), types.ErrState, name)
	}
}
