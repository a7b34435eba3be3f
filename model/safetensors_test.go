package model

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
)

// stFile puts a header and n bytes of data together.
func stFile(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

func TestSafetensorsRoundTrip(t *testing.T) {
	dtypes := []engine.DType{engine.F32, engine.I32, engine.I64, engine.I8, engine.U8}
	rapid.Check(t, func(t *rapid.T) {
		var in []NamedTensor
		for i := range rapid.IntRange(0, 6).Draw(t, "tensors") {
			shape := rapid.SliceOfN(rapid.Int64Range(0, 4), 0, 4).Draw(t, "shape")
			tensor, err := engine.NewTensor(rapid.SampledFrom(dtypes).Draw(t, "dtype"), shape, 1<<20)
			require.NoError(t, err)
			for j := range tensor.Bytes() {
				tensor.Bytes()[j] = byte(i*31 + j)
			}
			in = append(in, NamedTensor{Name: rapid.StringN(1, 5, 20).Draw(t, "name") + string(rune('a'+i)), Tensor: tensor})
		}
		meta := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "meta")
		raw, err := FormatSafetensors(in, meta)
		require.NoError(t, err)
		out, gotMeta, err := ParseSafetensors(raw)
		require.NoError(t, err)
		require.Len(t, out, len(in))
		require.Len(t, gotMeta, len(meta))
		byName := map[string]*engine.Tensor{}
		for _, n := range out {
			byName[n.Name] = n.Tensor
		}
		for _, n := range in {
			require.True(t, n.Tensor.Equal(byName[n.Name]), n.Name)
		}
		again, err := FormatSafetensors(in, meta)
		require.NoError(t, err)
		require.Equal(t, raw, again)
		require.Zero(t, (8+binary.LittleEndian.Uint64(raw))%64, "data is aligned")
	})
}

func TestSafetensorsOfOthers(t *testing.T) {
	// As the reference writer does: data in another order than the header, metadata first, spaces after the object.
	raw := stFile(`{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}   `, 12)
	out, meta, err := ParseSafetensors(raw)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"format": "pt"}, meta)
	require.Equal(t, "a", out[0].Name)
	require.Equal(t, []int32{0x03020100}, out[0].Tensor.I32())
	require.Equal(t, math.Float32frombits(0x07060504), out[1].Tensor.F32()[0])
}

func TestSafetensorsRefuses(t *testing.T) {
	one := func(s string) []byte { return stFile(s, 8) }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "file: 0 bytes"},
		{"huge header", binary.LittleEndian.AppendUint64(nil, 1<<63), "limit 16777216"},
		{"header past the end", binary.LittleEndian.AppendUint64(nil, 100), "header: 100 bytes, the file has 0 left"},
		{"not an object", one(`[1]`), "not a JSON object"},
		{"cut object", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}`), "header:"},
		{"two objects", one(`{}{}`), "something follows"},
		{"duplicate name", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`), `"a" occurs twice`},
		{"empty name", one(`{"":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`), "name of 0 bytes"},
		{"long name", one(`{"` + strings.Repeat("x", 257) + `":{}}`), "name of 257 bytes"},
		{"unknown dtype", one(`{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}`), `dtype: "F16"`},
		{"unknown field", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1}}`), "unknown field"},
		{"no dtype", one(`{"a":{"shape":[8],"data_offsets":[0,8]}}`), "want dtype, shape"},
		{"one offset", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[8]}}`), "two data_offsets"},
		{"negative offset", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[-1,7]}}`), "cannot unmarshal"},
		{"out of bounds", one(`{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}`), "outside 8 bytes"},
		{"backwards", one(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,2]}}`), "outside 8 bytes"},
		{"gap", one(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`), "begins at 4, the tensor before ends at 0"},
		{"overlap", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`), "begins at 4, the tensor before ends at 8"},
		{"same place twice", one(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`), "begins at 0"},
		{"uncovered end", one(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`), "the tensors cover 4"},
		{"size", one(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`), "8 bytes, the shape takes 12"},
		{"negative dimension", one(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`), "invalid shape"},
		{"overflowing shape", one(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}`), "invalid shape"},
		{"rank", one(`{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,8],"data_offsets":[0,8]}}`), "rank 9, limit 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := ParseSafetensors(c.data)
			require.ErrorIs(t, err, ErrSafetensors)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestFormatSafetensorsRefuses(t *testing.T) {
	x, err := engine.FromU8([]uint8{1}, 1)
	require.NoError(t, err)
	for _, names := range [][]string{{""}, {"__metadata__"}, {"a", "a"}, {strings.Repeat("x", 257)}} {
		var in []NamedTensor
		for _, n := range names {
			in = append(in, NamedTensor{n, x})
		}
		_, err := FormatSafetensors(in, nil)
		require.ErrorIs(t, err, ErrSafetensors)
	}
}

func FuzzParseSafetensors(f *testing.F) {
	f.Add(stFile(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 8))
	f.Add(stFile(`{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}`, 12))
	f.Add(stFile(`{"a":{"dtype":"I64","shape":[0,4611686018427387904],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, meta, err := ParseSafetensors(data)
		if err != nil {
			return
		}
		raw, err := FormatSafetensors(tensors, meta)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := ParseSafetensors(raw)
		if err != nil || len(again) != len(tensors) {
			t.Fatalf("what was written is refused: %v", err)
		}
	})
}
