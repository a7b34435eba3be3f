package quantise

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model/npy"
	"poaid/model/zoo"
)

func u8File(t *testing.T, shape ...int64) string {
	t.Helper()
	n, err := engine.Elements(shape)
	require.NoError(t, err)
	v := make([]uint8, n)
	for i := range v {
		v[i] = uint8(i / 64)
	}
	x, err := engine.FromU8(v, shape...)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, npy.WriteFile(path, x))
	return path
}

func TestReadSamples(t *testing.T) {
	p, err := zoo.Digits()
	require.NoError(t, err)
	for _, c := range []struct {
		shape []int64
		n     int
	}{{[]int64{1, 8, 8}, 1}, {[]int64{5, 8, 8}, 5}, {[]int64{5, 1, 8, 8}, 5}} {
		s, err := ReadSamples(p.Program, []string{"pixels=" + u8File(t, c.shape...)})
		require.NoError(t, err)
		require.Len(t, s, c.n)
		for i, in := range s {
			require.Equal(t, []int64{1, 8, 8}, in["pixels"].Shape())
			require.Equal(t, uint8(i), in["pixels"].U8()[63])
		}
	}
	for want, args := range map[string][]string{
		"want [1 8 8], or one or more": {"pixels=" + u8File(t, 8, 8)},
		"want NAME=FILE.npy":           {"pixels"},
		"no such file":                 {"pixels=none.npy"},
		"no input \"x\"":               {"x=x.npy"},
	} {
		_, err := ReadSamples(p.Program, args)
		require.ErrorContains(t, err, want)
	}
}

func TestReadLabels(t *testing.T) {
	path := u8File(t, 70)
	got, err := ReadLabels(path, 70)
	require.NoError(t, err)
	require.Equal(t, int64(1), got[69])
	_, err = ReadLabels(path, 69)
	require.ErrorContains(t, err, "want 69 integers")
}

// TestGenerate gives the prompt and what the model's own program writes after it.
func TestGenerate(t *testing.T) {
	p, err := zoo.Story()
	require.NoError(t, err)
	tokens, err := Generate(context.Background(), p, []int64{1, 300, 301}, 1)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 300, 301}, tokens[:3])
	require.Greater(t, len(tokens), 20)
	_, err = Generate(context.Background(), p, nil, 1)
	require.ErrorContains(t, err, "no prompt")
	digits, err := zoo.Digits()
	require.NoError(t, err)
	_, err = Generate(context.Background(), digits, []int64{1}, 1)
	require.ErrorContains(t, err, "no forced input")
}
