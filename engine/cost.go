package engine

import (
	"errors"
	"fmt"
	"math/bits"

	"poaid/engine/graphpb"
)

// ErrOverflow is returned when a cost does not fit into 64 bits.
var ErrOverflow = errors.New("cost overflows 64 bits")

// CostParams are the constants of the unit: how many multiply-adds and how many bytes touched make one.
type CostParams struct {
	MacsPerUnit  uint64
	BytesPerUnit uint64
}

// Units returns what step t costs: the sum over the graph's nodes of
// ceil(max(macs/MacsPerUnit, bytes/BytesPerUnit)). forced selects the forced graph.
func (p *Program) Units(cost CostParams, t uint64, forced bool) (uint64, error) {
	if cost.MacsPerUnit == 0 || cost.BytesPerUnit == 0 {
		return 0, fmt.Errorf("cost: macs per unit %d and bytes per unit %d must be positive", cost.MacsPerUnit, cost.BytesPerUnit)
	}
	if t >= p.pb.MaxSteps {
		return 0, fmt.Errorf("cost: step %d, max_steps is %d", t, p.pb.MaxSteps)
	}
	g := p.graph(forced)
	if g == nil {
		return 0, errors.New("cost: the program has no forced graph")
	}
	return p.graphUnits(g, cost, t, func(*node) bool { return true })
}

// findCopies marks the nodes that copy the whole of operand 0 to replace a part of it. A node changes it in place only if it is a
// state that the node alone gives its next value and that no other node reads.
func (g *graph) findCopies() {
	readers := make(map[int]int)
	for i := range g.nodes {
		for _, r := range g.nodes[i].in {
			if r.kind == graphpb.REF_KIND_STATE {
				readers[r.index]++
			}
		}
	}
	updates := make(map[int]int)
	for _, u := range g.update {
		updates[u]++
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		if !n.op.replaces {
			continue
		}
		r := n.in[0]
		n.copies = r.kind != graphpb.REF_KIND_STATE || g.update[r.index] != i || updates[i] != 1 || readers[r.index] != 1
	}
}

// graphUnits adds up the units of the nodes that pick selects.
func (p *Program) graphUnits(g *graph, cost CostParams, t uint64, pick func(n *node) bool) (uint64, error) {
	total := uint64(0)
	for i := range g.nodes {
		if !pick(&g.nodes[i]) {
			continue
		}
		n := p.nodeAt(g, i, t, nil)
		macs, bytes, err := n.Op.Cost(n)
		if err != nil {
			return 0, fmt.Errorf("cost of %s.nodes[%d] %q (%s): %w", g.name, i, n.Name, n.Op.Name, err)
		}
		if g.nodes[i].copies {
			copied, err := mulAll(2, opBytes(&n.Out))
			if err != nil {
				return 0, err
			}
			if bytes, err = addChecked(bytes, copied); err != nil {
				return 0, err
			}
		}
		units := max(ceilDiv(macs, cost.MacsPerUnit), ceilDiv(bytes, cost.BytesPerUnit))
		if total, err = addChecked(total, units); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// TotalUnits returns what a run of so many steps costs when its forced input has rows rows (0: none). Nodes whose shapes do
// not depend on the step are priced once; the others at every step, so the work is steps times their number.
func (p *Program) TotalUnits(cost CostParams, steps, rows uint64) (uint64, error) {
	if steps > p.pb.MaxSteps {
		return 0, fmt.Errorf("cost: %d steps, max_steps is %d", steps, p.pb.MaxSteps)
	}
	forced := uint64(0)
	if p.forced != nil && rows > 1 {
		forced = min(steps, rows-1)
	}
	a, err := p.rangeUnits(p.forced, cost, 0, forced)
	if err != nil {
		return 0, err
	}
	b, err := p.rangeUnits(p.step, cost, forced, steps)
	if err != nil {
		return 0, err
	}
	return addChecked(a, b)
}

// rangeUnits prices steps from..to−1 of one graph.
func (p *Program) rangeUnits(g *graph, cost CostParams, from, to uint64) (uint64, error) {
	if from >= to {
		return 0, nil
	}
	if _, err := p.Units(cost, from, g == p.forced); err != nil {
		return 0, err
	}
	each, err := p.graphUnits(g, cost, from, func(n *node) bool { return !p.dependsOnStep(g, n) })
	if err != nil {
		return 0, err
	}
	total, err := mulAll(each, to-from)
	if err != nil {
		return 0, err
	}
	for t := from; t < to && g.dynamic; t++ {
		units, err := p.graphUnits(g, cost, t, func(n *node) bool { return p.dependsOnStep(g, n) })
		if err != nil {
			return 0, err
		}
		if total, err = addChecked(total, units); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// dependsOnStep reports whether the shape of a node or of one of its operands does.
func (p *Program) dependsOnStep(g *graph, n *node) bool {
	for _, r := range n.in {
		if !p.value(g, r).Shape.Static() {
			return true
		}
	}
	return !n.out.Shape.Static()
}

func addChecked(a, b uint64) (uint64, error) {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

func ceilDiv(a, b uint64) uint64 {
	q := a / b
	if a%b != 0 {
		q++
	}
	return q
}

// touched is the cost of an op that reads every operand once and writes its result: weight multiply-adds an output
// element.
func touched(weight uint64) func(n *NodeView) (uint64, uint64, error) {
	return func(n *NodeView) (uint64, uint64, error) {
		bytes := opBytes(&n.Out)
		for i := range n.In {
			bytes += opBytes(&n.In[i]) // at most 64 operands of 2^51 bytes
		}
		macs, err := mulAll(weight, uint64(n.Out.elems()))
		return macs, bytes, err
	}
}

// opBytes is the size of a whole operand, which the limits keep below 2^51.
func opBytes(o *Operand) uint64 { return uint64(o.elems() * SizeOf(o.DType)) }

// mulAll multiplies with overflow check.
func mulAll(v ...uint64) (uint64, error) {
	p := uint64(1)
	for _, x := range v {
		hi, lo := bits.Mul64(p, x)
		if hi != 0 {
			return 0, ErrOverflow
		}
		p = lo
	}
	return p, nil
}
