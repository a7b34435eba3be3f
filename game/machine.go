package game

import (
	"fmt"

	"poaid/commit"
	"poaid/engine"
)

// Machine is what the referee knows of a computation without computing it: its declarations, and for every step its
// nodes, their operands and shapes. The numbers of leaves of every tree in the game come from here, never from a party.
type Machine interface {
	// Weights, Inputs and Outputs name the entries of the named roots, in order.
	Weights() []string
	Inputs() []string
	// Outputs are the states, by index, that are the result.
	Outputs() []int
	// States declares the states, in order.
	States() []engine.StateSpec
	// Stop is the state that ends a run once it is not zero, −1 for none. It is i64[1] and starts from zero.
	Stop() int
	// Nodes is the number of nodes of the graph that step t evaluates.
	Nodes(t uint64) int
	// Update is the node of step t that gives state s its next value, −1 when the state keeps its value.
	Update(t uint64, s int) (int, error)
	// Node is node n of step t, and where its operands come from.
	Node(t uint64, n int) (*engine.NodeView, []engine.OperandRef, error)
	// Units is an upper bound of what any one of the steps 0..t costs.
	Units(t uint64) (uint64, error)
}

// ProgramMachine is a Machine over an engine program and the row counts of a run's inputs.
type ProgramMachine struct {
	prog    *engine.Program
	rows    []int64
	forced  uint64
	cost    engine.CostParams
	weights []string
	inputs  []string
	outputs []int
	states  []engine.StateSpec
	stop    int
}

// NewProgramMachine makes a Machine of a program. rows are the rows of every input in declaration order, as
// engine.Inputs.Rows gives them, or as the input headers of a task say. It errs when rows do not fit the program.
func NewProgramMachine(prog *engine.Program, rows []int64, cost engine.CostParams) (*ProgramMachine, error) {
	m := &ProgramMachine{prog: prog, rows: rows, cost: cost, states: prog.StateSpecs(), stop: -1}
	for _, w := range prog.WeightSpecs() {
		m.weights = append(m.weights, w.Name)
	}
	specs := prog.InputSpecs()
	if len(rows) != len(specs) {
		return nil, fmt.Errorf("rows: %d given, the program has %d inputs", len(rows), len(specs))
	}
	for i, in := range specs {
		if rows[i] < 1 || rows[i] > in.Shape[0] || !in.VariableRows && rows[i] != in.Shape[0] {
			return nil, fmt.Errorf("rows[%d]: %d for input %q of shape %v", i, rows[i], in.Name, in.Shape)
		}
		if in.Name == prog.ForcedInput() {
			m.forced = uint64(rows[i])
		}
		m.inputs = append(m.inputs, in.Name)
	}
	for i, s := range m.states {
		if s.Name == prog.StopState() {
			m.stop = i
		}
	}
	for _, name := range prog.OutputNames() {
		for i, s := range m.states {
			if s.Name == name {
				m.outputs = append(m.outputs, i)
			}
		}
	}
	return m, nil
}

// Weights implements Machine.
func (m *ProgramMachine) Weights() []string { return m.weights }

// Inputs implements Machine.
func (m *ProgramMachine) Inputs() []string { return m.inputs }

// Outputs implements Machine.
func (m *ProgramMachine) Outputs() []int { return m.outputs }

// States implements Machine.
func (m *ProgramMachine) States() []engine.StateSpec { return m.states }

// Stop implements Machine.
func (m *ProgramMachine) Stop() int { return m.stop }

// Nodes implements Machine.
func (m *ProgramMachine) Nodes(t uint64) int { return numNodes(m.prog, m.isForced(t)) }

// Update implements Machine.
func (m *ProgramMachine) Update(t uint64, s int) (int, error) {
	return m.prog.UpdateOf(m.isForced(t), s)
}

// Node implements Machine.
func (m *ProgramMachine) Node(t uint64, n int) (*engine.NodeView, []engine.OperandRef, error) {
	view, err := m.prog.NodeAt(m.isForced(t), n, t, m.rows)
	if err != nil {
		return nil, nil, err
	}
	refs, err := m.prog.OperandsOf(m.isForced(t), n)
	return view, refs, err
}

// Units implements Machine: dimensions never shrink, so the last step is the dearest of its graph.
func (m *ProgramMachine) Units(t uint64) (uint64, error) {
	units, err := m.prog.Units(m.cost, t, false)
	if err != nil || !m.prog.HasForced() {
		return units, err
	}
	forced, err := m.prog.Units(m.cost, t, true)
	return max(units, forced), err
}

func (m *ProgramMachine) isForced(t uint64) bool { return m.prog.IsForced(t, m.forced) }

// Judgeable refuses a program that the referee could not judge: one with a node, at its largest step, of which a single
// element or a single fold step needs more evidence than a message holds. It is for registration.
func Judgeable(prog *engine.Program) error {
	last := prog.MaxSteps() - 1
	rows := make([]int64, len(prog.InputSpecs()))
	for i, in := range prog.InputSpecs() {
		rows[i] = in.Shape[0]
	}
	for _, forced := range []bool{false, true} {
		if forced && !prog.HasForced() {
			continue
		}
		for n := range numNodes(prog, forced) {
			view, err := prog.NodeAt(forced, n, last, rows)
			if err != nil {
				return err
			}
			if err := judgeableNode(view); err != nil {
				return fmt.Errorf("forced %t, node %d %q (%s): %w", forced, n, view.Name, view.Op.Name, err)
			}
		}
	}
	return nil
}

// numNodes is the number of nodes of one of a program's graphs.
func numNodes(prog *engine.Program, forced bool) int {
	if forced {
		return len(prog.Proto().Forced.Nodes)
	}
	return len(prog.Proto().Step.Nodes)
}

// judgeableNode looks at the first, middle and last element: windows at the borders of an image are smaller.
func judgeableNode(view *engine.NodeView) error {
	total, err := engine.Elements(view.Out.Shape)
	if err != nil {
		return err
	}
	for _, elem := range []int64{0, total / 2, total - 1} {
		steps, err := view.FoldSteps(elem)
		if err != nil {
			return err
		}
		for _, from := range []int64{0, steps / 2, max(steps-1, 0)} {
			size, err := evidenceSize(view, elem, from, min(from+1, steps))
			if err != nil {
				return err
			}
			if size > MaxEvidence {
				return fmt.Errorf("judging element %d needs %d bytes of evidence, limit %d", elem, size, MaxEvidence)
			}
		}
	}
	return nil
}

// zeroTensor is the root of a tensor of zero bytes, in O(log size) hashes.
func zeroTensor(dtype engine.DType, shape []int64) (commit.Hash, error) {
	n, err := commit.TensorBytes(uint8(dtype), shape)
	if err != nil {
		return commit.Hash{}, err
	}
	var h commit.Hasher
	h.WriteZeros(n)
	return commit.TensorRootOf(uint8(dtype), shape, h.Root())
}
