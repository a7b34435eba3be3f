package runner

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/model/inputs"
)

// story runs the story model and gives its receipt as JSON.
func story(t *testing.T) (*Model, []byte) {
	t.Helper()
	m, err := Open("zoo:story", "")
	require.NoError(t, err)
	b, err := m.Prompt(inputs.Wants{Prompt: "The fox", MaxTokens: 6, Temperature: ptr(0.9), Seed: ptr(int64(5))})
	require.NoError(t, err)
	_, r, err := m.Execute(t.Context(), b, Options{})
	require.NoError(t, err)
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	return m, raw
}

// edit changes a JSON object.
func edit(t *testing.T, raw []byte, fn func(m map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(raw, &m))
	fn(m)
	out, err := json.Marshal(m)
	require.NoError(t, err)
	return out
}

func at(m any, path ...any) map[string]any {
	for _, p := range path {
		switch k := p.(type) {
		case string:
			m = m.(map[string]any)[k]
		case int:
			m = m.([]any)[k]
		}
	}
	return m.(map[string]any)
}

func fields(v *Verdict) []string {
	out := []string{}
	for _, d := range v.Differences {
		out = append(out, d.Field)
	}
	return out
}

func TestVerifyReceipt(t *testing.T) {
	m, raw := story(t)
	other := strings.Repeat("ab", 32)
	for _, c := range []struct {
		name     string
		change   func(m map[string]any)
		executed bool
		differs  []string
	}{
		{"holds", func(map[string]any) {}, true, []string{}},
		{"other program", func(m map[string]any) { m["program_hash"] = other }, false, []string{"program_hash"}},
		{"other weights", func(m map[string]any) { m["weights_root"] = other }, false, []string{"weights_root"}},
		{"other inputs", func(m map[string]any) { m["input_root"] = other }, false, []string{"input_root"}},
		{"input changed", func(m map[string]any) {
			at(m, "inputs", 2)["data"] = base64.StdEncoding.EncodeToString([]byte{9, 9, 0, 0})
		}, false, []string{"input_root"}},
		{"input left out", func(m map[string]any) { m["inputs"] = m["inputs"].([]any)[:2] }, false, []string{"input_root"}},
		{"more steps", func(m map[string]any) { m["steps"] = 20 }, true, []string{
			"steps_done", "output tokens", "output logprobs", "output count", "state_root", "output_root", "result_root",
		}},
		{"steps done", func(m map[string]any) { m["steps_done"] = 1 }, true, []string{"steps_done"}},
		{"an output", func(m map[string]any) { at(m, "outputs", 1)["root"] = other }, true, []string{"output logprobs"}},
		{"names of outputs", func(m map[string]any) { at(m, "outputs", 1)["name"] = "x" }, true, []string{"outputs"}},
		{"state root", func(m map[string]any) { m["state_root"] = other }, true, []string{"state_root"}},
		{"output root", func(m map[string]any) { m["output_root"] = other }, true, []string{"output_root"}},
		{"result root", func(m map[string]any) { m["result_root"] = other }, true, []string{"result_root"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			claim, err := ParseClaim(edit(t, raw, c.change), nil)
			require.NoError(t, err)
			v, err := m.Verify(t.Context(), claim, nil, Options{Threads: 1})
			require.NoError(t, err)
			require.Equal(t, c.differs, fields(v))
			require.Equal(t, c.executed, v.Executed)
			if len(c.differs) == 0 {
				require.NoError(t, v.Err())
				return
			}
			require.ErrorIs(t, v.Err(), ErrDiffers)
			require.ErrorContains(t, v.Err(), c.differs[0])
		})
	}
}

// TestVerifyLargeInput: the bytes of a large input are not in the receipt; they are given, and must be those.
func TestVerifyLargeInput(t *testing.T) {
	graph := strings.NewReplacer("SIZE", fmt.Sprint(maxInlineInput)).Replace(`inputs { name: "x" dtype: DTYPE_U8 shape: SIZE }
inputs { name: "k" dtype: DTYPE_U8 shape: 1 } states { name: "y" dtype: DTYPE_U8 shape: SIZE } outputs: "y" max_steps: 1
step { nodes { op: "not@1" inputs { kind: REF_KIND_INPUT } dtype: DTYPE_U8 shape { a: SIZE } } updates {} }`)
	graph = strings.Replace(graph, fmt.Sprintf("shape: %d }", maxInlineInput), fmt.Sprintf("shape: %d }", maxInlineInput+1), 2)
	graph = strings.Replace(graph, fmt.Sprintf("a: %d", maxInlineInput), fmt.Sprintf("a: %d", maxInlineInput+1), 1)
	path := filepath.Join(t.TempDir(), "not.textproto")
	require.NoError(t, os.WriteFile(path, []byte(graph), 0o600))
	m := open(t, path, "")
	x, err := engine.FromU8(make([]byte, maxInlineInput+1), maxInlineInput+1)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".bin", x.Bytes(), 0o600))
	_, r, err := m.Execute(t.Context(), build(t, m, inputs.Wants{Inputs: []string{"x=@" + path + ".bin", "k=1"}}), Options{})
	require.NoError(t, err)
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	require.Less(t, len(raw), 4096)
	claim, err := ParseClaim(raw, nil)
	require.NoError(t, err)

	_, err = m.Verify(t.Context(), claim, nil, Options{})
	require.ErrorContains(t, err, `input "x": its bytes are not in the claim`)
	v, err := m.Verify(t.Context(), claim, map[string]*engine.Tensor{"x": x}, Options{})
	require.NoError(t, err)
	require.NoError(t, v.Err())
	y := x.Clone()
	y.U8()[7] = 1
	v, err = m.Verify(t.Context(), claim, map[string]*engine.Tensor{"x": y}, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"input x", "input_root"}, fields(v))
	require.False(t, v.Executed)
	_, err = m.Verify(t.Context(), claim, map[string]*engine.Tensor{"x": x, "k": x}, Options{})
	require.ErrorContains(t, err, "the claim has its bytes")
	_, err = m.Verify(t.Context(), claim, map[string]*engine.Tensor{"x": x, "z": x}, Options{})
	require.ErrorContains(t, err, `"z"`)
}

// asTask writes a receipt as the chain writes a task.
func asTask(t *testing.T, raw []byte) (task, in []byte) {
	t.Helper()
	var r Receipt
	require.NoError(t, json.Unmarshal(raw, &r))
	tensors := func(list []Tensor) []any {
		var out []any
		for _, x := range list {
			e := map[string]any{"name": x.Name, "dtype": "DTYPE_" + strings.ToUpper(x.DType), "shape": []any{fmt.Sprint(x.Shape[0])}}
			if x.Data != nil {
				e["data"] = x.Data
			} else {
				e["root"] = x.Root[:]
			}
			out = append(out, e)
		}
		return out
	}
	task, err := json.Marshal(map[string]any{
		"task":   map[string]any{"id": "7", "model": "story", "steps": fmt.Sprint(r.Steps), "input_root": r.InputRoot[:], "later": 1},
		"status": map[string]any{"state": "STATE_FINAL", "result_root": r.ResultRoot[:]},
		"result": map[string]any{
			"state_root": r.StateRoot[:], "output_root": r.OutputRoot[:], "steps_done": fmt.Sprint(r.StepsDone), "outputs": tensors(r.Outputs),
		},
	})
	require.NoError(t, err)
	in, err = json.Marshal(map[string]any{"inputs": map[string]any{"tensors": tensors(r.Inputs)}})
	require.NoError(t, err)
	return task, in
}

func TestVerifyTask(t *testing.T) {
	m, raw := story(t)
	task, in := asTask(t, raw)
	claim, err := ParseClaim(task, in)
	require.NoError(t, err)
	require.Equal(t, "task 7 on model story", claim.What)
	v, err := m.Verify(t.Context(), claim, nil, Options{})
	require.NoError(t, err)
	require.NoError(t, v.Err())

	claim, err = ParseClaim(edit(t, task, func(m map[string]any) { at(m, "status")["result_root"] = make([]byte, 32) }), in)
	require.NoError(t, err)
	v, err = m.Verify(t.Context(), claim, nil, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"result_root"}, fields(v))

	claim, err = ParseClaim(task, nil)
	require.NoError(t, err)
	_, err = m.Verify(t.Context(), claim, nil, Options{})
	require.ErrorContains(t, err, "a file of their own")
	_, err = open(t, "zoo:digits", "").Verify(t.Context(), claim, nil, Options{})
	require.ErrorContains(t, err, "want 1 to 1")
}

// TestTaskOfTheChain reads what `query tasks task` and `query tasks inputs` of a local network printed.
func TestTaskOfTheChain(t *testing.T) {
	c, err := ReadClaim("testdata/task.json", "testdata/inputs.json")
	require.NoError(t, err)
	require.Equal(t, "task 738197504 on model digits", c.What)
	require.EqualValues(t, 1, c.Steps)
	require.Equal(t, "1cdba491d235699d7de950e1be1448cf3655662977f872b343eee3b6a316a0c5", c.ResultRoot.String())
	require.Equal(t, c.ResultRoot, commit.ResultRoot(c.Steps, c.StateRoot, c.OutputRoot))
	require.Len(t, c.Outputs, 2)
	named := []commit.Named{{Name: c.Outputs[0].Name, Root: c.Outputs[0].Root}, {Name: c.Outputs[1].Name, Root: c.Outputs[1].Root}}
	require.Equal(t, c.OutputRoot, commit.NamedRoot(named), "roots are of the data that the chain shows")
	require.Len(t, c.Inputs, 1)
	require.Equal(t, []int64{1, 8, 8}, c.Inputs[0].Tensor.Shape())
	_, err = ReadClaim("testdata/none.json", "")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = ReadClaim("testdata/task.json", "testdata")
	require.ErrorContains(t, err, "regular file")
}

func TestParseClaimRefuses(t *testing.T) {
	_, raw := story(t)
	task, in := asTask(t, raw)
	on := func(base []byte, fn func(m map[string]any)) []byte { return edit(t, base, fn) }
	for _, c := range []struct {
		name, want string
		raw, in    []byte
	}{
		{"empty", "unexpected end", []byte(""), nil},
		{"other JSON", "neither task nor result_root", []byte("{}"), nil},
		{"list", "cannot unmarshal", []byte("[]"), nil},
		{"inputs of a receipt", "goes with a task", raw, in},
		{"unknown field", "unknown field", on(raw, func(m map[string]any) { m["x"] = 1 }), nil},
		{"short root", "want 64", on(raw, func(m map[string]any) { m["state_root"] = "ab" }), nil},
		{"dtype", "inputs[0].dtype", on(raw, func(m map[string]any) { at(m, "inputs", 0)["dtype"] = "f64" }), nil},
		{"huge shape", "inputs[0]", on(raw, func(m map[string]any) { at(m, "inputs", 0)["shape"] = []any{1 << 40, 1 << 40} }), nil},
		{"negative steps", "steps", on(raw, func(m map[string]any) { m["steps"] = -1 }), nil},
		{"no result", `its state is "STATE_SEALED"`, []byte(`{"task":{},"status":{"state":"STATE_SEALED"}}`), nil},
		{"task root", "task.input_root", on(task, func(m map[string]any) { at(m, "task")["input_root"] = "AAAA" }), in},
		{"task steps", "task.steps", on(task, func(m map[string]any) { at(m, "task")["steps"] = "-4" }), in},
		{"output without root", "result.outputs[1].root", on(task, func(m map[string]any) { at(m, "result", "outputs", 1)["root"] = "" }), in},
		{"output dtype", "result.outputs[0].dtype", on(task, func(m map[string]any) { at(m, "result", "outputs", 0)["dtype"] = "F32" }), in},
		{"no inputs", "inputs: not there", task, []byte("{}")},
		{"input data", "inputs.tensors[1]", task, on(in, func(m map[string]any) { at(m, "inputs", "tensors", 1)["data"] = "AAAA" })},
		{"input root", "not that of the data", task, on(in, func(m map[string]any) { at(m, "inputs", "tensors", 0)["root"] = make([]byte, 32) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseClaim(c.raw, c.in)
			require.ErrorIs(t, err, ErrClaim)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// FuzzParseClaim: whatever is read can be judged: the verdict of any claim on a model is a verdict or an error.
func FuzzParseClaim(f *testing.F) {
	m, err := Open(examples+"/softmax.json", "")
	require.NoError(f, err)
	b, err := inputs.Build(m.Program.Proto(), nil, inputs.Wants{Inputs: []string{"x=[1,2,3,4,5,6]"}})
	require.NoError(f, err)
	_, r, err := m.Execute(f.Context(), b, Options{Threads: 1})
	require.NoError(f, err)
	raw, err := json.Marshal(r)
	require.NoError(f, err)
	f.Add(raw, []byte(nil))
	task, err := os.ReadFile("testdata/task.json")
	require.NoError(f, err)
	in, err := os.ReadFile("testdata/inputs.json")
	require.NoError(f, err)
	f.Add(task, in)
	f.Add([]byte(`{"task":{"steps":"9223372036854775807"},"status":{},"result":{"state_root":"AA==","outputs":[{"shape":["-1"]}]}}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, raw, in []byte) {
		if len(in) == 0 {
			in = nil
		}
		c, err := ParseClaim(raw, in)
		if err != nil {
			require.ErrorIs(t, err, ErrClaim)
			return
		}
		if v, err := m.Verify(t.Context(), c, nil, Options{Threads: 1}); err == nil && v.Err() == nil {
			require.Equal(t, c.ResultRoot, *v.ResultRoot)
		}
	})
}
