package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// What the tiled code (…_tiled.go) needs of an architecture: tile shapes, and calls
// of its assembly by level.

var tileShapes = [...]tileShape{
	levelAVX2:   {mr: 6, nr: 16, wideRows: 1},
	levelAVX512: {mr: 14, nr: 32, wideRows: 3},
}

// call runs one register tile; strides are in bytes.
func (t *tiler) call(mr, k int, a *float32, as int, b *float32, bs int, c *float32, ldc int, resume bool) {
	var r int
	if resume {
		r = 1
	}
	switch {
	case t.level == levelAVX512 && t.wide:
		tileWideAVX512(mr, k, a, as, b, bs, c, ldc, r)
	case t.level == levelAVX512:
		tileAVX512(mr, k, a, as, b, bs, c, ldc, r)
	case t.wide:
		tileWideAVX2(mr, k, a, as, b, bs, c, ldc, r)
	default:
		tileAVX2(mr, k, a, as, b, bs, c, ldc, r)
	}
}

// formatFor is the int8 format of a level: VNNI where there is one.
func formatFor(l level) formatI8 {
	if l == levelAVX512 && cpu.X86.HasAVX512VNNI {
		return formatI8{tileShape: tileShapes[levelAVX512], group: 4, biased: true}
	}
	return formatI8{tileShape: tileShapes[levelAVX2], group: 2}
}

// tile runs one register tile; strides are in elements.
func (g *gemmI8) tile(h, k int, a *uint32, as int, b *uint32, c *int32, ldc int, resume bool) {
	var r int
	if resume {
		r = 1
	}
	if g.group == 4 {
		tileI8AVX512(h, k, a, as*4, b, g.nr*4, c, ldc*4, r)
	} else {
		tileI8AVX2(h, k, a, as*4, b, g.nr*4, c, ldc*4, r)
	}
}

// gemvRowsI8 is the most rows of A for which gemvI8 is the better way.
const gemvRowsI8 = 4

// gemvI8 computes row i of the result, columns [lo, hi), from rows of B as they lie.
func (g *gemmI8) gemvI8(i, lo, hi int) {
	x := g.a[i*g.as0 : i*g.as0+g.k]
	y, w := g.dst[i*g.n+lo:i*g.n+hi], g.b[lo*g.bs1:]
	if g.group == 4 {
		sum := 0
		for _, v := range x {
			sum += int(v)
		}
		gemvI8AVX512(&y[0], &w[0], g.bs1, &x[0], g.k, hi-lo, -128*sum)
		return
	}
	whole := g.k &^ 15
	if whole > 0 {
		buf := buffer(ceilDiv(g.k, 2))
		defer buffers.Put(buf)
		wide := unsafe.Slice((*int16)(unsafe.Pointer(unsafe.SliceData(*buf))), g.k)
		for k, v := range x {
			wide[k] = int16(v)
		}
		gemvI8AVX2(&y[0], &w[0], g.bs1, &wide[0], whole, hi-lo, 0)
	} else {
		clear(y)
	}
	for r := range y {
		for k := whole; k < g.k; k++ {
			y[r] += int32(w[r*g.bs1+k]) * int32(x[k])
		}
	}
}

func unaryAsm(l level, op int, dst, a *float32, n int) {
	if l == levelAVX512 {
		unaryAVX512(op, dst, a, n)
	} else {
		unaryAVX2(op, dst, a, n)
	}
}

func binaryAsm(l level, op int, dst, a, b *float32, aStep, bStep, n int) {
	if l == levelAVX512 {
		binaryAVX512(op, dst, a, b, aStep, bStep, n)
	} else {
		binaryAVX2(op, dst, a, b, aStep, bStep, n)
	}
}

func sumAsm(l level, acc *[16]float32, x *float32, n int) {
	if l == levelAVX512 {
		sum16AVX512(acc, x, n)
	} else {
		sum16AVX2(acc, x, n)
	}
}

func sumSqAsm(l level, acc *[16]float32, x *float32, n int, mean *float32) {
	if l == levelAVX512 {
		sumSq16AVX512(acc, x, n, mean)
	} else {
		sumSq16AVX2(acc, x, n, mean)
	}
}

func maxKeyAsm(l level, keys *[16]int32, x *float32, n int) {
	if l == levelAVX512 {
		maxKey16AVX512(keys, x, n)
	} else {
		maxKey16AVX2(keys, x, n)
	}
}
