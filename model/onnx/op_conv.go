package onnx

import (
	"poaid/engine"
	"poaid/engine/nn"
)

func ints(name string, v ...int64) engine.Attr { return engine.Attr{Name: name, Ints: v} }

func text(name, v string) engine.Attr { return engine.Attr{Name: name, Text: v} }

// window is the geometry of a convolution or a pool over h×w; one-dimensional ones have h = 1.
type window struct {
	kernel, stride, dilation [2]int64
	pad                      [4]int64 // top, left, bottom, right
	flat                     bool     // the operand is [n, c, w]
}

// maxWindow bounds every number of a geometry, far above what is used and far below what overflows.
const maxWindow = 1 << 20

// window reads kernel_shape, strides, dilations, pads and auto_pad for an operand of shape [n, c, …] and a kernel of that size (nil:
// from kernel_shape).
func (k *call) window(shape, kernel []int64) window {
	w := window{flat: len(shape) == 3}
	if len(shape) != 3 && len(shape) != 4 {
		k.refuse("operand 0: shape %v; only [n, c, w] and [n, c, h, w] are supported", shape)
		return w
	}
	n := len(shape) - 2
	read := func(name string, otherwise int64, count int) []int64 {
		v := k.ints(name)
		if v == nil {
			v = make([]int64, count)
			for i := range v {
				v[i] = otherwise
			}
		}
		if len(v) != count {
			k.fail("attribute %s: %v, want %d integers", name, v, count)
			return make([]int64, count)
		}
		for _, x := range v {
			if x < 0 || x > maxWindow {
				k.refuse("attribute %s: %v, want 0 to %d", name, v, maxWindow)
			}
		}
		return v
	}
	given := read("kernel_shape", 0, n)
	switch {
	case kernel == nil:
		kernel = given
	case k.has("kernel_shape") && (given[0] != kernel[0] || given[n-1] != kernel[n-1]):
		k.fail("attribute kernel_shape: %v, the weights have %v", given, kernel)
	}
	stride, dilation, pads := read("strides", 1, n), read("dilations", 1, n), read("pads", 0, 2*n)
	w.kernel, w.stride, w.dilation, w.pad = [2]int64{1, kernel[n-1]}, [2]int64{1, stride[n-1]}, [2]int64{1, dilation[n-1]}, [4]int64{0, pads[n-1], 0, pads[2*n-1]}
	if n == 2 {
		w.kernel[0], w.stride[0], w.dilation[0], w.pad[0], w.pad[2] = kernel[0], stride[0], dilation[0], pads[0], pads[2]
	}
	for i := range 2 {
		if w.kernel[i] < 1 || w.stride[i] < 1 || w.dilation[i] < 1 {
			k.fail("kernel %v, strides %v, dilations %v: want 1 or more", kernel, stride, dilation)
			return w
		}
	}
	k.autoPad(&w, image(shape))
	return w
}

// image gives h and w of an operand of rank 3 or 4.
func image(shape []int64) [2]int64 {
	if len(shape) == 3 {
		return [2]int64{1, shape[2]}
	}
	return [2]int64{shape[2], shape[3]}
}

// autoPad computes the pads of SAME_UPPER and SAME_LOWER.
func (k *call) autoPad(w *window, size [2]int64) {
	mode := k.text("auto_pad", "NOTSET")
	switch mode {
	case "NOTSET", "":
		return
	case "VALID":
		w.pad = [4]int64{}
		return
	case "SAME_UPPER", "SAME_LOWER":
	default:
		k.refuse("attribute auto_pad: %.40q", mode)
		return
	}
	for i := range 2 {
		out := (size[i] + w.stride[i] - 1) / w.stride[i]
		total := max((out-1)*w.stride[i]+(w.kernel[i]-1)*w.dilation[i]+1-size[i], 0)
		lo := total / 2
		if mode == "SAME_LOWER" {
			lo = total - lo
		}
		w.pad[i], w.pad[i+2] = lo, total-lo
	}
}

// convPlan is a convolution with known weights that is not emitted yet.
type convPlan struct {
	weight *engine.Tensor // [o, c/groups, kh, kw], or [c, o/groups, kh, kw] transposed
	groups int64
	win    window
	name   string // of the weight in the file
	node   string
	// transposed convolutions have a size.
	transposed bool
	size       [2]int64
}

// image4 gives an operand as [n, c, h, w].
func (k *call) image4(x *val) nn.Value {
	if s := x.shape(); len(s) == 3 {
		return k.value(k.shaped(x, []int64{s[0], s[1], 1, s[2]}))
	}
	return k.value(x)
}

func convConv(k *call) *val {
	k.needs(2, 3)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	x, ws := k.arg(0), k.arg(1).shape()
	xs := x.shape()
	if len(ws) != len(xs) {
		k.fail("weights %v for an operand %v", ws, xs)
		return nil
	}
	w := k.window(xs, ws[2:])
	groups := k.int("group", 1)
	if k.err != nil {
		return nil
	}
	if groups < 1 || ws[0] < 1 || ws[0]%groups != 0 || ws[1]*groups != xs[1] {
		k.fail("weights %v with %d groups do not fit an operand %v", ws, groups, xs)
		return nil
	}
	size, shape := image(xs), []int64{xs[0], ws[0]}
	for i := range 2 {
		span := size[i] + w.pad[i] + w.pad[i+2] - (w.kernel[i]-1)*w.dilation[i] - 1
		if span < 0 {
			k.fail("the kernel is larger than the padded operand %v", xs)
			return nil
		}
		if i == 1 || !w.flat {
			shape = append(shape, span/w.stride[i]+1)
		}
	}
	return k.convolution(x, &convPlan{groups: groups, win: w}, shape)
}

// convolution plans one with known weights, or emits one whose weights are computed.
func (k *call) convolution(x *val, p *convPlan, shape []int64) *val {
	weight, bias := k.arg(1), k.arg(2)
	p.node = k.current
	if bias != nil && (len(bias.shape()) != 1 || bias.shape()[0] != shape[1]) {
		k.fail("bias %v, want [%d]", bias.shape(), shape[1])
		return nil
	}
	if weight.known() && (bias == nil || bias.known()) {
		p.weight, p.name = weight.host, weight.name
		l := &lazy{conv: p, shape: shape}
		if p.win.flat {
			s := weight.shape()
			p.weight = reshaped(p.weight, s[0], s[1], 1, s[2])
		}
		l.x = k.absorb(x, p, l)
		if bias != nil {
			l = l.then(nil, bias.host.F32())
		}
		return &val{lazy: l}
	}
	y := k.emitConv(p, k.image4(x), k.image4(weight))
	if bias != nil {
		y = k.g.Add(y, k.g.Reshape(k.value(bias), engine.ConstShape(1, shape[1], 1, 1)...))
	}
	return k.as(y, shape)
}

// absorb takes an affine map in front of a convolution into its weights, if nothing else reads the map: its scale always, its shift
// where there is no padding, for padding is 0 behind the map.
func (k *call) absorb(x *val, p *convPlan, l *lazy) nn.Value {
	a := x.lazy
	padded := p.win.pad != [4]int64{}
	if a == nil || a.conv != nil || x.v.Valid() || x.uses > 1 || p.transposed || padded && !all(a.shift, 0) {
		return k.image4(x)
	}
	w := p.weight.Clone()
	s := w.Shape()
	taps, per := s[2]*s[3], s[1]
	shift := make([]float32, s[0])
	for o := range s[0] {
		sum := 0.0
		for c := range per {
			from := int(o/(s[0]/p.groups)*per + c)
			scale, add := float64(at(orOne(a.scale), from)), float64(at(orZero(a.shift), from))
			for t := range taps {
				i := (o*per+c)*taps + t
				sum += float64(float64(w.F32()[i]) * add)
				w.F32()[i] = float32(float64(w.F32()[i]) * scale)
			}
		}
		shift[o] = float32(sum)
	}
	p.weight = w
	if !all(shift, 0) {
		l.shift = shift
	}
	if len(a.shape) == 3 {
		return k.value(k.as(a.x, []int64{a.shape[0], a.shape[1], 1, a.shape[2]}))
	}
	return a.x
}

func orOne(v []float32) []float32 {
	if v == nil {
		return []float32{1}
	}
	return v
}

func orZero(v []float32) []float32 {
	if v == nil {
		return []float32{0}
	}
	return v
}

// emit makes the nodes of a planned convolution: the scale goes into the filters, the shift is added.
func (p *convPlan) emit(c *converter, l *lazy) nn.Value {
	w := p.weight
	if l.scale != nil && !all(l.scale, 1) {
		w = w.Clone()
		s := w.Shape()
		taps, v := s[2]*s[3], w.F32()
		for i := range v {
			o := int64(i) / (s[1] * taps)
			if p.transposed {
				o = o/(s[0]/p.groups)*s[1] + int64(i)/taps%s[1]
			}
			v[i] = float32(float64(v[i]) * float64(at(l.scale, int(o))))
		}
	}
	if s := w.Shape(); p.isPointwise() {
		w = reshaped(w, s[0], s[1])
	}
	scope := c.current
	c.setScope(p.node)
	y := c.emitConv(p, l.x, c.value(&val{host: w, name: p.name}))
	if !all(orZero(l.shift), 0) {
		y = c.g.Add(y, c.channels(l.shift, 4, "bias"))
	}
	y = c.as(y, l.shape).v
	c.setScope(scope)
	return y
}

// emitConv makes the convolution itself; x and w are of rank 4, and so is the result.
func (c *converter) emitConv(p *convPlan, x, w nn.Value) nn.Value {
	if !x.Valid() || !w.Valid() {
		return nn.Value{} // the builder has the error
	}
	win := p.win
	if p.isPointwise() {
		return c.pointwise(x, w)
	}
	attrs := []engine.Attr{
		ints("dilation", win.dilation[:]...), ints("groups", p.groups), ints("pad", win.pad[:]...), ints("stride", win.stride[:]...),
	}
	if !p.transposed {
		return c.g.Node("conv2d@1", attrs, engine.Value{}, x, w)
	}
	return c.g.Node("conv2d_dx@1", append(attrs, ints("size", p.size[:]...)), engine.Value{}, x, w)
}

func (p *convPlan) isPointwise() bool {
	return !p.transposed && p.groups == 1 && p.win.kernel == [2]int64{1, 1} && p.win.stride == [2]int64{1, 1} && p.win.pad == [4]int64{}
}

// pointwise is a convolution of single places, which is a product of matrices: the same chains, read where they lie.
func (c *converter) pointwise(x, w nn.Value) nn.Value {
	xs, o := x.Shape().At(0), w.Dim(0).A
	matrix := c.as(w, []int64{o, xs[1]}).v
	if xs[2] == 1 && xs[3] == 1 {
		return c.as(c.g.Linear(c.as(x, xs[:2]).v, matrix), []int64{xs[0], o, 1, 1}).v
	}
	y := c.g.MatMul(matrix, c.as(x, []int64{xs[0], xs[1], xs[2] * xs[3]}).v, false, false, 0)
	return c.as(y, []int64{xs[0], o, xs[2], xs[3]}).v
}

func convConvTranspose(k *call) *val {
	k.needs(2, 3)
	if k.err != nil {
		return nil
	}
	k.f32Only()
	x, ws := k.arg(0), k.arg(1).shape()
	xs := x.shape()
	if len(ws) != len(xs) {
		k.fail("weights %v for an operand %v", ws, xs)
		return nil
	}
	if k.has("auto_pad") && k.text("auto_pad", "") != "NOTSET" || k.has("output_shape") {
		k.refuse("attributes auto_pad and output_shape; give pads and output_padding")
		return nil
	}
	w := k.window(xs, ws[2:])
	groups, extra := k.int("group", 1), [2]int64{}
	if v := k.ints("output_padding"); v != nil {
		if len(v) != len(xs)-2 {
			k.fail("attribute output_padding: %v for an operand %v", v, xs)
			return nil
		}
		extra[1] = v[len(v)-1]
		if !w.flat {
			extra[0] = v[0]
		}
	}
	if k.err != nil {
		return nil
	}
	if groups < 1 || ws[0] != xs[1] || xs[1]%groups != 0 {
		k.fail("weights %v with %d groups do not fit an operand %v", ws, groups, xs)
		return nil
	}
	size, shape := image(xs), []int64{xs[0], ws[1] * groups}
	p := &convPlan{groups: groups, win: w, transposed: true}
	for i := range 2 {
		p.size[i] = w.stride[i]*(size[i]-1) + extra[i] + (w.kernel[i]-1)*w.dilation[i] + 1 - w.pad[i] - w.pad[i+2]
		if extra[i] < 0 || extra[i] >= w.stride[i] && extra[i] > 0 || p.size[i] < 1 || p.size[i] > maxWindow {
			k.refuse("output_padding %v, pads %v: the result would be %v", extra, w.pad, p.size)
			return nil
		}
		if i == 1 || !w.flat {
			shape = append(shape, p.size[i])
		}
	}
	return k.convolution(x, p, shape)
}

func convBatchNorm(k *call) *val {
	k.needs(5, 5)
	if k.err != nil {
		return nil
	}
	k.ignore("momentum", "spatial")
	if k.int("training_mode", 0) != 0 {
		k.refuse("training_mode 1; export the model for inference")
		return nil
	}
	if len(k.n.Outputs) > 1 {
		for _, o := range k.n.Outputs[1:] {
			if o != "" && k.uses[o] > 0 {
				k.refuse("its statistics (output %q) are used; export the model for inference", o)
			}
		}
	}
	x, eps := k.arg(0), k.float("epsilon", 1e-5)
	if len(x.shape()) < 2 {
		k.fail("operand 0: shape %v, want [n, c, …]", x.shape())
		return nil
	}
	c := int(x.shape()[1])
	var p [4][]float32
	for i := range p {
		v := k.arg(i + 1)
		if !v.known() || v.host.DType() != engine.F32 || v.host.Len() != int64(c) {
			k.refuse("operand %d: must be %d float numbers known at import", i+1, c)
			return nil
		}
		p[i] = v.host.F32()
	}
	scale, shift := make([]float32, c), make([]float32, c)
	for i := range c { // in double precision: it is done once, and what is committed is the result
		s := float64(p[0][i]) / sqrt(float64(p[3][i])+float64(eps))
		scale[i], shift[i] = float32(s), float32(float64(p[1][i])-float64(s*float64(p[2][i])))
	}
	return k.affine(x, scale, shift)
}
