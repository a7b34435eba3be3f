package kernel

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// eachKernel runs f once for every kernel the processor has, then restores auto.
func eachKernel(f func(name string)) {
	for _, name := range Available() {
		if err := Use(name); err != nil {
			panic(err)
		}
		f(name)
	}
	_ = Use("auto")
}

// withReference runs f on the reference kernel.
func withReference(f func()) {
	_ = Use("reference")
	f()
	_ = Use("auto")
}

var specials = []float32{
	0, math.Float32frombits(1 << 31), 1, -1, math.Float32frombits(1), math.Float32frombits(0x80000001),
	math.Float32frombits(0x007fffff), math.Float32frombits(0x00800000), math.MaxFloat32, -math.MaxFloat32,
	float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7fc00000), math.Float32frombits(0xffc01234),
	1e-30, -1e-30, 1e30, 88.8, -103.9, 0.625,
}

// fill makes n floats from a seed; one in rare is special (0: none), the others
// span a range of exponents so that every rounding shows.
func fill(n int, seed uint64, rare int) []float32 {
	x := make([]float32, n)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		h := seed >> 33
		x[i] = math.Float32frombits(uint32(h&0x807fffff) | uint32(120+h>>24&7)<<23)
		if rare > 0 && int(h>>3)%rare == 0 {
			x[i] = specials[int(h>>12)%len(specials)]
		}
	}
	return x
}

// requireSameBits fails at the first element whose bits differ.
func requireSameBits(t require.TestingT, want, got []float32, msg string) {
	require.Len(t, got, len(want), msg)
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) {
			require.Failf(t, "bits differ", "%s: element %d: want %08x (%v), got %08x (%v)",
				msg, i, math.Float32bits(want[i]), want[i], math.Float32bits(got[i]), got[i])
		}
	}
}

func TestGemmMatchesReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.OneOf(rapid.IntRange(0, 70), rapid.SampledFrom([]int{1, 2, 6, 14, 16, 28, 29, 32, 64, 65}))
		m, n := dim.Draw(t, "m"), dim.Draw(t, "n")
		k := rapid.OneOf(dim, rapid.IntRange(250, 560)).Draw(t, "k")
		ta, tb := rapid.Bool().Draw(t, "ta"), rapid.Bool().Draw(t, "tb")
		tri := rapid.SampledFrom([]Tri{None, Lower, Upper}).Draw(t, "tri")
		threads := rapid.IntRange(1, 4).Draw(t, "threads")
		rare := rapid.SampledFrom([]int{0, 4, 1000}).Draw(t, "rare")
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := fill(m*k, seed, rare), fill(k*n, seed+1, rare)
		want := fill(m*n, 7, 2)
		withReference(func() { Gemm(want, a, b, m, n, k, ta, tb, tri, 1) })
		eachKernel(func(name string) {
			got := fill(m*n, 9, 2)
			Gemm(got, a, b, m, n, k, ta, tb, tri, threads)
			requireSameBits(t, want, got, name)
		})
	})
}

// TestGemmDeep needs B packed in several blocks of k.
func TestGemmDeep(t *testing.T) {
	const m, n, k = 30, 2200, 600
	a, b := fill(m*k, 1, 1000), fill(k*n, 2, 100000)
	want := make([]float32, m*n)
	withReference(func() { Gemm(want, a, b, m, n, k, true, true, Upper, 0) })
	eachKernel(func(name string) {
		got := make([]float32, m*n)
		Gemm(got, a, b, m, n, k, true, true, Upper, 2)
		requireSameBits(t, want, got, name)
	})
}

// TestGemmLarge crosses every block boundary once.
func TestGemmLarge(t *testing.T) {
	const m, n, k = 190, 4160, 300
	a, b := fill(m*k, 1, 0), fill(k*n, 2, 100000)
	want := make([]float32, m*n)
	withReference(func() { Gemm(want, a, b, m, n, k, false, false, Lower, 0) })
	eachKernel(func(name string) {
		got := make([]float32, m*n)
		Gemm(got, a, b, m, n, k, false, false, Lower, 3)
		requireSameBits(t, want, got, name)
	})
}

func TestGemmBatch(t *testing.T) {
	const batch, m, n, k = 5, 17, 33, 40
	a, b := fill(batch*m*k, 1, 50), fill(n*k, 2, 50)
	eachKernel(func(name string) {
		for _, threads := range []int{1, 3, 8} {
			got := make([]float32, batch*m*n)
			GemmBatch(got, a, b, batch, m, n, k, m*n, m*k, 0, false, true, None, threads)
			for p := range batch {
				want := make([]float32, m*n)
				Gemm(want, a[p*m*k:], b, m, n, k, false, true, None, 1)
				requireSameBits(t, want, got[p*m*n:(p+1)*m*n], name)
			}
		}
	})
}

func TestUse(t *testing.T) {
	require.NoError(t, Use("reference"))
	require.Equal(t, "reference", Name())
	require.Error(t, Use("mmx"))
	require.Equal(t, "reference", Name(), "a failed Use changes nothing")
	require.NoError(t, Use("auto"))
	require.Equal(t, Available()[len(Available())-1], Name())
}

func TestGemmPanicsOnShortSlice(t *testing.T) {
	require.PanicsWithValue(t, "kernel.Gemm: b has 3 elements, shape needs 4", func() {
		Gemm(make([]float32, 4), make([]float32, 4), make([]float32, 3), 2, 2, 2, false, false, None, 1)
	})
}

// benchGemm reports GFLOP/s of a product for every tuned kernel.
func benchGemm(b *testing.B, m, n, k int, tb bool) {
	b.Helper()
	for _, name := range Available()[1:] {
		for _, threads := range []int{1, runtime.GOMAXPROCS(0)} {
			b.Run(fmt.Sprintf("%s/threads=%d", name, threads), func(b *testing.B) {
				require.NoError(b, Use(name))
				x, w, y := fill(m*k, 1, 0), fill(k*n, 2, 0), make([]float32, m*n)
				for b.Loop() {
					Gemm(y, x, w, m, n, k, false, tb, None, threads)
				}
				b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
	_ = Use("auto")
}

func BenchmarkGemm512(b *testing.B)    { benchGemm(b, 512, 512, 512, false) }
func BenchmarkGemm1024(b *testing.B)   { benchGemm(b, 1024, 1024, 1024, false) }
func BenchmarkGemm1024NT(b *testing.B) { benchGemm(b, 1024, 1024, 1024, true) }
func BenchmarkGemm64(b *testing.B)     { benchGemm(b, 64, 64, 64, false) }
func BenchmarkGemvNT(b *testing.B)     { benchGemm(b, 1, 4096, 1024, true) }
func BenchmarkGemvNN(b *testing.B)     { benchGemm(b, 1, 1024, 1024, false) }

// TestGemvTransposed takes the path of one row times a transposed matrix.
func TestGemvTransposed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(30, 200).Draw(t, "n"), rapid.OneOf(rapid.IntRange(1, 100), rapid.SampledFrom([]int{4200, 1<<15 + 20})).Draw(t, "k")
		x, w := fill(k, rapid.Uint64().Draw(t, "seed"), 100), fill(n*k, 3, rapid.SampledFrom([]int{0, 500}).Draw(t, "rare"))
		want := make([]float32, n)
		withReference(func() { Gemm(want, x, w, 1, n, k, false, true, None, 1) })
		eachKernel(func(name string) {
			got := fill(n, 5, 2)
			Gemm(got, x, w, 1, n, k, false, true, None, 2)
			requireSameBits(t, want, got, name)
		})
	})
}
