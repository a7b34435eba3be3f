package commit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

type vectors struct {
	Tensor []struct {
		DType  uint8
		Shape  []int64
		Fill   string
		Merkle Hash
		Root   Hash
	}
	Named []struct {
		Names []string
		Root  Hash
	}
	Step []struct {
		Nodes int
		Root  Hash
	}
	Result []struct {
		T    uint64
		Root Hash
	}
	Seal []struct {
		Chain, Participant string
		Task               uint64
		Seal               Hash
	}
	Salt []struct {
		Key, Chain, Purpose string
		Task                uint64
		Salt                Hash
	}
	Program []struct {
		Text string
		Hash Hash
	}
}

func loadVectors(t *testing.T) vectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(raw, &v))
	require.NotEmpty(t, v.Tensor)
	return v
}

// filling makes the bytes that vectors.json describes.
func filling(n uint64, kind string) []byte {
	b := make([]byte, n)
	switch {
	case kind == "count":
		for i := range b {
			b[i] = byte(i*7 + i/251)
		}
	case kind == "tail" && n > 0:
		b[n-1] = 1
	case kind == "head" && n > 0:
		b[0] = 0x80
	}
	return b
}

func word(s string) Hash { return sha256.Sum256([]byte(s)) }

func TestTensorVectors(t *testing.T) {
	for _, c := range loadVectors(t).Tensor {
		n, err := TensorBytes(c.DType, c.Shape)
		require.NoError(t, err)
		data := filling(n, c.Fill)
		require.Equal(t, c.Merkle, MerkleRoot(data))
		root, err := TensorRoot(c.DType, c.Shape, data)
		require.NoError(t, err)
		require.Equal(t, c.Root, root, "dtype %d shape %v %s", c.DType, c.Shape, c.Fill)
		root, err = TensorRootParallel(c.DType, c.Shape, data, 3)
		require.NoError(t, err)
		require.Equal(t, c.Root, root)
	}
}

func TestListVectors(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.Named {
		entries := make([]Named, len(c.Names))
		for i, n := range c.Names {
			entries[i] = Named{Name: n, Root: word(n)}
		}
		require.Equal(t, c.Root, NamedRoot(entries))
	}
	for _, c := range v.Step {
		nodes := make([]Hash, c.Nodes)
		for i := range nodes {
			nodes[i] = sha256.Sum256(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		}
		require.Equal(t, c.Root, StepRoot(nodes))
	}
}

func TestResultAndSealVectors(t *testing.T) {
	v := loadVectors(t)
	for _, c := range v.Result {
		require.Equal(t, c.Root, ResultRoot(c.T, word("state"), word("output")))
	}
	for _, c := range v.Seal {
		require.Equal(t, c.Seal, Seal(c.Chain, c.Task, c.Participant, word("result"), word("salt")))
	}
	for _, c := range v.Salt {
		key, err := hex.DecodeString(c.Key)
		require.NoError(t, err)
		require.Equal(t, [32]byte(c.Salt), Salt(key, c.Chain, c.Task, c.Purpose))
	}
	for _, c := range v.Program {
		require.Equal(t, c.Hash, ProgramHash([]byte(c.Text)))
	}
}

func TestHashText(t *testing.T) {
	h := word("x")
	back, err := ParseHash(h.String())
	require.NoError(t, err)
	require.Equal(t, h, back)
	_, err = ParseHash("00")
	require.ErrorContains(t, err, "want 64")
	_, err = ParseHash(h.String()[:63] + "g")
	require.Error(t, err)
	_, err = HashFromBytes(make([]byte, 31))
	require.ErrorContains(t, err, "want 32")
}

func TestTensorSizeIsChecked(t *testing.T) {
	for _, c := range []struct {
		name  string
		dtype uint8
		shape []int64
		n     int
		want  string
	}{
		{"unknown dtype", 0, []int64{1}, 1, "dtype: 0"},
		{"dtype past the table", 6, []int64{1}, 1, "dtype: 6"},
		{"negative dimension", F32, []int64{2, -1}, 8, "shape[1]: -1 is negative"},
		{"short data", F32, []int64{3}, 11, "data: 11 bytes, want 12"},
		{"long data", F32, []int64{3}, 13, "data: 13 bytes, want 12"},
		{"overflow", I64, []int64{1 << 31, 1 << 31, 4}, 0, "shape[1]: tensor exceeds"},
		{"overflow beside a zero", U8, []int64{0, 1 << 62, 1 << 62}, 0, "shape[2]: tensor exceeds"},
		{"rank", U8, make([]int64, 256), 0, "rank 256, limit 255"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := TensorRoot(c.dtype, c.shape, make([]byte, c.n))
			require.ErrorContains(t, err, c.want)
		})
	}
}
