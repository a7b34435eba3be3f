package sortition

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

const domain = "poai/draw/1"

// Source is a stream of uniform integers, fixed by its purpose, item and seed.
type Source struct {
	prefix  []byte
	counter uint64
}

// NewSource separates draws by purpose ("worker", "seat"), by item (the task) and by round, so that one seed never serves two
// draws with the same stream.
func NewSource(purpose string, item, round uint64, seed []byte) *Source {
	b := []byte(domain)
	b = binary.BigEndian.AppendUint32(b, uint32(len(purpose)))
	b = append(b, purpose...)
	b = binary.BigEndian.AppendUint64(b, item)
	b = binary.BigEndian.AppendUint64(b, round)
	b = binary.BigEndian.AppendUint32(b, uint32(len(seed)))
	return &Source{prefix: append(b, seed...)}
}

// Below returns an integer in [0, n) without bias. n must not be 0.
func (s *Source) Below(n uint64) uint64 {
	for {
		b := binary.BigEndian.AppendUint64(append([]byte(nil), s.prefix...), s.counter)
		s.counter++
		if r, ok := reduce(sha256.Sum256(b), n); ok {
			return r
		}
	}
}

// reduce takes a 256-bit big-endian integer modulo n. It rejects the top 2^256 mod n values, which would favour small results.
func reduce(h [32]byte, n uint64) (r uint64, ok bool) {
	var words [4]uint64
	for i := range words {
		words[i] = binary.BigEndian.Uint64(h[8*i:])
	}
	excess := (mod([4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}, n) + 1) % n // 2^256 mod n
	if words[0]&words[1]&words[2] == ^uint64(0) && ^words[3] < excess {
		return 0, false
	}
	return mod(words, n), true
}

func mod(words [4]uint64, n uint64) (r uint64) {
	for _, w := range words {
		_, r = bits.Div64(r, w, n)
	}
	return r
}
