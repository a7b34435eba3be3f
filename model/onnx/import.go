package onnx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// Versions of the default operator set whose semantics the converters know.
const (
	MinOpset = 7
	MaxOpset = 20
)

// maxListed bounds how many nodes an error names.
const maxListed = 10

// Options of an import.
type Options struct {
	// Name is what the model is called; empty: "onnx".
	Name string
	// Shapes fix the inputs' shapes by name. An input whose shape the file leaves open must have one.
	Shapes map[string][]int64
	// Limits of the program; the zero value means engine.DefaultLimits.
	Limits engine.Limits
}

// Import turns a file into a package: one step that maps the graph's inputs to its outputs, which are states of the same names (a
// scalar is f32[1]). Dimensions are fixed by o.Shapes. What is known at import is computed at import: shapes and what is computed from
// them, subgraphs of constants, batch normalisation and other affine maps per channel into the weights of convolutions.
func Import(data []byte, o Options) (*model.Package, error) {
	m, err := Parse(data)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	lim := o.Limits
	if lim.Nodes == 0 {
		lim = engine.DefaultLimits()
	}
	c := newConverter(m.Opset)
	inputs, err := c.run(m.Graph, o.Shapes)
	if err != nil {
		return nil, err
	}
	outputs, err := c.outputs(m.Graph)
	if err != nil {
		return nil, err
	}
	prog, err := c.b.Build(lim)
	if err != nil {
		return nil, fmt.Errorf("the graph as a program: %w", err)
	}
	meta := model.Meta{
		Name: o.Name, Description: fmt.Sprintf("ONNX graph, opset %d: %s to %s", m.Opset, strings.Join(inputs, ", "), strings.Join(outputs, ", ")),
		Settings: map[string]string{"architecture": "onnx", "opset": strconv.FormatInt(m.Opset, 10)},
	}
	if meta.Name == "" {
		meta.Name = "onnx"
	}
	if len(m.Producer) > 0 {
		meta.Provenance = "exported by " + strconv.QuoteToASCII(m.Producer)
	}
	for _, name := range prog.OutputNames() {
		meta.Outputs = append(meta.Outputs, model.Output{Name: name})
	}
	return model.New(meta, prog, used(prog, c.weights), nil)
}

// used leaves out weights of nodes that nothing reads.
func used(p *engine.Program, all map[string]*engine.Tensor) map[string]*engine.Tensor {
	out := map[string]*engine.Tensor{}
	for _, w := range p.WeightSpecs() {
		out[w.Name] = all[w.Name]
	}
	return out
}

// check refuses what no conversion is tried of.
func (m *Model) check() error {
	switch {
	case m.Opset < MinOpset || m.Opset > MaxOpset:
		return fmt.Errorf("opset %d: want %d to %d; convert the model (onnx.version_converter) or export it again: %w", m.Opset, MinOpset, MaxOpset, ErrUnsupported)
	case m.Functions > 0:
		return fmt.Errorf("the model defines %d functions; export it with them inlined (onnx.inliner): %w", m.Functions, ErrUnsupported)
	case m.Graph.Sparse > 0:
		return fmt.Errorf("the graph has %d sparse initialisers; make them dense: %w", m.Graph.Sparse, ErrUnsupported)
	}
	return nil
}

// run converts all nodes that the outputs need and describes the inputs.
func (c *converter) run(g *Graph, shapes map[string][]int64) ([]string, error) {
	consts, err := knownTensors(g)
	if err != nil {
		return nil, err
	}
	nodes := fuse(g, consts)
	needed, err := reach(g, nodes)
	if err != nil {
		return nil, err
	}
	if err := unknownOps(g.Nodes, nodes, needed); err != nil {
		return nil, err
	}
	for i, n := range nodes {
		if needed[i] {
			for _, in := range n.Inputs {
				c.uses[in]++
			}
		}
	}
	for _, out := range g.Outputs {
		c.uses[out.Name]++
	}
	for name, t := range consts {
		c.vals[name] = &val{host: t, name: name, uses: c.uses[name]}
	}
	inputs, err := c.inputs(g, consts, shapes)
	if err != nil {
		return nil, err
	}
	for i, n := range nodes {
		if !needed[i] || n.Op == "Constant" && consts[n.Outputs[0]] != nil {
			continue
		}
		if err := c.node(n); err != nil {
			return nil, fmt.Errorf("node %d %q (%s): %w", i, n.Name, n.Op, err)
		}
	}
	return inputs, nil
}

// knownTensors decodes initialisers, and constants that are tensors.
func knownTensors(g *Graph) (map[string]*engine.Tensor, error) {
	consts := map[string]*engine.Tensor{}
	for i, t := range g.Initializers {
		host, err := t.decode()
		if err != nil {
			return nil, fmt.Errorf("%w: initializer[%d] %.60q: %w", ErrFile, i, t.Name, err)
		}
		consts[t.Name] = host
	}
	for i, n := range g.Nodes {
		if a := n.Attrs["value"]; n.Op == "Constant" && a != nil && a.T != nil && len(n.Outputs) == 1 {
			host, err := a.T.decode()
			if err != nil {
				return nil, fmt.Errorf("%w: node %d %q (Constant): attribute value: %w", ErrFile, i, n.Name, err)
			}
			consts[n.Outputs[0]] = host
		}
	}
	return consts, nil
}

// reach marks the nodes that outputs are computed from. Nodes must come after what they read, as ONNX asks.
func reach(g *Graph, nodes []*Node) ([]bool, error) {
	by, needed := map[string]int{}, make([]bool, len(nodes))
	for i, n := range nodes {
		for _, out := range n.Outputs {
			if out == "" {
				continue
			}
			if _, twice := by[out]; twice {
				return nil, fmt.Errorf("%w: node %d %q: output %q is computed twice", ErrFile, i, n.Name, out)
			}
			by[out] = i
		}
	}
	for _, o := range g.Outputs {
		if i, ok := by[o.Name]; ok {
			needed[i] = true
		}
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		if !needed[i] {
			continue
		}
		for _, in := range nodes[i].Inputs {
			j, ok := by[in]
			if ok && j >= i {
				return nil, fmt.Errorf("%w: node %d %q: reads %q, which node %d computes; nodes must be in order", ErrFile, i, nodes[i].Name, in, j)
			}
			if ok {
				needed[j] = true
			}
		}
	}
	return needed, nil
}

// unknownOps names every node whose op cannot be imported.
func unknownOps(given, nodes []*Node, needed []bool) error {
	var list []string
	more := 0
	for i, n := range nodes {
		if !needed[i] {
			continue
		}
		domain := n.Domain != "" && n.Domain != "ai.onnx"
		own := strings.HasPrefix(given[i].Op, "(") // the importer's names are not for files
		if (table[n.Op] != nil || multi[n.Op] != nil) && !domain && !own {
			continue
		}
		if len(list) == maxListed {
			more++
			continue
		}
		name := n.Op
		if domain {
			name = n.Domain + "." + n.Op
		}
		list = append(list, fmt.Sprintf("node %d %q (%.60s)", i, n.Name, name))
	}
	if list == nil {
		return nil
	}
	rest := ""
	if more > 0 {
		rest = fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("ops that are %w: %s%s; cut the graph before them (onnx.utils.extract_model), or export it with ops that are: %s",
		ErrUnsupported, strings.Join(list, ", "), rest, strings.Join(Ops(), " "))
}

// setScope names the nodes that follow.
func (c *converter) setScope(name string) {
	c.current = name
	c.g.Scope(name)
}

// label is what nodes made of n are called.
func label(n *Node) string {
	name := n.Name
	if name == "" && len(n.Outputs) > 0 {
		name = n.Outputs[0]
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, name[:min(len(name), 100)])
}

// node converts one node and stores its results.
func (c *converter) node(n *Node) error {
	if len(n.Outputs) == 0 {
		return fmt.Errorf("%w: has no output", ErrFile)
	}
	in := make([]*val, len(n.Inputs))
	known := len(in) > 0
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		if in[i] = c.vals[name]; in[i] == nil {
			return fmt.Errorf("%w: reads %q, which is neither an input nor computed before", ErrFile, name)
		}
		known = known && in[i].host != nil
	}
	c.setScope(label(n))
	defer c.setScope("")
	out, err := c.convert(n, in, known)
	if err != nil {
		return err
	}
	for i, name := range n.Outputs {
		if name == "" || i >= len(out) {
			if name != "" && c.uses[name] > 0 {
				return fmt.Errorf("output %d (%q) is used: %w", i, name, ErrUnsupported)
			}
			continue
		}
		out[i].uses += c.uses[name]
		c.vals[name] = out[i]
	}
	return nil
}

// convert runs the converter of a node, in a graph of its own where all operands are known.
func (c *converter) convert(n *Node, in []*val, known bool) ([]*val, error) {
	on := c
	if known {
		on = newConverter(c.opset)
		on.uses, on.folded = map[string]int{}, c.folded
		on.setScope(c.current)
	}
	k := &call{converter: on, n: n, in: in, read: map[string]bool{}}
	var out []*val
	switch f := table[n.Op]; {
	case known && (n.Op == "Div" || n.Op == "Mod") && len(in) == 2 && in[0] != nil && in[1] != nil && in[0].dtype() != engine.F32:
		k.ignore("fmod")
		if v := divideIntegers(k); v != nil {
			out = []*val{v}
		} else {
			k.refuse("operands %v and %v", in[0].shape(), in[1].shape())
		}
	case f != nil:
		if v := f(k); v != nil {
			out = []*val{v}
		}
	default:
		out = multi[n.Op](k)
	}
	if k.err != nil {
		return nil, k.err
	}
	for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
		if !k.read[name] {
			return nil, fmt.Errorf("attribute %s: %w", name, ErrUnsupported)
		}
	}
	if err := on.b.Err(); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errors.New("no result")
	}
	c.folded = max(c.folded, on.folded)
	if !known {
		return out, nil
	}
	return out, c.compute(on, in, out)
}

// compute runs the graph of a node whose operands are known, by the engine itself, and makes its results known.
//
// What a result has more than its operands, each taken once, counts against the budget: a transposed weight is free, a constant that is
// repeated is not.
func (c *converter) compute(on *converter, in, out []*val) error {
	var states []nn.Value
	var pending []*val
	free, seen := int64(0), map[*engine.Tensor]bool{}
	for _, x := range in {
		if x != nil && !seen[x.host] {
			seen[x.host] = true
			free += x.host.Len()
		}
	}
	for i, x := range out {
		if x.host != nil {
			continue
		}
		shape := on.value(x).Shape().At(0)
		n, err := checkShape(shape)
		if err != nil {
			return err
		}
		if !c.budget(max(n-free, 0)) {
			return fmt.Errorf("a constant of shape %v: computed at import are at most %d elements", shape, maxKnown)
		}
		free = max(free-n, 0)
		s := on.b.State(strconv.Itoa(i), x.dtype(), shape...)
		on.g.Update(s, on.value(x))
		on.b.Output(s)
		states, pending = append(states, s), append(pending, x)
	}
	if len(states) == 0 {
		return nil
	}
	prog, err := on.b.Build(engine.DefaultLimits())
	if err != nil {
		return err
	}
	weights, err := engine.WeightsByName(prog, used(prog, on.weights))
	if err != nil {
		return err
	}
	res, err := engine.Execute(context.Background(), prog, weights, nil, 1, engine.RunOptions{Threads: 1})
	if err != nil {
		return err
	}
	for i, x := range pending {
		t := res.Outputs[i].Tensor
		if x.rank() == 0 {
			t = reshaped(t)
		}
		*x = val{host: t, name: c.scope() + "value"}
	}
	return nil
}

// outputs makes the graph's outputs states.
func (c *converter) outputs(g *Graph) ([]string, error) {
	var list []string
	taken := map[string]bool{}
	c.taken = taken // states have names of their own
	for _, o := range g.Outputs {
		x := c.vals[o.Name]
		if x == nil {
			return nil, fmt.Errorf("%w: output %q is not computed", ErrFile, o.Name)
		}
		v := c.value(x)
		if !v.Valid() {
			break // Build tells why
		}
		name, shape := c.unique(o.Name, "output"), v.Shape().At(0)
		s := c.b.State(name, v.DType(), shape...)
		c.g.Update(s, v)
		c.b.Output(s)
		list = append(list, fmt.Sprintf("%s %s%v", name, strings.ToLower(strings.TrimPrefix(v.DType().String(), "DTYPE_")), shape))
	}
	if len(g.Outputs) == 0 {
		return nil, fmt.Errorf("%w: the graph has no output", ErrFile)
	}
	return list, nil
}
