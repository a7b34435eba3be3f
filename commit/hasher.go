package commit

import (
	"bytes"
	"crypto/sha256"
	"math/bits"
)

// maxLevels bounds the height of a tree: 2^63 bytes are 2^53 chunks, one spare.
const maxLevels = 54

// zeroChunk is what a leaf of untouched state holds.
var zeroChunk [ChunkSize]byte

// zeroNodes[k] is the root of a perfect subtree of 2^k zero chunks. Constant after initialisation.
var zeroNodes = func() (z [maxLevels]Hash) {
	z[0] = Leaf(zeroChunk[:])
	for k := 1; k < maxLevels; k++ {
		z[k] = Node(z[k-1], z[k-1])
	}
	return z
}()

// Leaf hashes one leaf: H(0x00 ‖ data).
func Leaf(data []byte) Hash {
	if len(data) <= ChunkSize {
		var b [1 + ChunkSize]byte
		n := copy(b[1:], data)
		return sha256.Sum256(b[:1+n])
	}
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(data)
	return Hash(h.Sum(nil))
}

// Node hashes two children: H(0x01 ‖ left ‖ right).
func Node(left, right Hash) Hash {
	var b [1 + 2*Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+Size:], right[:])
	return sha256.Sum256(b[:])
}

// EmptyRoot is the Merkle root over no leaves: H("").
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// ZeroRoot is the root of a perfect subtree of 2^level zero chunks, 0 ≤ level < 54; any other level gives the zero Hash.
func ZeroRoot(level int) Hash {
	if level < 0 || level >= maxLevels {
		return Hash{}
	}
	return zeroNodes[level]
}

// chunkLeaf is Leaf with a short cut for zero chunks.
func chunkLeaf(chunk []byte) Hash {
	if len(chunk) == ChunkSize && bytes.Equal(chunk, zeroChunk[:]) {
		return zeroNodes[0]
	}
	return Leaf(chunk)
}

// pair is Node for two nodes of the same level, with a short cut for zero subtrees.
func pair(level int, left, right Hash) Hash {
	if level+1 < maxLevels && left == zeroNodes[level] && right == zeroNodes[level] {
		return zeroNodes[level+1]
	}
	return Node(left, right)
}

// Hasher builds a Merkle root over a stream of bytes, keeping only the frontier: at most one hash a level. The zero value is ready.
// Copying a Hasher forks the stream. It is not safe for concurrent use.
type Hasher struct {
	frontier [maxLevels]Hash // frontier[k] is set when bit k of leaves is
	leaves   uint64          // whole chunks pushed
	buf      [ChunkSize]byte
	n        int // bytes waiting in buf
}

// Write adds bytes to the stream. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	h.add(p)
	return len(p), nil
}

func (h *Hasher) add(p []byte) {
	if h.n > 0 {
		k := copy(h.buf[h.n:], p)
		h.n += k
		p = p[k:]
		if h.n < ChunkSize {
			return
		}
		h.push(0, chunkLeaf(h.buf[:]))
		h.n = 0
	}
	for len(p) >= ChunkSize {
		h.push(0, chunkLeaf(p[:ChunkSize]))
		p = p[ChunkSize:]
	}
	h.n = copy(h.buf[:], p)
}

// WriteZeros adds n zero bytes in O(log n) hashes, wherever the stream stands.
func (h *Hasher) WriteZeros(n uint64) {
	if h.n > 0 {
		k := min(n, uint64(ChunkSize-h.n))
		h.add(zeroChunk[:k])
		n -= k
	}
	for chunks := n / ChunkSize; chunks > 0; {
		// The largest zero subtree that starts aligned at the present leaf and still fits.
		level := bits.Len64(chunks) - 1
		if h.leaves != 0 {
			level = min(level, bits.TrailingZeros64(h.leaves))
		}
		h.push(level, zeroNodes[level])
		chunks -= 1 << level
	}
	h.add(zeroChunk[:n%ChunkSize])
}

// push adds a perfect subtree of 2^level chunks; the number of leaves so far is a multiple of 2^level.
func (h *Hasher) push(level int, node Hash) {
	at := level
	for ; h.leaves>>at&1 == 1; at++ {
		node = pair(at, h.frontier[at], node)
	}
	h.frontier[at] = node
	h.leaves += 1 << level
}

// Len gives the number of bytes written.
func (h *Hasher) Len() uint64 { return h.leaves*ChunkSize + uint64(h.n) }

// Root gives the Merkle root of what has been written so far; writing may go on.
func (h *Hasher) Root() Hash {
	var acc Hash
	have := false
	if h.n > 0 {
		acc, have = chunkLeaf(h.buf[:h.n]), true
	}
	for k := range h.frontier {
		if h.leaves>>k&1 == 0 {
			continue
		}
		if have {
			acc = Node(h.frontier[k], acc)
		} else {
			acc, have = h.frontier[k], true
		}
	}
	if !have {
		return EmptyRoot()
	}
	return acc
}

// MerkleRoot gives the Merkle root over the chunks of data.
func MerkleRoot(data []byte) Hash {
	var h Hasher
	h.add(data)
	return h.Root()
}

// leavesRoot gives the Merkle root over leaves that are hashed already.
func leavesRoot(leaves []Hash) Hash {
	var h Hasher
	for _, l := range leaves {
		h.push(0, l)
	}
	return h.Root()
}
