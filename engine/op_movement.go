package engine

import (
	"errors"
	"fmt"
	"math/bits"

	"poaid/engine/kernel"
)

func mulHi(a, b uint64) uint64 {
	hi, _ := bits.Mul64(a, b)
	return hi
}

// movementOps copy bits from place to place.
func movementOps() []*Op {
	return []*Op{reshapeOp(), transposeOp(), sliceOp(), concatOp(), padOp(), broadcastOp(), trilOp()}
}

// from describes a LOCAL op whose element is one element of one operand; ok = false means it is fill instead.
type from struct {
	source func(n *NodeView, elem int64) (operand int, index int64, ok bool)
	fill   func(n *NodeView) uint64
}

func (f from) slice(c *SliceCtx) ([]Range, bool, error) {
	if k, i, ok := f.source(&c.NodeView, c.Elem); ok {
		return []Range{one(k, i)}, true, nil
	}
	return nil, true, nil
}

func (f from) evalSlice(c *SliceCtx) ([]byte, error) {
	if k, i, ok := f.source(&c.NodeView, c.Elem); ok {
		return c.element(c.rawAt(k, i))
	}
	return c.element(f.fill(&c.NodeView))
}

// eval is the plain loop over elements.
func (f from) eval(c *EvalCtx) error {
	fill(c, func(e int64) uint64 {
		if k, i, ok := f.source(&c.NodeView, e); ok {
			return loadBits(c.X[k], i)
		}
		return f.fill(&c.NodeView)
	})
	return nil
}

// op completes an op with the plain forms; eval, if given, is the fast whole-tensor form.
func (f from) op(o Op, eval func(c *EvalCtx)) *Op {
	o.Kind, o.Slice, o.EvalSlice = Local, f.slice, f.evalSlice
	if o.Cost == nil {
		o.Cost = moved
	}
	o.Eval = func(c *EvalCtx) error {
		if eval == nil || c.Reference {
			return f.eval(c)
		}
		eval(c)
		return nil
	}
	return &o
}

// moved is the cost of copying the result: it is read once and written once.
func moved(n *NodeView) (uint64, uint64, error) { return 0, 2 * opBytes(&n.Out), nil }

func reshapeOp() *Op {
	f := from{source: func(_ *NodeView, e int64) (int, int64, bool) { return 0, e, true }}
	return f.op(Op{
		Name: "reshape@1", Operands: 1, aliases: true,
		Cost: func(*NodeView) (uint64, uint64, error) { return 0, 0, nil },
		Infer: func(c *InferCtx) (Value, error) {
			if !sameProduct(c.In[0].Shape, c.Out.Shape) {
				return Value{}, fmt.Errorf("shape: %s and %s differ in their number of elements", c.In[0].Shape, c.Out.Shape)
			}
			return value(c.In[0].DType, c.Out.Shape), nil
		},
	}, func(c *EvalCtx) { copy(c.Y.data, c.X[0].data) })
}

func transposeOp() *Op {
	f := from{source: func(n *NodeView, e int64) (int, int64, bool) {
		perm, strides := n.Attrs.Ints("perm"), stridesOf(n.In[0].Shape)
		idx := int64(0)
		for i := len(n.Out.Shape) - 1; i >= 0; i-- {
			idx += e % n.Out.Shape[i] * strides[perm[i]]
			e /= n.Out.Shape[i]
		}
		return 0, idx, true
	}}
	return f.op(Op{
		Name: "transpose@1", Operands: 1, Attrs: []AttrDef{intsN("perm", -1)},
		Infer: func(c *InferCtx) (Value, error) {
			perm, in := c.Attrs.Ints("perm"), c.In[0].Shape
			if len(perm) != len(in) {
				return Value{}, errAttr("perm", perm, fmt.Sprintf("a permutation of 0..%d", len(in)-1))
			}
			seen, out := make([]bool, len(in)), make(Shape, len(in))
			for i, p := range perm {
				if p < 0 || p >= int64(len(in)) || seen[p] {
					return Value{}, errAttr("perm", perm, fmt.Sprintf("a permutation of 0..%d", len(in)-1))
				}
				seen[p], out[i] = true, in[p]
			}
			return value(c.In[0].DType, out), nil
		},
	}, func(c *EvalCtx) {
		perm, strides := c.Attrs.Ints("perm"), stridesOf(c.X[0].shape)
		in := make([]int64, len(perm))
		for i, p := range perm {
			in[i] = strides[p]
		}
		copyStrided(c, c.X[0], 0, in)
	})
}

func sliceOp() *Op {
	f := from{source: func(n *NodeView, e int64) (int, int64, bool) {
		start, strides := n.Attrs.Ints("start"), stridesOf(n.In[0].Shape)
		idx := int64(0)
		for i := len(n.Out.Shape) - 1; i >= 0; i-- {
			idx += (e%n.Out.Shape[i] + start[i]) * strides[i]
			e /= n.Out.Shape[i]
		}
		return 0, idx, true
	}}
	return f.op(Op{
		Name: "slice@1", Operands: 1, Attrs: []AttrDef{intsN("start", -1)}, prefix: true,
		Infer: func(c *InferCtx) (Value, error) {
			start, in, out := c.Attrs.Ints("start"), c.In[0].Shape, c.Out.Shape
			if len(start) != len(in) || len(out) != len(in) {
				return Value{}, fmt.Errorf("attr start: %v with shape %s, want rank %d", start, out, len(in))
			}
			for i, s := range start {
				if s < 0 || s > 1<<48 || !out[i].atMost(s, in[i], c.MaxT) {
					return Value{}, fmt.Errorf("attr start[%d]: %d with size %v does not fit into %s", i, s, out[i], in)
				}
			}
			return value(c.In[0].DType, out), nil
		},
	}, func(c *EvalCtx) {
		strides := stridesOf(c.X[0].shape)
		copyStrided(c, c.X[0], ravel(c.Attrs.Ints("start"), c.X[0].shape), strides)
	})
}

func broadcastOp() *Op {
	f := from{source: func(n *NodeView, e int64) (int, int64, bool) {
		return 0, broadcastIndex(n.Out.Shape, n.In[0].Shape, e), true
	}}
	return f.op(Op{
		Name: "broadcast@1", Operands: 1,
		Infer: func(c *InferCtx) (Value, error) {
			shape, err := broadcastShape(c.In[0].Shape, c.Out.Shape)
			return value(c.In[0].DType, shape), err
		},
	}, func(c *EvalCtx) {
		strides := make([]int64, len(c.Y.shape))
		stride := int64(1)
		for i := 1; i <= len(c.X[0].shape); i++ {
			if d := c.X[0].shape[len(c.X[0].shape)-i]; d > 1 {
				strides[len(strides)-i] = stride
				stride *= d
			}
		}
		copyStrided(c, c.X[0], 0, strides)
	})
}

func padOp() *Op {
	f := from{
		source: func(n *NodeView, e int64) (int, int64, bool) {
			lo, in := n.Attrs.Ints("lo"), n.In[0].Shape
			idx, stride := int64(0), int64(1)
			for i := len(n.Out.Shape) - 1; i >= 0; i-- {
				p := e%n.Out.Shape[i] - lo[i]
				if p < 0 || p >= in[i] {
					return 0, 0, false
				}
				idx += p * stride
				stride *= in[i]
				e /= n.Out.Shape[i]
			}
			return 0, idx, true
		},
		fill: func(n *NodeView) uint64 { return rawBits(n.Attrs.Data("value")) },
	}
	return f.op(Op{
		Name: "pad@1", Operands: 1, Attrs: []AttrDef{intsN("hi", -1), intsN("lo", -1), dataAttr("value")},
		Infer: func(c *InferCtx) (Value, error) {
			lo, hi, in := c.Attrs.Ints("lo"), c.Attrs.Ints("hi"), c.In[0].Shape
			if len(lo) != len(in) || len(hi) != len(in) {
				return Value{}, fmt.Errorf("attrs lo %v, hi %v: want rank %d", lo, hi, len(in))
			}
			if n := int64(len(c.Attrs.Data("value"))); n != SizeOf(c.In[0].DType) {
				return Value{}, errAttr("value", fmt.Sprintf("%d bytes", n), "one element")
			}
			out := in.clone()
			for i := range in {
				if lo[i] < 0 || hi[i] < 0 || lo[i] > 1<<48 || hi[i] > 1<<48 {
					return Value{}, fmt.Errorf("attrs lo[%d] %d, hi[%d] %d: out of range", i, lo[i], i, hi[i])
				}
				out[i] = in[i].plus(lo[i] + hi[i])
			}
			return value(c.In[0].DType, out), nil
		},
	}, nil)
}

func trilOp() *Op {
	f := from{
		source: func(n *NodeView, e int64) (int, int64, bool) {
			rank := len(n.Out.Shape)
			row, col := e/n.Out.Shape[rank-1]%n.Out.Shape[rank-2], e%n.Out.Shape[rank-1]
			return 0, e, col <= row+n.Attrs.Int("offset")
		},
		fill: func(*NodeView) uint64 { return 0 },
	}
	return f.op(Op{
		Name: "tril@1", Operands: 1, Attrs: []AttrDef{int1("offset")}, overwrites: []int{0},
		Infer: func(c *InferCtx) (Value, error) {
			if len(c.In[0].Shape) < 2 {
				return Value{}, errors.New("inputs[0]: rank below 2")
			}
			if o := c.Attrs.Int("offset"); o < -1<<48 || o > 1<<48 {
				return Value{}, errAttr("offset", o, "within 2^48")
			}
			return value(c.In[0].DType, c.In[0].Shape), nil
		},
	}, func(c *EvalCtx) {
		rank, size := len(c.Y.shape), SizeOf(c.Y.dtype)
		r, w := c.Y.shape[rank-2], c.Y.shape[rank-1]
		off := c.Attrs.Int("offset")
		kernel.Parallel(threadsFor(c, c.Y.Len()), int(c.Y.Len()/w), func(lo, hi int) {
			for i := int64(lo); i < int64(hi); i++ {
				keep := min(max(i%r+off+1, 0), w)
				row := c.Y.data[i*w*size : (i+1)*w*size]
				copy(row[:keep*size], c.X[0].data[i*w*size:])
				clear(row[keep*size:])
			}
		})
	})
}

func concatOp() *Op {
	f := from{source: func(n *NodeView, e int64) (int, int64, bool) {
		axis := n.Attrs.Int("axis")
		pos := make([]int64, len(n.Out.Shape))
		unravel(pos, n.Out.Shape, e)
		for k := range n.In {
			if d := n.In[k].Shape[axis]; pos[axis] >= d {
				pos[axis] -= d
				continue
			}
			return k, ravel(pos, n.In[k].Shape), true
		}
		return 0, 0, true // not reached: the shapes add up
	}}
	return f.op(Op{
		Name: "concat@1", Operands: -1, Attrs: []AttrDef{int1("axis")},
		Infer: inferConcat,
	}, func(c *EvalCtx) {
		axis := c.Attrs.Int("axis")
		inner := SizeOf(c.Y.dtype)
		for _, d := range c.Y.shape[axis+1:] {
			inner *= d
		}
		row, at := c.Y.shape[axis]*inner, int64(0)
		for _, x := range c.X {
			n := x.shape[axis] * inner
			for o := int64(0); o*n < int64(len(x.data)); o++ {
				copy(c.Y.data[o*row+at:o*row+at+n], x.data[o*n:])
			}
			at += n
		}
	})
}

func inferConcat(c *InferCtx) (Value, error) {
	axis, first := c.Attrs.Int("axis"), c.In[0]
	if axis < 0 || axis >= int64(len(first.Shape)) {
		return Value{}, errAttr("axis", axis, fmt.Sprintf("0..%d", len(first.Shape)-1))
	}
	out, static := first.Shape.clone(), int64(0)
	sum := Dim{}
	for k, in := range c.In {
		if in.DType != first.DType {
			return Value{}, wrongDType(k, in.DType, first.DType.String())
		}
		if len(in.Shape) != len(out) {
			return Value{}, fmt.Errorf("inputs[%d]: rank %d, want %d", k, len(in.Shape), len(out))
		}
		for i, d := range in.Shape {
			if int64(i) != axis && d != out[i] {
				return Value{}, fmt.Errorf("inputs[%d]: shape %s differs from %s off the axis", k, in.Shape, first.Shape)
			}
		}
		switch d := in.Shape[axis]; {
		case d.Static():
			static += d.A
		case sum.A == 0:
			sum = d
		default:
			return Value{}, fmt.Errorf("inputs[%d]: two operands grow along the axis", k)
		}
	}
	out[axis] = sum.plus(static)
	return value(first.DType, out), nil
}

// threadsFor keeps small work on one thread.
func threadsFor(c *EvalCtx, elements int64) int {
	if elements < threadsGrain {
		return 1
	}
	return c.Threads
}

// copyStrided writes the result from x, read from offset on with a stride per result dimension.
func copyStrided(c *EvalCtx, x *Tensor, offset int64, strides []int64) {
	dims, st := mergeDims(c.Y.shape, strides)
	last := len(dims) - 1
	n, s := dims[last], st[last]
	outer := c.Y.Len() / n
	size := SizeOf(c.Y.dtype)
	kernel.Parallel(threadsFor(c, c.Y.Len()), int(outer), func(lo, hi int) {
		pos := make([]int64, last)
		unravel(pos, dims[:last], int64(lo))
		for o := int64(lo); o < int64(hi); o++ {
			at := offset
			for d, p := range pos {
				at += p * st[d]
			}
			copyRun(c.Y, x, o*n, at, s, n, size)
			for d := last - 1; d >= 0; d-- {
				if pos[d]++; pos[d] < dims[d] {
					break
				}
				pos[d] = 0
			}
		}
	})
}

// copyRun copies n elements, stride s apart, to y[to:].
func copyRun(y, x *Tensor, to, at, s, n, size int64) {
	switch {
	case s == 1:
		copy(y.data[to*size:(to+n)*size], x.data[at*size:])
	case size == 4:
		dst, src := view[uint32](y.data)[to:to+n], view[uint32](x.data)
		for i := range dst {
			dst[i] = src[at]
			at += s
		}
	default:
		for i := range n {
			copy(y.data[(to+i)*size:(to+i+1)*size], x.data[(at+i*s)*size:])
		}
	}
}

// mergeDims joins neighbouring dimensions that are one run in memory.
func mergeDims(shape, strides []int64) (dims, st []int64) {
	for i, d := range shape {
		last := len(dims) - 1
		switch {
		case d == 1:
		case last >= 0 && st[last] == strides[i]*d:
			dims[last] *= d
			st[last] = strides[i]
		default:
			dims, st = append(dims, d), append(st, strides[i])
		}
	}
	if len(dims) == 0 {
		return []int64{1}, []int64{1}
	}
	return dims, st
}
