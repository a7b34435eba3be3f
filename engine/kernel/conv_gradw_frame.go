//go:build amd64 || arm64

package kernel

import (
	"math"

	"poaid/engine/num"
)

// frameElems is how many elements framed images may take at a time: 4 MiB.
const frameElems = 1 << 20

// framedGradW is the weight gradient of one group as products of rows of the image with rows of dy, for all taps alike: images get a frame
// of zeros, so that every position has every tap. With channels innermost, the elements that neighbouring taps see are neighbours too,
// and neither operand is copied once a tap.
//
// The products with zeros of the frame are no members of the chains. They change nothing where the result is neither zero nor NaN: fma(0,
// y, acc) is acc for a finite y, but for the sign of a zero; that sign is lost with the next product that is not zero; and 0·y of
// another y is NaN for good. What is zero or NaN is looked at again (certain).
type framedGradW struct {
	s       ConvShape
	t       tiler
	g       int
	cg, ocg int
	ocp     int // ocg rounded up to whole tiles
	fh, fw  int // a framed image
	runs    int // runs of neighbouring elements that a row of taps sees: 1, or one a tap when they are dilated
	height  int // rows of a tile
	dy, x   []float32
}

func newFramedGradW(dy, x []float32, s ConvShape, l level) *framedGradW {
	f := &framedGradW{s: s, cg: s.C / s.Groups, ocg: s.OC / s.Groups, runs: 1, dy: dy, x: x}
	f.t = tiler{gemm: &gemm{}, level: l, tileShape: tileShapes[l]}
	f.ocp = roundUp(f.ocg, f.t.nr)
	f.fh, f.fw = (s.OutH()-1)*s.StrideH+(s.KH-1)*s.DilH+1, (s.OutW()-1)*s.StrideW+(s.KW-1)*s.DilW+1
	if s.DilW > 1 {
		f.runs = s.KW
	}
	f.height = ceilDiv(f.run(), ceilDiv(f.run(), f.t.mr))
	return f
}

// run is the length of a run.
func (f *framedGradW) run() int { return f.s.KW * f.cg / f.runs }

// fits reports whether the frame is small beside the image.
func (f *framedGradW) fits() bool {
	return f.fh < 1<<20 && f.fw < 1<<20 && f.fh*f.fw <= 4*f.s.H*f.s.W+1<<12
}

// compute writes the group's part of dw; false when it cannot be certain of every element: some of them are rubbish then.
func (f *framedGradW) compute(dw []float32, threads int) bool {
	s := f.s
	xSize, dySize := f.fh*f.fw*f.cg, s.OutH()*s.OutW()*f.ocp
	images := min(max(frameElems/(xSize+dySize), 1), s.N)
	xBuf, dyBuf, accBuf := buffer(images*xSize), buffer(images*dySize), buffer(s.KH*s.KW*f.cg*f.ocp)
	defer buffers.Put(xBuf)
	defer buffers.Put(dyBuf)
	defer buffers.Put(accBuf)
	xt, dyt, acc := *xBuf, *dyBuf, *accBuf
	blocks, panels := ceilDiv(f.run(), f.height), f.ocp/f.t.nr
	for n0 := 0; n0 < s.N; n0 += images {
		n1 := min(n0+images, s.N)
		Parallel(threads, n1-n0, func(lo, hi int) {
			for n := lo; n < hi; n++ {
				f.image(xt[n*xSize:(n+1)*xSize], n0+n)
				f.gradient(dyt[n*dySize:(n+1)*dySize], n0+n)
			}
		})
		parallelTasks(threads, s.KH*f.runs*blocks*panels, func(task int) {
			p, r := task%panels, task/panels
			f.block(acc, xt, dyt, n1-n0, r/blocks, r%blocks*f.height, p*f.t.nr, n0 > 0)
		})
	}
	return f.finish(dw, acc)
}

// image lays image n into its frame, channels innermost.
func (f *framedGradW) image(dst []float32, n int) {
	s := f.s
	clear(dst)
	rows, cols := min(s.H, f.fh-s.PadTop), min(s.W, f.fw-s.PadLeft) // the last ones may be of no use
	src := f.x[(n*s.C+f.g*f.cg)*s.H*s.W:]
	for h := 0; h < rows && cols > 0; h++ {
		transposeInto(dst[((h+s.PadTop)*f.fw+s.PadLeft)*f.cg:], f.cg, src[h*s.W:], s.H*s.W, f.cg, cols)
	}
}

// gradient lays dy of image n with channels innermost; channels from ocg on are rubbish.
func (f *framedGradW) gradient(dst []float32, n int) {
	size := f.s.OutH() * f.s.OutW()
	src := f.dy[(n*f.s.OC+f.g*f.ocg)*size:]
	for r := 0; r < f.ocg; r += 8 {
		transposeRows(dst[r:], f.ocp, src[r*size:], size, min(8, f.ocg-r), size)
	}
	transposeTail(dst, f.ocp, src, size, f.ocg, size)
}

// transposeInto is transposeRows with its tail for any number of rows; it writes nothing past them.
func transposeInto(dst []float32, stride int, src []float32, rowStride, rows, depth int) {
	whole := rows &^ 7
	for r := 0; r < whole; r += 8 {
		transposeRows(dst[r:], stride, src[r*rowStride:], rowStride, 8, depth)
	}
	if whole > 0 {
		transposeTail(dst, stride, src, rowStride, whole, depth)
	}
	for r := whole; r < rows; r++ {
		row := src[r*rowStride : r*rowStride+depth]
		if stride == 1 {
			copy(dst, row)
			continue
		}
		for k, v := range row {
			dst[k*stride+r] = v
		}
	}
}

// block continues one tile of the result through some images: taps of row·run, elements from i of that run, channels from j.
func (f *framedGradW) block(acc, xt, dyt []float32, images, row, i, j int, resume bool) {
	s, run := f.s, f.run()
	oh, ow := s.OutH(), s.OutW()
	h := min(f.height, run-i)
	at := (row/f.runs*s.DilH*f.fw+row%f.runs*s.DilW)*f.cg + i
	c := &acc[(row*run+i)*f.ocp+j]
	for n := range images {
		for r := range oh {
			a := &xt[(n*f.fh+r*s.StrideH)*f.fw*f.cg+at]
			b := &dyt[(n*oh+r)*ow*f.ocp+j]
			f.t.call(h, ow, a, s.StrideW*f.cg*4, b, f.ocp*4, c, f.ocp*4, resume)
			resume = true
		}
	}
}

// finish writes the result where it belongs and reports whether it is certain. It gives up where a sixteenth of the products would have
// to be done one by one.
func (f *framedGradW) finish(dw, acc []float32) bool {
	s := f.s
	silentX, silentDY := make(map[int][]bool), make(map[int][]bool)
	again, limit := 0, len(f.dy)*s.KH*s.KW*f.cg/s.Groups/16
	for kh := range s.KH {
		for kw := range s.KW {
			whole := covers(s.OutH(), s.H, kh*s.DilH-s.PadTop, s.StrideH) && covers(s.OutW(), s.W, kw*s.DilW-s.PadLeft, s.StrideW)
			for c := range f.cg {
				for oc, v := range acc[((kh*s.KW+kw)*f.cg+c)*f.ocp:][:f.ocg] {
					switch {
					case whole || v != 0 && v == v:
					case v != v || again > limit:
						return false
					default:
						var members int
						v, members = f.again(oc, c, kh, kw, silent(silentDY, f.dy, s.N, s.OC, f.g*f.ocg+oc, s.OutH()*s.OutW()),
							silent(silentX, f.x, s.N, s.C, f.g*f.cg+c, s.H*s.W))
						again += members
					}
					dw[(((f.g*f.ocg+oc)*f.cg+c)*s.KH+kh)*s.KW+kw] = v
				}
			}
		}
	}
	return true
}

// again computes an element whose value is zero, for its sign, and counts what it looked at. None of its products is NaN; those that are
// zero change nothing but −0, so that images are left out where a side is silent.
func (f *framedGradW) again(oc, c, kh, kw int, silentDY, silentX []bool) (acc float32, members int) {
	s := f.s
	oh, ow := s.OutH(), s.OutW()
	for n := range s.N {
		if (silentDY[n] || silentX[n]) && math.Float32bits(acc) != 1<<31 {
			continue
		}
		members += oh * ow
		dy, x := f.dy[(n*s.OC+f.g*f.ocg+oc)*oh*ow:], f.x[(n*s.C+f.g*f.cg+c)*s.H*s.W:]
		for r := range oh {
			h := r*s.StrideH - s.PadTop + kh*s.DilH
			if h < 0 || h >= s.H {
				continue
			}
			for q, d := range dy[r*ow : (r+1)*ow] {
				w := q*s.StrideW - s.PadLeft + kw*s.DilW
				if w < 0 || w >= s.W {
					continue
				}
				if v := x[h*s.W+w]; d != 0 && v != 0 || math.Float32bits(acc) == 1<<31 {
					acc = num.FMA(d, v, acc)
				}
			}
		}
	}
	return acc, members
}

// covers reports whether positions 0, …, n − 1 all see an element of a row of size at one tap: at + i·stride.
func covers(n, size, at, stride int) bool { return at >= 0 && at+(n-1)*stride < size }

// silent tells in which images a channel of t[n, channels, size] is zero throughout.
func silent(known map[int][]bool, t []float32, n, channels, channel, size int) []bool {
	zero := known[channel]
	if zero == nil {
		zero = make([]bool, n)
		for i := range zero {
			zero[i] = allZero(t[(i*channels+channel)*size:][:size])
		}
		known[channel] = zero
	}
	return zero
}

// allZero reports whether x holds nothing but ±0.
func allZero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}
