package nn

import (
	"slices"

	"poaid/engine"
)

// Reciprocal is 1/x.
func (g *Graph) Reciprocal(x Value) Value { return g.Div(g.F32(1), x) }

// PowInt is x^n by the fixed ladder of squares, from the low bit up: every product rounded. x^0 is 1 for every x, x^−n
// is 1/x^n. There is no power with a fractional exponent but sqrt.
func (g *Graph) PowInt(x Value, n int64) Value {
	if n < -1024 || n > 1024 {
		g.b.fail("pow: exponent %d, want −1024..1024", n)
		return Value{}
	}
	if n < 0 {
		return g.Reciprocal(g.PowInt(x, -n))
	}
	var y Value
	for sq := x; n > 0; n >>= 1 {
		if n&1 == 1 {
			if y.Valid() {
				y = g.Mul(y, sq)
			} else {
				y = sq
			}
		}
		if n > 1 {
			sq = g.Mul(sq, sq)
		}
	}
	if !y.Valid() {
		return g.Broadcast(g.F32(1), x.Shape()...)
	}
	return y
}

// PRelu is x where x > 0, else slope·x; slope broadcasts. LeakyRelu has one slope.
func (g *Graph) PRelu(x, slope Value) Value { return g.Where(g.Le(x, g.F32(0)), g.Mul(x, slope), x) }

// LeakyRelu is x where x > 0, else alpha·x.
func (g *Graph) LeakyRelu(x Value, alpha float32) Value { return g.PRelu(x, g.F32(alpha)) }

// Elu is x where x > 0, else alpha·(e^x − 1).
func (g *Graph) Elu(x Value, alpha float32) Value {
	low := g.Mul(g.Sub(g.Exp(g.Min(x, g.F32(0))), g.F32(1)), g.F32(alpha))
	return g.Where(g.Le(x, g.F32(0)), low, x)
}

// Softplus is log(1 + e^x), as max(x, 0) + log(1 + e^−|x|).
func (g *Graph) Softplus(x Value) Value {
	return g.Add(g.Max(x, g.F32(0)), g.Log(g.Add(g.F32(1), g.Exp(g.Neg(g.Abs(x))))))
}

// BatchNorm is x·s + (bias − mean·s), s = scale/sqrt(variance + eps): the inference form. x is [n, c, …], the others [c].
func (g *Graph) BatchNorm(x, scale, bias, mean, variance Value, eps float32) Value {
	s := g.Div(scale, g.Sqrt(g.Add(variance, g.F32(eps))))
	shift := g.Sub(bias, g.Mul(mean, s))
	return g.Add(g.Mul(x, g.perChannel(s, x)), g.perChannel(shift, x))
}

// BatchNormTrain normalises x [n, c, h, w] by its own mean and variance over (n, h, w), and returns these too, [c] each.
func (g *Graph) BatchNormTrain(x, scale, bias Value, eps float32) (y, mean, variance Value) {
	mean = g.ReduceMean(x, []int{0, 2, 3}, false)
	centred := g.Sub(x, g.perChannel(mean, x))
	variance = g.ReduceMean(g.Mul(centred, centred), []int{0, 2, 3}, false)
	r := g.RSqrt(g.Add(variance, g.F32(eps)))
	y = g.Add(g.Mul(centred, g.perChannel(g.Mul(r, scale), x)), g.perChannel(bias, x))
	return y, mean, variance
}

// perChannel gives v [c] the rank of x [n, c, …].
func (g *Graph) perChannel(v, x Value) Value {
	if x.Rank() <= 2 {
		return v
	}
	shape := make(engine.Shape, x.Rank()-1)
	for i := range shape {
		shape[i] = engine.Const(1)
	}
	shape[0] = v.Dim(0)
	return g.Reshape(v, shape...)
}

// reduceAxes reduces several axes (negative: from the end), the last ones first; neighbours of static size are one
// reduction. Without keep they are left out of the shape, but one dimension stays.
func (g *Graph) reduceAxes(x Value, axes []int, keep bool, one func(x Value, axis int) Value) Value {
	rank, marked := x.Rank(), make([]bool, x.Rank())
	for _, a := range axes {
		if a < 0 {
			a += rank
		}
		if a < 0 || a >= rank || marked[a] {
			g.b.fail("%s: axes %v of shape %s: each must be in %d..%d and named once", g.name, axes, x.Shape(), -rank, rank-1)
			return Value{}
		}
		marked[a] = true
	}
	var kept, dropped engine.Shape
	for i, d := range x.Shape() {
		if marked[i] {
			kept = append(kept, engine.Const(1))
			continue
		}
		kept, dropped = append(kept, d), append(dropped, d)
	}
	for hi := rank - 1; hi >= 0; hi-- {
		if !marked[hi] {
			continue
		}
		lo, size := hi, x.Dim(hi)
		for lo > 0 && marked[lo-1] && size.Static() && x.Dim(lo-1).Static() {
			lo--
			size.A *= x.Dim(lo).A
		}
		if lo < hi {
			merged := append(slices.Clone(x.Shape()[:lo]), size)
			x = g.Reshape(x, append(merged, x.Shape()[hi+1:]...)...)
		}
		x = one(x, lo)
		hi = lo
	}
	if keep {
		return g.Reshape(x, kept...)
	}
	if len(dropped) == 0 {
		dropped = dims(1)
	}
	return g.Reshape(x, dropped...)
}

// ReduceSum adds over several axes.
func (g *Graph) ReduceSum(x Value, axes []int, keep bool) Value {
	return g.reduceAxes(x, axes, keep, func(x Value, axis int) Value { return g.Sum(x, axis, true, false) })
}

// ReduceMax is the largest element over several axes.
func (g *Graph) ReduceMax(x Value, axes []int, keep bool) Value {
	return g.reduceAxes(x, axes, keep, func(x Value, axis int) Value { return g.MaxOf(x, axis, true, false) })
}

// ReduceMin is the smallest element over several axes.
func (g *Graph) ReduceMin(x Value, axes []int, keep bool) Value {
	return g.reduceAxes(x, axes, keep, func(x Value, axis int) Value { return g.MinOf(x, axis, true, false) })
}

// ReduceProd multiplies over several axes.
func (g *Graph) ReduceProd(x Value, axes []int, keep bool) Value {
	return g.reduceAxes(x, axes, keep, func(x Value, axis int) Value { return g.Prod(x, axis, true, false) })
}

// ReduceMean is the sum over several axes divided by their size. Axes that depend on the step are refused.
func (g *Graph) ReduceMean(x Value, axes []int, keep bool) Value {
	n := int64(1)
	for _, a := range axes {
		if d := x.Dim(a); d.Static() {
			n *= d.A
		} else {
			g.b.fail("%s: mean over axis %d of shape %s, which depends on the step", g.name, a, x.Shape())
			return Value{}
		}
	}
	return g.Div(g.ReduceSum(x, axes, keep), g.F32(float32(n)))
}

// GlobalAvgPool is the mean of every plane of x [n, c, h, w], [n, c, 1, 1].
func (g *Graph) GlobalAvgPool(x Value) Value { return g.ReduceMean(x, []int{2, 3}, true) }

// GlobalMaxPool is the largest element of every plane.
func (g *Graph) GlobalMaxPool(x Value) Value { return g.ReduceMax(x, []int{2, 3}, true) }

// SoftmaxAxis is Softmax along any axis.
func (g *Graph) SoftmaxAxis(x Value, axis int) Value {
	return g.alongLast(x, axis, func(x Value) Value { return g.Softmax(x, false) })
}

// LogSoftmaxAxis is LogSoftmax along any axis.
func (g *Graph) LogSoftmaxAxis(x Value, axis int) Value { return g.alongLast(x, axis, g.LogSoftmax) }

// alongLast brings an axis to the end for f and back.
func (g *Graph) alongLast(x Value, axis int, f func(x Value) Value) Value {
	if axis < 0 {
		axis += x.Rank()
	}
	if axis == x.Rank()-1 {
		return f(x)
	}
	return g.swapAxes(f(g.swapAxes(x, axis, x.Rank()-1)), axis, x.Rank()-1)
}

func (g *Graph) swapAxes(x Value, a, b int) Value {
	perm := make([]int64, x.Rank())
	for i := range perm {
		perm[i] = int64(i)
	}
	if a < 0 || b < 0 || a >= len(perm) || b >= len(perm) {
		g.b.fail("%s: axes %d, %d of shape %s do not exist", g.name, a, b, x.Shape())
		return Value{}
	}
	perm[a], perm[b] = perm[b], perm[a]
	return g.Transpose(x, perm...)
}

// GatherAxis picks entries idx [n] along an axis; an index out of range gives zeros.
func (g *Graph) GatherAxis(x Value, axis int, idx Value) Value {
	if axis < 0 {
		axis += x.Rank()
	}
	if axis == 0 {
		return g.Gather(x, idx)
	}
	return g.swapAxes(g.Gather(g.swapAxes(x, 0, axis), idx), 0, axis)
}

// TopK returns the k largest elements of x f32[n], largest first, and their indices i64[k]; ties to the lower index.
func (g *Graph) TopK(x Value, k int64) (values, indices Value) {
	n := x.Dim(0)
	if x.Rank() != 1 || !n.Static() || k < 1 || k > n.A {
		g.b.fail("%s: top %d of shape %s, want one static dimension of k or more", g.name, k, x.Shape())
		return Value{}, Value{}
	}
	rank := g.Reshape(g.Cast(g.plain("rank@1", x), engine.I64), engine.Const(1), n)
	hit := g.Eq(rank, g.Iota(0, engine.Const(k), engine.Const(1)))
	indices = g.ArgMax(g.Cast(hit, engine.F32), 1, false)
	return g.Gather(x, indices), indices
}
