package quantise

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"poaid/engine"
	"poaid/model"
	"poaid/model/npy"
)

// MaxSampleBytes bounds a file of samples.
const MaxSampleBytes = 1 << 31

// ReadSamples reads inputs of many samples from NAME=FILE.npy, one argument an input. A file holds one sample (the
// input's shape), or n of them along a new first dimension, or along the first one where that is 1. All must hold as many.
func ReadSamples(prog *engine.Program, args []string) ([]map[string]*engine.Tensor, error) {
	var samples []map[string]*engine.Tensor
	for _, arg := range args {
		name, path, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("samples: %.60q, want NAME=FILE.npy", arg)
		}
		i := slices.IndexFunc(prog.InputSpecs(), func(s engine.InputSpec) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("samples: the model has no input %.60q", name)
		}
		t, err := npy.ReadFile(path, MaxSampleBytes)
		if err != nil {
			return nil, fmt.Errorf("samples of %s: %s: %w", name, path, err)
		}
		list, err := split(t, prog.InputSpecs()[i])
		if err != nil {
			return nil, fmt.Errorf("samples of %s: %s: %w", name, path, err)
		}
		if samples == nil {
			samples = make([]map[string]*engine.Tensor, len(list))
			for j := range samples {
				samples[j] = make(map[string]*engine.Tensor, len(args))
			}
		}
		if len(list) != len(samples) {
			return nil, fmt.Errorf("samples of %s: %d, other inputs have %d", name, len(list), len(samples))
		}
		for j, x := range list {
			samples[j][name] = x
		}
	}
	return samples, nil
}

// split cuts a tensor into samples of an input's shape.
func split(t *engine.Tensor, s engine.InputSpec) ([]*engine.Tensor, error) {
	if t.DType() != s.DType {
		return nil, fmt.Errorf("holds %s, want %s", t.DType(), s.DType)
	}
	shape := t.Shape()
	n := int64(-1)
	switch {
	case slices.Equal(shape, s.Shape):
		n = 1
	case len(shape) == len(s.Shape)+1 && slices.Equal(shape[1:], s.Shape):
		n = shape[0]
	case len(shape) == len(s.Shape) && s.Shape[0] == 1 && slices.Equal(shape[1:], s.Shape[1:]):
		n = shape[0]
	}
	if n < 1 {
		return nil, fmt.Errorf("shape %v, want %v, or one or more of them along a new first dimension", shape, s.Shape)
	}
	out, size := make([]*engine.Tensor, n), int64(len(t.Bytes()))/n
	for i := range out {
		x, err := engine.TensorFromBytes(s.DType, s.Shape, t.Bytes()[int64(i)*size:(int64(i)+1)*size])
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// ReadLabels reads the right classes of n samples: an integer tensor [n].
func ReadLabels(path string, n int) ([]int64, error) {
	t, err := npy.ReadFile(path, MaxSampleBytes)
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", path, err)
	}
	if s := t.Shape(); len(s) != 1 || s[0] != int64(n) || t.DType() == engine.F32 {
		return nil, fmt.Errorf("labels: %s holds %s %v, want %d integers", path, t.DType(), s, n)
	}
	out := make([]int64, 0, n)
	for i := range n {
		switch t.DType() {
		case engine.I64:
			out = append(out, t.I64()[i])
		case engine.I32:
			out = append(out, int64(t.I32()[i]))
		case engine.I8:
			out = append(out, int64(t.I8()[i]))
		default:
			out = append(out, int64(t.U8()[i]))
		}
	}
	return out, nil
}

// Generate writes the text that a language model goes on with, greedily, after a prompt: its tokens, prompt included.
func Generate(ctx context.Context, p *model.Package, prompt []int64, threads int) ([]int64, error) {
	name := p.Program.ForcedInput()
	if name == "" || len(prompt) == 0 {
		return nil, fmt.Errorf("%w: no forced input or no prompt: there is no text to generate", ErrQuantise)
	}
	x, err := engine.FromI64(prompt, int64(len(prompt)))
	if err != nil {
		return nil, err
	}
	steps := p.Program.MaxSteps()
	res, err := engine.Execute(ctx, p.Program, p.Weights, map[string]*engine.Tensor{name: x}, steps, engine.RunOptions{Threads: threads})
	if err != nil {
		return nil, err
	}
	tokens, count := res.Output("tokens"), res.Output("count")
	if tokens == nil || count == nil || len(count.I64()) != 1 || tokens.DType() != engine.I64 {
		return nil, fmt.Errorf("%w: the program has no outputs tokens and count", ErrQuantise)
	}
	n := min(max(count.I64()[0], 0), int64(len(tokens.I64())))
	return append(slices.Clone(prompt), tokens.I64()[:n]...), nil
}
