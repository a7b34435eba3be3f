package nn

import (
	"sort"

	"poaid/engine"
	"poaid/engine/graphpb"
)

// contribution is one consumer's part of a value's gradient.
type contribution struct {
	consumer int
	slot     int
	grad     Value
}

// Grad appends the gradient of loss, an f32[1], with respect to each of wrt (weights, states, inputs or nodes). The
// parts of a gradient are added left to right by ascending index of the consumer, so the result is a function of the
// graph alone. Values that loss does not depend on have a gradient of zeros.
func (g *Graph) Grad(loss Value, wrt ...Value) []Value {
	grads := make([]Value, len(wrt))
	if g.b.err != nil || loss.kind != graphpb.REF_KIND_NODE || loss.g != g || !loss.Shape().Equal(dims(1)) || loss.DType() != engine.F32 {
		g.b.fail("%s: the loss of Grad must be an f32[1] node of this graph", g.name)
		return grads
	}
	active, rules := g.activeNodes(loss.index, wrt), vjpRules()
	parts := map[key][]contribution{loss.key(): {{grad: g.F32(1)}}}
	for i := loss.index; i >= 0; i-- {
		k := key{graphpb.REF_KIND_NODE, i}
		if !active[i] || len(parts[k]) == 0 {
			continue
		}
		dy := g.sumParts(parts[k])
		parts[k] = []contribution{{grad: dy}} // a node asked for in wrt
		ins, gs := g.nodeGrad(i, dy, active, wrt, rules)
		for slot, gr := range gs {
			if gr.Valid() {
				parts[ins[slot].key()] = append(parts[ins[slot].key()], contribution{i, slot, gr})
			}
		}
		if g.b.err != nil {
			return grads
		}
	}
	for i, w := range wrt {
		if p := parts[w.key()]; len(p) > 0 {
			grads[i] = g.sumParts(p)
		} else {
			grads[i] = g.Broadcast(g.F32(0), w.Shape()...)
		}
	}
	return grads
}

// nodeGrad returns the operands of node i, or of the macro that ends in it, and their gradients.
func (g *Graph) nodeGrad(i int, dy Value, active []bool, wrt []Value, rules map[string]func(c *vjp) []Value) (ins, grads []Value) {
	wanted := func(v Value) bool {
		if v.kind == graphpb.REF_KIND_NODE && active[v.index] {
			return v.DType() == engine.F32
		}
		for _, w := range wrt {
			if w.key() == v.key() {
				return true
			}
		}
		return false
	}
	if m, ok := g.macros[i]; ok {
		grads = m.grad(dy)
		for slot, in := range m.inputs {
			if !wanted(in) {
				grads[slot] = Value{}
			}
		}
		return m.inputs, grads
	}
	ins = g.operands(i)
	need := make([]bool, len(ins))
	for slot, in := range ins {
		need[slot] = wanted(in)
	}
	rule, ok := rules[g.nodes[i].Op]
	if !ok {
		g.b.fail("%s node %d: %s has no gradient", g.name, i, g.nodes[i].Op)
		return ins, nil
	}
	c := vjp{g: g, node: g.nodes[i], y: g.nodeValue(i), x: ins, dy: dy, need: need}
	return ins, rule(&c)
}

// activeNodes marks the nodes up to last whose value depends on one of wrt by a differentiable path.
func (g *Graph) activeNodes(last int, wrt []Value) []bool {
	roots := make(map[key]bool)
	for _, w := range wrt {
		roots[w.key()] = true
	}
	active := make([]bool, last+1)
	for i := range active {
		if g.vals[i].DType != engine.F32 {
			continue
		}
		active[i] = roots[key{graphpb.REF_KIND_NODE, i}]
		for _, v := range g.operands(i) {
			if roots[v.key()] || v.kind == graphpb.REF_KIND_NODE && active[v.index] {
				active[i] = true
			}
		}
	}
	return active
}

func (g *Graph) nodeValue(i int) Value {
	return Value{g: g, kind: graphpb.REF_KIND_NODE, index: i, v: g.vals[i]}
}

func (g *Graph) operands(i int) []Value {
	out := make([]Value, len(g.nodes[i].Inputs))
	for j, r := range g.nodes[i].Inputs {
		out[j] = g.refValue(r)
	}
	return out
}

func (g *Graph) refValue(r *graphpb.Ref) Value {
	i := int(r.Index)
	v := Value{kind: r.Kind, index: i}
	switch r.Kind {
	case graphpb.REF_KIND_NODE:
		return g.nodeValue(i)
	case graphpb.REF_KIND_WEIGHT:
		w := g.b.pb.Weights[i]
		v.v = out(w.Dtype, dims(w.Shape...)...)
	case graphpb.REF_KIND_STATE:
		s := g.b.pb.States[i]
		v.v = out(s.Dtype, dims(s.Shape...)...)
	default:
		in := g.b.pb.Inputs[i]
		v.v = out(in.Dtype, dims(in.Shape...)...)
		v.v.Variable = in.VariableRows
	}
	return v
}

// sumParts adds contributions, ascending by consumer and operand.
func (g *Graph) sumParts(p []contribution) Value {
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].consumer != p[j].consumer {
			return p[i].consumer < p[j].consumer
		}
		return p[i].slot < p[j].slot
	})
	sum := p[0].grad
	for _, c := range p[1:] {
		sum = g.Add(sum, c.grad)
	}
	return sum
}

// unbroadcast sums x down to a shape that was stretched to x's, right-aligned: neighbouring stretched dimensions are
// summed in one go, the last ones first.
func (g *Graph) unbroadcast(x Value, shape engine.Shape) Value {
	if !x.Valid() || x.Shape().Equal(shape) {
		return x
	}
	type group struct {
		size   engine.Dim
		summed bool
	}
	var groups []group
	lead := x.Rank() - len(shape)
	for i, d := range x.Shape() {
		summed := i < lead || shape[i-lead] == engine.Const(1) && d != engine.Const(1)
		if last := len(groups) - 1; last >= 0 && groups[last].summed == summed && d.Static() && groups[last].size.Static() {
			groups[last].size.A *= d.A
			continue
		}
		groups = append(groups, group{d, summed})
	}
	for i := len(groups) - 1; i >= 0; i-- {
		if !groups[i].summed {
			continue
		}
		sizes := make(engine.Shape, len(groups))
		for j, gr := range groups {
			sizes[j] = gr.size
		}
		x = g.Sum(g.Reshape(x, sizes...), i, true, false)
		groups[i].size = engine.Const(1)
	}
	return g.Reshape(x, shape...)
}
