package engine

import (
	"poaid/engine/kernel"
	"poaid/engine/num"
)

// withI8Pool adds i8 to the f32 maxpool@1. Every i8 is a float32 and the orders agree, so accumulators are the same.
func withI8Pool(float *Op) *Op {
	op := *float
	op.Infer = func(c *InferCtx) (Value, error) {
		dt := c.In[0].DType
		if dt != F32 && dt != I8 {
			return Value{}, wrongDType(0, dt, "f32 or i8")
		}
		f := *c
		f.In = []Value{value(F32, c.In[0].Shape)}
		v, err := float.Infer(&f)
		return value(dt, v.Shape), err
	}
	op.Eval = func(c *EvalCtx) error {
		if c.Y.dtype != I8 {
			return float.Eval(c)
		}
		s := poolOf(&c.NodeView)
		y, x, ny, nx := c.Y.I8(), c.X[0].I8(), s.oh*s.ow, s.h*s.w
		kernel.Parallel(threadsFor(c, int64(len(x)+len(y))), int(s.planes), func(lo, hi int) {
			for p := int64(lo); p < int64(hi); p++ {
				maxPoolI8(&s, y[p*ny:(p+1)*ny], x[p*nx:(p+1)*nx])
			}
		})
		return nil
	}
	return &op
}

func maxPoolI8(s *poolShape, y, x []int8) {
	for o := range y {
		h0, h1, w0, w1 := s.window(int64(o)/s.ow, int64(o)%s.ow)
		best := x[h0*s.w+w0]
		for h := h0; h < h1; h++ {
			for _, v := range x[h*s.w+w0 : h*s.w+w1] {
				best = max(best, v)
			}
		}
		y[o] = best
	}
}

// poolElem is an element of the image as f32.
func poolElem(c *SliceCtx, i int64) float32 {
	if c.In[0].DType == I8 {
		return num.I8ToF32(int8(c.intAt(0, i)))
	}
	return c.f32At(0, i)
}
