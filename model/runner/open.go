package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"poaid/engine"
	"poaid/model"
	"poaid/model/zoo"
)

// zooPrefix begins the names of the models that ship with poaid.
const zooPrefix = "zoo:"

// Model is what can be run: a program and its weights, and what people need around them where it is a package.
type Model struct {
	Name      string
	Program   *engine.Program
	Weights   *engine.Weights
	Tokenizer *model.Tokenizer // nil when it has none
	Meta      *model.Meta      // nil for a graph file
}

// Open opens a model: zoo:NAME, a folder that holds a package, or a graph file (see IsGraphFile). weights is a safetensors file, for
// graph files only, empty for none.
func Open(ref, weights string) (*Model, error) {
	if IsGraphFile(ref) {
		return openGraph(ref, weights)
	}
	if weights != "" {
		return nil, fmt.Errorf("weights: %s has weights of its own; they are given for graph files only", ref)
	}
	name, isZoo := strings.CutPrefix(ref, zooPrefix)
	if !isZoo {
		p, err := model.Load(ref)
		return fromPackage(p, err)
	}
	switch name {
	case "digits":
		return fromPackage(zoo.Digits())
	case "story":
		return fromPackage(zoo.Story())
	}
	return nil, fmt.Errorf("model: %.40q is not in the zoo; it has %sdigits and %sstory", ref, zooPrefix, zooPrefix)
}

func fromPackage(p *model.Package, err error) (*Model, error) {
	if err != nil {
		return nil, err
	}
	return &Model{Name: p.Meta.Name, Program: p.Program, Weights: p.Weights, Tokenizer: p.Tokenizer, Meta: &p.Meta}, nil
}

func openGraph(path, weights string) (*Model, error) {
	raw, err := readFile(path, MaxGraphBytes)
	if err != nil {
		return nil, err
	}
	m := &Model{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	if m.Program, err = ParseGraph(path, raw); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	tensors := map[string]*engine.Tensor{}
	if weights != "" {
		raw, err := readFile(weights, model.MaxWeightsBytes)
		if err != nil {
			return nil, err
		}
		named, _, err := model.ParseSafetensors(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", weights, err)
		}
		for _, n := range named {
			tensors[n.Name] = n.Tensor
		}
	}
	if m.Weights, err = engine.WeightsByName(m.Program, tensors); err != nil {
		return nil, fmt.Errorf("weights of %s: %w", path, err)
	}
	return m, nil
}

// readFile reads a regular file whose size is checked first.
func readFile(path string, limit int64) (raw []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes, want a regular file of at most %d", path, info.Size(), limit)
	}
	return os.ReadFile(path) // #nosec G304 -- the user names the file
}
