package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// reduction is a reduce op at one step: x is [outer, n, inner], reduced over n.
type reduction struct {
	outer, n, inner int64
	tri             bool
	rows            int64 // tri: size of the second last dimension
}

func reductionOf(n *NodeView) reduction {
	x, axis := n.In[0].Shape, n.Attrs.Int("axis")
	r := reduction{outer: 1, n: x[axis], inner: 1, tri: n.Attrs.Int("tri") == 1}
	for _, d := range x[:axis] {
		r.outer *= d
	}
	for _, d := range x[axis+1:] {
		r.inner *= d
	}
	if r.tri {
		r.rows = x[axis-1]
	}
	return r
}

// members is the number of elements in the reduction of output element e.
func (r *reduction) members(e int64) int64 {
	if r.tri {
		return min(e%r.rows+1, r.n)
	}
	return r.n
}

// base is the first element reduced into e; the next ones are inner apart.
func (r *reduction) base(e int64) int64 { return e/r.inner*r.n*r.inner + e%r.inner }

func reduceOp(name string, infer func(dt DType) (DType, error), eval func(c *EvalCtx, r *reduction), slice func(c *SliceCtx, r *reduction) ([]byte, error)) *Op {
	return &Op{
		Name: name, Kind: Fold, Operands: 1, Attrs: []AttrDef{int1("axis"), int1("keep"), int1("tri")}, Cost: costReduce,
		Infer: func(c *InferCtx) (Value, error) {
			dt, err := infer(c.In[0].DType)
			if err != nil {
				return Value{}, err
			}
			shape, err := inferReduce(c)
			return value(dt, shape), err
		},
		Eval: func(c *EvalCtx) error {
			r := reductionOf(&c.NodeView)
			eval(c, &r)
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) {
			r := reductionOf(&c.NodeView)
			return r.members(c.Elem), nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			r := reductionOf(&c.NodeView)
			return strided(nil, 0, r.base(c.Elem)+c.From*r.inner, r.inner, c.To-c.From), true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			r := reductionOf(&c.NodeView)
			return slice(c, &r)
		},
	}
}

func inferReduce(c *InferCtx) (Shape, error) {
	in, axis, keep, tri := c.In[0].Shape, c.Attrs.Int("axis"), c.Attrs.Int("keep"), c.Attrs.Int("tri")
	if axis < 0 || axis >= int64(len(in)) {
		return nil, errAttr("axis", axis, fmt.Sprintf("0..%d", len(in)-1))
	}
	if keep < 0 || keep > 1 || tri < 0 || tri > 1 {
		return nil, fmt.Errorf("attrs keep %d, tri %d: want 0..1", keep, tri)
	}
	if tri == 1 && (axis != int64(len(in)-1) || len(in) < 2) {
		return nil, errAttr("tri", tri, "0 unless the last axis of at least two is reduced")
	}
	out := in.clone()
	if keep == 1 {
		out[axis] = Const(1)
		return out, nil
	}
	return append(out[:axis], in[axis+1:]...), nil
}

func costReduce(n *NodeView) (uint64, uint64, error) {
	r := reductionOf(n)
	macs := uint64(n.In[0].elems())
	if r.tri { // rows 1..q long, then all n
		q := min(r.rows, r.n)
		macs = uint64(r.outer / r.rows * (q*(q+1)/2 + (r.rows-q)*r.n))
	}
	return macs, sizeU(n.In[0].DType)*macs + opBytes(&n.Out), nil
}

// sizeU is SizeOf as an unsigned number.
func sizeU(dt DType) uint64 { return uint64(SizeOf(dt)) }

func reduceOps() []*Op {
	onlyF32 := func(out DType) func(DType) (DType, error) {
		return func(dt DType) (DType, error) {
			if dt != F32 {
				return 0, wrongDType(0, dt, "f32")
			}
			return out, nil
		}
	}
	summable := func(dt DType) (DType, error) {
		if dt != F32 && dt != I32 && dt != I64 {
			return 0, wrongDType(0, dt, "f32, i32 or i64")
		}
		return dt, nil
	}
	return []*Op{
		reduceOp("reduce_sum@1", summable, evalSum, sliceSum),
		reduceOp("reduce_max@1", onlyF32(F32), evalMax, sliceMax),
		reduceOp("reduce_min@1", onlyF32(F32), chainOf(minStep), sliceChain(minStep)),
		reduceOp("reduce_prod@1", onlyF32(F32), chainOf(prodStep), sliceChain(prodStep)),
		reduceOp("argmax@1", onlyF32(I64), evalArgmax, sliceArgmax),
	}
}

func evalSum(c *EvalCtx, r *reduction) {
	if c.Y.dtype != F32 {
		fill(c, func(e int64) uint64 {
			sum, at := uint64(0), r.base(e)
			for j := range r.members(e) {
				sum += uint64(loadInt(c.X[0], at+j*r.inner))
			}
			return sum
		})
		return
	}
	y, x := c.Y.F32(), c.X[0].F32()
	switch {
	case c.Reference:
		for e := range y {
			y[e] = sumStrided(x[r.base(int64(e)):], r.members(int64(e)), r.inner)
		}
	case r.inner == 1:
		kernel.Parallel(threadsFor(c, int64(len(x))), len(y), func(lo, hi int) {
			for e := lo; e < hi; e++ {
				at := int64(e) * r.n
				y[e] = kernel.Sum16(x[at : at+r.members(int64(e))])
			}
		})
	default:
		sumColumns(c, r, y, x)
	}
}

// sumStrided is Sum16 of n elements, stride apart.
func sumStrided(x []float32, n, stride int64) float32 {
	var acc [16]float32
	for j := range n {
		acc[j&15] = num.Add(acc[j&15], x[j*stride])
	}
	return num.Tree16(&acc)
}

// sumTile is how many neighbouring columns sumColumns adds up together.
const sumTile = 256

// sumColumns is Sum16 down the columns of [outer, n, inner]: sixteen rows of accumulators for a tile of columns.
func sumColumns(c *EvalCtx, r *reduction, y, x []float32) {
	tiles := (r.inner + sumTile - 1) / sumTile
	kernel.Parallel(threadsFor(c, int64(len(x))), int(r.outer*tiles), func(lo, hi int) {
		var acc [16][sumTile]float32
		for i := int64(lo); i < int64(hi); i++ {
			o, from := i/tiles, i%tiles*sumTile
			w := min(sumTile, r.inner-from)
			for k := range acc {
				clear(acc[k][:w])
			}
			for j := range r.n {
				a := acc[j&15][:w]
				at := (o*r.n+j)*r.inner + from
				kernel.Add(a, a, x[at:at+w])
			}
			for half := 8; half > 0; half >>= 1 {
				for k := range half {
					kernel.Add(acc[k][:w], acc[k][:w], acc[k+half][:w])
				}
			}
			copy(y[o*r.inner+from:], acc[0][:w])
		}
	})
}

func sliceSum(c *SliceCtx, r *reduction) ([]byte, error) {
	at, last := r.base(c.Elem), c.To == r.members(c.Elem)
	if c.Out.DType != F32 {
		acc, err := c.acc(8)
		if err != nil {
			return nil, err
		}
		sum := binary.LittleEndian.Uint64(acc)
		for j := c.From; j < c.To; j++ {
			sum += uint64(c.intAt(0, at+j*r.inner))
		}
		if last {
			return c.element(sum)
		}
		return binary.LittleEndian.AppendUint64(nil, sum), c.err
	}
	acc, err := c.acc(64)
	if err != nil {
		return nil, err
	}
	v := view[float32](alignedCopy(acc))
	for j := c.From; j < c.To; j++ {
		v[j&15] = num.Add(v[j&15], c.f32At(0, at+j*r.inner))
	}
	if last {
		return c.elementF32(num.Tree16((*[16]float32)(v)))
	}
	out := make([]byte, 0, 64)
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out, c.err
}

func alignedCopy(b []byte) []byte {
	c := alloc(int64(len(b)))
	copy(c, b)
	return c
}

func evalMax(c *EvalCtx, r *reduction) {
	y, x := c.Y.F32(), c.X[0].F32()
	kernel.Parallel(threadsFor(c, int64(len(x))), len(y), func(lo, hi int) {
		for e := lo; e < hi; e++ {
			at, n := r.base(int64(e)), r.members(int64(e))
			if r.inner == 1 && !c.Reference {
				y[e] = num.CanonNaN(kernel.MaxOf(x[at : at+n]))
				continue
			}
			m := num.CanonNaN(x[at])
			for j := int64(1); j < n; j++ {
				m = num.Max(m, x[at+j*r.inner])
			}
			y[e] = m
		}
	})
}

func sliceMax(c *SliceCtx, r *reduction) ([]byte, error) {
	at := r.base(c.Elem)
	return c.foldF32(r.members(c.Elem), func(acc float32, j int64) float32 {
		v := c.f32At(0, at+j*r.inner)
		if j == 0 {
			return num.CanonNaN(v)
		}
		return num.Max(acc, v)
	}, same)
}

// minStep is one step of reduce_min: the total order.
func minStep(acc, v float32, j int64) float32 {
	if j == 0 {
		return num.CanonNaN(v)
	}
	return num.Min(acc, v)
}

// prodStep is one step of reduce_prod: rounded products from 1.
func prodStep(acc, v float32, j int64) float32 {
	if j == 0 {
		acc = 1
	}
	return num.Mul(acc, v)
}

// chainOf evaluates a reduction that is one chain over an f32 accumulator.
func chainOf(step func(acc, v float32, j int64) float32) func(c *EvalCtx, r *reduction) {
	return func(c *EvalCtx, r *reduction) {
		y, x := c.Y.F32(), c.X[0].F32()
		kernel.Parallel(threadsFor(c, int64(len(x))), len(y), func(lo, hi int) {
			for e := lo; e < hi; e++ {
				at, acc := r.base(int64(e)), float32(0)
				for j := range r.members(int64(e)) {
					acc = step(acc, x[at+j*r.inner], j)
				}
				y[e] = acc
			}
		})
	}
}

func sliceChain(step func(acc, v float32, j int64) float32) func(c *SliceCtx, r *reduction) ([]byte, error) {
	return func(c *SliceCtx, r *reduction) ([]byte, error) {
		at := r.base(c.Elem)
		return c.foldF32(r.members(c.Elem), func(acc float32, j int64) float32 {
			return step(acc, c.f32At(0, at+j*r.inner), j)
		}, same)
	}
}

func evalArgmax(c *EvalCtx, r *reduction) {
	y, x := c.Y.I64(), c.X[0].F32()
	kernel.Parallel(threadsFor(c, int64(len(x))), len(y), func(lo, hi int) {
		for e := lo; e < hi; e++ {
			at, n := r.base(int64(e)), r.members(int64(e))
			if r.inner == 1 && !c.Reference {
				y[e] = int64(kernel.ArgMax(x[at : at+n]))
				continue
			}
			best := int64(0)
			for j := int64(1); j < n; j++ {
				if num.Less(x[at+best*r.inner], x[at+j*r.inner]) {
					best = j
				}
			}
			y[e] = best
		}
	})
}

// sliceArgmax keeps the best value's bits and its index.
func sliceArgmax(c *SliceCtx, r *reduction) ([]byte, error) {
	acc, err := c.acc(12)
	if err != nil {
		return nil, err
	}
	at := r.base(c.Elem)
	best, index := math.Float32frombits(binary.LittleEndian.Uint32(acc)), binary.LittleEndian.Uint64(acc[4:])
	for j := c.From; j < c.To; j++ {
		if v := c.f32At(0, at+j*r.inner); j == 0 || num.Less(best, v) {
			best, index = num.CanonNaN(v), uint64(j)
		}
	}
	if c.To == r.members(c.Elem) {
		return c.element(index)
	}
	out := binary.LittleEndian.AppendUint32(nil, math.Float32bits(best))
	return binary.LittleEndian.AppendUint64(out, index), c.err
}
