// Package disputes_test plays whole disputes on the chain: honest and lying parties, in process, every invariant after each block.
package disputes_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
)

// counter is a program of many steps: a product with a weight, accumulated, and a stop state.
func counter(tb testing.TB) testutil.Case {
	tb.Helper()
	const steps, stopAt = 40, 23
	b := nn.NewBuilder(steps)
	x := b.Input("x", engine.F32, 1, 300)
	w := b.Weight("w", engine.F32, 300, 300)
	sum := b.State("sum", engine.F32, 1, 300)
	count, stop := b.State("count", engine.I64, 1), b.State("stop", engine.I64, 1)
	g := b.Step()
	mixed := g.Tanh(g.MatMul(g.Add(sum, x), w, false, false, 0))
	next := g.Add(count, g.I64(1))
	g.Update(sum, mixed)
	g.Update(count, next)
	g.Update(stop, g.Where(g.Eq(next, g.I64(stopAt)), next, g.I64(0)))
	b.Output(sum)
	b.Output(stop)
	b.StopState(stop)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(tb, err)
	weights, err := engine.WeightsByName(prog, map[string]*engine.Tensor{"w": ramp(tb, 0.4, 300, 300)})
	require.NoError(tb, err)
	return testutil.Case{
		Program: prog, Steps: steps, Parties: 8,
		Weights: weights,
		Inputs:  map[string]*engine.Tensor{"x": ramp(tb, 0.5, 1, 300)},
		Genesis: quick,
	}
}

// ramp is a tensor of values that differ.
func ramp(tb testing.TB, scale float32, shape ...int64) *engine.Tensor {
	tb.Helper()
	n, err := engine.Elements(shape)
	require.NoError(tb, err)
	v, x := make([]float32, n), uint32(7)
	for i := range v {
		x = x*1664525 + 1013904223
		v[i] = scale * (float32(x>>8)/(1<<24) - 0.5)
	}
	t, err := engine.FromF32(v, shape...)
	require.NoError(tb, err)
	return t
}

// quick makes clocks short.
func quick(g *testutil.Genesis) {
	var d disputestypes.GenesisState
	g.Get(disputestypes.ModuleName, &d)
	d.Params.ClockBase, d.Params.ClockReserve, d.Params.ClaimBlocks = 4, 8, 6
	d.Params.DemandBlocks, d.Params.AppealBlocks = 5, 10
	d.Params.MoveFee = math.NewInt(1_000)
	g.Set(disputestypes.ModuleName, &d)
}

// lost says that a party lost the lock of its role.
func lost(t *testing.T, c *testutil.Court, p *testutil.Party) bool {
	t.Helper()
	rec, err := c.App.Poai.GetParticipant(c.Ctx(), p.String())
	require.NoError(t, err)
	require.True(t, rec.Locked.IsZero(), "%s has %s locked", p.Name, rec.Locked)
	slashed := rec.Bond.LT(math.NewInt(10_000_000_000))
	require.Equal(t, slashed, rec.Faults > 0)
	return slashed
}
