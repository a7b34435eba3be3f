package sprint_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/sprint"
)

func TestCompute(t *testing.T) {
	m := tiny(t)
	leaves := make([]uint64, 37)
	for i := range leaves {
		leaves[i] = uint64(i * 3)
	}
	var want [][]byte
	for _, leaf := range leaves {
		want = append(want, m.run(t, key("a"), []uint64{leaf}, 3)...)
	}
	for _, threads := range []int{0, 1, 3, 50} {
		got, err := sprint.Compute(t.Context(), m.prog, m.weights, key("a"), leaves, 3, threads)
		require.NoError(t, err)
		require.Equal(t, want, got, threads)
	}
	got, err := sprint.Compute(t.Context(), m.prog, m.weights, key("a"), nil, 3, 2)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestComputeStops(t *testing.T) {
	m := tiny(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := sprint.Compute(ctx, m.prog, m.weights, key("a"), make([]uint64, 100), 3, 2)
	require.ErrorIs(t, err, context.Canceled)
	_, err = sprint.Compute(t.Context(), m.prog, m.weights, key("a"), make([]uint64, 100), 9, 2)
	require.ErrorIs(t, err, sprint.ErrInput)
	require.ErrorContains(t, err, "period: 9 tokens, want 1 to 8")
}

func TestInputErrors(t *testing.T) {
	m := tiny(t)
	for name, c := range map[string]struct {
		leaves int
		period uint64
	}{"no leaves": {0, 3}, "too many": {9, 3}, "no period": {1, 0}, "long period": {1, 9}, "huge period": {1, 1 << 63}} {
		_, err := sprint.Inputs(m.prog, key("a"), make([]uint64, c.leaves), c.period)
		require.ErrorIs(t, err, sprint.ErrInput, name)
	}
	_, err := sprint.Tokens(key("a"), 1, 3, 33)
	require.ErrorIs(t, err, sprint.ErrInput)
	_, err = sprint.Tokens(key("a"), 1, -1, 32)
	require.ErrorIs(t, err, sprint.ErrInput)
	_, err = sprint.Values(m.weights.Tensors()[0], 33)
	require.ErrorIs(t, err, sprint.ErrInput)
	_, err = sprint.Values(nil, 1)
	require.ErrorIs(t, err, sprint.ErrInput)
}
