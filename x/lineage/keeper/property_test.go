package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

// edge of a drawn graph.
type edge struct{ child, parent string }

// draw makes a random graph of n models and some datasets; names are in the order of registration.
func draw(t *rapid.T, f *fix) (names []string, edges []edge, parents map[string]int) {
	n := rapid.IntRange(2, 9).Draw(t, "models")
	sets := rapid.IntRange(0, 2).Draw(t, "datasets")
	parents = map[string]int{}
	for i := range sets {
		id := fmt.Sprintf("set-%d", i)
		f.reg.datasets[id] = who(100 + i)
		names = append(names, types.DatasetNode(id))
	}
	for i := range n {
		id := fmt.Sprintf("model-%d", i)
		var list []modelstypes.Parent
		left := uint32(9000)
		for _, name := range names {
			if !rapid.Bool().Draw(t, "descends") || left == 0 {
				continue
			}
			share := rapid.Uint32Range(1, left).Draw(t, "share")
			left -= share
			kind, pid, err := types.ParseNode(name)
			require.NoError(t, err)
			list = append(list, modelstypes.Parent{Kind: kind, Id: pid, ShareBps: share})
			edges = append(edges, edge{types.ModelNode(id), name})
		}
		f.mustRegister(id, i, list...)
		names = append(names, types.ModelNode(id))
		parents[types.ModelNode(id)] = len(list)
	}
	return names, edges, parents
}

// TestConservation uses, settles and claims at random in random graphs: after each step the books balance to the last unit and every parent
// is covered. When all is settled and claimed less than one unit a parent is left with any node, and what each received does not depend on
// the order in which things happened.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		names, edges, parents := draw(t, f)
		in := math.ZeroInt()
		uses := map[string]int64{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				id := fmt.Sprintf("model-%d", rapid.IntRange(0, len(f.reg.models)-1).Draw(t, "model"))
				amount := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, 1<<50)).Draw(t, "amount")
				if !f.use(id, denom, amount) {
					in = in.AddRaw(amount)
					uses[types.ModelNode(id)] += amount
				}
			case 2:
				if len(edges) > 0 {
					e := rapid.SampledFrom(edges).Draw(t, "edge")
					if _, err := f.settle(denom, e.child, e.parent); err != nil {
						require.ErrorIs(t, err, types.ErrNothingDue)
					}
				}
			case 3:
				if _, err := f.claim(rapid.SampledFrom(names).Draw(t, "node"), denom); err != nil {
					require.ErrorIs(t, err, types.ErrNothingDue)
				}
			}
			f.check()
		}
		finish(t, f, names, edges)
		claimed := math.ZeroInt()
		held := f.bank.GetAllBalances(f.ctx, authtypes.NewModuleAddress(types.ModuleName)).AmountOf(denom)
		bound := int64(0)
		for _, name := range names {
			list, err := f.q.Accounts(f.ctx, &types.QueryAccountsRequest{Node: name})
			require.NoError(t, err)
			for _, a := range list.Accounts {
				left := a.Account.Received.Sub(a.Account.Claimed).Sub(a.Passed)
				require.True(t, left.LT(math.NewInt(int64(parents[name])+1)), "%s holds %s", name, left)
				claimed = claimed.Add(a.Account.Claimed)
				require.Equal(t, expected(f, name, names, edges, uses).String(), a.Account.Received.String(), name)
			}
			bound += int64(parents[name])
		}
		require.Equal(t, in.String(), claimed.Add(held).String(), "nothing is lost or made")
		require.True(t, held.LTE(math.NewInt(bound)))
		roundTrip(t, f)
	})
}

// finish settles all edges, children of later registration first, and claims everything.
func finish(t *rapid.T, f *fix, names []string, edges []edge) {
	for i := len(edges) - 1; i >= 0; i-- { // edges are in the order of their children, so these come before their parents' edges
		if _, err := f.settle(denom, edges[i].child, edges[i].parent); err != nil {
			require.ErrorIs(t, err, types.ErrNothingDue)
		}
	}
	for _, name := range names {
		if _, err := f.claim(name, denom); err != nil {
			require.ErrorIs(t, err, types.ErrNothingDue)
		}
	}
	require.NoError(t, f.k.Invariants(f.ctx))
}

// expected is what a node receives in the end: its own royalties, and of what each child received its share, rounded down.
func expected(f *fix, name string, names []string, edges []edge, uses map[string]int64) math.Int {
	sum := math.NewInt(uses[name])
	for _, e := range edges {
		if e.parent != name {
			continue
		}
		c, err := f.q.Children(f.ctx, &types.QueryChildrenRequest{Node: name})
		require.NoError(f.t, err)
		for _, s := range c.Children {
			if s.Node == e.child {
				sum = sum.Add(expected(f, e.child, names, edges, uses).MulRaw(int64(s.ShareBps)).QuoRaw(10_000))
			}
		}
	}
	return sum
}

// roundTrip exports the state, imports it elsewhere and compares.
func roundTrip(t require.TestingT, f *fix) {
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	f2 := emptyFixture(t, f.reg)
	f2.bank.balances = f.bank.balances
	require.NoError(t, f2.k.InitGenesis(f2.ctx, *g))
	again, err := f2.k.ExportGenesis(f2.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	for _, e := range g.Edges {
		a, err := f.k.Nodes.Get(f.ctx, e.Child)
		require.NoError(t, err)
		b, err := f2.k.Nodes.Get(f2.ctx, e.Child)
		require.NoError(t, err)
		require.Equal(t, a, b)
	}
}
