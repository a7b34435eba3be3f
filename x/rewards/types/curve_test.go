package types_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/rewards/types"
)

func point(from, each int64) types.CurvePoint {
	return types.CurvePoint{FromHeight: from, BlockEmission: math.NewInt(each)}
}

func tableParams(points ...types.CurvePoint) types.Params {
	p := types.DefaultParams()
	p.Curve, p.Table = types.CURVE_TABLE, points
	return p
}

func exponentialParams(emission math.Int, ppb uint32, period int64) types.Params {
	p := types.DefaultParams()
	p.Curve, p.BlockEmission, p.DecayPpb, p.PeriodBlocks = types.CURVE_EXPONENTIAL, emission, ppb, period
	return p
}

func TestEmissionByTable(t *testing.T) {
	p := tableParams(point(10, 100), point(20, 7), point(30, 0), point(40, 1))
	for _, c := range []struct {
		name     string
		from, to int64
		want     int64
	}{
		{"before the first", 0, 9, 0},
		{"the first block", 10, 10, 100},
		{"across an entry", 19, 20, 107},
		{"a whole entry", 20, 29, 70},
		{"an entry of nothing", 30, 39, 0},
		{"all of it", 0, 41, 1_000 + 70 + 2},
		{"beyond the last", 1_000, 1_999, 1_000},
		{"empty range", 20, 19, 0},
		{"negative heights", -5, 10, 100},
	} {
		require.Equal(t, c.want, p.Emission(c.from, c.to).Int64(), c.name)
	}
	require.Equal(t, math.NewInt(1<<62).MulRaw(2).String(), tableParams(point(0, 1)).Emission(0, 1<<63-1).String(), "to the end of time")
}

// exactDecay is emission × (1 − ppb/10^9)^n as a fraction.
func exactDecay(emission math.Int, ppb uint32, n int64) *big.Rat {
	v := new(big.Rat).SetInt(emission.BigInt())
	keep := big.NewRat(1_000_000_000-int64(ppb), 1_000_000_000)
	for range n {
		v.Mul(v, keep)
	}
	return v
}

// The exact value is rounded down, but where it is within 2^-26 of a whole coin: there it is that coin.
func TestEmissionDecaysExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		emission := math.NewIntFromUint64(rapid.Uint64().Draw(t, "emission")).Mul(math.NewInt(rapid.Int64Range(1, 1<<36).Draw(t, "scale")))
		ppb := rapid.OneOf(rapid.Uint32Range(1, 999_999_999), rapid.Uint32Range(1, 100), rapid.Just(uint32(500_000_000))).Draw(t, "ppb")
		n := rapid.Int64Range(0, 150).Draw(t, "periods")
		got := exponentialParams(emission, ppb, 10).BlockEmissionAt(n*10 + rapid.Int64Range(0, 9).Draw(t, "block"))
		exact := exactDecay(emission, ppb, n)
		diff := new(big.Rat).Sub(exact, new(big.Rat).SetInt(got.BigInt()))
		require.GreaterOrEqual(t, diff.Cmp(big.NewRat(-1, 1<<26)), 0, "more than 2^-26 above the exact value")
		require.Negative(t, diff.Cmp(big.NewRat(1, 1)), "a coin too little")
	})
}

func TestEmissionDecaysAtKnownValues(t *testing.T) {
	for _, c := range []struct {
		name     string
		emission int64
		ppb      uint32
		periods  int64
		want     int64
	}{
		{"before any", 1_000, 100_000_000, 0, 1_000},
		{"a tenth", 1_000, 100_000_000, 1, 900},
		{"a tenth of it again", 1_000, 100_000_000, 2, 810},
		{"seven tenths", 1_000, 100_000_000, 3, 729},
		{"halving", 1 << 40, 500_000_000, 40, 1},
		{"nothing left", 1 << 40, 500_000_000, 41, 0},
		{"nothing left for ever", 1 << 40, 500_000_000, 1 << 58, 0},
		{"a billionth a period, a billion periods: 1/e", 1_000_000_000_000, 1, 1_000_000_000, 367_879_440_987},
		{"all but a billionth", 2_000_000_000, 999_999_999, 1, 2},
	} {
		require.Equal(t, c.want, exponentialParams(math.NewInt(c.emission), c.ppb, 10).BlockEmissionAt(c.periods*10).Int64(), c.name)
	}
}

// Whatever the curve, a range is the sum of its blocks and ranges add up, and halving or decaying emission never rises.
func TestEveryCurveIsTheSumOverBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := types.DefaultParams()
		emission := math.NewInt(rapid.Int64Range(0, 5_000).Draw(t, "emission"))
		switch rapid.IntRange(0, 2).Draw(t, "curve") {
		case 0:
			p.BlockEmission, p.HalvingBlocks = emission, rapid.Int64Range(1, 40).Draw(t, "halving")
		case 1:
			p = exponentialParams(emission, rapid.Uint32Range(1, 999_999_999).Draw(t, "ppb"), rapid.Int64Range(1, 40).Draw(t, "period"))
		case 2:
			second := rapid.Int64Range(60, 200).Draw(t, "second")
			p = tableParams(types.CurvePoint{FromHeight: rapid.Int64Range(0, 50).Draw(t, "first"), BlockEmission: emission}, point(second, 3))
		}
		from := rapid.Int64Range(0, 300).Draw(t, "from")
		to := from + rapid.Int64Range(0, 200).Draw(t, "blocks")
		sum := math.ZeroInt()
		for h := from; h <= to; h++ {
			at := p.BlockEmissionAt(h)
			if p.Curve != types.CURVE_TABLE && h > from {
				require.False(t, at.GT(p.BlockEmissionAt(h-1)), "rises at %d", h)
			}
			sum = sum.Add(at)
		}
		require.Equal(t, sum.String(), p.Emission(from, to).String())
		mid := rapid.Int64Range(from, to).Draw(t, "mid")
		require.Equal(t, sum.String(), p.Emission(from, mid).Add(p.Emission(mid+1, to)).String())
	})
}

func TestCurveParams(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	require.NoError(t, tableParams(point(0, 5), point(1, 0)).Validate())
	require.NoError(t, exponentialParams(math.NewInt(5), 1, types.MinPeriodBlocks).Validate())
	full := make([]types.CurvePoint, types.MaxTable+1)
	for i := range full {
		full[i] = point(int64(i), 1)
	}
	require.NoError(t, tableParams(full[1:]...).Validate())
	for name, c := range map[string]struct {
		p    types.Params
		want string
	}{
		"unspecified":       {func() types.Params { p := types.DefaultParams(); p.Curve = 0; return p }(), "curve"},
		"unknown":           {func() types.Params { p := types.DefaultParams(); p.Curve = 9; return p }(), "curve"},
		"no table":          {tableParams(), "table: 0 entries"},
		"long table":        {tableParams(full...), "table: 101 entries"},
		"negative height":   {tableParams(point(-1, 1)), "table[0].from_height"},
		"not ascending":     {tableParams(point(5, 1), point(5, 1)), "table[1].from_height"},
		"negative emission": {tableParams(point(5, -1)), "table[0].block_emission"},
		"no emission":       {tableParams(types.CurvePoint{}), "table[0].block_emission"},
		"too much":          {tableParams(types.CurvePoint{BlockEmission: math.NewInt(1 << 62).MulRaw(1 << 40)}), "table[0].block_emission"},
		"stray table":       {func() types.Params { p := types.DefaultParams(); p.Table = full[:1]; return p }(), "table"},
		"stray decay":       {func() types.Params { p := types.DefaultParams(); p.DecayPpb = 1; return p }(), "decay_ppb"},
		"no decay":          {exponentialParams(math.NewInt(5), 0, types.MinPeriodBlocks), "decay_ppb"},
		"all decay":         {exponentialParams(math.NewInt(5), 1_000_000_000, types.MinPeriodBlocks), "decay_ppb"},
		"short period":      {exponentialParams(math.NewInt(5), 1, types.MinPeriodBlocks-1), "period_blocks"},
		"holders":           {func() types.Params { p := types.DefaultParams(); p.MaxDelegatorBps = 10_001; return p }(), "max_delegator_bps"},
	} {
		err := c.p.Validate()
		require.ErrorIs(t, err, types.ErrInvalidParams, name)
		require.ErrorContains(t, err, c.want, name)
	}
}
