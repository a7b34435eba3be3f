package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// activationOps are the f32 functions beside unaryOps that networks from elsewhere use, and clip.
func activationOps() []*Op {
	plain := func(name string, weight uint64, f func(float32) float32, vec func(dst, a []float32)) *Op {
		return unaryOp(name, nil, weight, allF32,
			func(*NodeView) func(float32) float32 { return f }, func(*NodeView) func(dst, a []float32) { return vec })
	}
	return []*Op{
		plain("erf@1", 20, num.Erf, kernel.Erf),
		plain("sin@1", 20, num.Sin, nil),
		plain("cos@1", 20, num.Cos, nil),
		plain("hardswish@1", 4, num.HardSwish, kernel.HardSwish),
		hardSigmoidOp(), roundOp(), clipOp(),
	}
}

// f32Attr reads an attribute that holds one f32, little-endian; Infer has checked its length with checkF32.
func f32Attr(a Attrs, name string) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(a.Data(name)))
}

func checkF32(a Attrs, names ...string) error {
	for _, name := range names {
		if d := a.Data(name); len(d) != 4 {
			return errAttr(name, fmt.Sprintf("%d bytes", len(d)), "the 4 bytes of one f32")
		}
	}
	return nil
}

// hardSigmoidOp is clip(fma(x, alpha, beta), 0, 1), ONNX HardSigmoid with its fused product.
func hardSigmoidOp() *Op {
	dtype := func(c *InferCtx) (DType, error) {
		if err := checkF32(c.Attrs, "alpha", "beta"); err != nil {
			return 0, err
		}
		return allF32(c)
	}
	return unaryOp("hardsigmoid@1", []AttrDef{dataAttr("alpha"), dataAttr("beta")}, 3, dtype,
		func(n *NodeView) func(float32) float32 {
			alpha, beta := f32Attr(n.Attrs, "alpha"), f32Attr(n.Attrs, "beta")
			return func(x float32) float32 { return num.Clip(num.FMA(x, alpha, beta), 0, 1) }
		},
		func(n *NodeView) func(dst, a []float32) {
			alpha, beta := f32Attr(n.Attrs, "alpha"), f32Attr(n.Attrs, "beta")
			return func(dst, a []float32) {
				for i, x := range a {
					dst[i] = clampUnit(x, alpha, beta)
				}
			}
		})
}

// clampUnit is num.Clip(num.FMA(x, a, b), 0, 1), with a short way for results that a float64 sum decides: outside
// (0, 1), and inside it wherever that sum is no tie of the rounding to float32 and not tiny.
func clampUnit(x, a, b float32) float32 {
	const low, tie, small = 1<<29 - 1, 1 << 28, 0x1p-120
	s := float64(float64(x)*float64(a)) + float64(b)
	if s >= 1 {
		return 1
	}
	if s < 0 {
		return 0
	}
	if s > small && math.Float64bits(s)&low != tie {
		return float32(s)
	}
	return num.Clip(num.FMA(x, a, b), 0, 1)
}

// roundOp rounds to an integral f32.
func roundOp() *Op {
	modes := map[string]func(float64) float64{"nearest": math.RoundToEven, "trunc": math.Trunc, "floor": math.Floor, "ceil": math.Ceil}
	dtype := func(c *InferCtx) (DType, error) {
		if m := c.Attrs.Text("mode"); modes[m] == nil {
			return 0, errAttr("mode", m, "nearest, trunc, floor or ceil")
		}
		return allF32(c)
	}
	scalar := func(n *NodeView) func(float32) float32 {
		f := modes[n.Attrs.Text("mode")]
		return func(x float32) float32 { return num.CanonNaN(float32(f(float64(x)))) }
	}
	return unaryOp("round@1", []AttrDef{textAttr("mode")}, 1, dtype, scalar, func(*NodeView) func(dst, a []float32) { return nil })
}

// clipOp is min(max(x, lo), hi) by broadcasting; on f32 in the total order, but NaN stays NaN.
func clipOp() *Op {
	return elementwise{
		name: "clip@1", operands: 3, weight: 2,
		dtype: func(c *InferCtx) (DType, error) { return numeric(c, true) },
		scalar: func(n *NodeView) scalarFn {
			dt := n.Out.DType
			if dt == F32 {
				return func(x [4]uint64) uint64 { return bitsOf(num.Clip(f32of(x[0]), f32of(x[1]), f32of(x[2]))) }
			}
			return func(x [4]uint64) uint64 {
				v := min(max(signExtend(dt, x[0]), signExtend(dt, x[1])), signExtend(dt, x[2]))
				if dt == I32 {
					return uint64(uint32(v))
				}
				return uint64(v)
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			if c.Y.dtype != F32 {
				return nil
			}
			y, a, lo, hi, s := c.Y.F32(), c.X[0].F32(), c.X[1].F32(), c.X[2].F32(), l.step
			return func(at int64, x []int64, n int64) {
				for i := range n {
					y[at+i] = num.Clip(a[x[0]+i*s[0]], lo[x[1]+i*s[1]], hi[x[2]+i*s[2]])
				}
			}
		},
	}.op()
}
