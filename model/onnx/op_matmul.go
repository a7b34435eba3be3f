package onnx

import (
	"slices"

	"poaid/engine"
	"poaid/engine/nn"
)

// transposed gives a known matrix [r, c] as a weight [c, r], which products with few rows keep packed.
func (c *converter) transposed(x *val) nn.Value {
	t := x.host
	s := t.Shape()
	out := make([]float32, len(t.F32()))
	for i := range s[0] {
		for j := range s[1] {
			out[j*s[0]+i] = t.F32()[i*s[1]+j]
		}
	}
	w, err := engine.FromF32(out, s[1], s[0])
	if err != nil {
		panic("onnx: " + err.Error()) // as many elements
	}
	return c.value(&val{host: w, name: x.name})
}

// matmul is NumPy's: vectors are rows on the left and columns on the right.
func matmul(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	a, b := k.arg(0), k.arg(1)
	as, bs := slices.Clone(a.shape()), slices.Clone(b.shape())
	if len(as) == 0 || len(bs) == 0 {
		k.fail("a product with a scalar")
	}
	if k.err != nil {
		return nil
	}
	vectorA, vectorB := len(as) == 1, len(bs) == 1
	if vectorA {
		as = []int64{1, as[0]}
	}
	if vectorB {
		bs = []int64{bs[0], 1}
	}
	if as[len(as)-1] != bs[len(bs)-2] {
		k.fail("operands %v and %v", a.shape(), b.shape())
		return nil
	}
	a, b = k.shaped(a, as), k.shaped(b, bs)
	var y nn.Value
	var shape []int64
	if len(bs) == 2 { // one matrix for all rows
		shape = append(slices.Clone(as[:len(as)-1]), bs[1])
		rows := joinUpTo(as, len(as)-1)
		x := k.value(k.shaped(a, rows))
		if b.known() {
			y = k.g.MatMul(x, k.transposed(b), false, true, 0)
		} else {
			y = k.g.MatMul(x, k.value(b), false, false, 0)
		}
	} else {
		y = k.g.MatMul(k.value(a), k.value(b), false, false, 0)
		if !y.Valid() {
			return nil
		}
		shape = y.Shape().At(0)
	}
	if vectorA {
		shape = slices.Delete(shape, len(shape)-2, len(shape)-1)
	}
	if vectorB {
		shape = shape[:len(shape)-1]
	}
	return k.as(y, shape)
}

// gemm is alpha·A·B + beta·C with A and B transposed or not.
func gemm(k *call) *val {
	k.needs(2, 3)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	a, b := k.arg(0), k.arg(1)
	ta, tb := k.int("transA", 0) != 0, k.int("transB", 0) != 0
	alpha, beta := k.float("alpha", 1), k.float("beta", 1)
	if a.rank() != 2 || b.rank() != 2 {
		k.fail("operands %v and %v: want matrices", a.shape(), b.shape())
	}
	if k.err != nil {
		return nil
	}
	var w nn.Value
	if b.known() && !tb {
		w, tb = k.transposed(b), true
	} else {
		w = k.value(b)
	}
	y := k.g.MatMul(k.value(a), w, ta, tb, 0)
	if alpha != 1 {
		y = k.g.Mul(y, k.g.F32(alpha))
	}
	if c := k.arg(2); c != nil && beta != 0 {
		add := k.value(c)
		if beta != 1 {
			add = k.g.Mul(add, k.g.F32(beta))
		}
		y = k.g.Add(y, add)
	}
	return of(y)
}
