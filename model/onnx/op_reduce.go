package onnx

import (
	"slices"

	"poaid/engine"
	"poaid/engine/nn"
)

// reduceNode appends a reduction along one axis, which is dropped.
func (c *converter) reduceNode(op string, x nn.Value, axis int) nn.Value {
	if x.Rank() == 1 {
		// A result has rank 1 at least.
		return c.g.Node(op, []engine.Attr{ints("axis", 0), ints("keep", 1), ints("tri", 0)}, engine.Value{}, x)
	}
	return c.g.Node(op, []engine.Attr{ints("axis", int64(axis)), ints("keep", 0), ints("tri", 0)}, engine.Value{}, x)
}

// reduce reduces along axes (ascending), which are dropped. Neighbouring ones are joined first, so that most reductions are one node.
// kind is one of sum, mean, max, min, prod.
func (c *converter) reduce(kind string, x *val, axes []int) *val {
	v, s := c.value(x), slices.Clone(x.shape())
	if len(axes) == 0 || len(s) == 0 {
		return x
	}
	n := int64(1)
	for _, a := range axes {
		n *= s[a]
	}
	op := "reduce_" + kind + "@1"
	if kind == "mean" {
		op = "reduce_sum@1"
	}
	for end := len(axes); end > 0; {
		start := end - 1
		for start > 0 && axes[start-1] == axes[start]-1 {
			start--
		}
		lo, hi := axes[start], axes[end-1]+1
		size := int64(1)
		for _, d := range s[lo:hi] {
			size *= d
		}
		s = slices.Concat(s[:lo], []int64{size}, s[hi:])
		v = c.reduceNode(op, c.value(c.as(v, s)), lo)
		s = slices.Delete(s, lo, lo+1)
		end = start
	}
	if kind == "mean" {
		v = c.g.Div(v, c.g.F32(float32(n)))
	}
	return c.as(v, s)
}

// axesOf reads the axes of a reduction: an attribute, an operand since opset 13 (ReduceSum) or 18, all where there are none.
func (k *call) axesOf(rank int) (axes []int, keep bool) {
	list := k.list("axes", 1)
	keep = k.int("keepdims", 1) == 1
	noop := k.int("noop_with_empty_axes", 0) == 1
	for _, a := range list {
		axes = append(axes, k.axis(a, rank))
	}
	slices.Sort(axes)
	if len(slices.Compact(slices.Clone(axes))) != len(axes) {
		k.fail("axes %v: one is there twice", list)
	}
	if len(axes) == 0 && !noop {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	return axes, keep
}

// reduceOp reduces before(x) and maps the result by after; either may be nil.
func reduceOp(kind string, before, after func(c *converter, v nn.Value) nn.Value) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 2)
		if k.err != nil {
			return nil
		}
		x := k.arg(0)
		if dt := x.dtype(); dt != engine.F32 && (kind != "sum" || dt != engine.I32 && dt != engine.I64) {
			k.refuse("operand 0 is %s", dt)
			return nil
		}
		axes, keep := k.axesOf(x.rank())
		if k.err != nil {
			return nil
		}
		shape := []int64{}
		for i, d := range x.shape() {
			switch {
			case !slices.Contains(axes, i):
				shape = append(shape, d)
			case keep:
				shape = append(shape, 1)
			}
		}
		if before != nil {
			x = &val{v: before(k.converter, k.value(x)), scalar: x.rank() == 0}
		}
		y := k.reduce(kind, x, axes)
		if after != nil {
			y = &val{v: after(k.converter, k.value(y)), scalar: y.rank() == 0}
		}
		return k.shaped(y, shape)
	}
}

func square(c *converter, v nn.Value) nn.Value { return c.g.Mul(v, v) }
func root(c *converter, v nn.Value) nn.Value   { return c.g.Sqrt(v) }
func abs(c *converter, v nn.Value) nn.Value    { return c.g.Abs(v) }
func logOf(c *converter, v nn.Value) nn.Value  { return c.g.Log(v) }

// argOp is ArgMax, or ArgMin of what neg gives.
func argOp(neg bool) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 1)
		if k.err != nil {
			return nil
		}
		k.f32Only()
		x := k.arg(0)
		axis := k.axis(k.int("axis", 0), x.rank())
		keep := k.int("keepdims", 1) == 1
		if k.int("select_last_index", 0) != 0 {
			k.refuse("attribute select_last_index")
		}
		if k.err != nil {
			return nil
		}
		v := k.value(x)
		if neg {
			v = k.g.Neg(v)
		}
		shape := slices.Clone(x.shape())
		if keep {
			shape[axis] = 1
		} else {
			shape = slices.Delete(shape, axis, axis+1)
		}
		return k.as(k.reduceNode("argmax@1", v, axis), shape)
	}
}

// softmax is exp(x − max) / sum along one axis, or its logarithm. Before opset 13 all dimensions from the axis on are one.
func softmax(logarithm bool) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 1)
		if k.err != nil {
			return nil
		}
		k.f32Only()
		x := k.arg(0)
		s := x.shape()
		otherwise := int64(-1)
		if k.opset < 13 {
			otherwise = 1
		}
		axis := k.axis(k.int("axis", otherwise), len(s))
		if k.err != nil {
			return nil
		}
		apply := func(v nn.Value) nn.Value {
			if logarithm {
				return k.g.LogSoftmax(v)
			}
			return k.g.Softmax(v, false)
		}
		if k.opset < 13 {
			rest := int64(1)
			for _, d := range s[axis:] {
				rest *= d
			}
			y := apply(k.value(k.shaped(x, append(slices.Clone(s[:axis]), rest))))
			return k.as(y, s)
		}
		if axis == len(s)-1 {
			return of(apply(k.value(x)))
		}
		perm := swapped(len(s), axis, len(s)-1)
		return of(k.g.Transpose(apply(k.g.Transpose(k.value(x), perm...)), perm...))
	}
}

// swapped is the permutation that exchanges two axes.
func swapped(rank, a, b int) []int64 {
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[a], perm[b] = perm[b], perm[a]
	return perm
}

func layerNorm(k *call) *val {
	k.needs(2, 3)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	k.ignore("stash_type")
	x := k.arg(0)
	axis := k.axis(k.int("axis", -1), x.rank())
	eps := k.float("epsilon", 1e-5)
	if k.err != nil {
		return nil
	}
	var axes []int
	stat := slices.Clone(x.shape())
	for i := axis; i < x.rank(); i++ {
		axes, stat[i] = append(axes, i), 1
	}
	y := k.normalised(x, axes, stat, eps)
	y = k.g.Mul(y, k.value(k.arg(1)))
	if k.arg(2) != nil {
		y = k.g.Add(y, k.value(k.arg(2)))
	}
	return of(y)
}

// normalised is (x − mean)/√(variance + eps) over axes; stat is the shape of the mean.
func (c *converter) normalised(x *val, axes []int, stat []int64, eps float32) nn.Value {
	mean := c.shaped(c.reduce("mean", x, axes), stat)
	centred := c.g.Sub(c.value(x), mean.v)
	variance := c.shaped(c.reduce("mean", of(c.g.Mul(centred, centred)), axes), stat)
	return c.g.Mul(centred, c.g.RSqrt(c.g.Add(variance.v, c.g.F32(eps))))
}

func instanceNorm(k *call) *val {
	k.needs(3, 3)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	x := k.arg(0)
	s := x.shape()
	if len(s) < 3 || !k.arg(1).known() || !k.arg(2).known() || k.arg(1).host.Len() != s[1] || k.arg(2).host.Len() != s[1] {
		k.refuse("operand %v with scale and bias that are not known or not one a channel", s)
		return nil
	}
	stat, axes := slices.Clone(s), []int{}
	for i := 2; i < len(s); i++ {
		stat[i], axes = 1, append(axes, i)
	}
	y := k.normalised(x, axes, stat, k.float("epsilon", 1e-5))
	return k.affine(of(y), k.arg(1).host.F32(), k.arg(2).host.F32())
}
