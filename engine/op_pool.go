package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// poolShape is the geometry of a pool at one step: windows of kh×kw over planes of h×w.
type poolShape struct {
	planes, h, w, oh, ow   int64
	kh, kw, sh, sw, pt, pl int64
}

func poolAttrs(extra ...AttrDef) []AttrDef {
	all := append([]AttrDef{intsN("kernel", 2), intsN("pad", 4)}, extra...)
	return append(all, intsN("stride", 2))
}

// poolOf reads the geometry: x is the pooled image, y the result of pooling.
func poolOf(n *NodeView) poolShape {
	x, y := n.In[0].Shape, n.Out.Shape
	switch n.Op.Name {
	case "maxpool_dx@1":
		y = n.In[1].Shape
	case "avgpool_dx@1":
		x, y = n.Out.Shape, n.In[0].Shape
	}
	k, p, s := n.Attrs.Ints("kernel"), n.Attrs.Ints("pad"), n.Attrs.Ints("stride")
	return poolShape{
		planes: x[0] * x[1], h: x[2], w: x[3], oh: y[2], ow: y[3],
		kh: k[0], kw: k[1], sh: s[0], sw: s[1], pt: p[0], pl: p[1],
	}
}

// inferPool returns the shape of the pooled image.
func inferPool(x []int64, a Attrs) (Shape, error) {
	k, p, s := a.Ints("kernel"), a.Ints("pad"), a.Ints("stride")
	for i, v := range append(append(append([]int64{}, k...), s...), p...) {
		if v < 0 || v > 1<<20 || i < 4 && v < 1 {
			return nil, fmt.Errorf("attrs kernel %v, stride %v, pad %v: out of range", k, s, p)
		}
	}
	if p[0] >= k[0] || p[2] >= k[0] || p[1] >= k[1] || p[3] >= k[1] {
		return nil, errPad
	}
	h, w := x[2]+p[0]+p[2]-k[0], x[3]+p[1]+p[3]-k[1]
	if h < 0 || w < 0 {
		return nil, fmt.Errorf("attr kernel: %v is larger than the padded image %v", k, x)
	}
	return ConstShape(x[0], x[1], h/s[0]+1, w/s[1]+1), nil
}

// window returns the rows and columns of the image that output (oh, ow) covers.
func (s *poolShape) window(oh, ow int64) (h0, h1, w0, w1 int64) {
	h, w := oh*s.sh-s.pt, ow*s.sw-s.pl
	return max(h, 0), min(h+s.kh, s.h), max(w, 0), min(w+s.kw, s.w)
}

// covering returns the outputs whose windows cover image place (h, w): from lo to hi, both ends excluded at hi.
func covering(at, pad, k, stride, n int64) (lo, hi int64) {
	first := at + pad - k + 1
	if first > 0 {
		lo = (first + stride - 1) / stride
	}
	return lo, max(lo, min((at+pad)/stride+1, n))
}

// argmax returns the first largest element of a window of plane x.
func (s *poolShape) argmax(x func(i int64) float32, oh, ow int64) (index int64, best float32) {
	h0, h1, w0, w1 := s.window(oh, ow)
	index = -1
	for h := h0; h < h1; h++ {
		for w := w0; w < w1; w++ {
			if v := x(h*s.w + w); index < 0 || num.Less(best, v) {
				index, best = h*s.w+w, v
			}
		}
	}
	return index, num.CanonNaN(best)
}

// member maps fold step j of a window to its place in the plane.
func (s *poolShape) member(e, j int64) (index int64, ok bool) {
	oh, ow := e/s.ow%s.oh, e%s.ow
	h, w := oh*s.sh-s.pt+j/s.kw, ow*s.sw-s.pl+j%s.kw
	return h*s.w + w, h >= 0 && w >= 0 && h < s.h && w < s.w
}

// count is the number of members of a window.
func (s *poolShape) count(oh, ow int64) float32 {
	h0, h1, w0, w1 := s.window(oh, ow)
	return num.I64ToF32((h1 - h0) * (w1 - w0))
}

func poolOps() []*Op {
	return []*Op{
		withI8Pool(poolOp("maxpool@1", evalMaxPool, sliceMaxPool)),
		poolOp("avgpool@1", evalAvgPool, sliceAvgPool),
		maxPoolDX(), avgPoolDX(),
	}
}

func poolOp(name string, eval func(s *poolShape, y, x []float32), slice func(c *SliceCtx, s *poolShape) ([]byte, error)) *Op {
	return &Op{
		Name: name, Kind: Fold, Operands: 1, Attrs: poolAttrs(),
		Infer: func(c *InferCtx) (Value, error) {
			if err := rank4F32(c); err != nil {
				return Value{}, err
			}
			shape, err := inferPool(c.In[0].Shape.At(0), c.Attrs)
			return value(F32, shape), err
		},
		Cost: costPool,
		Eval: func(c *EvalCtx) error {
			s := poolOf(&c.NodeView)
			evalPlanes(c, &s, c.Y.F32(), c.X[0].F32(), eval)
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) {
			s := poolOf(&c.NodeView)
			return s.kh * s.kw, nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			s := poolOf(&c.NodeView)
			plane := c.Elem / (s.oh * s.ow) * s.h * s.w
			var more []Range
			for j := c.From; j < c.To; j++ {
				if i, ok := s.member(c.Elem, j); ok {
					more = append(more, one(0, plane+i))
				}
			}
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			s := poolOf(&c.NodeView)
			return slice(c, &s)
		},
	}
}

func costPool(n *NodeView) (uint64, uint64, error) {
	s := poolOf(n)
	macs, err := mulAll(uint64(s.planes*s.oh*s.ow), uint64(s.kh*s.kw))
	bytes := opBytes(&n.Out)
	for i := range n.In {
		bytes += opBytes(&n.In[i])
	}
	return macs, bytes, err
}

// evalPlanes runs eval for every plane of y and x.
func evalPlanes(c *EvalCtx, s *poolShape, y, x []float32, eval func(s *poolShape, y, x []float32)) {
	ny, nx := int64(len(y))/s.planes, int64(len(x))/s.planes
	kernel.Parallel(threadsFor(c, int64(len(x)+len(y))), int(s.planes), func(lo, hi int) {
		for p := int64(lo); p < int64(hi); p++ {
			eval(s, y[p*ny:(p+1)*ny], x[p*nx:(p+1)*nx])
		}
	})
}

func evalMaxPool(s *poolShape, y, x []float32) {
	done := int64(0)
	for s.pairs() && done < s.oh && kernel.MaxPool2(y[done*s.ow:(done+1)*s.ow], x[2*done*s.w:(2*done+1)*s.w], x[(2*done+1)*s.w:(2*done+2)*s.w]) {
		done++
	}
	for o := done * s.ow; o < int64(len(y)); o++ {
		y[o] = num.CanonNaN(x[s.argmaxOf(x, o/s.ow, o%s.ow)])
	}
}

// pairs reports whether the windows are 2×2 side by side, all within the image.
func (s *poolShape) pairs() bool {
	return s.kh == 2 && s.kw == 2 && s.sh == 2 && s.sw == 2 && s.pt == 0 && s.pl == 0 && 2*s.oh <= s.h && 2*s.ow <= s.w
}

// spreadMaxPool is the gradient of evalMaxPool over a plane.
func spreadMaxPool(s *poolShape, dx, x, dy []float32) {
	if s.pairs() && s.ow >= 4 {
		if 2*s.ow < s.w || 2*s.oh < s.h {
			clear(dx)
		}
		done := int64(0)
		for done < s.oh {
			r, e := 2*done*s.w, 2*done*s.w+s.w
			if !kernel.MaxPool2Grad(dx[r:e], dx[e:e+s.w], x[r:e], x[e:e+s.w], dy[done*s.ow:(done+1)*s.ow]) {
				break
			}
			done++
		}
		if done == s.oh {
			return
		}
	}
	clear(dx)
	for o := range s.oh * s.ow {
		i := s.argmaxOf(x, o/s.ow, o%s.ow)
		dx[i] = num.Add(dx[i], dy[o])
	}
}

// argmaxOf is argmax over a whole plane.
func (s *poolShape) argmaxOf(x []float32, oh, ow int64) int64 {
	h0, h1, w0, w1 := s.window(oh, ow)
	index := h0*s.w + w0
	best := num.Key(x[index])
	for h := h0; h < h1; h++ {
		row := x[h*s.w+w0 : h*s.w+w1]
		for w, v := range row {
			if k := num.Key(v); k > best {
				best, index = k, h*s.w+w0+int64(w)
			}
		}
	}
	return index
}

// sliceMaxPool keeps a flag for "some member seen" and the largest one.
func sliceMaxPool(c *SliceCtx, s *poolShape) ([]byte, error) {
	acc, err := c.acc(5)
	if err != nil {
		return nil, err
	}
	plane := c.Elem / (s.oh * s.ow) * s.h * s.w
	seen, best := acc[0] != 0, math.Float32frombits(binary.LittleEndian.Uint32(acc[1:]))
	for j := c.From; j < c.To; j++ {
		i, ok := s.member(c.Elem, j)
		if !ok {
			continue
		}
		if v := poolElem(c, plane+i); !seen || num.Less(best, v) {
			seen, best = true, num.CanonNaN(v)
		}
	}
	if c.To == s.kh*s.kw {
		if c.Out.DType == I8 {
			return c.element(uint64(uint8(num.F32ToI8(best, num.NearestEven))))
		}
		return c.elementF32(best)
	}
	return binary.LittleEndian.AppendUint32([]byte{byte(bit(seen))}, math.Float32bits(best)), c.err
}

func evalAvgPool(s *poolShape, y, x []float32) {
	for o := range y {
		oh, ow := int64(o)/s.ow, int64(o)%s.ow
		h0, h1, w0, w1 := s.window(oh, ow)
		acc := float32(0)
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				acc = num.Add(acc, x[h*s.w+w])
			}
		}
		y[o] = num.Div(acc, s.count(oh, ow))
	}
}

func sliceAvgPool(c *SliceCtx, s *poolShape) ([]byte, error) {
	plane := c.Elem / (s.oh * s.ow) * s.h * s.w
	return c.foldF32(s.kh*s.kw, func(acc float32, j int64) float32 {
		if i, ok := s.member(c.Elem, j); ok {
			return num.Add(acc, c.f32At(0, plane+i))
		}
		return acc
	}, func(acc float32) float32 {
		return num.Div(acc, s.count(c.Elem/s.ow%s.oh, c.Elem%s.ow))
	})
}

// places maps image element e to its plane, its index in the plane and the windows that cover it.
func (s *poolShape) places(e int64) (plane, index, oh0, oh1, ow0, ow1 int64) {
	plane, index = e/(s.h*s.w), e%(s.h*s.w)
	oh0, oh1 = covering(index/s.w, s.pt, s.kh, s.sh, s.oh)
	ow0, ow1 = covering(index%s.w, s.pl, s.kw, s.sw, s.ow)
	return plane, index, oh0, oh1, ow0, ow1
}

// maxPoolDX sends every dy to the element its window picked: x, dy → dx. The chain of an element adds the windows that
// cover it, (oh, ow) ascending, those that picked it.
func maxPoolDX() *Op {
	windows := func(c *SliceCtx, fn func(s *poolShape, plane, index, oh, ow int64)) int64 {
		s := poolOf(&c.NodeView)
		plane, index, oh0, oh1, ow0, ow1 := s.places(c.Elem)
		if n := ow1 - ow0; fn != nil {
			for j := c.From; j < c.To; j++ {
				fn(&s, plane, index, oh0+j/n, ow0+j%n)
			}
		}
		return (oh1 - oh0) * (ow1 - ow0)
	}
	return &Op{
		Name: "maxpool_dx@1", Kind: Fold, Operands: 2, Attrs: poolAttrs(), Cost: costPool,
		Infer: func(c *InferCtx) (Value, error) {
			if err := rank4F32(c); err != nil {
				return Value{}, err
			}
			shape, err := inferPool(c.In[0].Shape.At(0), c.Attrs)
			if err == nil && !shape.Equal(c.In[1].Shape) {
				err = fmt.Errorf("inputs[1]: shape %s, want %s", c.In[1].Shape, shape)
			}
			return value(F32, c.In[0].Shape), err
		},
		Eval: func(c *EvalCtx) error {
			s := poolOf(&c.NodeView)
			dy, n := c.X[1].F32(), s.h*s.w
			kernel.Parallel(threadsFor(c, c.Y.Len()), int(s.planes), func(lo, hi int) {
				for p := int64(lo); p < int64(hi); p++ {
					dx, x := c.Y.F32()[p*n:(p+1)*n], c.X[0].F32()[p*n:(p+1)*n]
					spreadMaxPool(&s, dx, x, dy[p*s.oh*s.ow:(p+1)*s.oh*s.ow])
				}
			})
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) { return windows(c, nil), nil },
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			var more []Range
			windows(c, func(s *poolShape, plane, _, oh, ow int64) {
				h0, h1, w0, w1 := s.window(oh, ow)
				for h := h0; h < h1; h++ {
					more = append(more, Range{Operand: 0, Start: plane*s.h*s.w + h*s.w + w0, Count: w1 - w0})
				}
				more = append(more, one(1, (plane*s.oh+oh)*s.ow+ow))
			})
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			s := poolOf(&c.NodeView)
			plane, index, oh0, _, ow0, ow1 := s.places(c.Elem)
			x := func(i int64) float32 { return c.f32At(0, plane*s.h*s.w+i) }
			return c.foldF32(windows(c, nil), func(acc float32, j int64) float32 {
				oh, ow := oh0+j/(ow1-ow0), ow0+j%(ow1-ow0)
				if i, _ := s.argmax(x, oh, ow); i != index {
					return acc
				}
				return num.Add(acc, c.f32At(1, (plane*s.oh+oh)*s.ow+ow))
			}, same)
		},
	}
}

// avgPoolDX spreads every dy evenly over its window: dy → dx, the windows that cover an element (oh, ow) ascending.
func avgPoolDX() *Op {
	return &Op{
		Name: "avgpool_dx@1", Kind: Fold, Operands: 1, Attrs: poolAttrs(intsN("size", 2)), Cost: costPool,
		Infer: func(c *InferCtx) (Value, error) {
			if err := rank4F32(c); err != nil {
				return Value{}, err
			}
			dy, size := c.In[0].Shape.At(0), c.Attrs.Ints("size")
			if size[0] < 1 || size[1] < 1 || size[0] > 1<<31 || size[1] > 1<<31 {
				return Value{}, errAttr("size", size, "1..2^31")
			}
			x := []int64{dy[0], dy[1], size[0], size[1]}
			shape, err := inferPool(x, c.Attrs)
			if err == nil && !shape.Equal(c.In[0].Shape) {
				err = fmt.Errorf("inputs[0]: shape %s, want %s", c.In[0].Shape, shape)
			}
			return value(F32, ConstShape(x...)), err
		},
		Eval: func(c *EvalCtx) error {
			s := poolOf(&c.NodeView)
			evalPlanes(c, &s, c.Y.F32(), c.X[0].F32(), func(s *poolShape, dx, dy []float32) {
				clear(dx)
				for o, v := range dy {
					oh, ow := int64(o)/s.ow, int64(o)%s.ow
					h0, h1, w0, w1 := s.window(oh, ow)
					v = num.Div(v, s.count(oh, ow))
					for h := h0; h < h1; h++ {
						for w := w0; w < w1; w++ {
							dx[h*s.w+w] = num.Add(dx[h*s.w+w], v)
						}
					}
				}
			})
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) {
			s := poolOf(&c.NodeView)
			_, _, oh0, oh1, ow0, ow1 := s.places(c.Elem)
			return (oh1 - oh0) * (ow1 - ow0), nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			s := poolOf(&c.NodeView)
			plane, _, oh0, _, ow0, ow1 := s.places(c.Elem)
			var more []Range
			for j := c.From; j < c.To; j++ {
				more = append(more, one(0, (plane*s.oh+oh0+j/(ow1-ow0))*s.ow+ow0+j%(ow1-ow0)))
			}
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			s := poolOf(&c.NodeView)
			plane, _, oh0, oh1, ow0, ow1 := s.places(c.Elem)
			return c.foldF32((oh1-oh0)*(ow1-ow0), func(acc float32, j int64) float32 {
				oh, ow := oh0+j/(ow1-ow0), ow0+j%(ow1-ow0)
				return num.Add(acc, num.Div(c.f32At(0, (plane*s.oh+oh)*s.ow+ow), s.count(oh, ow)))
			}, same)
		},
	}
}
