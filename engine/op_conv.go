package engine

import (
	"errors"
	"fmt"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// staticShapes refuses operands whose shape depends on the step.
func staticShapes(c *InferCtx) error {
	for i, in := range c.In {
		if !in.Shape.Static() {
			return fmt.Errorf("inputs[%d]: shape %s depends on the step", i, in.Shape)
		}
	}
	return nil
}

// rank4F32 requires f32 operands of rank 4 and constant shape.
func rank4F32(c *InferCtx) error {
	if _, err := allF32(c); err != nil {
		return err
	}
	for i, in := range c.In {
		if len(in.Shape) != 4 {
			return fmt.Errorf("inputs[%d]: shape %s, want rank 4", i, in.Shape)
		}
	}
	return staticShapes(c)
}

// convShape reads x's and the kernel's shape and the attributes.
func convShape(x, k []int64, a Attrs) kernel.ConvShape {
	stride, pad, dil := a.Ints("stride"), a.Ints("pad"), a.Ints("dilation")
	return kernel.ConvShape{
		N: int(x[0]), C: int(x[1]), H: int(x[2]), W: int(x[3]), OC: int(k[0]), KH: int(k[2]), KW: int(k[3]),
		StrideH: int(stride[0]), StrideW: int(stride[1]), DilH: int(dil[0]), DilW: int(dil[1]),
		PadTop: int(pad[0]), PadLeft: int(pad[1]), PadBottom: int(pad[2]), PadRight: int(pad[3]), Groups: int(a.Int("groups")),
	}
}

// convOf returns the geometry of any of the three ops at one step.
func convOf(n *NodeView) kernel.ConvShape {
	switch n.Op.Name {
	case "conv2d@1":
		return convShape(n.In[0].Shape, n.In[1].Shape, n.Attrs)
	case "conv2d_dw@1": // (dy, x) → k
		return convShape(n.In[1].Shape, n.Out.Shape, n.Attrs)
	default: // conv2d_dx@1: (dy, k) → x
		return convShape(n.Out.Shape, n.In[1].Shape, n.Attrs)
	}
}

// checkConv checks a geometry against the shapes of x, kernel and y; y may be nil.
func checkConv(x, k, y []int64, a Attrs) (kernel.ConvShape, error) {
	s := convShape(x, k, a)
	if err := s.Check(); err != nil {
		return s, err
	}
	if k[1]*int64(s.Groups) != x[1] {
		return s, fmt.Errorf("kernel %v has %d channels a group, x %v with %d groups needs %d", k, k[1], x, s.Groups, x[1]/int64(s.Groups))
	}
	if y != nil && !equalInts(y, []int64{int64(s.N), int64(s.OC), int64(s.OutH()), int64(s.OutW())}) {
		return s, fmt.Errorf("dy %v, want [%d %d %d %d]", y, s.N, s.OC, s.OutH(), s.OutW())
	}
	return s, nil
}

func convOps() []*Op {
	attrs := func(extra ...AttrDef) []AttrDef { // sorted: kernel and size fall between groups, pad and stride
		all := []AttrDef{intsN("dilation", 2), int1("groups")}
		for _, e := range extra {
			if e.Name == "kernel" {
				all = append(all, e)
			}
		}
		all = append(all, intsN("pad", 4))
		for _, e := range extra {
			if e.Name == "size" {
				all = append(all, e)
			}
		}
		return append(all, intsN("stride", 2))
	}
	return []*Op{
		withI8(convOp("conv2d@1", attrs(), func(c *InferCtx) (Shape, error) {
			s, err := checkConv(c.In[0].Shape.At(0), c.In[1].Shape.At(0), nil, c.Attrs)
			if err != nil {
				return nil, err
			}
			return ConstShape(int64(s.N), int64(s.OC), int64(s.OutH()), int64(s.OutW())), nil
		}, kernel.Conv2D, convSteps, convMember)),
		convOp("conv2d_dw@1", attrs(intsN("kernel", 2)), func(c *InferCtx) (Shape, error) {
			dy, x, g, kk := c.In[0].Shape.At(0), c.In[1].Shape.At(0), c.Attrs.Int("groups"), c.Attrs.Ints("kernel")
			if g < 1 || x[1]%g != 0 || kk[0] < 1 || kk[1] < 1 {
				return nil, fmt.Errorf("attrs groups %d, kernel %v: do not fit x %v", g, kk, x)
			}
			k := []int64{dy[1], x[1] / g, kk[0], kk[1]}
			_, err := checkConv(x, k, dy, c.Attrs)
			return ConstShape(k...), err
		}, kernel.Conv2DGradW, convDWSteps, convDWMember),
		convOp("conv2d_dx@1", attrs(intsN("size", 2)), func(c *InferCtx) (Shape, error) {
			dy, k, size := c.In[0].Shape.At(0), c.In[1].Shape.At(0), c.Attrs.Ints("size")
			g := c.Attrs.Int("groups")
			if g < 1 || g > 1<<20 || size[0] < 1 || size[1] < 1 || k[1] > 1<<40 {
				return nil, fmt.Errorf("attrs groups %d, size %v: out of range", g, size)
			}
			x := []int64{dy[0], k[1] * g, size[0], size[1]}
			_, err := checkConv(x, k, dy, c.Attrs)
			return ConstShape(x...), err
		}, kernel.Conv2DGradX, convDXSteps, convDXMember),
	}
}

// convMemberFn gives the elements of operand 0 and 1 that fold step j of output element e multiplies; ok = false when
// the step falls on padding and is no member of the chain.
type convMemberFn func(s *kernel.ConvShape, e, j int64) (i0, i1 int64, ok bool)

func convOp(name string, attrs []AttrDef, infer func(c *InferCtx) (Shape, error),
	run func(out, a, b []float32, s kernel.ConvShape, threads int), steps func(s *kernel.ConvShape) int64, member convMemberFn,
) *Op {
	return &Op{
		Name: name, Kind: Fold, Operands: 2, Attrs: attrs,
		Infer: func(c *InferCtx) (Value, error) {
			if err := rank4F32(c); err != nil {
				return Value{}, err
			}
			for _, a := range attrs {
				for _, v := range c.Attrs.Ints(a.Name) {
					if v < 0 || v >= 1<<31 {
						return Value{}, errAttr(a.Name, v, "0..2^31−1")
					}
				}
			}
			shape, err := infer(c)
			return value(F32, shape), err
		},
		Cost: func(n *NodeView) (uint64, uint64, error) {
			s := convOf(n)
			macs, err := mulAll(uint64(n.Out.elems()), uint64(steps(&s)))
			return macs, opBytes(&n.In[0]) + opBytes(&n.In[1]) + opBytes(&n.Out), err
		},
		Eval: func(c *EvalCtx) error {
			s := convOf(&c.NodeView)
			y, a, b := c.Y.F32(), c.X[0].F32(), c.X[1].F32()
			if !c.Reference {
				run(y, a, b, s, c.Threads)
				return nil
			}
			n := steps(&s)
			for e := range y {
				acc := float32(0)
				for j := range n {
					if i0, i1, ok := member(&s, int64(e), j); ok {
						acc = num.FMA(a[i0], b[i1], acc)
					}
				}
				y[e] = num.CanonNaN(acc)
			}
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) {
			s := convOf(&c.NodeView)
			return steps(&s), nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			s := convOf(&c.NodeView)
			var more []Range
			for j := c.From; j < c.To; j++ {
				if i0, i1, ok := member(&s, c.Elem, j); ok {
					more = append(more, one(0, i0), one(1, i1))
				}
			}
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			s := convOf(&c.NodeView)
			return c.foldF32(steps(&s), func(acc float32, j int64) float32 {
				if i0, i1, ok := member(&s, c.Elem, j); ok {
					return num.FMA(c.f32At(0, i0), c.f32At(1, i1), acc)
				}
				return acc
			}, same)
		},
	}
}

// inBounds reports whether (h, w) lies in an image of the given size.
func inBounds(h, w int64, height, width int) bool {
	return h >= 0 && w >= 0 && h < int64(height) && w < int64(width)
}

func convSteps(s *kernel.ConvShape) int64 { return int64(s.C/s.Groups) * int64(s.KH) * int64(s.KW) }

// convMember: e is [n, oc, oh, ow] of y, j is (c, kh, kw); operands are x and the kernel.
func convMember(s *kernel.ConvShape, e, j int64) (i0, i1 int64, ok bool) {
	ow, oh, oc, n := e%int64(s.OutW()), e/int64(s.OutW())%int64(s.OutH()), int64(0), int64(0)
	e /= int64(s.OutW()) * int64(s.OutH())
	oc, n = e%int64(s.OC), e/int64(s.OC)
	kw, kh, c := j%int64(s.KW), j/int64(s.KW)%int64(s.KH), j/int64(s.KW)/int64(s.KH)
	h := oh*int64(s.StrideH) - int64(s.PadTop) + kh*int64(s.DilH)
	w := ow*int64(s.StrideW) - int64(s.PadLeft) + kw*int64(s.DilW)
	cg := int64(s.C / s.Groups)
	channel := oc/int64(s.OC/s.Groups)*cg + c
	return ((n*int64(s.C)+channel)*int64(s.H)+h)*int64(s.W) + w,
		((oc*cg+c)*int64(s.KH)+kh)*int64(s.KW) + kw, inBounds(h, w, s.H, s.W)
}

func convDWSteps(s *kernel.ConvShape) int64 { return int64(s.N) * int64(s.OutH()) * int64(s.OutW()) }

// convDWMember: e is [oc, c, kh, kw] of the kernel, j is (n, oh, ow); operands are dy and x.
func convDWMember(s *kernel.ConvShape, e, j int64) (i0, i1 int64, ok bool) {
	cg := int64(s.C / s.Groups)
	kw, kh := e%int64(s.KW), e/int64(s.KW)%int64(s.KH)
	e /= int64(s.KW) * int64(s.KH)
	c, oc := e%cg, e/cg
	ow, oh, n := j%int64(s.OutW()), j/int64(s.OutW())%int64(s.OutH()), j/int64(s.OutW())/int64(s.OutH())
	h := oh*int64(s.StrideH) - int64(s.PadTop) + kh*int64(s.DilH)
	w := ow*int64(s.StrideW) - int64(s.PadLeft) + kw*int64(s.DilW)
	channel := oc/int64(s.OC/s.Groups)*cg + c
	return ((n*int64(s.OC)+oc)*int64(s.OutH())+oh)*int64(s.OutW()) + ow,
		((n*int64(s.C)+channel)*int64(s.H)+h)*int64(s.W) + w, inBounds(h, w, s.H, s.W)
}

func convDXSteps(s *kernel.ConvShape) int64 { return int64(s.OC/s.Groups) * int64(s.KH) * int64(s.KW) }

// convDXMember: e is [n, c, h, w] of x, j is (oc of the group, kh, kw); operands are dy and the kernel.
func convDXMember(s *kernel.ConvShape, e, j int64) (i0, i1 int64, ok bool) {
	w, h := e%int64(s.W), e/int64(s.W)%int64(s.H)
	e /= int64(s.W) * int64(s.H)
	channel, n := e%int64(s.C), e/int64(s.C)
	cg, og := int64(s.C/s.Groups), int64(s.OC/s.Groups)
	kw, kh := j%int64(s.KW), j/int64(s.KW)%int64(s.KH)
	oc := channel/cg*og + j/int64(s.KW)/int64(s.KH)
	dh, dw := h+int64(s.PadTop)-kh*int64(s.DilH), w+int64(s.PadLeft)-kw*int64(s.DilW)
	oh, ow := dh/int64(s.StrideH), dw/int64(s.StrideW)
	ok = dh >= 0 && dw >= 0 && dh%int64(s.StrideH) == 0 && dw%int64(s.StrideW) == 0 && inBounds(oh, ow, s.OutH(), s.OutW())
	return ((n*int64(s.OC)+oc)*int64(s.OutH())+oh)*int64(s.OutW()) + ow,
		((oc*cg+channel%cg)*int64(s.KH)+kh)*int64(s.KW) + kw, ok
}

var errPad = errors.New("attr pad: must be smaller than the kernel, so that every window has a member")
