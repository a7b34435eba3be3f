package game

import (
	"fmt"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// Trace is one party's view of the run: the one seam between the solver and whatever computes. Nothing is stored on
// purpose; a Trace re-derives what it is asked for.
type Trace interface {
	// StateRoot is the named root of the states before step t; t = T gives the last ones.
	StateRoot(t uint64) (commit.Hash, error)
	// Tree is a Merkle tree of the run: TreeOutputs at t = T, TreeStates before step t, TreeNodes of step t, TreeWeights,
	// TreeInputs.
	Tree(tree Tree, t uint64) (*commit.Tree, error)
	// Tensor is a weight, an input, a state before step t or a node of step t.
	Tensor(t uint64, ref engine.OperandRef) (*Tensor, error)
	// Accumulators are what the fold of an element of a node has added up to before each of the fold steps in cuts.
	Accumulators(t uint64, node int, elem int64, cuts []int64) ([][]byte, error)
}

// Tensor is a tensor with its commitment.
type Tensor struct {
	Root commit.Hash
	Data []byte
	Tree *commit.Tree
}

// Source computes tensors. States returns the states before step t, Nodes the nodes of step t, nil for a step of a
// stopped run; both in the order of the program. What is returned must stay as it is.
type Source interface {
	States(t uint64) ([]*engine.Tensor, error)
	Nodes(t uint64) ([]*engine.Tensor, error)
}

// Rerun is a Trace over a Source. It keeps the roots that it was asked for, and trees and tensors of one step only. Not
// safe for concurrent use.
type Rerun struct {
	machine Machine
	source  Source
	weights []*engine.Tensor
	inputs  []*engine.Tensor
	steps   uint64

	roots   map[uint64]commit.Hash
	fixed   map[engine.OperandRef]*Tensor // weights and inputs
	tensors map[tensorKey]*Tensor
	trees   map[treeKey]*commit.Tree
	at      uint64 // the step that tensors and trees belong to
}

type tensorKey struct {
	t   uint64
	ref engine.OperandRef
}

type treeKey struct {
	tree Tree
	t    uint64
}

// NewRerun makes a Trace of a run of T steps. weights and inputs are in the program's order.
func NewRerun(m Machine, src Source, weights, inputs []*engine.Tensor, steps uint64) *Rerun {
	return &Rerun{
		machine: m, source: src, weights: weights, inputs: inputs, steps: steps,
		roots: make(map[uint64]commit.Hash), fixed: make(map[engine.OperandRef]*Tensor),
	}
}

// StateRoot implements Trace.
func (r *Rerun) StateRoot(t uint64) (commit.Hash, error) {
	if root, ok := r.roots[t]; ok {
		return root, nil
	}
	states, err := r.source.States(t)
	if err != nil {
		return commit.Hash{}, err
	}
	entries := make([]commit.Named, len(states))
	for i, s := range r.machine.States() {
		root, err := commit.TensorRoot(uint8(s.DType), s.Shape, states[i].Bytes())
		if err != nil {
			return commit.Hash{}, fmt.Errorf("state %q: %w", s.Name, err)
		}
		entries[i] = commit.Named{Name: s.Name, Root: root}
	}
	root := commit.NamedRoot(entries)
	r.roots[t] = root
	return root, nil
}

// Tree implements Trace.
func (r *Rerun) Tree(tree Tree, t uint64) (*commit.Tree, error) {
	r.focus(t)
	key := treeKey{tree, t}
	if x, ok := r.trees[key]; ok {
		return x, nil
	}
	leaves, err := r.leaves(tree, t)
	if err != nil {
		return nil, fmt.Errorf("%s tree at step %d: %w", tree, t, err)
	}
	x := commit.NewLeafTree(leaves)
	r.trees[key] = x
	return x, nil
}

func (r *Rerun) leaves(tree Tree, t uint64) ([]commit.Hash, error) {
	var leaves []commit.Hash
	add := func(kind graphpb.RefKind, i int, name string) error {
		x, err := r.Tensor(t, engine.OperandRef{Kind: kind, Index: i})
		if err != nil {
			return err
		}
		if tree == TreeNodes {
			leaves = append(leaves, commit.StepLeaf(x.Root))
		} else {
			leaves = append(leaves, commit.NamedLeaf(commit.Named{Name: name, Root: x.Root}))
		}
		return nil
	}
	m := r.machine
	switch tree {
	case TreeNodes:
		for i := range m.Nodes(t) {
			if err := add(graphpb.REF_KIND_NODE, i, ""); err != nil {
				return nil, err
			}
		}
	case TreeStates:
		for i, s := range m.States() {
			if err := add(graphpb.REF_KIND_STATE, i, s.Name); err != nil {
				return nil, err
			}
		}
	case TreeOutputs:
		for _, s := range m.Outputs() {
			if err := add(graphpb.REF_KIND_STATE, s, m.States()[s].Name); err != nil {
				return nil, err
			}
		}
	case TreeWeights:
		for i, name := range m.Weights() {
			if err := add(graphpb.REF_KIND_WEIGHT, i, name); err != nil {
				return nil, err
			}
		}
	case TreeInputs:
		for i, name := range m.Inputs() {
			if err := add(graphpb.REF_KIND_INPUT, i, name); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("no such tree of named tensors: %s", tree)
	}
	return leaves, nil
}

// focus drops what was kept of other steps. The states after step t are asked for as those before t+1.
func (r *Rerun) focus(t uint64) {
	if r.tensors == nil || t != r.at && t != r.at+1 {
		r.tensors, r.trees, r.at = make(map[tensorKey]*Tensor), make(map[treeKey]*commit.Tree), t
	}
}

// Tensor implements Trace.
func (r *Rerun) Tensor(t uint64, ref engine.OperandRef) (*Tensor, error) {
	r.focus(t)
	isFixed := ref.Kind == graphpb.REF_KIND_WEIGHT || ref.Kind == graphpb.REF_KIND_INPUT
	key := tensorKey{t, ref}
	x, ok := r.tensors[key]
	if isFixed {
		x, ok = r.fixed[ref]
	}
	if ok {
		return x, nil
	}
	raw, err := r.raw(t, ref)
	if err != nil {
		return nil, err
	}
	tree, err := commit.NewTensorTree(uint8(raw.DType()), raw.Shape(), raw.Bytes())
	if err != nil {
		return nil, err
	}
	root, err := commit.TensorRootOf(uint8(raw.DType()), raw.Shape(), tree.Root())
	if err != nil {
		return nil, err
	}
	x = &Tensor{Root: root, Data: raw.Bytes(), Tree: tree}
	if isFixed {
		r.fixed[ref] = x
	} else {
		r.tensors[key] = x
	}
	return x, nil
}

func (r *Rerun) raw(t uint64, ref engine.OperandRef) (*engine.Tensor, error) {
	var list []*engine.Tensor
	var err error
	switch ref.Kind {
	case graphpb.REF_KIND_WEIGHT:
		list = r.weights
	case graphpb.REF_KIND_INPUT:
		list = r.inputs
	case graphpb.REF_KIND_STATE:
		list, err = r.source.States(t)
	default:
		list, err = r.source.Nodes(t)
	}
	if err != nil {
		return nil, err
	}
	if ref.Index < 0 || ref.Index >= len(list) {
		return nil, fmt.Errorf("tensor %d of kind %s at step %d does not exist", ref.Index, ref.Kind, t)
	}
	return list[ref.Index], nil
}

// Accumulators implements Trace.
func (r *Rerun) Accumulators(t uint64, node int, elem int64, cuts []int64) ([][]byte, error) {
	return FoldAccumulators(r.machine, r, t, node, elem, cuts)
}

// FoldAccumulators folds an element of a node by the reference op over a trace's own tensors, up to each of the ascending
// cuts.
func FoldAccumulators(m Machine, tr Trace, t uint64, node int, elem int64, cuts []int64) ([][]byte, error) {
	view, refs, err := m.Node(t, node)
	if err != nil {
		return nil, err
	}
	open := func(q engine.Range) ([]byte, error) { return readRange(tr, t, view, refs, q) }
	out, acc, at := make([][]byte, len(cuts)), []byte(nil), int64(0)
	for i, c := range cuts {
		// Not in one piece: a judgement keeps all that it has opened.
		for at < c {
			to := min(at+1024, c)
			if acc, err = engine.Judge(view, elem, at, to, acc, open); err != nil {
				return nil, err
			}
			at = to
		}
		out[i] = acc
	}
	return out, nil
}

func readRange(tr Trace, t uint64, view *engine.NodeView, refs []engine.OperandRef, q engine.Range) ([]byte, error) {
	x, err := tr.Tensor(t, refs[q.Operand])
	if err != nil {
		return nil, err
	}
	size := engine.SizeOf(view.In[q.Operand].DType)
	if q.Start < 0 || (q.Start+q.Count)*size > int64(len(x.Data)) {
		return nil, fmt.Errorf("operand %d: elements %d..%d are outside of it", q.Operand, q.Start, q.Start+q.Count-1)
	}
	return x.Data[q.Start*size : (q.Start+q.Count)*size], nil
}
