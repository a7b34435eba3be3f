package sortition

import (
	"encoding/binary"
	"fmt"
)

const (
	logFan = 4
	fan    = 1 << logFan
	// MaxDepth bounds the levels of a tree.
	MaxDepth = 6
	// MaxSlots is how many participants one model's tree can hold.
	MaxSlots = uint64(1) << (logFan * MaxDepth)
	// MaxWeight bounds one weight, so that the sum of a full tree stays below 2^64 and no sum can overflow.
	MaxWeight = uint64(1)<<(64-logFan*MaxDepth) - 1

	nodeSize = 8 * fan
)

// node holds the weights of 16 children: leaves at level 0, sums of nodes above.
type node [fan]uint64

func (n node) sum() (s uint64) {
	for _, w := range n {
		s += w // cannot overflow, see MaxWeight
	}
	return s
}

func (n node) encode() []byte {
	b := make([]byte, 0, nodeSize)
	for _, w := range n {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b
}

func decodeNode(b []byte) (n node, err error) {
	if len(b) != nodeSize {
		return n, fmt.Errorf("sortition node has %d bytes, not %d", len(b), nodeSize)
	}
	for i := range n {
		n[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return n, nil
}

// depth is the number of levels that cover slots 0..slots-1; at least 1.
func depth(slots uint64) (d uint64) {
	for d = 1; uint64(1)<<(logFan*d) < slots; d++ {
	}
	return d
}

// nodeKey puts level and index into one integer.
func nodeKey(level, index uint64) uint64 { return level<<56 | index }
