package sprint

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"poaid/commit"
)

const domainLeaf = "poai/sprint/leaf/1"

// Tree is the tree over a participant's leaf values that its root commits to: RFC 6962's, whose leaves bind number and value.
type Tree struct {
	tree *commit.Tree
}

// NewTree builds the tree of values, value n being leaf n's.
func NewTree(values [][]byte) (*Tree, error) {
	hashed := make([]commit.Hash, len(values))
	for n, v := range values {
		var err error
		if hashed[n], err = LeafHash(uint64(n), v); err != nil { // #nosec G115 -- an index
			return nil, err
		}
	}
	return &Tree{commit.NewLeafTree(hashed)}, nil
}

// LeafHash is the hash of leaf n.
func LeafHash(n uint64, value []byte) (commit.Hash, error) {
	if len(value) != ValueSize {
		return commit.Hash{}, fmt.Errorf("%w: value of leaf %d: %d bytes, want %d", ErrInput, n, len(value), ValueSize)
	}
	b := make([]byte, 0, 1+len(domainLeaf)+8+ValueSize)
	b = append(append(b, 0), domainLeaf...)
	b = binary.LittleEndian.AppendUint64(b, n)
	return sha256.Sum256(append(b, value...)), nil
}

// Root is what is committed to.
func (t *Tree) Root() commit.Hash { return t.tree.Root() }

// Count is the number of leaves.
func (t *Tree) Count() uint64 { return t.tree.Leaves() }

// Proof gives the siblings that open leaf n, 32 bytes each.
func (t *Tree) Proof(n uint64) ([][]byte, error) {
	siblings, err := t.tree.Prove(n, 1)
	if err != nil {
		return nil, fmt.Errorf("%w: leaf %d: %w", ErrInput, n, err)
	}
	out := make([][]byte, len(siblings))
	for i := range siblings {
		out[i] = append([]byte(nil), siblings[i][:]...)
	}
	return out, nil
}

// VerifyOpening checks that value is leaf n of the count leaves under root. Nothing it is given is trusted: it fails with ErrInput on what cannot
// be a proof, with commit.ErrMismatch on one of something else.
func VerifyOpening(root []byte, count, n uint64, value []byte, proof [][]byte) error {
	want, err := commit.HashFromBytes(root)
	if err != nil {
		return fmt.Errorf("%w: root: %w", ErrInput, err)
	}
	leaf, err := LeafHash(n, value)
	if err != nil {
		return err
	}
	if len(proof) > commit.MaxProof {
		return fmt.Errorf("%w: proof of leaf %d: %d hashes, limit %d", ErrInput, n, len(proof), commit.MaxProof)
	}
	siblings := make([]commit.Hash, len(proof))
	for i, p := range proof {
		if siblings[i], err = commit.HashFromBytes(p); err != nil {
			return fmt.Errorf("%w: proof of leaf %d: hash %d: %w", ErrInput, n, i, err)
		}
	}
	got, err := commit.RootFromLeaves(count, n, []commit.Hash{leaf}, siblings)
	if err != nil {
		return fmt.Errorf("%w: proof of leaf %d: %w", ErrInput, n, err)
	}
	if got != want {
		return fmt.Errorf("leaf %d: %w", n, commit.ErrMismatch)
	}
	return nil
}
