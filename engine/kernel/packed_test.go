package kernel

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPackedMatchesGemm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.OneOf(rapid.IntRange(0, 4), rapid.IntRange(0, 40), rapid.SampledFrom([]int{504, 505, 520})).Draw(t, "m")
		n := rapid.OneOf(rapid.IntRange(0, 200), rapid.SampledFrom([]int{64, 128})).Draw(t, "n")
		k := rapid.OneOf(rapid.IntRange(0, 40), rapid.SampledFrom([]int{255, 256, 257, 4097})).Draw(t, "k")
		if m > 100 {
			n, k = n%70, k%300
		}
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		x, w := fill(m*k, rapid.Uint64().Draw(t, "seed"), 500), fill(n*k, 3, 500)
		want := make([]float32, m*n)
		withReference(func() { Gemm(want, x, w, m, n, k, false, true, None, 1) })
		var layout []float32
		eachKernel(func(name string) {
			packed := PackB(w, n, k)
			if layout == nil {
				layout = packed
			}
			requireSameBits(t, layout, packed, name+" layout")
			got := fill(m*n, 5, 0)
			GemmPacked(got, x, packed, m, n, k, threads)
			requireSameBits(t, want, got, name)
		})
	})
}

func TestPackBPadsWithZeros(t *testing.T) {
	packed := PackB([]float32{1, 2, 3, 4}, 2, 2)
	require.Len(t, packed, 128)
	require.Equal(t, []float32{1, 3, 0}, packed[:3])
	require.Equal(t, []float32{2, 4, 0}, packed[64:67])
}

func BenchmarkPacked(b *testing.B) {
	const n, k = 4096, 2048
	packed := PackB(fill(n*k, 1, 0), n, k)
	for _, m := range []int{1, 2, 3, 4, 16, 128} {
		for _, name := range Available()[1:] {
			for _, threads := range []int{1, runtime.GOMAXPROCS(0)} {
				b.Run(fmt.Sprintf("m=%d/%s/threads=%d", m, name, threads), func(b *testing.B) {
					require.NoError(b, Use(name))
					x, y := fill(m*k, 2, 0), make([]float32, m*n)
					for b.Loop() {
						GemmPacked(y, x, packed, m, n, k, threads)
					}
					b.ReportMetric(2*float64(m)*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
					b.ReportMetric(4*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "weightGB/s")
				})
			}
		}
	}
	_ = Use("auto")
}
