package engine

import (
	"encoding/binary"
	"fmt"
	"slices"

	"poaid/engine/num"
)

// sampleOps turn weights into a choice without ever rounding: ranks and integer sums.
func sampleOps() []*Op { return []*Op{rankOp(), massAboveOp(), pickOp()} }

func vector(i int, v Value) error {
	if len(v.Shape) != 1 {
		return fmt.Errorf("inputs[%d]: shape %s, want rank 1", i, v.Shape)
	}
	return nil
}

// before reports whether element j comes before element i: larger first, lower index on ties.
func before(dt DType, vj, vi uint64, j, i int64) bool {
	s := compareBits(dt, vj, vi)
	return s > 0 || s == 0 && j < i
}

func rankOp() *Op {
	return &Op{
		Name: "rank@1", Kind: Fold, Operands: 1,
		Cost: func(n *NodeView) (uint64, uint64, error) {
			macs, err := mulAll(uint64(n.Out.elems()), 64)
			return macs, opBytes(&n.In[0]) + opBytes(&n.Out), err
		},
		Infer: func(c *InferCtx) (Value, error) {
			if dt := c.In[0].DType; dt != F32 && dt != I64 {
				return Value{}, wrongDType(0, dt, "f32 or i64")
			}
			if c.In[0].Shape[0].At(c.MaxT) > 1<<31 {
				return Value{}, fmt.Errorf("inputs[0]: %s does not fit i32", c.In[0].Shape)
			}
			return value(I32, c.In[0].Shape), vector(0, c.In[0])
		},
		Eval:  evalRank,
		Steps: func(c *SliceCtx) (int64, error) { return c.In[0].Shape[0], nil },
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			return []Range{one(0, c.Elem), {Operand: 0, Start: c.From, Count: c.To - c.From}}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			v := c.rawAt(0, c.Elem)
			return c.foldInt(c.In[0].Shape[0], func(acc, j int64) int64 {
				if before(c.In[0].DType, c.rawAt(0, j), v, j, c.Elem) {
					acc++
				}
				return acc
			})
		},
	}
}

// foldInt runs a fold over one i64 accumulator that starts from 0 and is the element in the end.
func (c *SliceCtx) foldInt(steps int64, step func(acc, j int64) int64) ([]byte, error) {
	acc, err := c.acc(8)
	if err != nil {
		return nil, err
	}
	a := int64(binary.LittleEndian.Uint64(acc))
	for j := c.From; j < c.To; j++ {
		a = step(a, j)
	}
	if c.To == steps {
		return c.element(uint64(a))
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(a)), c.err
}

func evalRank(c *EvalCtx) error {
	x, y := c.X[0], c.Y.I32()
	if c.Reference || x.dtype != F32 {
		order := make([]int64, len(y))
		for i := range order {
			order[i] = int64(i)
		}
		slices.SortFunc(order, func(a, b int64) int {
			if before(x.dtype, loadBits(x, a), loadBits(x, b), a, b) {
				return -1
			}
			return 1
		})
		for r, i := range order {
			y[i] = int32(r)
		}
		return nil
	}
	// Stable radix sort of ascending keys: the complement of the order key, so that the largest comes first.
	key, tmp := make([]uint64, len(y)), make([]uint64, len(y))
	for i, v := range x.F32() {
		key[i] = uint64(^(uint32(num.Key(v))^1<<31))<<32 | uint64(uint32(i))
	}
	for shift := 32; shift < 64; shift += 11 {
		radixPass(tmp, key, shift)
		key, tmp = tmp, key
	}
	for r, k := range key {
		y[uint32(k)] = int32(r)
	}
	return nil
}

// radixPass sorts by 11 bits, keeping the order of equal ones.
func radixPass(dst, src []uint64, shift int) {
	var start [2049]int
	for _, k := range src {
		start[k>>shift&2047+1]++
	}
	for i := range 2047 {
		start[i+1] += start[i]
	}
	for _, k := range src {
		b := k >> shift & 2047
		dst[start[b]] = k
		start[b]++
	}
}

func massAboveOp() *Op {
	return &Op{
		Name: "massabove@1", Kind: Fold, Operands: 2,
		Cost: func(n *NodeView) (uint64, uint64, error) {
			macs, err := mulAll(uint64(n.Out.elems()), 8)
			return macs, opBytes(&n.In[0]) + opBytes(&n.In[1]) + opBytes(&n.Out), err
		},
		Infer: func(c *InferCtx) (Value, error) {
			if c.In[0].DType != I64 || c.In[1].DType != I32 || !c.In[0].Shape.Equal(c.In[1].Shape) {
				return Value{}, fmt.Errorf("inputs: %s%s and %s%s, want i64[n] and i32[n]",
					c.In[0].DType, c.In[0].Shape, c.In[1].DType, c.In[1].Shape)
			}
			return value(I64, c.In[0].Shape), vector(0, c.In[0])
		},
		Eval:  evalMassAbove,
		Steps: func(c *SliceCtx) (int64, error) { return c.In[0].Shape[0], nil },
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			n := c.To - c.From
			return []Range{one(1, c.Elem), {Operand: 0, Start: c.From, Count: n}, {Operand: 1, Start: c.From, Count: n}}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			rank := c.intAt(1, c.Elem)
			return c.foldInt(c.In[0].Shape[0], func(acc, j int64) int64 {
				if w := c.intAt(0, j); c.intAt(1, j) < rank {
					acc += w
				}
				return acc
			})
		},
	}
}

// evalMassAbove adds up in order of rank. Ranks need not be a permutation, nor in range.
func evalMassAbove(c *EvalCtx) error {
	w, rank, y := c.X[0].I64(), c.X[1].I32(), c.Y.I64()
	order := make([]int32, len(y))
	if !permutation(order, rank) {
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(a, b int32) int { return cmpInt(int64(rank[a]), int64(rank[b])) })
	}
	sum, above := int64(0), int64(0)
	for k, i := range order {
		if k == 0 || rank[i] != rank[order[k-1]] {
			above = sum
		}
		y[i] = above
		sum += w[i]
	}
	return nil
}

// permutation inverts rank into order, if it is a permutation of 0..n−1.
func permutation(order, rank []int32) bool {
	for i := range order {
		order[i] = -1
	}
	for i, r := range rank {
		if r < 0 || int(r) >= len(order) || order[r] >= 0 {
			return false
		}
		order[r] = int32(i)
	}
	return true
}

func pickOp() *Op {
	return &Op{
		Name: "pick@1", Kind: Fold, Operands: 2,
		Cost: func(n *NodeView) (uint64, uint64, error) { return uint64(n.In[0].elems()), opBytes(&n.In[0]) + 16, nil },
		Infer: func(c *InferCtx) (Value, error) {
			if c.In[0].DType != I64 {
				return Value{}, wrongDType(0, c.In[0].DType, "i64")
			}
			if err := wantI64One(c.In[1]); err != nil {
				return Value{}, fmt.Errorf("inputs[1]: %w", err)
			}
			return value(I64, ConstShape(1)), vector(0, c.In[0])
		},
		Eval: func(c *EvalCtx) error {
			w, u, sum := c.X[0].I64(), c.X[1].I64()[0], int64(0)
			for i, v := range w {
				if sum += v; sum > u {
					c.Y.I64()[0] = int64(i)
					return nil
				}
			}
			c.Y.I64()[0] = int64(len(w) - 1)
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) { return c.In[0].Shape[0], nil },
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			return []Range{one(1, 0), {Operand: 0, Start: c.From, Count: c.To - c.From}}, true, nil
		},
		EvalSlice: slicePick,
	}
}

// slicePick keeps the prefix sum and 1 + the index found, 0 for none yet.
func slicePick(c *SliceCtx) ([]byte, error) {
	acc, err := c.acc(16)
	if err != nil {
		return nil, err
	}
	u, n := c.intAt(1, 0), c.In[0].Shape[0]
	sum, found := int64(binary.LittleEndian.Uint64(acc)), binary.LittleEndian.Uint64(acc[8:])
	for j := c.From; j < c.To; j++ {
		if sum += c.intAt(0, j); sum > u && found == 0 {
			found = uint64(j) + 1
		}
	}
	if c.To < n {
		out := binary.LittleEndian.AppendUint64(nil, uint64(sum))
		return binary.LittleEndian.AppendUint64(out, found), c.err
	}
	if found == 0 {
		found = uint64(n)
	}
	return c.element(found - 1)
}
