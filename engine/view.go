package engine

import (
	"fmt"

	"poaid/engine/graphpb"
)

// NodeAt returns node i of the step graph (or the forced graph) at step t. rows gives the number of rows of every
// input of the run, in declaration order (Inputs.Rows, or a referee's input headers); inputs without variable rows
// are taken from the declaration.
func (p *Program) NodeAt(forced bool, i int, t uint64, rows []int64) (*NodeView, error) {
	g := p.graph(forced)
	if g == nil || i < 0 || i >= len(g.nodes) {
		return nil, fmt.Errorf("node: %d does not exist in this graph", i)
	}
	if t >= p.pb.MaxSteps {
		return nil, fmt.Errorf("t: %d, max_steps is %d", t, p.pb.MaxSteps)
	}
	for j, in := range p.pb.Inputs {
		if !in.VariableRows {
			continue
		}
		if j >= len(rows) || rows[j] < 1 || rows[j] > in.Shape[0] {
			return nil, fmt.Errorf("rows[%d]: missing or not in 1..%d for input %q", j, in.Shape[0], in.Name)
		}
	}
	return p.nodeAt(g, i, t, rows), nil
}

// nodeAt is NodeAt for checked arguments. Without rows, variable inputs have their largest shape.
func (p *Program) nodeAt(g *graph, i int, t uint64, rows []int64) *NodeView {
	n := &g.nodes[i]
	v := &NodeView{
		Op: n.op, Name: n.name, Attrs: n.attrs, T: t,
		In: make([]Operand, len(n.in)), Out: Operand{DType: n.out.DType, Shape: n.out.Shape.At(t)},
	}
	for j, r := range n.in {
		val := p.value(g, r)
		v.In[j] = Operand{DType: val.DType, Shape: val.Shape.At(t)}
		if val.Variable && rows != nil {
			v.In[j].Shape[0] = rows[r.index]
		}
	}
	return v
}

// OperandRef says where an operand of a node comes from.
type OperandRef struct {
	Kind  graphpb.RefKind
	Index int
}

// OperandsOf returns where the operands of node i come from: earlier nodes, weights, states before the step, inputs.
func (p *Program) OperandsOf(forced bool, i int) ([]OperandRef, error) {
	g := p.graph(forced)
	if g == nil || i < 0 || i >= len(g.nodes) {
		return nil, fmt.Errorf("node: %d does not exist in this graph", i)
	}
	out := make([]OperandRef, len(g.nodes[i].in))
	for j, r := range g.nodes[i].in {
		out[j] = OperandRef{Kind: r.kind, Index: r.index}
	}
	return out, nil
}

// UpdateOf returns the node that gives state s its next value, −1 when the state keeps its value.
func (p *Program) UpdateOf(forced bool, s int) (int, error) {
	g := p.graph(forced)
	if g == nil || s < 0 || s >= len(g.update) {
		return 0, fmt.Errorf("state: %d does not exist in this graph", s)
	}
	return g.update[s], nil
}
