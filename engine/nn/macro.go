package nn

import "poaid/engine"

// define gives the nodes that end in y a gradient of their own.
func (g *Graph) define(y Value, inputs []Value, grad func(dy Value) []Value) Value {
	if y.Valid() {
		g.macros[y.index] = macro{inputs: inputs, grad: grad}
	}
	return y
}

// exps is the common head of softmax and log-softmax: e = exp(x − max) and its sum, along the last axis.
func (g *Graph) exps(x Value, tri bool) (shifted, e, z Value) {
	shifted = g.Sub(x, g.MaxOf(x, -1, true, tri))
	e = g.Exp(shifted)
	return shifted, e, g.Sum(e, -1, true, tri)
}

// Softmax along the last axis: e / sum e, e = exp(x − max x). With tri only columns j ≤ i count; the others hold
// rubbish that readers must not admit to their chains.
func (g *Graph) Softmax(x Value, tri bool) Value {
	_, e, z := g.exps(x, tri)
	p := g.Div(e, z)
	return g.define(p, []Value{x}, func(dp Value) []Value {
		ds := g.softmaxGrad(p, dp, tri)
		if tri {
			ds = g.Tril(ds, 0)
		}
		return []Value{ds}
	})
}

// softmaxGrad is p·(dp − Σ dp·p).
func (g *Graph) softmaxGrad(p, dp Value, tri bool) Value {
	return g.Mul(p, g.Sub(dp, g.Sum(g.Mul(dp, p), -1, true, tri)))
}

// LogSoftmax along the last axis: (x − max x) − log sum e.
func (g *Graph) LogSoftmax(x Value) Value {
	shifted, _, z := g.exps(x, false)
	y := g.Sub(shifted, g.Log(z))
	return g.define(y, []Value{x}, func(dy Value) []Value {
		return []Value{g.Sub(dy, g.Mul(g.Exp(y), g.Sum(dy, -1, true, false)))}
	})
}

// CrossEntropy is the mean of −log softmax(logits)[i, target[i]] over the rows of logits [n, c], as f32[1].
func (g *Graph) CrossEntropy(logits, target Value) Value {
	n, c := logits.Dim(0), logits.Dim(1)
	if !n.Static() || !c.Static() {
		g.b.fail("cross entropy: shape %s depends on the step", logits.Shape())
		return Value{}
	}
	shifted, e, z := g.exps(logits, false)
	logp := g.Sub(g.Take(shifted, target), g.Reshape(g.Log(z), n))
	loss := g.Div(g.Neg(g.Reshape(g.Sum(g.Reshape(logp, engine.Const(1), n), -1, false, false), engine.Const(1))), g.F32(float32(n.A)))
	return g.define(loss, []Value{logits}, func(dl Value) []Value {
		scale := g.Div(dl, g.F32(float32(n.A)))
		return []Value{g.Mul(g.Sub(g.Div(e, z), g.OneHot(target, c.A)), scale)}
	})
}

// RMSNorm along the last axis: w·(x·r), r = 1/sqrt(mean x² + eps), w [d].
func (g *Graph) RMSNorm(x, w Value, eps float32) Value {
	d := g.F32(float32(x.Dim(-1).A))
	r := g.RSqrt(g.Add(g.Div(g.Sum(g.Mul(x, x), -1, true, false), d), g.F32(eps)))
	hat := g.Mul(x, r)
	y := g.Mul(hat, w)
	return g.define(y, []Value{x, w}, func(dy Value) []Value {
		dh := g.Mul(dy, w)
		mean := g.Div(g.Sum(g.Mul(dh, hat), -1, true, false), d)
		return []Value{g.Mul(g.Sub(dh, g.Mul(hat, mean)), r), g.unbroadcast(g.Mul(dy, hat), w.Shape())}
	})
}

// LayerNorm along the last axis: w·((x − mean)·r) + b, r = 1/sqrt(mean (x − mean)² + eps); w, b [d].
func (g *Graph) LayerNorm(x, w, b Value, eps float32) Value {
	d := g.F32(float32(x.Dim(-1).A))
	mean := func(v Value) Value { return g.Div(g.Sum(v, -1, true, false), d) }
	centred := g.Sub(x, mean(x))
	r := g.RSqrt(g.Add(mean(g.Mul(centred, centred)), g.F32(eps)))
	hat := g.Mul(centred, r)
	y := g.Add(g.Mul(hat, w), b)
	return g.define(y, []Value{x, w, b}, func(dy Value) []Value {
		dh := g.Mul(dy, w)
		dx := g.Mul(g.Sub(g.Sub(dh, mean(dh)), g.Mul(hat, mean(g.Mul(dh, hat)))), r)
		return []Value{dx, g.unbroadcast(g.Mul(dy, hat), w.Shape()), g.unbroadcast(dy, b.Shape())}
	})
}

// Attention is softmax(q·kᵀ·scale)·v for q [..., s, d], k and v [..., n, d]; leading dimensions broadcast, so that
// query heads can share keys. causal admits only keys j ≤ i, by membership.
func (g *Graph) Attention(q, k, v Value, scale float32, causal bool) Value {
	tri := b2i(causal)
	c := g.F32(scale)
	_, e, z := g.exps(g.Mul(g.MatMul(q, k, false, true, 0), c), causal)
	p := g.Div(e, z)
	o := g.MatMul(p, v, false, false, tri)
	return g.define(o, []Value{q, k, v}, func(do Value) []Value {
		dv := g.MatMul(p, do, true, false, 2*tri)
		ds := g.Mul(g.softmaxGrad(p, g.MatMul(do, v, false, true, 0), causal), c)
		dq := g.MatMul(ds, k, false, false, tri)
		dk := g.MatMul(ds, q, true, false, 2*tri)
		return []Value{dq, g.unbroadcast(dk, k.Shape()), g.unbroadcast(dv, v.Shape())}
	})
}

// SwiGLU is (silu(x·w1ᵀ)·(x·w3ᵀ))·w2ᵀ for x [n, d].
func (g *Graph) SwiGLU(x, w1, w2, w3 Value) Value {
	return g.Linear(g.Mul(g.Silu(g.Linear(x, w1)), g.Linear(x, w3)), w2)
}
