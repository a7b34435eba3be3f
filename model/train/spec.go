package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrSpec is wrapped by every error about a spec.
var ErrSpec = errors.New("invalid training spec")

// MaxSpecBytes bounds a spec's file.
const MaxSpecBytes = 64 << 10

// Spec says what is trained on what, and how. Fields left out have the defaults that docs/training.md lists; after ParseSpec they are
// filled in.
type Spec struct {
	// Name is what the model is called.
	Name string `yaml:"name" json:"name"`
	// Seed draws the mini-batches, the starting weights and what is held back.
	Seed int64 `yaml:"seed" json:"seed"`
	// Steps of the optimiser, each on Batch samples or windows of text.
	Steps int64 `yaml:"steps" json:"steps"`
	Batch int64 `yaml:"batch" json:"batch"`
	// Threads, 0: one per processor; the result is the same.
	Threads int `yaml:"threads" json:"threads"`
	// Loss is cross_entropy or mse.
	Loss       string         `yaml:"loss" json:"loss"`
	Model      ModelSpec      `yaml:"model" json:"model"`
	Data       DataSpec       `yaml:"data" json:"data"`
	Optimizer  OptimizerSpec  `yaml:"optimizer" json:"optimizer"`
	Evaluate   EvaluateSpec   `yaml:"evaluate" json:"evaluate"`
	Checkpoint CheckpointSpec `yaml:"checkpoint" json:"checkpoint"`
	Package    PackageSpec    `yaml:"package" json:"package"`

	// dir is what relative paths start from.
	dir string
}

// ModelSpec is the architecture.
type ModelSpec struct {
	// Architecture is mlp, cnn, llama, or program to go on with a model that exists.
	Architecture string `yaml:"architecture" json:"architecture"`
	// Hidden are the widths of an mlp's hidden layers, or the one of a cnn.
	Hidden []int64 `yaml:"hidden" json:"hidden"`
	// Filters of each block of a cnn: 3×3 convolution, ReLU, 2×2 max pooling.
	Filters []int64 `yaml:"filters" json:"filters"`

	// Sizes of a llama. Context is also the length of a window of text in training.
	Dim         int64 `yaml:"dim" json:"dim"`
	FeedForward int64 `yaml:"feed_forward" json:"feed_forward"`
	Layers      int   `yaml:"layers" json:"layers"`
	Heads       int64 `yaml:"heads" json:"heads"`
	KVHeads     int64 `yaml:"kv_heads" json:"kv_heads"`
	Context     int64 `yaml:"context" json:"context"`
	TiedOutput  *bool `yaml:"tied_output" json:"tied_output"`
	// InitStd is the standard deviation of a llama's starting matrices; what writes into the residual stream has 1/√(2·layers) of it.
	InitStd float64 `yaml:"init_std" json:"init_std"`

	// Path is the model of architecture program: a package's folder, zoo:NAME, or a graph file, with its weights in the safetensors
	// file Weights (left out: they start anew).
	Path    string `yaml:"path" json:"path"`
	Weights string `yaml:"weights" json:"weights"`
	// Input and Output of that program: what takes the samples, and what gives logits, or with Probabilities a softmax of them.
	Input         string `yaml:"input" json:"input"`
	Output        string `yaml:"output" json:"output"`
	Probabilities bool   `yaml:"probabilities" json:"probabilities"`
	// Rows is how many samples the input holds in its first dimension; 0: it is one sample.
	Rows int64 `yaml:"rows" json:"rows"`
	// Freeze are patterns (* and ? as in file names) of parameters that stay as they are.
	Freeze []string `yaml:"freeze" json:"freeze"`
}

// DataSpec is what is trained on. Paths are relative to the spec's folder; files that end in .gz are unpacked.
type DataSpec struct {
	// Format is npy, idx, csv or text.
	Format string `yaml:"format" json:"format"`
	// Path of a csv or text file; Inputs and Labels of npy or idx files.
	Path   string `yaml:"path" json:"path,omitempty"`
	Inputs string `yaml:"inputs" json:"inputs,omitempty"`
	Labels string `yaml:"labels" json:"labels,omitempty"`
	// Shape of one sample; left out: a vector, or what the files say.
	Shape []int64 `yaml:"shape" json:"shape"`
	// Type of a csv's numbers: f32 or u8.
	Type string `yaml:"type" json:"type"`
	// Scale is what every number of a sample is divided by.
	Scale float64 `yaml:"scale" json:"scale"`
	// Header says that a csv's first line names its columns; LabelColumn counts from 0, or from the end when negative; Targets is how
	// many columns from there on are the targets of mse.
	Header      bool   `yaml:"header" json:"header"`
	LabelColumn *int64 `yaml:"label_column" json:"label_column"`
	Targets     int64  `yaml:"targets" json:"targets"`
	// Classes is the number of classes; 0: as many as the labels name.
	Classes int64 `yaml:"classes" json:"classes"`
	// Separator splits a text into documents, each of which begins with a begin token; empty: it is one.
	Separator string        `yaml:"separator" json:"separator"`
	Tokenizer TokenizerSpec `yaml:"tokenizer" json:"tokenizer"`
	// HeldBack is the part of the data that is not trained on but measured: samples by a shuffle of the seed, or the end of a text.
	HeldBack float64 `yaml:"held_back" json:"held_back"`
}

// TokenizerSpec says how text becomes tokens.
type TokenizerSpec struct {
	// Kind is chars (one token a character), bpe (learnt from the text) or file.
	Kind string `yaml:"kind" json:"kind"`
	// Vocab is the size of a bpe vocabulary.
	Vocab int `yaml:"vocab" json:"vocab"`
	// Path of a tokenizer.bin.
	Path string `yaml:"path" json:"path,omitempty"`
}

// OptimizerSpec is how gradients become steps.
type OptimizerSpec struct {
	// Kind is sgd, momentum or adam.
	Kind string `yaml:"kind" json:"kind"`
	// Rate is the learning rate at its highest.
	Rate     float64 `yaml:"rate" json:"rate"`
	Momentum float64 `yaml:"momentum" json:"momentum"`
	Beta1    float64 `yaml:"beta1" json:"beta1"`
	Beta2    float64 `yaml:"beta2" json:"beta2"`
	Epsilon  float64 `yaml:"epsilon" json:"epsilon"`
	// Decay is adam's decoupled weight decay.
	Decay float64 `yaml:"decay" json:"decay"`
	// ClipNorm bounds the norm of all gradients together; 0: no bound.
	ClipNorm float64      `yaml:"clip_norm" json:"clip_norm"`
	Schedule ScheduleSpec `yaml:"schedule" json:"schedule"`
}

// ScheduleSpec is how the learning rate goes, see nn.Schedule.
type ScheduleSpec struct {
	// Kind is constant, linear, cosine or stairs.
	Kind   string `yaml:"kind" json:"kind"`
	Warmup int64  `yaml:"warmup" json:"warmup"`
	// Final is the part of the rate that is left at the last step of linear and cosine.
	Final float64 `yaml:"final" json:"final"`
	// Every and Factor of stairs.
	Every  int64   `yaml:"every" json:"every"`
	Factor float64 `yaml:"factor" json:"factor"`
}

// EvaluateSpec is when the data held back are measured: every so many steps and at the end, Batch samples or windows at a time.
type EvaluateSpec struct {
	Every int64 `yaml:"every" json:"every"`
	Batch int64 `yaml:"batch" json:"batch"`
}

// CheckpointSpec is when checkpoints are written, besides at the end, and how many are kept.
type CheckpointSpec struct {
	Every int64 `yaml:"every" json:"every"`
	Keep  int   `yaml:"keep" json:"keep"`
}

// PackageSpec is what model.json of the trained package says.
type PackageSpec struct {
	Description string   `yaml:"description" json:"description"`
	License     string   `yaml:"license" json:"license"`
	Provenance  string   `yaml:"provenance" json:"provenance"`
	Labels      []string `yaml:"labels" json:"labels"`
	// Input is what the input of an mlp or cnn is called.
	Input string `yaml:"input" json:"input"`
}

// ReadSpec reads a spec's file. Its relative paths start from its folder.
func ReadSpec(path string) (*Spec, error) {
	raw, err := readFile(path, MaxSpecBytes)
	if err != nil {
		return nil, err
	}
	s, err := ParseSpec(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.dir = filepath.Dir(path)
	return s, nil
}

// ParseSpec reads a spec (YAML, of which JSON is a part), fills in defaults and checks every field that can be checked without the
// data. Unknown and repeated fields are refused by name. Relative paths start from the working folder.
func ParseSpec(data []byte) (*Spec, error) {
	if len(data) > MaxSpecBytes {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrSpec, len(data), MaxSpecBytes)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	s := &Spec{}
	if err := dec.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it is empty", ErrSpec)
		}
		return nil, fmt.Errorf("%w: %s", ErrSpec, plainYAML(err))
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more than one document", ErrSpec)
	}
	s.setDefaults()
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpec, err)
	}
	return s, nil
}

var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type train\.(\w+)`)
	goType       = regexp.MustCompile(`into (\S+)`)
)

// plainYAML words the decoder's errors without the names of Go's types.
func plainYAML(err error) string {
	text := unknownField.ReplaceAllString(err.Error(), `unknown field "$1"`)
	text = goType.ReplaceAllStringFunc(text, func(m string) string {
		return strings.NewReplacer("train.", "", "float64", "number", "int64", "integer").Replace(m)
	})
	return strings.Join(strings.Fields(strings.TrimPrefix(text, "yaml: ")), " ")
}

// path resolves a path of the spec.
func (s *Spec) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.dir, p)
}

// fields flattens what decides the result, by dotted name: what Resume compares. Threads, checkpoints, measurements and the words of
// the package may change; paths may too, since the roots of the weights say whether the data are the same.
func (s *Spec) fields() (map[string]string, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	for _, name := range []string{"name", "threads", "evaluate", "checkpoint", "package"} {
		delete(tree, name)
	}
	for _, path := range [][]string{{"data", "path"}, {"data", "inputs"}, {"data", "labels"}, {"model", "path"}, {"model", "weights"}} {
		if sub, ok := tree[path[0]].(map[string]any); ok {
			delete(sub, path[1])
		}
	}
	out := map[string]string{}
	return out, flatten(out, "", tree)
}

func flatten(out map[string]string, prefix string, v any) error {
	if m, ok := v.(map[string]any); ok {
		for name, sub := range m { // into a map
			if err := flatten(out, strings.TrimPrefix(prefix+"."+name, "."), sub); err != nil {
				return err
			}
		}
		return nil
	}
	raw, err := json.Marshal(v)
	out[prefix] = string(raw)
	return err
}

// readFile reads a regular file whose size is checked first.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes, want a regular file of at most %d", path, info.Size(), limit)
	}
	return os.ReadFile(path)
}
