package kernel

import (
	"math"

	"poaid/engine/num"
)

// Sum16 returns the normative sum of x (num.Sum16).
func Sum16(x []float32) float32 {
	var acc [16]float32
	for j, v := range x[reduceFast(reduceSum, &acc, x, 0):] {
		acc[j&15] = float32(acc[j&15] + v) // whole groups are done: j keeps its lane
	}
	return num.Tree16(&acc)
}

// SumSq16 returns Sum16 of the rounded squares x[j]·x[j] (rmsnorm).
func SumSq16(x []float32) float32 { return SumSqDiff16(x, 0) }

// SumSqDiff16 returns Sum16 of the rounded squares of the rounded differences
// x[j] − mean (the second pass of a variance).
func SumSqDiff16(x []float32, mean float32) float32 {
	var acc [16]float32
	for j, v := range x[reduceFast(reduceSumSq, &acc, x, mean):] {
		d := float32(v - mean)
		acc[j&15] = float32(acc[j&15] + float32(d*d))
	}
	return num.Tree16(&acc)
}

// MaxOf returns the largest element of x in the total order; −Inf when x is empty.
func MaxOf(x []float32) float32 {
	if len(x) == 0 {
		return math.Float32frombits(0xff800000)
	}
	return keyValue(maxKey(x))
}

// ArgMax returns the index of the largest element of x in the total order, the
// lowest one on ties; −1 when x is empty.
func ArgMax(x []float32) int {
	best := maxKey(x)
	for i, v := range x {
		if num.Key(v) == best {
			return i
		}
	}
	return -1
}

// maxKey returns the largest order key in x, at least the smallest int32.
func maxKey(x []float32) int32 {
	var keys [16]int32
	for i := range keys {
		keys[i] = math.MinInt32
	}
	best := int32(math.MinInt32)
	for _, v := range x[maxKeyFast(&keys, x):] {
		best = max(best, num.Key(v))
	}
	for _, k := range keys {
		best = max(best, k)
	}
	return best
}

// keyValue is the float whose order key is k.
func keyValue(k int32) float32 {
	return math.Float32frombits(uint32(k) ^ uint32(k>>31)>>1)
}

// SumRows computes dst[r] = Sum16(x[r, :]) for x[rows, cols].
func SumRows(dst, x []float32, rows, cols int) {
	needRows("SumRows", len(dst), len(x), rows, cols, 1)
	for r := range rows {
		dst[r] = Sum16(x[r*cols : r*cols+cols])
	}
}

// MaxRows computes dst[r] = MaxOf(x[r, :]) for x[rows, cols].
func MaxRows(dst, x []float32, rows, cols int) {
	needRows("MaxRows", len(dst), len(x), rows, cols, 1)
	for r := range rows {
		dst[r] = MaxOf(x[r*cols : r*cols+cols])
	}
}

// ArgMaxRows computes dst[r] = ArgMax(x[r, :]) for x[rows, cols].
func ArgMaxRows(dst []int32, x []float32, rows, cols int) {
	needRows("ArgMaxRows", len(dst), len(x), rows, cols, 1)
	for r := range rows {
		dst[r] = int32(ArgMax(x[r*cols : r*cols+cols]))
	}
}

// SoftmaxRow computes p = softmax(x) by the normative steps m = max x,
// e = Exp(x − m), z = Sum16(e), p = e / z, and returns m and z. p may be x.
func SoftmaxRow(p, x []float32) (m, z float32) {
	m = MaxOf(x)
	p = p[:len(x)]
	SubScalar(p, x, m)
	Exp(p, p)
	z = Sum16(p)
	DivScalar(p, p, z)
	return m, z
}

// SoftmaxRows applies SoftmaxRow to every row of x[rows, cols]. dst may be x.
func SoftmaxRows(dst, x []float32, rows, cols int) {
	needRows("SoftmaxRows", len(dst), len(x), rows, cols, cols)
	for r := range rows {
		SoftmaxRow(dst[r*cols:r*cols+cols], x[r*cols:r*cols+cols])
	}
}

func needRows(fn string, dst, x, rows, cols, out int) {
	nonNegative(fn, rows, cols)
	need(fn, "dst", dst, rows*out)
	need(fn, "x", x, rows*cols)
}
