package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/beacon/types"
)

func TestSafeDelay(t *testing.T) {
	equal := func(n int) []int64 {
		out := make([]int64, n)
		for i := range out {
			out[i] = 7
		}
		return out
	}
	for _, tc := range []struct {
		powers []int64
		want   uint64
	}{
		{nil, 1},
		{equal(1), 1},
		{equal(4), 1},
		{equal(6), 2},
		{equal(20), 6},
		{equal(100), 33},
		{[]int64{1, 100, 1, 1, 1}, 4},
		{[]int64{50, 1, 49, 1, 1}, 3},
	} {
		require.Equal(t, tc.want, types.SafeDelay(tc.powers), "%v", tc.powers)
	}
}
