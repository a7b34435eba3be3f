package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
	"poaid/model/inputs"
	"poaid/model/npy"
	"poaid/model/zoo"
)

func ptr[T any](v T) *T { return &v }

func TestOpen(t *testing.T) {
	story, err := zoo.Story()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, story.Save(dir))
	for _, ref := range []string{dir, "zoo:story"} {
		m := open(t, ref, "")
		require.Equal(t, story.Program.Hash(), m.Program.Hash())
		require.NotNil(t, m.Tokenizer)
	}
	pb := filepath.Join(dir, "bare.pb")
	digits, err := zoo.Digits()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(pb, digits.Program.Bytes(), 0o600))
	weights, err := digits.WeightsFile()
	require.NoError(t, err)
	file := filepath.Join(dir, "w.safetensors")
	require.NoError(t, os.WriteFile(file, weights, 0o600))
	require.Equal(t, "bare", open(t, pb, file).Name)

	for _, c := range []struct{ ref, weights, want string }{
		{"zoo:cats", "", "zoo:digits and zoo:story"},
		{dir, file, "weights of its own"},
		{dir + "/none", "", "no such file"},
		{dir + "/none.json", "", "no such file"},
		{pb, pb, "safetensors"},
		{pb, "", "missing"},
	} {
		_, err := Open(c.ref, c.weights)
		require.ErrorContains(t, err, c.want)
	}
}

func TestParseGraphRefuses(t *testing.T) {
	text, err := os.ReadFile(examples + "/matmul.textproto")
	require.NoError(t, err)
	js, err := os.ReadFile(examples + "/softmax.json")
	require.NoError(t, err)
	change := func(raw []byte, from, to string) string {
		require.Contains(t, string(raw), from)
		return strings.Replace(string(raw), from, to, 1)
	}
	for _, c := range []struct{ name, file, raw, want string }{
		{"empty JSON", "x.json", "", "EOF"},
		{"not JSON", "x.json", "{", "EOF"},
		{"empty program", "x.json", "{}", "invalid program"},
		{"two programs", "x.json", string(js) + "{}", "more after the program"},
		{"field twice", "x.json", change(js, `"outputs"`, `"step": {}, "outputs"`), `"step" is there twice`},
		{"unknown field", "x.json", change(js, `"outputs"`, `"output"`), `"output"`},
		{"unknown dtype", "x.json", change(js, "DTYPE_F32", "DTYPE_F64"), "DTYPE_F64"},
		{"deep", "x.json", strings.Repeat("[", 1000), "nested deeper"},
		{"many messages", "x.json", `{"step":{"nodes":[` + strings.Repeat("{},", MaxGraphMessages) + "{}]}}", "more than 262144"},
		{"many messages of text", "x.textproto", strings.Repeat("states{}", MaxGraphMessages+1), "limit 262144"},
		{"long", "x.json", strings.Repeat(" ", MaxGraphBytes+1), "limit 4194304"},
		{"unknown op", "x.textproto", change(text, "matmul@1", "matmul@2"), "nodes[0]"},
		{"other shape", "x.textproto", change(text, "shape { a: 4 }", "shape { a: 5 }"), "nodes[0]"},
		{"missing attribute", "x.textproto", change(text, `attrs { name: "tb" ints: 0 }`, ""), "nodes[0]"},
		{"unknown text field", "x.textproto", "what: 1", "what"},
		{"not canonical", "x.pb", "\x00", "invalid program"},
		{"name", "x.yaml", "", ".yaml"},
		{"huge tensor", "x.textproto", change(text, "shape: [2, 4]", "shape: [1073741824, 1073741824]"), "states[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseGraph(c.file, []byte(c.raw))
			require.ErrorIs(t, err, ErrGraph)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestHugeStateIsRefusedAtOnce: a file of 200 bytes declares a state of 1 GiB; nothing that large may be allocated for it.
func TestHugeStateIsRefusedAtOnce(t *testing.T) {
	const graph = `states { name: "s" dtype: DTYPE_F32 shape: [16384, 16384] } outputs: "s" max_steps: 1
step { nodes { op: "relu@1" inputs { kind: REF_KIND_STATE } dtype: DTYPE_F32 shape { a: 16384 } shape { a: 16384 } } updates {} }`
	path := filepath.Join(t.TempDir(), "huge.textproto")
	require.NoError(t, os.WriteFile(path, []byte(graph), 0o600))
	m := open(t, path, "")
	b := build(t, m, inputs.Wants{})
	res := testing.Benchmark(func(bench *testing.B) {
		for bench.Loop() {
			_, _, err := m.Execute(t.Context(), b, Options{})
			require.ErrorIs(t, err, ErrMemory)
			require.ErrorContains(t, err, "limit 536870912")
		}
	})
	require.Less(t, res.AllocedBytesPerOp(), int64(1<<16))
	_, _, err := m.Execute(t.Context(), b, Options{MaxMemory: 1<<30 - 1})
	require.ErrorIs(t, err, ErrMemory)
	claim := &Claim{Steps: 1}
	_, err = m.Verify(t.Context(), claim, nil, Options{})
	require.ErrorIs(t, err, ErrMemory)
}

func TestOutputNamesCannotLeaveTheFolder(t *testing.T) {
	for name, want := range map[string]string{
		"y": "y.npy", "a.b-c_1": "a.b-c_1.npy", "../up": "output#0.npy", "a/b": "output#0.npy", `a\b`: "output#0.npy", ".hidden": "output#0.npy",
		"..": "output#0.npy", "-x": "output#0.npy", "c:x": "output#0.npy", strings.Repeat("n", 120): "output#0.npy",
	} {
		dir := filepath.Join(t.TempDir(), "out")
		res := &engine.Result{Outputs: []engine.Output{{Name: name, Tensor: floats(t, []float32{1}, 1)}}}
		r := &Receipt{Outputs: make([]Tensor, 1)}
		require.NoError(t, WriteOutputs(dir, res, r))
		require.Equal(t, filepath.Join(dir, want), r.Outputs[0].File)
		_, err := npy.ReadFile(r.Outputs[0].File, 1<<10)
		require.NoError(t, err)
	}
}

func TestInspect(t *testing.T) {
	cost := engine.CostParams{MacsPerUnit: 10_000, BytesPerUnit: 1_000}
	m := open(t, "zoo:story", "")
	for _, step := range []uint64{0, 255} {
		info, err := m.Inspect(cost, step)
		require.NoError(t, err)
		require.EqualValues(t, 820_352+2*256*16, info.Params, "the zoo's figure, and two rotary tables")
		require.Equal(t, m.Program.RunBytes(), info.RunBytes)
		require.Equal(t, 4*info.Params, info.WeightBytes)
		require.Len(t, info.Graphs, 2)
		for _, g := range info.Graphs {
			want, err := m.Program.Units(cost, step, g.Name == "forced")
			require.NoError(t, err)
			require.Equal(t, want, g.Units)
			require.Less(t, g.FirstUnits, g.LastUnits, "attention grows")
			sum := uint64(0)
			for _, n := range g.Nodes {
				sum += n.Units
			}
			require.Equal(t, want, sum, "nodes add up to the step")
		}
		var buf bytes.Buffer
		require.NoError(t, info.Write(&buf))
		for _, want := range []string{"matmul@1", "[2 1+1t 32]", "weight:tok_embeddings.weight", info.ProgramHash.String(), fmt.Sprint(info.Graphs[1].Units)} {
			require.Contains(t, buf.String(), want)
		}
		raw, err := json.Marshal(info)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "null")
	}
	_, err := m.Inspect(cost, 256)
	require.ErrorContains(t, err, "step: 256, want 0 to 255")
}

// TestGenerateIsTheTask: the text is that of the outputs, and the result root that of the whole run.
func TestGenerateIsTheTask(t *testing.T) {
	m := open(t, "zoo:story", "")
	for _, w := range []inputs.Wants{
		{Prompt: "Once upon a time", MaxTokens: 24},
		{Prompt: "Once upon a time", MaxTokens: 24, Temperature: ptr(1.5), Seed: ptr(int64(4))},
		{Prompt: "ß日", MaxTokens: 3},
		{MaxTokens: 5},
	} {
		b, err := m.Prompt(w)
		require.NoError(t, err)
		var text strings.Builder
		s, err := m.Generate(t.Context(), b, &text, Options{Threads: 1})
		require.NoError(t, err)
		res, _, err := m.Execute(t.Context(), b, Options{Threads: 2})
		require.NoError(t, err)
		require.Equal(t, res.ResultRoot, s.Result.ResultRoot)
		require.EqualValues(t, w.MaxTokens, s.NewTokens)
		require.EqualValues(t, b.PromptRows, s.PromptTokens)
		ids := toIDs(res.Output("tokens").I64()[:s.NewTokens])
		if w.Prompt == "" {
			ids = append([]int32{model.TokenBOS}, ids...)
		}
		require.Equal(t, m.Tokenizer.Decode(ids), text.String())
	}
}

// TestGenerateStops: after the stop every step is the identity, and the root is still that of all steps.
func TestGenerateStops(t *testing.T) {
	m := open(t, "zoo:story", "")
	for seed := range int64(40) {
		b, err := m.Prompt(inputs.Wants{Prompt: "The", MaxTokens: 200, Temperature: ptr(2.0), Seed: &seed})
		require.NoError(t, err)
		s, err := m.Generate(t.Context(), b, &strings.Builder{}, Options{})
		require.NoError(t, err)
		if s.Result.Stopped == 0 {
			continue
		}
		require.Less(t, s.NewTokens, 200)
		require.Equal(t, b.Steps, s.Result.T)
		res, _, err := m.Execute(t.Context(), b, Options{})
		require.NoError(t, err)
		require.Equal(t, res.ResultRoot, s.Result.ResultRoot)
		return
	}
	require.Fail(t, "no run stopped")
}

func TestGenerateRefuses(t *testing.T) {
	m := open(t, "zoo:story", "")
	_, err := m.Prompt(inputs.Wants{Prompt: "x", MaxTokens: 300})
	require.ErrorContains(t, err, "limit 256")
	digits := open(t, "zoo:digits", "")
	_, err = digits.Prompt(inputs.Wants{Prompt: "x"})
	require.ErrorIs(t, err, ErrNoText)
	_, err = digits.Generate(t.Context(), inputs.Built{}, &strings.Builder{}, Options{})
	require.ErrorIs(t, err, ErrNoText)
	// A package may say that any output is tokens.
	meta := *digits.Meta
	meta.Outputs = []model.Output{{Name: "scores", Render: model.RenderTokens, CountOutput: "label"}}
	odd := *digits
	odd.Meta, odd.Tokenizer = &meta, m.Tokenizer
	_, err = odd.Prompt(inputs.Wants{})
	require.ErrorIs(t, err, ErrNoText)
	require.ErrorContains(t, err, "want i64")
}

// slowWriter counts writes.
type slowWriter struct{ writes []string }

func (w *slowWriter) Write(p []byte) (int, error) {
	w.writes = append(w.writes, string(p))
	return len(p), nil
}

func TestStreamWritesWholeCharacters(t *testing.T) {
	tok := open(t, "zoo:story", "").Tokenizer
	var w slowWriter
	s := &textStream{w: &w, tok: tok, prev: model.TokenBOS}
	for _, b := range []byte("é\xff日") { // byte tokens begin at 3
		require.NoError(t, s.token(int64(b)+3))
	}
	require.NoError(t, s.token(-7))
	require.NoError(t, s.token(1<<40))
	require.NoError(t, s.token(0xe6+3))
	require.NoError(t, s.flush())
	require.Equal(t, []string{"é", "\ufffd", "日", "\ufffd"}, w.writes)
}

func TestShow(t *testing.T) {
	m := open(t, "zoo:digits", "")
	samples, err := zoo.Samples()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "7.png")
	require.NoError(t, os.WriteFile(path, samples[7].PNG, 0o600))
	res, _, err := m.Execute(t.Context(), build(t, m, inputs.Wants{Image: path}), Options{})
	require.NoError(t, err)
	require.Equal(t, "7", m.Show(res, "label"))
	require.Len(t, strings.Fields(m.Show(res, "scores")), maxShown+1)
	require.Empty(t, m.Show(res, "nothing"))

	story := open(t, "zoo:story", "")
	b, err := story.Prompt(inputs.Wants{Prompt: "The", MaxTokens: 4})
	require.NoError(t, err)
	res, _, err = story.Execute(t.Context(), b, Options{})
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%q", story.Tokenizer.Decode(toIDs(res.Output("tokens").I64()[:4]))), story.Show(res, "tokens"))
	res.Output("count").I64()[0] = 1 << 40 // a program may count as it likes
	require.NotEmpty(t, story.Show(res, "tokens"))
}

func TestImport(t *testing.T) {
	// The story model as a checkpoint of llama2.c would be too large a fixture: a header and zeros are a model, too.
	dir := t.TempDir()
	tok, err := model.TrainTokenizer("once upon a time there was a time upon a time", 270)
	require.NoError(t, err)
	const d, h, l, heads, seq = 8, 12, 1, 2, 16
	vocab := tok.VocabSize()
	floats := vocab*d + l*d + 4*l*d*d + l*d + 3*l*d*h + d + 2*seq*(d/heads/2)
	var raw []byte
	for _, v := range []int{d, h, l, heads, heads, vocab, seq} {
		raw = append(raw, byte(v), byte(v>>8), 0, 0)
	}
	raw = append(raw, make([]byte, 4*floats)...)
	ck, tk := filepath.Join(dir, "m.bin"), filepath.Join(dir, "tokenizer.bin")
	require.NoError(t, os.WriteFile(ck, raw, 0o600))
	require.NoError(t, os.WriteFile(tk, tok.Bytes(), 0o600))

	out := filepath.Join(dir, "a", "tiny")
	m, err := Import{Llama2c: ck, Tokenizer: tk, Out: out}.Run()
	require.NoError(t, err)
	require.Equal(t, "tiny", m.Name)
	b, err := open(t, out, "").Prompt(inputs.Wants{Prompt: "once", MaxTokens: 3})
	require.NoError(t, err)
	_, err = m.Generate(t.Context(), b, &strings.Builder{}, Options{})
	require.NoError(t, err)

	_, err = Import{Llama2c: ck, Tokenizer: tk, Out: out, Name: "again"}.Run()
	require.ErrorContains(t, err, "holds a model already")
	_, err = Import{Llama2c: tk, Tokenizer: tk, Out: out + "2"}.Run()
	require.ErrorIs(t, err, model.ErrLlama2c)
	require.NoDirExists(t, out+"2")
	_, err = Import{Llama2c: ck, Tokenizer: ck, Out: out + "2"}.Run()
	require.ErrorIs(t, err, model.ErrTokenizer)
	_, err = Import{Llama2c: dir, Tokenizer: tk, Out: out + "2"}.Run()
	require.ErrorContains(t, err, "regular file")
	m, err = Import{Llama2c: ck, Tokenizer: tk, Out: out + "2", Name: "named"}.Run()
	require.NoError(t, err)
	require.Equal(t, "named", m.Name)

	for _, c := range []struct {
		want string
		i    Import
	}{
		{"name one of", Import{Out: out + "3"}},
		{"name one of", Import{ONNX: ck, Llama2c: ck, Tokenizer: tk, Out: out + "3"}},
		{"needs its tokenizer", Import{Llama2c: ck, Out: out + "3"}},
		{"an ONNX graph has none", Import{ONNX: ck, Tokenizer: tk, Out: out + "3"}},
		{"for ONNX graphs only", Import{Llama2c: ck, Tokenizer: tk, Shapes: map[string][]int64{"x": {1}}, Out: out + "3"}},
		{"for safetensors only", Import{ONNX: ck, Context: 4, Out: out + "3"}},
		{"no folder is named", Import{ONNX: ck}},
		{"invalid ONNX file", Import{ONNX: tk, Out: out + "3"}},
		{"config.json", Import{Safetensors: dir, Out: out + "3"}},
	} {
		_, err := c.i.Run()
		require.ErrorContains(t, err, c.want)
		require.NoDirExists(t, out+"3")
	}
}

func TestParseShape(t *testing.T) {
	for _, c := range []struct {
		arg, name string
		shape     []int64
	}{{"x=1,3,48,320", "x", []int64{1, 3, 48, 320}}, {"a=b=7", "a=b", []int64{7}}, {"s=", "s", []int64{}}} {
		name, shape, err := ParseShape(c.arg)
		require.NoError(t, err)
		require.Equal(t, c.name, name)
		require.Equal(t, c.shape, shape)
	}
	for _, arg := range []string{"", "x", "=1", "x=0", "x=1,-1", "x=1,,2", "x=9999999999999999999"} {
		_, _, err := ParseShape(arg)
		require.ErrorContains(t, err, "shape: ", arg)
	}
}

func TestBar(t *testing.T) {
	var buf bytes.Buffer
	b := NewBar(&buf)
	now := b.start
	b.now = func() time.Time { return now }
	b.Step(1, 10)
	b.Done()
	require.Empty(t, buf.String(), "nothing in the first second")
	now = now.Add(2 * time.Second)
	b.Step(5, 10)
	require.Equal(t, "\r\x1b[2K[████████████············] step 5 of 10, 2.5 steps/s, 2s left", buf.String())
	b.Step(6, 10)
	require.Equal(t, 1, strings.Count(buf.String(), "\r"), "not ten times a millisecond")
	now = now.Add(time.Second)
	b.Step(10, 10)
	require.Contains(t, buf.String(), "step 10 of 10")
	b.Done()
	b.Done()
	require.Equal(t, 3, strings.Count(buf.String(), "\x1b[2K"))
}

// FuzzParseGraph: whatever text says, it gives a program whose encoding is its own, or an error.
func FuzzParseGraph(f *testing.F) {
	for _, name := range []string{"matmul.textproto", "softmax.json", "newton.textproto"} {
		raw, err := os.ReadFile(examples + "/" + name)
		require.NoError(f, err)
		f.Add(string(raw), strings.HasSuffix(name, extJSON))
	}
	f.Add(`{"step":{"nodes":[{"op":"relu@1","shape":[{"a":"9223372036854775807","b":1}]}]},"max_steps":"18446744073709551615"}`, true)
	f.Add(`{"inputs":[null],"step":null}`, true)
	f.Add(`step < nodes < op: "x" > > max_steps: -1`, false)
	f.Fuzz(func(t *testing.T, text string, asJSON bool) {
		name := "x" + extText
		if asJSON {
			name = "x" + extJSON
		}
		p, err := ParseGraph(name, []byte(text))
		if err != nil {
			require.ErrorIs(t, err, ErrGraph)
			return
		}
		again, err := engine.Decode(p.Bytes(), engine.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, p.Hash(), again.Hash())
		m := &Model{Name: "x", Program: p}
		if m.Weights, err = engine.NewWeights(p, nil); err == nil {
			_, err = m.Inspect(engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1}, 0)
			if err != nil {
				require.ErrorIs(t, err, engine.ErrOverflow)
			}
		}
	})
}
