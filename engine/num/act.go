package num

import "math"

// Coefficients of Tanh: the Cephes tanhf polynomial (single/tanhf.c).
const (
	tanhCut float32 = 0.625

	tanh0 float32 = -5.70498872745e-3
	tanh1 float32 = 2.06390887954e-2
	tanh2 float32 = -5.37397155531e-2
	tanh3 float32 = 1.33314422036e-1
	tanh4 float32 = -3.33332819422e-1
)

// Tanh returns the hyperbolic tangent; Tanh(±0) = ±0, Tanh(±Inf) = ±1.
//
// For |x| < 0.625 an odd polynomial, else ±(1 − 2/(Exp(2|x|)+1)). Both sides are
// computed by a vector unit and one is selected.
func Tanh(x float32) float32 {
	if x != x {
		return NaN()
	}
	a := Abs(x)
	if a < tanhCut {
		z := float32(x * x)
		p := FMA(tanh0, z, tanh1)
		p = FMA(p, z, tanh2)
		p = FMA(p, z, tanh3)
		p = FMA(p, z, tanh4)
		p = float32(p * z)
		return copySign(FMA(p, x, x), x) // fma(−0, −0, −0) is +0
	}
	e := Exp(float32(a + a))
	y := float32(1 - float32(2/float32(e+1)))
	return copySign(y, x)
}

// copySign returns |y| with the sign bit of x.
func copySign(y, x float32) float32 {
	const sign = 1 << 31
	return math.Float32frombits(math.Float32bits(y)&^sign | math.Float32bits(x)&sign)
}

// Sigmoid returns 1/(1+e^−x), computed from z = Exp(−|x|) as 1/(1+z) for a clear
// sign bit and z/(1+z) for a set one, so that neither side cancels or overflows.
// The rounding error of 1+z is taken out again to first order.
func Sigmoid(x float32) float32 {
	if x != x {
		return NaN()
	}
	z := Exp(Neg(Abs(x)))
	negative := math.Float32bits(x)>>31 != 0
	n := float32(1)
	if negative {
		n = z
	}
	d := float32(1 + z)
	lo := float32(z - float32(d-1)) // 1+z = d+lo exactly (Fast2Sum)
	y := float32(n / d)
	inv := y // 1/d, closely enough to scale lo
	if negative {
		inv = float32(1 - y)
	}
	return FMA(-float32(y*lo), inv, y)
}

// Silu returns x·Sigmoid(x), the product rounded; Silu(−Inf) is NaN (−Inf·0).
func Silu(x float32) float32 { return Mul(x, Sigmoid(x)) }

// Coefficients of Erf, weighted minimax fits made for this package: erf(x)/x − 1 in
// x² for |x| ≤ erfCut (own error below 0.15 ulp), and (log(erfc(t)) + t)/t in t on
// [erfCut, 4] (below 0.05 ulp of the result).
const (
	erfCut float32 = 0.875

	erf0 float32 = -6.203246885e-04
	erf1 float32 = 5.032179877e-03
	erf2 float32 = -2.679146267e-02
	erf3 float32 = 1.128245518e-01
	erf4 float32 = -3.761255145e-01
	erf5 float32 = 1.283791512e-01

	erfc0 float32 = -9.762671652e-06
	erfc1 float32 = 3.081414034e-04
	erfc2 float32 = -3.583023092e-03
	erfc3 float32 = 2.363681234e-02
	erfc4 float32 = -1.060920954e-01
	erfc5 float32 = -6.352384090e-01
	erfc6 float32 = -1.286271662e-01
)

// Erf returns the error function; Erf(±0) = ±0, Erf(±Inf) = ±1.
//
// For |x| ≤ 0.875 an odd polynomial, else ±(1 − Exp(t·q(t) − t)) for t = min(|x|, 4).
func Erf(x float32) float32 {
	if x != x {
		return NaN()
	}
	t := Abs(x)
	if t <= erfCut {
		s := float32(x * x)
		p := FMA(erf0, s, erf1)
		p = FMA(p, s, erf2)
		p = FMA(p, s, erf3)
		p = FMA(p, s, erf4)
		p = FMA(p, s, erf5)
		return FMA(p, x, x)
	}
	// Beyond 4 the result is 1; the clamp keeps the polynomial in its range.
	if t > 4 {
		t = 4
	}
	p := FMA(erfc0, t, erfc1)
	p = FMA(p, t, erfc2)
	p = FMA(p, t, erfc3)
	p = FMA(p, t, erfc4)
	p = FMA(p, t, erfc5)
	p = FMA(p, t, erfc6)
	p = FMA(p, t, -t)
	return copySign(float32(1-Exp(p)), x)
}

const (
	geluC      float32 = 0.044715
	geluS      float32 = 0.79788456080286536 // sqrt(2/pi)
	sqrtHalf   float32 = 0.70710678118654752
	hardSlope  float32 = 1.0 / 6
	hardOffset float32 = 0.5
)

// GeluTanh is the tanh form of GELU in explicit rounded steps:
// c = (x·x)·x; i = geluS·fma(geluC, c, x); y = (x·0.5)·(1 + Tanh(i)).
func GeluTanh(x float32) float32 {
	c := float32(float32(x*x) * x)
	i := float32(geluS * FMA(geluC, c, x))
	return Mul(float32(x*0.5), float32(1+Tanh(i)))
}

// GeluErf is the exact form of GELU in explicit rounded steps:
// y = (x·0.5)·(1 + Erf(x·sqrt(1/2))).
func GeluErf(x float32) float32 {
	return Mul(float32(x*0.5), float32(1+Erf(float32(x*sqrtHalf))))
}

// HardSigmoid returns Clip(fma(x, 1/6, 0.5), 0, 1).
func HardSigmoid(x float32) float32 { return Clip(FMA(x, hardSlope, hardOffset), 0, 1) }

// HardSwish returns x·HardSigmoid(x), the product rounded.
func HardSwish(x float32) float32 { return Mul(x, HardSigmoid(x)) }
