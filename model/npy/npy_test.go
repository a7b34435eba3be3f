package npy

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine"
)

// file makes a file of a version with a header and data.
func file(version byte, header string, data []byte) []byte {
	out := append([]byte(magic), version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return append(append(out, header...), data...)
}

const good = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }  \n"

// TestAsNumPyWrites holds Format to the bytes of numpy.save(f, numpy.array([[1, 2, 3]], dtype="<i4")) of NumPy 1.26.
func TestAsNumPyWrites(t *testing.T) {
	v, err := engine.FromI32([]int32{1, 2, 3}, 1, 3)
	require.NoError(t, err)
	got, err := Format(v)
	require.NoError(t, err)
	want := "\x93NUMPY\x01\x00v\x00{'descr': '<i4', 'fortran_order': False, 'shape': (1, 3), }" + strings.Repeat(" ", 58) + "\n" +
		"\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"
	require.Equal(t, want, string(got))
	require.Zero(t, (len(got)-12)%align)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dt := rapid.SampledFrom([]engine.DType{engine.F32, engine.I32, engine.I64, engine.I8, engine.U8}).Draw(t, "dtype")
		shape := rapid.SliceOfN(rapid.Int64Range(0, 5), 0, 4).Draw(t, "shape")
		size, err := engine.ByteSize(dt, shape)
		require.NoError(t, err)
		want, err := engine.TensorFromBytes(dt, shape, rapid.SliceOfN(rapid.Byte(), int(size), int(size)).Draw(t, "data"))
		require.NoError(t, err)
		raw, err := Format(want)
		require.NoError(t, err)
		got, err := Parse(raw)
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%s and %s", want, got)
		_, err = Parse(append(raw, 0))
		require.ErrorIs(t, err, ErrFormat)
	})
}

func TestVersions(t *testing.T) {
	data := []byte{1, 0, 0, 0, 2, 0, 0, 0}
	for version := byte(1); version <= 3; version++ {
		got, err := Parse(file(version, good, data))
		require.NoError(t, err)
		require.Equal(t, []int32{1, 2}, got.I32())
		require.Equal(t, []int64{2, 1}, got.Shape())
	}
	got, err := Parse(file(1, `{"shape":(2,),"fortran_order":True,"descr":"<i4"}`, data))
	require.NoError(t, err, "any order, any quotes; one dimension has no order")
	require.Equal(t, []int64{2}, got.Shape())
}

func TestRefuses(t *testing.T) {
	eight := make([]byte, 8)
	dict := func(descr, order, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }"
	}
	for _, c := range []struct {
		name, want string
		raw        []byte
	}{
		{"empty", "not an NPY file", nil},
		{"other magic", "not an NPY file", []byte("\x93NUMPZ\x01\x00\x00\x00\x00\x00")},
		{"version 4", "version: 4.0", file(4, good, eight)},
		{"long header", "header: 65537 bytes", file(2, strings.Repeat(" ", 65537), eight)},
		{"header of 4 GiB", "header: 4294967295 bytes", append([]byte(magic), 2, 0, 255, 255, 255, 255)},
		{"header past the end", "ends inside it", file(2, good, nil)[:30]},
		{"tiny header", "header: 0 bytes", append([]byte(magic), 1, 0, 0, 0, 0, 0)},
		{"short data", "data: 7 bytes, shape [2 1] of DTYPE_I32 takes 8", file(1, good, eight[:7])},
		{"long data", "data: 9 bytes", file(1, good, make([]byte, 9))},
		{"column-major", "column-major", file(1, dict("'<i4'", "True", "(2, 1)"), eight)},
		{"float64", "dtype: \"<f8\"", file(1, dict("'<f8'", "False", "(1,)"), eight)},
		{"big-endian", "dtype: \">i4\"", file(1, dict("'>i4'", "False", "(2,)"), eight)},
		{"record", "want a string", file(1, dict("[('a', '<i4')]", "False", "(2,)"), eight)},
		{"order is a number", "want \"False\"", file(1, dict("'<i4'", "0", "(2,)"), eight)},
		{"no tuple", "is a number", file(1, dict("'<i4'", "False", "(2)"), eight)},
		{"negative", "shape[0]", file(1, dict("'<i4'", "False", "(-2,)"), eight)},
		{"int64 overflow", "shape[1]", file(1, dict("'<i4'", "False", "(2, 9223372036854775808)"), eight)},
		{"product overflow", "2^56 elements", file(1, dict("'<i4'", "False", "(4294967296, 4294967296, 4294967296)"), eight)},
		{"rank", "more than 8", file(1, dict("'<i4'", "False", "(1,1,1,1,1,1,1,1,2)"), eight)},
		{"unclosed", "shape[1]", file(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,", eight)},
		{"no shape", "want the keys", file(1, "{'descr': '<i4', 'fortran_order': False}", eight)},
		{"twice", "there twice", file(1, "{'descr': '<i4', 'descr': '<i4', 'shape': (2,)}", eight)},
		{"other key", "unknown key", file(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'x': 1}", eight)},
		{"more text", "after the dict", file(1, good+"x", eight)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.raw)
			require.ErrorIs(t, err, ErrFormat)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestHugeShapeIsRefusedAtOnce has a file of a few bytes that declares 1 GiB: nothing of that size may be allocated.
func TestHugeShapeIsRefusedAtOnce(t *testing.T) {
	raw := file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (16384, 16384), }", make([]byte, 1024))
	path := filepath.Join(t.TempDir(), "huge.npy")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	res := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			_, err := ReadFile(path, 1<<40)
			require.ErrorContains(t, err, "takes 1073741824")
		}
	})
	require.Less(t, res.AllocedBytesPerOp(), int64(1<<16))
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	want, err := engine.FromF32([]float32{1, -2, 0.5}, 3)
	require.NoError(t, err)
	require.NoError(t, WriteFile(path, want))
	got, err := ReadFile(path, 1<<10)
	require.NoError(t, err)
	require.True(t, want.Equal(got))
	_, err = ReadFile(path, 100)
	require.ErrorContains(t, err, "at most 100")
	_, err = ReadFile(filepath.Dir(path), 1<<10)
	require.ErrorContains(t, err, "regular file")
	_, err = ReadFile(path+"x", 1<<10)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzParse: whatever is read can be written and read again.
func FuzzParse(f *testing.F) {
	for version := byte(1); version <= 4; version++ {
		f.Add(file(version, good, make([]byte, 8)))
	}
	f.Add(file(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (), }", []byte{1}))
	f.Add(file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (16384, 16384), }", make([]byte, 64)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := Parse(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		again, err := Format(v)
		require.NoError(t, err)
		w, err := Parse(again)
		require.NoError(t, err)
		require.True(t, v.Equal(w))
	})
}
