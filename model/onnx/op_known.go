package onnx

import (
	"math"

	"poaid/engine"
)

// maxKnown bounds the elements of constants that are computed at import, each and together (see compute).
const maxKnown = 1 << 24

// hostI64 makes a known int64 value.
func (k *call) hostI64(v []int64, shape ...int64) *val {
	t, err := fromIntegers(engine.I64, v, shape...)
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	return constant(t)
}

func shapeOf(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	s := k.arg(0).shape()
	bound := func(name string, otherwise int64) int64 {
		v := k.int(name, otherwise)
		if v < 0 {
			v += int64(len(s))
		}
		return min(max(v, 0), int64(len(s)))
	}
	lo, hi := bound("start", 0), bound("end", int64(len(s)))
	s = s[lo:max(lo, hi)]
	return k.hostI64(s, int64(len(s)))
}

func sizeOf(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	n, err := checkShape(k.arg(0).shape())
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	return k.hostI64([]int64{n})
}

// constantOp reads the one attribute that a Constant has.
func constantOp(k *call) *val {
	if t := k.attr("value", 4); t != nil {
		host, err := t.T.decode()
		if err != nil {
			k.fail("attribute value: %w", err)
			return nil
		}
		return constant(host)
	}
	if a := k.attr("value_float", 1); a != nil {
		return constant(one(a.F))
	}
	if a := k.attr("value_int", 2); a != nil {
		return k.hostI64([]int64{a.I})
	}
	if a := k.attr("value_ints", 7); a != nil {
		return k.hostI64(a.Ints, int64(len(a.Ints)))
	}
	if a := k.attr("value_floats", 6); a != nil {
		t, err := engine.FromF32(a.Floats, int64(len(a.Floats)))
		if err != nil {
			k.fail("attribute value_floats: %w", err)
		}
		return &val{host: t}
	}
	k.refuse("a constant that is neither a tensor nor numbers")
	return nil
}

// budget counts constants that are computed at import.
func (c *converter) budget(n int64) bool {
	if n > maxKnown || c.folded+n > maxKnown {
		return false
	}
	c.folded += n
	return true
}

func constantOfShape(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	shape := k.list("shape", 0)
	element := one(0)
	if a := k.attr("value", 4); a != nil {
		var err error
		if element, err = a.T.decode(); err != nil || element.Len() != 1 {
			k.fail("attribute value: want one element (%v)", err)
		}
	}
	if k.err != nil {
		return nil
	}
	n, err := checkShape(shape)
	if err != nil || !k.budget(n) {
		k.fail("shape %v: more elements than constants computed at import may have (%d), %v", shape, maxKnown, err)
		return nil
	}
	t, err := engine.NewTensor(element.DType(), shape, maxKnown*8)
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	size := len(element.Bytes())
	for i := 0; i < len(t.Bytes()); i += size {
		copy(t.Bytes()[i:], element.Bytes())
	}
	return constant(t)
}

// rangeOp lists start, start + delta, … below limit.
func rangeOp(k *call) *val {
	k.needs(3, 3)
	if k.err != nil {
		return nil
	}
	var v [3]float64
	for i := range v {
		x := k.arg(i)
		if !x.known() || x.host.Len() != 1 {
			k.refuse("operand %d must be known at import", i)
			return nil
		}
		if x.dtype() == engine.F32 {
			v[i] = float64(x.host.F32()[0])
			continue
		}
		n, _ := integers(x.host)
		if n[0] > 1<<53 || n[0] < -1<<53 {
			k.refuse("operand %d: %d", i, n[0])
			return nil
		}
		v[i] = float64(n[0])
	}
	count := math.Max(math.Ceil((v[1]-v[0])/v[2]), 0)
	if !(count <= maxKnown) || !k.budget(int64(count)) {
		k.fail("%g numbers, limit %d", count, maxKnown)
		return nil
	}
	dt := k.arg(0).dtype()
	t, err := engine.NewTensor(dt, []int64{int64(count)}, maxKnown*8)
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	for i := range int(count) {
		x := v[0] + float64(float64(i)*v[2])
		switch dt {
		case engine.F32:
			t.F32()[i] = float32(x)
		case engine.I64:
			t.I64()[i] = int64(x)
		case engine.I32:
			t.I32()[i] = int32(x)
		default:
			k.refuse("a range of %s", dt)
			return nil
		}
	}
	return constant(t)
}

// divideIntegers is Div and Mod of known integers, truncating as ONNX does; broadcasting only of one element.
func divideIntegers(k *call) *val {
	a, b := k.arg(0), k.arg(1)
	x, okX := integers(a.host)
	y, okY := integers(b.host)
	if !okX || !okY || a.dtype() != b.dtype() {
		return nil
	}
	shape, n := a.host.Shape(), len(x)
	switch {
	case len(x) == len(y):
	case len(y) == 1:
	case len(x) == 1:
		shape, n = b.host.Shape(), len(y)
	default:
		return nil
	}
	out := make([]int64, n)
	for i := range out {
		p, q := x[min(i, len(x)-1)], y[min(i, len(y)-1)]
		switch {
		case q == 0:
			k.fail("division by 0")
			return nil
		case k.n.Op == "Div":
			out[i] = p / q
		default: // Mod of integers has the divisor's sign
			if out[i] = p % q; out[i] != 0 && (out[i] < 0) != (q < 0) {
				out[i] += q
			}
		}
	}
	t, err := fromIntegers(a.dtype(), out, shape...)
	if err != nil {
		k.fail("%w", err)
		return nil
	}
	return constant(t)
}
