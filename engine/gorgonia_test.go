package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"
)

func TestGorgoniaRoundTrip(t *testing.T) {
	for _, dt := range []DType{F32, I32, I64, I8, U8} {
		x, err := NewTensor(dt, []int64{2, 3}, 100)
		require.NoError(t, err)
		for i := range x.data {
			x.data[i] = byte(i * 37)
		}
		d, err := ToGorgonia(x)
		require.NoError(t, err)
		back, err := FromGorgonia(d)
		require.NoError(t, err)
		require.True(t, x.Equal(back), dt.String())
		x.data[0] ^= 1 // copies, both ways
		require.False(t, x.Equal(back))
	}
}

func TestFromGorgoniaViews(t *testing.T) {
	base := func() *tensor.Dense {
		return tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	}
	view, err := base().Slice(nil, tensor.S(1, 3))
	require.NoError(t, err)
	x, err := FromGorgonia(view.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []float32{2, 3, 5, 6}, x.F32())
	require.Equal(t, []int64{2, 2}, x.Shape())

	d := base()
	require.NoError(t, d.T())
	x, err = FromGorgonia(d)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 4, 2, 5, 3, 6}, x.F32())

	row, err := base().Slice(tensor.S(1))
	require.NoError(t, err)
	x, err = FromGorgonia(row.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []float32{4, 5, 6}, x.F32())

	scalar := tensor.New(tensor.FromScalar(int64(7)))
	x, err = FromGorgonia(scalar)
	require.NoError(t, err)
	require.Equal(t, []int64{7}, x.I64())
}

func TestGorgoniaRefusals(t *testing.T) {
	_, err := FromGorgonia(tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{1, 2})))
	require.ErrorContains(t, err, "float64")
	_, err = FromGorgonia(nil)
	require.ErrorIs(t, err, ErrInput)
	_, err = ToGorgonia(nil)
	require.ErrorIs(t, err, ErrInput)
	empty, err := NewTensor(F32, []int64{0, 3}, 10)
	require.NoError(t, err)
	_, err = ToGorgonia(empty)
	require.ErrorIs(t, err, ErrShape)
}

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
