package num

import (
	"math"
	"os"
	"testing"
)

// ulpCases lists every elementary function with its reference in float64 and the
// largest error, in units in the last place, that the definition is known to have.
// float64 references are within 1e-8 ulp of float32 of the truth.
var ulpCases = []struct {
	name   string
	f      func(float32) float32
	ref    func(float64) float64
	lo, hi float32
	max    float64
}{
	{"exp", Exp, math.Exp, -110, 90, 0.8},
	{"log", Log, math.Log, 0, math.MaxFloat32, 0.9},
	{"tanh", Tanh, math.Tanh, -12, 12, 1.5},
	{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, -110, 110, 2},
	{"erf", Erf, math.Erf, -6, 6, 1.1},
	{"sin", Sin, math.Sin, -TrigLimit, TrigLimit, 2},
	{"cos", Cos, math.Cos, -TrigLimit, TrigLimit, 2},
}

// TestUlp measures the error of the elementary functions over every stride-th
// float32 pattern (stride 1 when POAI_EXHAUSTIVE is set: minutes).
func TestUlp(t *testing.T) {
	stride := uint64(4099)
	if os.Getenv("POAI_EXHAUSTIVE") != "" {
		stride = 1
	}
	for _, c := range ulpCases {
		t.Run(c.name, func(t *testing.T) {
			worst, at := 0.0, float32(0)
			for b := uint64(0); b < 1<<32; b += stride {
				x := math.Float32frombits(uint32(b))
				if !(x >= c.lo && x <= c.hi) {
					continue
				}
				if e := ulpError(c.f(x), c.ref(float64(x))); e > worst {
					worst, at = e, x
				}
			}
			t.Logf("max error %.4f ulp at %v (%08x)", worst, at, math.Float32bits(at))
			if !(worst <= c.max) {
				t.Errorf("max error %.4f ulp at %v, want at most %v", worst, at, c.max)
			}
		})
	}
}

// ulpError returns |got − want| in units in the last place of want.
func ulpError(got float32, want float64) float64 {
	if float64(got) == want {
		return 0
	}
	if math.Abs(want) > math.MaxFloat32 {
		// Overflow to Inf is right when want rounds to Inf, else off by the distance.
		if math.IsInf(float64(got), 0) && float32(want) == got {
			return 0
		}
		if math.IsInf(want, 0) {
			return math.Inf(1)
		}
	}
	_, e := math.Frexp(want)
	ulp := math.Ldexp(1, max(e-24, -149))
	if math.IsInf(float64(got), 0) {
		return math.Abs(math.Ldexp(math.Copysign(1, float64(got)), 128)-want) / ulp
	}
	return math.Abs(float64(got)-want) / ulp
}
