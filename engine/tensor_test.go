package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTensorSizes(t *testing.T) {
	_, err := NewTensor(F32, []int64{1 << 32, 1 << 32}, 1<<40)
	require.ErrorIs(t, err, ErrShape)
	_, err = NewTensor(F32, []int64{-1}, 10)
	require.ErrorIs(t, err, ErrShape)
	_, err = NewTensor(F32, []int64{3}, 11)
	require.ErrorContains(t, err, "limit 11")
	_, err = NewTensor(0, []int64{3}, 11)
	require.Error(t, err)
	_, err = TensorFromBytes(F32, []int64{2}, make([]byte, 7))
	require.ErrorContains(t, err, "7 bytes")
	_, err = FromF32([]float32{1}, 2)
	require.ErrorIs(t, err, ErrShape)
	raw := make([]byte, 17)
	x, err := TensorFromBytes(I64, []int64{2}, raw[1:]) // not aligned: copied
	require.NoError(t, err)
	raw[1] = 9
	require.Equal(t, []int64{0, 0}, x.I64())
	require.Nil(t, x.F32())
}
