package onnx_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
	"poaid/model/onnx"
)

func imported(t *testing.T, g graph) *model.Package {
	t.Helper()
	p, err := onnx.Import(g.encode(), onnx.Options{})
	require.NoError(t, err)
	return p
}

// TestOpenShapes: what the file leaves open must be given, and what it fixes kept.
func TestOpenShapes(t *testing.T) {
	open := x(2, 3)
	open.open = true
	g := one("", "Relu", nil, in(open)).graph
	for _, c := range []struct {
		want   string
		shapes map[string][]int64
	}{
		{`--shape x=1,224`, nil},
		{"the file has [n, n]", map[string][]int64{"x": {1}}},
		{`no input "z"`, map[string][]int64{"x": {1, 2}, "z": {1}}},
		{"want 1 to", map[string][]int64{"x": {1, 0}}},
		{"want 1 to", map[string][]int64{"x": {1 << 40, 1 << 40}}},
	} {
		_, err := onnx.Import(g.encode(), onnx.Options{Shapes: c.shapes})
		require.ErrorContains(t, err, c.want)
	}
	p, err := onnx.Import(g.encode(), onnx.Options{Name: "r", Shapes: map[string][]int64{"x": {4, 5}}})
	require.NoError(t, err)
	require.Equal(t, []int64{4, 5}, p.Program.InputSpecs()[0].Shape)
	require.Equal(t, "r", p.Meta.Name)
	_, err = onnx.Import(one("", "Relu", nil, in(x(2, 3))).encode(), onnx.Options{Shapes: map[string][]int64{"x": {2, 4}}})
	require.ErrorContains(t, err, "the file has [2, 3]")
}

// TestFolded: maps that are affine per channel leave no node of their own, and constants are named after the file.
func TestFolded(t *testing.T) {
	byName := map[string]graph{}
	for _, c := range cases() {
		byName[c.name] = c.graph
	}
	for _, c := range []struct {
		name string
		ops  string
	}{
		{"conv and batch norm", "conv2d@1 add@1"},
		{"transposed conv and batch norm", "conv2d_dx@1 add@1"},
		{"conv, scale and shift", "conv2d@1 add@1"},
		{"affine before a conv without padding", "relu@1 conv2d@1 add@1"},
		{"scale before a padded grouped conv", "conv2d@1"},
		{"conv read twice", "conv2d@1 mul@1 add@1"},
		{"silu", "silu@1"},
		{"hardswish", "hardswish@1"},
		{"hardswish by hardsigmoid", "hardswish@1"},
		{"gelu", "gelu@1"},
		{"not silu", "const@1 mul@1 sigmoid@1 mul@1"},
		{"constants folded", "add@1"},
		{"Cast of a shape", "reshape@1"},
	} {
		p := imported(t, byName[c.name])
		var ops []string
		for _, n := range p.Program.Proto().Step.Nodes {
			ops = append(ops, n.Op)
		}
		require.Equal(t, c.ops, strings.Join(ops, " "), c.name)
	}
	g := byName["hardswish"]
	g.inits = append(in(of("three", f32, nil, 2)), g.inits[1:]...) // clip(x + 2, 0, 6)·x/6 is no hardswish
	for _, n := range imported(t, g).Program.Proto().Step.Nodes {
		require.NotEqual(t, "hardswish@1", n.Op)
	}
	p := imported(t, byName["conv and batch norm"])
	var names []string
	for _, w := range p.Program.WeightSpecs() {
		names = append(names, w.Name)
	}
	require.Equal(t, []string{"w", "Conv_c.bias"}, names)
}

// TestSame: a file gives the same program and weights every time, and the package survives being written and read.
func TestSame(t *testing.T) {
	g := mobileNet().graph
	p, q := imported(t, g), imported(t, g)
	require.Equal(t, p.Meta, q.Meta)
	dir := filepath.Join(t.TempDir(), "m")
	require.NoError(t, p.Save(dir))
	r, err := model.Load(dir)
	require.NoError(t, err)
	require.Equal(t, p.Meta, r.Meta)
}

// TestTypes: other widths of float become f32.
func TestTypes(t *testing.T) {
	for _, typ := range []int64{f64, bf16} {
		k := of("k", typ, []int64{3}, 0.5, -2, 8)
		g := one("", "Mul", nil, in(tensor{name: "x", typ: typ, shape: []int64{3}}), k).graph
		p := imported(t, g)
		require.Equal(t, engine.F32, p.Program.InputSpecs()[0].DType)
		require.Equal(t, []float32{0.5, -2, 8}, p.Weights.Tensors()[0].F32())
	}
}

func TestRefuses(t *testing.T) {
	long := strings.Repeat("é", 300)
	lstm := one("", "LSTM", nil, in(x(2, 3, 4))).graph
	lstm.nodes = append(lstm.nodes, node{op: "FusedThing", domain: "com.microsoft", in: []string{"y"}, out: []string{"z"}})
	lstm.output = []string{"z"}
	for _, c := range []struct {
		name, want string
		g          graph
	}{
		{"ops", `node 0 "LSTM_y" (LSTM), node 1 "FusedThing_z" (com.microsoft.FusedThing); cut the graph`, lstm},
		{"opset", "opset 22: want 7 to 20", oneAt(22, "", "Relu", nil, in(x(2))).graph},
		{"attribute", `node 0 "Relu_y" (Relu): attribute alpha: not supported`, one("", "Relu", attrs{"alpha": 1.0}, in(x(2))).graph},
		{"type of an attribute", "attribute axis: type 1, want 2", one("", "Softmax", attrs{"axis": 1.0}, in(x(2))).graph},
		{"operands", "1 operands, want 2 to 2", one("", "Add", nil, in(x(2))).graph},
		{"unknown value", `reads "nothing"`, chain("", graph{inputs: in(x(2)), nodes: []node{n("Add", "y", nil, "x", "nothing")}, output: []string{"y"}}).graph},
		{"order", "nodes must be in order", chain("", graph{inputs: in(x(2)), nodes: []node{n("Relu", "y", nil, "z"), n("Relu", "z", nil, "x")}, output: []string{"y"}}).graph},
		{"twice", "computed twice", chain("", graph{inputs: in(x(2)), nodes: []node{n("Relu", "y", nil, "x"), n("Relu", "y", nil, "x")}, output: []string{"y"}}).graph},
		{"no output", "no output", chain("", graph{inputs: in(x(2))}).graph},
		{"output of nothing", `output "y" is not computed`, chain("", graph{inputs: in(x(2)), output: []string{"y"}}).graph},
		{"shapes", "node 0", one("", "Add", nil, in(named("a", 3), named("b", 2))).graph},
		{"reshape", "has not the 6 elements", one("", "Reshape", nil, in(x(2, 3)), known("s", 4, 2)).graph},
		{"reshape computed", "must be known at import", one("", "Reshape", nil, in(x(2, 3), of("s", i64, []int64{1}, 6))).graph},
		{"axis", "axis 3", one("", "Softmax", attrs{"axis": 3}, in(x(2, 3))).graph},
		{"kernel", "larger than the padded operand", one("", "Conv", nil, in(x(1, 1, 2, 2)), named("w", 1, 1, 3, 3)).graph},
		{"3-D", "only [n, c, w] and [n, c, h, w]", one("", "Conv", nil, in(x(1, 1, 2, 2, 2)), named("w", 1, 1, 1, 1, 1)).graph},
		{"groups", "with 2 groups", one("", "Conv", attrs{"group": 2}, in(x(1, 3, 4, 4)), named("w", 4, 3, 1, 1)).graph},
		{"training", "training_mode", one("", "BatchNormalization", attrs{"training_mode": 1}, in(x(1, 1, 2, 2)), named("a", 1), named("b", 1), named("c", 1), named("d", 1)).graph},
		{"cubic", `mode: "cubic"`, one("", "Resize", attrs{"mode": "cubic"}, in(x(1, 1, 2, 2)), tensor{}, of("s", f32, []int64{4}, 1, 1, 2, 2)).graph},
		{"scale", "gives no whole number", one("", "Resize", nil, in(x(1, 1, 3, 3)), tensor{}, of("s", f32, []int64{4}, 1, 1, 1.5, 1)).graph},
		{"exponent", "exponent 0.3", one("", "Pow", nil, in(x(2)), of("p", f32, nil, 0.3)).graph},
		{"division", "division by 0", chain("", graph{inputs: in(x(2)), inits: in(known("a", 1), known("b", 0)), nodes: []node{n("Div", "y", nil, "a", "b")}, output: []string{"y"}}).graph},
		{"empty slice", "is empty", one("", "Slice", nil, in(x(4)), known("s", 3), known("e", 3)).graph},
		{"gather", "index 4 of a dimension of 4", one("", "Gather", nil, in(x(4)), known("i", 4)).graph},
		{"long name", "bytes, limit", chain("", graph{inputs: in(named(long+long+long, 1)), nodes: []node{n("Relu", "y", nil, long)}, output: []string{"y"}}).graph},
		{"strings", "element type string", one("", "Identity", nil, in(tensor{name: "x", typ: 8, shape: []int64{1}})).graph},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := onnx.Import(c.g.encode(), onnx.Options{})
			require.ErrorContains(t, err, c.want)
		})
	}
}

// huge are small files that ask for a lot.
func huge() map[string]graph {
	const gib = 1 << 30
	claim := of("w", f32, []int64{gib}, 1, 2, 3)
	return map[string]graph{
		"initialiser":     one("", "Add", nil, in(x(3)), claim).graph,
		"overflow":        one("", "Add", nil, in(x(3)), of("w", f32, []int64{1 << 40, 1 << 40}, 1)).graph,
		"negative":        one("", "Add", nil, in(x(3)), of("w", f32, []int64{-4}, 1)).graph,
		"ConstantOfShape": chain("", graph{inputs: in(x(3)), inits: in(known("s", gib)), nodes: []node{n("ConstantOfShape", "k", nil, "s"), n("Add", "y", nil, "x", "k")}, output: []string{"y"}}).graph,
		"Range":           chain("", graph{inputs: in(x(3)), inits: in(of("a", i64, nil, 0), of("b", i64, nil, gib), of("c", i64, nil, 1)), nodes: []node{n("Range", "k", nil, "a", "b", "c"), n("Gather", "y", nil, "x", "k")}, output: []string{"y"}}).graph,
		"Expand":          chain("", graph{inputs: in(x(3)), inits: in(of("one", f32, []int64{1}, 1), known("s", gib)), nodes: []node{n("Expand", "k", nil, "one", "s"), n("Add", "y", nil, "x", "k")}, output: []string{"y"}}).graph,
		"Tile":            chain("", graph{inputs: in(x(3)), inits: in(named("k", 1024), known("r", 1<<20)), nodes: []node{n("Tile", "t", nil, "k", "r"), n("Add", "y", nil, "x", "t")}, output: []string{"y"}}).graph,
		"Pad":             chain("", graph{inputs: in(x(3)), inits: in(named("k", 3, 3, 3), known("p", 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20)), nodes: []node{n("Pad", "t", nil, "k", "p"), n("Add", "y", nil, "x", "t")}, output: []string{"y"}}).graph,
		"many":            repeated(),
	}
}

// repeated doubles a constant forty times.
func repeated() graph {
	g := graph{opset: 17, inputs: in(x(3)), inits: in(named("k0", 3)), output: []string{"y"}}
	at := "k0"
	for range 40 {
		g.nodes = append(g.nodes, n("Concat", at+"k", attrs{"axis": 0}, at, at))
		at += "k"
	}
	g.nodes = append(g.nodes, n("Add", "y", nil, "x", at))
	return g
}

// TestHuge: a shape of 1 GiB in a file of 1 KiB is refused before anything of that size is allocated.
func TestHuge(t *testing.T) {
	for name, g := range huge() {
		t.Run(name, func(t *testing.T) {
			data := g.encode()
			require.Less(t, len(data), 1<<13)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := onnx.Import(data, onnx.Options{})
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(300<<20), "bytes allocated")
		})
	}
}

// FuzzImport: any bytes give a package or an error. The seeds are the graphs of all other tests.
func FuzzImport(f *testing.F) {
	for _, c := range cases() {
		f.Add(c.encode())
	}
	for _, g := range huge() {
		f.Add(g.encode())
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		if len(data) < 1<<16 {
			_, _ = onnx.Import(data, onnx.Options{Shapes: map[string][]int64{}})
		}
	})
}

// TestParseRefuses cuts and breaks a file.
func TestParseRefuses(t *testing.T) {
	whole := mobileNet().encode()
	for i := 0; i < len(whole); i += 97 {
		_, err := onnx.Import(whole[:i], onnx.Options{})
		require.Error(t, err, "cut at %d", i)
	}
	_, err := onnx.Parse([]byte("no protobuf"))
	require.ErrorIs(t, err, onnx.ErrFile)
	_, err = onnx.Parse(nil)
	require.ErrorIs(t, err, onnx.ErrFile)
	raw, err := os.ReadFile("import.go")
	require.NoError(t, err)
	_, err = onnx.Parse(raw)
	require.ErrorIs(t, err, onnx.ErrFile)
}
