package engine

import (
	"math"
	"unsafe"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// scalarFn computes one output element from the bits of the operands' elements, zero-extended.
type scalarFn func(x [4]uint64) uint64

// runFn computes n output elements from y on; operand k starts at x[k] and moves by step[k].
type runFn func(y int64, x []int64, n int64)

// elementwise describes a LOCAL op whose output element depends on the operands' elements at the same place.
type elementwise struct {
	name     string
	operands int
	attrs    []AttrDef
	weight   uint64 // multiply-adds an element
	dtype    func(c *InferCtx) (DType, error)
	scalar   func(n *NodeView) scalarFn
	// vector returns the tuned form for these dtypes, nil when there is none.
	vector func(c *EvalCtx, l *loops) runFn
	// steady says that what vector returns depends on nothing but where the bytes are and how many: it is then kept.
	steady bool
}

func (e elementwise) op() *Op {
	over := []int{0, 1, 2, 3}
	return &Op{
		Name: e.name, Kind: Local, Operands: e.operands, Attrs: e.attrs, Cost: touched(e.weight), overwrites: over[:e.operands],
		Infer: func(c *InferCtx) (Value, error) {
			dt, err := e.dtype(c)
			if err != nil {
				return Value{}, err
			}
			shapes := make([]Shape, len(c.In))
			for i := range c.In {
				shapes[i] = c.In[i].Shape
			}
			shape, err := broadcastShape(shapes...)
			return value(dt, shape), err
		},
		Eval: e.eval,
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			more := make([]Range, len(c.In))
			for k := range c.In {
				more[k] = one(k, broadcastIndex(c.Out.Shape, c.In[k].Shape, c.Elem))
			}
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			var x [4]uint64
			for k := range c.In {
				x[k] = c.rawAt(k, broadcastIndex(c.Out.Shape, c.In[k].Shape, c.Elem))
			}
			return c.element(e.scalar(&c.NodeView)(x))
		},
	}
}

func (e elementwise) eval(c *EvalCtx) error {
	l := &c.loops
	if e.steady && !c.Reference && c.unmoved() {
		l.each(c.Threads, c.run)
		return nil
	}
	*l, c.run = planLoops(c.Y.shape, c.X), nil
	if e.vector != nil && !c.Reference {
		if fn := e.vector(c, l); fn != nil {
			c.run = fn
			l.each(c.Threads, fn)
			return nil
		}
	}
	scalar := e.scalar(&c.NodeView)
	l.each(c.Threads, func(y int64, x []int64, n int64) {
		var v [4]uint64
		for i := range n {
			for k := range c.X {
				v[k] = loadBits(c.X[k], x[k]+i*l.step[k])
			}
			storeBits(c.Y, y+i, scalar(v))
		}
	})
	return nil
}

// unmoved notes where the bytes of result and operands are, and reports whether that was so before. A node's shapes are
// the same where its sizes are.
func (c *EvalCtx) unmoved() bool {
	same := c.run != nil
	for k := range len(c.X) + 1 {
		data := c.Y.data
		if k > 0 {
			data = c.X[k-1].data
		}
		if at := &c.at[k]; unsafe.SliceData(*at) != unsafe.SliceData(data) || len(*at) != len(data) { // #nosec G103 -- compared only
			*at, same = data, false // kept alive, so that no other bytes can be there
		}
	}
	return same
}

func f32of(bits uint64) float32 { return math.Float32frombits(uint32(bits)) }
func bitsOf(v float32) uint64   { return uint64(math.Float32bits(v)) }
func allF32(c *InferCtx) (DType, error) {
	for i, in := range c.In {
		if in.DType != F32 {
			return 0, wrongDType(i, in.DType, "f32")
		}
	}
	return F32, nil
}

// unaryOps are the f32 functions of one operand.
func unaryOps() []*Op {
	type fn struct {
		name   string
		weight uint64
		num    func(float32) float32
		vec    func(dst, a []float32)
	}
	table := []fn{
		{"neg@1", 1, num.Neg, nil},
		{"abs@1", 1, num.Abs, absRun},
		{"relu@1", 1, num.Relu, kernel.Relu},
		{"exp@1", 16, num.Exp, kernel.Exp},
		{"log@1", 16, num.Log, kernel.Log},
		{"sqrt@1", 4, num.Sqrt, kernel.Sqrt},
		{"rsqrt@1", 8, num.RSqrt, kernel.RSqrt},
		{"sigmoid@1", 20, num.Sigmoid, kernel.Sigmoid},
		{"tanh@1", 20, num.Tanh, kernel.Tanh},
		{"silu@1", 24, num.Silu, kernel.Silu},
	}
	ops := make([]*Op, 0, len(table)+1)
	for _, f := range table {
		ops = append(ops, unaryOp(f.name, nil, f.weight, allF32,
			func(*NodeView) func(float32) float32 { return f.num }, func(*NodeView) func(dst, a []float32) { return f.vec }))
	}
	gelu := func(c *InferCtx) (DType, error) {
		if v := c.Attrs.Text("variant"); v != "tanh" && v != "erf" {
			return 0, errAttr("variant", v, "tanh or erf")
		}
		return allF32(c)
	}
	return append(ops, unaryOp("gelu@1", []AttrDef{textAttr("variant")}, 28, gelu,
		func(n *NodeView) func(float32) float32 {
			if n.Attrs.Text("variant") == "erf" {
				return num.GeluErf
			}
			return num.GeluTanh
		},
		func(n *NodeView) func(dst, a []float32) {
			if n.Attrs.Text("variant") == "erf" {
				return kernel.GeluErf
			}
			return kernel.GeluTanh
		}))
}

// absRun is num.Abs over a run.
func absRun(dst, a []float32) {
	for i, v := range a[:len(dst)] {
		b := math.Float32bits(v) &^ (1 << 31)
		if b > 0x7f800000 {
			b = 0x7fc00000
		}
		dst[i] = math.Float32frombits(b)
	}
}

func unaryOp(name string, attrs []AttrDef, weight uint64, dtype func(*InferCtx) (DType, error),
	scalar func(*NodeView) func(float32) float32, vec func(*NodeView) func(dst, a []float32),
) *Op {
	return elementwise{
		name: name, operands: 1, attrs: attrs, weight: weight, dtype: dtype, steady: true,
		scalar: func(n *NodeView) scalarFn {
			f := scalar(n)
			return func(x [4]uint64) uint64 { return bitsOf(f(f32of(x[0]))) }
		},
		vector: func(c *EvalCtx, _ *loops) runFn {
			y, a := c.Y.F32(), c.X[0].F32()
			if v := vec(&c.NodeView); v != nil {
				return func(at int64, x []int64, n int64) { v(y[at:at+n], a[x[0]:x[0]+n]) }
			}
			f := scalar(&c.NodeView)
			return func(at int64, x []int64, n int64) {
				src := a[x[0] : x[0]+n]
				for i, v := range src {
					y[at+int64(i)] = f(v)
				}
			}
		},
	}.op()
}

// numeric requires operands of one dtype among f32 (if allowed), i32 and i64.
func numeric(c *InferCtx, integers bool) (DType, error) {
	dt := c.In[0].DType
	if dt != F32 && (!integers || dt != I32 && dt != I64) {
		want := "f32"
		if integers {
			want = "f32, i32 or i64"
		}
		return 0, wrongDType(0, dt, want)
	}
	for i, in := range c.In {
		if in.DType != dt {
			return 0, wrongDType(i, in.DType, dt.String())
		}
	}
	return dt, nil
}

// binaryFn is one arithmetic op: its scalar forms and its kernels for equal shapes and for a scalar operand.
type binaryFn struct {
	name   string
	weight uint64
	f32    func(a, b float32) float32
	i64    func(a, b int64) int64 // nil: f32 only. i32 is the same, truncated
	vv     func(dst, a, b []float32)
	vs     func(dst, a []float32, s float32)
	sv     func(dst []float32, s float32, a []float32)
}

// binaryOps are the arithmetic ops of two operands.
func binaryOps() []*Op {
	swap := func(f func(dst, a []float32, s float32)) func(dst []float32, s float32, a []float32) {
		return func(dst []float32, s float32, a []float32) { f(dst, a, s) }
	}
	table := []binaryFn{
		{"add@1", 1, num.Add, func(a, b int64) int64 { return a + b }, kernel.Add, kernel.AddScalar, swap(kernel.AddScalar)},
		{"sub@1", 1, num.Sub, func(a, b int64) int64 { return a - b }, kernel.Sub, kernel.SubScalar, kernel.ScalarSub},
		{"mul@1", 1, num.Mul, func(a, b int64) int64 { return a * b }, kernel.Mul, kernel.MulScalar, swap(kernel.MulScalar)},
		{"div@1", 4, num.Div, nil, kernel.Div, kernel.DivScalar, kernel.ScalarDiv},
		{"max@1", 1, num.Max, func(a, b int64) int64 { return max(a, b) }, kernel.Max, nil, nil},
		{"min@1", 1, num.Min, func(a, b int64) int64 { return min(a, b) }, kernel.Min, nil, nil},
	}
	ops := make([]*Op, len(table))
	for i, f := range table {
		ops[i] = elementwise{
			name: f.name, operands: 2, weight: f.weight,
			dtype:  func(c *InferCtx) (DType, error) { return numeric(c, f.i64 != nil) },
			scalar: f.scalar, vector: f.vector, steady: true,
		}.op()
	}
	return ops
}

func (f binaryFn) scalar(n *NodeView) scalarFn {
	switch n.Out.DType {
	case F32:
		return func(x [4]uint64) uint64 { return bitsOf(f.f32(f32of(x[0]), f32of(x[1]))) }
	case I32:
		return func(x [4]uint64) uint64 { return uint64(uint32(f.i64(int64(int32(x[0])), int64(int32(x[1]))))) }
	default:
		return func(x [4]uint64) uint64 { return uint64(f.i64(int64(x[0]), int64(x[1]))) }
	}
}

func (f binaryFn) vector(c *EvalCtx, l *loops) runFn {
	if c.Y.dtype != F32 {
		return nil
	}
	y, a, b := c.Y.F32(), c.X[0].F32(), c.X[1].F32()
	switch {
	case l.step[0] == 1 && l.step[1] == 1:
		return func(at int64, x []int64, n int64) { f.vv(y[at:at+n], a[x[0]:x[0]+n], b[x[1]:x[1]+n]) }
	case l.step[0] == 1 && f.vs != nil:
		return func(at int64, x []int64, n int64) { f.vs(y[at:at+n], a[x[0]:x[0]+n], b[x[1]]) }
	case l.step[1] == 1 && f.sv != nil:
		return func(at int64, x []int64, n int64) { f.sv(y[at:at+n], a[x[0]], b[x[1]:x[1]+n]) }
	}
	sa, sb := l.step[0], l.step[1]
	return func(at int64, x []int64, n int64) {
		for i := range n {
			y[at+i] = f.f32(a[x[0]+i*sa], b[x[1]+i*sb])
		}
	}
}
