package quantise

import (
	"errors"
	"fmt"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	"poaid/model"
)

// ErrQuantise is wrapped by every error about a model that cannot be quantised.
var ErrQuantise = errors.New("cannot quantise")

// rewriter builds a program out of another one, node by node.
type rewriter struct {
	src     *engine.Program
	old     []*engine.Tensor // weights of src
	b       *nn.Builder
	weights []nn.Value // by index in src; not valid where nothing reads the float weight any more
	inputs  []nn.Value
	states  []nn.Value
	tensors map[string]*engine.Tensor // weights of the new program
}

// newRewriter declares everything but the weights.
func newRewriter(p *model.Package) *rewriter {
	r := &rewriter{
		src: p.Program, old: p.Weights.Tensors(), b: nn.NewBuilder(p.Program.MaxSteps()),
		weights: make([]nn.Value, len(p.Program.WeightSpecs())), tensors: make(map[string]*engine.Tensor),
	}
	for _, s := range p.Program.InputSpecs() {
		r.inputs = append(r.inputs, r.b.InputLike(s))
	}
	for _, s := range p.Program.StateSpecs() {
		r.states = append(r.states, r.b.StateLike(s))
	}
	return r
}

// weight declares a weight of the new program.
func (r *rewriter) weight(name string, t *engine.Tensor) nn.Value {
	r.tensors[name] = t
	return r.b.Weight(name, t.DType(), t.Shape()...)
}

// keep declares weight i as it was.
func (r *rewriter) keep(i int) {
	r.weights[i] = r.weight(r.src.WeightSpecs()[i].Name, r.old[i])
}

// graph is a graph of the source.
func (r *rewriter) graph(forced bool) *graphpb.Graph {
	if forced {
		return r.src.Proto().Forced
	}
	return r.src.Proto().Step
}

// target returns the graph under construction.
func (r *rewriter) target(forced bool) (*nn.Graph, error) {
	if !forced {
		return r.b.Step(), nil
	}
	for i, s := range r.src.InputSpecs() {
		if s.Name == r.src.ForcedInput() {
			return r.b.Forced(r.inputs[i]), nil
		}
	}
	return nil, fmt.Errorf("%w: forced input %q is not declared", ErrQuantise, r.src.ForcedInput())
}

// outside returns the value of a reference that is no node.
func (r *rewriter) outside(ref *graphpb.Ref) nn.Value {
	switch ref.Kind {
	case graphpb.REF_KIND_WEIGHT:
		return r.weights[ref.Index]
	case graphpb.REF_KIND_STATE:
		return r.states[ref.Index]
	default:
		return r.inputs[ref.Index]
	}
}

// emit appends a node as it was, with other operands.
func emit(g *nn.Graph, n *graphpb.Node, in []nn.Value) nn.Value { return emitAs(g, n, n.Dtype, in) }

// emitAs appends it with another dtype.
func emitAs(g *nn.Graph, n *graphpb.Node, dt engine.DType, in []nn.Value) nn.Value {
	attrs := make([]engine.Attr, len(n.Attrs))
	for i, a := range n.Attrs {
		attrs[i] = engine.Attr{Name: a.Name, Ints: a.Ints, Text: a.Text, Data: a.Data}
	}
	out := engine.Value{DType: dt}
	for _, d := range n.Shape {
		out.Shape = append(out.Shape, engine.Dim{A: d.A, B: d.B, C: d.C})
	}
	g.Scope(n.Name)
	return g.Node(n.Op, attrs, out, in...)
}

// finish makes the package; how says what was done to it.
func (r *rewriter) finish(p *model.Package, how string) (*model.Package, error) {
	byName := make(map[string]nn.Value, len(r.states))
	for i, s := range r.src.StateSpecs() {
		byName[s.Name] = r.states[i]
	}
	for _, name := range r.src.OutputNames() {
		r.b.Output(byName[name])
	}
	if s := r.src.StopState(); s != "" {
		r.b.StopState(byName[s])
	}
	prog, err := r.b.Build(engine.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuantise, err)
	}
	meta := p.Meta
	meta.Settings = make(map[string]string, len(p.Meta.Settings)+1)
	for k, v := range p.Meta.Settings {
		meta.Settings[k] = v
	}
	meta.Settings["quantised"] = how
	return model.New(meta, prog, r.tensors, p.Tokenizer)
}

// ints returns an attribute's integers.
func ints(n *graphpb.Node, name string) []int64 {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Ints
		}
	}
	return nil
}

// flag reports whether an attribute is 1.
func flag(n *graphpb.Node, name string) bool {
	v := ints(n, name)
	return len(v) == 1 && v[0] == 1
}

// Report says what became of a model's weights.
type Report struct {
	// Method is dynamic or static.
	Method string `json:"method"`
	// Quantised are the weights that are i8 now; Kept those that stay f32, with the reason.
	Quantised []string `json:"quantised"`
	Kept      []Kept   `json:"kept"`
	// BytesBefore and BytesAfter are the bytes of all weights.
	BytesBefore int64 `json:"bytes_before"`
	BytesAfter  int64 `json:"bytes_after"`
}

// Kept is a weight that stays as it was.
type Kept struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// size is the bytes of all weights of a package.
func size(p *model.Package) (n int64) {
	for _, t := range p.Weights.Tensors() {
		n += int64(len(t.Bytes()))
	}
	return n
}
