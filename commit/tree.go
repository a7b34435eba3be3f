package commit

import "fmt"

// Tree is the whole Merkle tree over one tensor's bytes (or over a list of leaves), kept so that a change re-hashes only the chunks
// it touched and their ancestors. It does not hold the bytes: 64 bytes of hashes per 1024 of tensor. Not safe for concurrent use.
type Tree struct {
	total  uint64   // bytes under the tree; 0 for a list of leaves
	levels [][]Hash // levels[0] are the leaves; an odd last node is carried up unchanged
}

// NewTree hashes data into a tree. NewTensorTree checks the size against a shape first.
func NewTree(data []byte) *Tree {
	t := &Tree{total: uint64(len(data))}
	t.grow(LeafCount(t.total))
	t.rehash(data, 0, t.Leaves())
	return t
}

// NewTensorTree is NewTree for a tensor whose length is checked against dtype and shape.
func NewTensorTree(dtype uint8, shape []int64, data []byte) (*Tree, error) {
	if err := checkData(dtype, shape, data); err != nil {
		return nil, err
	}
	return NewTree(data), nil
}

// NewLeafTree builds a tree over leaves that are hashed already, such as NamedLeaf or StepLeaf values.
func NewLeafTree(leaves []Hash) *Tree {
	t := &Tree{}
	t.grow(uint64(len(leaves)))
	if len(leaves) > 0 {
		copy(t.levels[0], leaves)
		t.lift(0, uint64(len(leaves)))
	}
	return t
}

func (t *Tree) grow(leaves uint64) {
	for n := leaves; n > 0; n = (n + 1) / 2 {
		t.levels = append(t.levels, make([]Hash, n))
		if n == 1 {
			break
		}
	}
}

// Leaves gives the number of leaves.
func (t *Tree) Leaves() uint64 {
	if len(t.levels) == 0 {
		return 0
	}
	return uint64(len(t.levels[0]))
}

// Root gives the Merkle root.
func (t *Tree) Root() Hash {
	if len(t.levels) == 0 {
		return EmptyRoot()
	}
	return t.levels[len(t.levels)-1][0]
}

// Update re-hashes what covers bytes [off, off+n) of data, which is the whole byte string after the change; its length must be the
// one the tree was built over. Cost: the touched chunks and O(log leaves) nodes a boundary.
func (t *Tree) Update(data []byte, off, n uint64) error {
	if uint64(len(data)) != t.total {
		return fmt.Errorf("data: %d bytes, want %d", len(data), t.total)
	}
	if off > t.total || n > t.total-off {
		return fmt.Errorf("range: bytes [%d, +%d) outside %d", off, n, t.total)
	}
	if n == 0 {
		return nil
	}
	t.rehash(data, off/ChunkSize, LeafCount(off+n))
	return nil
}

// rehash renews leaves [lo, hi) and everything above them.
func (t *Tree) rehash(data []byte, lo, hi uint64) {
	for i := lo; i < hi; i++ {
		t.levels[0][i] = chunkLeaf(data[i*ChunkSize : min((i+1)*ChunkSize, t.total)])
	}
	if hi > lo {
		t.lift(lo, hi)
	}
}

// lift renews the ancestors of leaves [lo, hi).
func (t *Tree) lift(lo, hi uint64) {
	for k := 0; k+1 < len(t.levels); k++ {
		below, above := t.levels[k], t.levels[k+1]
		lo, hi = lo/2, (hi+1)/2
		for i := lo; i < hi; i++ {
			if 2*i+1 < uint64(len(below)) {
				above[i] = pair(k, below[2*i], below[2*i+1])
			} else {
				above[i] = below[2*i]
			}
		}
	}
}

// Node gives the hash of a subtree. The span must be one that Split reaches from the whole tree.
func (t *Tree) Node(s Span) (Hash, error) {
	at := Span{0, t.Leaves()}
	if s.Hi <= s.Lo || s.Hi > at.Hi {
		return Hash{}, fmt.Errorf("span: [%d, %d) outside %d leaves", s.Lo, s.Hi, at.Hi)
	}
	for at != s {
		if at.Len() <= s.Len() {
			return Hash{}, fmt.Errorf("span: [%d, %d) is not a subtree of %d leaves", s.Lo, s.Hi, t.Leaves())
		}
		l, r := at.Split()
		if at = l; s.Lo >= r.Lo {
			at = r
		}
	}
	return t.node(s), nil
}

// node reads a subtree's hash: its level is the smallest whose nodes are at least as wide.
func (t *Tree) node(s Span) Hash {
	k := 0
	for uint64(1)<<k < s.Len() {
		k++
	}
	return t.levels[k][s.Lo>>k]
}

// Prove gives the siblings of leaves [first, first+count), left to right.
func (t *Tree) Prove(first, count uint64) ([]Hash, error) {
	if err := checkRange(t.Leaves(), first, count); err != nil {
		return nil, err
	}
	out := []Hash{}
	walkSiblings(Span{0, t.Leaves()}, Span{first, first + count}, func(s Span) {
		out = append(out, t.node(s))
	})
	return out, nil
}

// Clone gives an independent copy.
func (t *Tree) Clone() *Tree {
	c := &Tree{total: t.total, levels: make([][]Hash, len(t.levels))}
	for i, l := range t.levels {
		c.levels[i] = append([]Hash(nil), l...)
	}
	return c
}
