package zoo

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
)

func TestDigitsReadsSamples(t *testing.T) {
	p, err := Digits()
	require.NoError(t, err)
	require.Nil(t, p.Tokenizer)
	samples, err := Samples()
	require.NoError(t, err)
	for _, s := range samples {
		x, err := DigitsInput(bytes.NewReader(s.PNG))
		require.NoError(t, err)
		res, err := engine.Execute(context.Background(), p.Program, p.Weights, map[string]*engine.Tensor{"pixels": x}, 1, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		label := res.Output("label").I64()[0]
		require.Equal(t, int64(s.Label), label, s.Name)
		scores := res.Output("scores").F32()
		sum := float32(0)
		for _, v := range scores {
			sum += v
			require.LessOrEqual(t, v, scores[label])
		}
		require.InDelta(t, 1, sum, 1e-5)
	}
}

func TestPackagesAreWhole(t *testing.T) {
	for _, get := range []func() (*model.Package, error){Digits, Story} {
		p, err := get()
		require.NoError(t, err)
		raw, err := p.Artifact()
		require.NoError(t, err)
		require.Less(t, len(raw), 4<<20, "embedded packages stay small")
		q, err := model.FromArtifact(raw)
		require.NoError(t, err)
		require.Equal(t, p.Meta, q.Meta)
		require.NotEmpty(t, p.Meta.License)
		require.NotEmpty(t, p.Meta.Provenance)
	}
}
