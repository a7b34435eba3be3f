package onnx

import (
	"poaid/engine"
	"poaid/engine/nn"
)

// lazy is a result that is not emitted yet: a convolution with known weights (conv), or x·scale + shift per channel (axis 1). What
// follows and is affine per channel goes into its weights; a convolution that follows takes an affine map into its own.
type lazy struct {
	x     nn.Value
	shape []int64
	conv  *convPlan // nil: affine
	// scale and shift have one element or one a channel; nil: 1 and 0. Of a convolution they are the filters' and the bias.
	scale, shift []float32
}

// at reads a per-channel vector.
func at(v []float32, i int) float32 {
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}

// vector gives n elements of a per-channel vector.
func vector(v []float32, n int, otherwise float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		if v == nil {
			out[i] = otherwise
		} else {
			out[i] = at(v, i)
		}
	}
	return out
}

// then gives the lazy value of (l)·scale + shift; nil stands for 1 and 0.
func (l *lazy) then(scale, shift []float32) *lazy {
	n := 1
	for _, v := range [][]float32{l.scale, l.shift, scale, shift} {
		n = max(n, len(v))
	}
	out := *l
	s, t := vector(l.scale, n, 1), vector(l.shift, n, 0)
	for i := range s {
		if scale != nil {
			s[i] = float32(float64(s[i]) * float64(at(scale, i)))
			t[i] = float32(float64(t[i]) * float64(at(scale, i)))
		}
		if shift != nil {
			t[i] += at(shift, i)
		}
	}
	out.scale, out.shift = s, t
	return &out
}

func all(v []float32, is float32) bool {
	for _, x := range v {
		if x != is {
			return false
		}
	}
	return true
}

// emit makes the nodes.
func (l *lazy) emit(c *converter) nn.Value {
	if l.conv != nil {
		return l.conv.emit(c, l)
	}
	y := l.x
	if !all(l.scale, 1) {
		y = c.g.Mul(y, c.channels(l.scale, len(l.shape), "scale"))
	}
	if !all(l.shift, 0) {
		y = c.g.Add(y, c.channels(l.shift, len(l.shape), "shift"))
	}
	return y
}

// channels makes a per-channel vector an operand that broadcasts along axis 1 of a tensor of that rank.
func (c *converter) channels(v []float32, rank int, what string) nn.Value {
	if len(v) > 1 && all(v[1:], v[0]) {
		v = v[:1]
	}
	shape := []int64{1}
	if len(v) > 1 {
		shape = make([]int64, rank)
		for i := range shape {
			shape[i] = 1
		}
		shape[1] = int64(len(v))
	}
	t, err := engine.FromF32(v, shape...)
	if err != nil {
		panic("onnx: " + err.Error()) // the shape is made for v
	}
	return c.value(&val{host: t, name: c.scope() + what})
}

// scope gives the prefix of the names of weights that belong to the node being converted.
func (c *converter) scope() string {
	if c.current == "" {
		return ""
	}
	return c.current + "."
}

// perChannel gives a known operand as a per-channel vector of a value of the given shape: one element, or one a channel along axis 1.
func perChannel(x *val, shape []int64) ([]float32, bool) {
	if !x.known() || x.host.DType() != engine.F32 || len(shape) < 2 {
		return nil, false
	}
	s := x.host.Shape()
	if x.host.Len() == 1 && len(s) <= len(shape) {
		return x.host.F32(), true
	}
	// Right-aligned, axis 1 of the value is dimension len(s) − (len(shape) − 1) of the operand.
	channel := len(s) - (len(shape) - 1)
	if channel < 0 || len(s) > len(shape) || s[channel] != shape[1] || x.host.Len() != shape[1] {
		return nil, false
	}
	return x.host.F32(), true
}

// affine folds x·scale + shift into x: into the convolution that x is, if only this reads it, otherwise into a map that a
// convolution may take.
func (c *converter) affine(x *val, scale, shift []float32) *val {
	if x.lazy != nil && !x.v.Valid() && x.uses <= 1 {
		return &val{lazy: x.lazy.then(scale, shift)}
	}
	l := &lazy{x: c.value(x), shape: x.shape()}
	return &val{lazy: l.then(scale, shift)}
}
