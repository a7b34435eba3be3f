package kernel

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fillI8 makes n bytes from a seed; extreme ones make every byte −128 or 127.
func fillI8(n int, seed uint64, extreme bool) []int8 {
	x := make([]int8, n)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		x[i] = int8(seed >> 56)
		if extreme {
			x[i] = []int8{-128, 127}[seed>>62&1]
		}
	}
	return x
}

func TestGemmI8MatchesReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, n := rapid.IntRange(0, 40).Draw(t, "m"), rapid.IntRange(0, 70).Draw(t, "n")
		k := rapid.OneOf(rapid.IntRange(0, 70), rapid.SampledFrom([]int{512, 513, 1024, 1100})).Draw(t, "k")
		ta, tb := rapid.Bool().Draw(t, "ta"), rapid.Bool().Draw(t, "tb")
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		extreme := rapid.Bool().Draw(t, "extreme")
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := fillI8(m*k, seed, extreme), fillI8(k*n, seed+1, extreme)
		want := make([]int32, m*n)
		withReference(func() { GemmI8(want, a, b, m, n, k, ta, tb, 1) })
		eachKernel(func(name string) {
			got := make([]int32, m*n)
			GemmI8(got, a, b, m, n, k, ta, tb, threads)
			require.Equal(t, want, got, name)
		})
	})
}

// TestGemmI8Wraps: sums are taken mod 2^32, never saturated.
func TestGemmI8Wraps(t *testing.T) {
	const k = MaxKI8 + 2
	a := make([]int8, k)
	for i := range a {
		a[i] = -128
	}
	eachKernel(func(name string) {
		got := make([]int32, 1)
		GemmI8(got, a, a, 1, 1, MaxKI8, false, false, 1)
		require.Equal(t, int32(MaxKI8<<14), got[0], name)
		GemmI8(got, a, a, 1, 1, MaxKI8+1, false, false, 1)
		require.Equal(t, int32(math.MinInt32), got[0], name)
	})
}

func BenchmarkGemmI8(b *testing.B) {
	const n = 1024
	x, w, y := fillI8(n*n, 1, false), fillI8(n*n, 2, false), make([]int32, n*n)
	for _, name := range Available()[1:] {
		for _, tb := range []bool{false, true} {
			for _, threads := range []int{1, runtime.GOMAXPROCS(0)} {
				b.Run(fmt.Sprintf("%s/tb=%v/threads=%d", name, tb, threads), func(b *testing.B) {
					require.NoError(b, Use(name))
					for b.Loop() {
						GemmI8(y, x, w, n, n, n, false, tb, threads)
					}
					b.ReportMetric(2*float64(n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
				})
			}
		}
	}
	_ = Use("auto")
}

// TestGemvI8 takes the path of few rows times a transposed matrix.
func TestGemvI8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, n := rapid.IntRange(1, 5).Draw(t, "m"), rapid.IntRange(1, 200).Draw(t, "n")
		k := rapid.OneOf(rapid.IntRange(1, 200), rapid.SampledFrom([]int{256, 1023, 4097})).Draw(t, "k")
		extreme := rapid.Bool().Draw(t, "extreme")
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := fillI8(m*k, seed, extreme), fillI8(k*n, seed+1, extreme)
		want := make([]int32, m*n)
		withReference(func() { GemmI8(want, a, b, m, n, k, false, true, 1) })
		eachKernel(func(name string) {
			got := make([]int32, m*n)
			GemmI8(got, a, b, m, n, k, false, true, 3)
			require.Equal(t, want, got, name)
		})
	})
}
