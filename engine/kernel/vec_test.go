package kernel

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine/num"
)

var unaryCases = []struct {
	name string
	f    func(dst, a []float32)
	ref  func(float32) float32
}{
	{"relu", Relu, num.Relu},
	{"exp", Exp, num.Exp},
	{"log", Log, num.Log},
	{"tanh", Tanh, num.Tanh},
	{"sigmoid", Sigmoid, num.Sigmoid},
	{"silu", Silu, num.Silu},
	{"erf", Erf, num.Erf},
	{"gelutanh", GeluTanh, num.GeluTanh},
	{"geluerf", GeluErf, num.GeluErf},
	{"sqrt", Sqrt, num.Sqrt},
	{"rsqrt", RSqrt, num.RSqrt},
	{"hardswish", HardSwish, num.HardSwish},
}

// TestUnaryMatchesNum runs every elementwise function over a stride of the float32
// patterns (all of them when POAI_EXHAUSTIVE is set: minutes).
func TestUnaryMatchesNum(t *testing.T) {
	stride := uint64(7001)
	if testing.Short() {
		stride = 50021
	}
	if os.Getenv("POAI_EXHAUSTIVE") != "" {
		stride = 1
	}
	const batch = 1 << 16
	x, want, got := make([]float32, 0, batch), make([]float32, batch), make([]float32, batch)
	for b := uint64(0); b < 1<<32; {
		for x = x[:0]; b < 1<<32 && len(x) < batch; b += stride {
			x = append(x, math.Float32frombits(uint32(b)))
		}
		for _, c := range unaryCases {
			for i, v := range x {
				want[i] = c.ref(v)
			}
			eachKernel(func(name string) {
				c.f(got[:len(x)], x)
				requireSameBits(t, want[:len(x)], got[:len(x)], name+" "+c.name)
			})
		}
	}
}

func TestUnarySpecials(t *testing.T) {
	for _, c := range unaryCases {
		want := make([]float32, len(specials))
		for i, v := range specials {
			want[i] = c.ref(v)
		}
		eachKernel(func(name string) {
			got := append([]float32(nil), specials...)
			c.f(got, got) // in place
			requireSameBits(t, want, got, name+" "+c.name)
		})
	}
}

func TestBinaryMatchesNum(t *testing.T) {
	binaries := []struct {
		name string
		f    func(dst, a, b []float32)
		ref  func(x, y float32) float32
	}{
		{"add", Add, num.Add},
		{"sub", Sub, num.Sub},
		{"mul", Mul, num.Mul},
		{"div", Div, num.Div},
		{"max", Max, num.Max},
		{"min", Min, num.Min},
	}
	scalars := []struct {
		name string
		f    func(dst, a []float32, s float32)
		ref  func(x, s float32) float32
	}{
		{"add", AddScalar, num.Add},
		{"sub", SubScalar, num.Sub},
		{"mul", MulScalar, num.Mul},
		{"div", DivScalar, num.Div},
		{"s-x", func(dst, a []float32, s float32) { ScalarSub(dst, s, a) }, func(x, s float32) float32 { return num.Sub(s, x) }},
		{"s/x", func(dst, a []float32, s float32) { ScalarDiv(dst, s, a) }, func(x, s float32) float32 { return num.Div(s, x) }},
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 50), rapid.SampledFrom([]int{16, 32, 20000})).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := fill(n, seed, 3), fill(n, seed+1, 3)
		s := rapid.SampledFrom(specials).Draw(t, "scalar")
		want := make([]float32, n)
		for _, c := range binaries {
			for i := range want {
				want[i] = c.ref(a[i], b[i])
			}
			eachKernel(func(name string) {
				got := make([]float32, n)
				c.f(got, a, b)
				requireSameBits(t, want, got, name+" "+c.name)
			})
		}
		for _, c := range scalars {
			for i := range want {
				want[i] = c.ref(a[i], s)
			}
			eachKernel(func(name string) {
				got := make([]float32, n)
				c.f(got, a, s)
				requireSameBits(t, want, got, name+" scalar "+c.name)
			})
		}
	})
}

func TestRowReductions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(0, 4).Draw(t, "rows")
		cols := rapid.OneOf(rapid.IntRange(1, 70), rapid.SampledFrom([]int{16, 20001})).Draw(t, "cols")
		x := fill(rows*cols, rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{0, 3, 300}).Draw(t, "rare"))
		eachKernel(func(name string) {
			sums, maxs, args := make([]float32, rows), make([]float32, rows), make([]int32, rows)
			SumRows(sums, x, rows, cols)
			MaxRows(maxs, x, rows, cols)
			ArgMaxRows(args, x, rows, cols)
			for r := range rows {
				row := x[r*cols : r*cols+cols]
				at := 0
				for i, v := range row {
					if num.Less(row[at], v) {
						at = i
					}
				}
				require.EqualValues(t, at, args[r], name)
				requireSameBits(t, []float32{num.Sum16(row), num.CanonNaN(row[at])}, []float32{sums[r], maxs[r]}, name)

				mean := specials[int(args[r])%len(specials)]
				sq, dsq := make([]float32, cols), make([]float32, cols)
				for i, v := range row {
					d := float32(v - mean)
					sq[i], dsq[i] = float32(v*v), float32(d*d)
				}
				requireSameBits(t, []float32{num.Sum16(sq), num.Sum16(dsq)}, []float32{SumSq16(row), SumSqDiff16(row, mean)}, name)
			}
		})
	})
}

func TestSoftmaxRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := fill(rapid.IntRange(1, 100).Draw(t, "n"), rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{0, 40}).Draw(t, "rare"))
		m := x[0]
		for _, v := range x {
			m = num.Max(m, v)
		}
		want := make([]float32, len(x))
		for i, v := range x {
			want[i] = num.Exp(num.Sub(v, m))
		}
		z := num.Sum16(want)
		for i, e := range want {
			want[i] = num.Div(e, z)
		}
		eachKernel(func(name string) {
			got := make([]float32, len(x))
			gotM, gotZ := SoftmaxRow(got, x)
			requireSameBits(t, append(want, m, z), append(got, gotM, gotZ), name)
		})
	})
}

func TestEmptyReductions(t *testing.T) {
	require.Equal(t, -1, ArgMax(nil))
	require.Equal(t, float32(math.Inf(-1)), MaxOf(nil))
	require.Equal(t, float32(0), Sum16(nil))
}

func BenchmarkVec(b *testing.B) {
	const n = 8192
	x, y := fill(n, 1, 0), make([]float32, n)
	for _, name := range Available() {
		run := func(what string, f func()) {
			b.Run(name+"/"+what, func(b *testing.B) {
				require.NoError(b, Use(name))
				for b.Loop() {
					f()
				}
				b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
		for _, c := range unaryCases {
			run(c.name, func() { c.f(y, x) })
		}
		run("add", func() { Add(y, y, x) })
		run("sum16", func() { Sum16(x) })
		run("max", func() { MaxOf(x) })
		run("softmax", func() { SoftmaxRow(y, x) })
	}
	_ = Use("auto")
}
