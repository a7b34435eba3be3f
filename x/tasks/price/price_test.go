package price_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/tasks/price"
)

const eighth = price.PPM / 8

func i(n int64) math.Int { return math.NewInt(n) }

func TestNext(t *testing.T) {
	for name, c := range map[string]struct {
		floor, least, want int64
		used, target       uint64
	}{
		"at the target":                  {1000, 1, 1000, 50, 50},
		"twice the target":               {1000, 1, 1125, 100, 50},
		"no more than that":              {1000, 1, 1125, 1 << 63, 50},
		"half above":                     {1000, 1, 1063, 75, 50}, // 62.5, rounded up
		"empty":                          {1000, 1, 875, 0, 50},
		"half below":                     {1000, 1, 938, 25, 50}, // 62.5, rounded down
		"rises from 1":                   {1, 1, 2, 51, 50},
		"rises from 0":                   {0, 0, 1, 51, 50},
		"a floor too low to fall stands": {7, 1, 7, 0, 50},
		"never below the least":          {1000, 990, 990, 0, 50},
		"a least that was raised":        {1000, 5000, 5000, 50, 50},
		"no target":                      {1000, 1, 1000, 99, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, i(c.want).String(), price.Next(i(c.floor), i(c.least), c.used, c.target, eighth).String())
		})
	}
}

func TestNextIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := math.NewIntFromBigInt(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "floor")))
		target := rapid.Uint64Min(1).Draw(t, "target")
		used := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 2)).Draw(t, "used")
		rate := rapid.Uint32Range(0, price.PPM).Draw(t, "rate")
		got := price.Next(floor, math.ZeroInt(), used, target, rate)
		// floor · (1 + rate · (min(used, 2·target) − target) / target)
		delta := new(big.Int).SetUint64(used)
		if twice := new(big.Int).Lsh(new(big.Int).SetUint64(target), 1); delta.Cmp(twice) > 0 {
			delta = twice
		}
		delta.Sub(delta, new(big.Int).SetUint64(target))
		exact := new(big.Rat).SetFrac(delta, new(big.Int).SetUint64(target))
		exact.Mul(exact, big.NewRat(int64(rate), price.PPM)).Add(exact, big.NewRat(1, 1)).Mul(exact, new(big.Rat).SetInt(floor.BigInt()))
		diff := new(big.Rat).Sub(new(big.Rat).SetInt(got.BigInt()), exact)
		require.True(t, diff.Sign() >= 0 && diff.Cmp(big.NewRat(1, 1)) <= 0, "%s, exactly %s", got, exact.FloatString(3))
		require.Equal(t, used > target, got.GT(floor), "rises exactly above the target")
		more := price.Next(floor, math.ZeroInt(), used+min(1, ^used), target, rate)
		require.True(t, more.GTE(got), "demand never lowers the price")
	})
}

// TestDemandDoublesThePrice: from any floor a lasting demand of twice the target passes any price.
func TestDemandDoublesThePrice(t *testing.T) {
	floor := i(1)
	for range 200 {
		floor = price.Next(floor, i(1), 100, 50, eighth)
	}
	require.True(t, floor.GT(i(1_000_000_000)), floor.String())
	for range 400 {
		floor = price.Next(floor, i(5), 0, 50, eighth)
	}
	require.True(t, floor.LTE(i(7)), floor.String())
}
