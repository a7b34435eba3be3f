package gorgonia

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/tensor"

	"poaid/engine"
)

func TestGorgoniaRoundTrip(t *testing.T) {
	for _, dt := range []engine.DType{engine.F32, engine.I32, engine.I64, engine.I8, engine.U8} {
		x, err := engine.NewTensor(dt, []int64{2, 3}, 100)
		require.NoError(t, err)
		for i := range x.Bytes() {
			x.Bytes()[i] = byte(i * 37)
		}
		d, err := To(x)
		require.NoError(t, err)
		back, err := From(d)
		require.NoError(t, err)
		require.True(t, x.Equal(back), dt.String())
		x.Bytes()[0] ^= 1 // copies, both ways
		require.False(t, x.Equal(back))
	}
}

func TestFromViews(t *testing.T) {
	base := func() *tensor.Dense {
		return tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))
	}
	view, err := base().Slice(nil, tensor.S(1, 3))
	require.NoError(t, err)
	x, err := From(view.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []float32{2, 3, 5, 6}, x.F32())
	require.Equal(t, []int64{2, 2}, x.Shape())

	d := base()
	require.NoError(t, d.T())
	x, err = From(d)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 4, 2, 5, 3, 6}, x.F32())

	row, err := base().Slice(tensor.S(1))
	require.NoError(t, err)
	x, err = From(row.(*tensor.Dense))
	require.NoError(t, err)
	require.Equal(t, []float32{4, 5, 6}, x.F32())

	scalar := tensor.New(tensor.FromScalar(int64(7)))
	x, err = From(scalar)
	require.NoError(t, err)
	require.Equal(t, []int64{7}, x.I64())
}

func TestGorgoniaRefusals(t *testing.T) {
	_, err := From(tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{1, 2})))
	require.ErrorContains(t, err, "float64")
	_, err = From(nil)
	require.ErrorIs(t, err, engine.ErrInput)
	_, err = To(nil)
	require.ErrorIs(t, err, engine.ErrInput)
	empty, err := engine.NewTensor(engine.F32, []int64{0, 3}, 10)
	require.NoError(t, err)
	_, err = To(empty)
	require.ErrorIs(t, err, engine.ErrShape)
}
