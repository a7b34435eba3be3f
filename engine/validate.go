package engine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"poaid/engine/graphpb"
)

// validate checks the declarations and compiles the graphs. Errors name the field and the limit.
func (p *Program) validate() error {
	pb := p.pb
	if pb.MaxSteps < 1 || pb.MaxSteps > p.lim.MaxSteps {
		return fmt.Errorf("max_steps: %d must be in 1..%d", pb.MaxSteps, p.lim.MaxSteps)
	}
	if err := p.checkDeclared(); err != nil {
		return err
	}
	if err := p.checkConstBytes(); err != nil {
		return err
	}
	if err := p.checkRoles(); err != nil {
		return err
	}
	var err error
	if pb.Step == nil {
		return errors.New("step: missing")
	}
	if p.step, err = p.compile("step", pb.Step); err != nil {
		return err
	}
	if (pb.Forced != nil) != (pb.ForcedInput != "") {
		return errors.New("forced: the graph and forced_input must be given together")
	}
	if pb.Forced != nil {
		p.forced, err = p.compile("forced", pb.Forced)
	}
	return err
}

// checkDeclared checks the weights, inputs and states.
func (p *Program) checkDeclared() error {
	pb := p.pb
	names := make(map[string]bool)
	total := uint64(0)
	for i, w := range pb.Weights {
		size, err := p.checkSpec(names, i, w.Name, w.Dtype, w.Shape)
		if err != nil {
			return fmt.Errorf("weights[%d]: %w", i, err)
		}
		if total += size; total > uint64(p.lim.WeightBytes) {
			return fmt.Errorf("weights[%d] %q: weights take more than %d bytes", i, w.Name, p.lim.WeightBytes)
		}
	}
	weights := make(map[string]*graphpb.TensorSpec, len(pb.Weights))
	for _, w := range pb.Weights {
		weights[w.Name] = w
	}
	names = make(map[string]bool)
	for i, in := range pb.Inputs {
		if _, err := p.checkSpec(names, i, in.Name, in.Dtype, in.Shape); err != nil {
			return fmt.Errorf("inputs[%d]: %w", i, err)
		}
		if len(in.DefaultData) > 0 {
			if _, err := inputRows(in, int64(len(in.DefaultData))); err != nil {
				return fmt.Errorf("inputs[%d] %q: default_data: %w", i, in.Name, err)
			}
		}
	}
	names, total = make(map[string]bool), 0
	for i, s := range pb.States {
		size, err := p.checkSpec(names, i, s.Name, s.Dtype, s.Shape)
		if err != nil {
			return fmt.Errorf("states[%d]: %w", i, err)
		}
		if total += size; total > uint64(p.lim.StateBytes) {
			return fmt.Errorf("states[%d] %q: states take more than %d bytes", i, s.Name, p.lim.StateBytes)
		}
		if s.InitWeight == "" {
			continue
		}
		ws := weights[s.InitWeight]
		if ws == nil {
			return fmt.Errorf("states[%d] %q: init_weight: no weight %q", i, s.Name, s.InitWeight)
		}
		if ws.Dtype != s.Dtype || !equalInts(ws.Shape, s.Shape) {
			return fmt.Errorf("states[%d] %q: init_weight %q is %s%v, the state is %s%v",
				i, s.Name, ws.Name, ws.Dtype, ws.Shape, s.Dtype, s.Shape)
		}
	}
	return nil
}

// checkSpec checks entry i of one kind of declaration and returns its size in bytes.
func (p *Program) checkSpec(names map[string]bool, i int, name string, dt DType, shape []int64) (uint64, error) {
	if i >= p.lim.Declared {
		return 0, fmt.Errorf("more than %d declared", p.lim.Declared)
	}
	if err := p.checkName(name); err != nil {
		return 0, fmt.Errorf("name: %w", err)
	}
	if name == "" || names[name] {
		return 0, fmt.Errorf("name: %q is empty or used twice", name)
	}
	names[name] = true
	size, err := p.checkValue(Value{DType: dt, Shape: ConstShape(shape...)})
	if err != nil {
		return 0, fmt.Errorf("%q: %w", name, err)
	}
	return uint64(size), nil
}

// checkName refuses long names and anything but visible ASCII.
func (p *Program) checkName(name string) error {
	if len(name) > p.lim.NameBytes {
		return fmt.Errorf("%d bytes, limit %d", len(name), p.lim.NameBytes)
	}
	for i := range len(name) {
		if name[i] < 0x21 || name[i] > 0x7e {
			return fmt.Errorf("byte %#02x at %d is not visible ASCII", name[i], i)
		}
	}
	return nil
}

// checkValue checks dtype and shape at every step and returns the size in bytes at the last step, the largest.
func (p *Program) checkValue(v Value) (int64, error) {
	if SizeOf(v.DType) == 0 {
		return 0, fmt.Errorf("dtype: %d is not an element type", int32(v.DType))
	}
	if len(v.Shape) < 1 || len(v.Shape) > p.lim.Rank {
		return 0, fmt.Errorf("shape: rank %d must be in 1..%d", len(v.Shape), p.lim.Rank)
	}
	last := p.pb.MaxSteps - 1
	for i, d := range v.Shape {
		if err := d.check(last, p.lim.Elements); err != nil {
			return 0, fmt.Errorf("shape[%d]: %w", i, err)
		}
	}
	n, err := Elements(v.Shape.At(last))
	if err != nil {
		return 0, fmt.Errorf("shape: %w", err)
	}
	if n > p.lim.Elements {
		return 0, fmt.Errorf("shape: %s has %d elements, limit %d", v.Shape, n, p.lim.Elements)
	}
	if size := n * SizeOf(v.DType); size > p.lim.TensorBytes {
		return 0, fmt.Errorf("shape: %s of %s takes %d bytes, limit %d", v.Shape, v.DType, size, p.lim.TensorBytes)
	}
	return n * SizeOf(v.DType), nil
}

// checkConstBytes bounds attribute data and input defaults together.
func (p *Program) checkConstBytes() error {
	total := int64(0)
	for _, in := range p.pb.Inputs {
		total += int64(len(in.DefaultData))
	}
	for _, g := range []*graphpb.Graph{p.pb.Step, p.pb.Forced} {
		for _, n := range g.GetNodes() {
			for _, a := range n.Attrs {
				total += int64(len(a.Data))
			}
		}
	}
	if total > p.lim.ConstBytes {
		return fmt.Errorf("attribute data and input defaults take %d bytes, limit %d", total, p.lim.ConstBytes)
	}
	return nil
}

// checkRoles resolves outputs, the stop state and the forced input.
func (p *Program) checkRoles() error {
	pb := p.pb
	if len(pb.Outputs) == 0 {
		return errors.New("outputs: empty")
	}
	states := make(map[string]int, len(pb.States))
	for i, s := range pb.States {
		states[s.Name] = i
	}
	for i, name := range pb.Outputs {
		s, ok := states[name]
		if !ok {
			return fmt.Errorf("outputs[%d]: %q is no state or is listed twice", i, name)
		}
		delete(states, name)
		p.outputs = append(p.outputs, s)
	}
	if pb.StopState != "" {
		p.stop = p.stateIndex(pb.StopState)
		if p.stop < 0 {
			return fmt.Errorf("stop_state: no state %q", pb.StopState)
		}
		if s := pb.States[p.stop]; s.Dtype != I64 || !equalInts(s.Shape, []int64{1}) || s.InitWeight != "" {
			return fmt.Errorf("stop_state: %q must be i64[1] without init_weight", pb.StopState)
		}
	}
	if pb.ForcedInput != "" {
		for i, in := range pb.Inputs {
			if in.Name == pb.ForcedInput {
				p.prompt = i
			}
		}
		if p.prompt < 0 || !pb.Inputs[p.prompt].VariableRows {
			return fmt.Errorf("forced_input: no variable-row input %q", pb.ForcedInput)
		}
	}
	return nil
}

// compile checks one graph.
func (p *Program) compile(name string, pb *graphpb.Graph) (*graph, error) {
	if len(pb.Nodes) > p.lim.Nodes {
		return nil, fmt.Errorf("%s: %d nodes, limit %d", name, len(pb.Nodes), p.lim.Nodes)
	}
	g := &graph{name: name, nodes: make([]node, 0, len(pb.Nodes)), update: make([]int, len(p.pb.States))}
	for i, n := range pb.Nodes {
		c, err := p.compileNode(g, i, n)
		if err != nil {
			return nil, fmt.Errorf("%s.nodes[%d] %q (%s): %w", name, i, n.Name, n.Op, err)
		}
		g.nodes = append(g.nodes, c)
		g.dynamic = g.dynamic || !c.out.Shape.Static()
	}
	for i := range g.update {
		g.update[i] = -1
	}
	last := -1
	for i, u := range pb.Updates {
		if int64(u.State) >= int64(len(p.pb.States)) || int64(u.Node) >= int64(len(g.nodes)) {
			return nil, fmt.Errorf("%s.updates[%d]: state %d or node %d does not exist", name, i, u.State, u.Node)
		}
		if int(u.State) <= last {
			return nil, fmt.Errorf("%s.updates[%d]: state %d is out of order or updated twice", name, i, u.State)
		}
		last = int(u.State)
		s, v := p.pb.States[u.State], g.nodes[u.Node].out
		if v.DType != s.Dtype || !v.Shape.Equal(ConstShape(s.Shape...)) {
			return nil, fmt.Errorf("%s.updates[%d]: node %d is %s%s, state %q is %s%v",
				name, i, u.Node, v.DType, v.Shape, s.Name, s.Dtype, s.Shape)
		}
		g.update[u.State] = int(u.Node)
	}
	g.findCopies()
	return g, nil
}

// compileNode checks node i against the nodes before it.
func (p *Program) compileNode(g *graph, i int, n *graphpb.Node) (node, error) {
	out := node{name: n.Name, op: opByName(n.Op)}
	if err := p.checkName(n.Name); err != nil {
		return out, fmt.Errorf("name: %w", err)
	}
	if out.op == nil {
		return out, errors.New("op: unknown")
	}
	if len(n.Inputs) > p.lim.Operands {
		return out, fmt.Errorf("inputs: %d operands, limit %d", len(n.Inputs), p.lim.Operands)
	}
	if want := out.op.Operands; want >= 0 && len(n.Inputs) != want || want < 0 && len(n.Inputs) < -want {
		return out, fmt.Errorf("inputs: %d operands, want %s", len(n.Inputs), out.op.operandText())
	}
	in := make([]Value, len(n.Inputs))
	for j, r := range n.Inputs {
		rf, err := p.checkRef(i, r)
		if err != nil {
			return out, fmt.Errorf("inputs[%d]: %w", j, err)
		}
		out.in = append(out.in, rf)
		in[j] = p.value(g, rf)
		if in[j].Variable && (j != 0 || !out.op.VariableRows) {
			return out, fmt.Errorf("inputs[%d]: input %q has variable rows, only gather@1 and rows@1 may read it",
				j, p.pb.Inputs[rf.index].Name)
		}
	}
	var err error
	if out.attrs, err = p.checkAttrs(out.op, n.Attrs); err != nil {
		return out, err
	}
	out.out = Value{DType: n.Dtype, Shape: make(Shape, len(n.Shape))}
	for j, d := range n.Shape {
		out.out.Shape[j] = Dim{A: d.A, B: d.B, C: d.C}
	}
	if _, err := p.checkValue(out.out); err != nil {
		return out, err
	}
	return out, checkInfer(out.op, &InferCtx{In: in, Out: out.out, Attrs: out.attrs, MaxT: p.pb.MaxSteps - 1})
}

// checkInfer compares what an op infers with what is declared.
func checkInfer(op *Op, c *InferCtx) error {
	v, err := op.Infer(c)
	if err != nil {
		return err
	}
	if v.DType != c.Out.DType {
		return fmt.Errorf("dtype: declared %s, the op gives %s", c.Out.DType, v.DType)
	}
	if !v.Shape.Equal(c.Out.Shape) {
		return fmt.Errorf("shape: declared %s, the op gives %s", c.Out.Shape, v.Shape)
	}
	return nil
}

func (p *Program) checkRef(i int, r *graphpb.Ref) (ref, error) {
	count := 0
	switch r.Kind {
	case graphpb.REF_KIND_NODE:
		count = i
	case graphpb.REF_KIND_WEIGHT:
		count = len(p.pb.Weights)
	case graphpb.REF_KIND_STATE:
		count = len(p.pb.States)
	case graphpb.REF_KIND_INPUT:
		count = len(p.pb.Inputs)
	default:
		return ref{}, fmt.Errorf("kind: %d is not a kind of operand", int32(r.Kind))
	}
	if int64(r.Index) >= int64(count) {
		return ref{}, fmt.Errorf("index: %s %d, there are %d before this node", r.Kind, r.Index, count)
	}
	return ref{kind: r.Kind, index: int(r.Index)}, nil
}

// checkAttrs requires exactly the op's attributes, in order: no option is left to a default.
func (p *Program) checkAttrs(op *Op, pb []*graphpb.Attr) (Attrs, error) {
	if len(pb) != len(op.Attrs) {
		return nil, fmt.Errorf("attrs: %d given, want exactly %v", len(pb), op.attrNames())
	}
	out := make(Attrs, len(pb))
	for i, a := range pb {
		def := op.Attrs[i]
		if a.Name != def.Name {
			return nil, fmt.Errorf("attrs[%d]: %q, want exactly %v in this order", i, a.Name, op.attrNames())
		}
		if len(a.Ints) > p.lim.AttrInts {
			return nil, fmt.Errorf("attr %s: %d integers, limit %d", a.Name, len(a.Ints), p.lim.AttrInts)
		}
		if err := def.check(a); err != nil {
			return nil, fmt.Errorf("attr %s: %w", a.Name, err)
		}
		out[i] = Attr{Name: a.Name, Ints: a.Ints, Text: a.Text, Data: a.Data}
	}
	return out, nil
}

func (p *Program) weightIndex(name string) int {
	for i, w := range p.pb.Weights {
		if w.Name == name {
			return i
		}
	}
	return -1
}

func (p *Program) stateIndex(name string) int {
	for i, s := range p.pb.States {
		if s.Name == name {
			return i
		}
	}
	return -1
}

// noNils refuses messages that hold nil entries, which no encoding can produce.
func noNils(pb *graphpb.Program) error {
	bad := false
	for _, w := range pb.Weights {
		bad = bad || w == nil
	}
	for _, in := range pb.Inputs {
		bad = bad || in == nil
	}
	for _, s := range pb.States {
		bad = bad || s == nil
	}
	for _, g := range []*graphpb.Graph{pb.Step, pb.Forced} {
		for _, u := range g.GetUpdates() {
			bad = bad || u == nil
		}
		for _, n := range g.GetNodes() {
			if bad = bad || n == nil; bad {
				break
			}
			for _, r := range n.Inputs {
				bad = bad || r == nil
			}
			for _, a := range n.Attrs {
				bad = bad || a == nil
			}
			for _, d := range n.Shape {
				bad = bad || d == nil
			}
		}
	}
	if bad {
		return errors.New("holds a nil entry")
	}
	return nil
}

// scanProgram counts repeated messages before they are allocated: a two-byte empty message costs a hundred bytes once
// decoded.
func scanProgram(bz []byte, lim Limits) error {
	count := make(map[uint64]int)
	return scanFields(bz, func(field uint64, sub []byte) error {
		count[field]++
		if count[field] > lim.Declared {
			return fmt.Errorf("field %d occurs more than %d times", field, lim.Declared)
		}
		if field != 4 && field != 5 {
			return nil
		}
		if count[field] > 1 {
			return fmt.Errorf("field %d occurs twice", field)
		}
		entries := 0
		return scanFields(sub, func(_ uint64, n []byte) error {
			if entries++; entries > lim.Nodes+lim.Declared {
				return fmt.Errorf("field %d: nodes and updates exceed %d", field, lim.Nodes+lim.Declared)
			}
			parts := 0
			return scanFields(n, func(uint64, []byte) error {
				if parts++; parts > lim.Operands+lim.Attrs+lim.Rank+2 {
					return fmt.Errorf("field %d: node %d has more than %d operands, attributes and dimensions",
						field, entries-1, lim.Operands+lim.Attrs+lim.Rank)
				}
				return nil
			})
		})
	})
}

// scanFields calls fn for every length-delimited field of a message and skips varints; other wire types are refused.
func scanFields(bz []byte, fn func(field uint64, sub []byte) error) error {
	for len(bz) > 0 {
		tag, n := binary.Uvarint(bz)
		if n <= 0 {
			return errors.New("truncated tag")
		}
		bz = bz[n:]
		v, n := binary.Uvarint(bz)
		if n <= 0 {
			return errors.New("truncated value")
		}
		bz = bz[n:]
		switch tag & 7 {
		case 0:
		case 2:
			if v > uint64(len(bz)) {
				return errors.New("truncated field")
			}
			if err := fn(tag>>3, bz[:v]); err != nil {
				return err
			}
			bz = bz[v:]
		default:
			return fmt.Errorf("field %d has wire type %d", tag>>3, tag&7)
		}
	}
	return nil
}
