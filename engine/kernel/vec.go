package kernel

import "poaid/engine/num"

// The elementwise functions below apply the engine/num function of the same name
// to every element. dst and the operands have one length, taken from dst; they
// panic if an operand is shorter. dst may be one of the operands. They run on the
// calling goroutine: wrap them in Parallel to use threads.

// Add computes dst = a + b.
func Add(dst, a, b []float32) { binary(dst, a, b, num.Add) }

// Sub computes dst = a − b.
func Sub(dst, a, b []float32) { binary(dst, a, b, num.Sub) }

// Mul computes dst = a·b.
func Mul(dst, a, b []float32) { binary(dst, a, b, num.Mul) }

// Div computes dst = a / b.
func Div(dst, a, b []float32) { binary(dst, a, b, num.Div) }

// Max computes the later of a and b in the total order.
func Max(dst, a, b []float32) { binary(dst, a, b, num.Max) }

// Min computes the earlier of a and b in the total order.
func Min(dst, a, b []float32) { binary(dst, a, b, num.Min) }

// AddScalar computes dst = a + s.
func AddScalar(dst, a []float32, s float32) { scalar(dst, a, s, num.Add) }

// SubScalar computes dst = a − s.
func SubScalar(dst, a []float32, s float32) { scalar(dst, a, s, num.Sub) }

// MulScalar computes dst = a·s.
func MulScalar(dst, a []float32, s float32) { scalar(dst, a, s, num.Mul) }

// DivScalar computes dst = a / s.
func DivScalar(dst, a []float32, s float32) { scalar(dst, a, s, num.Div) }

// ScalarSub computes dst = s − a.
func ScalarSub(dst []float32, s float32, a []float32) {
	scalar(dst, a, s, func(x, s float32) float32 { return num.Sub(s, x) })
}

// ScalarDiv computes dst = s / a.
func ScalarDiv(dst []float32, s float32, a []float32) {
	scalar(dst, a, s, func(x, s float32) float32 { return num.Div(s, x) })
}

// Relu computes num.Relu.
func Relu(dst, a []float32) { unary(dst, a, num.Relu) }

// Exp computes num.Exp.
func Exp(dst, a []float32) { unary(dst, a, num.Exp) }

// Log computes num.Log.
func Log(dst, a []float32) { unary(dst, a, num.Log) }

// Tanh computes num.Tanh.
func Tanh(dst, a []float32) { unary(dst, a, num.Tanh) }

// Sigmoid computes num.Sigmoid.
func Sigmoid(dst, a []float32) { unary(dst, a, num.Sigmoid) }

// Silu computes num.Silu.
func Silu(dst, a []float32) { unary(dst, a, num.Silu) }

// Erf computes num.Erf.
func Erf(dst, a []float32) { unary(dst, a, num.Erf) }

// GeluTanh computes num.GeluTanh.
func GeluTanh(dst, a []float32) { unary(dst, a, num.GeluTanh) }

// GeluErf computes num.GeluErf.
func GeluErf(dst, a []float32) { unary(dst, a, num.GeluErf) }

// Sqrt computes num.Sqrt.
func Sqrt(dst, a []float32) { unary(dst, a, num.Sqrt) }

// RSqrt computes num.RSqrt.
func RSqrt(dst, a []float32) { unary(dst, a, num.RSqrt) }

func unary(dst, a []float32, f func(float32) float32) {
	a = a[:len(dst)]
	for i, x := range a {
		dst[i] = f(x)
	}
}

func binary(dst, a, b []float32, f func(x, y float32) float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		dst[i] = f(x, b[i])
	}
}

func scalar(dst, a []float32, s float32, f func(x, s float32) float32) {
	a = a[:len(dst)]
	for i, x := range a {
		dst[i] = f(x, s)
	}
}
