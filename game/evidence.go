package game

import (
	"fmt"
	"slices"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// Evidence opens what a judgement reads: tensors, or only their roots, under roots that both sides stand by.
type Evidence struct {
	Operands []OperandProof
}

// OperandProof opens one tensor.
type OperandProof struct {
	// Operand is the operand of the node; 0 where there is only one thing to open.
	Operand int
	// Root is the tensor's root and Member the siblings that lead from it to the agreed root over it.
	Root   commit.Hash
	Member []commit.Hash
	// Ranges are runs of chunks of the tensor.
	Ranges []RangeProof
}

// RangeProof opens whole chunks from First on.
type RangeProof struct {
	First    uint64
	Data     []byte
	Siblings []commit.Hash
}

// Overheads of an encoding, counted in Size.
const (
	operandOverhead = 16
	rangeOverhead   = 24
)

// Size is the number of bytes, with what an encoding needs for numbers and lengths.
func (e *Evidence) Size() int {
	n := 0
	for i := range e.Operands {
		p := &e.Operands[i]
		n += operandOverhead + commit.Size*(1+len(p.Member))
		for j := range p.Ranges {
			n += rangeOverhead + len(p.Ranges[j].Data) + commit.Size*len(p.Ranges[j].Siblings)
		}
	}
	return n
}

// check refuses evidence of more parts than any judgement needs.
func (e *Evidence) check() error {
	n := len(e.Operands)
	for i := range e.Operands {
		n += len(e.Operands[i].Ranges)
	}
	if n > maxOpened {
		return illegal(RuleEvidence, "%d operands and ranges, limit %d", n, maxOpened)
	}
	return nil
}

func (e *Evidence) operand(i int) (*OperandProof, bool) {
	for j := range e.Operands {
		if e.Operands[j].Operand == i {
			return &e.Operands[j], true
		}
	}
	return nil, false
}

// checkMember verifies that p.Root is the root of the tensor that ref stands for, in a step with the states `before`:
// weights and inputs under the roots of the task, states under the agreed root (before the first step of a segment: its
// StartRoot; at step 0: as the program says they start), nodes under the subtrees that C did not reject.
func (g *Game) checkMember(ref engine.OperandRef, t uint64, before commit.Hash, p *OperandProof) error {
	var err error
	named := func(root commit.Hash, n, i int, name string) error {
		return commit.VerifyNamed(root, uint64(n), uint64(i), []commit.Named{{Name: name, Root: p.Root}}, p.Member)
	}
	m := g.Machine
	switch ref.Kind {
	case graphpb.REF_KIND_WEIGHT:
		names := m.Weights()
		err = named(g.Weights, len(names), ref.Index, names[ref.Index])
	case graphpb.REF_KIND_INPUT:
		names := m.Inputs()
		err = named(g.Inputs, len(names), ref.Index, names[ref.Index])
	case graphpb.REF_KIND_STATE:
		s := m.States()[ref.Index]
		switch {
		case t > 0:
			err = named(before, len(m.States()), ref.Index, s.Name)
		case s.InitWeight != "":
			names := m.Weights()
			err = named(g.Weights, len(names), slices.Index(names, s.InitWeight), s.InitWeight)
		default:
			err = checkZero(s, p)
		}
	case graphpb.REF_KIND_NODE:
		err = g.checkAgreed(uint64(ref.Index), p)
	default:
		err = fmt.Errorf("operand of kind %d", ref.Kind)
	}
	if err != nil {
		return illegal(RuleEvidence, "root of operand %d: %v", p.Operand, err)
	}
	return nil
}

// checkZero verifies the root of a state that starts as zero bytes.
func checkZero(s engine.StateSpec, p *OperandProof) error {
	zero, err := zeroTensor(s.DType, s.Shape)
	if err == nil && (p.Root != zero || len(p.Member) > 0) {
		err = commit.ErrMismatch
	}
	return err
}

func (g *Game) checkAgreed(node uint64, p *OperandProof) error {
	for _, a := range g.Agreed {
		if node >= a.Span.Lo && node < a.Span.Hi {
			return commit.VerifyLeaves(a.Hash, a.Span.Len(), node-a.Span.Lo, []commit.Hash{commit.StepLeaf(p.Root)}, p.Member)
		}
	}
	return fmt.Errorf("node %d is not agreed", node)
}

// opener reads ranges of a node's operands out of evidence, verifying what it reads.
type opener struct {
	game     *Game
	view     *engine.NodeView
	refs     []engine.OperandRef
	evidence *Evidence
	rooted   []bool   // per entry of evidence.Operands: the root has been verified
	verified [][]bool // per range
}

func (o *opener) open(r engine.Range) ([]byte, error) {
	if o.rooted == nil {
		o.rooted = make([]bool, len(o.evidence.Operands))
		o.verified = make([][]bool, len(o.evidence.Operands))
	}
	span := chunksOf(r, engine.SizeOf(o.view.In[r.Operand].DType))
	for i := range o.evidence.Operands {
		p := &o.evidence.Operands[i]
		if p.Operand != r.Operand {
			continue
		}
		for j := range p.Ranges {
			q := &p.Ranges[j]
			if q.First > span.Lo || q.First+commit.LeafCount(uint64(len(q.Data))) < span.Hi {
				continue
			}
			if err := o.verify(i, j); err != nil {
				return nil, err
			}
			size := engine.SizeOf(o.view.In[r.Operand].DType)
			at := r.Start*size - int64(q.First)*commit.ChunkSize
			if at+r.Count*size > int64(len(q.Data)) {
				break // outside of the tensor; an op never asks for that
			}
			return q.Data[at : at+r.Count*size], nil
		}
	}
	return nil, illegal(RuleEvidence, "operand %d, elements %d..%d are not opened", r.Operand, r.Start, r.Start+r.Count-1)
}

// verify checks a range once, and its tensor's root once.
func (o *opener) verify(i, j int) error {
	p := &o.evidence.Operands[i]
	if !o.rooted[i] {
		if err := o.game.checkMember(o.refs[p.Operand], o.game.From, o.game.FromState, p); err != nil {
			return err
		}
		o.rooted[i], o.verified[i] = true, make([]bool, len(p.Ranges))
	}
	if o.verified[i][j] {
		return nil
	}
	in, q := &o.view.In[p.Operand], &p.Ranges[j]
	if err := commit.VerifyTensorRange(p.Root, uint8(in.DType), in.Shape, q.First, q.Data, q.Siblings); err != nil {
		return illegal(RuleEvidence, "operand %d, chunks from %d: %v", p.Operand, q.First, err)
	}
	o.verified[i][j] = true
	return nil
}

// chunksOf is the run of chunks that a range of elements lies in.
func chunksOf(r engine.Range, size int64) commit.Span {
	return commit.Span{Lo: uint64(r.Start*size) / commit.ChunkSize, Hi: commit.LeafCount(uint64((r.Start + r.Count) * size))}
}

// chunkSpans merges the ranges of one operand into runs of chunks, ascending.
func chunkSpans(ranges []engine.Range, operand int, size int64) []commit.Span {
	var spans []commit.Span
	for _, r := range ranges {
		if r.Operand == operand && r.Count > 0 {
			spans = append(spans, chunksOf(r, size))
		}
	}
	slices.SortFunc(spans, func(a, b commit.Span) int {
		if a.Lo != b.Lo {
			return cmpUint(a.Lo, b.Lo)
		}
		return cmpUint(a.Hi, b.Hi)
	})
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && s.Lo <= merged[n-1].Hi {
			merged[n-1].Hi = max(merged[n-1].Hi, s.Hi)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func cmpUint(a, b uint64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// maxRanges bounds the ranges of one judgement, so that reading them stays cheap however an op names them; maxOpened the
// entries of evidence: no judgement needs more chunks that are apart than fit into a message.
const (
	maxRanges = 1024
	maxOpened = 128
)

// memberBound is the most siblings between a tensor root and the root over it: engine.Limits allow 2^16 nodes.
const memberBound = 20

// evidenceSize bounds the evidence for a judgement of fold steps [from, to) of an element. What a second stage opens is
// not known yet: it counts as one chunk of the largest operand for every fold step, which is what scatter_add can ask
// for, and two for an element of a LOCAL op.
func evidenceSize(view *engine.NodeView, elem, from, to int64) (int, error) {
	c := &engine.SliceCtx{NodeView: *view, Elem: elem, From: from, To: to, Opened: engine.NewOpenedRanges(view)}
	ranges, done, err := view.Op.Slice(c)
	if err != nil {
		return 0, err
	}
	total, single := 0, 0
	if len(ranges) > maxRanges {
		return 16 * MaxMessage, nil
	}
	for i := range view.In {
		bytes, err := commit.TensorBytes(uint8(view.In[i].DType), view.In[i].Shape)
		if err != nil {
			return 0, err
		}
		leaves := commit.LeafCount(bytes)
		one := rangeOverhead + commit.ChunkSize + commit.Size*int(logCeil(leaves, 2))
		single = max(single, one)
		spans := chunkSpans(ranges, i, engine.SizeOf(view.In[i].DType))
		if len(spans) == 0 && done {
			continue
		}
		total += operandOverhead + commit.Size*(1+memberBound)
		for _, s := range spans {
			siblings, err := commit.ProofLen(leaves, s.Lo, s.Len())
			if err != nil {
				return 0, err
			}
			total += rangeOverhead + commit.ChunkSize*int(s.Len()) + commit.Size*siblings
			if total > 16*MaxMessage {
				return total, nil
			}
		}
	}
	if !done {
		total += single * int(max(to-from, 2))
	}
	return total, nil
}

// judgeable tells whether fold steps [from, to) of an element can be judged at once. It looks at prefixes of doubling
// length, so that a fold with large steps costs no more than the evidence it may ask for.
func judgeable(view *engine.NodeView, elem, from, to int64) (bool, error) {
	if to-from > MaxJudgedSteps {
		return false, nil
	}
	for n := int64(1); ; n = min(2*n, to-from) {
		if n >= to-from || to-from <= 1 {
			if to-from <= 1 {
				return true, nil // nothing smaller; Judgeable refused programs where even that is too large
			}
			size, err := evidenceSize(view, elem, from, to)
			return size <= MaxEvidence, err
		}
		size, err := evidenceSize(view, elem, from, from+n)
		if err != nil || size > MaxEvidence {
			return false, err
		}
	}
}
