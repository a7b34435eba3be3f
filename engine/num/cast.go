package num

import "math"

// Rounding selects how a cast from float to integer rounds.
type Rounding uint8

const (
	// NearestEven rounds to the nearest integer, ties to even.
	NearestEven Rounding = iota
	// Truncate rounds toward zero.
	Truncate
)

// Round returns x rounded to an integral float32; NaN is canonical, ±0 and ±Inf
// are kept.
func Round(x float32, r Rounding) float32 {
	if r == Truncate {
		return CanonNaN(float32(math.Trunc(float64(x))))
	}
	return CanonNaN(float32(math.RoundToEven(float64(x))))
}

// clampToInt rounds x and saturates it to [lo, hi]; NaN gives 0. lo and hi are
// exact in float64, so the conversion at the end never depends on the platform.
func clampToInt(x float32, r Rounding, lo, hi float64) int64 {
	if x != x {
		return 0
	}
	v := float64(Round(x, r))
	if v < lo {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return int64(v)
}

// F32ToI64 casts with rounding r, saturating to the range of int64; NaN is 0.
func F32ToI64(x float32, r Rounding) int64 {
	if x >= 1<<63 {
		return math.MaxInt64
	}
	return clampToInt(x, r, -1<<63, 1<<63-1024)
}

// F32ToI32 casts with rounding r, saturating to the range of int32; NaN is 0.
func F32ToI32(x float32, r Rounding) int32 {
	return int32(clampToInt(x, r, math.MinInt32, math.MaxInt32))
}

// F32ToI8 casts with rounding r, saturating to [−128, 127]; NaN is 0.
func F32ToI8(x float32, r Rounding) int8 {
	return int8(clampToInt(x, r, math.MinInt8, math.MaxInt8))
}

// F32ToU8 casts with rounding r, saturating to [0, 255]; NaN is 0.
func F32ToU8(x float32, r Rounding) uint8 {
	return uint8(clampToInt(x, r, 0, math.MaxUint8))
}

// I64ToF32 casts to the nearest float32, ties to even.
func I64ToF32(v int64) float32 {
	if v > -1<<53 && v < 1<<53 {
		return float32(float64(v)) // the first conversion is exact
	}
	u, neg := uint64(v), v < 0
	if neg {
		u = -u
	}
	// Drop 11 bits into a sticky bit; 53 bits remain, exact in float64, and the
	// sticky bit lies far below the 24 bits that survive.
	s := u >> 11
	if u&0x7ff != 0 {
		s |= 1
	}
	f := float32(float32(float64(s)) * 2048)
	if neg {
		return -f
	}
	return f
}

// I32ToF32 casts to the nearest float32, ties to even.
func I32ToF32(v int32) float32 { return float32(float64(v)) }

// I8ToF32 casts exactly.
func I8ToF32(v int8) float32 { return float32(v) }

// U8ToF32 casts exactly.
func U8ToF32(v uint8) float32 { return float32(v) }

// Requantise returns clamp(((int64)acc·mul + 2^(shift−1)) >> shift + zp, −128, 127)
// for shift in [1, 62] and mul in [0, 2^31); the product and sum cannot overflow.
func Requantise(acc, mul int32, shift uint, zp int32) int8 {
	v := (int64(acc)*int64(mul)+int64(1)<<(shift-1))>>shift + int64(zp)
	return int8(min(max(v, math.MinInt8), math.MaxInt8))
}
