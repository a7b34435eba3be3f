package engine

import (
	"errors"
	"fmt"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// indexOps address rows by number.
func indexOps() []*Op {
	return []*Op{gatherOp(), takeOp(), setrowOp(), ropeOp(), onehotOp(), scatterAddOp()}
}

func isIndex(i int, v Value) error {
	if v.DType != I32 && v.DType != I64 {
		return wrongDType(i, v.DType, "i32 or i64")
	}
	return nil
}

// rowElems is the number of elements of one row of a tensor.
func rowElems(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape[1:] {
		n *= d
	}
	return n
}

// tableRow applies gather's mode to an index.
func tableRow(mode string, idx, rows int64) (int64, bool) {
	if mode == "zero" {
		return idx, idx >= 0 && idx < rows
	}
	return min(max(idx, 0), rows-1), true
}

func gatherOp() *Op {
	return &Op{
		Name: "gather@1", Kind: Local, Operands: 2, Attrs: []AttrDef{textAttr("mode")}, VariableRows: true,
		Cost: func(n *NodeView) (uint64, uint64, error) { return 0, 2*opBytes(&n.Out) + opBytes(&n.In[1]), nil },
		Infer: func(c *InferCtx) (Value, error) {
			if m := c.Attrs.Text("mode"); m != "clamp" && m != "zero" {
				return Value{}, errAttr("mode", m, "clamp or zero")
			}
			if err := isIndex(1, c.In[1]); err != nil {
				return Value{}, err
			}
			return value(c.In[0].DType, append(c.In[1].Shape.clone(), c.In[0].Shape[1:]...)), nil
		},
		Eval: func(c *EvalCtx) error {
			row := rowElems(c.X[0].shape) * SizeOf(c.X[0].dtype)
			mode, rows := c.Attrs.Text("mode"), c.X[0].shape[0]
			for i := range c.X[1].Len() {
				dst := c.Y.data[i*row : (i+1)*row]
				if r, ok := tableRow(mode, loadInt(c.X[1], i), rows); ok {
					copy(dst, c.X[0].data[r*row:])
				} else {
					clear(dst)
				}
			}
			return nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			row := rowElems(c.In[0].Shape)
			i := c.Elem / row
			if !c.opened(1, i) {
				return []Range{one(1, i)}, false, nil
			}
			r, ok := tableRow(c.Attrs.Text("mode"), c.intAt(1, i), c.In[0].Shape[0])
			if !ok {
				return nil, true, nil
			}
			return []Range{one(0, r*row+c.Elem%row)}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			row := rowElems(c.In[0].Shape)
			r, ok := tableRow(c.Attrs.Text("mode"), c.intAt(1, c.Elem/row), c.In[0].Shape[0])
			if !ok || c.err != nil {
				return c.element(0)
			}
			return c.element(c.rawAt(0, r*row+c.Elem%row))
		},
	}
}

func takeOp() *Op {
	at := func(idx, cols int64) int64 { return min(max(idx, 0), cols-1) }
	return &Op{
		Name: "take@1", Kind: Local, Operands: 2,
		Cost: func(n *NodeView) (uint64, uint64, error) { return 0, 2*opBytes(&n.Out) + opBytes(&n.In[1]), nil },
		Infer: func(c *InferCtx) (Value, error) {
			if err := isIndex(1, c.In[1]); err != nil {
				return Value{}, err
			}
			if len(c.In[0].Shape) != 2 || len(c.In[1].Shape) != 1 || c.In[0].Shape[0] != c.In[1].Shape[0] {
				return Value{}, fmt.Errorf("inputs: %s and %s, want [n, c] and [n]", c.In[0].Shape, c.In[1].Shape)
			}
			return value(c.In[0].DType, c.In[1].Shape), nil
		},
		Eval: func(c *EvalCtx) error {
			cols := c.X[0].shape[1]
			fill(c, func(i int64) uint64 { return loadBits(c.X[0], i*cols+at(loadInt(c.X[1], i), cols)) })
			return nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			if !c.opened(1, c.Elem) {
				return []Range{one(1, c.Elem)}, false, nil
			}
			cols := c.In[0].Shape[1]
			return []Range{one(0, c.Elem*cols+at(c.intAt(1, c.Elem), cols))}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			cols := c.In[0].Shape[1]
			return c.element(c.rawAt(0, c.Elem*cols+at(c.intAt(1, c.Elem), cols)))
		},
	}
}

func setrowOp() *Op {
	return &Op{
		Name: "setrow@1", Kind: Local, Operands: 3, overwrites: []int{0}, replaces: true,
		Cost: func(n *NodeView) (uint64, uint64, error) { return 0, 2*opBytes(&n.In[1]) + 8, nil },
		Infer: func(c *InferCtx) (Value, error) {
			s, r := c.In[0], c.In[1]
			if r.DType != s.DType {
				return Value{}, wrongDType(1, r.DType, s.DType.String())
			}
			if len(r.Shape) != len(s.Shape) || r.Shape[0] != Const(1) || !r.Shape[1:].Equal(s.Shape[1:]) {
				return Value{}, fmt.Errorf("inputs[1]: shape %s, want one row of %s", r.Shape, s.Shape)
			}
			if err := wantI64One(c.In[2]); err != nil {
				return Value{}, fmt.Errorf("inputs[2]: %w", err)
			}
			return value(s.DType, s.Shape), nil
		},
		Eval: func(c *EvalCtx) error {
			if &c.Y.data[0] != &c.X[0].data[0] {
				copy(c.Y.data, c.X[0].data)
			}
			if i := c.X[2].I64()[0]; i >= 0 && i < c.Y.shape[0] {
				copy(c.Y.data[i*int64(len(c.X[1].data)):], c.X[1].data)
			}
			return nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			if !c.opened(2, 0) {
				return []Range{one(2, 0)}, false, nil
			}
			k, i := setrowSource(c)
			return []Range{one(k, i)}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) { return c.element(c.rawAt(setrowSource(c))) },
	}
}

func setrowSource(c *SliceCtx) (operand int, index int64) {
	row := rowElems(c.In[0].Shape)
	if c.intAt(2, 0) == c.Elem/row {
		return 1, c.Elem % row
	}
	return 0, c.Elem
}

func ropeOp() *Op {
	return &Op{
		Name: "rope@1", Kind: Local, Operands: 4, Attrs: []AttrDef{int1("inverse")}, Infer: inferRope,
		Cost: func(n *NodeView) (uint64, uint64, error) {
			macs, err := mulAll(2, uint64(n.Out.elems()))
			return macs, 3*opBytes(&n.Out) + opBytes(&n.In[3]), err
		},
		Eval: evalRope,
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			p := ropeAt(c)
			if !c.opened(3, p.pos) {
				return []Range{one(3, p.pos)}, false, nil
			}
			t := p.table(c)
			return []Range{{Operand: 0, Start: p.pair, Count: 2}, one(1, t), one(2, t)}, true, nil
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			p := ropeAt(c)
			t := p.table(c)
			if c.err != nil {
				return nil, c.err
			}
			sin := c.f32At(2, t)
			if c.Attrs.Int("inverse") == 1 {
				sin = num.Neg(sin)
			}
			y0, y1 := rotate(c.f32At(0, p.pair), c.f32At(0, p.pair+1), c.f32At(1, t), sin)
			if c.Elem&1 == 1 {
				y0 = y1
			}
			return c.elementF32(y0)
		},
	}
}

// ropePlace says where the operands of one element of rope are.
type ropePlace struct{ pos, pair, half int64 }

func ropeAt(c *SliceCtx) ropePlace {
	x := c.In[0].Shape
	d := x[len(x)-1]
	p := ropePlace{pair: c.Elem &^ 1, half: c.Elem % d / 2}
	if len(x) == 3 {
		p.pos = c.Elem / (d * x[1])
	}
	return p
}

func (p ropePlace) table(c *SliceCtx) int64 {
	row := min(max(c.intAt(3, p.pos), 0), c.In[1].Shape[0]-1)
	return row*c.In[1].Shape[1] + p.half
}

// rotate turns a pair; every product and sum is rounded.
func rotate(x0, x1, cos, sin float32) (y0, y1 float32) {
	return num.Sub(num.Mul(x0, cos), num.Mul(x1, sin)), num.Add(num.Mul(x0, sin), num.Mul(x1, cos))
}

func inferRope(c *InferCtx) (Value, error) {
	x, cos, sin, pos := c.In[0], c.In[1], c.In[2], c.In[3]
	for i, v := range c.In[:3] {
		if v.DType != F32 {
			return Value{}, wrongDType(i, v.DType, "f32")
		}
	}
	if inv := c.Attrs.Int("inverse"); inv != 0 && inv != 1 {
		return Value{}, errAttr("inverse", inv, "0 or 1")
	}
	if err := isIndex(3, pos); err != nil {
		return Value{}, err
	}
	want := Const(1)
	if len(x.Shape) == 3 {
		want = x.Shape[0]
	}
	if len(x.Shape) != 2 && len(x.Shape) != 3 || len(pos.Shape) != 1 || pos.Shape[0] != want {
		return Value{}, fmt.Errorf("inputs: x %s and pos %s, want [h, d] and [1], or [s, h, d] and [s]", x.Shape, pos.Shape)
	}
	d := x.Shape[len(x.Shape)-1]
	if !d.Static() || d.A%2 != 0 || len(cos.Shape) != 2 || cos.Shape[1] != Const(d.A/2) || !sin.Shape.Equal(cos.Shape) {
		return Value{}, fmt.Errorf("inputs: tables %s and %s, want [c, %d/2] twice with an even head size", cos.Shape, sin.Shape, d.A)
	}
	return value(F32, x.Shape), nil
}

func evalRope(c *EvalCtx) error {
	x, cos, sin, y := c.X[0].F32(), c.X[1].F32(), c.X[2].F32(), c.Y.F32()
	d, rows, heads := c.X[0].shape[len(c.X[0].shape)-1], int64(1), c.X[0].shape[0]
	if len(c.X[0].shape) == 3 {
		rows, heads = heads, c.X[0].shape[1]
	}
	half, inverse := d/2, c.Attrs.Int("inverse") == 1
	kernel.Parallel(threadsFor(c, c.Y.Len()), int(rows), func(lo, hi int) {
		for r := int64(lo); r < int64(hi); r++ {
			t := min(max(loadInt(c.X[3], r), 0), c.X[1].shape[0]-1) * half
			cs, sn := cos[t:t+half], sin[t:t+half]
			for h := r * heads * d; h < (r+1)*heads*d; h += d {
				rotateRow(y[h:h+d], x[h:h+d], cs, sn, inverse)
			}
		}
	})
	return nil
}

// rotateRow is rotate for one head; the sum of two rounded products is the only place a NaN can appear.
func rotateRow(y, x, cos, sin []float32, inverse bool) {
	for i, c := range cos {
		x0, x1, s := x[2*i], x[2*i+1], sin[i]
		if inverse {
			s = -s
		}
		y0 := float32(float32(x0*c) - float32(x1*s))
		y1 := float32(float32(x0*s) + float32(x1*c))
		if y0 != y0 || y1 != y1 {
			y0, y1 = num.CanonNaN(y0), num.CanonNaN(y1)
		}
		y[2*i], y[2*i+1] = y0, y1
	}
}

func onehotOp() *Op {
	at := func(idx, col int64) uint64 {
		if idx == col {
			return bitsOf(1)
		}
		return 0
	}
	return &Op{
		Name: "onehot@1", Kind: Local, Operands: 1, Attrs: []AttrDef{int1("depth")}, Cost: touched(0),
		Infer: func(c *InferCtx) (Value, error) {
			if err := isIndex(0, c.In[0]); err != nil {
				return Value{}, err
			}
			depth := c.Attrs.Int("depth")
			if len(c.In[0].Shape) != 1 || depth < 1 {
				return Value{}, fmt.Errorf("inputs[0] %s, depth %d: want rank 1 and depth ≥ 1", c.In[0].Shape, depth)
			}
			return value(F32, Shape{c.In[0].Shape[0], Const(depth)}), nil
		},
		Eval: func(c *EvalCtx) error {
			depth := c.Y.shape[1]
			fill(c, func(i int64) uint64 { return at(loadInt(c.X[0], i/depth), i%depth) })
			return nil
		},
		Slice: func(c *SliceCtx) ([]Range, bool, error) { return []Range{one(0, c.Elem/c.Out.Shape[1])}, true, nil },
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			return c.element(at(c.intAt(0, c.Elem/c.Out.Shape[1]), c.Elem%c.Out.Shape[1]))
		},
	}
}

func scatterAddOp() *Op {
	return &Op{
		Name: "scatter_add@1", Kind: Fold, Operands: 2, Attrs: []AttrDef{int1("rows")}, Cost: touched(1),
		Infer: func(c *InferCtx) (Value, error) {
			if err := isIndex(0, c.In[0]); err != nil {
				return Value{}, err
			}
			if c.In[1].DType != F32 {
				return Value{}, wrongDType(1, c.In[1].DType, "f32")
			}
			if len(c.In[0].Shape) != 1 || len(c.In[1].Shape) != 2 || c.In[0].Shape[0] != c.In[1].Shape[0] {
				return Value{}, fmt.Errorf("inputs: %s and %s, want [n] and [n, d]", c.In[0].Shape, c.In[1].Shape)
			}
			if c.Attrs.Int("rows") < 1 {
				return Value{}, errors.New("attr rows: below 1")
			}
			return value(F32, Shape{Const(c.Attrs.Int("rows")), c.In[1].Shape[1]}), nil
		},
		Eval: func(c *EvalCtx) error {
			d, y, x := c.Y.shape[1], c.Y.F32(), c.X[1].F32()
			clear(y)
			for i := range c.X[0].Len() {
				if r := loadInt(c.X[0], i); r >= 0 && r < c.Y.shape[0] {
					dst := y[r*d : (r+1)*d]
					addRow(dst, x[i*d:(i+1)*d], c.Reference)
				}
			}
			return nil
		},
		Steps: func(c *SliceCtx) (int64, error) { return c.In[0].Shape[0], nil },
		Slice: func(c *SliceCtx) ([]Range, bool, error) {
			d := c.Out.Shape[1]
			if c.From < c.To && !c.opened(0, c.From) {
				return []Range{{Operand: 0, Start: c.From, Count: c.To - c.From}}, false, nil
			}
			var more []Range
			for j := c.From; j < c.To; j++ {
				if c.intAt(0, j) == c.Elem/d {
					more = append(more, one(1, j*d+c.Elem%d))
				}
			}
			return more, true, c.err
		},
		EvalSlice: func(c *SliceCtx) ([]byte, error) {
			d := c.Out.Shape[1]
			return c.foldF32(c.In[0].Shape[0], func(acc float32, j int64) float32 {
				if c.intAt(0, j) != c.Elem/d {
					return acc
				}
				return num.Add(acc, c.f32At(1, j*d+c.Elem%d))
			}, same)
		},
	}
}

func same(v float32) float32 { return v }

// addRow computes dst += x.
func addRow(dst, x []float32, reference bool) {
	if !reference {
		kernel.Add(dst, dst, x)
		return
	}
	for i, v := range x {
		dst[i] = num.Add(dst[i], v)
	}
}
