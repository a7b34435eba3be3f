package engine

import (
	"errors"
	"fmt"
	"slices"

	"poaid/engine/graphpb"
)

// Kind says how an op can be judged.
type Kind uint8

const (
	// Local ops compute an output element from O(1) input elements.
	Local Kind = iota + 1
	// Fold ops compute it by a chain of steps over an accumulator of at most MaxAcc bytes.
	Fold
)

// MaxAcc bounds the accumulator of a fold, in bytes.
const MaxAcc = 256

// Op is one operation: how it is checked, priced, evaluated and judged. Eval and EvalSlice give the same bits; the
// property tests in ops_test.go hold every op of the table to that.
type Op struct {
	Name string // name@version
	Kind Kind
	// Operands is the number of operands; −n means n or more.
	Operands int
	// Attrs are the attributes, sorted by name; a node gives exactly these.
	Attrs []AttrDef
	// VariableRows lets operand 0 be a variable-row input.
	VariableRows bool
	// aliases marks ops that only change the shape of operand 0.
	aliases bool
	// fixed marks ops that give the same tensor at every step when their shape is static.
	fixed bool
	// prefix marks slice: a result that is the head of operand 0's bytes is an alias of them.
	prefix bool
	// overwrites lists operands whose bytes Eval can write its result over, if they have the result's shape.
	overwrites []int
	// replaces says that Cost counts only what changes of operand 0: pricing adds the copy where it cannot be changed in place.
	replaces bool
	// Infer checks operands and attributes and returns dtype and shape of the result.
	Infer func(c *InferCtx) (Value, error)
	// Cost returns multiply-adds and bytes touched.
	Cost func(n *NodeView) (macs, bytes uint64, err error)
	// Eval computes the whole tensor.
	Eval func(c *EvalCtx) error
	// Steps returns the number of fold steps of one output element; nil for LOCAL ops.
	Steps func(c *SliceCtx) (int64, error)
	// Slice names the operand ranges that c's element or fold steps need, in stages: it is called again once the
	// ranges it returned are open, until done.
	Slice func(c *SliceCtx) (more []Range, done bool, err error)
	// EvalSlice returns the element's bits, or for a fold that does not reach its last step the accumulator.
	EvalSlice func(c *SliceCtx) ([]byte, error)
}

// AttrType says which field of an attribute is used.
type AttrType uint8

// The attribute types.
const (
	AttrInts AttrType = iota + 1
	AttrText
	AttrData
)

// AttrDef declares one attribute of an op.
type AttrDef struct {
	Name string
	Type AttrType
	Len  int // number of integers; −1 for any
}

// Attr is one attribute of a node.
type Attr struct {
	Name string
	Ints []int64
	Text string
	Data []byte
}

// Attrs are the attributes of a node, in the op's order.
type Attrs []Attr

// Int returns the first integer of an attribute, 0 when there is none.
func (a Attrs) Int(name string) int64 {
	if v := a.Ints(name); len(v) > 0 {
		return v[0]
	}
	return 0
}

// Ints returns the integers of an attribute.
func (a Attrs) Ints(name string) []int64 {
	for i := range a {
		if a[i].Name == name {
			return a[i].Ints
		}
	}
	return nil
}

// Text returns the text of an attribute.
func (a Attrs) Text(name string) string {
	for i := range a {
		if a[i].Name == name {
			return a[i].Text
		}
	}
	return ""
}

// Data returns the bytes of an attribute.
func (a Attrs) Data(name string) []byte {
	for i := range a {
		if a[i].Name == name {
			return a[i].Data
		}
	}
	return nil
}

// InferCtx is what Infer works on.
type InferCtx struct {
	In    []Value
	Out   Value // as declared; reshape, broadcast, slice and the generators take their shape from it
	Attrs Attrs
	MaxT  uint64 // the last step
}

// Operand is dtype and shape at one step.
type Operand struct {
	DType DType
	Shape []int64
}

// elems returns the number of elements; shapes were checked at validation.
func (o *Operand) elems() int64 {
	n := int64(1)
	for _, d := range o.Shape {
		n *= d
	}
	return n
}

// NodeView is a node at one step: everything about it but the data.
type NodeView struct {
	Op    *Op
	Name  string
	Attrs Attrs
	T     uint64
	In    []Operand
	Out   Operand
}

// EvalCtx is what Eval works on. Y is zero or holds rubbish; Eval writes all of it.
type EvalCtx struct {
	NodeView
	X       []*Tensor
	Y       *Tensor
	Threads int
	// Reference asks for num's scalar loops in place of kernels.
	Reference bool

	// Of elementwise ops, kept from step to step: loops, what runs in them, and the bytes that it is for.
	loops loops
	run   runFn
	at    [maxOperands + 1][]byte
}

// Range is a run of elements of one operand, in row-major order.
type Range struct {
	Operand      int
	Start, Count int64
}

// Opener gives access to opened operand elements.
type Opener interface {
	// Open returns the little-endian bits of one element, false when it was not opened.
	Open(operand int, index int64) ([]byte, bool)
}

// SliceCtx is what Slice, Steps and EvalSlice work on.
type SliceCtx struct {
	NodeView
	// Elem is the output element, in row-major order.
	Elem int64
	// From and To are the fold steps to do, 0 ≤ From ≤ To ≤ Steps. Zero for LOCAL ops.
	From, To int64
	// Acc is the accumulator before step From; empty when From is 0.
	Acc []byte
	// Opened holds what was opened so far.
	Opened Opener

	err error
}

// ErrNotOpened is returned by EvalSlice when a range that Slice named was not opened.
var ErrNotOpened = errors.New("range not opened")

// ErrAccumulator is returned for an accumulator that no honest chain can have (wrong length or fields).
var ErrAccumulator = errors.New("malformed accumulator")

// opTable holds every op. It is never written to after initialisation.
var opTable = buildTable()

func buildTable() map[string]*Op {
	m := make(map[string]*Op)
	for _, family := range [][]*Op{
		generatorOps(), unaryOps(), activationOps(), binaryOps(), logicOps(), castOps(), quantOps(), movementOps(), indexOps(),
		resizeOps(), randomOps(), matmulOps(), reduceOps(), sampleOps(), convOps(), poolOps(),
	} {
		for _, op := range family {
			m[op.Name] = op
		}
	}
	return m
}

func opByName(name string) *Op { return opTable[name] }

// LookupOp returns an op of the table.
func LookupOp(name string) (*Op, bool) {
	op, ok := opTable[name]
	return op, ok
}

// OpNames returns the names of the table, sorted.
func OpNames() []string {
	names := make([]string, 0, len(opTable))
	for name := range opTable {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (o *Op) operandText() string {
	if o.Operands < 0 {
		return fmt.Sprintf("%d or more", -o.Operands)
	}
	return fmt.Sprint(o.Operands)
}

func (o *Op) attrNames() []string {
	names := make([]string, len(o.Attrs))
	for i, a := range o.Attrs {
		names[i] = a.Name
	}
	return names
}

// check compares an attribute with its declaration.
func (d AttrDef) check(a *graphpb.Attr) error {
	if len(a.Ints) > 0 && d.Type != AttrInts || a.Text != "" && d.Type != AttrText || len(a.Data) > 0 && d.Type != AttrData {
		return errors.New("holds a field that the op does not use")
	}
	if d.Type == AttrInts && d.Len >= 0 && len(a.Ints) != d.Len {
		return fmt.Errorf("%d integers, want %d", len(a.Ints), d.Len)
	}
	return nil
}

// int1, ints, text and data declare attributes.
func int1(name string) AttrDef          { return AttrDef{Name: name, Type: AttrInts, Len: 1} }
func intsN(name string, n int) AttrDef  { return AttrDef{Name: name, Type: AttrInts, Len: n} }
func textAttr(name string) AttrDef      { return AttrDef{Name: name, Type: AttrText} }
func dataAttr(name string) AttrDef      { return AttrDef{Name: name, Type: AttrData} }
func value(dt DType, shape Shape) Value { return Value{DType: dt, Shape: shape} }
func wrongDType(i int, got DType, want string) error {
	return fmt.Errorf("inputs[%d]: dtype %s, want %s", i, got, want)
}
