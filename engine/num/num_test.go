package num

import (
	"bufio"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func fb(b uint32) float32 { return math.Float32frombits(b) }

// bitsGen draws float32 patterns with the special values and near-midpoint
// patterns that random bits seldom hit.
func bitsGen() *rapid.Generator[uint32] {
	special := []uint32{
		0, 1 << 31, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff,
		0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0x3f800000, 0x3f800001,
		0x337ffffe, 0x33800000, 0x4b800000,
	}
	return rapid.OneOf(rapid.Uint32(), rapid.SampledFrom(special), rapid.Uint32Range(0x3f000000, 0x407fffff))
}

// bigFMA is x·y+z by math/big, rounded once.
func bigFMA(x, y, z float32) float32 {
	fx, fy, fz := float64(x), float64(y), float64(z)
	if p := float64(fx * fy); math.IsNaN(p) || math.IsInf(p, 0) || math.IsNaN(fz) || math.IsInf(fz, 0) || p == 0 {
		return CanonNaN(float32(p + fz)) // exact or special: no double rounding
	}
	exact := new(big.Float).SetPrec(2000)
	exact.Mul(new(big.Float).SetFloat64(fx), new(big.Float).SetFloat64(fy))
	exact.SetPrec(2000).Add(exact, new(big.Float).SetFloat64(fz))
	if exact.Sign() == 0 {
		return 0 // exact cancellation of nonzero terms is +0
	}
	f, _ := exact.Float32()
	return f
}

func TestFMAMatchesBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, z := fb(bitsGen().Draw(t, "x")), fb(bitsGen().Draw(t, "y")), fb(bitsGen().Draw(t, "z"))
		if rapid.Bool().Draw(t, "near") {
			// Put z near a half ulp of the product, where double rounding bites.
			s := rapid.IntRange(22, 26).Draw(t, "shift")
			z = float32(math.Ldexp(float64(x)*float64(y), rapid.SampledFrom([]int{s, -s}).Draw(t, "sign")))
			z = fb(math.Float32bits(z) &^ (1<<rapid.IntRange(0, 23).Draw(t, "zeros") - 1))
		}
		require.Equal(t, math.Float32bits(bigFMA(x, y, z)), math.Float32bits(FMA(x, y, z)), "%x %x %x",
			math.Float32bits(x), math.Float32bits(y), math.Float32bits(z))
	})
}

// vectors reads testdata/name: one case a line, hexadecimal fields, # comments.
func vectors(t *testing.T, name string) [][]uint64 {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer f.Close()
	var out [][]uint64
	for s := bufio.NewScanner(f); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		var row []uint64
		for field := range strings.FieldsSeq(line) {
			var v uint64
			_, err := fmt.Sscanf(field, "%x", &v)
			require.NoError(t, err, line)
			row = append(row, v)
		}
		if row != nil {
			out = append(out, row)
		}
	}
	require.NotEmpty(t, out)
	return out
}

func TestFMAVectors(t *testing.T) {
	for _, v := range vectors(t, "fma.txt") {
		got := FMA(fb(uint32(v[0])), fb(uint32(v[1])), fb(uint32(v[2])))
		require.Equal(t, uint32(v[3]), math.Float32bits(got), "fma(%x, %x, %x)", v[0], v[1], v[2])
	}
}

func TestUnaryVectors(t *testing.T) {
	fs := []func(float32) float32{Exp, Log, Tanh, Sigmoid, Erf, Sin, Cos, Silu, GeluTanh, GeluErf, RSqrt}
	for _, v := range vectors(t, "unary.txt") {
		for i, f := range fs {
			require.Equal(t, uint32(v[i+1]), math.Float32bits(f(fb(uint32(v[0])))), "column %d of %x", i+1, v[0])
		}
	}
}

func TestRandVectors(t *testing.T) {
	for _, v := range vectors(t, "rand64.txt") {
		require.Equal(t, v[3], Rand64(v[0], v[1], v[2]), "%x", v)
	}
}

func TestTotalOrder(t *testing.T) {
	ascending := []uint32{0xff800000, 0xff7fffff, 0xbf800000, 0x80000001, 0x80000000, 0, 1, 0x3f800000, 0x7f800000, 0x7fc00000}
	for i, a := range ascending {
		for j, b := range ascending {
			require.Equal(t, i < j, Less(fb(a), fb(b)), "%x %x", a, b)
			require.Equal(t, ascending[max(i, j)], math.Float32bits(Max(fb(a), fb(b))))
			require.Equal(t, ascending[min(i, j)], math.Float32bits(Min(fb(a), fb(b))))
		}
	}
	require.Equal(t, Key(fb(0x7fc00000)), Key(fb(0xff800001)), "every NaN has one key")
}

func TestSpecialValues(t *testing.T) {
	nan, inf, negZero := NaN(), float32(math.Inf(1)), fb(1<<31)
	cases := []struct {
		name      string
		got, want float32
	}{
		{"relu(nan)", Relu(fb(0xffc12345)), nan},
		{"relu(-0)", Relu(negZero), 0},
		{"relu(-1)", Relu(-1), 0},
		{"inf-inf", Sub(inf, inf), nan},
		{"0*inf", Mul(0, inf), nan},
		{"0/0", Div(0, 0), nan},
		{"sqrt(-1)", Sqrt(-1), nan},
		{"sqrt(-0)", Sqrt(negZero), negZero},
		{"rsqrt(0)", RSqrt(0), inf},
		{"exp(-inf)", Exp(-inf), 0},
		{"exp(inf)", Exp(inf), inf},
		{"exp(nan)", Exp(fb(0xff800001)), nan},
		{"log(0)", Log(0), -inf},
		{"log(-0)", Log(negZero), -inf},
		{"log(-1)", Log(-1), nan},
		{"log(inf)", Log(inf), inf},
		{"log(1)", Log(1), 0},
		{"tanh(-0)", Tanh(negZero), negZero},
		{"tanh(-inf)", Tanh(-inf), -1},
		{"sigmoid(-inf)", Sigmoid(-inf), 0},
		{"sigmoid(inf)", Sigmoid(inf), 1},
		{"erf(-inf)", Erf(-inf), -1},
		{"erf(-0)", Erf(negZero), negZero},
		{"sin(-0)", Sin(negZero), negZero},
		{"sin(inf)", Sin(inf), nan},
		{"cos(65537)", Cos(65537), nan},
		{"clip(nan)", Clip(nan, 0, 1), nan},
		{"hardsigmoid(3)", HardSigmoid(3), 1},
	}
	for _, c := range cases {
		require.Equal(t, math.Float32bits(c.want), math.Float32bits(c.got), c.name)
	}
}

func TestCasts(t *testing.T) {
	inf := float32(math.Inf(1))
	require.Equal(t, int32(2), F32ToI32(2.5, NearestEven))
	require.Equal(t, int32(4), F32ToI32(3.5, NearestEven))
	require.Equal(t, int32(-3), F32ToI32(-3.99, Truncate))
	require.Equal(t, int32(math.MaxInt32), F32ToI32(inf, Truncate))
	require.Equal(t, int32(math.MinInt32), F32ToI32(-inf, Truncate))
	require.Equal(t, int32(0), F32ToI32(NaN(), NearestEven))
	require.Equal(t, int64(math.MaxInt64), F32ToI64(0x1p63, NearestEven))
	require.Equal(t, int64(math.MaxInt64-(1<<39-1)), F32ToI64(fb(0x5effffff), NearestEven))
	require.Equal(t, int64(math.MinInt64), F32ToI64(-inf, NearestEven))
	require.Equal(t, int8(127), F32ToI8(127.5, NearestEven))
	require.Equal(t, int8(-128), F32ToI8(-1000, NearestEven))
	require.Equal(t, uint8(0), F32ToU8(-0.6, NearestEven))
	require.Equal(t, uint8(255), F32ToU8(256, Truncate))
	require.Equal(t, int8(-1), Requantise(-3, 1<<30, 32, 0), "−0.75 rounds to −1")
	require.Equal(t, int8(127), Requantise(math.MaxInt32, math.MaxInt32, 31, 0))
}

func TestI64ToF32MatchesBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v") >> rapid.IntRange(0, 63).Draw(t, "s")
		v &^= 1<<rapid.IntRange(0, 40).Draw(t, "zeros") - 1
		v += rapid.Int64Range(-1, 1).Draw(t, "d")
		want, _ := new(big.Float).SetInt64(v).Float32()
		require.Equal(t, want, I64ToF32(v))
	})
}

func TestSum16Order(t *testing.T) {
	// 1, ulp/2, −1 in the same chain lose the half ulp; in different chains the
	// tree order decides.
	x := make([]float32, 33)
	x[0], x[16], x[32] = 1, 0x1p-24, -1
	require.Equal(t, float32(0), Sum16(x))
	y := make([]float32, 16)
	y[0], y[8], y[1] = 1, -1, 0x1p-24
	require.Equal(t, float32(0x1p-24), Sum16(y), "0 pairs with 8 first")
	require.Equal(t, uint32(0), math.Float32bits(Sum16([]float32{fb(1 << 31)})), "a chain starts from +0")
	require.Equal(t, uint32(0), math.Float32bits(Sum16(nil)))
}

func TestExpWeight(t *testing.T) {
	require.Equal(t, WeightOne, ExpWeight(3, 3))
	require.Equal(t, WeightOne, ExpWeight(4, 3))
	require.Equal(t, int64(0), ExpWeight(NaN(), 3))
	require.Equal(t, int64(0), ExpWeight(-100, 3))
	require.InDelta(t, math.Exp(-1)*(1<<32), float64(ExpWeight(2, 3)), 512)
	require.Equal(t, int64(1), ExpWeight(-22, 0))
}
