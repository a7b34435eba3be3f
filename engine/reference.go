package engine

import (
	"fmt"

	"poaid/engine/graphpb"
)

// tensorsOpen opens everything: the reference executor has all operands at hand.
type tensorsOpen []*Tensor

// Open implements Opener.
func (o tensorsOpen) Open(operand int, index int64) ([]byte, bool) {
	t := o[operand]
	n := SizeOf(t.dtype)
	if index < 0 || (index+1)*n > int64(len(t.data)) {
		return nil, false
	}
	return t.data[index*n : (index+1)*n], true
}

// OpenedRanges is an Opener over ranges and their bytes, as a referee gets them.
type OpenedRanges struct {
	sizes  []int64 // element size per operand
	ranges []Range
	data   [][]byte
}

// NewOpenedRanges returns an empty set of ranges for a node's operands.
func NewOpenedRanges(n *NodeView) *OpenedRanges {
	o := &OpenedRanges{}
	for i := range n.In {
		o.sizes = append(o.sizes, SizeOf(n.In[i].DType))
	}
	return o
}

// Add opens a range. It errs when the bytes do not fit it.
func (o *OpenedRanges) Add(r Range, data []byte) error {
	if r.Operand < 0 || r.Operand >= len(o.sizes) || r.Start < 0 || r.Count < 0 || r.Count > 1<<32 {
		return fmt.Errorf("range of operand %d at %d, %d elements: out of range", r.Operand, r.Start, r.Count)
	}
	if int64(len(data)) != r.Count*o.sizes[r.Operand] {
		return fmt.Errorf("range of operand %d: %d bytes, want %d", r.Operand, len(data), r.Count*o.sizes[r.Operand])
	}
	o.ranges, o.data = append(o.ranges, r), append(o.data, data)
	return nil
}

// Open implements Opener.
func (o *OpenedRanges) Open(operand int, index int64) ([]byte, bool) {
	for i := range o.ranges {
		if r := &o.ranges[i]; r.Operand == operand && index >= r.Start && index-r.Start < r.Count {
			at := (index - r.Start) * o.sizes[operand]
			return o.data[i][at : at+o.sizes[operand]], true
		}
	}
	return nil, false
}

// ReferenceStep computes state_t+1 from state_t element by element with EvalSlice, the path of the referee. It is slow
// and shares no code with the kernels. A stopped run keeps its states. fn, if set, is shown every node's tensor.
func ReferenceStep(prog *Program, weights *Weights, inputs *Inputs, t uint64, states []*Tensor,
	fn func(node int, out *Tensor) error,
) ([]*Tensor, error) {
	if weights.prog != prog || inputs.prog != prog || len(states) != len(prog.pb.States) {
		return nil, fmt.Errorf("%w: weights, inputs or states of another program", ErrInput)
	}
	next := make([]*Tensor, len(states))
	copy(next, states)
	if prog.stop >= 0 && states[prog.stop].I64()[0] != 0 {
		return next, nil
	}
	forced := prog.IsForced(t, inputs.forcedRows())
	g, rows := prog.graph(forced), inputs.Rows()
	nodes := make([]*Tensor, len(g.nodes))
	for i := range g.nodes {
		n, err := prog.NodeAt(forced, i, t, rows)
		if err != nil {
			return nil, err
		}
		in := make([]*Tensor, len(n.In))
		for j, r := range g.nodes[i].in {
			in[j] = operandOf(r, nodes, weights.tensors, states, inputs.tensors)
		}
		if nodes[i], err = ReferenceEval(n, in); err != nil {
			return nil, fmt.Errorf("%s.nodes[%d] %q (%s): %w", g.name, i, n.Name, n.Op.Name, err)
		}
		if fn != nil {
			if err := fn(i, nodes[i]); err != nil {
				return nil, err
			}
		}
	}
	for s, u := range g.update {
		if u >= 0 {
			next[s] = nodes[u]
		}
	}
	return next, nil
}

// ReferenceEval computes a node's whole tensor with EvalSlice, one element after the other.
func ReferenceEval(n *NodeView, in []*Tensor) (*Tensor, error) {
	out, err := NewTensor(n.Out.DType, n.Out.Shape, 1<<51)
	if err != nil {
		return nil, err
	}
	c := &SliceCtx{NodeView: *n, Opened: tensorsOpen(in)}
	for e := range out.Len() {
		c.Elem = e
		if n.Op.Steps != nil {
			if c.To, err = n.Op.Steps(c); err != nil {
				return nil, err
			}
		}
		bits, err := n.Op.EvalSlice(c)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", e, err)
		}
		copy(out.data[e*SizeOf(out.dtype):], bits)
	}
	return out, nil
}

func operandOf(r ref, nodes, weights, states, inputs []*Tensor) *Tensor {
	switch r.kind {
	case graphpb.REF_KIND_NODE:
		return nodes[r.index]
	case graphpb.REF_KIND_WEIGHT:
		return weights[r.index]
	case graphpb.REF_KIND_STATE:
		return states[r.index]
	default:
		return inputs[r.index]
	}
}
