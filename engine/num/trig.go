package num

import "math"

// TrigLimit is the largest |x| for which Sin and Cos are defined.
const TrigLimit float32 = 65536

// Coefficients of Sin and Cos: π/2 in three float32 parts for a fused Cody–Waite
// reduction, and the Cephes sinf/cosf polynomials (single/sinf.c).
const (
	twoOverPi float32 = 0.63661977236758134
	piHi      float32 = 0x1.921fb6p+0
	piMid     float32 = -0x1.777a5cp-25
	piLo      float32 = -0x1.ee59dap-50

	sin0 float32 = -1.9515295891e-4
	sin1 float32 = 8.3321608736e-3
	sin2 float32 = -1.6666654611e-1

	cos0 float32 = 2.443315711809948e-5
	cos1 float32 = -1.388731625493765e-3
	cos2 float32 = 4.166664568298827e-2
)

// Sin returns sin x for |x| ≤ TrigLimit, else NaN; Sin(±0) = ±0.
func Sin(x float32) float32 {
	if x == 0 {
		return x
	}
	return sinQuadrant(x, 0)
}

// Cos returns cos x for |x| ≤ TrigLimit, else NaN.
func Cos(x float32) float32 { return sinQuadrant(x, 1) }

// sinQuadrant returns sin(x + q·π/2).
func sinQuadrant(x float32, q int32) float32 {
	// The negated comparison also catches NaN.
	if !(Abs(x) <= TrigLimit) {
		return NaN()
	}
	t := FMA(x, twoOverPi, roundMag)
	n := float32(t - roundMag)
	r := FMA(n, -piHi, x)
	r = FMA(n, -piMid, r)
	r = FMA(n, -piLo, r)
	q += int32(math.Float32bits(t)) - roundInt
	z := float32(r * r)
	var y float32
	if q&1 == 0 {
		p := FMA(sin0, z, sin1)
		p = FMA(p, z, sin2)
		y = FMA(float32(p*z), r, r)
	} else {
		p := FMA(cos0, z, cos1)
		p = FMA(p, z, cos2)
		p = FMA(float32(p*z), z, float32(-0.5*z))
		y = float32(p + 1)
	}
	if q&2 != 0 {
		y = -y
	}
	return y
}
