package kernel

import "poaid/engine/num"

// The elementwise functions below apply the engine/num function of the same name
// to every element. dst and the operands have one length, taken from dst; they
// panic if an operand is shorter. dst may be one of the operands. They run on the
// calling goroutine: wrap them in Parallel to use threads.

// Add computes dst = a + b.
func Add(dst, a, b []float32) { binary(opAdd, dst, a, b, num.Add) }

// Sub computes dst = a − b.
func Sub(dst, a, b []float32) { binary(opSub, dst, a, b, num.Sub) }

// Mul computes dst = a·b.
func Mul(dst, a, b []float32) { binary(opMul, dst, a, b, num.Mul) }

// Div computes dst = a / b.
func Div(dst, a, b []float32) { binary(opDiv, dst, a, b, num.Div) }

// Max computes the later of a and b in the total order.
func Max(dst, a, b []float32) { binary(opMax, dst, a, b, num.Max) }

// Min computes the earlier of a and b in the total order.
func Min(dst, a, b []float32) { binary(opMin, dst, a, b, num.Min) }

// AddScalar computes dst = a + s.
func AddScalar(dst, a []float32, s float32) { scalar(opAdd, dst, a, s, num.Add) }

// SubScalar computes dst = a − s.
func SubScalar(dst, a []float32, s float32) { scalar(opSub, dst, a, s, num.Sub) }

// MulScalar computes dst = a·s.
func MulScalar(dst, a []float32, s float32) { scalar(opMul, dst, a, s, num.Mul) }

// DivScalar computes dst = a / s.
func DivScalar(dst, a []float32, s float32) { scalar(opDiv, dst, a, s, num.Div) }

// ScalarSub computes dst = s − a.
func ScalarSub(dst []float32, s float32, a []float32) {
	if binaryFast(opSub, dst, repeat(s), a[:len(dst)], 0, 1) {
		return
	}
	for i, x := range a[:len(dst)] {
		dst[i] = num.Sub(s, x)
	}
}

// ScalarDiv computes dst = s / a.
func ScalarDiv(dst []float32, s float32, a []float32) {
	if binaryFast(opDiv, dst, repeat(s), a[:len(dst)], 0, 1) {
		return
	}
	for i, x := range a[:len(dst)] {
		dst[i] = num.Div(s, x)
	}
}

// Relu computes num.Relu.
func Relu(dst, a []float32) { unary(opRelu, dst, a, num.Relu) }

// Exp computes num.Exp.
func Exp(dst, a []float32) { unary(opExp, dst, a, num.Exp) }

// Log computes num.Log.
func Log(dst, a []float32) { unary(opLog, dst, a, num.Log) }

// Tanh computes num.Tanh.
func Tanh(dst, a []float32) { unary(opTanh, dst, a, num.Tanh) }

// Sigmoid computes num.Sigmoid.
func Sigmoid(dst, a []float32) { unary(opSigmoid, dst, a, num.Sigmoid) }

// Silu computes num.Silu.
func Silu(dst, a []float32) { unary(opSilu, dst, a, num.Silu) }

// Erf computes num.Erf.
func Erf(dst, a []float32) { unary(opErf, dst, a, num.Erf) }

// GeluTanh computes num.GeluTanh.
func GeluTanh(dst, a []float32) { unary(opGeluTanh, dst, a, num.GeluTanh) }

// HardSwish computes num.HardSwish.
func HardSwish(dst, a []float32) { unary(opHardSwish, dst, a, num.HardSwish) }

// GeluErf computes num.GeluErf.
func GeluErf(dst, a []float32) { unary(opGeluErf, dst, a, num.GeluErf) }

// Sqrt computes num.Sqrt.
func Sqrt(dst, a []float32) { unary(opSqrt, dst, a, num.Sqrt) }

// RSqrt computes num.RSqrt.
func RSqrt(dst, a []float32) { unary(opRSqrt, dst, a, num.RSqrt) }

func unary(op int, dst, a []float32, f func(float32) float32) {
	a = a[:len(dst)]
	if unaryFast(op, dst, a) {
		return
	}
	for i, x := range a {
		dst[i] = f(x)
	}
}

func binary(op int, dst, a, b []float32, f func(x, y float32) float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	if binaryFast(op, dst, a, b, 1, 1) {
		return
	}
	for i, x := range a {
		dst[i] = f(x, b[i])
	}
}

func scalar(op int, dst, a []float32, s float32, f func(x, s float32) float32) {
	a = a[:len(dst)]
	if binaryFast(op, dst, a, repeat(s), 1, 0) {
		return
	}
	for i, x := range a {
		dst[i] = f(x, s)
	}
}

// repeat returns s repeated as often as the vector routines have lanes.
func repeat(s float32) []float32 {
	x := make([]float32, lanes)
	for i := range x {
		x[i] = s
	}
	return x
}
