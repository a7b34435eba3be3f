package commit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
)

// Size is the length of a Hash in bytes.
const Size = 32

// ChunkSize is the number of tensor bytes under one leaf.
const ChunkSize = 1024

// MaxRank is the largest rank a tensor root can encode.
const MaxRank = 255

// Element types, numbered as poai.engine.v1.DType.
const (
	F32 uint8 = 1
	I32 uint8 = 2
	I64 uint8 = 3
	I8  uint8 = 4
	U8  uint8 = 5
)

// Domains of the roots; see doc.go.
const (
	domainTensor  = "poai/tensor/1"
	domainNamed   = "poai/named/1"
	domainStep    = "poai/step/1"
	domainResult  = "poai/result/1"
	domainSeal    = "poai/seal/1"
	domainProgram = "poai/program/1"
	domainSalt    = "poai/salt/1"
	domainForced  = "poai/forced/1"
)

// Hash is a SHA-256 digest: a root, a node, a leaf or a seal.
type Hash [Size]byte

// String gives the hash in lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether all bytes are zero, which no computed root is.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText gives the hash in lower-case hex, for JSON and flags.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hex digits.
func (h *Hash) UnmarshalText(text []byte) error {
	p, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = p
	return nil
}

// ParseHash reads 64 hex digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*Size {
		return h, fmt.Errorf("hash: %d characters, want %d hex digits", len(s), 2*Size)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("hash: %w", err)
	}
	return h, nil
}

// HashFromBytes reads exactly 32 bytes.
func HashFromBytes(b []byte) (Hash, error) {
	if len(b) != Size {
		return Hash{}, fmt.Errorf("hash: %d bytes, want %d", len(b), Size)
	}
	return Hash(b), nil
}

// DTypeSize gives the bytes of one element, or an error for an unknown dtype.
func DTypeSize(dtype uint8) (int, error) {
	switch dtype {
	case F32, I32:
		return 4, nil
	case I64:
		return 8, nil
	case I8, U8:
		return 1, nil
	}
	return 0, fmt.Errorf("dtype: %d is unknown, want 1 to 5", dtype)
}

// TensorBytes gives dtype size × product of shape. Every dimension must be ≥ 0, the rank at most MaxRank, and the product of the
// non-zero dimensions must fit in an int64 even when another dimension is zero.
func TensorBytes(dtype uint8, shape []int64) (uint64, error) {
	size, err := DTypeSize(dtype)
	if err != nil {
		return 0, err
	}
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("shape: rank %d, limit %d", len(shape), MaxRank)
	}
	total, empty := uint64(size), false
	for i, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape[%d]: %d is negative", i, d)
		}
		if d == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(total, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, fmt.Errorf("shape[%d]: tensor exceeds %d bytes", i, int64(math.MaxInt64))
		}
		total = lo
	}
	if empty {
		return 0, nil
	}
	return total, nil
}

// LeafCount gives the number of chunks that hold n bytes.
func LeafCount(n uint64) uint64 {
	return n/ChunkSize + (n%ChunkSize+ChunkSize-1)/ChunkSize
}

// TensorRoot commits to a tensor. len(data) must equal dtype size × product of shape.
func TensorRoot(dtype uint8, shape []int64, data []byte) (Hash, error) {
	if err := checkData(dtype, shape, data); err != nil {
		return Hash{}, err
	}
	return TensorRootOf(dtype, shape, MerkleRoot(data))
}

// TensorRootOf wraps the Merkle root of a tensor's bytes with its dtype and shape.
func TensorRootOf(dtype uint8, shape []int64, merkle Hash) (Hash, error) {
	if _, err := TensorBytes(dtype, shape); err != nil {
		return Hash{}, err
	}
	b := make([]byte, 0, len(domainTensor)+2+8*len(shape)+Size)
	b = append(b, domainTensor...)
	b = append(b, dtype, uint8(len(shape)))
	for _, d := range shape {
		b = binary.LittleEndian.AppendUint64(b, uint64(d))
	}
	return sha256.Sum256(append(b, merkle[:]...)), nil
}

func checkData(dtype uint8, shape []int64, data []byte) error {
	want, err := TensorBytes(dtype, shape)
	if err != nil {
		return err
	}
	if uint64(len(data)) != want {
		return fmt.Errorf("data: %d bytes, want %d for dtype %d and shape %v", len(data), want, dtype, shape)
	}
	return nil
}

// Named is one entry of a named root: a weight, input, state or output and its tensor root.
type Named struct {
	Name string
	Root Hash
}

// NamedRoot commits to named tensors in declaration order. Unique names are the caller's concern; the program guarantees them.
func NamedRoot(entries []Named) Hash {
	leaves := make([]Hash, len(entries))
	for i, e := range entries {
		leaves[i] = NamedLeaf(e)
	}
	return NamedRootOf(leavesRoot(leaves))
}

// NamedRootOf wraps the Merkle root over NamedLeaf values.
func NamedRootOf(merkle Hash) Hash { return wrap(domainNamed, merkle) }

// NamedLeaf is the leaf of one entry: leaf(lp(name) ‖ root).
func NamedLeaf(e Named) Hash {
	b := make([]byte, 0, 1+4+len(e.Name)+Size)
	b = appendLP(append(b, 0), e.Name)
	return sha256.Sum256(append(b, e.Root[:]...))
}

// StepRoot commits to the tensor roots of a graph's nodes, in order.
func StepRoot(nodes []Hash) Hash {
	leaves := make([]Hash, len(nodes))
	for i, r := range nodes {
		leaves[i] = StepLeaf(r)
	}
	return StepRootOf(leavesRoot(leaves))
}

// StepRootOf wraps the Merkle root over StepLeaf values.
func StepRootOf(merkle Hash) Hash { return wrap(domainStep, merkle) }

// StepLeaf is the leaf of one node of a step: leaf(tensor_root).
func StepLeaf(root Hash) Hash { return Leaf(root[:]) }

// ResultRoot commits to a whole run: its number of steps, its last state and its outputs.
func ResultRoot(t uint64, state, output Hash) Hash {
	b := make([]byte, 0, len(domainResult)+8+2*Size)
	b = append(b, domainResult...)
	b = binary.LittleEndian.AppendUint64(b, t)
	b = append(b, state[:]...)
	return sha256.Sum256(append(b, output[:]...))
}

// Seal hides a result root and binds it to its author until it is revealed.
func Seal(chainID string, task uint64, participant string, resultRoot Hash, salt [32]byte) Hash {
	b := make([]byte, 0, len(domainSeal)+4+len(chainID)+8+4+len(participant)+2*Size)
	b = append(b, domainSeal...)
	b = appendLP(b, chainID)
	b = binary.LittleEndian.AppendUint64(b, task)
	b = appendLP(b, participant)
	b = append(b, resultRoot[:]...)
	return sha256.Sum256(append(b, salt[:]...))
}

// ForcedRoot is what a worker seals whose error is forced: wrong, and nobody can open it, since it is the hash of no run. Only who knows the
// true root can tell it from a result root.
func ForcedRoot(resultRoot Hash) Hash { return wrap(domainForced, resultRoot) }

// Salt derives the salt of a seal from the hot key's secret, so that a restarted machine can always reveal. The purpose tells apart
// what one key seals for one task ("result", "attestation").
func Salt(key []byte, chainID string, task uint64, purpose string) [32]byte {
	b := make([]byte, 0, len(domainSalt)+4+len(chainID)+8+4+len(purpose))
	b = append(b, domainSalt...)
	b = appendLP(b, chainID)
	b = binary.LittleEndian.AppendUint64(b, task)
	b = appendLP(b, purpose)
	mac := hmac.New(sha256.New, key)
	mac.Write(b)
	return [32]byte(mac.Sum(nil))
}

// ProgramHash commits to a program given its canonical protobuf encoding.
func ProgramHash(canonical []byte) Hash {
	h := sha256.New()
	h.Write([]byte(domainProgram))
	h.Write(canonical)
	return Hash(h.Sum(nil))
}

func wrap(domain string, merkle Hash) Hash {
	b := make([]byte, 0, len(domain)+Size)
	return sha256.Sum256(append(append(b, domain...), merkle[:]...))
}

// appendLP appends s behind its u32 length. Names are bounded far below 4 GiB by everything that reads them.
func appendLP(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
