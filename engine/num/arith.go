package num

import "math"

// Add returns x + y rounded to float32; NaN is canonical.
func Add(x, y float32) float32 { return CanonNaN(float32(x + y)) }

// Sub returns x − y rounded to float32; NaN is canonical.
func Sub(x, y float32) float32 { return CanonNaN(float32(x - y)) }

// Mul returns x·y rounded to float32; NaN is canonical.
func Mul(x, y float32) float32 { return CanonNaN(float32(x * y)) }

// Div returns x / y rounded to float32; NaN is canonical.
func Div(x, y float32) float32 { return CanonNaN(float32(x / y)) }

// Neg returns x with its sign flipped; NaN is canonical.
func Neg(x float32) float32 { return CanonNaN(math.Float32frombits(math.Float32bits(x) ^ 1<<31)) }

// Abs returns x with its sign cleared; NaN is canonical.
func Abs(x float32) float32 { return CanonNaN(math.Float32frombits(math.Float32bits(x) &^ (1 << 31))) }

// Sqrt returns the correctly rounded square root; Sqrt(x < 0) = NaN,
// Sqrt(−0) = −0. Rounding through float64 is innocuous for sqrt (53 ≥ 2·24+2).
func Sqrt(x float32) float32 { return CanonNaN(float32(math.Sqrt(float64(x)))) }

// RSqrt returns 1/Sqrt(x): two correctly rounded steps, not one.
func RSqrt(x float32) float32 { return Div(1, Sqrt(x)) }

// Sum16 is the normative sum of x: sixteen interleaved chains
//
//	acc[j mod 16] = fma(x[j], 1, acc[j mod 16])   from +0, ascending j
//
// (the same as a rounded addition), then the pairwise tree
//
//	acc[i] = acc[i] + acc[i+w]   for w = 8, 4, 2, 1 and i = 0 … w−1
//
// whose root acc[0] is the result. Sum16 of nothing is +0.
func Sum16(x []float32) float32 {
	var acc [16]float32
	for j, v := range x {
		acc[j&15] = float32(acc[j&15] + v)
	}
	return Tree16(&acc)
}

// Tree16 folds sixteen chain ends by the pairwise tree of Sum16 and returns the
// root with canonical NaN. It overwrites acc.
func Tree16(acc *[16]float32) float32 {
	for w := 8; w > 0; w >>= 1 {
		for i := range w {
			acc[i] = float32(acc[i] + acc[i+w])
		}
	}
	return CanonNaN(acc[0])
}

// Dot is the normative dot product: one chain acc = FMA(a[k], b[k], acc) in
// ascending k from +0. It panics if b is shorter than a.
func Dot(a, b []float32) float32 {
	b = b[:len(a)]
	var acc float32
	for k, v := range a {
		acc = FMA(v, b[k], acc)
	}
	return acc
}
