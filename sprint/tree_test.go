package sprint_test

import (
	"crypto/sha256"
	enc "encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/commit"
	"poaid/engine"
	"poaid/sprint"
)

func hex(b []byte) string { return enc.EncodeToString(b) }

func values(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		h := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		out[i] = append(h[:], h[:]...)
	}
	return out
}

func TestOpenings(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := values(rapid.IntRange(1, 70).Draw(rt, "count"))
		count := uint64(len(v))
		tree, err := sprint.NewTree(v)
		require.NoError(t, err)
		root := tree.Root()
		require.Equal(t, count, tree.Count())
		n := rapid.Uint64Range(0, count-1).Draw(rt, "leaf")
		proof, err := tree.Proof(n)
		require.NoError(t, err)
		verify := sprint.VerifyOpening
		require.NoError(t, verify(root[:], count, n, v[n], proof))

		require.ErrorIs(t, verify(root[:], count, n, v[(n+1)%count], proof), mismatch(count > 1), "another value")
		if count > 1 {
			require.Error(t, verify(root[:], count, (n+1)%count, v[n], proof), "another number")
			bent := make([][]byte, len(proof))
			for i := range proof {
				bent[i] = append([]byte(nil), proof[i]...)
			}
			bent[rapid.IntRange(0, len(proof)-1).Draw(rt, "hash")][rapid.IntRange(0, 31).Draw(rt, "byte")] ^= 1
			require.ErrorIs(t, verify(root[:], count, n, v[n], bent), commit.ErrMismatch)
			require.ErrorIs(t, verify(root[:], count, n, v[n], proof[1:]), sprint.ErrInput)
		}
		require.ErrorIs(t, verify(root[:], count, n, v[n], append(append([][]byte(nil), proof...), root[:])), sprint.ErrInput)
		require.ErrorIs(t, verify(root[:], count, count, v[n], proof), sprint.ErrInput)
		require.ErrorIs(t, verify(root[:31], count, n, v[n], proof), sprint.ErrInput)
		require.ErrorIs(t, verify(root[:], count, n, v[n][:63], proof), sprint.ErrInput)
		_, err = tree.Proof(count)
		require.ErrorIs(t, err, sprint.ErrInput)
	})
}

// mismatch is what another value gives; with one leaf it is no other value.
func mismatch(other bool) error {
	if other {
		return commit.ErrMismatch
	}
	return nil
}

// TestLeafBindsNumber: values that are equal have different leaves, so one computed leaf does not stand for many.
func TestLeafBindsNumber(t *testing.T) {
	v := values(1)[0]
	tree, err := sprint.NewTree([][]byte{v, v, v, v})
	require.NoError(t, err)
	root := tree.Root()
	proof, err := tree.Proof(1)
	require.NoError(t, err)
	require.NoError(t, sprint.VerifyOpening(root[:], 4, 1, v, proof))
	require.ErrorIs(t, sprint.VerifyOpening(root[:], 4, 3, v, proof), commit.ErrMismatch)
	require.ErrorIs(t, sprint.VerifyOpening(root[:], 4, 0, v, proof), commit.ErrMismatch)
	_, err = sprint.NewTree([][]byte{v[:5]})
	require.ErrorIs(t, err, sprint.ErrInput)
}

func TestOutputRoot(t *testing.T) {
	m := tiny(t)
	leaves := []uint64{3, 9, 11}
	inputs, err := sprint.Inputs(m.prog, key("a"), leaves, 4)
	require.NoError(t, err)
	r, err := engine.Execute(t.Context(), m.prog, m.weights, inputs, 12, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	got, err := sprint.OutputRoot(m.prog, m.run(t, key("a"), leaves, 4))
	require.NoError(t, err)
	require.Equal(t, r.OutputRoot, got)
	_, err = sprint.OutputRoot(m.prog, values(9))
	require.ErrorIs(t, err, sprint.ErrInput)
	_, err = sprint.OutputRoot(m.prog, [][]byte{{1}})
	require.ErrorIs(t, err, sprint.ErrInput)
}

func FuzzVerifyOpening(f *testing.F) {
	v := values(13)
	tree, err := sprint.NewTree(v)
	require.NoError(f, err)
	root := tree.Root()
	for n := range v {
		proof, err := tree.Proof(uint64(n))
		require.NoError(f, err)
		var flat []byte
		for _, p := range proof {
			flat = append(flat, p...)
		}
		f.Add(root[:], uint64(13), uint64(n), v[n], flat, 32)
	}
	f.Add([]byte{}, uint64(1<<63), uint64(1<<62), []byte{}, []byte{1, 2, 3}, 1)
	f.Fuzz(func(t *testing.T, r []byte, count, n uint64, value, flat []byte, size int) {
		var proof [][]byte
		for size > 0 && len(flat) > 0 && len(proof) < 300 {
			k := min(size, len(flat))
			proof, flat = append(proof, flat[:k]), flat[k:]
		}
		if sprint.VerifyOpening(r, count, n, value, proof) == nil && string(r) == string(root[:]) && count == 13 {
			require.Equal(t, v[n], value)
		}
	})
}
