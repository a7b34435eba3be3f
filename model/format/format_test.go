package format

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine/graphpb"
)

func TestElement(t *testing.T) {
	f32 := func(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
	for _, c := range []struct {
		dtype graphpb.DType
		data  []byte
		want  string
	}{
		{graphpb.DTYPE_F32, f32(0.1), "0.1"},
		{graphpb.DTYPE_F32, f32(float32(math.Copysign(0, -1))), "-0"},
		{graphpb.DTYPE_F32, f32(float32(math.Inf(-1))), "-Inf"},
		{graphpb.DTYPE_F32, f32(float32(math.NaN())), "NaN"},
		{graphpb.DTYPE_F32, f32(math.SmallestNonzeroFloat32), "1e-45"},
		{graphpb.DTYPE_I32, []byte{0xff, 0xff, 0xff, 0xff}, "-1"},
		{graphpb.DTYPE_I64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775808"},
		{graphpb.DTYPE_I8, []byte{0x80}, "-128"},
		{graphpb.DTYPE_U8, []byte{0xff}, "255"},
	} {
		got, err := Element(c.dtype, c.data)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestElementRefuses(t *testing.T) {
	_, err := Element(graphpb.DTYPE_UNSPECIFIED, make([]byte, 8))
	require.ErrorContains(t, err, "dtype")
	_, err = Element(graphpb.DTYPE_I64, make([]byte, 7))
	require.ErrorContains(t, err, "7 bytes, want 8")
	_, err = Integer(graphpb.DTYPE_F32, make([]byte, 4))
	require.ErrorContains(t, err, "no integer")
}

func TestFloatReadsBackExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32().Draw(t, "bits")
		v := math.Float32frombits(bits)
		if v != v {
			t.Skip("any NaN prints as NaN")
		}
		s, err := Element(graphpb.DTYPE_F32, binary.LittleEndian.AppendUint32(nil, bits))
		require.NoError(t, err)
		back, err := strconv.ParseFloat(s, 32)
		require.NoError(t, err)
		require.Equal(t, bits, math.Float32bits(float32(back)))
	})
}
