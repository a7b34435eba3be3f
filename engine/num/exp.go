package num

import "math"

// Coefficients of Exp: Cody–Waite split of ln 2 (15 bits + rest) and a degree-5
// interpolation of (e^r − 1 − r)/r² at the Chebyshev nodes of |r| ≤ ln2/2, whose
// own error is below 0.02 ulp; rounding makes up the rest.
const (
	expHi    float32 = 89   // exp(x ≥ 88.73) is +Inf
	expLo    float32 = -104 // exp(x ≤ −103.98) is +0
	log2e    float32 = 1.44269504088896341
	roundMag float32 = 12582912 // 1.5·2^23: adding it rounds to an integer
	roundInt         = 0x4b400000
	ln2Hi    float32 = 0.693145751953125
	ln2Lo    float32 = 1.428606765330187e-6

	exp0 float32 = 1.989103039e-04
	exp1 float32 = 1.393368584e-03
	exp2 float32 = 8.333310485e-03
	exp3 float32 = 4.166646302e-02
	exp4 float32 = 1.666666716e-01
	exp5 float32 = 0.5
)

// Exp returns e^x. Subnormal results are kept; overflow is +Inf; Exp(−Inf) = +0.
//
// Program: clamp; n = round(x·log2 e); r = x − n·ln2 in two fma; the polynomial;
// then two multiplications by powers of two (the first exact, so a subnormal
// result is rounded once).
func Exp(x float32) float32 {
	c := x
	if c > expHi {
		c = expHi
	}
	if c < expLo {
		c = expLo
	}
	t := FMA(c, log2e, roundMag)
	n := float32(t - roundMag)
	r := FMA(n, -ln2Hi, c)
	r = FMA(n, -ln2Lo, r)
	p := FMA(exp0, r, exp1)
	p = FMA(p, r, exp2)
	p = FMA(p, r, exp3)
	p = FMA(p, r, exp4)
	p = FMA(p, r, exp5)
	// 1 + r with its rounding error kept (Fast2Sum, |r| < 1).
	s := float32(1 + r)
	p = FMA(p, float32(r*r), float32(r-float32(s-1)))
	p = float32(s + p)
	k := int32(math.Float32bits(t)) - roundInt
	h := k >> 1
	y := float32(float32(p*pow2(h)) * pow2(k-h))
	if x != x {
		return NaN()
	}
	return y
}

// pow2 returns 2^k for k in [−126, 127].
func pow2(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }

// sqrtHalfBits are the bits of sqrt(1/2).
const sqrtHalfBits = 0x3f3504f3

// Coefficients of Log: the Cephes logf polynomial (single/logf.c) on
// [sqrt(1/2), sqrt(2)) and its split of ln 2.
const (
	minNormal float32 = 0x1p-126

	log0 float32 = 7.0376836292e-2
	log1 float32 = -1.1514610310e-1
	log2 float32 = 1.1676998740e-1
	log3 float32 = -1.2420140846e-1
	log4 float32 = 1.4249322787e-1
	log5 float32 = -1.6668057665e-1
	log6 float32 = 2.0000714765e-1
	log7 float32 = -2.4999993993e-1
	log8 float32 = 3.3333331174e-1

	logLn2Lo float32 = -2.12194440e-4
	logLn2Hi float32 = 0.693359375
)

// Log returns the natural logarithm. Log(±0) = −Inf, Log(x < 0) = NaN,
// Log(+Inf) = +Inf. Subnormal arguments are scaled by 2^23 first.
func Log(x float32) float32 {
	s, adj := x, float32(0)
	if x < minNormal {
		s, adj = float32(x*0x1p23), -23
	}
	b := int32(math.Float32bits(s))
	k := (b - sqrtHalfBits) >> 23
	f := float32(math.Float32frombits(uint32(b-k<<23)) - 1)
	e := float32(float32(k) + adj)
	z := float32(f * f)
	p := FMA(log0, f, log1)
	p = FMA(p, f, log2)
	p = FMA(p, f, log3)
	p = FMA(p, f, log4)
	p = FMA(p, f, log5)
	p = FMA(p, f, log6)
	p = FMA(p, f, log7)
	p = FMA(p, f, log8)
	p = float32(float32(p*f) * z)
	p = FMA(e, logLn2Lo, p)
	p = FMA(-0.5, z, p)
	p = float32(f + p)
	y := FMA(e, logLn2Hi, p)
	if x == 0 {
		y = math.Float32frombits(0xff800000)
	}
	if x > math.MaxFloat32 {
		y = x
	}
	if x < 0 || x != x {
		y = NaN()
	}
	return y
}
