package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"poaid/model"
	"poaid/model/hf"
	"poaid/model/onnx"
)

// Import says what to make a package of: exactly one of ONNX, Llama2c and Safetensors.
type Import struct {
	// ONNX is a graph file; Shapes fix the shapes of its inputs by name.
	ONNX   string
	Shapes map[string][]int64
	// Llama2c is a checkpoint of llama2.c; it needs a Tokenizer.
	Llama2c string
	// Safetensors is a folder with config.json, safetensors and tokenizer.json.
	Safetensors string
	// Tokenizer is a tokenizer.bin or tokenizer.json, for Safetensors in place of the folder's.
	Tokenizer string
	// Context is the number of positions of a Safetensors model; 0: its own, at most 2048.
	Context int64
	// Out is the folder to make, Name what the model is called; empty: the folder's name.
	Out, Name string
}

// ErrImport is wrapped by errors about what an import asks for.
var ErrImport = errors.New("import")

// Run makes the package. A folder that already holds one is left alone.
func (i Import) Run() (*Model, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	p, err := i.read()
	if err != nil {
		return nil, err
	}
	if p.Meta.Name = i.Name; i.Name == "" {
		p.Meta.Name = filepath.Base(filepath.Clean(i.Out))
	}
	if err := p.Save(i.Out); err != nil {
		return nil, err
	}
	return fromPackage(model.Load(i.Out)) // what was written is what will be read
}

func (i Import) check() error {
	sources := 0
	for _, s := range []string{i.ONNX, i.Llama2c, i.Safetensors} {
		if s != "" {
			sources++
		}
	}
	switch {
	case sources != 1:
		return fmt.Errorf("%w: name one of an ONNX file, a llama2.c checkpoint and a folder with safetensors", ErrImport)
	case i.Out == "":
		return fmt.Errorf("%w: out: no folder is named", ErrImport)
	case i.Llama2c != "" && i.Tokenizer == "":
		return fmt.Errorf("%w: a llama2.c checkpoint needs its tokenizer.bin", ErrImport)
	case i.ONNX != "" && i.Tokenizer != "":
		return fmt.Errorf("%w: tokenizer: an ONNX graph has none", ErrImport)
	case i.ONNX == "" && len(i.Shapes) > 0:
		return fmt.Errorf("%w: shape: for ONNX graphs only", ErrImport)
	case i.Safetensors == "" && i.Context != 0:
		return fmt.Errorf("%w: context: for safetensors only", ErrImport)
	}
	switch _, err := os.Stat(filepath.Join(i.Out, model.FileMeta)); {
	case err == nil:
		return fmt.Errorf("out: %s holds a model already", i.Out)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("out: %w", err)
	}
	return nil
}

func (i Import) read() (*model.Package, error) {
	var tok []byte
	var err error
	if i.Tokenizer != "" {
		if tok, err = readFile(i.Tokenizer, model.MaxTokenizerBytes); err != nil {
			return nil, err
		}
	}
	switch {
	case i.ONNX != "":
		raw, err := readFile(i.ONNX, onnx.MaxFileBytes)
		if err != nil {
			return nil, err
		}
		return onnx.Import(raw, onnx.Options{Shapes: i.Shapes})
	case i.Safetensors != "":
		return hf.Import(os.DirFS(i.Safetensors), hf.Options{Context: i.Context, Tokenizer: tok})
	}
	raw, err := readFile(i.Llama2c, model.MaxWeightsBytes)
	if err != nil {
		return nil, err
	}
	return model.ImportLlama2c(raw, tok)
}

// ParseShape reads NAME=1,3,48,320; a scalar is NAME= alone.
func ParseShape(arg string) (name string, shape []int64, err error) {
	at := strings.LastIndexByte(arg, '=') // names may hold one
	if at < 1 {
		return "", nil, fmt.Errorf("shape: %.60q, want NAME=1,3,48,320", arg)
	}
	name, shape = arg[:at], []int64{}
	if arg[at+1:] == "" {
		return name, shape, nil
	}
	for _, s := range strings.Split(arg[at+1:], ",") {
		d, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		if err != nil || d < 1 {
			return "", nil, fmt.Errorf("shape: %.60q: %.20q is no size", arg, s)
		}
		shape = append(shape, d)
	}
	return name, slices.Clip(shape), nil
}
