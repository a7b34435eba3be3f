package commit

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// mth is RFC 6962, section 2.1, word for word: the reference every faster path is held against.
func mth(leaves []Hash) Hash {
	switch len(leaves) {
	case 0:
		return EmptyRoot()
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return Node(mth(leaves[:k]), mth(leaves[k:]))
}

func chunks(data []byte) []Hash {
	var out []Hash
	for len(data) > 0 {
		n := min(ChunkSize, len(data))
		out = append(out, Leaf(data[:n]))
		data = data[n:]
	}
	return out
}

// someBytes draws data with runs of zero chunks in it.
func someBytes(t *rapid.T) []byte {
	data := make([]byte, rapid.IntRange(0, 40*ChunkSize).Draw(t, "size"))
	for i := range rapid.IntRange(0, 6).Draw(t, "marks") {
		if len(data) > 0 {
			data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = byte(i + 1)
		}
	}
	return data
}

func TestStreamEqualsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := someBytes(t)
		var h Hasher
		for rest := data; len(rest) > 0; {
			n := rapid.IntRange(1, min(len(rest), 3*ChunkSize)).Draw(t, "n")
			_, _ = h.Write(rest[:n])
			rest = rest[n:]
			require.Equal(t, uint64(len(data)-len(rest)), h.Len())
		}
		want := mth(chunks(data))
		require.Equal(t, want, h.Root())
		require.Equal(t, want, NewTree(data).Root())
	})
}

func TestWriteZerosEqualsWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b Hasher
		for range rapid.IntRange(1, 6).Draw(t, "parts") {
			data := rapid.SliceOfN(rapid.Byte(), 0, 2*ChunkSize).Draw(t, "data")
			n := rapid.IntRange(0, 20*ChunkSize).Draw(t, "zeros")
			_, _ = a.Write(data)
			_, _ = b.Write(data)
			_, _ = a.Write(make([]byte, n))
			b.WriteZeros(uint64(n))
		}
		require.Equal(t, a.Root(), b.Root())
		require.Equal(t, a.Len(), b.Len())
	})
}

func TestHugeZeroTensor(t *testing.T) {
	var h Hasher
	h.WriteZeros(1 << 50)
	require.Equal(t, ZeroRoot(40), h.Root())
	require.Equal(t, Hash{}, ZeroRoot(54))
	require.Equal(t, Hash{}, ZeroRoot(-1))
}

func TestParallelEqualsWhole(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 20, 1<<20 + 1, 5<<20 + 777} {
		data := filling(uint64(n), "count")
		want, err := TensorRoot(U8, []int64{int64(n)}, data)
		require.NoError(t, err)
		for _, threads := range []int{0, 1, 2, 3, 8} {
			got, err := TensorRootParallel(U8, []int64{int64(n)}, data, threads)
			require.NoError(t, err)
			require.Equal(t, want, got, "%d bytes, %d threads", n, threads)
		}
	}
}

func TestUpdateEqualsRebuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := someBytes(t)
		tree := NewTree(data)
		old := tree.Clone()
		before := old.Root()
		for range 3 {
			off := rapid.IntRange(0, len(data)).Draw(t, "off")
			n := rapid.IntRange(0, len(data)-off).Draw(t, "n")
			fill := byte(rapid.IntRange(0, 3).Draw(t, "fill"))
			for i := off; i < off+n; i++ {
				data[i] = fill
			}
			require.NoError(t, tree.Update(data, uint64(off), uint64(n)))
			require.Equal(t, MerkleRoot(data), tree.Root())
		}
		require.Equal(t, before, old.Root(), "a clone stands apart")
	})
}

func TestUpdateIsBounded(t *testing.T) {
	tree := NewTree(make([]byte, 5000))
	require.ErrorContains(t, tree.Update(make([]byte, 4999), 0, 1), "want 5000")
	require.ErrorContains(t, tree.Update(make([]byte, 5000), 5001, 0), "outside 5000")
	require.ErrorContains(t, tree.Update(make([]byte, 5000), 4000, 1001), "outside 5000")
	require.ErrorContains(t, tree.Update(make([]byte, 5000), 1, ^uint64(0)), "outside 5000")
	_, err := NewTensorTree(F32, []int64{3}, make([]byte, 11))
	require.ErrorContains(t, err, "want 12")
}

func TestRangeProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := someBytes(t)
		if len(data) == 0 {
			return
		}
		tree := NewTree(data)
		leaves := tree.Leaves()
		first := rapid.Uint64Range(0, leaves-1).Draw(t, "first")
		count := rapid.Uint64Range(1, leaves-first).Draw(t, "count")
		proof, err := tree.Prove(first, count)
		require.NoError(t, err)
		total := uint64(len(data))
		part := bytes.Clone(data[first*ChunkSize : min(total, (first+count)*ChunkSize)])
		require.NoError(t, VerifyRange(tree.Root(), total, first, part, proof))
		shape := []int64{int64(total)}
		root, err := TensorRoot(U8, shape, data)
		require.NoError(t, err)
		require.NoError(t, VerifyTensorRange(root, U8, shape, first, part, proof))
		require.ErrorIs(t, VerifyTensorRange(root, I8, shape, first, part, proof), ErrMismatch)

		// Any flipped bit of the data, the root or the proof is refused, and so is a sibling too many or too few.
		bit := rapid.IntRange(0, 8*len(part)-1).Draw(t, "bit")
		part[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(t, VerifyRange(tree.Root(), total, first, part, proof), ErrMismatch)
		part[bit/8] ^= 1 << (bit % 8)
		bad := tree.Root()
		bad[rapid.IntRange(0, Size-1).Draw(t, "byte")] ^= 4
		require.ErrorIs(t, VerifyRange(bad, total, first, part, proof), ErrMismatch)
		require.ErrorContains(t, VerifyRange(tree.Root(), total, first, part, append(proof, Hash{})), "siblings")
		if len(proof) > 0 {
			require.ErrorContains(t, VerifyRange(tree.Root(), total, first, part, proof[1:]), "siblings")
			i := rapid.IntRange(0, len(proof)-1).Draw(t, "sibling")
			proof[i][rapid.IntRange(0, Size-1).Draw(t, "at")] ^= 1
			require.ErrorIs(t, VerifyRange(tree.Root(), total, first, part, proof), ErrMismatch)
		}
	})
}

func TestRangeBounds(t *testing.T) {
	data := filling(3000, "count")
	tree := NewTree(data)
	proof, err := tree.Prove(1, 1)
	require.NoError(t, err)
	for _, c := range []struct {
		name        string
		total, from uint64
		part        []byte
		want        string
	}{
		{"empty", 3000, 1, nil, "no leaves"},
		{"past the end", 3000, 3, data[:1], "outside a tree of 3"},
		{"far past the end", 3000, ^uint64(0), data[:1], "outside a tree of 3"},
		{"short chunk inside", 3000, 1, data[1024:2000], "data: 976 bytes, want 1024"},
		{"long last chunk", 3000, 2, data[1024:2048], "data: 1024 bytes, want 952"},
		{"no tensor", 0, 0, data[:1], "outside a tree of 0"},
		{"absurd total", 1 << 63, 1, data[:1024], "limit 9223372036854775807"},
		{"too many chunks", 3000, 2, data[:2000], "outside a tree of 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorContains(t, VerifyRange(tree.Root(), c.total, c.from, c.part, proof), c.want)
		})
	}
	_, err = tree.Prove(2, 2)
	require.ErrorContains(t, err, "outside a tree of 3")
	_, err = NewTree(nil).Prove(0, 1)
	require.Error(t, err)
}

func TestProofLenIsSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.Uint64Range(1, 1<<53).Draw(t, "leaves")
		first := rapid.Uint64Range(0, leaves-1).Draw(t, "first")
		count := rapid.Uint64Range(1, min(64, leaves-first)).Draw(t, "count")
		n, err := ProofLen(leaves, first, count)
		require.NoError(t, err)
		require.LessOrEqual(t, n, MaxProof)
	})
}

func TestDescent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := make([]Hash, rapid.IntRange(1, 90).Draw(t, "leaves"))
		for i := range leaves {
			leaves[i] = Leaf(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		}
		tree := NewLeafTree(leaves)
		require.Equal(t, mth(leaves), tree.Root())
		levels := rapid.IntRange(1, 4).Draw(t, "levels")
		target := rapid.Uint64Range(0, uint64(len(leaves)-1)).Draw(t, "target")
		at := Span{0, tree.Leaves()}
		for at.Len() > 1 {
			children, err := at.Children(levels)
			require.NoError(t, err)
			require.LessOrEqual(t, len(children), 1<<levels)
			nodes := make([]Hash, len(children))
			next := at
			for i, c := range children {
				nodes[i], err = tree.Node(c)
				require.NoError(t, err)
				if c.Lo <= target && target < c.Hi {
					next = c
				}
			}
			parent, err := tree.Node(at)
			require.NoError(t, err)
			got, err := at.Combine(levels, nodes)
			require.NoError(t, err)
			require.Equal(t, parent, got)
			_, err = at.Combine(levels, nodes[1:])
			require.ErrorContains(t, err, "children")
			at = next
		}
		require.Equal(t, target, at.Lo)
		leaf, err := tree.Node(at)
		require.NoError(t, err)
		require.Equal(t, leaves[target], leaf)
	})
}

func TestNodeRefusesOtherSpans(t *testing.T) {
	tree := NewTree(make([]byte, 7*ChunkSize))
	for _, s := range []Span{{0, 0}, {3, 2}, {0, 8}, {1, 3}, {0, 3}, {5, 7}} {
		_, err := tree.Node(s)
		require.Error(t, err, "%v", s)
	}
	_, err := Span{0, 4}.Children(17)
	require.ErrorContains(t, err, "levels: 17")
	_, err = Span{4, 4}.Children(1)
	require.ErrorContains(t, err, "empty")
}

func TestListProofs(t *testing.T) {
	entries := make([]Named, 11)
	roots := make([]Hash, len(entries))
	named, steps := make([]Hash, len(entries)), make([]Hash, len(entries))
	for i := range entries {
		roots[i] = word(string(rune('a' + i)))
		entries[i] = Named{Name: string(rune('a' + i)), Root: roots[i]}
		named[i], steps[i] = NamedLeaf(entries[i]), StepLeaf(roots[i])
	}
	p, err := NewLeafTree(named).Prove(4, 3)
	require.NoError(t, err)
	require.NoError(t, VerifyNamed(NamedRoot(entries), 11, 4, entries[4:7], p))
	require.ErrorIs(t, VerifyNamed(NamedRoot(entries), 11, 4, entries[3:6], p), ErrMismatch)
	require.Error(t, VerifyNamed(NamedRoot(entries), 11, 10, entries[4:7], p))
	p, err = NewLeafTree(steps).Prove(10, 1)
	require.NoError(t, err)
	require.NoError(t, VerifyStep(StepRoot(roots), 11, 10, roots[10:], p))
	require.ErrorIs(t, VerifyStep(StepRoot(roots), 11, 10, roots[9:10], p), ErrMismatch)
	require.Error(t, VerifyStep(StepRoot(roots), 11, 11, roots[9:10], p))
}

func FuzzVerifyRange(f *testing.F) {
	data := filling(5*ChunkSize+17, "count")
	tree := NewTree(data)
	proof, _ := tree.Prove(2, 2)
	flat := make([]byte, 0, len(proof)*Size)
	for _, h := range proof {
		flat = append(flat, h[:]...)
	}
	f.Add(uint64(len(data)), uint64(2), data[2*ChunkSize:4*ChunkSize], flat)
	f.Add(uint64(0), uint64(0), []byte{}, []byte{})
	f.Add(^uint64(0), ^uint64(0), data[:1], flat)
	f.Add(^uint64(0), ^uint64(0)>>10, data[:1], flat)
	f.Fuzz(func(t *testing.T, total, first uint64, part, siblings []byte) {
		hs := make([]Hash, len(siblings)/Size)
		for i := range hs {
			hs[i] = Hash(siblings[i*Size:])
		}
		if VerifyRange(tree.Root(), total, first, part, hs) != nil {
			return
		}
		// Whatever is accepted under the true length is the true data.
		if total == uint64(len(data)) && !bytes.Equal(part, data[first*ChunkSize:][:len(part)]) {
			t.Fatalf("accepted other bytes at chunk %d", first)
		}
	})
}

func BenchmarkTensorRoot(b *testing.B) {
	data := filling(4<<20, "count")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_ = MerkleRoot(data)
	}
}

func BenchmarkTensorRootZero(b *testing.B) {
	data := make([]byte, 4<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_ = MerkleRoot(data)
	}
}
