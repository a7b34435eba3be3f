package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"poaid/commit"
	"poaid/engine"
)

// Files of a package.
const (
	FileMeta      = "model.json"
	FileProgram   = "program.pb"
	FileWeights   = "weights.safetensors"
	FileTokenizer = "tokenizer.bin"
	// FileTokenizerJSON is there instead of FileTokenizer for a tokenizer.json.
	FileTokenizerJSON = "tokenizer.json"
)

// Format is the version of model.json.
const Format = 1

// Limits of a package's files, in bytes.
const (
	MaxMetaBytes      = 1 << 20
	MaxWeightsBytes   = 1 << 37
	MaxTokenizerBytes = 64 << 20
)

// ErrPackage is wrapped by every error about a package.
var ErrPackage = errors.New("invalid model package")

// Renderings of an output, as poai.models.v1.Rendering.
const (
	RenderNumbers = ""       // show the numbers
	RenderLabel   = "label"  // show labels[value]
	RenderTokens  = "tokens" // join the pieces of token ids
)

// Output tells how to show one output of the program.
type Output struct {
	Name   string `json:"name"`
	Render string `json:"render,omitempty"`
	// CountOutput, for RenderTokens, names the i64[1] output that says how many tokens count; empty: all.
	CountOutput string `json:"count_output,omitempty"`
}

// Meta is model.json: what a model is, and the hashes of the other files.
type Meta struct {
	Format      int    `json:"format"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// ProgramHash is commit.ProgramHash of program.pb.
	ProgramHash commit.Hash `json:"program_hash"`
	// WeightsRoot is the named root of the weights in declaration order.
	WeightsRoot commit.Hash `json:"weights_root"`
	// TokenizerHash is the SHA-256 of tokenizer.bin or tokenizer.json, left out without a tokenizer.
	TokenizerHash *commit.Hash `json:"tokenizer_hash,omitempty"`
	Labels        []string     `json:"labels,omitempty"`
	Outputs       []Output     `json:"outputs,omitempty"`
	// License is the SPDX name under which the weights may be used, Provenance where they and their data come from.
	License    string `json:"license,omitempty"`
	Provenance string `json:"provenance,omitempty"`
	// Settings hold what clients want to know and the program does not say, such as the architecture's sizes.
	Settings map[string]string `json:"settings,omitempty"`
}

// Package is a model ready to run: the program, its weights in the program's order, and what people need around it.
type Package struct {
	Meta      Meta
	Program   *engine.Program
	Weights   *engine.Weights
	Tokenizer *Tokenizer // nil when the model has none
}

// New assembles a package and fills in the hashes of meta. weights are by name.
func New(meta Meta, program *engine.Program, weights map[string]*engine.Tensor, tok *Tokenizer) (*Package, error) {
	p := &Package{Meta: meta, Program: program, Tokenizer: tok}
	var err error
	if p.Weights, err = engine.WeightsByName(program, weights); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPackage, err)
	}
	p.Meta.Format = Format
	p.Meta.ProgramHash = program.Hash()
	if p.Meta.WeightsRoot, err = p.Weights.Root(1); err != nil {
		return nil, err
	}
	p.Meta.TokenizerHash = nil
	if tok != nil {
		h := commit.Hash(sha256.Sum256(tok.Bytes()))
		p.Meta.TokenizerHash = &h
	}
	return p, p.checkMeta()
}

// checkMeta checks what model.json says against the program and the tokenizer.
func (p *Package) checkMeta() error {
	m := p.Meta
	if m.Format != Format {
		return fmt.Errorf("%w: format: %d, want %d", ErrPackage, m.Format, Format)
	}
	if m.Name == "" || len(m.Name) > 128 {
		return fmt.Errorf("%w: name: %d bytes, want 1 to 128", ErrPackage, len(m.Name))
	}
	if (m.TokenizerHash == nil) != (p.Tokenizer == nil) {
		return fmt.Errorf("%w: tokenizer_hash and %s or %s must be there together", ErrPackage, FileTokenizer, FileTokenizerJSON)
	}
	known := map[string]bool{}
	for _, n := range p.Program.OutputNames() {
		known[n] = true
	}
	for i, o := range m.Outputs {
		switch {
		case !known[o.Name]:
			return fmt.Errorf("%w: outputs[%d]: %q is not an output of the program", ErrPackage, i, o.Name)
		case o.CountOutput != "" && !known[o.CountOutput]:
			return fmt.Errorf("%w: outputs[%d]: count_output %q is not an output of the program", ErrPackage, i, o.CountOutput)
		case o.Render == RenderLabel && len(m.Labels) == 0:
			return fmt.Errorf("%w: outputs[%d]: render label without labels", ErrPackage, i)
		case o.Render == RenderTokens && p.Tokenizer == nil:
			return fmt.Errorf("%w: outputs[%d]: render tokens without a tokenizer", ErrPackage, i)
		case o.Render != RenderNumbers && o.Render != RenderLabel && o.Render != RenderTokens:
			return fmt.Errorf("%w: outputs[%d]: render %q, want label, tokens or nothing", ErrPackage, i, o.Render)
		}
	}
	return nil
}

// Files gives the package's files by name; the tokenizer is left out when there is none. The bytes are the same every time.
func (p *Package) Files() (map[string][]byte, error) {
	meta, err := json.MarshalIndent(p.Meta, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FileMeta, err)
	}
	weights, err := p.WeightsFile()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{FileMeta: append(meta, '\n'), FileProgram: p.Program.Bytes(), FileWeights: weights}
	if p.Tokenizer != nil {
		out[p.Tokenizer.File()] = p.Tokenizer.Bytes()
	}
	return out, nil
}

// WeightsFile gives weights.safetensors.
func (p *Package) WeightsFile() ([]byte, error) {
	specs := p.Program.WeightSpecs()
	named := make([]NamedTensor, len(specs))
	for i, s := range specs {
		named[i] = NamedTensor{Name: s.Name, Tensor: p.Weights.Tensors()[i]}
	}
	return FormatSafetensors(named, nil)
}

// Save writes the package into a folder, which is made if need be. Files of the package that are there are replaced.
func (p *Package) Save(dir string) error {
	files, err := p.Files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{FileWeights, FileTokenizer, FileTokenizerJSON, FileProgram, FileMeta} { // model.json last: it names the others
		data, ok := files[name]
		if !ok {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Load reads a package from a folder and checks it whole: see FromFiles.
func Load(dir string) (*Package, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS reads a package from the root of a file system, such as an embedded one.
func LoadFS(fsys fs.FS) (*Package, error) {
	files := map[string][]byte{}
	for _, f := range []struct {
		name  string
		limit int64
	}{{FileMeta, MaxMetaBytes}, {FileProgram, engine.DefaultLimits().ProgramBytes}, {FileWeights, MaxWeightsBytes}, {FileTokenizer, MaxTokenizerBytes}, {FileTokenizerJSON, MaxTokenizerBytes}} {
		data, err := readLimited(fsys, f.name, f.limit)
		if errors.Is(err, fs.ErrNotExist) && (f.name == FileTokenizer || f.name == FileTokenizerJSON) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrPackage, f.name, err)
		}
		files[f.name] = data
	}
	return FromFiles(files)
}

func readLimited(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%d bytes, want a regular file of at most %d", info.Size(), limit)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	return data, nil
}

// FromFiles reads a package from its files by name. The program's hash, the weights' names, shapes and root, and the tokenizer's hash
// must be what model.json says.
func FromFiles(files map[string][]byte) (*Package, error) {
	p := &Package{}
	dec := json.NewDecoder(bytes.NewReader(files[FileMeta]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p.Meta); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPackage, FileMeta, err)
	}
	var err error
	if p.Program, err = engine.Decode(files[FileProgram], engine.DefaultLimits()); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPackage, FileProgram, err)
	}
	if got := commit.Hash(p.Program.Hash()); got != p.Meta.ProgramHash {
		return nil, fmt.Errorf("%w: program_hash: %s is %s, want %s", ErrPackage, FileProgram, got, p.Meta.ProgramHash)
	}
	if err := p.readWeights(files[FileWeights]); err != nil {
		return nil, err
	}
	if err := p.readTokenizer(files); err != nil {
		return nil, err
	}
	return p, p.checkMeta()
}

// readTokenizer reads the one tokenizer that may be among the files.
func (p *Package) readTokenizer(files map[string][]byte) error {
	for _, name := range []string{FileTokenizer, FileTokenizerJSON} {
		raw, ok := files[name]
		if !ok {
			continue
		}
		if p.Tokenizer != nil {
			return fmt.Errorf("%w: %s and %s: want one of them", ErrPackage, FileTokenizer, name)
		}
		var err error
		if p.Tokenizer, err = ParseTokenizer(raw); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrPackage, name, err)
		}
		if p.Tokenizer.File() != name {
			return fmt.Errorf("%w: %s: is a %s", ErrPackage, name, p.Tokenizer.File())
		}
		if got := commit.Hash(sha256.Sum256(raw)); p.Meta.TokenizerHash != nil && got != *p.Meta.TokenizerHash {
			return fmt.Errorf("%w: tokenizer_hash: %s is %s, want %s", ErrPackage, name, got, *p.Meta.TokenizerHash)
		}
	}
	return nil
}

func (p *Package) readWeights(raw []byte) error {
	named, _, err := ParseSafetensors(raw)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPackage, FileWeights, err)
	}
	byName := make(map[string]*engine.Tensor, len(named))
	for _, n := range named {
		byName[n.Name] = n.Tensor
	}
	if p.Weights, err = engine.WeightsByName(p.Program, byName); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPackage, FileWeights, err)
	}
	root, err := p.Weights.Root(1)
	if err != nil {
		return err
	}
	if root != p.Meta.WeightsRoot {
		return fmt.Errorf("%w: weights_root: %s is %s, want %s", ErrPackage, FileWeights, root, p.Meta.WeightsRoot)
	}
	return nil
}
