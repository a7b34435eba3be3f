package num

// WeightOne is the sampling weight of the largest logit, 2^32.
const WeightOne int64 = 1 << 32

// ExpWeight returns the integer sampling weight ⌊2^32·Exp(x−m)⌋ in [0, 2^32],
// where x−m is rounded to float32 first. It is meant for x ≤ m; x > m saturates
// to 2^32. A NaN difference (a NaN operand, or Inf−Inf) weighs 0.
//
// Integer weights are summed without rounding, so the cumulative distribution
// does not depend on the order of summation.
func ExpWeight(x, m float32) int64 {
	d := Sub(x, m)
	if d != d {
		return 0
	}
	if d > 0 {
		return WeightOne
	}
	// Exp ≤ 1, and scaling by 2^32 is exact in float64: only the floor rounds.
	return int64(float64(float64(Exp(d)) * (1 << 32)))
}

// golden is the SplitMix64 increment, 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// Rand64 is the counter-based generator for sampling: uniform 64 bits that are a
// pure function of (seed, step, stream). Each word is absorbed by an addition and
// the SplitMix64 finaliser (Steele, Lea, Flood 2014):
//
//	h = mix(seed + γ); h = mix((h ^ step) + γ); h = mix((h ^ stream) + γ)
//
// It is statistically sound, not cryptographic: whoever knows the seed can
// predict it, which a verifier must be able to do.
func Rand64(seed, step, stream uint64) uint64 {
	h := mix64(seed + golden)
	h = mix64((h ^ step) + golden)
	return mix64((h ^ stream) + golden)
}

// mix64 is the SplitMix64 finaliser, a bijection of 64-bit words.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
