package nn

import (
	"fmt"
	"slices"

	"poaid/engine"
	"poaid/engine/graphpb"
)

// Inlined is a net that an inference program of one step is: its f32 weights are the parameters. Programs compute on a
// fixed number of rows; a batch of n samples is n/rows copies of the step graph that share their weights.
type Inlined struct {
	prog   *engine.Program
	in     int // index of the input
	out    int // node that gives the output
	probs  bool
	sample []int64
	rows   int64
	width  int64
}

// InlineOptions say how a program is a net.
type InlineOptions struct {
	// Input and Output name the input with the samples and the output with the logits. Every other input must have a default.
	Input, Output string
	// Rows is how many samples the input holds in its first dimension; 0: it is one sample, as a whole.
	Rows int64
	// Probabilities says that the output is a softmax's: its logarithm is taken.
	Probabilities bool
}

// Inline makes a net of a program. It must have no forced graph, and compute the output at its first step.
func Inline(prog *engine.Program, o InlineOptions) (*Inlined, error) {
	pb := prog.Proto()
	n := &Inlined{prog: prog, probs: o.Probabilities}
	if pb.Forced != nil {
		return nil, fmt.Errorf("program: it has a forced graph, want one of a single step")
	}
	n.in = slices.IndexFunc(pb.Inputs, func(s *graphpb.InputSpec) bool { return s.Name == o.Input })
	if n.in < 0 {
		return nil, fmt.Errorf("input: the program has no %.80q", o.Input)
	}
	for i, s := range pb.Inputs {
		if s.VariableRows || i != n.in && len(s.DefaultData) == 0 {
			return nil, fmt.Errorf("input: %q has rows that vary or no default", s.Name)
		}
	}
	n.out = -1
	for _, u := range pb.Step.Updates {
		if pb.States[u.State].Name == o.Output {
			n.out = int(u.Node)
		}
	}
	if !slices.Contains(pb.Outputs, o.Output) || n.out < 0 {
		return nil, fmt.Errorf("output: %.80q is not an output that the step computes", o.Output)
	}
	return n, n.shape(o)
}

// shape works out the sizes of a sample and of its output.
func (n *Inlined) shape(o InlineOptions) error {
	pb := n.prog.Proto()
	in, res := pb.Inputs[n.in], pb.Step.Nodes[n.out]
	n.rows, n.sample = max(o.Rows, 1), in.Shape
	if o.Rows > 0 {
		if in.Shape[0] != o.Rows {
			return fmt.Errorf("input: %q has %d rows, want %d", in.Name, in.Shape[0], o.Rows)
		}
		if n.sample = in.Shape[1:]; len(n.sample) == 0 {
			n.sample = []int64{1}
		}
	}
	if in.Dtype != engine.F32 && in.Dtype != engine.U8 || res.Dtype != engine.F32 {
		return fmt.Errorf("program: input %q and output must be f32 (the input may be u8)", in.Name)
	}
	total := int64(1)
	for _, d := range res.Shape {
		if d.B != 0 {
			return fmt.Errorf("output: its shape depends on the step")
		}
		total *= d.A
	}
	if total%n.rows != 0 {
		return fmt.Errorf("output: %d elements for %d rows", total, n.rows)
	}
	n.width = total / n.rows
	return nil
}

func (n *Inlined) check() error { return nil }

func (n *Inlined) inputDType() engine.DType { return n.prog.Proto().Inputs[n.in].Dtype }

// Input implements Net.
func (n *Inlined) Input() []int64 { return n.sample }

// Classes implements Net.
func (n *Inlined) Classes() int64 { return n.width }

// Params implements Net. The initialisation is that of a net that starts anew: He et al.'s for rank 2 and up, by the
// elements of one row, and zeros for vectors.
func (n *Inlined) Params() []ParamSpec {
	var list []ParamSpec
	for _, w := range n.prog.Proto().Weights {
		if w.Dtype != engine.F32 {
			continue
		}
		init := Zeros()
		if len(w.Shape) > 1 {
			fan := int64(1)
			for _, d := range w.Shape[1:] {
				fan *= d
			}
			init = he(fan)
		}
		list = append(list, ParamSpec{Name: w.Name, Shape: w.Shape, Init: init})
	}
	return list
}

// Apply implements Net.
func (n *Inlined) Apply(g *Graph, p map[string]Value, x Value) Value {
	pb := n.prog.Proto()
	batch := x.Dim(0).A
	if batch%n.rows != 0 {
		g.b.fail("batch: %d is not a multiple of the %d rows that the program takes", batch, n.rows)
		return Value{}
	}
	for _, w := range pb.Weights {
		if _, ok := p[w.Name]; !ok {
			p[w.Name] = g.b.Weight(w.Name, w.Dtype, w.Shape...)
		}
	}
	in := pb.Inputs[n.in]
	var outs []Value
	for i := int64(0); i < batch; i += n.rows {
		cut := x
		if batch > n.rows {
			start, size := make([]int64, x.Rank()), append(engine.Shape(nil), x.Shape()...)
			start[0], size[0] = i, engine.Const(n.rows)
			cut = g.Slice(x, start, size)
		}
		y := n.copyStep(g, p, g.Reshape(cut, dims(in.Shape...)...))
		outs = append(outs, g.Reshape(y, dims(n.rows, n.width)...))
	}
	for len(outs) > 1 { // a node has at most 64 operands
		var joined []Value
		for len(outs) > 0 {
			k := min(len(outs), 64)
			part := outs[0]
			if k > 1 {
				part = g.Concat(0, outs[:k]...)
			}
			joined, outs = append(joined, part), outs[k:]
		}
		outs = joined
	}
	if n.probs {
		return g.Log(g.Max(outs[0], g.F32(1e-30))) // never below what a gradient can stand
	}
	return outs[0]
}

// copyStep appends the nodes up to the output, reading x as the input and states as they are before the first step.
func (n *Inlined) copyStep(g *Graph, p map[string]Value, x Value) Value {
	pb := n.prog.Proto()
	vals := make([]Value, n.out+1)
	for i, nd := range pb.Step.Nodes[:n.out+1] {
		ins := make([]Value, len(nd.Inputs))
		for j, r := range nd.Inputs {
			switch r.Kind {
			case graphpb.REF_KIND_NODE:
				ins[j] = vals[r.Index]
			case graphpb.REF_KIND_WEIGHT:
				ins[j] = p[pb.Weights[r.Index].Name]
			case graphpb.REF_KIND_STATE:
				ins[j] = n.firstState(g, p, pb.States[r.Index])
			default:
				if ins[j] = x; int(r.Index) != n.in {
					ins[j] = g.defaultValue(pb.Inputs[r.Index])
				}
			}
		}
		if nd.Op == "step@1" || nd.Op == "rand@1" {
			g.b.fail("program: node %d is %s, whose result in a training is another one than at the first step", i, nd.Op)
			return Value{}
		}
		attrs := make([]engine.Attr, len(nd.Attrs))
		for j, a := range nd.Attrs {
			attrs[j] = engine.Attr{Name: a.Name, Ints: a.Ints, Text: a.Text, Data: a.Data}
		}
		shape := make(engine.Shape, len(nd.Shape))
		for j, d := range nd.Shape {
			shape[j] = engine.Dim{A: d.A, B: d.B, C: d.C}
			if d.B != 0 {
				g.b.fail("program: the shape of node %d depends on the step", i)
				return Value{}
			}
		}
		vals[i] = g.Node(nd.Op, attrs, out(nd.Dtype, shape...), ins...)
	}
	return vals[n.out]
}

// firstState is what a state holds before the first step: a weight or zeros.
func (n *Inlined) firstState(g *Graph, p map[string]Value, s *graphpb.StateSpec) Value {
	if s.InitWeight != "" {
		return p[s.InitWeight]
	}
	zero := []engine.Attr{{Name: "data", Data: make([]byte, engine.SizeOf(s.Dtype))}}
	return g.Node("const@1", zero, out(s.Dtype, dims(s.Shape...)...))
}

// defaultValue is an input's default as a constant.
func (g *Graph) defaultValue(s *graphpb.InputSpec) Value {
	return g.Node("const@1", []engine.Attr{{Name: "data", Data: s.DefaultData}}, out(s.Dtype, dims(s.Shape...)...))
}
