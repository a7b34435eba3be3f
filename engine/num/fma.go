package num

import "math"

// nanBits is the only NaN the engine produces.
const nanBits = 0x7fc00000

// NaN returns the canonical NaN, 0x7fc00000.
func NaN() float32 { return math.Float32frombits(nanBits) }

// CanonNaN returns x, or the canonical NaN if x is any NaN.
func CanonNaN(x float32) float32 {
	if x != x {
		return math.Float32frombits(nanBits)
	}
	return x
}

// FMA returns x·y + z rounded once to float32 (IEEE-754 fusedMultiplyAdd), with
// the canonical NaN for a NaN result.
//
// The product of two float32 values is exact in float64 (48 ≤ 53 bits), so only
// the addition rounds before the final conversion. Rounding first to float64 and
// then to float32 is wrong exactly when the float64 sum lands on a float32
// rounding boundary that the true sum only approached; fmaOdd settles that case.
// float32(math.FMA(...)) has the same defect and must not be used.
func FMA(x, y, z float32) float32 {
	s := float64(float64(x)*float64(y)) + float64(z)
	b := math.Float64bits(s)
	// Low 29 bits 1000…0: s is the midpoint of two normal float32 values.
	// Exponent below 2^-125: the result may be subnormal and midpoints move.
	if b&0x1fffffff != 0x10000000 && b<<1>>53 > 1023-125 {
		return CanonNaN(float32(s))
	}
	return fmaOdd(x, y, z)
}

// fmaOdd is FMA by rounding the float64 sum to odd: when the addition is inexact
// the last bit of the sum is forced to 1, which records on which side of every
// float32 boundary the true sum lies. 53 ≥ 24+2 bits make the final rounding
// correct, for subnormal results too.
func fmaOdd(x, y, z float32) float32 {
	p := float64(float64(x) * float64(y)) // exact
	c := float64(z)
	s := p + c
	// Knuth's TwoSum: s + e == p + c exactly. |p| < 2^256 and no term is
	// subnormal in float64, so nothing overflows or underflows here.
	t := s - p
	e := (p - (s - t)) + (c - t)
	// e is NaN when s is Inf or NaN; both comparisons are then false.
	if e > 0 || e < 0 {
		b := math.Float64bits(s)
		if b&1 == 0 {
			if (e > 0) == (s > 0) {
				b++ // the true sum is farther from zero
			} else {
				b--
			}
			s = math.Float64frombits(b)
		}
	}
	return CanonNaN(float32(s))
}
