package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"poaid/commit"
	"poaid/engine"
)

// ErrDiffers is returned by Verdict.Err when a claim is not what came out.
var ErrDiffers = errors.New("the claim does not hold")

// Difference is one thing that is not as claimed.
type Difference struct {
	Field   string `json:"field"`
	Claimed string `json:"claimed"`
	Got     string `json:"got"`
}

// Verdict is what executing again came to.
type Verdict struct {
	What string `json:"what"`
	// Executed is false where program, weights or inputs are others than claimed already, so that a run would tell nothing.
	Executed    bool         `json:"executed"`
	Steps       uint64       `json:"steps"`
	ResultRoot  *commit.Hash `json:"result_root,omitempty"`
	Differences []Difference `json:"differences"`
}

// Err is nil when everything is as claimed, and otherwise names what is not.
func (v *Verdict) Err() error {
	if len(v.Differences) == 0 {
		return nil
	}
	fields := make([]string, len(v.Differences))
	for i, d := range v.Differences {
		fields[i] = d.Field
	}
	return fmt.Errorf("%w: %s: %s", ErrDiffers, v.What, strings.Join(fields, ", "))
}

func (v *Verdict) compare(field string, claimed, got commit.Hash) {
	if claimed != got {
		v.Differences = append(v.Differences, Difference{field, claimed.String(), got.String()})
	}
}

// Verify executes a claim again and compares. given are inputs that the claim has no bytes of, by name; they may also be inputs that
// the claim does not mention. Errors are about the claim or the run itself; whether the claim holds is the verdict.
func (m *Model) Verify(ctx context.Context, c *Claim, given map[string]*engine.Tensor, o Options) (*Verdict, error) {
	v := &Verdict{What: c.What, Steps: c.Steps, Differences: []Difference{}}
	if c.Steps < 1 || c.Steps > m.Program.MaxSteps() {
		return nil, fmt.Errorf("%w: steps: %d, want 1 to %d", ErrClaim, c.Steps, m.Program.MaxSteps())
	}
	if c.ProgramHash != nil {
		v.compare("program_hash", *c.ProgramHash, m.Program.Hash())
	}
	if c.WeightsRoot != nil {
		root, err := m.Weights.Root(o.Threads)
		if err != nil {
			return nil, err
		}
		v.compare("weights_root", *c.WeightsRoot, root)
	}
	if len(v.Differences) > 0 {
		return v, nil
	}
	in, err := c.collect(given, v)
	if err != nil {
		return nil, err
	}
	bound, err := m.bind(in, o)
	if err != nil && len(in) == 0 {
		return nil, fmt.Errorf("inputs of %s: %w; those of a task are not in its JSON, they come in a file of their own", c.What, err)
	}
	if err != nil {
		return nil, fmt.Errorf("inputs of %s: %w", c.What, err)
	}
	root, err := bound.Root(o.Threads)
	if err != nil {
		return nil, err
	}
	if v.compare("input_root", c.InputRoot, root); len(v.Differences) > 0 {
		return v, nil
	}
	res, err := engine.Execute(ctx, m.Program, m.Weights, in, c.Steps, engine.RunOptions{Threads: o.Threads, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	v.Executed, v.ResultRoot = true, &res.ResultRoot
	return v, v.result(c, res)
}

// collect puts the inputs together; those given stand in for bytes that the claim does not have, and must have the claimed roots.
func (c *Claim) collect(given map[string]*engine.Tensor, v *Verdict) (map[string]*engine.Tensor, error) {
	in := make(map[string]*engine.Tensor, len(given)+len(c.Inputs))
	for name, t := range given { // into another map
		in[name] = t
	}
	for _, t := range c.Inputs {
		if _, twice := in[t.Name]; twice {
			return nil, fmt.Errorf("%w: input %.128q: the claim has its bytes, it cannot be given", ErrClaim, t.Name)
		}
		in[t.Name] = t.Tensor
	}
	for _, w := range c.Missing {
		t, ok := given[w.Name]
		if !ok {
			return nil, fmt.Errorf("%w: input %.128q: its bytes are not in the claim; give them as input %s=FILE", ErrClaim, w.Name, w.Name)
		}
		root, err := commit.TensorRoot(uint8(t.DType()), t.Shape(), t.Bytes()) // #nosec G115 -- one of the enum's values
		if err != nil {
			return nil, err
		}
		v.compare("input "+w.Name, w.Root, root)
	}
	return in, nil
}

// result compares what came out.
func (v *Verdict) result(c *Claim, res *engine.Result) error {
	if c.StepsDone != res.StepsDone {
		v.Differences = append(v.Differences, Difference{"steps_done", fmt.Sprint(c.StepsDone), fmt.Sprint(res.StepsDone)})
	}
	claimed, got := outputNames(c), make([]string, len(res.Outputs))
	for i, o := range res.Outputs {
		got[i] = o.Name
	}
	if a, b := strings.Join(claimed, " "), strings.Join(got, " "); a != b {
		v.Differences = append(v.Differences, Difference{"outputs", a, b})
	} else {
		for i, o := range res.Outputs {
			d, err := describe(o.Name, o.Tensor)
			if err != nil {
				return err
			}
			v.compare("output "+o.Name, c.Outputs[i].Root, d.Root)
		}
	}
	v.compare("state_root", c.StateRoot, res.StateRoot)
	v.compare("output_root", c.OutputRoot, res.OutputRoot)
	v.compare("result_root", c.ResultRoot, res.ResultRoot)
	return nil
}

func outputNames(c *Claim) []string {
	names := make([]string, len(c.Outputs))
	for i, o := range c.Outputs {
		names[i] = o.Name
	}
	return names
}
