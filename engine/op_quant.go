package engine

import (
	"fmt"
	"math"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// quantOps go between f32 and integers of few bits. All broadcast, so that scales may be per tensor, row or channel.
func quantOps() []*Op { return []*Op{quantiseOp(), dequantiseOp(), rescaleOp(), requantiseOp()} }

// wantDTypes checks the dtypes of all operands.
func wantDTypes(c *InferCtx, want ...DType) error {
	for i, dt := range want {
		if c.In[i].DType != dt {
			return wrongDType(i, c.In[i].DType, dt.String())
		}
	}
	return nil
}

// quantise returns clamp(nearest(x/scale) + zero) for a zero point of type i8 or u8: ONNX QuantizeLinear. The quotient is
// rounded to f32 first, NaN counts as 0.
func quantise(x, scale float32, zero, lo, hi int64) int64 {
	q := int64(num.F32ToI32(num.Div(x, scale), num.NearestEven))
	return min(max(q+zero, lo), hi)
}

func quantiseOp() *Op {
	return elementwise{
		name: "quantise@1", operands: 3, weight: 6,
		dtype: func(c *InferCtx) (DType, error) {
			zero := c.In[2].DType
			if zero != I8 && zero != U8 {
				return 0, wrongDType(2, zero, "i8 or u8")
			}
			return zero, wantDTypes(c, F32, F32)
		},
		scalar: func(n *NodeView) scalarFn {
			if n.Out.DType == U8 {
				return func(x [4]uint64) uint64 {
					return uint64(quantise(f32of(x[0]), f32of(x[1]), int64(x[2]), 0, math.MaxUint8))
				}
			}
			return func(x [4]uint64) uint64 {
				return uint64(uint8(quantise(f32of(x[0]), f32of(x[1]), int64(int8(x[2])), math.MinInt8, math.MaxInt8)))
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			a, scale, s := c.X[0].F32(), c.X[1].F32(), l.step
			if c.Y.dtype != I8 || s[1] != 0 || s[2] != 0 {
				return nil
			}
			y, zero := c.Y.I8(), c.X[2].I8()
			return func(at int64, x []int64, n int64) {
				quantiseRun(y[at:at+n], a[x[0]:], s[0], scale[x[1]], int32(zero[x[2]]))
			}
		},
	}.op()
}

// quantiseRun quantises to i8 with one scale and zero point.
func quantiseRun(y []int8, a []float32, step int64, scale float32, zero int32) {
	// In (−2^22, 2^22) adding 1.5·2^23 rounds to the nearest integer, ties to even, and leaves it in the low bits.
	const magic, limit = 3 << 22, 1 << 22
	for i := range y {
		q := float32(a[int64(i)*step] / scale)
		if q > -limit && q < limit {
			v := int32(math.Float32bits(float32(q+magic))) - int32(math.Float32bits(magic)) + zero
			y[i] = int8(min(max(v, math.MinInt8), math.MaxInt8))
			continue
		}
		v := int64(num.F32ToI32(q, num.NearestEven)) + int64(zero)
		y[i] = int8(min(max(v, math.MinInt8), math.MaxInt8))
	}
}

// dequantiseOp is f32(x − zero)·scale, the difference exact and rounded once to f32: ONNX DequantizeLinear.
func dequantiseOp() *Op {
	return elementwise{
		name: "dequantise@1", operands: 3, weight: 2,
		dtype: func(c *InferCtx) (DType, error) {
			dt := c.In[0].DType
			if dt != I8 && dt != U8 && dt != I32 {
				return 0, wrongDType(0, dt, "i8, u8 or i32")
			}
			return F32, wantDTypes(c, dt, F32, dt)
		},
		scalar: func(n *NodeView) scalarFn {
			dt := n.In[0].DType
			return func(x [4]uint64) uint64 {
				return bitsOf(num.Mul(num.I64ToF32(signExtend(dt, x[0])-signExtend(dt, x[2])), f32of(x[1])))
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			if c.X[0].dtype != I8 {
				return nil
			}
			y, q, scale, zero, s := c.Y.F32(), c.X[0].I8(), c.X[1].F32(), c.X[2].I8(), l.step
			return func(at int64, x []int64, n int64) {
				for i := range n {
					d := int32(q[x[0]+i*s[0]]) - int32(zero[x[2]+i*s[2]])
					y[at+i] = num.Mul(num.I32ToF32(d), scale[x[1]+i*s[1]])
				}
			}
		},
	}.op()
}

// rescaleOp gives a product of quantised matrices back its size: f32(acc)·a·b, rounded after each, from the left. a is
// the scale of the rows, b that of the columns.
func rescaleOp() *Op {
	op := elementwise{
		name: "rescale@1", operands: 3, weight: 3,
		dtype: func(c *InferCtx) (DType, error) { return F32, wantDTypes(c, I32, F32, F32) },
		scalar: func(*NodeView) scalarFn {
			return func(x [4]uint64) uint64 {
				return bitsOf(num.Mul(num.Mul(num.I32ToF32(int32(x[0])), f32of(x[1])), f32of(x[2])))
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			y, acc, a, b, s := c.Y.F32(), c.X[0].I32(), c.X[1].F32(), c.X[2].F32(), l.step
			if s == [4]int64{1, 0, 1} { // a row scale and column scales
				return func(at int64, x []int64, n int64) {
					dst := y[at : at+n]
					for i, v := range acc[x[0] : x[0]+n] {
						dst[i] = num.I32ToF32(v)
					}
					kernel.MulScalar(dst, dst, a[x[1]])
					kernel.Mul(dst, dst, b[x[2]:x[2]+n])
				}
			}
			return func(at int64, x []int64, n int64) {
				for i := range n {
					v := float32(num.I32ToF32(acc[x[0]+i*s[0]]) * a[x[1]+i*s[1]])
					y[at+i] = num.Mul(v, b[x[2]+i*s[2]])
				}
			}
		},
	}.op()
	op.overwrites = []int{0} // the scales are read after the result is first written
	return op
}

// maxShift is the largest shift of requantise: the rounding 2^(shift−1) and a product below 2^62 fit 63 bits together.
const maxShift = 62

// requantiseOp is the integer-only way from accumulators to i8, see num.Requantise: operands acc, multiplier, shift, zero
// point. A fused activation is a narrower lo..hi.
func requantiseOp() *Op {
	return elementwise{
		name: "requantise@1", operands: 4, weight: 3, attrs: []AttrDef{int1("hi"), int1("lo")},
		dtype: func(c *InferCtx) (DType, error) {
			lo, hi := c.Attrs.Int("lo"), c.Attrs.Int("hi")
			if lo < math.MinInt8 || lo > hi || hi > math.MaxInt8 {
				return 0, fmt.Errorf("attrs lo %d, hi %d: want −128 ≤ lo ≤ hi ≤ 127", lo, hi)
			}
			return I8, wantDTypes(c, I32, I32, I32, I8)
		},
		scalar: func(n *NodeView) scalarFn {
			lo, hi := int8(n.Attrs.Int("lo")), int8(n.Attrs.Int("hi"))
			return func(x [4]uint64) uint64 {
				return uint64(uint8(requantise(int32(x[0]), int32(x[1]), int32(x[2]), int8(x[3]), lo, hi)))
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			y, acc, mul, shift, zero := c.Y.I8(), c.X[0].I32(), c.X[1].I32(), c.X[2].I32(), c.X[3].I8()
			lo, hi, s := int8(c.Attrs.Int("lo")), int8(c.Attrs.Int("hi")), l.step
			return func(at int64, x []int64, n int64) {
				for i := range n {
					y[at+i] = requantise(acc[x[0]+i*s[0]], mul[x[1]+i*s[1]], shift[x[2]+i*s[2]], zero[x[3]+i*s[3]], lo, hi)
				}
			}
		},
	}.op()
}

// requantise takes any shift: it is clamped to 1..62.
func requantise(acc, mul, shift int32, zero, lo, hi int8) int8 {
	q := num.Requantise(acc, mul, uint(min(max(shift, 1), maxShift)), int32(zero))
	return min(max(q, lo), hi)
}
