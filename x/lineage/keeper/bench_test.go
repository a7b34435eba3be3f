package keeper_test

import (
	"fmt"
	"strconv"
	"testing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"

	"poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

// lineal is a model "leaf" with n parents, at most 256, and n models that descend from it.
func lineal(tb testing.TB, parents, children int) *fix {
	tb.Helper()
	f := fixture(tb)
	p := types.DefaultParams()
	p.MaxParents = 256
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(tb, err)
	list := make([]modelstypes.Parent, parents)
	for i := range list {
		id := "parent-" + strconv.Itoa(i)
		f.mustRegister(id, 1)
		list[i] = model(id, 30)
	}
	f.mustRegister("leaf", 2, list...)
	for i := range children {
		f.mustRegister("child-"+strconv.Itoa(i), 3, model("leaf", 5_000))
	}
	return f
}

// gas is what do costs.
func (f *fix) gas(do func(f *fix)) uint64 {
	g := *f
	meter := storetypes.NewInfiniteGasMeter()
	g.ctx = f.ctx.WithGasMeter(meter)
	do(&g)
	return meter.GasConsumed()
}

// collected pays a royalty for a child, which the leaf gets half of, and claims it for the leaf.
func collected(f *fix) {
	f.use("child-0", denom, 1_000_000)
	_, err := f.msg.Collect(f.ctx, &types.MsgCollect{Sender: who(99), Denom: denom, Path: []string{"model/child-0", "model/leaf"}})
	require.NoError(f.t, err)
}

// TestCostDoesNotGrowWithTheFamily: a use writes one record whatever the number of parents and descendants, and a claim reads the node's own parents only.
func TestCostDoesNotGrowWithTheFamily(t *testing.T) {
	cost := func(parents, children int) (use, collect uint64) {
		f := lineal(t, parents, children)
		collected(f)
		return f.gas(func(f *fix) { f.use("leaf", denom, 1_000_000) }), f.gas(collected)
	}
	use, collect := cost(10, 2)
	manyUse, manyCollect := cost(10, 2_000)
	require.Equal(t, use, manyUse, "of descendants nothing is read")
	require.InEpsilon(t, collect, manyCollect, 0.01)
	parentsUse, parentsCollect := cost(250, 2)
	require.Equal(t, use, parentsUse, "nor of parents, by a use")
	require.Less(t, parentsCollect, 30*collect, "a claim reads 25 times the parents")
	t.Logf("gas of a use %d; of settling an edge and claiming %d with 10 parents, %d with 250, %d with 2,000 descendants", use, collect, parentsCollect, manyCollect)
}

func BenchmarkRoyalties(b *testing.B) {
	for _, size := range []struct{ parents, children int }{{1, 1}, {16, 1}, {256, 1}, {16, 1_000}, {16, 100_000}} {
		f := lineal(b, size.parents, size.children)
		name := fmt.Sprintf("%d-parents/%d-descendants", size.parents, size.children)
		b.Run("use/"+name, func(b *testing.B) {
			for b.Loop() {
				f.use("leaf", denom, 1_000_000)
			}
		})
		b.Run("claim/"+name, func(b *testing.B) {
			for b.Loop() {
				f.use("leaf", denom, 1_000_000)
				_, err := f.claim("model/leaf", denom)
				require.NoError(b, err)
			}
		})
	}
}
