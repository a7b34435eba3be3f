package engine

import (
	"slices"

	"poaid/engine/graphpb"
)

// maxBatch is the largest number of forced steps done at once. More would help products with weights little and cost
// memory.
const maxBatch = 64

// batchMode says how a node of a batch of steps is evaluated.
type batchMode uint8

const (
	// perStep nodes are evaluated step by step.
	perStep batchMode = iota
	// merged nodes are evaluated once for all steps, whose results are neighbours along the first dimension.
	merged
	// shared nodes are the same at every step.
	shared
	// located nodes need no work: their bytes are another node's or a state's.
	located
	// written nodes put one row a step into a state.
	written
)

// batchPlan is how the forced graph runs many steps at once, node after node: every result has a slot a step.
//
// That is exact only if no node can tell it from one step after the other, which planBatch proves: a state is either
// left alone, or its next value is setrow@1 of itself at row t, in place, and read through slices of rows 0..t only.
// Row t is then written by step t and by no later one, so a slice holds at the end of the batch what it held at its
// step. Everything else depends on its own step alone.
type batchPlan struct {
	plan  *plan
	width int64 // the largest number of steps
	mode  []batchMode
	slot  []int64 // bytes from one step's result to the next; 0: the same for all
	root  []ref   // located: the node or state whose bytes a result is part of
}

// timed are the ops whose result depends on the step beyond their operands.
var timed = []string{"step@1", "rand@1"}

// planBatch returns nil where steps must follow each other.
func planBatch(p *Program, g *graph) *batchPlan {
	pl := newPlanner(p, g)
	pl.statesOnly = true
	pl.lifetimes()
	pl.inPlace()
	if !stepsIndependent(p, g, pl.plan) {
		return nil
	}
	n := len(g.nodes)
	b := &batchPlan{plan: pl.plan, mode: make([]batchMode, n), slot: make([]int64, n), root: make([]ref, n)}
	b.width = int64(min(maxBatch, p.pb.MaxSteps))
	for i := range g.nodes {
		b.classify(p, g, i)
		if pl.plan.place[i] == pooled && b.mode[i] != shared {
			pl.plan.bytes[i] *= b.width
		}
	}
	pl.plan.guards = nil
	pl.assign()
	return b
}

// stepsIndependent is the proof that batchPlan needs.
func stepsIndependent(p *Program, g *graph, pl *plan) bool {
	for s, u := range g.update {
		if u < 0 {
			continue
		}
		n := &g.nodes[u]
		if s == p.stop || n.op.Name != "setrow@1" || pl.place[u] != inPlace || n.in[0] != (ref{graphpb.REF_KIND_STATE, s}) ||
			n.in[2].kind != graphpb.REF_KIND_NODE || g.nodes[n.in[2].index].op.Name != "step@1" {
			return false
		}
		for i := range g.nodes {
			for k, r := range g.nodes[i].in {
				switch {
				case r == (ref{graphpb.REF_KIND_STATE, s}) && (i != u || k != 0):
					return false
				case r == (ref{graphpb.REF_KIND_NODE, u}) && !readsPast(&g.nodes[i]):
					return false
				}
			}
		}
	}
	return true
}

// readsPast reports whether a node reads rows 0..t of its operand, or fewer.
func readsPast(n *node) bool {
	rows := n.out.Shape[0]
	return n.op.Name == "slice@1" && n.attrs.Ints("start")[0] == 0 && rows.A == 1 && rows.B <= 1
}

// classify chooses how node i is evaluated. Its operands are classified.
func (b *batchPlan) classify(p *Program, g *graph, i int) {
	n := &g.nodes[i]
	b.root[i] = ref{graphpb.REF_KIND_NODE, i}
	bytes := int64(opBytes(&Operand{DType: n.out.DType, Shape: n.out.Shape.At(p.pb.MaxSteps - 1)}))
	switch b.plan.place[i] {
	case alias, viewed:
		b.mode[i], b.root[i] = located, n.in[0]
		if n.in[0].kind == graphpb.REF_KIND_NODE {
			b.root[i], b.slot[i] = b.root[n.in[0].index], b.slot[n.in[0].index]
		}
		return
	case inPlace:
		b.mode[i], b.root[i] = written, n.in[0]
		return
	case once:
		b.mode[i] = shared
		return
	}
	uniform := n.out.Shape.Static() && !slices.Contains(timed, n.op.Name)
	for _, r := range n.in {
		uniform = uniform && !b.varies(g, r)
	}
	if uniform {
		b.mode[i] = shared
		return
	}
	b.mode[i], b.slot[i] = perStep, bytes
	if b.mergeable(p, g, n) {
		b.mode[i] = merged
	}
}

// varies reports whether an operand depends on the step.
func (b *batchPlan) varies(g *graph, r ref) bool {
	if r.kind != graphpb.REF_KIND_NODE {
		return false // states that change are only read by setrow@1
	}
	return b.slot[r.index] != 0 || b.root[r.index].kind == graphpb.REF_KIND_STATE || !g.nodes[r.index].out.Shape.Static()
}

// lined are the elementwise ops that batches merge.
var lined = []string{
	"neg@1", "abs@1", "relu@1", "exp@1", "log@1", "sqrt@1", "rsqrt@1", "sigmoid@1", "tanh@1", "silu@1", "gelu@1",
	"add@1", "sub@1", "mul@1", "div@1", "max@1", "min@1", "eq@1", "lt@1", "le@1", "and@1", "or@1", "not@1", "where@1", "cast@1",
	"round@1", "clip@1", "hardswish@1", "hardsigmoid@1", "erf@1", "quantise@1", "dequantise@1", "rescale@1", "requantise@1",
}

// mergeable reports whether the results of all steps, one after the other, are the op's result for operands of all
// steps one after the other: what varies has its steps along the first dimension, along which rows do not meet.
func (b *batchPlan) mergeable(p *Program, g *graph, n *node) bool {
	vary, shapes := make([]bool, len(n.in)), make([]Shape, len(n.in))
	for k, r := range n.in {
		v := p.value(g, r)
		vary[k], shapes[k] = b.varies(g, r), v.Shape
		if vary[k] && (!v.Shape.Static() || b.plan.place[r.index] == viewed ||
			b.slot[r.index] != int64(opBytes(&Operand{DType: v.DType, Shape: v.Shape.At(0)}))) {
			return false // a slice of a slot, or the same bytes at every step
		}
	}
	if !n.out.Shape.Static() {
		return false
	}
	switch name := n.op.Name; name {
	case "matmul@1":
		return vary[0] && !vary[1] && len(shapes[1]) == 2 && n.attrs.Int("ta") == 0 && n.attrs.Int("tri") == 0
	case "reduce_sum@1", "reduce_max@1", "argmax@1":
		return n.attrs.Int("axis") > 0 && (n.attrs.Int("tri") == 0 || len(shapes[0]) > 2)
	case "rope@1":
		return vary[0] && !vary[1] && !vary[2] && vary[3] && len(shapes[0]) == 3
	case "gather@1":
		return !vary[0] && vary[1] && len(shapes[1]) == 1
	default:
		if !slices.Contains(lined, name) {
			return false
		}
		for k, s := range shapes {
			switch {
			case vary[k] && (len(s) != len(n.out.Shape) || s[0] != n.out.Shape[0]):
				return false
			case !vary[k] && len(s) == len(n.out.Shape) && s[0] != Const(1):
				return false
			}
		}
		return true
	}
}
