package kernel

import "poaid/engine/num"

// convRef computes planes [lo, hi) of y, numbered n·OC + oc, by definition.
func convRef(y, x, w []float32, s ConvShape, lo, hi int) {
	cg, ocg, oh, ow := s.C/s.Groups, s.OC/s.Groups, s.OutH(), s.OutW()
	for plane := lo; plane < hi; plane++ {
		n, oc := plane/s.OC, plane%s.OC
		for i := range oh * ow {
			var acc float32
			for c := range cg {
				src := x[(n*s.C+oc/ocg*cg+c)*s.H*s.W:]
				for kh := range s.KH {
					ih := i/ow*s.StrideH - s.PadTop + kh*s.DilH
					if ih < 0 || ih >= s.H {
						continue
					}
					for kw := range s.KW {
						iw := i%ow*s.StrideW - s.PadLeft + kw*s.DilW
						if iw < 0 || iw >= s.W {
							continue
						}
						acc = num.FMA(w[((oc*cg+c)*s.KH+kh)*s.KW+kw], src[ih*s.W+iw], acc)
					}
				}
			}
			y[plane*oh*ow+i] = num.CanonNaN(acc)
		}
	}
}

// source returns the output index whose window covers input index i with kernel
// offset k, and whether there is one.
func source(i, k, pad, dil, stride, outs int) (int, bool) {
	t := i + pad - k*dil
	if t < 0 || t%stride != 0 || t/stride >= outs {
		return 0, false
	}
	return t / stride, true
}

// convGradXRef computes planes [lo, hi) of dx, numbered n·C + c, by definition.
func convGradXRef(dx, dy, w []float32, s ConvShape, lo, hi int) {
	cg, ocg, oh, ow := s.C/s.Groups, s.OC/s.Groups, s.OutH(), s.OutW()
	for plane := lo; plane < hi; plane++ {
		n, c := plane/s.C, plane%s.C
		for i := range s.H * s.W {
			var acc float32
			for oc := c / cg * ocg; oc < (c/cg+1)*ocg; oc++ {
				src := dy[(n*s.OC+oc)*oh*ow:]
				for kh := range s.KH {
					r, ok := source(i/s.W, kh, s.PadTop, s.DilH, s.StrideH, oh)
					if !ok {
						continue
					}
					for kw := range s.KW {
						q, ok := source(i%s.W, kw, s.PadLeft, s.DilW, s.StrideW, ow)
						if !ok {
							continue
						}
						acc = num.FMA(w[((oc*cg+c%cg)*s.KH+kh)*s.KW+kw], src[r*ow+q], acc)
					}
				}
			}
			dx[plane*s.H*s.W+i] = num.CanonNaN(acc)
		}
	}
}

// convGradWRef computes filters [lo, hi) of dw, numbered oc·(C/Groups) + c, by
// definition.
func convGradWRef(dw, dy, x []float32, s ConvShape, lo, hi int) {
	cg, ocg, oh, ow := s.C/s.Groups, s.OC/s.Groups, s.OutH(), s.OutW()
	for f := lo; f < hi; f++ {
		oc, c := f/cg, f/cg/ocg*cg+f%cg
		for t := range s.KH * s.KW {
			var acc float32
			for n := range s.N {
				g, src := dy[(n*s.OC+oc)*oh*ow:], x[(n*s.C+c)*s.H*s.W:]
				for i := range oh {
					ih := i*s.StrideH - s.PadTop + t/s.KW*s.DilH
					if ih < 0 || ih >= s.H {
						continue
					}
					for j := range ow {
						iw := j*s.StrideW - s.PadLeft + t%s.KW*s.DilW
						if iw < 0 || iw >= s.W {
							continue
						}
						acc = num.FMA(g[i*ow+j], src[ih*s.W+iw], acc)
					}
				}
			}
			dw[f*s.KH*s.KW+t] = num.CanonNaN(acc)
		}
	}
}
