package engine

import (
	"errors"
	"fmt"
	"slices"

	"poaid/commit"
	"poaid/engine/graphpb"
)

// ErrInput is wrapped by every error about the tensors given to a run.
var ErrInput = errors.New("invalid input")

// Weights are a program's weights, checked once and shared by any number of runs. They are used where they lie: there
// is no second, packed form.
type Weights struct {
	prog    *Program
	tensors []*Tensor
}

// NewWeights checks tensors against prog.WeightSpecs(), in that order. The tensors are kept, not copied.
func NewWeights(prog *Program, tensors []*Tensor) (*Weights, error) {
	specs := prog.pb.Weights
	if len(tensors) != len(specs) {
		return nil, fmt.Errorf("%w: weights: %d given, the program has %d", ErrInput, len(tensors), len(specs))
	}
	for i, s := range specs {
		if err := checkTensor(tensors[i], s.Dtype, s.Shape); err != nil {
			return nil, fmt.Errorf("%w: weight %q: %w", ErrInput, s.Name, err)
		}
	}
	data := make([][]byte, len(tensors))
	for i, t := range tensors {
		data[i] = t.data
	}
	useHugePages(data)
	return &Weights{prog: prog, tensors: slices.Clone(tensors)}, nil
}

// WeightsByName is NewWeights for tensors by name; missing and unknown names are errors.
func WeightsByName(prog *Program, tensors map[string]*Tensor) (*Weights, error) {
	list := make([]*Tensor, len(prog.pb.Weights))
	for i, s := range prog.pb.Weights {
		t, ok := tensors[s.Name]
		if !ok {
			return nil, fmt.Errorf("%w: weight %q: missing", ErrInput, s.Name)
		}
		list[i] = t
	}
	if len(tensors) != len(list) {
		return nil, fmt.Errorf("%w: weights: %d given, the program has %d", ErrInput, len(tensors), len(list))
	}
	return NewWeights(prog, list)
}

// Tensors returns the weights in declaration order. The caller must not change them.
func (w *Weights) Tensors() []*Tensor { return w.tensors }

// Root returns the named root of the weights.
func (w *Weights) Root(threads int) (commit.Hash, error) {
	names := make([]string, len(w.tensors))
	for i, s := range w.prog.pb.Weights {
		names[i] = s.Name
	}
	return namedRoot(names, w.tensors, threads)
}

// Inputs are a run's inputs in declaration order, defaults filled in.
type Inputs struct {
	prog    *Program
	tensors []*Tensor
}

// BindInputs checks inputs against prog.InputSpecs() and fills in defaults. Errors name the input.
func (p *Program) BindInputs(inputs map[string]*Tensor) (*Inputs, error) {
	list := make([]*Tensor, len(p.pb.Inputs))
	used := 0
	for i, s := range p.pb.Inputs {
		t, ok := inputs[s.Name]
		switch {
		case ok:
			used++
		case len(s.DefaultData) > 0:
			list[i] = defaultInput(s)
			continue
		default:
			return nil, fmt.Errorf("%w: input %q: missing, and it has no default", ErrInput, s.Name)
		}
		if t == nil {
			return nil, fmt.Errorf("%w: input %q: is nil", ErrInput, s.Name)
		}
		want := s.Shape
		if s.VariableRows && len(t.shape) == len(want) {
			rows := t.shape[0]
			if rows < 1 || rows > want[0] {
				return nil, fmt.Errorf("%w: input %q: %d rows, want 1..%d", ErrInput, s.Name, rows, want[0])
			}
			want = append([]int64{rows}, want[1:]...)
		}
		if err := checkTensor(t, s.Dtype, want); err != nil {
			return nil, fmt.Errorf("%w: input %q: %w", ErrInput, s.Name, err)
		}
		list[i] = t
	}
	if used != len(inputs) {
		for _, name := range sortedKeys(inputs) {
			if !slices.ContainsFunc(p.pb.Inputs, func(s *graphpb.InputSpec) bool { return s.Name == name }) {
				return nil, fmt.Errorf("%w: input %q: the program has no such input", ErrInput, name)
			}
		}
	}
	return &Inputs{prog: p, tensors: list}, nil
}

// Tensors returns the inputs in declaration order. The caller must not change them.
func (in *Inputs) Tensors() []*Tensor { return in.tensors }

// Rows returns the number of rows of every input, as Program.NodeAt wants them.
func (in *Inputs) Rows() []int64 {
	rows := make([]int64, len(in.tensors))
	for i, t := range in.tensors {
		rows[i] = t.shape[0]
	}
	return rows
}

// Root returns the named root of the inputs.
func (in *Inputs) Root(threads int) (commit.Hash, error) {
	names := make([]string, len(in.tensors))
	for i, s := range in.prog.pb.Inputs {
		names[i] = s.Name
	}
	return namedRoot(names, in.tensors, threads)
}

// forcedRows is the number of rows of the forced input, 0 when there is none.
func (in *Inputs) forcedRows() uint64 {
	if in.prog.prompt < 0 {
		return 0
	}
	return uint64(in.tensors[in.prog.prompt].shape[0])
}

func checkTensor(t *Tensor, dt DType, shape []int64) error {
	if t == nil {
		return errors.New("is nil")
	}
	if t.dtype != dt || !equalInts(t.shape, shape) {
		return fmt.Errorf("is %s, want %s%v", t, dt, shape)
	}
	return nil
}

// inputRows returns the rows that n bytes of an input make up.
func inputRows(s *graphpb.InputSpec, n int64) (int64, error) {
	size, err := ByteSize(s.Dtype, s.Shape)
	if err != nil {
		return 0, err
	}
	row := size / s.Shape[0]
	switch {
	case n == size:
		return s.Shape[0], nil
	case s.VariableRows && n > 0 && n < size && n%row == 0:
		return n / row, nil
	}
	return 0, fmt.Errorf("%d bytes, the input takes %d", n, size)
}

// defaultInput returns the default of an input; validation has checked its size.
func defaultInput(s *graphpb.InputSpec) *Tensor {
	rows := int64(len(s.DefaultData)) / (rowElems(s.Shape) * SizeOf(s.Dtype))
	shape := append([]int64{rows}, s.Shape[1:]...)
	t := &Tensor{dtype: s.Dtype, shape: shape, data: alloc(int64(len(s.DefaultData)))}
	copy(t.data, s.DefaultData)
	return t
}

func sortedKeys(m map[string]*Tensor) []string {
	names := make([]string, 0, len(m))
	for name := range m { // sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// namedRoot commits to named tensors in order.
func namedRoot(names []string, tensors []*Tensor, threads int) (commit.Hash, error) {
	entries := make([]commit.Named, len(names))
	for i, t := range tensors {
		root, err := commit.TensorRootParallel(uint8(t.dtype), t.shape, t.data, threads)
		if err != nil {
			return commit.Hash{}, fmt.Errorf("root of %q: %w", names[i], err)
		}
		entries[i] = commit.Named{Name: names[i], Root: root}
	}
	return commit.NamedRoot(entries), nil
}
