package inputs

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
	"poaid/model"
	"poaid/model/zoo"
)

func program() *graphpb.Program {
	zero := make([]byte, 8)
	return &graphpb.Program{
		MaxSteps: 100, ForcedInput: "prompt",
		Inputs: []*graphpb.InputSpec{
			{Name: "prompt", Dtype: graphpb.DTYPE_I64, Shape: []int64{20}, VariableRows: true},
			{Name: "temperature", Dtype: graphpb.DTYPE_I32, Shape: []int64{1}, DefaultData: zero[:4]},
			{Name: "top_p", Dtype: graphpb.DTYPE_I32, Shape: []int64{1}, DefaultData: zero[:4]},
			{Name: "seed", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, DefaultData: zero},
			{Name: "m", Dtype: graphpb.DTYPE_F32, Shape: []int64{2, 2}, DefaultData: make([]byte, 16)},
		},
	}
}

func tokenizer(t *testing.T) *model.Tokenizer {
	t.Helper()
	tok, err := model.TrainTokenizer("once upon a time there was a time upon a time", 270)
	require.NoError(t, err)
	return tok
}

func ptr[T any](v T) *T { return &v }

func TestBuildPrompt(t *testing.T) {
	tok := tokenizer(t)
	ids := tok.Encode("once upon", true, false)
	got, err := Build(program(), tok, Wants{Prompt: "once upon", MaxTokens: 8, Temperature: ptr(0.8), TopP: ptr(0.9), Seed: ptr(int64(-3))})
	require.NoError(t, err)
	require.EqualValues(t, len(ids), got.PromptRows)
	require.EqualValues(t, len(ids)-1+8, got.Steps)
	require.Len(t, got.Tensors, 4, "only what was given")
	for i, id := range ids {
		require.EqualValues(t, id, binary.LittleEndian.Uint64(got.Tensors[0].Tensor.Bytes()[8*i:]))
	}
	require.EqualValues(t, 800_000, binary.LittleEndian.Uint32(got.Tensors[1].Tensor.Bytes()))
	require.EqualValues(t, 900_000, binary.LittleEndian.Uint32(got.Tensors[2].Tensor.Bytes()))
	require.EqualValues(t, -3, int64(binary.LittleEndian.Uint64(got.Tensors[3].Tensor.Bytes())))
}

func TestBuildImage(t *testing.T) {
	samples, err := zoo.Samples()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "7.png")
	require.NoError(t, os.WriteFile(path, samples[7].PNG, 0o600))
	digits, err := zoo.Digits()
	require.NoError(t, err)
	got, err := Build(digits.Program.Proto(), nil, Wants{Image: path})
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Steps)
	require.Equal(t, "pixels", got.Tensors[0].Name)
	require.Len(t, got.Tensors[0].Tensor.Bytes(), 64)
}

func npyFile(descr, shape, fortran string, data []byte) []byte {
	h := "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(h)), 0)
	return append(append(out, h...), data...)
}

func TestBuildGeneric(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return "m=@" + path
	}
	one := []byte{0, 0, 128, 63}
	ones := append(append(append(append([]byte{}, one...), one...), one...), one...)
	for _, c := range []struct{ name, input, want string }{
		{"nested JSON", "m=[[1,1],[1,1]]", ""},
		{"flat JSON", "m=[1,1,1,1]", ""},
		{"JSON file", file("a.json", []byte("[[1,1],[1.0,1]]")), ""},
		{"NPY file without @", strings.Replace(file("z.npy", npyFile("<f4", "(2, 2)", "False", ones)), "@", "", 1), ""},
		{"NPY file", file("a.npy", npyFile("<f4", "(2, 2)", "False", ones)), ""},
		{"raw file", file("a.bin", ones), ""},
		{"no value", "m", "want name=VALUE"},
		{"unknown", "z=1", "no such input"},
		{"two values", "m=[1,1,1,1] 1", "more after"},
		{"ragged", "m=[[1,1],[1]]", "different length"},
		{"mixed depth", "m=[1,[1]]", "m:"},
		{"too few", "m=[1,1,1]", "12 bytes"},
		{"text", `m=["1"]`, "want numbers"},
		{"no file", "m=@" + dir + "/none", "no such file"},
		{"other dtype", file("b.npy", npyFile("<i4", "(2, 2)", "False", ones)), "want DTYPE_F32"},
		{"unknown dtype", file("c.npy", npyFile("<f8", "(2, 2)", "False", ones)), "dtype"},
		{"column-major", file("d.npy", npyFile("<f4", "(2, 2)", "True", ones)), "column-major"},
		{"short NPY", file("e.npy", npyFile("<f4", "(2, 2)", "False", one)), "4 bytes"},
		{"other shape", file("f.npy", npyFile("<f4", "(4,)", "False", ones)), "shape [4]"},
		{"huge shape", file("g.npy", npyFile("<f4", "(9223372036854775807, 9)", "False", ones)), "m:"},
		{"not NPY", file("h.npy", ones), "not an NPY file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Build(program(), nil, Wants{Inputs: []string{"prompt=[1,2]", c.input}})
			if c.want != "" {
				require.ErrorIs(t, err, ErrInput)
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, ones, got.Tensors[1].Tensor.Bytes())
			require.Equal(t, []int64{2, 2}, got.Tensors[1].Tensor.Shape())
			require.EqualValues(t, 2, got.PromptRows)
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	tok := tokenizer(t)
	for _, c := range []struct {
		name, want string
		w          Wants
	}{
		{"nothing", "prompt: missing", Wants{}},
		{"no tokenizer", "no tokenizer", Wants{Prompt: "once"}},
		{"prompt too long", "limit 20", Wants{Prompt: "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"}},
		{"too many steps", "limit 100", Wants{Prompt: "once", MaxTokens: 200}},
		{"no picture input", "no such input", Wants{Image: "x.png"}},
		{"temperature", "temperature: -1", Wants{Prompt: "once", Temperature: ptr(-1.0)}},
		{"top-p", "top_p: 1.5", Wants{Prompt: "once", TopP: ptr(1.5)}},
		{"no top-k", "top_k", Wants{Prompt: "once", TopK: ptr(int32(3))}},
		{"twice", "given twice", Wants{Prompt: "once", Inputs: []string{"prompt=[1]"}}},
		{"does not fit", "does not fit", Wants{Inputs: []string{"prompt=[1]", "top_p=3000000000"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tk := tok
			if c.name == "no tokenizer" {
				tk = nil
			}
			_, err := Build(program(), tk, c.w)
			require.ErrorIs(t, err, ErrInput)
			require.ErrorContains(t, err, c.want)
		})
	}
}
