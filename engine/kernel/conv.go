package kernel

import (
	"errors"
	"fmt"
)

// ConvShape describes a 2-D convolution in NCHW: x is [N, C, H, W], the weight is
// [OC, C/Groups, KH, KW], y is [N, OC, OutH, OutW]. Output (oh, ow) reads input
// row oh·StrideH − PadTop + kh·DilH and column ow·StrideW − PadLeft + kw·DilW;
// positions outside the input are not members of the chain.
type ConvShape struct {
	N, C, H, W                           int
	OC, KH, KW                           int
	StrideH, StrideW, DilH, DilW         int
	PadTop, PadLeft, PadBottom, PadRight int
	Groups                               int
}

// ErrConvShape is wrapped by every error of ConvShape.Check.
var ErrConvShape = errors.New("bad convolution shape")

// maxConvDim bounds every field, so that products of two never overflow.
const maxConvDim = 1 << 31

// Check reports the first field that makes no sense, by name.
func (s ConvShape) Check() error {
	fields := []struct {
		name     string
		val, low int
	}{
		{"N", s.N, 0},
		{"C", s.C, 1},
		{"H", s.H, 1},
		{"W", s.W, 1},
		{"OC", s.OC, 1},
		{"KH", s.KH, 1},
		{"KW", s.KW, 1},
		{"StrideH", s.StrideH, 1},
		{"StrideW", s.StrideW, 1},
		{"DilH", s.DilH, 1},
		{"DilW", s.DilW, 1},
		{"PadTop", s.PadTop, 0},
		{"PadLeft", s.PadLeft, 0},
		{"PadBottom", s.PadBottom, 0},
		{"PadRight", s.PadRight, 0},
		{"Groups", s.Groups, 1},
	}
	for _, f := range fields {
		if f.val < f.low || f.val >= maxConvDim {
			return fmt.Errorf("%w: %s = %d, want %d…%d", ErrConvShape, f.name, f.val, f.low, maxConvDim-1)
		}
	}
	if s.C%s.Groups != 0 || s.OC%s.Groups != 0 {
		return fmt.Errorf("%w: Groups = %d must divide C = %d and OC = %d", ErrConvShape, s.Groups, s.C, s.OC)
	}
	if s.OutH() < 1 || s.OutW() < 1 {
		return fmt.Errorf("%w: the dilated kernel is larger than the padded input", ErrConvShape)
	}
	return nil
}

// OutH returns the number of output rows.
func (s ConvShape) OutH() int {
	return outDim(s.H+s.PadTop+s.PadBottom, (s.KH-1)*s.DilH+1, s.StrideH)
}

// OutW returns the number of output columns.
func (s ConvShape) OutW() int {
	return outDim(s.W+s.PadLeft+s.PadRight, (s.KW-1)*s.DilW+1, s.StrideW)
}

func outDim(in, kernel, stride int) int {
	if in < kernel {
		return 0
	}
	return (in-kernel)/stride + 1
}

// XLen returns the number of elements of x.
func (s ConvShape) XLen() int { return s.N * s.C * s.H * s.W }

// WLen returns the number of elements of the weight.
func (s ConvShape) WLen() int { return s.OC * (s.C / s.Groups) * s.KH * s.KW }

// YLen returns the number of elements of y.
func (s ConvShape) YLen() int { return s.N * s.OC * s.OutH() * s.OutW() }

func (s ConvShape) need(fn string, x, w, y []float32) {
	if err := s.Check(); err != nil {
		panic(fmt.Sprintf("kernel.%s: %v", fn, err))
	}
	need(fn, "x", len(x), s.XLen())
	need(fn, "w", len(w), s.WLen())
	need(fn, "y", len(y), s.YLen())
}

// Conv2D computes y = conv(x, w). The chain of y[n, oc, oh, ow] is
// fma(w[oc, c, kh, kw], x[n, c, ih, iw], acc) over (c, kh, kw) ascending within the
// group, members only.
func Conv2D(y, x, w []float32, s ConvShape, threads int) {
	s.need("Conv2D", x, w, y)
	if convFast(y, x, w, s, threads) {
		return
	}
	Parallel(threads, s.N*s.OC, func(lo, hi int) { convRef(y, x, w, s, lo, hi) })
}

// Conv2DGradX computes dx from dy and w. The chain of dx[n, c, ih, iw] is
// fma(w[oc, c, kh, kw], dy[n, oc, oh, ow], acc) over (oc, kh, kw) ascending within
// the group, members only.
func Conv2DGradX(dx, dy, w []float32, s ConvShape, threads int) {
	s.need("Conv2DGradX", dx, w, dy)
	if convGradXFast(dx, dy, w, s, threads) {
		return
	}
	Parallel(threads, s.N*s.C, func(lo, hi int) { convGradXRef(dx, dy, w, s, lo, hi) })
}

// Conv2DGradW computes dw from dy and x. The chain of dw[oc, c, kh, kw] is
// fma(dy[n, oc, oh, ow], x[n, c, ih, iw], acc) over (n, oh, ow) ascending, members
// only.
func Conv2DGradW(dw, dy, x []float32, s ConvShape, threads int) {
	s.need("Conv2DGradW", x, dw, dy)
	if convGradWFast(dw, dy, x, s, threads) {
		return
	}
	Parallel(threads, s.OC*(s.C/s.Groups), func(lo, hi int) { convGradWRef(dw, dy, x, s, lo, hi) })
}
