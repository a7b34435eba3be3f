package onnx

import (
	"math"

	"poaid/engine"
)

func sqrt(v float64) float64 { return math.Sqrt(v) }

// pooled makes a pool's geometry one without ceil_mode: windows that end outside are made to fit by padding at the end.
func (k *call) pooled(shape []int64) window {
	w := k.window(shape, nil)
	if k.err != nil {
		return w
	}
	if w.dilation != [2]int64{1, 1} {
		k.refuse("attribute dilations: %v", w.dilation)
		return w
	}
	ceil, size := k.int("ceil_mode", 0) == 1, image(shape)
	for i := range 2 {
		span := size[i] + w.pad[i] + w.pad[i+2] - w.kernel[i]
		if span < 0 {
			k.fail("the kernel %v is larger than the padded operand %v", w.kernel, shape)
			return w
		}
		if !ceil {
			continue
		}
		out := (span+w.stride[i]-1)/w.stride[i] + 1
		if (out-1)*w.stride[i] >= size[i]+w.pad[i] {
			out-- // a window may not begin in the padding at the end
		}
		w.pad[i+2] += (out-1)*w.stride[i] - span
		w.pad[i+2] = max(w.pad[i+2], 0)
	}
	return w
}

func (w window) poolAttrs() []engine.Attr {
	return []engine.Attr{ints("kernel", w.kernel[:]...), ints("pad", w.pad[:]...), ints("stride", w.stride[:]...)}
}

// pool emits a pool and brings the result back to the operand's rank.
func (k *call) pool(op string, x *val, w window) *val {
	y := k.g.Node(op, w.poolAttrs(), engine.Value{}, k.image4(x))
	if !y.Valid() {
		return nil
	}
	s := y.Shape().At(0)
	if w.flat {
		return k.as(y, []int64{s[0], s[1], s[3]})
	}
	return of(y)
}

func poolMax(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	k.ignore("storage_order")
	if len(k.n.Outputs) > 1 && k.uses[k.n.Outputs[1]] > 0 {
		k.refuse("the indices (output 1) are used")
	}
	w := k.pooled(k.arg(0).shape())
	if k.err != nil {
		return nil
	}
	return k.pool("maxpool@1", k.arg(0), w)
}

func poolAverage(k *call) *val {
	k.needs(1, 1)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	x := k.arg(0)
	w := k.pooled(x.shape())
	if k.err != nil {
		return nil
	}
	if k.int("count_include_pad", 0) == 1 && w.pad != [4]int64{} {
		if k.int("ceil_mode", 0) == 1 {
			k.refuse("ceil_mode with count_include_pad")
			return nil
		}
		padded := k.g.Pad(k.image4(x), []int64{0, 0, w.pad[0], w.pad[1]}, []int64{0, 0, w.pad[2], w.pad[3]})
		w.pad = [4]int64{}
		flat := w.flat
		w.flat = false
		y := k.pool("avgpool@1", of(padded), w)
		if flat && y != nil {
			s := y.shape()
			y = k.shaped(y, []int64{s[0], s[1], s[3]})
		}
		return y
	}
	return k.pool("avgpool@1", x, w)
}

// globalPool reduces everything behind the channels and keeps the rank.
func globalPool(kind string) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 1)
		if k.err != nil {
			return nil
		}
		k.f32Only()
		x := k.arg(0)
		s := x.shape()
		if len(s) < 3 {
			k.fail("operand 0: shape %v, want [n, c, …]", s)
			return nil
		}
		axes, out := []int{}, append([]int64{}, s[:2]...)
		for i := 2; i < len(s); i++ {
			axes, out = append(axes, i), append(out, 1)
		}
		return k.shaped(k.reduce(kind, x, axes), out)
	}
}
