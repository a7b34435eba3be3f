package num

import "math"

// Key maps x to an integer with the engine's total order: Key(a) < Key(b) iff a
// comes before b. −Inf < … < −0 < +0 < … < +Inf < NaN; all NaN share one key.
func Key(x float32) int32 {
	if x != x {
		return nanBits
	}
	b := int32(math.Float32bits(x))
	// A negative value has its magnitude bits flipped: larger magnitude, smaller key.
	return b ^ int32(uint32(b>>31)>>1)
}

// Less reports whether a comes before b in the total order of Key.
func Less(a, b float32) bool { return Key(a) < Key(b) }

// Max returns the later of a and b in the total order (NaN wins; Max(−0, +0) is
// +0). A NaN result is canonical.
func Max(a, b float32) float32 {
	if Key(a) < Key(b) {
		return CanonNaN(b)
	}
	return CanonNaN(a)
}

// Min returns the earlier of a and b in the total order (NaN loses; Min(−0, +0)
// is −0). A NaN result is canonical.
func Min(a, b float32) float32 {
	if Key(b) < Key(a) {
		return CanonNaN(b)
	}
	return CanonNaN(a)
}

// Relu returns x when x comes after +0 in the total order, else +0. So
// Relu(NaN) = NaN and Relu(−0) = +0.
func Relu(x float32) float32 {
	if Key(x) > 0 {
		return CanonNaN(x)
	}
	return 0
}

// Clip returns Min(Max(x, lo), hi) for lo ≤ hi, except that NaN stays NaN.
func Clip(x, lo, hi float32) float32 {
	if x != x {
		return NaN()
	}
	return Min(Max(x, lo), hi)
}
