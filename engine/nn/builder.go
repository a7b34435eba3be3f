package nn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"

	"poaid/engine"
	"poaid/engine/graphpb"
)

// Builder collects a program. The first error is kept and returned by Build; after it every method is harmless, so
// that graphs can be written without an error check a line.
type Builder struct {
	pb     *graphpb.Program
	step   *Graph
	forced *Graph
	err    error
}

// NewBuilder starts a program of at most maxSteps steps.
func NewBuilder(maxSteps uint64) *Builder {
	b := &Builder{pb: &graphpb.Program{MaxSteps: maxSteps}}
	b.step = newGraph(b, "step")
	return b
}

// Value is a typed handle of an operand: a node of one graph, or a weight, input or state, which every graph can read.
type Value struct {
	g     *Graph // nil for weights, inputs and states
	kind  graphpb.RefKind
	index int
	v     engine.Value
}

// Valid reports whether v stands for something; the zero Value does not.
func (v Value) Valid() bool { return v.kind != graphpb.REF_KIND_UNSPECIFIED }

// DType returns the element type.
func (v Value) DType() engine.DType { return v.v.DType }

// Shape returns the shape; the caller must not change it.
func (v Value) Shape() engine.Shape { return v.v.Shape }

// Rank returns the number of dimensions.
func (v Value) Rank() int { return len(v.v.Shape) }

// Dim returns dimension i, counted from the end when negative.
func (v Value) Dim(i int) engine.Dim {
	if i < 0 {
		i += len(v.v.Shape)
	}
	if i < 0 || i >= len(v.v.Shape) {
		return engine.Dim{}
	}
	return v.v.Shape[i]
}

// key identifies what v stands for.
type key struct {
	kind  graphpb.RefKind
	index int
}

func (v Value) key() key { return key{v.kind, v.index} }

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// Weight declares a weight.
func (b *Builder) Weight(name string, dt engine.DType, shape ...int64) Value {
	b.pb.Weights = append(b.pb.Weights, &graphpb.TensorSpec{Name: name, Dtype: dt, Shape: shape})
	return Value{kind: graphpb.REF_KIND_WEIGHT, index: len(b.pb.Weights) - 1, v: engine.Value{DType: dt, Shape: engine.ConstShape(shape...)}}
}

// Input declares a required input.
func (b *Builder) Input(name string, dt engine.DType, shape ...int64) Value {
	return b.input(&graphpb.InputSpec{Name: name, Dtype: dt, Shape: shape})
}

// RowsInput declares a required input with 1 to shape[0] rows.
func (b *Builder) RowsInput(name string, dt engine.DType, shape ...int64) Value {
	return b.input(&graphpb.InputSpec{Name: name, Dtype: dt, Shape: shape, VariableRows: true})
}

// InputDefault declares an input that holds def when it is left out.
func (b *Builder) InputDefault(name string, def *engine.Tensor) Value {
	return b.input(&graphpb.InputSpec{Name: name, Dtype: def.DType(), Shape: def.Shape(), DefaultData: def.Bytes()})
}

func (b *Builder) input(s *graphpb.InputSpec) Value {
	b.pb.Inputs = append(b.pb.Inputs, s)
	return Value{
		kind: graphpb.REF_KIND_INPUT, index: len(b.pb.Inputs) - 1,
		v: engine.Value{DType: s.Dtype, Shape: engine.ConstShape(s.Shape...), Variable: s.VariableRows},
	}
}

// InputLike declares an input as another program does.
func (b *Builder) InputLike(s engine.InputSpec) Value {
	pb := &graphpb.InputSpec{Name: s.Name, Dtype: s.DType, Shape: s.Shape, VariableRows: s.VariableRows}
	if s.Default != nil {
		pb.DefaultData = s.Default.Bytes()
	}
	return b.input(pb)
}

// StateLike declares a state as another program does. A weight that it starts as must be declared too.
func (b *Builder) StateLike(s engine.StateSpec) Value {
	v := b.State(s.Name, s.DType, s.Shape...)
	b.pb.States[v.index].InitWeight = s.InitWeight
	return v
}

// State declares a state that starts as zero bytes.
func (b *Builder) State(name string, dt engine.DType, shape ...int64) Value {
	b.pb.States = append(b.pb.States, &graphpb.StateSpec{Name: name, Dtype: dt, Shape: shape})
	return Value{kind: graphpb.REF_KIND_STATE, index: len(b.pb.States) - 1, v: engine.Value{DType: dt, Shape: engine.ConstShape(shape...)}}
}

// StateFrom declares a state that starts as a weight, which is declared with the same name.
func (b *Builder) StateFrom(name string, dt engine.DType, shape ...int64) Value {
	b.Weight(name, dt, shape...)
	s := b.State(name, dt, shape...)
	b.pb.States[s.index].InitWeight = name
	return s
}

// Step returns the graph of every step that is not forced.
func (b *Builder) Step() *Graph { return b.step }

// Forced returns the graph of the steps before the last row of prompt, a RowsInput; it is made on the first call.
func (b *Builder) Forced(prompt Value) *Graph {
	if b.forced == nil {
		b.forced = newGraph(b, "forced")
		if prompt.kind != graphpb.REF_KIND_INPUT {
			b.fail("forced: prompt is not an input")
			return b.forced
		}
		b.pb.ForcedInput = b.pb.Inputs[prompt.index].Name
	}
	return b.forced
}

// StopState names the i64[1] state that ends a run once a graph sets it to a number above 0.
func (b *Builder) StopState(s Value) {
	if name, ok := b.stateName(s); ok {
		b.pb.StopState = name
	}
}

// Output makes a state part of the result.
func (b *Builder) Output(s Value) {
	if name, ok := b.stateName(s); ok {
		b.pb.Outputs = append(b.pb.Outputs, name)
	}
}

func (b *Builder) stateName(s Value) (string, bool) {
	if s.kind != graphpb.REF_KIND_STATE {
		b.fail("a value that is not a state is used as one")
		return "", false
	}
	return b.pb.States[s.index].Name, true
}

// Err returns the first error so far, which Build will return.
func (b *Builder) Err() error { return b.err }

// Build returns the validated program. Nodes that nothing reads are left out.
func (b *Builder) Build(lim engine.Limits) (*engine.Program, error) {
	if b.err != nil {
		return nil, b.err
	}
	pb := *b.pb
	pb.Step = b.step.prune()
	if b.forced != nil {
		pb.Forced = b.forced.prune()
	}
	return engine.New(&pb, lim)
}

// Graph is one graph under construction. Its methods append nodes; a node equal to an earlier one is that one.
type Graph struct {
	b      *Builder
	name   string
	nodes  []*graphpb.Node
	vals   []engine.Value
	seen   map[string]int
	macros map[int]macro
	update map[int]int
	scope  string
}

// macro is a group of nodes with a gradient of its own: grad gives the contributions to inputs for the gradient of the
// last node.
type macro struct {
	inputs []Value
	grad   func(dy Value) []Value
}

func newGraph(b *Builder, name string) *Graph {
	return &Graph{b: b, name: name, seen: make(map[string]int), macros: make(map[int]macro), update: make(map[int]int)}
}

// Scope sets the prefix of the names of the nodes that follow.
func (g *Graph) Scope(name string) { g.scope = name }

// Update makes v the next value of state s.
func (g *Graph) Update(s, v Value) {
	if s.kind != graphpb.REF_KIND_STATE {
		g.b.fail("%s: update of a value that is not a state", g.name)
		return
	}
	if v.kind != graphpb.REF_KIND_NODE {
		v = g.Reshape(v, v.Shape()...) // a node of its own
	}
	if v.Valid() {
		g.update[s.index] = v.index
	}
}

// Node appends any op. out gives the declared dtype and shape of ops that need them (const, reshape, cast, …) and may
// be zero for others. attrs need not be sorted.
func (g *Graph) Node(op string, attrs []engine.Attr, out engine.Value, in ...Value) Value {
	if g.b.err != nil {
		return Value{}
	}
	def, ok := engine.LookupOp(op)
	if !ok {
		g.b.fail("%s: op %q does not exist", g.name, op)
		return Value{}
	}
	sort.Slice(attrs, func(i, j int) bool { return attrs[i].Name < attrs[j].Name })
	c := &engine.InferCtx{Attrs: attrs, Out: out, MaxT: g.b.pb.MaxSteps - 1}
	n := &graphpb.Node{Name: g.scope, Op: op}
	for i, v := range in {
		if !v.Valid() || v.kind == graphpb.REF_KIND_NODE && v.g != g {
			g.b.fail("%s node %d (%s): operand %d is missing or belongs to another graph", g.name, len(g.nodes), op, i)
			return Value{}
		}
		c.In = append(c.In, v.v)
		n.Inputs = append(n.Inputs, &graphpb.Ref{Kind: v.kind, Index: uint32(v.index)})
	}
	v, err := inferNode(def, c)
	if err != nil {
		g.b.fail("%s node %d %q (%s): %w", g.name, len(g.nodes), g.scope, op, err)
		return Value{}
	}
	n.Dtype = v.DType
	for _, a := range attrs {
		n.Attrs = append(n.Attrs, &graphpb.Attr{Name: a.Name, Ints: a.Ints, Text: a.Text, Data: a.Data})
	}
	for _, d := range v.Shape {
		n.Shape = append(n.Shape, &graphpb.Dim{A: d.A, B: d.B, C: d.C})
	}
	id := identity(n)
	if i, ok := g.seen[id]; ok {
		return Value{g: g, kind: graphpb.REF_KIND_NODE, index: i, v: g.vals[i]}
	}
	g.nodes, g.vals = append(g.nodes, n), append(g.vals, v)
	g.seen[id] = len(g.nodes) - 1
	return Value{g: g, kind: graphpb.REF_KIND_NODE, index: len(g.nodes) - 1, v: v}
}

// inferNode checks what Infer takes for granted, and infers.
func inferNode(op *engine.Op, c *engine.InferCtx) (engine.Value, error) {
	if len(c.Attrs) != len(op.Attrs) {
		return engine.Value{}, fmt.Errorf("%d attributes, want %d", len(c.Attrs), len(op.Attrs))
	}
	for i, a := range op.Attrs {
		if c.Attrs[i].Name != a.Name || a.Type == engine.AttrInts && a.Len >= 0 && len(c.Attrs[i].Ints) != a.Len {
			return engine.Value{}, fmt.Errorf("attribute %q: want %q with %d integers", c.Attrs[i].Name, a.Name, a.Len)
		}
	}
	if n := op.Operands; n >= 0 && len(c.In) != n || n < 0 && len(c.In) < -n {
		return engine.Value{}, errors.New("wrong number of operands")
	}
	return op.Infer(c)
}

// identity is equal for nodes that compute the same: everything but the name.
func identity(n *graphpb.Node) string {
	var s strings.Builder
	s.WriteString(n.Op)
	num := func(v int64) { s.Write(binary.AppendVarint([]byte{'|'}, v)) }
	for _, r := range n.Inputs {
		num(int64(r.Kind))
		num(int64(r.Index))
	}
	for _, a := range n.Attrs {
		s.WriteString("|" + a.Name + "=" + a.Text)
		num(int64(len(a.Data)))
		s.Write(a.Data)
		for _, v := range a.Ints {
			num(v)
		}
	}
	num(int64(n.Dtype))
	for _, d := range n.Shape {
		num(d.A)
		num(d.B)
		num(d.C)
	}
	return s.String()
}

// prune returns the graph with only the nodes that an update needs, in the same order.
func (g *Graph) prune() *graphpb.Graph {
	need := make([]bool, len(g.nodes))
	states := make([]int, 0, len(g.update))
	for s, n := range g.update {
		need[n] = true
		states = append(states, s)
	}
	sort.Ints(states)
	for i := len(g.nodes) - 1; i >= 0; i-- {
		if !need[i] {
			continue
		}
		for _, r := range g.nodes[i].Inputs {
			if r.Kind == graphpb.REF_KIND_NODE {
				need[r.Index] = true
			}
		}
	}
	out, place := &graphpb.Graph{}, make([]uint32, len(g.nodes))
	for i, n := range g.nodes {
		if !need[i] {
			continue
		}
		place[i] = uint32(len(out.Nodes))
		c := *n
		c.Inputs = make([]*graphpb.Ref, len(n.Inputs))
		for j, r := range n.Inputs {
			c.Inputs[j] = &graphpb.Ref{Kind: r.Kind, Index: r.Index}
			if r.Kind == graphpb.REF_KIND_NODE {
				c.Inputs[j].Index = place[r.Index]
			}
		}
		out.Nodes = append(out.Nodes, &c)
	}
	for _, s := range states {
		out.Updates = append(out.Updates, &graphpb.Update{State: uint32(s), Node: place[g.update[s]]})
	}
	return out
}

func ints(name string, v ...int64) engine.Attr { return engine.Attr{Name: name, Ints: v} }

func text(name, v string) engine.Attr { return engine.Attr{Name: name, Text: v} }

func f32Bytes(v float32) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
}
