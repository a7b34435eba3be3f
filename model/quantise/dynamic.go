package quantise

import (
	"fmt"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	"poaid/model"
)

// minElements is the size from which a weight is worth a scale.
const minElements = 1024

// use is how a weight is read.
type use uint8

const (
	useRows  use = 1 << iota // rows are output channels, or are gathered
	useCols                  // columns are output channels
	useOther                 // anything else
)

// packed is a quantised weight: q i8 [n, k] and scale f32 [n].
type packed struct{ q, scale nn.Value }

// Dynamic quantises the weights of products and the tables of gathers, and activations row by row. Programs of any shape
// are taken; one without such a weight is refused.
func Dynamic(p *model.Package) (*model.Package, *Report, error) {
	r, report := newRewriter(p), &Report{Method: "dynamic", Quantised: []string{}, Kept: []Kept{}, BytesBefore: size(p)}
	uses, initial := weightUses(p.Program)
	quantised := make([]*packed, len(r.old))
	for i, s := range p.Program.WeightSpecs() {
		if why := keepReason(r.old[i], uses[i], initial[s.Name]); why != "" {
			r.keep(i)
			report.Kept = append(report.Kept, Kept{s.Name, why})
			continue
		}
		q, err := r.pack(s.Name, r.old[i], uses[i])
		if err != nil {
			return nil, nil, err
		}
		quantised[i] = q
		report.Quantised = append(report.Quantised, s.Name)
	}
	if len(report.Quantised) == 0 {
		return nil, nil, fmt.Errorf("%w: no weight of %d elements or more is the matrix of a product", ErrQuantise, minElements)
	}
	for _, forced := range []bool{true, false} {
		if forced && !p.Program.HasForced() {
			continue
		}
		if err := r.dynamicGraph(forced, quantised); err != nil {
			return nil, nil, err
		}
	}
	out, err := r.finish(p, "int8 weights per output channel, activations per row")
	if err != nil {
		return nil, nil, err
	}
	report.BytesAfter = size(out)
	return out, report, nil
}

// weightUses tells how every weight is read, and which ones states start as.
func weightUses(p *engine.Program) (uses []use, initial map[string]bool) {
	uses, initial = make([]use, len(p.WeightSpecs())), make(map[string]bool)
	for _, g := range []*graphpb.Graph{p.Proto().Forced, p.Proto().Step} {
		if g == nil {
			continue
		}
		for _, n := range g.Nodes {
			for slot, in := range n.Inputs {
				if in.Kind == graphpb.REF_KIND_WEIGHT {
					uses[in.Index] |= useOf(n, slot)
				}
			}
		}
	}
	for _, s := range p.StateSpecs() {
		initial[s.InitWeight] = true
	}
	return uses, initial
}

func useOf(n *graphpb.Node, slot int) use {
	switch {
	case n.Op == "gather@1" && slot == 0:
		return useRows
	case n.Op != "matmul@1" || slot != 1 || flag(n, "ta") || ints(n, "tri")[0] != 0:
		return useOther
	case flag(n, "tb"):
		return useRows
	default:
		return useCols
	}
}

// keepReason says why a weight is not quantised, "" if it is.
func keepReason(t *engine.Tensor, u use, initial bool) string {
	switch {
	case t.DType() != engine.F32:
		return "not f32"
	case initial:
		return "a state starts as it"
	case len(t.Shape()) != 2:
		return "not a matrix"
	case u != useRows && u != useCols:
		return "not only the matrix of products and gathers"
	case t.Len() < minElements:
		return fmt.Sprintf("fewer than %d elements", minElements)
	case t.Shape()[0] > maxTerms && u == useCols || t.Shape()[1] > maxTerms && u == useRows:
		return fmt.Sprintf("more than %d terms a sum", maxTerms)
	case !finite(t):
		return "holds NaN or Inf"
	}
	return ""
}

// pack declares the two weights that stand for one.
func (r *rewriter) pack(name string, t *engine.Tensor, u use) (*packed, error) {
	m := rowsOf(t)
	if u == useCols {
		m = colsOf(t)
	}
	scales := m.scales()
	q, err := engine.FromI8(m.quantise(scales), m.rows, m.cols)
	if err != nil {
		return nil, err
	}
	s, err := engine.FromF32(scales, m.rows)
	if err != nil {
		return nil, err
	}
	return &packed{r.weight(name+".i8", q), r.weight(name+".scale", s)}, nil
}

func (r *rewriter) dynamicGraph(forced bool, quantised []*packed) error {
	g, err := r.target(forced)
	if err != nil {
		return err
	}
	src := r.graph(forced)
	done := make([]nn.Value, len(src.Nodes))
	for i, n := range src.Nodes {
		in := make([]nn.Value, len(n.Inputs))
		var w *packed
		for j, ref := range n.Inputs {
			switch {
			case ref.Kind == graphpb.REF_KIND_NODE:
				in[j] = done[ref.Index]
			case ref.Kind == graphpb.REF_KIND_WEIGHT && quantised[ref.Index] != nil:
				w = quantised[ref.Index] // which operand it is, useOf has checked
			default:
				in[j] = r.outside(ref)
			}
		}
		g.Scope(n.Name)
		switch {
		case w == nil:
			done[i] = emit(g, n, in)
		case n.Op == "gather@1":
			done[i] = gatherRows(g, n, *w, in[1])
		default:
			done[i] = rowProduct(g, in[0], *w)
		}
	}
	for _, u := range src.Updates {
		g.Update(r.states[u.State], done[u.Node])
	}
	return nil
}

// rowProduct is x·wᵀ with every row of x quantised by its own scale.
func rowProduct(g *nn.Graph, x nn.Value, w packed) nn.Value {
	s := g.Div(g.MaxOf(g.Abs(x), -1, true, false), g.F32(levels))
	q := g.Quantise(x, s, g.I8(0))
	return g.Rescale(g.MatMul(q, w.q, false, true, 0), s, w.scale)
}

// gatherRows dequantises the rows that an index names.
func gatherRows(g *nn.Graph, n *graphpb.Node, w packed, idx nn.Value) nn.Value {
	rows := w.scale.Dim(0)
	pick := func(table nn.Value) nn.Value {
		return emit(g, &graphpb.Node{Name: n.Name, Op: n.Op, Attrs: n.Attrs}, []nn.Value{table, idx})
	}
	return g.Dequantise(pick(w.q), pick(g.Reshape(w.scale, rows, engine.Const(1))), g.I8(0))
}
