package split_test

import (
	"slices"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/internal/split"
)

func text(parts []math.Int) (out []string) {
	for _, p := range parts {
		out = append(out, p.String())
	}
	return out
}

func TestWeighted(t *testing.T) {
	for _, c := range []struct {
		amount  int64
		weights []uint64
		want    []string
	}{
		{100, []uint64{8_000, 1_500, 500}, []string{"80", "15", "5"}},
		{3, []uint64{1, 1}, []string{"2", "1"}},
		{10, []uint64{1, 1, 1}, []string{"4", "3", "3"}},
		{7, []uint64{0, 3, 0}, []string{"0", "7", "0"}},
		{1, []uint64{499, 501}, []string{"0", "1"}},
		{0, []uint64{1, 2}, []string{"0", "0"}},
	} {
		require.Equal(t, c.want, text(split.Weighted(math.NewInt(c.amount), c.weights...)), "%+v", c)
	}
}

// TestNothingIsLost: parts add up, none is off its exact share by one or more, and equal weights are shared as Evenly does.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := math.NewIntFromUint64(rapid.Uint64().Draw(t, "amount")).Mul(math.NewIntFromUint64(rapid.Uint64Range(1, 1<<40).Draw(t, "scale")))
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 5)), 1, 12).Draw(t, "weights")
		if !slices.ContainsFunc(weights, func(w uint64) bool { return w > 0 }) {
			weights[0] = 1
		}
		total, sum := math.ZeroInt(), math.ZeroInt()
		for _, w := range weights {
			total = total.Add(math.NewIntFromUint64(w))
		}
		parts := split.Weighted(amount, weights...)
		for i, p := range parts {
			sum = sum.Add(p)
			exact := amount.Mul(math.NewIntFromUint64(weights[i]))
			require.True(t, p.Mul(total).Sub(exact).Abs().LT(total), "part %d of %s by %v: %s", i, amount, weights, p)
		}
		require.Equal(t, amount.String(), sum.String())
		n := rapid.IntRange(1, 20).Draw(t, "n")
		require.Equal(t, text(split.Weighted(amount, slices.Repeat([]uint64{7}, n)...)), text(split.Evenly(amount, n)))
	})
	require.Empty(t, split.Evenly(math.NewInt(5), 0))
}
