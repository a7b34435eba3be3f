package sortition

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func bigOf(h [32]byte) *big.Int { return new(big.Int).SetBytes(h[:]) }

// TestReduceIsUnbiased: values are taken modulo n, and exactly the top 2^256 mod n are rejected.
func TestReduceIsUnbiased(t *testing.T) {
	top := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Uint64Range(1, 10), rapid.Uint64Range(1, math.MaxUint64)).Draw(t, "n")
		bn := new(big.Int).SetUint64(n)
		excess := new(big.Int).Mod(top, bn)
		limit := new(big.Int).Sub(top, excess) // first rejected value
		offset := rapid.Int64Range(-3, 3).Draw(t, "offset")
		v := new(big.Int).Add(limit, big.NewInt(offset))
		if v.Sign() < 0 || v.Cmp(top) >= 0 {
			var b [32]byte
			copy(b[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes"))
			v = bigOf(b)
		}
		var h [32]byte
		v.FillBytes(h[:])
		r, ok := reduce(h, n)
		require.Equal(t, v.Cmp(limit) < 0, ok)
		if ok {
			require.Equal(t, new(big.Int).Mod(v, bn).Uint64(), r)
		}
	})
}

func TestSourcesAreSeparate(t *testing.T) {
	first := func(s *Source) uint64 { return s.Below(math.MaxUint64) }
	seen := map[uint64]string{}
	for name, s := range map[string]*Source{
		"base":    NewSource("worker", 1, 0, []byte("s")),
		"purpose": NewSource("seat", 1, 0, []byte("s")),
		"item":    NewSource("worker", 2, 0, []byte("s")),
		"round":   NewSource("worker", 1, 1, []byte("s")),
		"seed":    NewSource("worker", 1, 0, []byte("t")),
	} {
		v := first(s)
		require.Empty(t, seen[v], name)
		seen[v] = name
	}
	s := NewSource("worker", 1, 0, []byte("s"))
	require.NotEqual(t, first(s), first(s))
	require.Equal(t, first(NewSource("worker", 1, 0, []byte("s"))), first(NewSource("worker", 1, 0, []byte("s"))))
}
