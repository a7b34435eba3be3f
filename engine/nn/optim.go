package nn

import "poaid/engine"

// Optimizer turns gradients into updates of parameter states. Apply declares the optimiser's own states.
type Optimizer interface {
	// Apply sets the next value of every parameter. lr is an f32[1].
	Apply(b *Builder, g *Graph, lr Value, params []Param, grads []Value)
}

// Param is a parameter held in a state.
type Param struct {
	Name  string
	Value Value // the state
}

// SGD is stochastic gradient descent: m' = Momentum·m + grad, p' = p − lr·m'. Without momentum there is no m.
type SGD struct{ Momentum float32 }

// Apply implements Optimizer.
func (o SGD) Apply(b *Builder, g *Graph, lr Value, params []Param, grads []Value) {
	for i, p := range params {
		step := grads[i]
		if o.Momentum != 0 {
			m := b.State("sgd.m."+p.Name, engine.F32, p.Value.Shape().At(0)...)
			step = g.Add(g.Mul(m, g.F32(o.Momentum)), step)
			g.Update(m, step)
		}
		g.Update(p.Value, g.Sub(p.Value, g.Mul(step, lr)))
	}
}

// Adam is Kingma and Ba 2014 with decoupled weight decay (Loshchilov and Hutter 2017) on parameters of rank 2 and up:
//
//	m' = β1·m + (1−β1)·g        v' = β2·v + (1−β2)·(g·g)
//	c1' = β1·c1 + (1−β1)        c2' = β2·c2 + (1−β2)          (1 − β^t, kept as states that start at 0)
//	p' = p·(1 − lr·decay) − lr·((m'/c1') / (sqrt(v'/c2') + ε))
type Adam struct {
	Beta1, Beta2, Eps float32
	Decay             float32
}

// DefaultAdam has the usual constants.
func DefaultAdam() Adam { return Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// Apply implements Optimizer.
func (o Adam) Apply(b *Builder, g *Graph, lr Value, params []Param, grads []Value) {
	beta := func(v float32) (keep, add Value) { return g.F32(v), g.F32(1 - v) }
	b1, a1 := beta(o.Beta1)
	b2, a2 := beta(o.Beta2)
	correction := func(name string, keep, add Value) Value {
		s := b.State(name, engine.F32, 1)
		next := g.Add(g.Mul(s, keep), add)
		g.Update(s, next)
		return next
	}
	c1, c2 := correction("adam.c1", b1, a1), correction("adam.c2", b2, a2)
	for i, p := range params {
		shape, gr := p.Value.Shape().At(0), grads[i]
		m, v := b.State("adam.m."+p.Name, engine.F32, shape...), b.State("adam.v."+p.Name, engine.F32, shape...)
		m1 := g.Add(g.Mul(m, b1), g.Mul(gr, a1))
		v1 := g.Add(g.Mul(v, b2), g.Mul(g.Mul(gr, gr), a2))
		g.Update(m, m1)
		g.Update(v, v1)
		step := g.Div(g.Div(m1, c1), g.Add(g.Sqrt(g.Div(v1, c2)), g.F32(o.Eps)))
		old := p.Value
		if o.Decay != 0 && p.Value.Rank() > 1 {
			old = g.Mul(old, g.Sub(g.F32(1), g.Mul(lr, g.F32(o.Decay))))
		}
		g.Update(p.Value, g.Sub(old, g.Mul(step, lr)))
	}
}

// clipNorm scales gradients by min(1, limit / norm), norm = sqrt(Σ g²) over all of them (Pascanu et al. 2013).
func (g *Graph) clipNorm(grads []Value, limit float32) []Value {
	var total Value
	for i, gr := range grads {
		n := int64(1)
		for _, d := range gr.Shape() {
			n *= d.A
		}
		flat := g.Reshape(gr, engine.Const(1), engine.Const(n))
		sum := g.Reshape(g.Sum(g.Mul(flat, flat), -1, false, false), engine.Const(1))
		if i == 0 {
			total = sum
		} else {
			total = g.Add(total, sum)
		}
	}
	scale := g.Div(g.F32(limit), g.Max(g.Sqrt(total), g.F32(limit)))
	out := make([]Value, len(grads))
	for i, gr := range grads {
		out[i] = g.Mul(gr, scale)
	}
	return out
}
