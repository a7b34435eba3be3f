package kernel

import "golang.org/x/sys/cpu"

// What the tiled code (…_tiled.go) needs of an architecture: tile shapes, and calls
// of its assembly. There is one level besides the reference.

var tileShapes = [...]tileShape{levelNEON: {mr: 6, nr: 16, wideRows: 1}}

// call runs one register tile; strides are in bytes.
func (t *tiler) call(mr, k int, a *float32, as int, b *float32, bs int, c *float32, ldc int, resume bool) {
	var r int
	if resume {
		r = 1
	}
	if t.wide {
		tileWideNEON(mr, k, a, as, b, bs, c, ldc, r)
	} else {
		tileNEON(mr, k, a, as, b, bs, c, ldc, r)
	}
}

// formatFor is the int8 format: the dot product where the processor has it.
func formatFor(l level) formatI8 {
	f := formatI8{tileShape: tileShapes[l], group: 2}
	if cpu.ARM64.HasASIMDDP {
		f.group = 4
	}
	return f
}

// tile runs one register tile; strides are in elements.
func (g *gemmI8) tile(h, k int, a *uint32, as int, b *uint32, c *int32, ldc int, resume bool) {
	var r int
	if resume {
		r = 1
	}
	if g.group == 4 {
		tileDotNEON(h, k, a, as*4, b, g.nr*4, c, ldc*4, r)
	} else {
		tileMlalNEON(h, k, a, as*4, b, g.nr*4, c, ldc*4, r)
	}
}

func unaryAsm(_ level, op int, dst, a *float32, n int) { unaryNEON(op, dst, a, n) }

func binaryAsm(_ level, op int, dst, a, b *float32, aStep, bStep, n int) {
	binaryNEON(op, dst, a, b, aStep, bStep, n)
}

func sumAsm(_ level, acc *[16]float32, x *float32, n int) { sum16NEON(acc, x, n) }

func sumSqAsm(_ level, acc *[16]float32, x *float32, n int, mean *float32) {
	sumSq16NEON(acc, x, n, mean)
}

func maxKeyAsm(_ level, keys *[16]int32, x *float32, n int) { maxKey16NEON(keys, x, n) }

// gemvRowsI8 is the most rows of A for which gemvI8 is the better way: there is none here.
const gemvRowsI8 = 0

// gemvI8 is not reached.
func (g *gemmI8) gemvI8(_, _, _ int) {}
