package kernel

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParallelCoversEveryIndexOnce(t *testing.T) {
	for _, threads := range []int{-1, 1, 2, 7, 100} {
		for _, n := range []int{0, 1, 2, 99} {
			hits := make([]atomic.Int32, n)
			Parallel(threads, n, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					hits[i].Add(1)
				}
			})
			for i := range hits {
				require.EqualValues(t, 1, hits[i].Load(), "threads %d, n %d, index %d", threads, n, i)
			}
		}
	}
}

// TestParallelNests: nested calls share the pool and must not wait for each other.
func TestParallelNests(t *testing.T) {
	var sum atomic.Int64
	Parallel(8, 8, func(lo, hi int) {
		for range hi - lo {
			Parallel(8, 8, func(lo, hi int) { sum.Add(int64(hi - lo)) })
		}
	})
	require.EqualValues(t, 64, sum.Load())
}

func TestParallelPassesPanicsOn(t *testing.T) {
	require.PanicsWithValue(t, "index 0", func() {
		Parallel(4, 4, func(lo, _ int) {
			if lo == 0 {
				panic("index 0")
			}
		})
	})
}
