package engine

import (
	"errors"
	"fmt"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// noRanges is the Slice of ops without operands.
func noRanges(*SliceCtx) ([]Range, bool, error) { return nil, true, nil }

// fill writes every element of the result by its index.
func fill(c *EvalCtx, at func(i int64) uint64) {
	for i := range c.Y.Len() {
		storeBits(c.Y, i, at(i))
	}
}

// generator describes a LOCAL op whose element depends on its index alone, and on the step unless fixed.
func generator(name string, attrs []AttrDef, fixed bool, infer func(c *InferCtx) error, at func(n *NodeView) func(i int64) uint64) *Op {
	return &Op{
		Name: name, Kind: Local, Attrs: attrs, Cost: touched(0), fixed: fixed,
		Infer: func(c *InferCtx) (Value, error) { return c.Out, infer(c) },
		Eval: func(c *EvalCtx) error {
			fill(c, at(&c.NodeView))
			return nil
		},
		Slice:     noRanges,
		EvalSlice: func(c *SliceCtx) ([]byte, error) { return c.element(at(&c.NodeView)(c.Elem)) },
	}
}

// generatorOps make tensors from attributes, the step number and the number of rows.
func generatorOps() []*Op {
	constant := generator("const@1", []AttrDef{dataAttr("data")}, true,
		func(c *InferCtx) error {
			if !c.Out.Shape.Static() {
				return fmt.Errorf("shape: %s, a constant's shape cannot depend on the step", c.Out.Shape)
			}
			whole, err := ByteSize(c.Out.DType, c.Out.Shape.At(0))
			if err != nil {
				return err
			}
			if n := int64(len(c.Attrs.Data("data"))); n != whole && n != SizeOf(c.Out.DType) {
				return errAttr("data", fmt.Sprintf("%d bytes", n), fmt.Sprintf("%d, or one element", whole))
			}
			return nil
		},
		func(n *NodeView) func(int64) uint64 {
			data, size := n.Attrs.Data("data"), SizeOf(n.Out.DType)
			if int64(len(data)) == size {
				return func(int64) uint64 { return rawBits(data) }
			}
			return func(i int64) uint64 { return rawBits(data[i*size : i*size+size]) }
		})
	step := generator("step@1", nil, false,
		func(c *InferCtx) error { return wantI64One(c.Out) },
		func(n *NodeView) func(int64) uint64 { return func(int64) uint64 { return n.T } })
	iota := generator("iota@1", []AttrDef{int1("axis")}, true,
		func(c *InferCtx) error {
			if c.Out.DType != I32 && c.Out.DType != I64 {
				return fmt.Errorf("dtype: %s, want i32 or i64", c.Out.DType)
			}
			axis := c.Attrs.Int("axis")
			if axis < 0 || axis >= int64(len(c.Out.Shape)) {
				return errAttr("axis", axis, fmt.Sprintf("0..%d", len(c.Out.Shape)-1))
			}
			if c.Out.DType == I32 && c.Out.Shape[axis].At(c.MaxT) > 1<<31 {
				return errors.New("shape: the axis does not fit i32")
			}
			return nil
		},
		func(n *NodeView) func(int64) uint64 {
			axis := n.Attrs.Int("axis")
			stride := stridesOf(n.Out.Shape)[axis]
			return func(i int64) uint64 { return uint64(i / stride % n.Out.Shape[axis]) }
		})
	rows := &Op{
		Name: "rows@1", Kind: Local, Operands: 1, VariableRows: true,
		Cost: func(*NodeView) (uint64, uint64, error) { return 0, 8, nil },
		Infer: func(c *InferCtx) (Value, error) {
			if !c.In[0].Variable {
				return Value{}, errors.New("inputs[0]: want an input with variable rows")
			}
			return value(I64, ConstShape(1)), nil
		},
		Eval: func(c *EvalCtx) error {
			c.Y.I64()[0] = c.X[0].shape[0]
			return nil
		},
		Slice:     noRanges,
		EvalSlice: func(c *SliceCtx) ([]byte, error) { return c.element(uint64(c.In[0].Shape[0])) },
	}
	return []*Op{constant, step, iota, rows}
}

func wantI64One(v Value) error {
	if v.DType != I64 || !v.Shape.Equal(ConstShape(1)) {
		return fmt.Errorf("%s%s, want i64[1]", v.DType, v.Shape)
	}
	return nil
}

// randomOps are rand@1, mulhi@1 and expweight@1.
func randomOps() []*Op {
	seeded := func(c *InferCtx) (Value, error) {
		if err := wantI64One(c.In[0]); err != nil {
			return Value{}, fmt.Errorf("inputs[0]: %w", err)
		}
		if s := c.Attrs.Int("stream"); s < 0 || s >= 1<<31 {
			return Value{}, errAttr("stream", s, "0..2^31−1")
		}
		if l := c.Attrs.Int("limit"); l < 0 {
			return Value{}, errAttr("limit", l, "≥ 0")
		}
		if n, err := Elements(c.Out.Shape.At(c.MaxT)); err != nil || n > 1<<32 {
			return Value{}, errors.New("shape: more than 2^32 elements")
		}
		return value(I64, c.Out.Shape), nil
	}
	rnd := &Op{
		Name: "rand@1", Kind: Local, Operands: 1, Attrs: []AttrDef{int1("limit"), int1("stream")}, Cost: touched(8), Infer: seeded,
		Eval: func(c *EvalCtx) error {
			seed := uint64(c.X[0].I64()[0])
			fill(c, func(i int64) uint64 { return randAt(&c.NodeView, seed, i) })
			return nil
		},
		Slice:     func(*SliceCtx) ([]Range, bool, error) { return []Range{one(0, 0)}, true, nil },
		EvalSlice: func(c *SliceCtx) ([]byte, error) { return c.element(randAt(&c.NodeView, c.rawAt(0, 0), c.Elem)) },
	}
	mulhi := elementwise{
		name: "mulhi@1", operands: 2, weight: 1,
		dtype: func(c *InferCtx) (DType, error) {
			for i, in := range c.In {
				if in.DType != I64 {
					return 0, wrongDType(i, in.DType, "i64")
				}
			}
			return I64, nil
		},
		scalar: func(*NodeView) scalarFn { return func(x [4]uint64) uint64 { return mulHi(x[0], x[1]) } },
	}.op()
	expweight := elementwise{
		name: "expweight@1", operands: 2, weight: 16,
		dtype: func(c *InferCtx) (DType, error) {
			_, err := allF32(c)
			return I64, err
		},
		scalar: func(*NodeView) scalarFn {
			return func(x [4]uint64) uint64 { return uint64(num.ExpWeight(f32of(x[0]), f32of(x[1]))) }
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			if l.step[0] != 1 || l.step[1] != 0 {
				return nil
			}
			y, a, m := c.Y.I64(), c.X[0].F32(), c.X[1].F32()
			return func(at int64, x []int64, n int64) { expWeights(y[at:at+n], a[x[0]:x[0]+n], m[x[1]]) }
		},
	}.op()
	return []*Op{rnd, mulhi, expweight}
}

// randAt is element i: Rand64(seed, t, stream·2^32 + i), or below limit by the high word of a product.
func randAt(n *NodeView, seed uint64, i int64) uint64 {
	u := num.Rand64(seed, n.T, uint64(n.Attrs.Int("stream"))<<32+uint64(i))
	if limit := n.Attrs.Int("limit"); limit > 0 {
		return mulHi(u, uint64(limit))
	}
	return u
}

// expWeights is num.ExpWeight for many x, its exponential by the kernel.
func expWeights(dst []int64, x []float32, m float32) {
	var buf [512]float32
	for len(x) > 0 {
		n := min(len(x), len(buf))
		d := buf[:n]
		kernel.SubScalar(d, x[:n], m)
		kernel.Exp(d, d)
		for i, e := range d {
			switch {
			case e != e: // x − m is NaN
				dst[i] = 0
			case e >= 1: // 1 exactly at x = m; above it saturates
				dst[i] = num.WeightOne
			default:
				dst[i] = int64(float64(e) * (1 << 32)) // exact product
			}
		}
		dst, x = dst[n:], x[n:]
	}
}
