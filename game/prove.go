package game

import (
	"slices"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// This file makes the evidence that evidence.go checks.

func (s *Solver) judge(g Game) (Move, error) {
	if g.Tree == TreeTensor {
		ev, err := s.proveElement(g)
		return Judge{Evidence: ev}, err
	}
	ref, at, _, err := entrySource(s.Machine, &g)
	if err != nil {
		return nil, err
	}
	p, _, err := s.proveRoot(g, ref, at)
	return Judge{Evidence: Evidence{Operands: []OperandProof{p}}}, err
}

func (s *Solver) proveStopped(g Game) (Move, error) {
	ref := engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: s.Machine.Stop()}
	p, x, err := s.proveRoot(g, ref, g.From)
	if err != nil {
		return nil, err
	}
	p.Ranges = []RangeProof{{Data: x.Data, Siblings: []commit.Hash{}}}
	return Stopped{Proof: Evidence{Operands: []OperandProof{p}}}, nil
}

// proveElement runs the judgement over this party's tensors to learn what it reads, and opens that.
func (s *Solver) proveElement(g Game) (Evidence, error) {
	view, refs, err := s.Machine.Node(g.From, g.Node)
	if err != nil {
		return Evidence{}, err
	}
	var ranges []engine.Range
	_, err = engine.Judge(view, g.Elem, g.FoldFrom, g.FoldTo, g.Acc, func(r engine.Range) ([]byte, error) {
		ranges = append(ranges, r)
		return readRange(s.Trace, g.From, view, refs, r)
	})
	if err != nil {
		return Evidence{}, err
	}
	var ev Evidence
	for i, ref := range refs {
		spans := chunkSpans(ranges, i, engine.SizeOf(view.In[i].DType))
		if len(spans) == 0 {
			continue
		}
		p, x, err := s.proveRoot(g, ref, g.From)
		if err != nil {
			return Evidence{}, err
		}
		p.Operand = i
		for _, span := range spans {
			siblings, err := x.Tree.Prove(span.Lo, span.Len())
			if err != nil {
				return Evidence{}, err
			}
			p.Ranges = append(p.Ranges, RangeProof{First: span.Lo, Data: chunkOf(x, span), Siblings: siblings})
		}
		ev.Operands = append(ev.Operands, p)
	}
	return ev, nil
}

// proveRoot opens the root of a tensor under the agreed root over it; see Game.checkMember.
func (s *Solver) proveRoot(g Game, ref engine.OperandRef, t uint64) (OperandProof, *Tensor, error) {
	x, err := s.Trace.Tensor(t, ref)
	if err != nil {
		return OperandProof{}, nil, err
	}
	p := OperandProof{Root: x.Root}
	tree, leaf := TreeStates, ref.Index
	switch ref.Kind {
	case graphpb.REF_KIND_WEIGHT:
		tree = TreeWeights
	case graphpb.REF_KIND_INPUT:
		tree = TreeInputs
	case graphpb.REF_KIND_NODE:
		p.Member, err = s.proveNode(g, uint64(ref.Index))
		return p, x, err
	default:
		spec := s.Machine.States()[ref.Index]
		if t == 0 && spec.InitWeight == "" {
			return p, x, nil
		}
		if t == 0 {
			tree, leaf = TreeWeights, slices.Index(s.Machine.Weights(), spec.InitWeight)
		}
	}
	under, err := s.Trace.Tree(tree, t)
	if err != nil {
		return p, nil, err
	}
	p.Member, err = under.Prove(uint64(leaf), 1)
	return p, x, err
}

// proveNode leads from a node to the agreed subtree it is in.
func (s *Solver) proveNode(g Game, node uint64) ([]commit.Hash, error) {
	tree, err := s.Trace.Tree(TreeNodes, g.From)
	if err != nil {
		return nil, err
	}
	for _, a := range g.Agreed {
		if node >= a.Span.Lo && node < a.Span.Hi {
			return siblings(tree, a.Span, node)
		}
	}
	return nil, illegal(RuleEvidence, "node %d is not agreed", node)
}

// siblings are the subtrees beside a leaf below a subtree, left to right.
func siblings(tree *commit.Tree, within commit.Span, leaf uint64) ([]commit.Hash, error) {
	if within.Len() == 1 {
		return nil, nil
	}
	left, right := within.Split()
	if leaf < left.Hi {
		below, err := siblings(tree, left, leaf)
		if err != nil {
			return nil, err
		}
		beside, err := tree.Node(right)
		return append(below, beside), err
	}
	beside, err := tree.Node(left)
	if err != nil {
		return nil, err
	}
	below, err := siblings(tree, right, leaf)
	return append([]commit.Hash{beside}, below...), err
}
