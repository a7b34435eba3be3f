// Package half widens 16-bit floating-point numbers to float32, exactly.
package half

import "math"

// FromFloat16 widens IEEE 754 binary16.
func FromFloat16(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero or subnormal: frac·2^−24
		return math.Float32frombits(math.Float32bits(float32(frac)*0x1p-24) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// FromBFloat16 widens bfloat16, the upper half of a float32.
func FromBFloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
