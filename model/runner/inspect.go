package runner

import (
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// Info is what a model is.
type Info struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	License     string      `json:"license,omitempty"`
	ProgramHash commit.Hash `json:"program_hash"`
	WeightsRoot commit.Hash `json:"weights_root"`
	// Params is the number of elements of all weights.
	Params   int64    `json:"params"`
	MaxSteps uint64   `json:"max_steps"`
	Forced   string   `json:"forced_input,omitempty"`
	Stop     string   `json:"stop_state,omitempty"`
	Weights  []Spec   `json:"weights"`
	Inputs   []Spec   `json:"inputs"`
	States   []Spec   `json:"states"`
	Outputs  []string `json:"outputs"`
	// WeightBytes and RunBytes are the memory of the weights, and of states and results of a run.
	WeightBytes int64  `json:"weight_bytes"`
	RunBytes    uint64 `json:"run_bytes"`
	// Step is the step that units of nodes are given for.
	Step   uint64      `json:"step"`
	Graphs []GraphInfo `json:"graphs"`
}

// Spec is a declared tensor.
type Spec struct {
	Name  string  `json:"name"`
	DType string  `json:"dtype"`
	Shape []int64 `json:"shape"`
	// Note says what is special: rows may vary, a default, an initial weight.
	Note string `json:"note,omitempty"`
}

// GraphInfo is one graph.
type GraphInfo struct {
	Name string `json:"name"`
	// Units of the asked step, of the first and of the last.
	Units      uint64 `json:"units"`
	FirstUnits uint64 `json:"first_units"`
	LastUnits  uint64 `json:"last_units"`
	// Ops sum the nodes up, the dearest first.
	Ops   []OpInfo   `json:"ops"`
	Nodes []NodeInfo `json:"nodes"`
}

// OpInfo is all nodes of one op in a graph.
type OpInfo struct {
	Op    string `json:"op"`
	Nodes int    `json:"nodes"`
	Units uint64 `json:"units"`
}

// NodeInfo is one node.
type NodeInfo struct {
	Index int    `json:"index"`
	Name  string `json:"name,omitempty"`
	Op    string `json:"op"`
	// Operands are #INDEX for a node, otherwise weight:NAME, state:NAME or input:NAME.
	Operands []string `json:"operands"`
	DType    string   `json:"dtype"`
	// Shape as declared: a dimension may be a function of the step t.
	Shape string `json:"shape"`
	Units uint64 `json:"units"`
}

// Inspect describes the model; units are those of step at under a price.
func (m *Model) Inspect(cost engine.CostParams, at uint64) (*Info, error) {
	p := m.Program
	if at >= p.MaxSteps() {
		return nil, fmt.Errorf("step: %d, want 0 to %d", at, p.MaxSteps()-1)
	}
	h := p.Hash()
	info := &Info{
		Name: m.Name, ProgramHash: h, MaxSteps: p.MaxSteps(), Forced: p.ForcedInput(), Stop: p.StopState(), Step: at,
		Outputs: p.OutputNames(), RunBytes: p.RunBytes(), Weights: []Spec{}, Inputs: []Spec{}, States: []Spec{},
	}
	if m.Meta != nil {
		info.Description, info.License = m.Meta.Description, m.Meta.License
	}
	var err error
	if info.WeightsRoot, err = m.Weights.Root(0); err != nil {
		return nil, err
	}
	for i, s := range p.WeightSpecs() {
		t := m.Weights.Tensors()[i]
		info.Params += t.Len()
		info.WeightBytes += int64(len(t.Bytes()))
		info.Weights = append(info.Weights, Spec{Name: s.Name, DType: dtypeName(s.DType), Shape: s.Shape})
	}
	for _, s := range p.InputSpecs() {
		info.Inputs = append(info.Inputs, Spec{Name: s.Name, DType: dtypeName(s.DType), Shape: s.Shape, Note: inputNote(s)})
	}
	for _, s := range p.StateSpecs() {
		spec := Spec{Name: s.Name, DType: dtypeName(s.DType), Shape: s.Shape}
		if s.InitWeight != "" {
			spec.Note = "starts as weight " + s.InitWeight
		}
		info.States = append(info.States, spec)
	}
	pb := p.Proto()
	for _, g := range []*graphpb.Graph{pb.Forced, pb.Step} {
		if g == nil {
			continue
		}
		gi, err := graphInfo(p, g, g == pb.Forced, cost, at)
		if err != nil {
			return nil, err
		}
		info.Graphs = append(info.Graphs, gi)
	}
	return info, nil
}

func inputNote(s engine.InputSpec) string {
	var notes []string
	if s.VariableRows {
		notes = append(notes, "or fewer rows")
	}
	if s.Default != nil {
		notes = append(notes, "has a default")
	}
	return strings.Join(notes, ", ")
}

func graphInfo(p *engine.Program, g *graphpb.Graph, forced bool, cost engine.CostParams, at uint64) (GraphInfo, error) {
	gi := GraphInfo{Name: map[bool]string{true: "forced", false: "step"}[forced], Nodes: []NodeInfo{}}
	var rows []int64
	for _, s := range p.InputSpecs() {
		rows = append(rows, s.Shape[0])
	}
	var err error
	for _, u := range []struct {
		to *uint64
		t  uint64
	}{{&gi.Units, at}, {&gi.FirstUnits, 0}, {&gi.LastUnits, p.MaxSteps() - 1}} {
		if *u.to, err = p.Units(cost, u.t, forced); err != nil {
			return gi, err
		}
	}
	for i, n := range g.Nodes {
		v, err := p.NodeAt(forced, i, at, rows)
		if err != nil {
			return gi, err
		}
		macs, bytes, err := v.Op.Cost(v)
		if err != nil {
			return gi, fmt.Errorf("cost of %s.nodes[%d]: %w", gi.Name, i, err)
		}
		shape := make(engine.Shape, len(n.Shape))
		for j, d := range n.Shape {
			shape[j] = engine.Dim{A: d.A, B: d.B, C: d.C}
		}
		gi.Nodes = append(gi.Nodes, NodeInfo{
			Index: i, Name: n.Name, Op: n.Op, Operands: operandNames(p.Proto(), n), DType: dtypeName(n.Dtype), Shape: shape.String(),
			Units: max(ceilDiv(macs, cost.MacsPerUnit), ceilDiv(bytes, cost.BytesPerUnit)),
		})
	}
	gi.Ops = sumUp(gi.Nodes)
	return gi, nil
}

// sumUp adds up the nodes of each op.
func sumUp(nodes []NodeInfo) []OpInfo {
	at, list := map[string]int{}, []OpInfo{}
	for _, n := range nodes {
		i, ok := at[n.Op]
		if !ok {
			i = len(list)
			at[n.Op], list = i, append(list, OpInfo{Op: n.Op})
		}
		list[i].Nodes++
		list[i].Units += n.Units
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Units > list[j].Units })
	return list
}

func ceilDiv(a, b uint64) uint64 {
	q := a / b
	if a%b != 0 {
		q++
	}
	return q
}

func operandNames(pb *graphpb.Program, n *graphpb.Node) []string {
	out := make([]string, len(n.Inputs))
	for i, r := range n.Inputs { // validation has checked the indices
		switch r.Kind {
		case graphpb.REF_KIND_NODE:
			out[i] = "#" + strconv.FormatUint(uint64(r.Index), 10)
		case graphpb.REF_KIND_WEIGHT:
			out[i] = "weight:" + pb.Weights[r.Index].Name
		case graphpb.REF_KIND_STATE:
			out[i] = "state:" + pb.States[r.Index].Name
		default:
			out[i] = "input:" + pb.Inputs[r.Index].Name
		}
	}
	return out
}

// Write prints the description as tables.
func (info *Info) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells ...any) {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(texts(cells), "\t"), "\t"))
	}
	line("model", info.Name)
	if info.Description != "" {
		line("description", info.Description)
	}
	if info.License != "" {
		line("licence of weights", info.License)
	}
	line("program hash", info.ProgramHash)
	line("weights root", info.WeightsRoot)
	line("parameters", info.Params)
	line("memory", fmt.Sprintf("weights %s, states and results of a run %s", bytesText(uint64(info.WeightBytes)), bytesText(info.RunBytes)))
	line("steps", fmt.Sprintf("at most %d", info.MaxSteps))
	for _, g := range info.Graphs {
		units := fmt.Sprintf("%s graph: %d", g.Name, g.FirstUnits)
		if g.LastUnits != g.FirstUnits {
			units = fmt.Sprintf("%s graph: %d at step 0 to %d at step %d", g.Name, g.FirstUnits, g.LastUnits, info.MaxSteps-1)
		}
		line("units a step", units)
	}
	for _, s := range info.Inputs {
		line("input", s.Name, s.DType, s.Shape, s.Note)
	}
	for _, s := range info.States {
		line("state", s.Name, s.DType, s.Shape, s.Note)
	}
	line("outputs", strings.Join(info.Outputs, ", "))
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range info.Graphs {
		if _, err := fmt.Fprintf(w, "\n%s graph, units at step %d: %d\n", g.Name, info.Step, g.Units); err != nil {
			return err
		}
		line("OP", "NODES", "UNITS", "SHARE")
		for _, o := range g.Ops {
			line(o.Op, o.Nodes, o.Units, fmt.Sprintf("%.1f%%", 100*float64(o.Units)/float64(max(g.Units, 1))))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
		line("#", "OP", "SHAPE", "DTYPE", "UNITS", "OPERANDS", "NAME")
		for _, n := range g.Nodes {
			line(n.Index, n.Op, n.Shape, n.DType, n.Units, operandsText(n.Operands), n.Name)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// maxListed bounds the operands of a node that are written out, for a concatenation may have dozens.
const maxListed = 6

func operandsText(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s … and %d more", strings.Join(names[:maxListed-1], " "), len(names)-maxListed+1)
}

func texts(cells []any) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = fmt.Sprint(c)
	}
	return out
}

func bytesText(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
