// Package inputs turns what people have (a picture, a prompt, numbers, files) into the inputs of a program. Commands that run a model
// here and those that submit a task share it, so that both read the same arguments as the same bits.
package inputs

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
	"poaid/model/npy"
	"poaid/model/zoo"
)

// ErrInput is wrapped by every error about what the user gave.
var ErrInput = errors.New("invalid input")

// maxFileBytes bounds an input file.
const maxFileBytes = 1 << 30

// Wants is what the user asks for, besides the model.
type Wants struct {
	// Image is a PNG file for the input "pixels".
	Image string
	// Prompt is text for the input "prompt".
	Prompt string
	// MaxTokens is how many tokens to generate after the prompt.
	MaxTokens uint64
	// Temperature (0: greedy), TopK (0: off), TopP (1: off) and Seed are set only where given.
	Temperature, TopP *float64
	TopK              *int32
	Seed              *int64
	// Inputs are name=VALUE: JSON, file.npy, @file.npy, @file.json or @file (raw bytes).
	Inputs []string
	// Steps is T; 0: what the prompt and MaxTokens come to, otherwise 1.
	Steps uint64
}

// Built is what a run needs.
type Built struct {
	// Tensors are the given inputs in the program's order, without those left to their default.
	Tensors []model.NamedTensor
	// Steps is T, PromptRows the number of rows of the forced input (0: there is none).
	Steps      uint64
	PromptRows uint64
}

// ByName gives the tensors as engine.Program.BindInputs takes them.
func (b Built) ByName() map[string]*engine.Tensor {
	m := make(map[string]*engine.Tensor, len(b.Tensors))
	for _, t := range b.Tensors {
		m[t.Name] = t.Tensor
	}
	return m
}

// millionths is the unit of the inputs temperature and top_p (see nn.Llama).
const millionths = 1_000_000

// Build makes the inputs of a program. tok is needed for a prompt only.
func Build(prog *graphpb.Program, tok *model.Tokenizer, w Wants) (Built, error) {
	b := builder{prog: prog, given: map[string]*engine.Tensor{}}
	if w.Image != "" {
		b.image(w.Image)
	}
	if w.Prompt != "" {
		b.prompt(w.Prompt, tok)
	}
	b.number("temperature", w.Temperature, 0, 100)
	b.number("top_p", w.TopP, 0, 1)
	if w.TopK != nil {
		b.scalar("top_k", int64(*w.TopK))
	}
	if w.Seed != nil {
		b.scalar("seed", *w.Seed)
	}
	for _, s := range w.Inputs {
		b.generic(s)
	}
	if b.err != nil {
		return Built{}, b.err
	}
	return b.finish(w)
}

// Read makes inputs of a program from name=VALUE only (see Wants.Inputs); others may be missing.
func Read(prog *graphpb.Program, args []string) (map[string]*engine.Tensor, error) {
	b := builder{prog: prog, given: map[string]*engine.Tensor{}}
	for _, s := range args {
		b.generic(s)
	}
	return b.given, b.err
}

type builder struct {
	prog  *graphpb.Program
	given map[string]*engine.Tensor
	err   error
}

func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: "+format, append([]any{ErrInput}, args...)...)
	}
}

// spec finds a declared input; nil after a failure.
func (b *builder) spec(name string) *graphpb.InputSpec {
	var names []string
	for _, s := range b.prog.Inputs {
		if s.Name == name {
			return s
		}
		names = append(names, s.Name)
	}
	b.fail("%s: the model has no such input; it has %s", name, strings.Join(names, ", "))
	return nil
}

// put adds an input after checking it against its declaration.
func (b *builder) put(spec *graphpb.InputSpec, shape []int64, data []byte) {
	if _, twice := b.given[spec.Name]; twice {
		b.fail("%s: given twice", spec.Name)
		return
	}
	size, err := engine.ByteSize(spec.Dtype, shape)
	switch {
	case err != nil:
		b.fail("%s: %v", spec.Name, err)
		return
	case size != int64(len(data)):
		b.fail("%s: %d bytes for shape %v of %s, want %d", spec.Name, len(data), shape, spec.Dtype, size)
		return
	case !fits(spec, shape):
		b.fail("%s: shape %v, want %v%s", spec.Name, shape, spec.Shape, map[bool]string{true: " or fewer rows"}[spec.VariableRows])
		return
	}
	t, err := engine.TensorFromBytes(spec.Dtype, shape, data)
	if err != nil {
		b.fail("%s: %v", spec.Name, err)
		return
	}
	b.given[spec.Name] = t
}

func fits(spec *graphpb.InputSpec, shape []int64) bool {
	if len(shape) != len(spec.Shape) {
		return false
	}
	for i, d := range spec.Shape {
		if i == 0 && spec.VariableRows {
			if shape[0] < 1 || shape[0] > d {
				return false
			}
		} else if shape[i] != d {
			return false
		}
	}
	return true
}

func (b *builder) image(path string) {
	spec := b.spec("pixels")
	if spec == nil {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		b.fail("image: %v", err)
		return
	}
	defer f.Close()
	t, err := zoo.DigitsInput(f)
	if err != nil {
		b.fail("image %s: %v", path, err)
		return
	}
	b.put(spec, t.Shape(), t.Bytes())
}

func (b *builder) prompt(text string, tok *model.Tokenizer) {
	spec := b.spec("prompt")
	if spec == nil {
		return
	}
	if tok == nil {
		b.fail("prompt: the model has no tokenizer; give token numbers with --input prompt=[…]")
		return
	}
	ids := tok.Encode(text, true, false)
	if max := spec.Shape[0]; int64(len(ids)) > max {
		b.fail("prompt: %d tokens, limit %d", len(ids), max)
		return
	}
	data := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		data = encode(data, spec.Dtype, float64(id), int64(id))
	}
	b.put(spec, []int64{int64(len(ids))}, data)
}

func (b *builder) number(name string, v *float64, lo, hi float64) {
	if v == nil {
		return
	}
	if !(*v >= lo && *v <= hi) {
		b.fail("%s: %v, want %v to %v", name, *v, lo, hi)
		return
	}
	b.scalar(name, int64(math.Round(*v*millionths)))
}

func (b *builder) scalar(name string, v int64) {
	if spec := b.spec(name); spec != nil {
		b.put(spec, spec.Shape, encode(nil, spec.Dtype, float64(v), v))
	}
}

// generic reads name=VALUE.
func (b *builder) generic(arg string) {
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		b.fail("--input %.60q: want name=VALUE", arg)
		return
	}
	spec := b.spec(name)
	if spec == nil {
		return
	}
	path, isFile := strings.CutPrefix(value, "@")
	if strings.HasSuffix(path, ".npy") { // no JSON ends like that
		b.npy(spec, path)
		return
	}
	if !isFile {
		b.json(spec, []byte(value))
		return
	}
	raw, err := readFile(path)
	switch {
	case err != nil:
		b.fail("%s: %v", name, err)
	case strings.HasSuffix(path, ".json"):
		b.json(spec, raw)
	default:
		b.raw(spec, raw)
	}
}

func (b *builder) npy(spec *graphpb.InputSpec, path string) {
	t, err := npy.ReadFile(path, maxFileBytes)
	switch {
	case err != nil:
		b.fail("%s: %s: %v", spec.Name, path, err)
	case t.DType() != spec.Dtype:
		b.fail("%s: %s holds %s, want %s", spec.Name, path, t.DType(), spec.Dtype)
	default:
		b.put(spec, t.Shape(), t.Bytes())
	}
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s: %d bytes, limit %d", path, info.Size(), maxFileBytes)
	}
	return os.ReadFile(path)
}

// raw takes bytes as they are; the number of rows follows from their length where it may vary.
func (b *builder) raw(spec *graphpb.InputSpec, data []byte) {
	shape := append([]int64(nil), spec.Shape...)
	size, err := engine.ByteSize(spec.Dtype, shape)
	if err == nil && spec.VariableRows && shape[0] > 0 && size > 0 {
		shape[0] = int64(len(data)) / (size / shape[0])
	}
	b.put(spec, shape, data)
}

// json takes nested arrays, a flat array, or a number.
func (b *builder) json(spec *graphpb.InputSpec, raw []byte) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		b.fail("%s: JSON: %v", spec.Name, err)
		return
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		b.fail("%s: JSON: more after the first value", spec.Name)
		return
	}
	var data []byte
	shape, n := []int64{}, int64(0)
	var walk func(v any, depth int) bool
	walk = func(v any, depth int) bool {
		if list, ok := v.([]any); ok {
			if depth == len(shape) {
				shape = append(shape, int64(len(list)))
			} else if depth > len(shape) || shape[depth] != int64(len(list)) {
				b.fail("%s: rows of different length", spec.Name)
				return false
			}
			for _, x := range list {
				if !walk(x, depth+1) {
					return false
				}
			}
			return true
		}
		num, ok := v.(json.Number)
		if !ok || depth != len(shape) && n > 0 {
			b.fail("%s: %v: want numbers in arrays of equal length", spec.Name, v)
			return false
		}
		n++
		var ok2 bool
		data, ok2 = encodeNumber(data, spec.Dtype, num)
		if !ok2 {
			b.fail("%s: %s does not fit %s", spec.Name, num, spec.Dtype)
		}
		return ok2
	}
	if !walk(v, 0) {
		return
	}
	if !fits(spec, shape) && len(shape) <= 1 { // a flat list for a declared shape
		b.raw(spec, data)
		return
	}
	b.put(spec, shape, data)
}

func encodeNumber(dst []byte, dt graphpb.DType, num json.Number) ([]byte, bool) {
	if dt == graphpb.DTYPE_F32 {
		f, err := num.Float64()
		return encode(dst, dt, f, 0), err == nil
	}
	i, err := num.Int64()
	if err != nil {
		return dst, false
	}
	switch dt {
	case graphpb.DTYPE_I32:
		return encode(dst, dt, 0, i), i >= math.MinInt32 && i <= math.MaxInt32
	case graphpb.DTYPE_I8:
		return encode(dst, dt, 0, i), i >= math.MinInt8 && i <= math.MaxInt8
	case graphpb.DTYPE_U8:
		return encode(dst, dt, 0, i), i >= 0 && i <= math.MaxUint8
	}
	return encode(dst, dt, 0, i), true
}

// encode appends one element.
func encode(dst []byte, dt graphpb.DType, f float64, i int64) []byte {
	switch dt {
	case graphpb.DTYPE_F32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f)))
	case graphpb.DTYPE_I32:
		return binary.LittleEndian.AppendUint32(dst, uint32(i))
	case graphpb.DTYPE_I64:
		return binary.LittleEndian.AppendUint64(dst, uint64(i))
	}
	return append(dst, byte(i))
}

// finish orders the inputs as declared and settles the number of steps.
func (b *builder) finish(w Wants) (Built, error) {
	out := Built{Steps: w.Steps}
	for _, s := range b.prog.Inputs {
		t, ok := b.given[s.Name]
		if !ok {
			if len(s.DefaultData) == 0 {
				return Built{}, fmt.Errorf("%w: %s: missing, and the model has no default for it", ErrInput, s.Name)
			}
			continue
		}
		out.Tensors = append(out.Tensors, model.NamedTensor{Name: s.Name, Tensor: t})
		if s.Name == b.prog.ForcedInput {
			out.PromptRows = uint64(t.Shape()[0])
		}
	}
	if out.Steps == 0 {
		out.Steps = 1
		if out.PromptRows > 0 {
			// A run of T steps over n rows gives T − n + 1 new ones.
			out.Steps = out.PromptRows - 1 + max(w.MaxTokens, 1)
		}
	}
	if out.Steps > b.prog.MaxSteps {
		return Built{}, fmt.Errorf("%w: steps: %d (%d of the prompt), limit %d", ErrInput, out.Steps, out.PromptRows, b.prog.MaxSteps)
	}
	return out, nil
}
