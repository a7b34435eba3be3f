package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"poaid/commit"
	"poaid/engine"
	"poaid/model"
	"poaid/model/format"
	"poaid/model/inputs"
	"poaid/model/npy"
)

// ErrMemory is returned for a run that would take more memory than allowed.
var ErrMemory = errors.New("run takes too much memory")

const (
	// baseMemory and memoryFactor are the default bound of a run's states and results: the base, and the factor times the bytes of
	// weights and inputs. What is declared in a few bytes cannot ask for much; what comes with data may grow with it.
	baseMemory   = 512 << 20
	memoryFactor = 16
	// maxInlineInput is the largest input whose bytes a receipt holds.
	maxInlineInput = 1 << 20
)

// Options of a run. None of them changes a result.
type Options struct {
	// Threads is the number of threads; 0 means one per processor.
	Threads int
	// MaxMemory bounds the bytes of states and results, besides weights and inputs; 0: 512 MiB and 16 times the bytes of those.
	MaxMemory uint64
	// Progress, if set, is called after every step.
	Progress func(step, total uint64)
}

// Tensor is a tensor of a receipt.
type Tensor struct {
	Name  string      `json:"name"`
	DType string      `json:"dtype"`
	Shape []int64     `json:"shape"`
	Root  commit.Hash `json:"root"`
	// Data holds an input's bytes, little-endian, row-major; left out of large ones.
	Data []byte `json:"data,omitempty"`
	// File is where an output was written.
	File string `json:"file,omitempty"`
}

// Receipt says what was run and what came out: enough for anybody who has the model to run it again.
type Receipt struct {
	Model       string      `json:"model"`
	ProgramHash commit.Hash `json:"program_hash"`
	WeightsRoot commit.Hash `json:"weights_root"`
	// InputRoot is over all inputs, defaults included; Inputs are those that were given.
	InputRoot commit.Hash `json:"input_root"`
	Inputs    []Tensor    `json:"inputs"`
	// Steps is T, StepsDone how many were computed before the program stopped by itself.
	Steps      uint64      `json:"steps"`
	StepsDone  uint64      `json:"steps_done"`
	Outputs    []Tensor    `json:"outputs"`
	StateRoot  commit.Hash `json:"state_root"`
	OutputRoot commit.Hash `json:"output_root"`
	ResultRoot commit.Hash `json:"result_root"`
}

// bind checks inputs against the program and the memory that a run would take.
func (m *Model) bind(in map[string]*engine.Tensor, o Options) (*engine.Inputs, error) {
	bound, err := m.Program.BindInputs(in)
	if err != nil {
		return nil, err
	}
	given := uint64(0)
	for _, list := range [][]*engine.Tensor{m.Weights.Tensors(), bound.Tensors()} {
		for _, t := range list {
			given += uint64(len(t.Bytes()))
		}
	}
	limit := o.MaxMemory
	if limit == 0 {
		limit = baseMemory + memoryFactor*given
	}
	if need := m.Program.RunBytes(); need > limit {
		return nil, fmt.Errorf("%w: states and results take %d bytes, limit %d; raise it with max-memory", ErrMemory, need, limit)
	}
	return bound, nil
}

// Execute runs the model and writes the receipt.
func (m *Model) Execute(ctx context.Context, b inputs.Built, o Options) (*engine.Result, *Receipt, error) {
	bound, err := m.bind(b.ByName(), o)
	if err != nil {
		return nil, nil, err
	}
	res, err := engine.Execute(ctx, m.Program, m.Weights, b.ByName(), b.Steps, engine.RunOptions{Threads: o.Threads, Progress: o.Progress})
	if err != nil {
		return nil, nil, err
	}
	r, err := m.receipt(b, bound, res)
	return res, r, err
}

func (m *Model) receipt(b inputs.Built, bound *engine.Inputs, res *engine.Result) (*Receipt, error) {
	r := &Receipt{
		Model: m.Name, ProgramHash: m.Program.Hash(), Steps: res.T, StepsDone: res.StepsDone, Inputs: []Tensor{},
		StateRoot: res.StateRoot, OutputRoot: res.OutputRoot, ResultRoot: res.ResultRoot,
	}
	var err error
	if r.WeightsRoot, err = m.Weights.Root(0); err != nil {
		return nil, err
	}
	if r.InputRoot, err = bound.Root(0); err != nil {
		return nil, err
	}
	for _, t := range b.Tensors {
		d, err := describe(t.Name, t.Tensor)
		if err != nil {
			return nil, err
		}
		if len(t.Tensor.Bytes()) <= maxInlineInput {
			d.Data = t.Tensor.Bytes()
		}
		r.Inputs = append(r.Inputs, d)
	}
	for _, o := range res.Outputs {
		d, err := describe(o.Name, o.Tensor)
		if err != nil {
			return nil, err
		}
		r.Outputs = append(r.Outputs, d)
	}
	return r, nil
}

func describe(name string, t *engine.Tensor) (Tensor, error) {
	root, err := commit.TensorRoot(uint8(t.DType()), t.Shape(), t.Bytes())
	return Tensor{Name: name, DType: dtypeName(t.DType()), Shape: t.Shape(), Root: root}, err
}

// dtypeName gives f32 for DTYPE_F32.
func dtypeName(dt engine.DType) string {
	return strings.ToLower(strings.TrimPrefix(dt.String(), "DTYPE_"))
}

// plainName is what may be a file's name as it is.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// WriteOutputs writes every output as NAME.npy into a folder, which is made if need be, and notes the files in the receipt. An output
// whose name is no plain file name is written as output#INDEX.npy.
func WriteOutputs(dir string, res *engine.Result, r *Receipt) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- results are for everybody to read
		return err
	}
	for i, o := range res.Outputs {
		name := o.Name
		if !plainName.MatchString(name) {
			name = "output#" + strconv.Itoa(i)
		}
		path := filepath.Join(dir, name+".npy")
		if err := npy.WriteFile(path, o.Tensor); err != nil {
			return fmt.Errorf("output %q: %w", o.Name, err)
		}
		r.Outputs[i].File = path
	}
	return nil
}

// maxShown is how many elements Show prints.
const maxShown = 8

// Show gives an output as people read it: its label or text where the package says how, otherwise the first elements.
func (m *Model) Show(res *engine.Result, name string) string {
	t := res.Output(name)
	if t == nil {
		return ""
	}
	if m.Meta != nil {
		for _, o := range m.Meta.Outputs {
			if o.Name != name {
				continue
			}
			if text, ok := m.render(res, o, t); ok {
				return text
			}
		}
	}
	size := int(engine.SizeOf(t.DType()))
	parts := []string{}
	for i := 0; i < len(t.Bytes()); i += size {
		if len(parts) == maxShown {
			parts = append(parts, "…")
			break
		}
		text, err := format.Element(t.DType(), t.Bytes()[i:])
		if err != nil {
			return ""
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// render gives a label or the text of tokens; false where the output is not of that kind.
func (m *Model) render(res *engine.Result, o model.Output, t *engine.Tensor) (string, bool) {
	ids := t.I64()
	switch {
	case o.Render == model.RenderLabel && len(ids) == 1 && ids[0] >= 0 && ids[0] < int64(len(m.Meta.Labels)):
		return m.Meta.Labels[ids[0]], true
	case o.Render == model.RenderTokens && m.Tokenizer != nil && ids != nil:
		if c := res.Output(o.CountOutput); c != nil && len(c.I64()) == 1 {
			ids = ids[:max(0, min(c.I64()[0], int64(len(ids))))]
		}
		return strconv.Quote(m.Tokenizer.Decode(toIDs(ids))), true
	}
	return "", false
}

func toIDs(v []int64) []int32 {
	out := make([]int32, len(v))
	for i, x := range v {
		if out[i] = int32(x); int64(out[i]) != x { // #nosec G115 -- checked here
			out[i] = -1 // no token: nothing is shown for it
		}
	}
	return out
}
