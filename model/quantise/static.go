package quantise

import (
	"context"
	"errors"
	"fmt"
	"math"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	"poaid/model"
)

// rep is a value of the source in the new program: as f32 (or whatever dtype it had), and where the source has f32, as i8
// with fixed parameters. Both are made when first asked for; what nobody asks for is not part of the program.
type rep struct {
	plain  func() nn.Value
	q      func() nn.Value
	params params
	// integers says that q does not come from quantising plain.
	integers bool
}

// once makes a value on first use.
func once(f func() nn.Value) func() nn.Value {
	var v nn.Value
	return func() nn.Value {
		if !v.Valid() {
			v = f()
		}
		return v
	}
}

// static is the state of Static.
type static struct {
	*rewriter
	g      *nn.Graph
	src    *graphpb.Graph
	spans  *spans
	reads  []int // how often a node is read
	next   []int // the only reader of a node, −1 for none or several
	reps   []*rep
	fused  []bool
	report *Report
	made   map[int]bool // weights that are quantised
}

// Static quantises products and convolutions by weights to integers with scales fixed by calibration samples (inputs by
// name). It is for programs of one step without a forced graph.
func Static(ctx context.Context, p *model.Package, samples []map[string]*engine.Tensor, threads int) (*model.Package, *Report, error) {
	if p.Program.HasForced() || p.Program.MaxSteps() != 1 {
		return nil, nil, fmt.Errorf("%w: static scales are for programs of one step; this one has %d", ErrQuantise, p.Program.MaxSteps())
	}
	sp, err := calibrate(ctx, p, samples, threads)
	if err != nil {
		return nil, nil, err
	}
	s := &static{
		rewriter: newRewriter(p), src: p.Program.Proto().Step, spans: sp, made: make(map[int]bool),
		report: &Report{Method: "static", Quantised: []string{}, Kept: []Kept{}, BytesBefore: size(p)},
	}
	s.g = s.b.Step()
	s.count()
	s.reps, s.fused = make([]*rep, len(s.src.Nodes)), make([]bool, len(s.src.Nodes))
	for i := range s.src.Nodes {
		if s.fused[i] {
			continue
		}
		if err := s.node(i); err != nil {
			return nil, nil, err
		}
	}
	for _, u := range s.src.Updates {
		s.g.Update(s.states[u.State], s.reps[u.Node].plain())
	}
	if len(s.report.Quantised) == 0 {
		return nil, nil, fmt.Errorf("%w: no convolution or product by a weight", ErrQuantise)
	}
	for i, w := range p.Program.WeightSpecs() {
		if s.weights[i].Valid() {
			s.report.Kept = append(s.report.Kept, Kept{w.Name, "read by operations on floats"})
		}
	}
	out, err := s.finish(p, "int8 weights per output channel, int8 activations with fixed scales, integer requantisation")
	if err != nil {
		return nil, nil, err
	}
	s.report.BytesAfter = size(out)
	return out, s.report, nil
}

// count fills reads and next; a state's update is a read.
func (s *static) count() {
	n := len(s.src.Nodes)
	s.reads, s.next = make([]int, n), make([]int, n)
	for i := range s.next {
		s.next[i] = -1
	}
	for i, node := range s.src.Nodes {
		for _, in := range node.Inputs {
			if in.Kind == graphpb.REF_KIND_NODE {
				s.reads[in.Index]++
				s.next[in.Index] = i
			}
		}
	}
	for _, u := range s.src.Updates {
		s.reads[u.Node]++
	}
	for i := range s.next {
		if s.reads[i] != 1 {
			s.next[i] = -1
		}
	}
}

// plainRef is a reference as the source had it; a weight is declared when first read so.
func (s *static) plainRef(ref *graphpb.Ref) nn.Value {
	if ref.Kind == graphpb.REF_KIND_NODE {
		return s.reps[ref.Index].plain()
	}
	if ref.Kind == graphpb.REF_KIND_WEIGHT && !s.weights[ref.Index].Valid() {
		s.keep(int(ref.Index))
	}
	return s.outside(ref)
}

// quantisedRef is an f32 reference as i8.
func (s *static) quantisedRef(ref *graphpb.Ref) (func() nn.Value, params) {
	if ref.Kind == graphpb.REF_KIND_NODE {
		r := s.reps[ref.Index]
		return r.q, r.params
	}
	p := s.spans.of(ref).params()
	return func() nn.Value { return s.g.Quantise(s.plainRef(ref), s.g.F32(p.scale), s.g.I8(p.zero)) }, p
}

// floats is a value that is computed as f32; as i8 it is quantised.
func (s *static) floats(i int, plain func() nn.Value) *rep {
	p := s.spans.node[i].params()
	plain = once(plain)
	q := once(func() nn.Value { return s.g.Quantise(plain(), s.g.F32(p.scale), s.g.I8(p.zero)) })
	return &rep{plain: plain, q: q, params: p}
}

// node rewrites node i, and what is fused with it.
func (s *static) node(i int) error {
	n := s.src.Nodes[i]
	if l := s.layerOf(i); l != nil {
		return s.layer(l)
	}
	plain := func() nn.Value {
		in := make([]nn.Value, len(n.Inputs))
		for j, ref := range n.Inputs {
			in[j] = s.plainRef(ref)
		}
		return emit(s.g, n, in)
	}
	s.reps[i] = s.floats(i, plain)
	if s.moves(n) {
		from := s.reps[n.Inputs[0].Index]
		s.reps[i].params, s.reps[i].integers = from.params, true
		s.reps[i].q = once(func() nn.Value { return emitAs(s.g, n, engine.I8, []nn.Value{from.q()}) })
	}
	return nil
}

// moves reports whether a node only moves, or picks the largest of, values that are integers already.
func (s *static) moves(n *graphpb.Node) bool {
	switch n.Op {
	case "reshape@1", "transpose@1", "slice@1", "broadcast@1", "maxpool@1":
		return n.Inputs[0].Kind == graphpb.REF_KIND_NODE && s.reps[n.Inputs[0].Index].integers
	}
	return false
}

// layer emits convolution or product, bias and requantisation.
func (s *static) layer(l *layer) error {
	n := s.src.Nodes[l.node]
	name := s.rewriter.src.WeightSpecs()[l.weight].Name
	s.made[l.weight] = true
	s.report.Quantised = append(s.report.Quantised, name)
	x, in := s.quantisedRef(n.Inputs[0])
	out := s.spans.node[l.end].params()
	sw, bias := l.scales(in)
	qw := l.matrix.quantise(sw)
	channels := append([]int64{l.matrix.rows}, l.tail...)
	b32, mul, shift := make([]int32, len(sw)), make([]int32, len(sw)), make([]int32, len(sw))
	for o := range sw {
		sum := int64(0)
		for _, v := range qw[int64(o)*l.matrix.cols : int64(o+1)*l.matrix.cols] {
			sum += int64(v)
		}
		b32[o] = int32(bias[o] - sum*int64(in.zero)) // below 2^31, see maxBias and maxTerms
		mul[o], shift[o] = multiplier(float64(float64(in.scale)*float64(sw[o])) / float64(out.scale))
	}
	var t [5]*engine.Tensor
	var errs [5]error
	t[0], errs[0] = engine.FromI8(qw, l.weightShape...)
	t[1], errs[1] = engine.FromI32(b32, channels...)
	t[2], errs[2] = engine.FromI32(mul, channels...)
	t[3], errs[3] = engine.FromI32(shift, channels...)
	t[4], errs[4] = engine.FromF32(sw, channels...)
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("weight %q: %w", name, err)
	}
	g := s.g
	acc := once(func() nn.Value {
		w, b := s.weight(name+".i8", t[0]), s.weight(name+".bias", t[1])
		g.Scope(n.Name)
		return g.Add(l.apply(g, n, x(), w, in.zero), b)
	})
	lo, hi := l.limits(out)
	r := &rep{params: out, integers: true}
	r.q = once(func() nn.Value {
		m, sh := s.weight(name+".multiplier", t[2]), s.weight(name+".shift", t[3])
		return g.Requantise(acc(), m, sh, g.I8(out.zero), lo, hi)
	})
	r.plain = once(func() nn.Value {
		if l.activation {
			return g.Dequantise(r.q(), g.F32(out.scale), g.I8(out.zero))
		}
		return g.Rescale(acc(), g.F32(in.scale), s.weight(name+".scale", t[4]))
	})
	s.reps[l.end] = r
	return nil
}

// limits is where an activation cuts, in quantised values.
func (l *layer) limits(p params) (lo, hi int8) {
	at := func(v float64) int8 {
		q := math.RoundToEven(v/float64(p.scale)) + float64(p.zero)
		return int8(min(max(q, math.MinInt8), math.MaxInt8))
	}
	lo, hi = math.MinInt8, math.MaxInt8
	if l.activation {
		lo, hi = at(l.lo), at(l.hi)
	}
	return lo, hi
}
