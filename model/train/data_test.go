package train

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
	"poaid/model/npy"
	"poaid/model/zoo"
)

// idx writes MNIST's format.
func idx(typ byte, shape []uint32, data []byte) []byte {
	out := []byte{0, 0, typ, byte(len(shape))}
	for _, d := range shape {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, data...)
}

func TestParseIDX(t *testing.T) {
	x, err := parseIDX(idx(8, []uint32{2, 3}, []byte{1, 2, 3, 4, 5, 6}))
	require.NoError(t, err)
	require.Equal(t, []int64{2, 3}, x.Shape())
	require.Equal(t, []uint8{1, 2, 3, 4, 5, 6}, x.U8())
	x, err = parseIDX(idx(13, []uint32{1}, []byte{0x3f, 0xc0, 0, 0}))
	require.NoError(t, err)
	require.Equal(t, []float32{1.5}, x.F32())
	for want, raw := range map[string][]byte{
		"two zero bytes":            {1, 0, 8, 1},
		"idx: type 9":               idx(9, []uint32{1}, []byte{1}),
		"idx: rank 0":               {0, 0, 8, 0},
		"idx: rank 9":               idx(8, make([]uint32, 9), nil),
		"5 bytes of data, [2 3]":    idx(8, []uint32{2, 3}, []byte{1, 2, 3, 4, 5}),
		"more than 2^56 elements":   idx(8, []uint32{1 << 31, 1 << 31, 1 << 31}, nil),
		"idx: rank 2 in 8 bytes":    idx(8, []uint32{2, 3}, nil)[:8],
		"it does not begin with tw": nil,
	} {
		_, err := parseIDX(raw)
		require.ErrorContains(t, err, want)
	}
}

func csvData(change func(d *DataSpec)) DataSpec {
	last := int64(-1)
	d := DataSpec{LabelColumn: &last, Type: "f32"}
	if change != nil {
		change(&d)
	}
	return d
}

func TestParseCSV(t *testing.T) {
	s, err := parseCSV([]byte("1,2.5,0\n3,4,2\n"), csvData(nil), false)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2.5, 3, 4}, s.x.F32())
	require.Equal(t, []uint8{0, 2}, s.labels)
	require.NoError(t, s.countClasses(0))
	require.Equal(t, int64(3), s.width)
	require.ErrorContains(t, s.countClasses(2), "data.classes: 2, the labels name 3")

	first := int64(0)
	s, err = parseCSV([]byte("kind,a,b\nrose,1,2\nlily,3,255\n"), csvData(func(d *DataSpec) { d.Header, d.Type, d.LabelColumn = true, "u8", &first }), false)
	require.NoError(t, err)
	require.Equal(t, []string{"lily", "rose"}, s.names)
	require.Equal(t, []uint8{1, 0}, s.labels)
	require.Equal(t, []uint8{1, 2, 3, 255}, s.x.U8())

	two := int64(1)
	s, err = parseCSV([]byte("1,20,30\n2,40,60\n"), csvData(func(d *DataSpec) { d.LabelColumn, d.Targets = &two, 2 }), true)
	require.NoError(t, err)
	require.Equal(t, []float32{20, 30, 40, 60}, s.targets)
	require.Equal(t, []float32{1, 2}, s.x.F32())

	for want, tc := range map[string]struct {
		text string
		d    DataSpec
	}{
		"there are no samples":                 {"", csvData(nil)},
		"line 2, column 0: \"x\" is not":       {"1,2\nx,2\n", csvData(nil)},
		"line 1, column 0: \"1e99\" is not":    {"1e99,2\n", csvData(nil)},
		"wrong number of fields":               {"1,2\n1,2,3\n", csvData(nil)},
		"label_column: 7 and 1 columns":        {"1,2\n", csvData(func(d *DataSpec) { v := int64(7); d.LabelColumn = &v })},
		"label_column: -1 and 1 columns":       {"1\n", csvData(nil)},
		"sample 1: 0.5 is not a whole number":  {"0.5,2\n", csvData(func(d *DataSpec) { d.Type = "u8" })},
		"sample 1: 256 is not a whole number":  {"256,2\n", csvData(func(d *DataSpec) { d.Type = "u8" })},
		"sample 1: NaN is not a whole number ": {"NaN,2\n", csvData(func(d *DataSpec) { d.Type = "u8" })},
	} {
		_, err := parseCSV([]byte(tc.text), tc.d, false)
		require.ErrorContains(t, err, want)
	}
}

// TestSplit deals every sample once, and the same way every time.
func TestSplit(t *testing.T) {
	v, labels := make([]float32, 40), make([]uint8, 20)
	for i := range v {
		v[i], labels[i/2] = float32(i), uint8(i/2)
	}
	x, err := engine.FromF32(v, 20, 2)
	require.NoError(t, err)
	all := &samples{x: x, labels: labels, width: 20}
	train, held, err := all.split(0.25, 9)
	require.NoError(t, err)
	require.Equal(t, int64(15), train.len())
	require.Equal(t, int64(5), held.len())
	seen := map[uint8]bool{}
	for _, s := range []*samples{train, held} {
		for i, l := range s.labels {
			require.False(t, seen[l])
			seen[l] = true
			require.Equal(t, []float32{float32(2 * l), float32(2*l + 1)}, s.x.F32()[2*i:2*i+2])
		}
	}
	_, again, err := all.split(0.25, 9)
	require.NoError(t, err)
	require.Equal(t, held.labels, again.labels)
	_, other, err := all.split(0.25, 10)
	require.NoError(t, err)
	require.NotEqual(t, held.labels, other.labels)
	_, _, err = (&samples{x: x, labels: labels}).split(0.99999, 1)
	require.NoError(t, err)
	one, err := engine.FromF32([]float32{1}, 1, 1)
	require.NoError(t, err)
	_, _, err = (&samples{x: one, labels: []uint8{0}}).split(0.5, 1)
	require.ErrorContains(t, err, "1 of 1 samples leave none")
}

// write puts files into a folder and gives a spec there.
func write(t *testing.T, spec string, files map[string][]byte) *Spec {
	t.Helper()
	dir := t.TempDir()
	for name, raw := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}
	path := filepath.Join(dir, "spec.yaml")
	require.NoError(t, os.WriteFile(path, []byte(spec), 0o600))
	s, err := ReadSpec(path)
	require.NoError(t, err)
	return s
}

func packed(t *testing.T, raw []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(raw)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}

const arraySpec = `
steps: 5
batch: 4
model: {architecture: mlp}
data: {format: FORMAT, inputs: x, labels: y, held_back: 0.3}
`

// TestFormatsAgree trains on the same numbers from three formats: only the starting bytes differ, never the roots.
func TestFormatsAgree(t *testing.T) {
	var csv bytes.Buffer
	var x, y []byte
	for i := range 10 {
		x, y = append(x, byte(i), byte(3*i)), append(y, byte(i%2))
		_, _ = csv.WriteString(string(rune('0'+i)) + "," + []string{"0", "3", "6", "9", "12", "15", "18", "21", "24", "27"}[i] + "," + string(rune('0'+i%2)) + "\n")
	}
	xt, err := engine.FromU8(x, 10, 2)
	require.NoError(t, err)
	xn, err := npy.Format(xt)
	require.NoError(t, err)
	yt, err := engine.FromI64([]int64{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 10)
	require.NoError(t, err)
	yn, err := npy.Format(yt)
	require.NoError(t, err)
	spec := func(s string) string {
		return string(bytes.ReplaceAll([]byte(arraySpec), []byte("format: FORMAT, inputs: x, labels: y"), []byte(s)))
	}
	var roots []*Report
	for _, s := range []*Spec{
		write(t, spec("format: npy, inputs: x.npy, labels: y.npy"), map[string][]byte{"x.npy": xn, "y.npy": yn}),
		write(t, spec("format: idx, inputs: x.gz, labels: y"), map[string][]byte{"x.gz": packed(t, idx(8, []uint32{10, 2}, x)), "y": idx(8, []uint32{10}, y)}),
		write(t, spec("format: csv, type: u8, path: d.csv"), map[string][]byte{"d.csv": csv.Bytes()}),
	} {
		job, err := s.Job()
		require.NoError(t, err)
		roots = append(roots, finish(t, job, Options{Threads: 1}))
	}
	require.Equal(t, roots[0], roots[1])
	require.Equal(t, roots[0], roots[2])
}

func TestLoadRefuses(t *testing.T) {
	ten := idx(8, []uint32{10, 2}, make([]byte, 20))
	for want, files := range map[string]map[string][]byte{
		"data.labels: 9 rows, the inputs have 10": {"x": ten, "y": idx(8, []uint32{9}, make([]byte, 9))},
		"data.labels: shape [10 2]":               {"x": ten, "y": ten},
		"data.classes: 0, the labels name 1":      {"x": ten, "y": idx(8, []uint32{10}, make([]byte, 10))},
		"data.inputs: x: idx: type":               {"x": {0, 0, 1, 1}, "y": ten},
		"F32[10], want u8, i32 or i64":            {"x": ten, "y": idx(13, []uint32{10}, make([]byte, 40))},
		"data.inputs: x: shape [0 2]":             {"x": idx(8, []uint32{0, 2}, nil), "y": ten},
	} {
		_, err := write(t, string(bytes.ReplaceAll([]byte(arraySpec), []byte("FORMAT"), []byte("idx"))), files).Job()
		require.ErrorIs(t, err, ErrData, want)
		require.ErrorContains(t, err, want)
	}
	_, err := write(t, string(bytes.ReplaceAll([]byte(arraySpec), []byte("FORMAT"), []byte("idx"))), nil).Job()
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestRegression learns y = 3a − 2b + 1.
func TestRegression(t *testing.T) {
	var v, y []float32
	for i := range 64 {
		a, b := float32(i%8)/8, float32(i/8)/8
		v, y = append(v, a, b), append(y, 3*a-2*b+1) //detlint:allow float64 reference
	}
	files := map[string][]byte{}
	for name, vals := range map[string][]float32{"x": v, "y": y} {
		x, err := engine.FromF32(vals, 64, int64(len(vals)/64))
		require.NoError(t, err)
		files[name], err = npy.Format(x)
		require.NoError(t, err)
	}
	s := write(t, "steps: 500\nbatch: 16\nloss: mse\nmodel: {architecture: mlp}\noptimizer: {rate: 0.05}\n"+
		"data: {format: npy, inputs: x, labels: y, held_back: 0.2}\n", files)
	job, err := s.Job()
	require.NoError(t, err)
	run, err := job.Start(Options{})
	require.NoError(t, err)
	require.NoError(t, run.Run(context.Background()))
	r, pkg, err := run.Finish()
	require.NoError(t, err)
	last := r.Measures[len(r.Measures)-1]
	require.Less(t, last.Loss, 1e-3)
	require.Nil(t, last.Accuracy)
	in, err := engine.FromF32([]float32{0.5, 0.25}, 2)
	require.NoError(t, err)
	res, err := engine.Execute(context.Background(), pkg.Program, pkg.Weights, map[string]*engine.Tensor{"x": in}, 1, engine.RunOptions{})
	require.NoError(t, err)
	require.InDelta(t, 2, res.Output("y").F32()[0], 0.1)
}

// TestFineTunePackage goes on with the classifier of the zoo, from its weights, some of them frozen.
func TestFineTunePackage(t *testing.T) {
	spec := `
steps: 6
batch: 4
model: {architecture: program, path: "zoo:digits", input: pixels, output: scores, probabilities: true, freeze: ["conv*"]}
data: {format: csv, path: DIGITS, type: u8, shape: [1, 8, 8], held_back: 0.02}
optimizer: {kind: sgd, rate: 0.01}
`
	path, err := filepath.Abs(filepath.Join("..", "zoo", "data", "digits", "digits.csv.gz"))
	require.NoError(t, err)
	s, err := ParseSpec(bytes.ReplaceAll([]byte(spec), []byte("DIGITS"), []byte(path)))
	require.NoError(t, err)
	job, err := s.Job()
	require.NoError(t, err)
	run, err := job.Start(Options{})
	require.NoError(t, err)
	require.NoError(t, run.Run(context.Background()))
	r, pkg, err := run.Finish()
	require.NoError(t, err)
	require.Greater(t, *r.Measures[0].Accuracy, 0.9, "it starts from what it has learnt")
	require.Less(t, run.Losses()[0], float32(0.5))
	old, err := zoo.Digits()
	require.NoError(t, err)
	require.Equal(t, old.Meta.ProgramHash, pkg.Meta.ProgramHash)
	for i, w := range old.Program.WeightSpecs() {
		same := old.Weights.Tensors()[i].Equal(pkg.Weights.Tensors()[i])
		frozen := w.Name[:4] == "conv"
		require.Equal(t, frozen, same, w.Name)
	}
	s.Model.Output = "label"
	_, err = s.Job()
	require.ErrorContains(t, err, "must be f32")
	s.Model.Output = "nothing"
	_, err = s.Job()
	require.ErrorContains(t, err, `output: "nothing"`)
}

// TestFineTuneStory goes on with the decoder of the zoo.
func TestFineTuneStory(t *testing.T) {
	s, err := ParseSpec([]byte(`
steps: 2
batch: 2
model: {architecture: program, path: "zoo:story", context: 32}
data: {format: text, path: testdata/fable.txt, held_back: 0.3}
optimizer: {rate: 0.0001}
`))
	require.NoError(t, err)
	job, err := s.Job()
	require.NoError(t, err)
	run, err := job.Start(Options{})
	require.NoError(t, err)
	require.NoError(t, run.Run(context.Background()))
	r, pkg, err := run.Finish()
	require.NoError(t, err)
	require.Less(t, r.Measures[0].Loss, 5.5, "far below ln 1024: it starts from what it has learnt")
	require.NotNil(t, pkg.Tokenizer)
	old, err := zoo.Story()
	require.NoError(t, err)
	require.Equal(t, old.Meta.ProgramHash, pkg.Meta.ProgramHash)
	require.NotEqual(t, old.Meta.WeightsRoot, pkg.Meta.WeightsRoot)
	for i, w := range old.Program.WeightSpecs() {
		if w.Name == "rope.cos" || w.Name == "rope.sin" {
			require.True(t, old.Weights.Tensors()[i].Equal(pkg.Weights.Tensors()[i]))
		}
	}
	s.Model.Path = "zoo:digits"
	_, err = s.Job()
	require.ErrorContains(t, err, "has no tokenizer")
}

// TestPackageSaysTheSame holds the trained package to the measure on the data held back.
func TestPackageSaysTheSame(t *testing.T) {
	job := tinyJob(t, "tiny-cnn")
	run, err := job.Start(Options{})
	require.NoError(t, err)
	require.NoError(t, run.Run(context.Background()))
	r, pkg, err := run.Finish()
	require.NoError(t, err)
	all, err := loadSamples(job.Spec)
	require.NoError(t, err)
	_, held, err := all.split(job.Spec.Data.HeldBack, job.Spec.Seed)
	require.NoError(t, err)
	right := 0
	for i, l := range held.labels {
		in, err := engine.FromU8(held.x.U8()[i*64:(i+1)*64], 1, 8, 8)
		require.NoError(t, err)
		res, err := engine.Execute(context.Background(), pkg.Program, pkg.Weights, map[string]*engine.Tensor{"x": in}, 1, engine.RunOptions{})
		require.NoError(t, err)
		if res.Output("label").I64()[0] == int64(l) {
			right++
		}
	}
	require.Equal(t, *r.Measures[len(r.Measures)-1].Accuracy, float64(right)/float64(len(held.labels)))
	require.Equal(t, model.RenderLabel, pkg.Meta.Outputs[0].Render)
}

func FuzzParseIDX(f *testing.F) {
	f.Add(idx(8, []uint32{2, 3}, []byte{1, 2, 3, 4, 5, 6}))
	f.Add(idx(13, []uint32{1}, []byte{0x3f, 0xc0, 0, 0}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := parseIDX(raw)
		if err == nil {
			require.NotEmpty(t, x.Shape())
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	f.Add([]byte("1,2.5,0\n3,4,2\n"), true, false)
	f.Add([]byte("a,b\n\"x\",3\n"), false, true)
	f.Fuzz(func(t *testing.T, raw []byte, header, targets bool) {
		s, err := parseCSV(raw, csvData(func(d *DataSpec) { d.Header = header }), targets)
		if err != nil {
			return
		}
		require.Positive(t, s.len())
		if !targets {
			require.Len(t, s.labels, int(s.len()))
		} else {
			require.Len(t, s.targets, int(s.len()))
		}
	})
}
