package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
)

// TestSetrowIsPricedByWhatItCopies: a row of a cache is cheap only where the cache is changed in place. Otherwise the machine
// copies the whole, and somebody must pay for it.
func TestSetrowIsPricedByWhatItCopies(t *testing.T) {
	const rows, row = 4096, 64
	units := func(program func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value)) uint64 {
		b := nn.NewBuilder(1)
		g := b.Step()
		program(b, g, b.Input("at", engine.I64, 1), b.Input("fresh", engine.F32, 1, row))
		p, err := b.Build(engine.DefaultLimits())
		require.NoError(t, err)
		u, err := p.Units(engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1}, 0, false)
		require.NoError(t, err)
		return u
	}
	inPlace := units(func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value) {
		s := b.State("s", engine.F32, rows, row)
		g.Update(s, g.SetRow(s, fresh, at))
		b.Output(s)
	})
	require.Less(t, inPlace, uint64(4*row*4))

	const whole = rows * row * 4
	for name, program := range map[string]func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value){
		"of a weight": func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value) {
			s := b.State("s", engine.F32, rows, row)
			g.Update(s, g.SetRow(b.Weight("w", engine.F32, rows, row), fresh, at))
			b.Output(s)
		},
		"of another state": func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value) {
			s, other := b.State("s", engine.F32, rows, row), b.State("other", engine.F32, rows, row)
			g.Update(s, g.SetRow(other, fresh, at))
			b.Output(s)
		},
		"of a state that is read as well": func(b *nn.Builder, g *nn.Graph, at, fresh nn.Value) {
			s, r := b.State("s", engine.F32, rows, row), b.State("r", engine.F32, 1, row)
			g.Update(s, g.SetRow(s, fresh, at))
			g.Update(r, g.GatherClamp(s, at))
			b.Output(s)
			b.Output(r)
		},
	} {
		require.GreaterOrEqual(t, units(program), inPlace+2*whole, name)
	}
}
