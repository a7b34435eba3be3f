package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const goodSpec = `
name: a
steps: 10
batch: 4
model: {architecture: mlp, hidden: [8]}
data: {format: csv, path: x.csv}
`

func TestSpecDefaults(t *testing.T) {
	s, err := ParseSpec([]byte(goodSpec))
	require.NoError(t, err)
	require.Equal(t, "cross_entropy", s.Loss)
	require.Equal(t, OptimizerSpec{
		Kind: "adam", Rate: 0.001, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Schedule: ScheduleSpec{Kind: "constant", Factor: 0.5},
	}, s.Optimizer)
	require.Equal(t, EvaluateSpec{Every: 1, Batch: 4}, s.Evaluate)
	require.Equal(t, CheckpointSpec{Every: 1, Keep: 3}, s.Checkpoint)
	require.Equal(t, int64(-1), *s.Data.LabelColumn)
	same, err := ParseSpec([]byte(`{"name":"a","steps":10,"batch":4,"model":{"architecture":"mlp","hidden":[8]},"data":{"format":"csv","path":"x.csv"}}`))
	require.NoError(t, err)
	require.Equal(t, s, same)
}

func TestSpecsUnderTestdata(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 5)
	for _, path := range paths {
		spec, err := ReadSpec(path)
		require.NoError(t, err)
		_, err = spec.Job()
		require.NoError(t, err, path)
	}
}

// TestSpecRefuses changes a good spec: the error names the field.
func TestSpecRefuses(t *testing.T) {
	for _, tc := range []struct{ old, with, want string }{
		{"name: a", "title: a", `line 2: unknown field "title"`},
		{"hidden: [8]", "hiden: [8]", `unknown field "hiden"`},
		{"name: a", "name: a\nname: b", "already defined"},
		{"name: a", "name: \"\\u00e9\"", "name: want visible ASCII"},
		{"steps: 10", "steps: many", "integer"},
		{"steps: 10", "steps: 0", "steps: 0, want 1 to 16777216"},
		{"steps: 10", "steps: 1000000000", "steps: 1000000000"},
		{"batch: 4", "batch: -4", "batch: -4, want 1 to"},
		{"batch: 4", "batch: 4\nthreads: -1", "threads: -1"},
		{"batch: 4", "batch: 4\nloss: hinge", `loss: "hinge", want one of`},
		{"architecture: mlp", "architecture: rnn", `model.architecture: "rnn"`},
		{"hidden: [8]", "hidden: [0]", "model.hidden[0]: 0"},
		{"hidden: [8]", "hidden: [8], filters: [3]", "model.filters: is not used with architecture mlp"},
		{"hidden: [8]", "hidden: [8], freeze: ['[']", "model.freeze[0]"},
		{"architecture: mlp, hidden: [8]", "architecture: cnn, filters: [4]", "model.hidden: 0 numbers"},
		{"architecture: mlp, hidden: [8]", "architecture: llama", "model.dim: 0"},
		{"architecture: mlp, hidden: [8]", "architecture: program", "model.path: missing"},
		{"architecture: mlp, hidden: [8]", "architecture: program, path: x", "model.input, model.output: missing"},
		{"format: csv", "format: parquet", `data.format: "parquet"`},
		{"format: csv", "format: text", "data.format: text, which is not what a mlp is trained on"},
		{"format: csv, path: x.csv", "format: csv", "data.path: missing"},
		{"format: csv, path: x.csv", "format: idx, inputs: a", "data.inputs, data.labels: missing"},
		{"path: x.csv", "path: x.csv, held_back: 1", "data.held_back: 1, want 0 to 0.9"},
		{"path: x.csv", "path: x.csv, scale: .nan", "data.scale: NaN"},
		{"path: x.csv", "path: x.csv, type: f64", "data.type"},
		{"path: x.csv", "path: x.csv, classes: 300", "data.classes: 300"},
		{"path: x.csv", "path: x.csv, targets: 2", "data.targets: is not used with loss cross_entropy"},
		{"path: x.csv", "path: x.csv, separator: x", "data.separator: is not used with format csv"},
		{"name: a", "optimizer: {kind: lion}", `optimizer.kind: "lion"`},
		{"name: a", "optimizer: {kind: sgd}", "optimizer.rate: 0"},
		{"name: a", "optimizer: {rate: .inf}", "optimizer.rate: +Inf"},
		{"name: a", "optimizer: {kind: sgd, rate: 1, decay: 1}", "optimizer.decay: is not used with kind sgd"},
		{"name: a", "optimizer: {beta1: 1}", "optimizer.beta1: 1"},
		{"name: a", "optimizer: {schedule: {kind: step}}", "optimizer.schedule.kind"},
		{"name: a", "optimizer: {schedule: {warmup: 11}}", "optimizer.schedule.warmup: 11, want 0 to 10"},
		{"name: a", "optimizer: {schedule: {kind: stairs}}", "optimizer.schedule.every: 0"},
		{"name: a", "evaluate: {every: -1}", "evaluate.every: -1"},
		{"name: a", "checkpoint: {keep: -1}", "checkpoint.keep: -1"},
		{"name: a", "name: a\n---\nname: b", "more than one document"},
		{goodSpec, "", "it is empty"},
		{goodSpec, strings.Repeat("#", MaxSpecBytes+1), "65537 bytes, limit 65536"},
	} {
		text := strings.Replace(goodSpec, tc.old, tc.with, 1)
		require.NotEqual(t, goodSpec, text, tc.old)
		_, err := ParseSpec([]byte(text))
		require.ErrorIs(t, err, ErrSpec, tc.want)
		require.ErrorContains(t, err, tc.want)
	}
}

// TestFieldsCoverTheSpec wants that every field which decides the bits is compared when a training goes on.
func TestFieldsCoverTheSpec(t *testing.T) {
	s, err := ParseSpec([]byte(goodSpec))
	require.NoError(t, err)
	f, err := s.fields()
	require.NoError(t, err)
	for _, name := range []string{
		"seed", "steps", "batch", "loss", "model.architecture", "model.hidden", "model.filters", "model.freeze", "data.format", "data.shape",
		"data.scale", "data.type", "data.held_back", "data.tokenizer.kind", "optimizer.kind", "optimizer.rate", "optimizer.schedule.warmup",
	} {
		require.Contains(t, f, name)
	}
	for _, name := range []string{"threads", "name", "data.path", "checkpoint.every", "evaluate.every", "package.license"} {
		require.NotContains(t, f, name)
	}
}

func FuzzParseSpec(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	require.NoError(f, err)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte(goodSpec))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseSpec(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrSpec)
			return
		}
		require.NoError(t, s.check())
		_, err = s.fields()
		require.NoError(t, err)
	})
}
