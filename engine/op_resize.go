package engine

import (
	"fmt"
	"slices"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// Axis is how resize@1 maps places along one dimension of an image to places of the source: exact fractions, no floats.
type Axis struct {
	in, out int64
	coord   string
}

// NewAxis returns the map from out places to in places. coord is half_pixel, pytorch_half_pixel, asymmetric or
// align_corners as ONNX Resize names them, with the scale out/in.
func NewAxis(in, out int64, coord string) Axis { return Axis{in, out, coord} }

// at returns the source coordinate of place i as num/den, den > 0.
func (a Axis) at(i int64) (num, den int64) {
	switch {
	case a.coord == "asymmetric":
		return i * a.in, a.out
	case a.coord == "align_corners":
		if a.out == 1 {
			return 0, 1
		}
		return i * (a.in - 1), a.out - 1
	case a.coord == "pytorch_half_pixel" && a.out == 1:
		return 0, 1
	default: // (i + ½)·in/out − ½
		return (2*i+1)*a.in - a.out, 2 * a.out
	}
}

// Nearest returns the source place for out place i: the coordinate rounded by floor, ceil, round_prefer_floor (halves
// down) or round_prefer_ceil (halves up), and clamped.
func (a Axis) Nearest(i int64, rounding string) int64 {
	n, d := a.at(i)
	switch rounding {
	case "floor":
	case "ceil":
		n += d - 1
	case "round_prefer_floor": // ceil(x − ½)
		n, d = 2*n-d+2*d-1, 2*d
	default: // floor(x + ½)
		n, d = 2*n+d, 2*d
	}
	return min(max(floorDiv(n, d), 0), a.in-1)
}

// Linear returns the two source places that out place i lies between and the weight of the second, in [0, 1). With
// weight 0 only the first is a member.
func (a Axis) Linear(i int64) (lo, hi int64, w float32) {
	n, d := a.at(i)
	n = min(max(n, 0), (a.in-1)*d)
	lo = n / d
	if rest := n % d; rest > 0 {
		return lo, lo + 1, num.Div(num.I64ToF32(rest), num.I64ToF32(d))
	}
	return lo, lo, 0
}

func floorDiv(n, d int64) int64 {
	q := n / d
	if n%d < 0 {
		q--
	}
	return q
}

// lerp is a·(1−w) + b·w, every operation rounded; a alone for weight 0.
func lerp(a, b, w float32) float32 {
	if w == 0 {
		return num.CanonNaN(a)
	}
	return num.Add(num.Mul(a, num.Sub(1, w)), num.Mul(b, w))
}

// resized is resize@1 at one step: planes of h×w become planes of oh×ow.
type resized struct {
	h, w, oh, ow int64
	rows, cols   Axis
	mode         string
}

func resizeOf(n *NodeView) resized {
	x, y, coord := n.In[0].Shape, n.Out.Shape, n.Attrs.Text("coord")
	return resized{
		h: x[2], w: x[3], oh: y[2], ow: y[3], rows: NewAxis(x[2], y[2], coord), cols: NewAxis(x[3], y[3], coord), mode: n.Attrs.Text("mode"),
	}
}

// nearest returns the element that output element e copies.
func (r *resized) nearest(e int64, rounding string) int64 {
	plane, oh, ow := e/(r.oh*r.ow), e/r.ow%r.oh, e%r.ow
	return (plane*r.h+r.rows.Nearest(oh, rounding))*r.w + r.cols.Nearest(ow, rounding)
}

// corners returns the elements that output element e is made of, and the weights of the lower row and right column.
func (r *resized) corners(e int64) (at [4]int64, wr, wc float32) {
	plane, oh, ow := e/(r.oh*r.ow), e/r.ow%r.oh, e%r.ow
	h0, h1, wr := r.rows.Linear(oh)
	w0, w1, wc := r.cols.Linear(ow)
	top, bottom := (plane*r.h+h0)*r.w, (plane*r.h+h1)*r.w
	return [4]int64{top + w0, top + w1, bottom + w0, bottom + w1}, wr, wc
}

// blend is the value of an element: along the row first.
func (r *resized) blend(e int64, x func(i int64) float32) float32 {
	at, wr, wc := r.corners(e)
	return lerp(lerp(x(at[0]), x(at[1]), wc), lerp(x(at[2]), x(at[3]), wc), wr)
}

// resizeLimit keeps the products of Axis far below 2^63.
const resizeLimit = 1 << 28

func resizeOps() []*Op {
	return []*Op{{
		Name: "resize@1", Kind: Local, Operands: 1, Attrs: []AttrDef{textAttr("coord"), textAttr("mode"), textAttr("rounding")},
		Infer: inferResize,
		Cost: func(n *NodeView) (uint64, uint64, error) {
			weight := uint64(0)
			if n.Attrs.Text("mode") == "linear" {
				weight = 12
			}
			return touched(weight)(n)
		},
		Eval: evalResize,
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			r := resizeOf(&c.NodeView)
			if r.mode == "nearest" {
				return []Range{one(0, r.nearest(c.Elem, c.Attrs.Text("rounding")))}, true, nil
			}
			at, _, _ := r.corners(c.Elem)
			var more []Range
			for _, a := range at {
				if r := one(0, a); !slices.Contains(more, r) {
					more = append(more, r)
				}
			}
			return more, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			r := resizeOf(&c.NodeView)
			if r.mode == "nearest" {
				return c.element(c.rawAt(0, r.nearest(c.Elem, c.Attrs.Text("rounding"))))
			}
			return c.elementF32(r.blend(c.Elem, func(i int64) float32 { return c.f32At(0, i) }))
		},
	}}
}

func inferResize(c *InferCtx) (Value, error) {
	x, y, mode, rounding := c.In[0], c.Out.Shape, c.Attrs.Text("mode"), c.Attrs.Text("rounding")
	switch coord := c.Attrs.Text("coord"); coord {
	case "half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners":
	default:
		return Value{}, errAttr("coord", coord, "half_pixel, pytorch_half_pixel, asymmetric or align_corners")
	}
	switch {
	case mode == "linear" && rounding == "" && x.DType == F32:
	case mode == "linear" && x.DType != F32:
		return Value{}, wrongDType(0, x.DType, "f32 for mode linear")
	case mode == "linear":
		return Value{}, errAttr("rounding", rounding, "nothing for mode linear")
	case mode != "nearest":
		return Value{}, errAttr("mode", mode, "nearest or linear")
	case rounding != "floor" && rounding != "ceil" && rounding != "round_prefer_floor" && rounding != "round_prefer_ceil":
		return Value{}, errAttr("rounding", rounding, "floor, ceil, round_prefer_floor or round_prefer_ceil")
	}
	if err := staticShapes(c); err != nil {
		return Value{}, err
	}
	if len(x.Shape) != 4 || len(y) != 4 || !y.Static() || y[0] != x.Shape[0] || y[1] != x.Shape[1] {
		return Value{}, fmt.Errorf("shape: %s from %s, want [n, c, h, w] with the same n and c", y, x.Shape)
	}
	for _, d := range []Dim{x.Shape[2], x.Shape[3], y[2], y[3]} {
		if d.A > resizeLimit {
			return Value{}, fmt.Errorf("shape: %s from %s, the limit of a side is %d", y, x.Shape, resizeLimit)
		}
	}
	return value(x.DType, y), nil
}

func evalResize(c *EvalCtx) error {
	r := resizeOf(&c.NodeView)
	if c.Reference {
		rounding := c.Attrs.Text("rounding")
		if r.mode == "nearest" {
			fill(c, func(e int64) uint64 { return loadBits(c.X[0], r.nearest(e, rounding)) })
			return nil
		}
		x := c.X[0].F32()
		fill(c, func(e int64) uint64 { return bitsOf(r.blend(e, func(i int64) float32 { return x[i] })) })
		return nil
	}
	if r.mode == "nearest" {
		evalNearest(c, &r)
		return nil
	}
	evalLinear(c, &r)
	return nil
}

// evalNearest copies row by row: the columns are looked up once.
func evalNearest(c *EvalCtx, r *resized) {
	rounding, size := c.Attrs.Text("rounding"), SizeOf(c.Y.dtype)
	cols := make([]int64, r.ow)
	for i := range cols {
		cols[i] = r.cols.Nearest(int64(i), rounding) * size
	}
	rows := c.Y.Len() / r.ow
	kernel.Parallel(threadsFor(c, c.Y.Len()), int(rows), func(lo, hi int) {
		for i := int64(lo); i < int64(hi); i++ {
			src := c.X[0].data[(i/r.oh*r.h+r.rows.Nearest(i%r.oh, rounding))*r.w*size:]
			dst := c.Y.data[i*r.ow*size : (i+1)*r.ow*size]
			if size == 4 {
				for j, at := range cols {
					copy(dst[4*j:4*j+4], src[at:at+4])
				}
				continue
			}
			for j, at := range cols {
				copy(dst[int64(j)*size:(int64(j)+1)*size], src[at:])
			}
		}
	})
}

// evalLinear blends row by row: the columns are looked up once.
func evalLinear(c *EvalCtx, r *resized) {
	type tap struct {
		lo, hi int64
		w      float32
	}
	cols := make([]tap, r.ow)
	for i := range cols {
		cols[i].lo, cols[i].hi, cols[i].w = r.cols.Linear(int64(i))
	}
	y, x := c.Y.F32(), c.X[0].F32()
	kernel.Parallel(threadsFor(c, c.Y.Len()), len(y)/int(r.ow), func(lo, hi int) {
		for i := int64(lo); i < int64(hi); i++ {
			h0, h1, w := r.rows.Linear(i % r.oh)
			plane := i / r.oh * r.h
			top, bottom := x[(plane+h0)*r.w:(plane+h0+1)*r.w], x[(plane+h1)*r.w:(plane+h1+1)*r.w]
			for j, t := range cols {
				y[i*r.ow+int64(j)] = lerp(lerp(top[t.lo], top[t.hi], t.w), lerp(bottom[t.lo], bottom[t.hi], t.w), w)
			}
		}
	})
}
