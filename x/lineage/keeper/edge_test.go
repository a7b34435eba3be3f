package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

func TestParentsThatAreRefused(t *testing.T) {
	f := fixture(t)
	f.mustRegister("base", 1)
	f.mustRegister("sprint-7", 1)
	f.reg.datasets["mnist"] = who(2)
	thousand := make([]modelstypes.Parent, 1000)
	for i := range thousand {
		f.mustRegister(fmt.Sprintf("m%d", i), 1)
		thousand[i] = model(fmt.Sprintf("m%d", i), 1)
	}
	for _, c := range []struct {
		name    string
		parents []modelstypes.Parent
		want    error
		text    string
	}{
		{"a thousand", thousand, types.ErrTooManyParents, "parents: 1000 given, limit 16"},
		{"one too many", thousand[:17], types.ErrTooManyParents, "17 given"},
		{"unknown model", []modelstypes.Parent{model("nothing", 1)}, types.ErrUnknownNode, "model/nothing"},
		{"unknown dataset", []modelstypes.Parent{dataset("base", 1)}, types.ErrUnknownNode, "dataset/base"},
		{"seeded model", []modelstypes.Parent{model("sprint-7", 1)}, types.ErrUnknownNode, "sprint-7"},
		{"itself", []modelstypes.Parent{model("new", 1)}, types.ErrSelf, "model/new"},
		{"twice", []modelstypes.Parent{model("base", 1), dataset("mnist", 1), model("base", 2)}, types.ErrDuplicateParent, "parents[2]"},
		{"zero share", []modelstypes.Parent{model("base", 0)}, types.ErrShare, "share_bps: 0 must be in 1..9000"},
		{"share", []modelstypes.Parent{model("base", 9001)}, types.ErrShare, "9001"},
		{"huge share", []modelstypes.Parent{model("base", 1<<32-1)}, types.ErrShare, "4294967295"},
		{"shares", []modelstypes.Parent{model("base", 5000), dataset("mnist", 4001)}, types.ErrShare, "9001 bps together"},
		{"kind", []modelstypes.Parent{{Kind: 7, Id: "base", ShareBps: 1}}, types.ErrInvalidNode, "7"},
		{"id", []modelstypes.Parent{model("Base/x", 1)}, types.ErrInvalidNode, "Base/x"},
	} {
		f.reg.models["new"] = who(3) // x/models stores it first
		require.ErrorIs(t, f.k.Hooks().CheckParents(f.ctx, "new", c.parents), c.want, c.name)
		err := f.register("new", 3, c.parents...)
		require.ErrorIs(t, err, c.want, c.name)
		require.ErrorContains(t, err, c.text, c.name)
	}
	f.check()
	full := append(append([]modelstypes.Parent(nil), thousand[:14]...), model("base", 5000), dataset("mnist", 3986))
	require.NoError(t, f.k.Hooks().CheckParents(f.ctx, "new", full))
	f.mustRegister("new", 3, full...)
	f.check()
	require.ErrorIs(t, f.register("new", 3, model("base", 1)), types.ErrAccounting, "parents are fixed")
}

func TestDepthIsBounded(t *testing.T) {
	f := fixture(t)
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: types.Params{MaxParents: 2, MaxDepth: 3, MaxTotalBps: 10_000}})
	require.NoError(t, err)
	f.mustRegister("g0", 1)
	for i := 1; i <= 3; i++ {
		f.mustRegister(fmt.Sprintf("g%d", i), 1, model(fmt.Sprintf("g%d", i-1), 2))
	}
	err = f.register("g4", 1, model("g0", 1), model("g3", 1))
	require.ErrorIs(t, err, types.ErrTooDeep)
	require.ErrorContains(t, err, "4 generations, limit 3")
	f.mustRegister("h3", 1, model("g2", 1), model("g0", 1))
	n, err := f.k.Nodes.Get(f.ctx, "model/h3")
	require.NoError(t, err)
	require.Equal(t, types.Node{Depth: 3, Parents: 2, TotalBps: 2}, n)
	delete(f.reg.models, "g4")
	f.check()
}

func TestNodeQuery(t *testing.T) {
	f := fixture(t)
	f.mustRegister("base", 1)
	f.reg.datasets["mnist"] = who(2)
	f.mustRegister("child", 3, model("base", 1000), dataset("mnist", 500))
	n, err := f.q.Node(f.ctx, &types.QueryNodeRequest{Node: "model/child"})
	require.NoError(t, err)
	require.Equal(t, &types.QueryNodeResponse{Owner: who(3), Depth: 1, Parents: []types.Share{{Node: "dataset/mnist", ShareBps: 500}, {Node: "model/base", ShareBps: 1000}}}, n)
	n, err = f.q.Node(f.ctx, &types.QueryNodeRequest{Node: "dataset/mnist"})
	require.NoError(t, err)
	require.Equal(t, &types.QueryNodeResponse{Owner: who(2)}, n)
	c, err := f.q.Children(f.ctx, &types.QueryChildrenRequest{Node: "dataset/mnist"})
	require.NoError(t, err)
	require.Equal(t, []types.Share{{Node: "model/child", ShareBps: 500}}, c.Children)
	for _, bad := range []string{"", "child", "model/", "model/nothing", "dataset/child", "users/child"} {
		_, err := f.q.Node(f.ctx, &types.QueryNodeRequest{Node: bad})
		require.Error(t, err, bad)
	}
}
