package nn

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
)

// sampler draws steps tokens from fixed logits, one a step.
func sampled(t *testing.T, logits []float32, seed int64, temp, topK, topP int32, steps int64) []int64 {
	t.Helper()
	b := NewBuilder(uint64(steps))
	s, k := b.State("tokens", engine.I64, steps), SampleOptions{
		Seed: scalarI64(b, "seed", seed), Temperature: scalarI32(b, "temperature", temp),
		TopK: scalarI32(b, "top_k", topK), TopP: scalarI32(b, "top_p", topP),
	}
	g := b.Step()
	l, err := engine.FromF32(logits, 1, int64(len(logits)))
	require.NoError(t, err)
	g.Update(s, g.SetRow(s, g.Sample(g.Const(l), k), g.StepNumber()))
	b.Output(s)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(t, err)
	w, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), prog, w, nil, uint64(steps), engine.RunOptions{})
	require.NoError(t, err)
	return res.Output("tokens").I64()
}

func counts(tokens []int64, n int) []float64 {
	out := make([]float64, n)
	for _, v := range tokens {
		out[v] += 1 / float64(len(tokens))
	}
	return out
}

var sampleLogits = []float32{1, 3, 2, 3, -1}

func probs(temp float64, keep ...int) []float64 {
	out, z := make([]float64, len(sampleLogits)), 0.0
	for _, i := range keep {
		out[i] = math.Exp(float64(sampleLogits[i]) / temp)
		z += out[i]
	}
	for i := range out {
		out[i] /= z
	}
	return out
}

func TestSample(t *testing.T) {
	const n = 4000
	for name, tc := range map[string]struct {
		temp, topK, topP int32
		want             []float64
	}{
		"greedy takes the first largest": {0, 0, 1000000, []float64{0, 1, 0, 0, 0}},
		"negative temperature is greedy": {-5, 0, 1000000, []float64{0, 1, 0, 0, 0}},
		"temperature 1":                  {1000000, 0, 1000000, probs(1, 0, 1, 2, 3, 4)},
		"temperature 2.5":                {2500000, 0, 1000000, probs(2.5, 0, 1, 2, 3, 4)},
		"top-k 1":                        {1000000, 1, 1000000, []float64{0, 1, 0, 0, 0}},
		"top-k 3":                        {1000000, 3, 1000000, probs(1, 1, 2, 3)},
		"top-k beyond the vocabulary":    {1000000, 99, 2000000, probs(1, 0, 1, 2, 3, 4)},
		"top-p 0 keeps the largest":      {1000000, 0, 0, []float64{0, 1, 0, 0, 0}},
		"top-p 0.5 needs two":            {1000000, 0, 500000, probs(1, 1, 3)},
		"top-p after top-k":              {1000000, 3, 900000, probs(1, 1, 2, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			got := counts(sampled(t, sampleLogits, 42, tc.temp, tc.topK, tc.topP, n), len(sampleLogits))
			for i := range got {
				require.InDelta(t, tc.want[i], got[i], 0.03, "index %d", i)
				if tc.want[i] == 0 {
					require.Zero(t, got[i])
				}
			}
		})
	}
	require.NotEqual(t, sampled(t, sampleLogits, 1, 1000000, 0, 1000000, 50), sampled(t, sampleLogits, 2, 1000000, 0, 1000000, 50))
}

func TestSampleOfNaNIsDefined(t *testing.T) {
	nan := float32(math.NaN())
	require.Equal(t, []int64{1, 1}, sampled(t, []float32{0, nan, 0}, 1, 0, 0, 1000000, 2))
	require.Equal(t, []int64{2, 2}, sampled(t, []float32{0, nan, 0}, 1, 1000000, 0, 1000000, 2))
}
