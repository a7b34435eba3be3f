package sprint_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/sprint"
)

// TestGolden pins what every node must compute alike: programs, weights, values.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		config               sprint.Config
		program, root, value string
	}{
		"tiny": {
			sprint.Tiny(), "103a5abd77c06442b9fe0075ad25dbb1036e8bfe4b85fe2208d0d09e1973b69e",
			"887026b4499e3668a0c1dcd9c80eeca87fa7c4a8822a282b34988722b34e8fbb", "227178c0ae686a3f",
		},
		"default": {
			sprint.Default(), "916e76036f1579f5e6fd4b3ddeeb0b24d1d397168b4cc16a869fd97c371d3008",
			"b1fe770f12b7af9420debf6b0ef4a6aed1a2e1574c5922543dedc2b6363f1e1a", "d03ca43fbc7213c0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, c.config)
			root, err := sprint.WeightsRoot(m.prog, [32]byte{7})
			require.NoError(t, err)
			hash := m.prog.Hash()
			values := m.run(t, key("a"), []uint64{1 << 33}, 5)
			require.Equal(t, [3]string{c.program, c.root, c.value}, [3]string{hex(hash[:]), root.String(), hex(values[0][:8])})
		})
	}
}

func TestWeightsRoot(t *testing.T) {
	m := tiny(t)
	want, err := m.weights.Root(1)
	require.NoError(t, err)
	got, err := sprint.WeightsRoot(m.prog, [32]byte{7})
	require.NoError(t, err)
	require.Equal(t, want, got)
	other, err := sprint.WeightsRoot(m.prog, [32]byte{8})
	require.NoError(t, err)
	require.NotEqual(t, got, other)
}

// TestWeightsAreScaled checks mean and deviation of every weight, that no two are alike, and that nothing was rounded.
func TestWeightsAreScaled(t *testing.T) {
	m := load(t, sprint.Default())
	seen := make(map[float32]bool)
	for i, w := range m.prog.WeightSpecs() {
		v := m.weights.Tensors()[i].F32()
		if len(w.Shape) == 1 {
			for _, x := range v {
				require.Equal(t, float32(1), x, w.Name)
			}
			continue
		}
		require.False(t, seen[v[0]], w.Name)
		seen[v[0]] = true
		var sum, squares float64
		for _, x := range v {
			sum += float64(x)
			squares += float64(x) * float64(x) //detlint:allow reference of a test
		}
		dev := math.Sqrt(squares/float64(len(v))) * math.Sqrt(float64(w.Shape[1]))
		require.InDelta(t, 0.85, dev, 0.32, w.Name)
		require.InDelta(t, 0, sum/float64(len(v))*math.Sqrt(float64(w.Shape[1])), 0.02, w.Name)
	}
}

func TestWeightsErrors(t *testing.T) {
	for name, c := range map[string]struct {
		dt    engine.DType
		name  string
		shape []int64
		want  string
	}{
		"dtype": {engine.I8, "w", []int64{2, 2}, "is DTYPE_I8, want f32"},
		"rank":  {engine.F32, "w", []int64{2, 2, 2}, "rank 3, want 2"},
		"large": {engine.F32, "w", []int64{1 << 16, 1 << 16}, "limit 4294967295"},
	} {
		t.Run(name, func(t *testing.T) {
			b := nn.NewBuilder(1)
			g := b.Step()
			w := b.Weight(c.name, c.dt, c.shape...)
			s := b.State("s", c.dt, c.shape...)
			g.Update(s, w)
			b.Output(s)
			prog, err := b.Build(engine.DefaultLimits())
			require.NoError(t, err)
			_, err = sprint.WeightsRoot(prog, [32]byte{})
			require.ErrorIs(t, err, sprint.ErrProgram)
			require.ErrorContains(t, err, c.want)
			_, err = sprint.LayoutOf(prog)
			require.ErrorIs(t, err, sprint.ErrProgram)
		})
	}
}
