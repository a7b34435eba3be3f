package onnx

import (
	"errors"
	"fmt"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
)

// ErrUnsupported is wrapped by every error about something that a valid file asks for and the importer cannot do.
var ErrUnsupported = errors.New("not supported")

// val is an ONNX value on its way into a program: known at import (host), a node of the program (v), or a convolution or affine map
// that is not emitted yet because what follows may be folded into it (lazy).
type val struct {
	host *engine.Tensor
	v    nn.Value
	lazy *lazy
	// scalar marks a value of rank 0, which the engine holds as [1]. A host tensor has rank 0 itself.
	scalar bool
	// name is the initialiser's, for the weight that it becomes.
	name string
	// uses counts the operands that name the value, and outputs of the graph.
	uses int
}

// known reports whether the value is known at import.
func (x *val) known() bool { return x != nil && x.host != nil }

// shape gives the ONNX shape: rank 0 for scalars.
func (x *val) shape() []int64 {
	switch {
	case x.host != nil:
		return x.host.Shape()
	case x.lazy != nil:
		return x.lazy.shape
	case x.scalar:
		return []int64{}
	}
	return x.v.Shape().At(0)
}

func (x *val) rank() int { return len(x.shape()) }

func (x *val) dtype() engine.DType {
	switch {
	case x.host != nil:
		return x.host.DType()
	case x.lazy != nil:
		return engine.F32
	}
	return x.v.DType()
}

// converter turns one graph into a program. A graph of a constant subgraph has a converter of its own (see fold).
type converter struct {
	opset int64
	b     *nn.Builder
	g     *nn.Graph
	vals  map[string]*val
	uses  map[string]int
	// weights are the tensors of the program by weight name; taken are the names in use.
	weights map[string]*engine.Tensor
	taken   map[string]bool
	// made remembers the weight or constant that a host tensor became.
	made map[*engine.Tensor]nn.Value
	// folded counts the elements of constants that were computed at import.
	folded int64
	// current names the node being converted.
	current string
}

func newConverter(opset int64) *converter {
	b := nn.NewBuilder(1)
	return &converter{
		opset: opset, b: b, g: b.Step(), vals: map[string]*val{}, uses: map[string]int{},
		weights: map[string]*engine.Tensor{}, taken: map[string]bool{}, made: map[*engine.Tensor]nn.Value{},
	}
}

// maxConstInts bounds the integers that become a constant of the program; other tensors, but for single numbers, become weights.
const maxConstInts = 64

// value gives the node or weight of a value, emitting it where it is not there yet.
func (c *converter) value(x *val) nn.Value {
	switch {
	case x.v.Valid():
		return x.v
	case x.lazy != nil:
		x.v = x.lazy.emit(c)
		return x.v
	}
	if v, ok := c.made[x.host]; ok {
		return v
	}
	t := x.host
	if len(t.Shape()) == 0 {
		t = reshaped(t, 1)
	}
	var v nn.Value
	if t.Len() == 1 || t.DType() != engine.F32 && t.Len() <= maxConstInts {
		v = c.g.Const(t)
	} else {
		name := c.unique(x.name, "constant")
		c.weights[name] = t
		v = c.b.Weight(name, t.DType(), t.Shape()...)
	}
	c.made[x.host] = v
	return v
}

// reshaped gives a view of a tensor under another shape with as many elements.
func reshaped(t *engine.Tensor, shape ...int64) *engine.Tensor {
	out, err := engine.TensorFromBytes(t.DType(), shape, t.Bytes())
	if err != nil {
		panic(fmt.Sprintf("onnx: reshape of %s to %v: %v", t, shape, err)) // callers keep the number of elements
	}
	return out
}

// unique makes a name of the program out of one of the file: visible ASCII, at most 100 bytes, used once.
func (c *converter) unique(name, otherwise string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
	if len(clean) > 100 {
		clean = clean[:100]
	}
	if clean == "" {
		clean = otherwise
	}
	out := clean
	for i := 2; c.taken[out]; i++ {
		out = fmt.Sprintf("%s.%d", clean, i)
	}
	c.taken[out] = true
	return out
}

// of wraps a node.
func of(v nn.Value) *val { return &val{v: v} }

// constant wraps a host tensor.
func constant(t *engine.Tensor) *val { return &val{host: t} }

// shaped reshapes a value to an ONNX shape; no node is made where it has it already.
func (c *converter) shaped(x *val, shape []int64) *val {
	if x.host != nil {
		return &val{host: reshaped(x.host, shape...), name: x.name}
	}
	return c.as(c.value(x), shape)
}

// as gives a node an ONNX shape, by a reshape where its own is another.
func (c *converter) as(v nn.Value, shape []int64) *val {
	dims := shape
	if len(shape) == 0 {
		dims = []int64{1}
	}
	want := engine.ConstShape(dims...)
	if !v.Shape().Equal(want) {
		v = c.g.Reshape(v, want...)
	}
	return &val{v: v, scalar: len(shape) == 0}
}

// call is one node being converted.
type call struct {
	*converter
	n    *Node
	in   []*val // nil where an operand is left out
	read map[string]bool
	err  error
}

// arg gives operand i, nil where it is left out.
func (k *call) arg(i int) *val {
	if i < len(k.in) {
		return k.in[i]
	}
	return nil
}

func (k *call) attr(name string, t int64) *Attr {
	k.read[name] = true
	a := k.n.Attrs[name]
	if a != nil && a.Type != t {
		k.fail("attribute %s: type %d, want %d", name, a.Type, t)
		return nil
	}
	return a
}

func (k *call) fail(format string, args ...any) {
	if k.err == nil {
		k.err = fmt.Errorf(format, args...)
	}
}

// refuse fails with ErrUnsupported.
func (k *call) refuse(format string, args ...any) {
	k.fail("%s: %w", fmt.Sprintf(format, args...), ErrUnsupported)
}

func (k *call) int(name string, otherwise int64) int64 {
	if a := k.attr(name, 2); a != nil {
		return a.I
	}
	return otherwise
}

func (k *call) float(name string, otherwise float32) float32 {
	if a := k.attr(name, 1); a != nil {
		return a.F
	}
	return otherwise
}

func (k *call) text(name, otherwise string) string {
	if a := k.attr(name, 3); a != nil {
		return a.S
	}
	return otherwise
}

// ints gives a list, nil where it is not there.
func (k *call) ints(name string) []int64 {
	if a := k.attr(name, 7); a != nil {
		return a.Ints
	}
	return nil
}

// has tells whether an attribute is there.
func (k *call) has(name string) bool { return k.n.Attrs[name] != nil }

// ignore reads attributes that do not matter to inference.
func (k *call) ignore(names ...string) {
	for _, n := range names {
		k.read[n] = true
	}
}

// list gives integers that must be known at import: an attribute before some opset, an operand since.
func (k *call) list(attr string, i int) []int64 {
	if v := k.ints(attr); v != nil {
		return v
	}
	x := k.arg(i)
	if x == nil {
		return nil
	}
	if x.host == nil {
		k.refuse("operand %d (%s) is computed from the inputs, and must be known at import (are all input sizes given?)", i, attr)
		return nil
	}
	v, ok := integers(x.host)
	if !ok {
		k.fail("operand %d (%s): %s, want integers", i, attr, x.host.DType())
	}
	return v
}

// scalarF32 gives an f32 operand that must be known at import and have one element.
func (k *call) scalarF32(i int, what string) (float32, bool) {
	x := k.arg(i)
	if x == nil {
		return 0, false
	}
	if x.host == nil || x.host.Len() != 1 {
		k.refuse("operand %d (%s): must be one number known at import", i, what)
		return 0, false
	}
	if x.host.DType() == engine.F32 {
		return x.host.F32()[0], true
	}
	v, _ := integers(x.host)
	return float32(v[0]), true
}

// axis brings an axis into 0..rank−1.
func (k *call) axis(a int64, rank int) int {
	if a < -int64(rank) || a >= int64(rank) {
		k.fail("axis %d: the operand has rank %d", a, rank)
		return 0
	}
	if a < 0 {
		a += int64(rank)
	}
	return int(a)
}

// needs refuses a node with too few or too many operands.
func (k *call) needs(least, most int) {
	if len(k.in) < least || most >= 0 && len(k.in) > most {
		k.fail("%d operands, want %d to %d", len(k.in), least, most)
		return
	}
	for i := range least {
		if k.in[i] == nil {
			k.fail("operand %d is left out", i)
		}
	}
}

// f32Only refuses operands of other types.
func (k *call) f32Only() {
	for i, x := range k.in {
		if x != nil && x.dtype() != engine.F32 {
			k.refuse("operand %d is %s, want float", i, x.dtype())
		}
	}
}
