package game_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/game"
	"poaid/testutil/adversary"
	"poaid/testutil/programs"
)

// BenchmarkJudgement measures the dearest moves of a chain: judging fold steps of a product with a weight of n×n, whose
// terms lie a row apart or next to each other. The model's size shows in logarithms only. POAI_BENCH_LARGE=1 adds 10^9 parameters, which take
// 10 GB and a minute to set up.
func BenchmarkJudgement(b *testing.B) {
	sizes := map[string]int64{"10^5": 316, "10^7": 3162}
	if os.Getenv("POAI_BENCH_LARGE") != "" {
		sizes["10^9"] = 31623
	}
	for name, n := range sizes {
		for _, strided := range []bool{true, false} {
			layout := "contiguous"
			if strided {
				layout = "strided"
			}
			b.Run(name+"/"+layout, func(b *testing.B) {
				p := product(b, n, strided)
				w := p.world(b, 16)
				node := w.machine.Nodes(0) - 1
				liar := w.lie(adversary.Flip(0, node, 44, 1))
				root, err := game.ResultRoot(liar, 1)
				require.NoError(b, err)
				g := w.start(b, root, w.root)
				for g.Phase != game.PhaseJudge {
					who := liar
					if g.Turn() == game.Challenger {
						who = w.truth
					}
					m, err := w.solver(who).Next(g)
					require.NoError(b, err)
					g = apply(b, g, m)
				}
				m, err := w.solver(w.truth).Next(g)
				require.NoError(b, err)
				for b.Loop() {
					if _, err := g.Apply(m); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(m.Size()), "bytes")
				b.ReportMetric(float64(g.Rounds), "rounds")
				b.ReportMetric(float64(g.FoldTo-g.FoldFrom), "terms")
			})
		}
	}
}

func product(tb testing.TB, n int64, strided bool) program {
	tb.Helper()
	b := nn.NewBuilder(1)
	x, w := b.Input("x", engine.F32, 1, n), b.Weight("w", engine.F32, n, n)
	y := b.State("y", engine.F32, 1, n)
	b.Step().Update(y, b.Step().MatMul(x, w, false, !strided, 0))
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(tb, err)
	fill := func(shape ...int64) *engine.Tensor {
		n, err := engine.Elements(shape)
		require.NoError(tb, err)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%97)/64 - 0.7
		}
		t, err := engine.FromF32(v, shape...)
		require.NoError(tb, err)
		return t
	}
	weights, err := engine.NewWeights(prog, []*engine.Tensor{fill(n, n)})
	require.NoError(tb, err)
	return program{prog, weights, map[string]*engine.Tensor{"x": fill(1, n)}, 1}
}

// BenchmarkSolver is what a challenger spends on a whole game over a generation, re-execution of every step included.
func BenchmarkSolver(b *testing.B) {
	p := program(programs.Llama(b))
	w := p.world(b, 16)
	update, err := w.machine.Update(5, 0)
	require.NoError(b, err)
	liar := w.lie(adversary.Flip(5, update, 77, 1))
	root, err := game.ResultRoot(liar, p.Steps)
	require.NoError(b, err)
	for b.Loop() {
		g := w.start(b, root, w.root)
		for g.Phase != game.PhaseOver {
			who := liar
			if g.Turn() == game.Challenger {
				who = w.truth
			}
			m, err := w.solver(who).Next(g)
			require.NoError(b, err)
			if g, err = g.Apply(m); err != nil {
				b.Fatal(err)
			}
		}
	}
}
