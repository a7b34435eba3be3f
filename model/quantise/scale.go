package quantise

import (
	"math"

	"poaid/engine"
	"poaid/engine/num"
)

const (
	// levels is the largest magnitude of a symmetric i8.
	levels = 127
	// maxTerms is the longest product whose sums, with an integer bias up to 2^30, fit i32.
	maxTerms = 1 << 16
)

// matrix is a weight as rows of output channels.
type matrix struct {
	rows, cols int64
	at         func(row, col int64) float32
}

// rowsOf sees t as [rows, the rest].
func rowsOf(t *engine.Tensor) matrix {
	v, rows := t.F32(), t.Shape()[0]
	cols := int64(len(v)) / rows
	return matrix{rows, cols, func(i, j int64) float32 { return v[i*cols+j] }}
}

// colsOf sees t [k, n] as [n, k].
func colsOf(t *engine.Tensor) matrix {
	v, s := t.F32(), t.Shape()
	return matrix{s[1], s[0], func(i, j int64) float32 { return v[j*s[1]+i] }}
}

// scales returns max|row| / 127 of each row.
func (m matrix) scales() []float32 {
	out := make([]float32, m.rows)
	for i := range m.rows {
		high := float32(0)
		for j := range m.cols {
			high = num.Max(high, num.Abs(m.at(i, j)))
		}
		out[i] = num.Div(high, levels)
	}
	return out
}

// quantise rounds every row by its scale, as quantise@1 does: a scale of 0 gives zeros.
func (m matrix) quantise(scales []float32) []int8 {
	out := make([]int8, m.rows*m.cols)
	for i := range m.rows {
		for j := range m.cols {
			out[i*m.cols+j] = num.F32ToI8(num.Div(m.at(i, j), scales[i]), num.NearestEven)
		}
	}
	return out
}

// finite reports whether all of a tensor is.
func finite(t *engine.Tensor) bool {
	for _, v := range t.F32() {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// multiplier returns m in [2^30, 2^31) and s in 1..62 with m·2^−s nearest to ratio > 0, as requantise@1 takes them; m is
// smaller where s would be larger than 62, and 0 below that.
func multiplier(ratio float64) (m, s int32) {
	frac, exp := math.Frexp(ratio) // ratio = frac·2^exp, frac in [1/2, 1)
	v, shift := math.RoundToEven(math.Ldexp(frac, 31)), 31-exp
	if v == 1<<31 {
		v, shift = 1<<30, shift-1
	}
	if shift > 62 {
		v, shift = math.RoundToEven(math.Ldexp(v, 62-shift)), 62
	}
	if shift < 1 {
		v, shift = math.MaxInt32, 1 // saturates anyhow
	}
	return int32(v), int32(shift)
}
