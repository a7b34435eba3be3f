package runner

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
	"poaid/model/inputs"
	"poaid/model/npy"
)

const examples = "../../docs/examples/graphs"

// build makes inputs as a command does.
func build(t *testing.T, m *Model, w inputs.Wants) inputs.Built {
	t.Helper()
	b, err := inputs.Build(m.Program.Proto(), m.Tokenizer, w)
	require.NoError(t, err)
	return b
}

func open(t *testing.T, ref, weights string) *Model {
	t.Helper()
	m, err := Open(ref, weights)
	require.NoError(t, err)
	return m
}

func floats(t *testing.T, v []float32, shape ...int64) *engine.Tensor {
	t.Helper()
	x, err := engine.FromF32(v, shape...)
	require.NoError(t, err)
	return x
}

// TestMatmulOfFiles is what a newcomer does first: multiply two .npy files.
func TestMatmulOfFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.npy"), filepath.Join(dir, "b.npy")
	require.NoError(t, npy.WriteFile(a, floats(t, []float32{1, 2, 3, 4, 5, 6}, 2, 3)))
	require.NoError(t, npy.WriteFile(b, floats(t, []float32{1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1}, 3, 4)))
	m := open(t, examples+"/matmul.textproto", "")
	res, receipt, err := m.Execute(t.Context(), build(t, m, inputs.Wants{Inputs: []string{"a=" + a, "b=@" + b}}), Options{})
	require.NoError(t, err)
	out := filepath.Join(dir, "new", "out")
	require.NoError(t, WriteOutputs(out, res, receipt))
	y, err := npy.ReadFile(filepath.Join(out, "y.npy"), 1<<20)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 4}, y.Shape())
	require.Equal(t, []float32{1, 2, 3, 6, 4, 5, 6, 15}, y.F32())
	require.Equal(t, filepath.Join(out, "y.npy"), receipt.Outputs[0].File)
	require.Equal(t, "1 2 3 6 4 5 6 15", m.Show(res, "y"))
	require.Equal(t, "matmul", receipt.Model)
}

func TestSoftmaxFromJSON(t *testing.T) {
	m := open(t, examples+"/softmax.json", "")
	res, _, err := m.Execute(t.Context(), build(t, m, inputs.Wants{Inputs: []string{"x=[[1,2,3],[0,0,0]]"}}), Options{})
	require.NoError(t, err)
	p := res.Output("p").F32()
	total := math.Exp(1) + math.Exp(2) + math.Exp(3)
	for i := range 3 {
		require.InEpsilon(t, math.Exp(float64(i+1))/total, float64(p[i]), 1e-6)
		require.InEpsilon(t, 1.0/3, float64(p[3+i]), 1e-6)
	}
}

func TestNewtonWithWeights(t *testing.T) {
	raw, err := model.FormatSafetensors([]model.NamedTensor{{Name: "start", Tensor: floats(t, []float32{1, 1}, 2)}}, nil)
	require.NoError(t, err)
	weights := filepath.Join(t.TempDir(), "start.safetensors")
	require.NoError(t, os.WriteFile(weights, raw, 0o600))
	m := open(t, examples+"/newton.textproto", weights)
	res, _, err := m.Execute(t.Context(), build(t, m, inputs.Wants{Inputs: []string{"x=[2,9]"}, Steps: 6}), Options{})
	require.NoError(t, err)
	require.Equal(t, []float32{float32(math.Sqrt2), 3}, res.Output("y").F32())

	_, err = Open(examples+"/newton.textproto", "")
	require.ErrorContains(t, err, `"start": missing`)
}

// TestEveryExampleIsTried keeps the folder and the tests above together.
func TestEveryExampleIsTried(t *testing.T) {
	files, err := os.ReadDir(examples)
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	require.Equal(t, []string{"README.md", "matmul.textproto", "newton.textproto", "softmax.json"}, names)
}
