package engine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"poaid/engine/graphpb"
)

// ErrProgram is wrapped by every error about the program itself.
var ErrProgram = errors.New("invalid program")

// programDomain separates the program hash from every other hash.
const programDomain = "poai/program/1"

// Program is a validated program. It is immutable and safe for concurrent use.
type Program struct {
	pb      *graphpb.Program
	bz      []byte // canonical encoding
	hash    [32]byte
	lim     Limits
	step    *graph
	forced  *graph // nil when there is none
	stop    int    // state index, -1 for none
	prompt  int    // index of the forced input, -1 for none
	outputs []int  // state indices
}

// graph is one compiled step.
type graph struct {
	name    string // "step" or "forced"
	nodes   []node
	update  []int // per state: the node that gives its next value, -1 to keep it
	dynamic bool  // some shape depends on t
}

// node is one validated node.
type node struct {
	op    *Op
	name  string
	in    []ref
	attrs Attrs
	out   Value
	// copies: the op replaces part of operand 0 and cannot do it in place, so that the whole is copied.
	copies bool
}

// ref points at an operand.
type ref struct {
	kind  graphpb.RefKind
	index int
}

// Value is what validation knows of an operand or result.
type Value struct {
	DType DType
	Shape Shape
	// Variable marks a variable-row input: Shape[0] is its maximum.
	Variable bool
}

// WeightSpec declares a weight.
type WeightSpec struct {
	Name  string
	DType DType
	Shape []int64
}

// InputSpec declares an input.
type InputSpec struct {
	Name  string
	DType DType
	Shape []int64 // Shape[0] is the maximum when VariableRows is set
	// VariableRows lets the first dimension be 1..Shape[0].
	VariableRows bool
	// Default is what the input holds when it is left out; nil when it is required.
	Default *Tensor
}

// StateSpec declares a state; states start as InitWeight, or as zero bytes when that is empty.
type StateSpec struct {
	Name       string
	DType      DType
	Shape      []int64
	InitWeight string
}

// Decode validates an encoded program. An encoding that is not the canonical one, which includes unknown fields, is
// refused, so that a program has exactly one hash.
func Decode(bz []byte, lim Limits) (*Program, error) {
	if err := lim.check(); err != nil {
		return nil, err
	}
	if int64(len(bz)) > lim.ProgramBytes {
		return nil, fmt.Errorf("%w: encoding: %d bytes, limit %d", ErrProgram, len(bz), lim.ProgramBytes)
	}
	if err := scanProgram(bz, lim); err != nil {
		return nil, fmt.Errorf("%w: encoding: %w", ErrProgram, err)
	}
	pb := new(graphpb.Program)
	if err := pb.Unmarshal(bz); err != nil {
		return nil, fmt.Errorf("%w: encoding: %w", ErrProgram, err)
	}
	p, err := New(pb, lim)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p.bz, bz) {
		return nil, fmt.Errorf("%w: encoding: not canonical (unknown fields, order, or defaults written out)", ErrProgram)
	}
	return p, nil
}

// New validates a program. It keeps a copy of pb.
func New(pb *graphpb.Program, lim Limits) (*Program, error) {
	if err := lim.check(); err != nil {
		return nil, err
	}
	if pb == nil {
		return nil, fmt.Errorf("%w: is nil", ErrProgram)
	}
	if err := noNils(pb); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	bz, err := pb.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: encode: %w", ErrProgram, err)
	}
	if int64(len(bz)) > lim.ProgramBytes {
		return nil, fmt.Errorf("%w: encoding: %d bytes, limit %d", ErrProgram, len(bz), lim.ProgramBytes)
	}
	own := new(graphpb.Program)
	if err := own.Unmarshal(bz); err != nil {
		return nil, fmt.Errorf("%w: encode: %w", ErrProgram, err)
	}
	p := &Program{pb: own, bz: bz, lim: lim, stop: -1, prompt: -1}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	h := sha256.New()
	h.Write([]byte(programDomain))
	h.Write(bz)
	h.Sum(p.hash[:0])
	return p, nil
}

// Hash returns SHA-256("poai/program/1" ‖ canonical encoding).
func (p *Program) Hash() [32]byte { return p.hash }

// Bytes returns the canonical encoding. The caller must not change it.
func (p *Program) Bytes() []byte { return p.bz }

// Proto returns the message. The caller must not change it.
func (p *Program) Proto() *graphpb.Program { return p.pb }

// MaxSteps returns the largest T of a run.
func (p *Program) MaxSteps() uint64 { return p.pb.MaxSteps }

// HasForced reports whether the program has a forced graph.
func (p *Program) HasForced() bool { return p.forced != nil }

// ForcedInput returns the name of the input that decides which steps are forced, "" for none.
func (p *Program) ForcedInput() string { return p.pb.ForcedInput }

// StopState returns the name of the stop state, "" for none.
func (p *Program) StopState() string { return p.pb.StopState }

// OutputNames returns the names of the states that are the result, in order.
func (p *Program) OutputNames() []string { return p.pb.Outputs }

// TimeDependent reports whether any shape, and so the units of a step, depends on the step's number.
func (p *Program) TimeDependent() bool {
	return p.step.dynamic || p.forced != nil && p.forced.dynamic
}

// WeightSpecs returns the declared weights in order.
func (p *Program) WeightSpecs() []WeightSpec {
	out := make([]WeightSpec, len(p.pb.Weights))
	for i, w := range p.pb.Weights {
		out[i] = WeightSpec{Name: w.Name, DType: w.Dtype, Shape: w.Shape}
	}
	return out
}

// InputSpecs returns the declared inputs in order.
func (p *Program) InputSpecs() []InputSpec {
	out := make([]InputSpec, len(p.pb.Inputs))
	for i, in := range p.pb.Inputs {
		out[i] = InputSpec{Name: in.Name, DType: in.Dtype, Shape: in.Shape, VariableRows: in.VariableRows}
		if len(in.DefaultData) > 0 {
			out[i].Default = defaultInput(in)
		}
	}
	return out
}

// StateSpecs returns the declared states in order.
func (p *Program) StateSpecs() []StateSpec {
	out := make([]StateSpec, len(p.pb.States))
	for i, s := range p.pb.States {
		out[i] = StateSpec{Name: s.Name, DType: s.Dtype, Shape: s.Shape, InitWeight: s.InitWeight}
	}
	return out
}

// IsForced reports whether step t of a run whose forced input has rows rows evaluates the forced graph.
func (p *Program) IsForced(t, rows uint64) bool { return p.forced != nil && t+1 < rows }

// NumValues returns the number of results and operands of the step graph, or of the forced graph: what pricing it looks at.
func (p *Program) NumValues(forced bool) uint64 {
	total := uint64(0)
	if g := p.graph(forced); g != nil {
		for i := range g.nodes {
			total += 1 + uint64(len(g.nodes[i].in))
		}
	}
	return total
}

// graph returns the graph of a step; nil when forced is asked for and there is none.
func (p *Program) graph(forced bool) *graph {
	if forced {
		return p.forced
	}
	return p.step
}

// value returns what a ref points at.
func (p *Program) value(g *graph, r ref) Value {
	switch r.kind {
	case graphpb.REF_KIND_NODE:
		return g.nodes[r.index].out
	case graphpb.REF_KIND_WEIGHT:
		w := p.pb.Weights[r.index]
		return Value{DType: w.Dtype, Shape: ConstShape(w.Shape...)}
	case graphpb.REF_KIND_STATE:
		s := p.pb.States[r.index]
		return Value{DType: s.Dtype, Shape: ConstShape(s.Shape...)}
	default:
		in := p.pb.Inputs[r.index]
		return Value{DType: in.Dtype, Shape: ConstShape(in.Shape...), Variable: in.VariableRows}
	}
}
