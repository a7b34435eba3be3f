package quantise

import (
	"encoding/binary"
	"math"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
)

// layer is a convolution or product by a weight, with the bias and the activation that follow.
type layer struct {
	node, end   int // first and last node
	weight      int
	matrix      matrix
	weightShape []int64 // of the i8 weight
	conv        bool
	tail        []int64   // dimensions after the channel: [1, 1] for images
	bias        []float32 // per output channel
	activation  bool
	lo, hi      float64 // what the activation cuts to
}

// layerOf recognises a layer that starts at node i; nil if there is none.
func (s *static) layerOf(i int) *layer {
	n := s.src.Nodes[i]
	if n.Dtype != engine.F32 || len(n.Inputs) != 2 || n.Inputs[1].Kind != graphpb.REF_KIND_WEIGHT ||
		n.Inputs[0].Kind != graphpb.REF_KIND_NODE && n.Inputs[0].Kind != graphpb.REF_KIND_INPUT {
		return nil
	}
	w := s.old[n.Inputs[1].Index]
	l := &layer{node: i, end: i, weight: int(n.Inputs[1].Index)}
	if s.made[l.weight] || w.DType() != engine.F32 || !finite(w) { // a weight of two layers stays f32 in the second
		return nil
	}
	switch {
	case n.Op == "conv2d@1":
		l.conv, l.matrix, l.tail, l.weightShape = true, rowsOf(w), []int64{1, 1}, w.Shape()
	case n.Op == "matmul@1" && len(w.Shape()) == 2 && !flag(n, "ta") && ints(n, "tri")[0] == 0:
		l.matrix = colsOf(w)
		if flag(n, "tb") {
			l.matrix = rowsOf(w)
		}
		l.weightShape = []int64{l.matrix.rows, l.matrix.cols}
	default:
		return nil
	}
	if l.matrix.cols > maxTerms {
		return nil
	}
	l.bias = make([]float32, l.matrix.rows)
	s.fuse(l)
	return l
}

// fuse takes in the bias and the activation, as far as nobody else reads what is between.
func (s *static) fuse(l *layer) {
	if j := s.next[l.end]; j >= 0 {
		if b := s.biasOf(j, l); b != nil {
			l.bias, l.end, s.fused[j] = b, j, true
		}
	}
	if j := s.next[l.end]; j >= 0 {
		if lo, hi, ok := s.cutOf(j, l.end); ok {
			l.activation, l.lo, l.hi, l.end, s.fused[j] = true, lo, hi, j, true
		}
	}
}

// biasOf returns the bias that node j adds to the layer, one a channel; nil if it adds something else.
func (s *static) biasOf(j int, l *layer) []float32 {
	n := s.src.Nodes[j]
	if n.Op != "add@1" {
		return nil
	}
	var t *engine.Tensor
	for _, in := range n.Inputs {
		switch {
		case in.Kind == graphpb.REF_KIND_WEIGHT:
			t = s.old[in.Index]
		case in.Kind == graphpb.REF_KIND_NODE && s.src.Nodes[in.Index].Op == "const@1":
			t = constant(s.src.Nodes[in.Index])
		}
	}
	if t == nil || !finite(t) || len(n.Shape) != len(s.src.Nodes[l.end].Shape) {
		return nil
	}
	channels, shape := l.matrix.rows, t.Shape()
	at := len(shape) - 1 - len(l.tail) // where the channel is
	for k, d := range shape {
		if d != 1 && (k != at || d != channels) {
			return nil
		}
	}
	out := make([]float32, channels)
	for o := range out {
		out[o] = t.F32()[min(o, len(t.F32())-1)]
	}
	return out
}

// cutOf returns the limits of an activation that cuts, and whether node j is one of node from.
func (s *static) cutOf(j, from int) (lo, hi float64, ok bool) {
	n := s.src.Nodes[j]
	switch n.Op {
	case "relu@1":
		return 0, math.Inf(1), true
	case "clip@1":
		a, b := s.scalar(n.Inputs[1]), s.scalar(n.Inputs[2])
		first := n.Inputs[0].Kind == graphpb.REF_KIND_NODE && int(n.Inputs[0].Index) == from
		return float64(a), float64(b), first && a <= b && len(n.Shape) == len(s.src.Nodes[from].Shape)
	}
	return 0, 0, false
}

// scalar returns a constant of one element, NaN for anything else.
func (s *static) scalar(ref *graphpb.Ref) float32 {
	if ref.Kind == graphpb.REF_KIND_NODE && s.src.Nodes[ref.Index].Op == "const@1" {
		if t := constant(s.src.Nodes[ref.Index]); t != nil && t.Len() == 1 {
			return t.F32()[0]
		}
	}
	if ref.Kind == graphpb.REF_KIND_WEIGHT && s.old[ref.Index].DType() == engine.F32 && s.old[ref.Index].Len() == 1 {
		return s.old[ref.Index].F32()[0]
	}
	return float32(math.NaN())
}

// constant is the tensor of an f32 const@1, nil for another dtype.
func constant(n *graphpb.Node) *engine.Tensor {
	if n.Dtype != engine.F32 {
		return nil
	}
	shape, count := make([]int64, len(n.Shape)), int64(1)
	for i, d := range n.Shape {
		if d.B != 0 {
			return nil
		}
		shape[i] = d.A
		count *= d.A
	}
	data := n.Attrs[0].Data
	if count > 1<<20 || len(data) < 4 {
		return nil
	}
	v := make([]float32, count)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i%len(data):]))
	}
	t, err := engine.FromF32(v, shape...)
	if err != nil {
		return nil
	}
	return t
}

// maxBias keeps an integer bias, and its correction for the zero point, so small that sums fit i32.
const maxBias = 1 << 30

// scales returns the scale of every output channel and the bias in units of it times the input's scale.
func (l *layer) scales(in params) (sw []float32, bias []int64) {
	sw, bias = l.matrix.scales(), make([]int64, len(l.bias))
	for o, b := range l.bias {
		size := math.Abs(float64(b)) / float64(in.scale)
		if sw[o] < 0x1p-100 || // no weight to speak of: the bias alone needs a unit
			size/float64(sw[o]) > maxBias {
			sw[o] = max(float32(size/maxBias), 0x1p-100)
		}
		bias[o] = int64(math.RoundToEven(float64(b) / float64(float64(in.scale)*float64(sw[o]))))
		bias[o] = min(max(bias[o], -maxBias), maxBias)
	}
	return sw, bias
}

// apply multiplies i8 by i8. Padding of an image is explicit where 0 is not the zero point.
func (l *layer) apply(g *nn.Graph, n *graphpb.Node, x, w nn.Value, zero int8) nn.Value {
	if !l.conv {
		return g.MatMul(x, w, false, true, 0)
	}
	pad, stride, dil := ints(n, "pad"), ints(n, "stride"), ints(n, "dilation")
	geo := nn.Geometry{Groups: ints(n, "groups")[0], Stride: [2]int64(stride), Dilation: [2]int64(dil), Pad: [4]int64(pad)}
	if zero != 0 && geo.Pad != [4]int64{} {
		x = g.PadWith(x, []int64{0, 0, pad[0], pad[1]}, []int64{0, 0, pad[2], pad[3]}, []byte{byte(zero)})
		geo.Pad = [4]int64{}
	}
	return g.Convolve(x, w, geo)
}
