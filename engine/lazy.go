package engine

import "poaid/engine/graphpb"

// guard says that a node's result is read by one branch of a where@1 with a condition of one element, and by nothing
// else: when the condition picks the other branch, the node need not be computed. Results do not change; what is
// skipped is still defined, and Trace and ReferenceStep compute it.
type guard struct {
	cond   int // node that gives the condition, −1 for no guard
	branch int // operand of where@1: 1 is read when the condition holds, 2 when it does not
}

var noGuard = guard{cond: -1}

// guards finds the nodes that a step may skip.
func guards(g *graph) []guard {
	out := make([]guard, len(g.nodes))
	seen := make([]bool, len(g.nodes))
	for i := range out {
		out[i] = noGuard
	}
	for _, u := range g.update {
		if u >= 0 {
			seen[u] = true // the result must be there, whatever else reads it
		}
	}
	for i := len(g.nodes) - 1; i >= 0; i-- {
		if out[i].cond >= i {
			out[i] = noGuard // the condition is not known in time
		}
		n := &g.nodes[i]
		for slot, r := range n.in {
			if r.kind != graphpb.REF_KIND_NODE {
				continue
			}
			edge := out[i]
			if c, ok := oneCond(g, n); ok && slot > 0 && c < r.index {
				edge = guard{cond: c, branch: slot}
			}
			switch {
			case !seen[r.index]:
				seen[r.index], out[r.index] = true, edge
			case out[r.index] != edge:
				out[r.index] = noGuard
			}
		}
	}
	return out
}

// oneCond returns the condition of a where@1 whose condition is a node of one element.
func oneCond(g *graph, n *node) (int, bool) {
	if n.op.Name != "where@1" || n.in[0].kind != graphpb.REF_KIND_NODE {
		return 0, false
	}
	cond := n.in[0].index
	for _, d := range g.nodes[cond].out.Shape {
		if d != Const(1) {
			return 0, false
		}
	}
	return cond, true
}

// skips reports whether node i's result is not read in this step.
func (ws *workspace) skips(i int) bool {
	gd := ws.plan.guards[i]
	if gd.cond < 0 {
		return false
	}
	holds := ws.ctx[gd.cond].Y.data[0] != 0
	return holds != (gd.branch == 1)
}
