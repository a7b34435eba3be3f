package main

import (
	"math"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// function is one elementwise function: its definition, its kernel (nil: none), and
// the exact function in float64.
type function struct {
	name   string
	scalar func(float32) float32
	vector func(dst, a []float32)
	exact  func(float64) float64
	// The error in ulp is measured on [lo, hi] and may be at most limit there. What
	// lies outside either saturates or, for the gelus, cancels by definition.
	lo, hi, limit float64
	rises, odd    bool
}

var inf = math.Inf(1)

var functions = []function{
	{name: "exp", scalar: num.Exp, vector: kernel.Exp, exact: math.Exp, lo: -inf, hi: inf, limit: 0.8, rises: true},
	{name: "log", scalar: num.Log, vector: kernel.Log, exact: math.Log, lo: 0, hi: inf, limit: 0.9, rises: true},
	{name: "tanh", scalar: num.Tanh, vector: kernel.Tanh, exact: math.Tanh, lo: -inf, hi: inf, limit: 1.5, rises: true, odd: true},
	{name: "sigmoid", scalar: num.Sigmoid, vector: kernel.Sigmoid, exact: sigmoid, lo: -inf, hi: inf, limit: 2, rises: true},
	{name: "erf", scalar: num.Erf, vector: kernel.Erf, exact: math.Erf, lo: -inf, hi: inf, limit: 1.1, rises: true, odd: true},
	{name: "silu", scalar: num.Silu, vector: kernel.Silu, exact: func(x float64) float64 { return x * sigmoid(x) }, lo: -80, hi: inf, limit: 3}, //detlint:allow float64 reference
	{name: "gelu (tanh)", scalar: num.GeluTanh, vector: kernel.GeluTanh, exact: geluTanh, lo: -0.5, hi: inf, limit: 4},
	{name: "gelu (erf)", scalar: num.GeluErf, vector: kernel.GeluErf, exact: func(x float64) float64 { return 0.5 * x * math.Erfc(-x*math.Sqrt2/2) }, lo: -0.5, hi: inf, limit: 4}, //detlint:allow float64 reference
	{name: "sqrt", scalar: num.Sqrt, vector: kernel.Sqrt, exact: math.Sqrt, lo: 0, hi: inf, limit: 0.5, rises: true},
	{name: "rsqrt", scalar: num.RSqrt, vector: kernel.RSqrt, exact: func(x float64) float64 { return 1 / math.Sqrt(x) }, lo: 0, hi: inf, limit: 1.5},
	{name: "sin", scalar: num.Sin, exact: math.Sin, lo: -float64(num.TrigLimit), hi: float64(num.TrigLimit), limit: 2, odd: true},
	{name: "cos", scalar: num.Cos, exact: math.Cos, lo: -float64(num.TrigLimit), hi: float64(num.TrigLimit), limit: 2},
	{name: "relu", scalar: num.Relu, vector: kernel.Relu, exact: func(x float64) float64 { return math.Max(x, 0) }, lo: -inf, hi: inf, limit: 0, rises: true},
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// geluTanh is x·(1 + tanh u)/2 = x·sigmoid(2u), without cancellation.
func geluTanh(x float64) float64 {
	return x * sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)) //detlint:allow float64 reference
}
