package commit

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// ErrMismatch is returned when a well-formed proof leads to another root.
var ErrMismatch = errors.New("proof leads to another root")

// MaxProof is the largest number of siblings any proof can have: two a level.
const MaxProof = 2 * 64

// Span is a run of leaves [Lo, Hi). As a subtree it is one that Split reaches from [0, leaves).
type Span struct {
	Lo, Hi uint64
}

// Len gives the number of leaves.
func (s Span) Len() uint64 { return s.Hi - s.Lo }

// Split gives the two children of a subtree of at least two leaves: the left one holds the largest power of two below Len.
func (s Span) Split() (left, right Span) {
	mid := s.Lo + 1<<(bits.Len64(s.Len()-1)-1)
	return Span{s.Lo, mid}, Span{mid, s.Hi}
}

// Children gives the descendants of a subtree after going down `levels` levels, left to right: at most 2^levels. A leaf that is
// reached early stands for itself. levels is limited to 16.
func (s Span) Children(levels int) ([]Span, error) {
	if levels < 0 || levels > 16 {
		return nil, fmt.Errorf("levels: %d, want 0 to 16", levels)
	}
	if s.Hi <= s.Lo {
		return nil, fmt.Errorf("span: [%d, %d) is empty", s.Lo, s.Hi)
	}
	return s.children(levels, nil), nil
}

func (s Span) children(levels int, out []Span) []Span {
	if levels == 0 || s.Len() == 1 {
		return append(out, s)
	}
	l, r := s.Split()
	return r.children(levels-1, l.children(levels-1, out))
}

// Combine hashes the nodes of s.Children(levels) up to the node of s. The number of nodes must be exact.
func (s Span) Combine(levels int, nodes []Hash) (Hash, error) {
	spans, err := s.Children(levels)
	if err != nil {
		return Hash{}, err
	}
	if len(nodes) != len(spans) {
		return Hash{}, fmt.Errorf("children: %d hashes, want %d", len(nodes), len(spans))
	}
	h, _ := s.combine(levels, nodes)
	return h, nil
}

func (s Span) combine(levels int, nodes []Hash) (Hash, []Hash) {
	if levels == 0 || s.Len() == 1 {
		return nodes[0], nodes[1:]
	}
	ls, rs := s.Split()
	l, nodes := ls.combine(levels-1, nodes)
	r, nodes := rs.combine(levels-1, nodes)
	return Node(l, r), nodes
}

// checkRange refuses an empty range or one outside the tree.
func checkRange(leaves, first, count uint64) error {
	if count == 0 {
		return errors.New("range: no leaves")
	}
	if first >= leaves || count > leaves-first {
		return fmt.Errorf("range: leaves [%d, +%d) outside a tree of %d", first, count, leaves)
	}
	return nil
}

// ProofLen gives the exact number of siblings in the proof of leaves [first, first+count) in a tree of the given size.
func ProofLen(leaves, first, count uint64) (int, error) {
	if err := checkRange(leaves, first, count); err != nil {
		return 0, err
	}
	n := 0
	walkSiblings(Span{0, leaves}, Span{first, first + count}, func(Span) { n++ })
	return n, nil
}

// walkSiblings visits, left to right, the largest subtrees of tree that hold no leaf of want.
func walkSiblings(tree, want Span, visit func(Span)) {
	if tree.Hi <= want.Lo || want.Hi <= tree.Lo {
		visit(tree)
		return
	}
	if want.Lo <= tree.Lo && tree.Hi <= want.Hi {
		return
	}
	l, r := tree.Split()
	walkSiblings(l, want, visit)
	walkSiblings(r, want, visit)
}

// VerifyLeaves checks that hashed leaves stand at [first, first+len(hashed)) of a tree with the given Merkle root and size. The
// siblings are the subtrees beside the range, left to right, and must be exactly as many as needed. Callers bound len(hashed).
func VerifyLeaves(root Hash, leaves, first uint64, hashed, siblings []Hash) error {
	got, err := RootFromLeaves(leaves, first, hashed, siblings)
	if err != nil {
		return err
	}
	if got != root {
		return ErrMismatch
	}
	return nil
}

type verifier struct {
	want     Span
	hashed   []Hash
	siblings []Hash
}

func (v *verifier) node(s Span) Hash {
	if s.Hi <= v.want.Lo || v.want.Hi <= s.Lo {
		h := v.siblings[0]
		v.siblings = v.siblings[1:]
		return h
	}
	if s.Len() == 1 {
		return v.hashed[s.Lo-v.want.Lo]
	}
	ls, rs := s.Split()
	l := v.node(ls)
	return Node(l, v.node(rs))
}

// VerifyRange checks that data is what stands at chunks [first, …) of a byte string of `total` bytes with the given Merkle root. data
// is whole chunks, the last one short only where the byte string ends.
func VerifyRange(root Hash, total, first uint64, data []byte, siblings []Hash) error {
	hashed, err := rangeLeaves(total, first, data)
	if err != nil {
		return err
	}
	return VerifyLeaves(root, LeafCount(total), first, hashed, siblings)
}

// VerifyTensorRange is VerifyRange against a tensor root; dtype and shape are the verifier's own knowledge.
func VerifyTensorRange(root Hash, dtype uint8, shape []int64, first uint64, data []byte, siblings []Hash) error {
	total, err := TensorBytes(dtype, shape)
	if err != nil {
		return err
	}
	hashed, err := rangeLeaves(total, first, data)
	if err != nil {
		return err
	}
	merkle, err := RootFromLeaves(LeafCount(total), first, hashed, siblings)
	if err != nil {
		return err
	}
	got, err := TensorRootOf(dtype, shape, merkle)
	if err != nil {
		return err
	}
	if got != root {
		return ErrMismatch
	}
	return nil
}

// RootFromLeaves gives the Merkle root that hashed leaves and their siblings lead to.
func RootFromLeaves(leaves, first uint64, hashed, siblings []Hash) (Hash, error) {
	count := uint64(len(hashed))
	want, err := ProofLen(leaves, first, count)
	if err != nil {
		return Hash{}, err
	}
	if len(siblings) != want {
		return Hash{}, fmt.Errorf("siblings: %d hashes, want %d", len(siblings), want)
	}
	v := verifier{want: Span{first, first + count}, hashed: hashed, siblings: siblings}
	return v.node(Span{0, leaves}), nil
}

func rangeLeaves(total, first uint64, data []byte) ([]Hash, error) {
	if total > math.MaxInt64 {
		return nil, fmt.Errorf("total: %d bytes, limit %d", total, int64(math.MaxInt64))
	}
	leaves := LeafCount(total)
	count := LeafCount(uint64(len(data)))
	if err := checkRange(leaves, first, count); err != nil {
		return nil, err
	}
	end := min(total, (first+count)*ChunkSize)
	if want := end - first*ChunkSize; uint64(len(data)) != want {
		return nil, fmt.Errorf("data: %d bytes, want %d for %d chunks from chunk %d of %d bytes", len(data), want, count, first, total)
	}
	hashed := make([]Hash, count)
	for i := range hashed {
		lo := i * ChunkSize
		hashed[i] = chunkLeaf(data[lo:min(lo+ChunkSize, len(data))])
	}
	return hashed, nil
}

// VerifyNamed checks that entries stand at [first, …) of a named root over n entries.
func VerifyNamed(root Hash, n, first uint64, entries []Named, siblings []Hash) error {
	hashed := make([]Hash, len(entries))
	for i, e := range entries {
		hashed[i] = NamedLeaf(e)
	}
	merkle, err := RootFromLeaves(n, first, hashed, siblings)
	if err != nil {
		return err
	}
	if NamedRootOf(merkle) != root {
		return ErrMismatch
	}
	return nil
}

// VerifyStep checks that the tensor roots stand at nodes [first, …) of a step root over n nodes.
func VerifyStep(root Hash, n, first uint64, roots, siblings []Hash) error {
	hashed := make([]Hash, len(roots))
	for i, r := range roots {
		hashed[i] = StepLeaf(r)
	}
	merkle, err := RootFromLeaves(n, first, hashed, siblings)
	if err != nil {
		return err
	}
	if StepRootOf(merkle) != root {
		return ErrMismatch
	}
	return nil
}
