package types_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

func TestParams(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for _, change := range []func(p *types.Params){
		func(p *types.Params) { p.MaxParents = 0 },
		func(p *types.Params) { p.MaxParents = 257 },
		func(p *types.Params) { p.MaxDepth = 0 },
		func(p *types.Params) { p.MaxDepth = 1025 },
		func(p *types.Params) { p.MaxTotalBps = 0 },
		func(p *types.Params) { p.MaxTotalBps = 10_001 },
	} {
		p := types.DefaultParams()
		change(&p)
		require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
	}
}

// TestGenesisIsNotTooDeep: as many generations as max_depth may ever allow, in either order, and no more.
func TestGenesisIsNotTooDeep(t *testing.T) {
	chain := func(n int) (edges []types.GenesisEdge) {
		for i := range n {
			edges = append(edges, types.GenesisEdge{Child: fmt.Sprintf("model/m%d", i+1), Parent: fmt.Sprintf("model/m%d", i), ShareBps: 1})
		}
		return edges
	}
	nodes, err := types.Depths(chain(1024))
	require.NoError(t, err)
	require.EqualValues(t, 1024, nodes[1023].Node.Depth)
	edges := chain(1025)
	for range 2 {
		_, err = types.Depths(edges)
		require.ErrorIs(t, err, types.ErrInvalidGenesis)
		require.ErrorContains(t, err, "limit 1024")
		slices.Reverse(edges)
	}
}

// TestShares compares with exact fractions, up to the largest amount that a node may receive.
func TestShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 0, types.MaxAmountBits/8).Draw(t, "amount")
		amount := math.NewIntFromBigInt(new(big.Int).SetBytes(raw))
		bps := rapid.Uint32Range(1, types.BasisPoints).Draw(t, "bps")
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(amount.BigInt(), big.NewInt(int64(bps))), big.NewInt(10_000))
		down, up := new(big.Rat).SetInt(types.ShareDown(amount, bps).BigInt()), new(big.Rat).SetInt(types.ShareUp(amount, bps).BigInt())
		one := big.NewRat(1, 1)
		require.True(t, down.Cmp(exact) <= 0 && new(big.Rat).Add(down, one).Cmp(exact) > 0)
		require.True(t, up.Cmp(exact) >= 0 && new(big.Rat).Sub(up, one).Cmp(exact) < 0)
	})
}

func TestParseParent(t *testing.T) {
	p, err := types.ParseParent("dataset/mnist:500")
	require.NoError(t, err)
	require.Equal(t, modelstypes.Parent{Kind: modelstypes.PARENT_KIND_DATASET, Id: "mnist", ShareBps: 500}, p)
	for _, bad := range []string{"", "dataset/mnist", "dataset/mnist:", "dataset/mnist:0", "model/a-b:10001", "model/a-b:-1", "model/a-b:1:2", "mnist:5", "model/X:5"} {
		_, err := types.ParseParent(bad)
		require.Error(t, err, bad)
	}
}

func FuzzParseNode(f *testing.F) {
	for _, s := range []string{"model/digits", "dataset/mnist", "model/", "dataset", "model/model/x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, id, err := types.ParseNode(s)
		if err != nil {
			require.ErrorIs(t, err, types.ErrInvalidNode)
			return
		}
		require.True(t, s == types.ModelNode(id) || s == types.DatasetNode(id))
	})
}
