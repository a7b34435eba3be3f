package model

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// tiny is a program with one weight, whose state flips its sign at each step.
func tiny(t *testing.T) *engine.Program {
	t.Helper()
	prog, err := engine.New(&graphpb.Program{
		Weights: []*graphpb.TensorSpec{{Name: "w", Dtype: graphpb.DTYPE_F32, Shape: []int64{2, 3}}},
		States:  []*graphpb.StateSpec{{Name: "s", Dtype: graphpb.DTYPE_F32, Shape: []int64{2, 3}, InitWeight: "w"}},
		Step: &graphpb.Graph{
			Nodes: []*graphpb.Node{{
				Name: "flip", Op: "neg@1", Inputs: []*graphpb.Ref{{Kind: graphpb.REF_KIND_STATE}},
				Dtype: graphpb.DTYPE_F32, Shape: []*graphpb.Dim{{A: 2}, {A: 3}},
			}},
			Updates: []*graphpb.Update{{}},
		},
		Outputs:  []string{"s"},
		MaxSteps: 4,
	}, engine.DefaultLimits())
	require.NoError(t, err)
	return prog
}

func tinyPackage(t *testing.T) *Package {
	t.Helper()
	w, err := engine.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	require.NoError(t, err)
	p, err := New(Meta{Name: "tiny", License: "MIT", Outputs: []Output{{Name: "s"}}}, tiny(t), map[string]*engine.Tensor{"w": w}, trained(t))
	require.NoError(t, err)
	return p
}

func TestSaveLoad(t *testing.T) {
	p := tinyPackage(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	require.NoError(t, p.Save(dir))
	q, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, p.Meta, q.Meta)
	require.Equal(t, p.Program.Bytes(), q.Program.Bytes())
	require.True(t, p.Weights.Tensors()[0].Equal(q.Weights.Tensors()[0]))
	require.Equal(t, p.Tokenizer, q.Tokenizer)
	require.NoError(t, os.Remove(filepath.Join(dir, FileMeta)))
	_, err = Load(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestHashesAreTheContract(t *testing.T) {
	p := tinyPackage(t)
	require.Equal(t, commit.ProgramHash(p.Program.Bytes()), p.Meta.ProgramHash)
	root, err := commit.TensorRoot(commit.F32, []int64{2, 3}, p.Weights.Tensors()[0].Bytes())
	require.NoError(t, err)
	require.Equal(t, commit.NamedRoot([]commit.Named{{Name: "w", Root: root}}), p.Meta.WeightsRoot)
}

func TestArtifact(t *testing.T) {
	p := tinyPackage(t)
	raw, err := p.Artifact()
	require.NoError(t, err)
	again, err := p.Artifact()
	require.NoError(t, err)
	require.Equal(t, CIDOf(raw), CIDOf(again))
	q, err := FromArtifact(raw)
	require.NoError(t, err)
	require.Equal(t, p.Meta, q.Meta)
	for _, bad := range [][]byte{nil, raw[:700], append(bytes.Clone(raw), 0), bytes.Replace(raw, []byte("root"), []byte("toor"), 1)} {
		_, err := FromArtifact(bad)
		require.ErrorIs(t, err, ErrPackage)
	}
}

func TestLoadRefuses(t *testing.T) {
	other := tinyPackage(t)
	other.Weights.Tensors()[0].F32()[0] = 7
	files, err := tinyPackage(t).Files()
	require.NoError(t, err)
	otherFiles, err := other.Files()
	require.NoError(t, err)
	replace := func(from, to string) []byte { return bytes.Replace(files[FileMeta], []byte(from), []byte(to), 1) }
	wrongShape, err := engine.FromF32(make([]float32, 6), 3, 2)
	require.NoError(t, err)
	wrong, err := FormatSafetensors([]NamedTensor{{"w", wrongShape}}, nil)
	require.NoError(t, err)
	extra, err := FormatSafetensors([]NamedTensor{{"w", tinyPackage(t).Weights.Tensors()[0]}, {"x", wrongShape}}, nil)
	require.NoError(t, err)
	none, err := FormatSafetensors(nil, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"other weights", FileWeights, otherFiles[FileWeights], "weights_root"},
		{"other shape", FileWeights, wrong, `weight "w"`},
		{"weight too many", FileWeights, extra, "weights: 2 given"},
		{"weight missing", FileWeights, none, `weight "w": missing`},
		{"cut weights", FileWeights, files[FileWeights][:20], FileWeights},
		{"other program hash", FileMeta, replace(`"program_hash": "`, `"program_hash": "00`), FileMeta},
		{"swapped roots", FileMeta, replace(other.Meta.ProgramHash.String(), other.Meta.WeightsRoot.String()), "program_hash"},
		{"cut program", FileProgram, files[FileProgram][1:], FileProgram},
		{"cut tokenizer", FileTokenizer, files[FileTokenizer][:20], FileTokenizer},
		{"other tokenizer", FileTokenizer, append(bytes.Clone(files[FileTokenizer]), 0, 0, 0, 0, 1, 0, 0, 0, 'x'), "tokenizer_hash"},
		{"no tokenizer", FileTokenizer, nil, "tokenizer_hash"},
		{"unknown field", FileMeta, replace(`"format"`, `"fromat"`), "unknown field"},
		{"other format", FileMeta, replace(`"format": 1`, `"format": 2`), "format: 2"},
		{"no name", FileMeta, replace(`"tiny"`, `""`), "name: 0 bytes"},
		{"unknown output", FileMeta, replace(`"name": "s"`, `"name": "q"`), `outputs[0]: "q"`},
		{"unknown rendering", FileMeta, replace(`"name": "s"`, `"name": "s", "render": "html"`), `render "html"`},
		{"labels missing", FileMeta, replace(`"name": "s"`, `"name": "s", "render": "label"`), "without labels"},
		{"unknown count", FileMeta, replace(`"name": "s"`, `"name": "s", "count_output": "n"`), `count_output "n"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := fstest.MapFS{}
			for name, data := range files {
				changed[name] = &fstest.MapFile{Data: data}
			}
			changed[c.file] = &fstest.MapFile{Data: c.data}
			if c.data == nil {
				delete(changed, c.file)
			}
			_, err := LoadFS(changed)
			require.ErrorIs(t, err, ErrPackage)
			require.ErrorContains(t, err, c.want)
		})
	}
}
