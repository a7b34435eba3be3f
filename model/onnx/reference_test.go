package onnx_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model/onnx"
)

// envUpdate makes TestOps ask onnxruntime for cases without a vector and write testdata/reference.json.
const (
	envUpdate = "POAI_ONNX_UPDATE"
	vectors   = "testdata/reference.json"
)

// vector is one output: its shape, type and elements, of floats as the shortest decimal that reads back.
type vector struct {
	DType string   `json:"dtype"`
	Shape []int64  `json:"shape"`
	Data  []string `json:"data"`
}

func toVector(t *engine.Tensor) vector {
	v := vector{DType: t.DType().String(), Shape: t.Shape()}
	for i := range t.Len() {
		switch t.DType() {
		case engine.F32:
			v.Data = append(v.Data, strconv.FormatFloat(float64(t.F32()[i]), 'g', -1, 32))
		case engine.I64:
			v.Data = append(v.Data, strconv.FormatInt(t.I64()[i], 10))
		case engine.I8:
			v.Data = append(v.Data, strconv.Itoa(int(t.I8()[i])))
		default:
			v.Data = append(v.Data, strconv.Itoa(int(t.U8()[i])))
		}
	}
	return v
}

// tensor gives a case's input to the engine.
func (t tensor) engine(tb testing.TB) *engine.Tensor {
	tb.Helper()
	dt := map[int64]engine.DType{f32: engine.F32, i32: engine.I32, i64: engine.I64, i8: engine.I8, u8: engine.U8, boolean: engine.U8}[t.typ]
	shape := t.shape
	if len(shape) == 0 {
		shape = []int64{1}
	}
	out, err := engine.TensorFromBytes(dt, shape, t.raw())
	require.NoError(tb, err)
	return out
}

// TestOps compares a graph for every op with what onnxruntime 1.30.0 computed: floats to 1e-4 of the largest, all else exactly.
func TestOps(t *testing.T) {
	raw, err := os.ReadFile(vectors)
	require.NoError(t, err)
	want := map[string][]vector{}
	require.NoError(t, json.Unmarshal(raw, &want))
	covered, names := map[string]bool{}, map[string]bool{}
	for _, c := range cases() {
		require.False(t, names[c.name], "%s is there twice", c.name)
		names[c.name] = true
		for _, n := range c.nodes {
			covered[n.op] = true
		}
		t.Run(c.name, func(t *testing.T) {
			inputs := map[string]*engine.Tensor{}
			for _, x := range c.inputs {
				inputs[x.name] = x.engine(t)
			}
			if os.Getenv(envUpdate) != "" && want[c.name] == nil {
				want[c.name] = c.ask(t)
			}
			got := run(t, c.encode(), onnx.Options{}, inputs)
			require.Len(t, want[c.name], len(got), "run with "+envUpdate+"=1 to make the vectors")
			for i, w := range want[c.name] {
				compare(t, w, got[i])
			}
		})
	}
	for _, op := range onnx.Ops() {
		require.True(t, covered[op], "no case for %s", op)
	}
	if os.Getenv(envUpdate) != "" {
		raw, err := json.MarshalIndent(want, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(vectors, append(raw, '\n'), 0o600))
	}
}

func compare(t *testing.T, w vector, got *engine.Tensor) {
	t.Helper()
	require.Equal(t, w.DType, got.DType().String())
	shape := w.Shape
	if len(shape) == 0 {
		shape = []int64{1}
	}
	require.Equal(t, shape, got.Shape())
	g := toVector(got)
	if got.DType() != engine.F32 {
		require.Equal(t, w.Data, g.Data)
		return
	}
	most, list := 0.0, make([]float64, len(w.Data))
	for i, s := range w.Data {
		v, err := strconv.ParseFloat(s, 32)
		require.NoError(t, err)
		list[i] = v
		if v := math.Abs(v); !math.IsInf(v, 0) {
			most = max(most, v)
		}
	}
	for i, v := range list {
		if x := float64(got.F32()[i]); v != x && (v == v || x == x) {
			require.InDelta(t, v, x, 1e-4*most, "element %d", i)
		}
	}
}

// ask runs onnxruntime on a case.
func (c testCase) ask(t *testing.T) []vector {
	t.Helper()
	path := filepath.Join(t.TempDir(), "case.onnx")
	require.NoError(t, os.WriteFile(path, c.encode(), 0o600))
	in := map[string]*engine.Tensor{}
	for _, x := range c.inputs {
		name := x.name
		if x.typ == boolean {
			name += ":bool"
		}
		in[name] = x.engine(t)
	}
	var out []vector
	for _, x := range reference(t, path, in) {
		out = append(out, toVector(x))
	}
	return out
}
