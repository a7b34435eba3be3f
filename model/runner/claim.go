package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
)

// ErrClaim is wrapped by every error about the JSON of a claim.
var ErrClaim = errors.New("invalid receipt")

const (
	// maxClaimBytes bounds each file of a claim.
	maxClaimBytes = 256 << 20
	// maxClaimTensors bounds the inputs and outputs of a claim, each.
	maxClaimTensors = 1 << 12
)

// Claim is what somebody says came out of a run. Fields that the claim does not have are nil.
type Claim struct {
	// What names it for people.
	What        string
	ProgramHash *commit.Hash
	WeightsRoot *commit.Hash
	InputRoot   commit.Hash
	Steps       uint64
	StepsDone   uint64
	StateRoot   commit.Hash
	OutputRoot  commit.Hash
	ResultRoot  commit.Hash
	// Inputs that came with their bytes, and by name the roots of those that did not.
	Inputs  []model.NamedTensor
	Missing []NamedRoot
	// Outputs are the roots of the outputs, in the claim's order.
	Outputs []NamedRoot
}

// NamedRoot is a tensor root under a name.
type NamedRoot struct {
	Name string
	Root commit.Hash
}

// ReadClaim is ParseClaim for files; taskInputs may be empty.
func ReadClaim(path, taskInputs string) (*Claim, error) {
	raw, err := readFile(path, maxClaimBytes)
	if err != nil {
		return nil, err
	}
	var in []byte
	if taskInputs != "" {
		if in, err = readFile(taskInputs, maxClaimBytes); err != nil {
			return nil, err
		}
	}
	return ParseClaim(raw, in)
}

// ParseClaim reads the JSON of a claim: a Receipt as `model run --json` prints it, or a task as `query tasks task ID --output json` does.
// taskInputs is the JSON of `query tasks inputs ID`, for a task only; without it the inputs are missing.
func ParseClaim(raw, taskInputs []byte) (*Claim, error) {
	var kind struct {
		Task       json.RawMessage `json:"task"`
		ResultRoot json.RawMessage `json:"result_root"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClaim, err)
	}
	var c *Claim
	var err error
	switch {
	case kind.Task != nil:
		c, err = parseTask(raw, taskInputs)
	case kind.ResultRoot == nil:
		err = errors.New("neither task nor result_root is there: want the JSON of `model run --json` or of `query tasks task ID --output json`")
	case taskInputs != nil:
		err = errors.New("a receipt of a run has its inputs itself; a file of inputs goes with a task")
	default:
		c, err = parseReceipt(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClaim, err)
	}
	return c, nil
}

func parseReceipt(raw []byte) (*Claim, error) {
	var r Receipt
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, err
	}
	if max(len(r.Inputs), len(r.Outputs)) > maxClaimTensors {
		return nil, fmt.Errorf("inputs and outputs: %d and %d, limit %d", len(r.Inputs), len(r.Outputs), maxClaimTensors)
	}
	c := &Claim{
		What: "run of " + r.Model, ProgramHash: &r.ProgramHash, WeightsRoot: &r.WeightsRoot, InputRoot: r.InputRoot,
		Steps: r.Steps, StepsDone: r.StepsDone, StateRoot: r.StateRoot, OutputRoot: r.OutputRoot, ResultRoot: r.ResultRoot,
	}
	for i, t := range r.Inputs {
		dt, ok := graphpb.DType_value["DTYPE_"+strings.ToUpper(t.DType)]
		if !ok {
			return nil, fmt.Errorf("inputs[%d].dtype: %.40q is none", i, t.DType)
		}
		if err := c.addInput(t.Name, engine.DType(dt), t.Shape, t.Data, t.Root); err != nil {
			return nil, fmt.Errorf("inputs[%d]: %w", i, err)
		}
	}
	for _, t := range r.Outputs {
		c.Outputs = append(c.Outputs, NamedRoot{t.Name, t.Root})
	}
	return c, nil
}

// addInput takes an input by its bytes where they are there, and otherwise by its root. Empty tensors do not exist.
func (c *Claim) addInput(name string, dt engine.DType, shape []int64, data []byte, root commit.Hash) error {
	if len(data) == 0 {
		c.Missing = append(c.Missing, NamedRoot{name, root})
		return nil
	}
	t, err := engine.TensorFromBytes(dt, shape, data)
	if err != nil {
		return fmt.Errorf("%.128q: %w", name, err)
	}
	c.Inputs = append(c.Inputs, model.NamedTensor{Name: name, Tensor: t})
	return nil
}

// The JSON of a task, as far as it is read. Integers of 64 bits are strings there, bytes base64; json.Number takes both spellings.
type (
	taskJSON struct {
		Task struct {
			ID        json.Number `json:"id"`
			Model     string      `json:"model"`
			Steps     json.Number `json:"steps"`
			InputRoot []byte      `json:"input_root"`
		} `json:"task"`
		Status struct {
			State      string `json:"state"`
			ResultRoot []byte `json:"result_root"`
		} `json:"status"`
		Result *struct {
			StateRoot  []byte       `json:"state_root"`
			OutputRoot []byte       `json:"output_root"`
			Outputs    []tensorJSON `json:"outputs"`
			StepsDone  json.Number  `json:"steps_done"`
		} `json:"result"`
	}
	tensorJSON struct {
		Name  string        `json:"name"`
		DType string        `json:"dtype"`
		Shape []json.Number `json:"shape"`
		Data  []byte        `json:"data"`
		Root  []byte        `json:"root"`
		CID   string        `json:"cid"`
	}
	inputsJSON struct {
		Inputs *struct {
			Tensors []tensorJSON `json:"tensors"`
		} `json:"inputs"`
	}
)

// parser keeps the first failure.
type parser struct{ err error }

func (p *parser) fail(field string, err error) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s: %w", field, err)
	}
}

func (p *parser) hash(field string, b []byte) commit.Hash {
	h, err := commit.HashFromBytes(b)
	p.fail(field, err)
	return h
}

func (p *parser) number(field string, n json.Number) uint64 {
	v, err := n.Int64()
	if err == nil && v < 0 {
		err = fmt.Errorf("%d is negative", v)
	}
	p.fail(field, err)
	return uint64(max(v, 0)) // #nosec G115 -- not negative
}

// tensor gives a tensor's dtype and shape, and its root: the given one, or that of its bytes.
func (p *parser) tensor(field string, t tensorJSON) (engine.DType, []int64, commit.Hash) {
	dt, ok := graphpb.DType_value[t.DType]
	if !ok {
		p.fail(field+".dtype", fmt.Errorf("%.40q is none", t.DType))
	}
	shape := make([]int64, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(p.number(fmt.Sprintf("%s.shape[%d]", field, i), d)) // #nosec G115 -- number reads an int64
	}
	var root commit.Hash
	switch {
	case p.err != nil:
	case len(t.Data) == 0:
		root = p.hash(field+".root", t.Root)
	default:
		var err error
		root, err = commit.TensorRoot(uint8(dt), shape, t.Data) // #nosec G115 -- one of the enum's values
		p.fail(field, err)
		if len(t.Root) > 0 && !bytes.Equal(t.Root, root[:]) {
			p.fail(field+".root", fmt.Errorf("%x is not that of the data, %s", t.Root, root))
		}
	}
	return engine.DType(dt), shape, root
}

func parseTask(raw, inputs []byte) (*Claim, error) {
	var t taskJSON
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, err
	}
	if t.Result == nil || len(t.Result.StateRoot) == 0 {
		return nil, fmt.Errorf("result: the task has none yet, its state is %.40q", t.Status.State)
	}
	if len(t.Result.Outputs) > maxClaimTensors {
		return nil, fmt.Errorf("result.outputs: %d, limit %d", len(t.Result.Outputs), maxClaimTensors)
	}
	p := &parser{}
	c := &Claim{
		What:  fmt.Sprintf("task %s on model %s", t.Task.ID, t.Task.Model),
		Steps: p.number("task.steps", t.Task.Steps), StepsDone: p.number("result.steps_done", t.Result.StepsDone),
		InputRoot: p.hash("task.input_root", t.Task.InputRoot), StateRoot: p.hash("result.state_root", t.Result.StateRoot),
		OutputRoot: p.hash("result.output_root", t.Result.OutputRoot), ResultRoot: p.hash("status.result_root", t.Status.ResultRoot),
	}
	for i, o := range t.Result.Outputs {
		_, _, root := p.tensor(fmt.Sprintf("result.outputs[%d]", i), o)
		c.Outputs = append(c.Outputs, NamedRoot{o.Name, root})
	}
	if p.err != nil {
		return nil, p.err
	}
	if inputs == nil {
		return c, nil
	}
	return c, c.taskInputs(inputs)
}

func (c *Claim) taskInputs(raw []byte) error {
	var in inputsJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("inputs: %w", err)
	}
	if in.Inputs == nil {
		return errors.New("inputs: not there; want the JSON of `query tasks inputs ID --output json`")
	}
	if len(in.Inputs.Tensors) > maxClaimTensors {
		return fmt.Errorf("inputs: %d, limit %d", len(in.Inputs.Tensors), maxClaimTensors)
	}
	p := &parser{}
	for i, t := range in.Inputs.Tensors {
		field := fmt.Sprintf("inputs.tensors[%d]", i)
		dt, shape, root := p.tensor(field, t)
		if p.err != nil {
			return p.err
		}
		if err := c.addInput(t.Name, dt, shape, t.Data, root); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	return nil
}
