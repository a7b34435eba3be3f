//go:build amd64 || arm64

package kernel

import "unsafe"

// formatI8 is how a level multiplies int8: a register tile takes 32-bit groups of
// consecutive k, four bytes or two int16; where biased, A's bytes are unsigned.
type formatI8 struct {
	tileShape
	group  int // k in one 32-bit group: 4 or 2
	biased bool
}

// gemmI8 is one int8 product in general strides.
type gemmI8 struct {
	dst                []int32
	a, b               []int8
	m, n, k            int
	as0, as1, bs0, bs1 int
	formatI8
	level  level
	groups int
	mr     int // rows of a tile, evenly split
}

// gemmI8Fast computes GemmI8 with the kernel in use; false when that is the
// reference.
func gemmI8Fast(dst []int32, a, b []int8, m, n, k int, ta, tb bool, threads int) bool {
	l := current()
	if l == levelReference || m*n*k == 0 {
		return false
	}
	g := &gemmI8{dst: dst, a: a, b: b, m: m, n: n, k: k, as0: k, as1: 1, bs0: n, bs1: 1}
	if ta {
		g.as0, g.as1 = 1, m
	}
	if tb {
		g.bs0, g.bs1 = 1, k
	}
	g.level, g.formatI8 = l, formatFor(l)
	g.groups = ceilDiv(k, g.group)
	g.mr = ceilDiv(m, ceilDiv(m, g.formatI8.mr))
	if m*n*k <= smallMACs {
		threads = 1
	}
	if m <= gemvRowsI8 && g.as1 == 1 && g.bs0 == 1 {
		g.gemv(threads)
	} else {
		g.run(threads)
	}
	return true
}

// gemvBlockI8 is how many rows of B are multiplied with every row of A before the next.
const gemvBlockI8 = 64

// gemv multiplies a few rows with the rows of a transposed B where they lie.
func (g *gemmI8) gemv(threads int) {
	Parallel(threads, ceilDiv(g.n, gemvBlockI8), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			for i := range g.m {
				g.gemvI8(i, p*gemvBlockI8, min((p+1)*gemvBlockI8, g.n))
			}
		}
	})
}

// words views a buffer of float32 as 32-bit words.
func words(p []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(p))), len(p))
}

// run packs A once and computes column panels in parallel.
func (g *gemmI8) run(threads int) {
	aBuf := buffer(g.m*g.groups + packSlack)
	defer buffers.Put(aBuf)
	a := words(*aBuf)
	for i := 0; i < g.m; i += g.mr {
		h := min(g.mr, g.m-i)
		panel := a[i*g.groups:]
		g.pack(panel, h, g.a[i*g.as0:], h, g.as0, g.as1, 0, g.k)
		if g.biased { // bytes + 128: unsigned; panel undoes it
			for x := range panel[:h*g.groups] {
				panel[x] ^= 0x80808080
			}
		}
	}
	Parallel(threads, ceilDiv(g.n, g.nr), func(lo, hi int) {
		bBuf := buffer(min(kc, g.groups)*g.nr + packSlack)
		defer buffers.Put(bBuf)
		for p := lo; p < hi; p++ {
			for k0 := 0; k0 < g.groups; k0 += kc {
				g.panel(a, words(*bBuf), p*g.nr, k0, min(k0+kc, g.groups))
			}
		}
	})
}

// panel continues columns [j, j+nr) of every row over groups [k0, k1).
func (g *gemmI8) panel(a, b []uint32, j, k0, k1 int) {
	cols := min(g.nr, g.n-j)
	g.pack(b, g.nr, g.b[j*g.bs1:], cols, g.bs1, g.bs0, k0*g.group, min(k1*g.group, g.k))
	// With A offset by 128 every result is 128·Σ_k b too large: start below it.
	var start [maxTile]int32
	if g.biased {
		offset := uint32(0x80808080)
		g.tile(1, k1-k0, &offset, 0, &b[0], &start[0], g.nr, false)
		for i := range start[:g.nr] {
			start[i] = -start[i]
		}
	}
	var scratch [maxTile]int32
	for i := 0; i < g.m; i += g.mr {
		h := min(g.mr, g.m-i)
		for r := range h {
			row := scratch[r*g.nr : (r+1)*g.nr]
			copy(row, start[:])
			if k0 > 0 {
				for x, v := range g.dst[(i+r)*g.n+j : (i+r)*g.n+j+cols] {
					row[x] += v
				}
			}
		}
		g.tile(h, k1-k0, &a[i*g.groups+k0*h], h, &b[0], &scratch[0], g.nr, true)
		for r := range h {
			copy(g.dst[(i+r)*g.n+j:(i+r)*g.n+j+cols], scratch[r*g.nr:])
		}
	}
}

// pack writes dst[group·width + r] = the group of src[r·s0 + k·s1] for rows r and
// k in [k0, k1), zeros past k1. It may store eight columns at a time (packSlack).
func (g *gemmI8) pack(dst []uint32, width int, src []int8, rows, s0, s1, k0, k1 int) {
	done := k0
	if s1 == 1 && g.group == 4 {
		done = packBytes(dst, width, src, rows, s0, k0, k1)
	}
	for k := done; k < k1; k += g.group {
		out := dst[(k-k0)/g.group*width:]
		n := min(g.group, k1-k)
		for r := range rows {
			var w uint32
			for x := range n {
				v := src[r*s0+(k+x)*s1]
				if g.group == 4 {
					w |= uint32(uint8(v)) << (8 * x)
				} else {
					w |= uint32(uint16(v)) << (16 * x)
				}
			}
			out[r] = w
		}
	}
}

// packBytes packs rows of consecutive bytes as a transposition of 32-bit words, 32 k
// at a time, and returns the first k left over.
func packBytes(dst []uint32, width int, src []int8, rows, rowStride, k0, k1 int) int {
	blocks := (k1 - k0) / 32
	if blocks == 0 {
		return k0
	}
	// The last group first, as in packA: narrow groups are overwritten.
	for r := (rows - 1) / 8 * 8; r >= 0; r -= 8 {
		var p [8]*float32
		for x := range p {
			p[x] = (*float32)(unsafe.Pointer(&src[min(r+x, rows-1)*rowStride+k0]))
		}
		transpose8((*float32)(unsafe.Pointer(&dst[r])), width*4, &p, blocks)
	}
	return k0 + blocks*32
}
