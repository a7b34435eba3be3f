package types

import (
	"encoding/binary"
	"math"

	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
	"poaid/engine/graphpb"
)

// MaxCidBytes bounds a content id.
const MaxCidBytes = 128

// CheckedInputs are the inputs of a run as the chain sees them.
type CheckedInputs struct {
	// Tensors are the given ones in the order of the program, with their roots filled in.
	Tensors []NamedTensor
	// Root is the named root over all inputs of the program, defaults included.
	Root commit.Hash
	// PromptRows are the rows of the forced input; 0 for programs without one.
	PromptRows uint64
	// Inline tells that no input is given by CID.
	Inline bool
	// Stops tells that the run may end before its last step.
	Stops bool
}

// CheckInputs checks the inputs of a run against the program, in whatever order they are given. maxInline bounds the bytes of the
// inline ones together. It returns ErrInput or ErrInputSize, naming the input.
func CheckInputs(prog *graphpb.Program, given []NamedTensor, maxInline uint64) (CheckedInputs, error) {
	out := CheckedInputs{Inline: true, Stops: prog.StopState != ""}
	byName, err := indexInputs(prog, given, maxInline)
	if err != nil {
		return out, err
	}
	entries := make([]commit.Named, len(prog.Inputs))
	for i, spec := range prog.Inputs {
		at, ok := byName[spec.Name]
		if !ok {
			root, rows, err := defaultRoot(spec)
			if err != nil {
				return out, err
			}
			entries[i] = commit.Named{Name: spec.Name, Root: root}
			if spec.Name == prog.ForcedInput {
				out.PromptRows = rows
			}
			continue
		}
		t := given[at]
		if err := checkInputShape(spec, t); err != nil {
			return out, err
		}
		root, err := tensorRoot(t)
		if err != nil {
			return out, errorsmod.Wrapf(ErrInput, "input %q: %s", spec.Name, err)
		}
		t.Root = root[:]
		entries[i] = commit.Named{Name: spec.Name, Root: root}
		out.Tensors = append(out.Tensors, t)
		out.Inline = out.Inline && t.Cid == ""
		if spec.Name == prog.ForcedInput {
			out.PromptRows = uint64(t.Shape[0])
		}
	}
	out.Root = commit.NamedRoot(entries)
	return out, nil
}

// indexInputs finds each given input by name, and refuses unknown names, duplicates and too many inline bytes.
func indexInputs(prog *graphpb.Program, given []NamedTensor, maxInline uint64) (map[string]int, error) {
	known := make(map[string]bool, len(prog.Inputs))
	for _, spec := range prog.Inputs {
		known[spec.Name] = true
	}
	byName := make(map[string]int, len(given))
	inline := uint64(0)
	for i, t := range given {
		if !known[t.Name] {
			return nil, errorsmod.Wrapf(ErrInput, "input %q: the model has no such input", clip(t.Name))
		}
		if _, ok := byName[t.Name]; ok {
			return nil, errorsmod.Wrapf(ErrInput, "input %q: given twice", t.Name)
		}
		byName[t.Name] = i
		if inline += uint64(len(t.Data)); inline > maxInline {
			return nil, errorsmod.Wrapf(ErrInputSize, "input %q: inline inputs take more than %d bytes together", t.Name, maxInline)
		}
	}
	return byName, nil
}

func checkInputShape(spec *graphpb.InputSpec, t NamedTensor) error {
	if t.Dtype != spec.Dtype {
		return errorsmod.Wrapf(ErrInput, "input %q: dtype is %s, want %s", spec.Name, t.Dtype, spec.Dtype)
	}
	if len(t.Shape) != len(spec.Shape) {
		return errorsmod.Wrapf(ErrInput, "input %q: rank is %d, want %d", spec.Name, len(t.Shape), len(spec.Shape))
	}
	for i, d := range t.Shape {
		if i == 0 && spec.VariableRows {
			if d < 1 || d > spec.Shape[0] {
				return errorsmod.Wrapf(ErrInput, "input %q: %d rows, want 1..%d", spec.Name, d, spec.Shape[0])
			}
			continue
		}
		if d != spec.Shape[i] {
			return errorsmod.Wrapf(ErrInput, "input %q: shape[%d] is %d, want %d", spec.Name, i, d, spec.Shape[i])
		}
	}
	return nil
}

// defaultRoot is the root of an input that was left out, and its rows.
func defaultRoot(spec *graphpb.InputSpec) (commit.Hash, uint64, error) {
	if len(spec.DefaultData) == 0 {
		return commit.Hash{}, 0, errorsmod.Wrapf(ErrInput, "input %q: missing, and it has no default", spec.Name)
	}
	shape := append([]int64(nil), spec.Shape...)
	if spec.VariableRows {
		whole, err := commit.TensorBytes(uint8(spec.Dtype), spec.Shape)
		if err != nil || whole == 0 {
			return commit.Hash{}, 0, errorsmod.Wrapf(ErrModel, "input %q: its shape is malformed", spec.Name)
		}
		shape[0] = int64(uint64(len(spec.DefaultData)) / (whole / uint64(spec.Shape[0])))
	}
	root, err := commit.TensorRoot(uint8(spec.Dtype), shape, spec.DefaultData)
	if err != nil {
		return commit.Hash{}, 0, errorsmod.Wrapf(ErrModel, "input %q: default: %s", spec.Name, err)
	}
	return root, uint64(shape[0]), nil
}

// tensorRoot is the root of a tensor: computed for inline data, declared for a CID. Dtype and shape are checked before.
func tensorRoot(t NamedTensor) (commit.Hash, error) {
	if t.Cid != "" {
		if len(t.Data) > 0 {
			return commit.Hash{}, ErrInput.Wrap("data and cid: both given")
		}
		if len(t.Cid) > MaxCidBytes || !visible(t.Cid) {
			return commit.Hash{}, ErrInput.Wrapf("cid: want at most %d visible ASCII characters", MaxCidBytes)
		}
		if len(t.Root) != commit.Size {
			return commit.Hash{}, ErrLength.Wrapf("root: %d bytes, want %d beside a cid", len(t.Root), commit.Size)
		}
		return commit.Hash(t.Root), nil
	}
	root, err := commit.TensorRoot(uint8(t.Dtype), t.Shape, t.Data)
	if err != nil {
		return commit.Hash{}, err
	}
	if len(t.Root) > 0 && string(t.Root) != string(root[:]) {
		return commit.Hash{}, ErrInput.Wrapf("root: %X does not match the data, want %s", clip(string(t.Root)), root)
	}
	return root, nil
}

// CheckedOutputs are revealed outputs as the chain sees them.
type CheckedOutputs struct {
	// Tensors are the outputs with their roots filled in.
	Tensors []NamedTensor
	// Root is their named root.
	Root commit.Hash
	// StepsDone is the revealed stop, 1..T.
	StepsDone uint64
}

// CheckOutputs checks the outputs of a run of T steps against the program: names, order, dtypes and shapes; inline, unless all
// together are larger than maxInline: then any but the stop state may be given by root and CID. It returns ErrOutput, naming
// the output.
func CheckOutputs(prog *graphpb.Program, outputs []NamedTensor, steps, maxInline uint64) (CheckedOutputs, error) {
	out := CheckedOutputs{StepsDone: steps}
	if len(outputs) != len(prog.Outputs) {
		return out, errorsmod.Wrapf(ErrOutput, "outputs: %d, want %d", len(outputs), len(prog.Outputs))
	}
	// A program may declare thousands of both, and whoever runs it pays for one pass.
	specs := make(map[string]*graphpb.StateSpec, len(prog.States))
	for _, s := range prog.States {
		specs[s.Name] = s
	}
	total, inline := uint64(0), uint64(0)
	for i, name := range prog.Outputs {
		size, err := checkOutput(specs[name], name, outputs[i])
		if err != nil {
			return out, err
		}
		total = addSat(total, size)
		inline += uint64(len(outputs[i].Data))
	}
	if inline > maxInline {
		return out, errorsmod.Wrapf(ErrOutput, "outputs: %d inline bytes, limit %d; give larger ones by root and cid", inline, maxInline)
	}
	entries := make([]commit.Named, len(outputs))
	out.Tensors = make([]NamedTensor, len(outputs))
	for i, t := range outputs {
		if t.Cid != "" && (total <= maxInline || t.Name == prog.StopState) {
			return out, errorsmod.Wrapf(ErrOutput, "output %q: by cid, but it must be inline", t.Name)
		}
		root, err := tensorRoot(t)
		if err != nil {
			return out, errorsmod.Wrapf(ErrOutput, "output %q: %s", t.Name, err)
		}
		t.Root = root[:]
		out.Tensors[i] = t
		entries[i] = commit.Named{Name: t.Name, Root: root}
		if t.Name == prog.StopState {
			out.StepsDone = stepsDone(t.Data, steps)
		}
	}
	out.Root = commit.NamedRoot(entries)
	return out, nil
}

// checkOutput returns the bytes of output name as the program declares it in spec, nil if it declares none.
func checkOutput(spec *graphpb.StateSpec, name string, t NamedTensor) (uint64, error) {
	if t.Name != name {
		return 0, errorsmod.Wrapf(ErrOutput, "output %q: want %q here", clip(t.Name), name)
	}
	if spec == nil {
		return 0, errorsmod.Wrapf(ErrModel, "output %q: no such state", name)
	}
	if t.Dtype != spec.Dtype {
		return 0, errorsmod.Wrapf(ErrOutput, "output %q: dtype is %s, want %s", name, t.Dtype, spec.Dtype)
	}
	if len(t.Shape) != len(spec.Shape) {
		return 0, errorsmod.Wrapf(ErrOutput, "output %q: rank is %d, want %d", name, len(t.Shape), len(spec.Shape))
	}
	for i, d := range t.Shape {
		if d != spec.Shape[i] {
			return 0, errorsmod.Wrapf(ErrOutput, "output %q: shape[%d] is %d, want %d", name, i, d, spec.Shape[i])
		}
	}
	size, err := commit.TensorBytes(uint8(spec.Dtype), spec.Shape)
	if err != nil {
		return 0, errorsmod.Wrapf(ErrModel, "output %q: %s", name, err)
	}
	return size, nil
}

// stepsDone reads the stop state: 0 means all steps. A value that no honest program writes (negative, or above T) counts as one
// step: refusing it would slash an honest worker for the model's fault, and T would pay for work that was not done.
func stepsDone(stop []byte, steps uint64) uint64 {
	if len(stop) != 8 {
		return steps // no program that x/models accepts has such a stop state
	}
	v := binary.LittleEndian.Uint64(stop)
	switch {
	case v == 0:
		return steps
	case v > steps:
		return 1
	}
	return v
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// clip keeps what a stranger wrote short in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

func addSat(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
