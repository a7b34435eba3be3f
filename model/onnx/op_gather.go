package onnx

import (
	"slices"

	"poaid/engine"
	"poaid/engine/nn"
)

// gather takes places of one axis. Indices that are known may count from the end; computed ones must be in range.
func gather(k *call) *val {
	k.needs(2, 2)
	if k.err != nil {
		return nil
	}
	x, idx := k.arg(0), k.arg(1)
	axis := k.axis(k.int("axis", 0), x.rank())
	if k.err != nil {
		return nil
	}
	if x.rank() < 1 {
		k.fail("operand 0 has rank 0")
		return nil
	}
	shape := slices.Concat(x.shape()[:axis], idx.shape(), x.shape()[axis+1:])
	if _, err := checkShape(shape); err != nil {
		k.fail("%w", err)
		return nil
	}
	if idx.known() {
		places, ok := integers(idx.host)
		if !ok || len(places) == 0 {
			k.refuse("indices %s", idx.host)
			return nil
		}
		places, n := slices.Clone(places), x.shape()[axis]
		for i, p := range places {
			if p < -n || p >= n {
				k.fail("index %d of a dimension of %d", p, n)
				return nil
			}
			if p < 0 {
				places[i] += n
			}
		}
		return k.as(k.pickAxis(k.value(x), axis, places), shape)
	}
	if axis != 0 {
		k.refuse("computed indices along axis %d; axis 0 is", axis)
		return nil
	}
	if dt := idx.dtype(); dt != engine.I32 && dt != engine.I64 {
		k.fail("operand 1 is %s, want int32 or int64", dt)
		return nil
	}
	return k.as(k.g.GatherClamp(k.value(x), k.value(idx)), shape)
}

// pad surrounds: constants by one node, other modes by taking places.
func pad(k *call) *val {
	k.needs(1, 4)
	if k.err != nil {
		return nil
	}
	x, pads := k.arg(0), k.list("pads", 1)
	axes := k.list("axes", 3)
	rank := x.rank()
	if axes == nil {
		for i := range rank {
			axes = append(axes, int64(i))
		}
	}
	if k.err == nil && len(pads) != 2*len(axes) {
		k.fail("pads %v for %d dimensions", pads, len(axes))
	}
	if k.err != nil {
		return nil
	}
	lo, hi := make([]int64, rank), make([]int64, rank)
	for i, a := range axes {
		j := k.axis(a, rank)
		if k.err != nil {
			return nil
		}
		lo[j], hi[j] = pads[i], pads[i+len(axes)]
		if max(lo[j], -lo[j]) > maxWindow || max(hi[j], -hi[j]) > maxWindow {
			k.refuse("pads %v", pads)
			return nil
		}
	}
	v := k.value(x)
	for i := range rank { // negative pads cut
		n := v.Dim(i).A
		from, to := max(-lo[i], 0), n-max(-hi[i], 0)
		if from >= to {
			k.refuse("pads %v leave nothing of %v", pads, x.shape())
			return nil
		}
		v = k.cut(v, i, from, to-from)
		lo[i], hi[i] = max(lo[i], 0), max(hi[i], 0)
	}
	switch mode := k.text("mode", "constant"); mode {
	case "constant":
		return of(k.padConstant(x, v, lo, hi))
	case "edge", "reflect", "wrap":
		for i := range rank {
			if lo[i] == 0 && hi[i] == 0 {
				continue
			}
			places := k.around(mode, v.Dim(i).A, lo[i], hi[i])
			if k.err != nil {
				return nil
			}
			v = k.pickAxis(v, i, places)
		}
		return of(v)
	default:
		k.refuse("attribute mode: %.40q", mode)
		return nil
	}
}

// around lists the places of a padded axis.
func (k *call) around(mode string, n, lo, hi int64) []int64 {
	out := make([]int64, 0, n+lo+hi)
	for i := -lo; i < n+hi; i++ {
		p := i
		switch mode {
		case "edge":
			p = min(max(i, 0), n-1)
		case "wrap":
			p = (i%n + n) % n
		default: // reflect, without the edge
			if lo >= n || hi >= n {
				k.refuse("reflection of %d places by %d and %d", n, lo, hi)
				return nil
			}
			if p < 0 {
				p = -p
			}
			if p >= n {
				p = 2*(n-1) - p
			}
		}
		out = append(out, p)
	}
	return out
}

func (k *call) padConstant(x *val, v nn.Value, lo, hi []int64) nn.Value {
	data := make([]byte, engine.SizeOf(x.dtype()))
	if p := k.arg(2); p != nil {
		if !p.known() || p.host.Len() != 1 || p.dtype() != x.dtype() {
			k.refuse("operand 2 (value): must be one %s known at import", x.dtype())
			return v
		}
		data = p.host.Bytes()
	} else if k.has("value") {
		data = one(k.float("value", 0)).Bytes()
	}
	if all64(lo, 0) && all64(hi, 0) {
		return v
	}
	return k.g.Node("pad@1", []engine.Attr{ints("lo", lo...), ints("hi", hi...), {Name: "value", Data: data}}, engine.Value{}, v)
}

func all64(v []int64, is int64) bool {
	for _, x := range v {
		if x != is {
			return false
		}
	}
	return true
}

// blocks is DepthToSpace and SpaceToDepth.
func blocks(toSpace bool) func(k *call) *val {
	return func(k *call) *val {
		k.needs(1, 1)
		if k.err != nil {
			return nil
		}
		x, b, mode := k.arg(0), k.int("blocksize", 0), "DCR"
		if toSpace {
			mode = k.text("mode", "DCR")
		}
		s := x.shape()
		if len(s) != 4 || b < 1 || b > maxWindow || toSpace && s[1]%(b*b) != 0 || !toSpace && (s[2]%b != 0 || s[3]%b != 0) {
			k.fail("operand %v with blocks of %d", s, b)
			return nil
		}
		v := k.value(x)
		split := func(shape, perm []int64, out ...int64) *val {
			y := k.g.Transpose(k.g.Reshape(v, engine.ConstShape(shape...)...), perm...)
			return of(k.g.Reshape(y, engine.ConstShape(out...)...))
		}
		switch {
		case !toSpace:
			return split([]int64{s[0] * s[1], s[2] / b, b, s[3] / b, b}, []int64{0, 2, 4, 1, 3}, s[0], s[1], b*b, s[2]/b*(s[3]/b)).blocksFirst(k, s, b)
		case mode == "DCR":
			return split([]int64{s[0], b, b, s[1] / (b * b), s[2], s[3]}, []int64{0, 3, 4, 1, 5, 2}, s[0], s[1]/(b*b), s[2]*b, s[3]*b)
		case mode == "CRD":
			return split([]int64{s[0] * s[1] / (b * b), b, b, s[2], s[3]}, []int64{0, 3, 1, 4, 2}, s[0], s[1]/(b*b), s[2]*b, s[3]*b)
		}
		k.refuse("attribute mode: %.40q", mode)
		return nil
	}
}

// blocksFirst ends SpaceToDepth: [n, c, b², hw] becomes [n, b²·c, h, w].
func (x *val) blocksFirst(k *call, s []int64, b int64) *val {
	y := k.g.Transpose(x.v, 0, 2, 1, 3)
	return of(k.g.Reshape(y, engine.ConstShape(s[0], s[1]*b*b, s[2]/b, s[3]/b)...))
}

// resize maps to resize@1, whose scale is the quotient of the sizes; scales that are not are refused.
func resize(k *call) *val {
	k.needs(1, 4)
	if k.err != nil {
		return nil
	}
	k.ignore("cubic_coeff_a", "extrapolation_value", "exclude_outside", "antialias")
	x := k.arg(0)
	s := x.shape()
	out := k.resized(s)
	mode, coord := k.text("mode", "nearest"), k.text("coordinate_transformation_mode", "half_pixel")
	round := k.text("nearest_mode", "round_prefer_floor")
	if k.n.Op == "Upsample" || k.opset < 11 { // as Resize was before opset 11
		coord, round = "asymmetric", "floor"
	}
	if p := k.text("keep_aspect_ratio_policy", "stretch"); p != "stretch" {
		k.refuse("attribute keep_aspect_ratio_policy: %.40q", p)
	}
	if k.int("antialias", 0) != 0 || k.has("axes") {
		k.refuse("attributes antialias and axes")
	}
	if k.err == nil && (len(s) != 4 || out[0] != s[0] || out[1] != s[1]) {
		k.refuse("from %v to %v; only h and w of [n, c, h, w] are resized", s, out)
	}
	switch {
	case mode == "linear":
		round = ""
	case mode != "nearest":
		k.refuse("attribute mode: %.40q; nearest and linear are", mode)
	}
	switch coord {
	case "half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners":
	default:
		k.refuse("attribute coordinate_transformation_mode: %.40q", coord)
	}
	if k.err != nil {
		return nil
	}
	if slices.Equal(s, out) {
		return x
	}
	return of(k.g.Node("resize@1", []engine.Attr{text("mode", mode), text("coord", coord), text("rounding", round)},
		engine.Value{DType: x.dtype(), Shape: engine.ConstShape(out...)}, k.value(x)))
}

// resized gives the shape that Resize asks for, by sizes or by scales.
func (k *call) resized(s []int64) []int64 {
	scales, sizes := k.arg(2), k.arg(3)
	if k.n.Op == "Upsample" || k.opset < 11 {
		scales, sizes = k.arg(1), nil
		if f := k.attr("scales", 6); f != nil {
			t, err := engine.FromF32(f.Floats, int64(len(f.Floats)))
			if err != nil {
				k.fail("attribute scales: %w", err)
				return nil
			}
			scales = constant(t)
		}
	}
	if sizes != nil {
		out := k.list("sizes", 3)
		if k.err == nil && len(out) != len(s) {
			k.fail("sizes %v for %v", out, s)
		}
		for _, d := range out {
			if d < 1 || d > maxWindow {
				k.fail("sizes %v", out)
			}
		}
		return out
	}
	if scales == nil || !scales.known() || scales.dtype() != engine.F32 || scales.host.Len() != int64(len(s)) {
		k.refuse("scales must be %d numbers known at import (is every input size given?)", len(s))
		return nil
	}
	out := make([]int64, len(s))
	for i, f := range scales.host.F32() {
		if !(f > 0 && f < maxWindow) {
			k.fail("scale %g", f)
			return nil
		}
		size := float64(float64(s[i]) * float64(f))
		out[i] = int64(size)
		// A scale that is not out/in samples other places; float32 gives most scales only nearly.
		if diff := size - float64(out[i]); diff > 1e-3 && diff < 1-1e-3 || out[i] < 1 {
			k.refuse("scale %g of a dimension of %d, which gives no whole number; give sizes", f, s[i])
			return nil
		} else if diff >= 1-1e-3 {
			out[i]++
		}
	}
	return out
}
