package main

import "fmt"

// Registers of a tile: A's rows in 0 and 1, accumulators from 2, B above them.
const accBase = 2

// mac is the multiply-accumulate step of a tile.
type mac struct {
	// step runs one k (one 32-bit group for int8): acc[i][j] += B[j]·A[i] for the B
	// at x4. rows are where A's words are.
	step  func(a *asm, rows []element, cols int, acc func(i, j int) int)
	canon bool // make NaN canonical at the end
}

// genTiles emits the register tiles of the matrix products:
//
//	func tile…(mr, k int, a *float32, aStride int, b *float32, bStride int,
//		c *float32, ldc int, resume int)
//
// computes C[i, j] (+)= Σ_k A[k, i]·B[k, j] for mr rows and a fixed number of
// columns, one chain per element in ascending k; strides are in bytes; resume ≠ 0
// continues the chains from C. The int8 ones take one 32-bit group of k at a time:
// four bytes (dot) or two int16 (mlal), both signed.
func genTiles(a *asm) {
	genTile(a, "tileNEON", 6, 4, mac{step: stepFMA, canon: true})
	genTile(a, "tileWideNEON", 1, 16, mac{step: stepFMA, canon: true})
	genTile(a, "tileDotNEON", 6, 4, mac{step: stepDot})
	genTile(a, "tileMlalNEON", 6, 4, mac{step: stepMlal})
}

func genTile(a *asm, name string, heights, cols int, m mac) {
	a.text(name, "mr", "k", "a", "aStride", "b", "bStride", "c", "ldc", "resume")
	for h := 1; h <= heights; h++ {
		a.op("CMP", fmt.Sprintf("$%d", h), "R0")
		a.op("BEQ", fmt.Sprintf("%sH%d", name, h))
	}
	a.op("RET")
	for h := 1; h <= heights; h++ {
		genHeight(a, fmt.Sprintf("%sH%d", name, h), h, cols, m)
	}
}

// loadA loads the words of h rows at x2 and says where each is: nothing past the
// last row is read, since it may lie behind the end of a slice.
func loadA(a *asm, h int) []element {
	var rows []element
	v, off := 0, 0
	for left := h; left > 0; v++ {
		n := 1
		switch {
		case left >= 4:
			n = 4
			a.ldrQ(v, 2, off)
		case left >= 2:
			n = 2
			a.ldrD(v, 2, off)
		default:
			a.ldrS(v, 2, off)
		}
		for lane := range n {
			rows = append(rows, element{v, lane})
		}
		left -= n
		off += 4 * n
	}
	return rows
}

func genHeight(a *asm, name string, h, cols int, m mac) {
	acc := func(i, j int) int { return accBase + i*cols + j }
	forC := func(emit func(v, off int)) {
		a.op("MOVD", "R6", "R9")
		for i := range h {
			for j := range cols {
				emit(acc(i, j), 16*j)
			}
			if i+1 < h {
				a.op("ADD", "R7", "R9")
			}
		}
	}
	step := func() {
		m.step(a, loadA(a, h), cols, acc)
		a.op("ADD", "R3", "R2")
		a.op("ADD", "R5", "R4")
	}
	a.label(name)
	a.op("CBNZ", "R8", name+"Load")
	for i := range h * cols {
		a.zero(accBase + i)
	}
	a.op("B", name+"Start")
	a.label(name + "Load")
	forC(func(v, off int) { a.ldrQ(v, 9, off) })
	a.label(name + "Start")
	a.op("SUBS", "$2", "R1")
	a.op("BLT", name+"Rest")
	a.label(name + "Loop")
	step()
	step()
	a.op("SUBS", "$2", "R1")
	a.op("BGE", name+"Loop")
	a.label(name + "Rest")
	a.op("ADDS", "$2", "R1")
	a.op("BEQ", name+"Done")
	step()
	a.label(name + "Done")
	if m.canon {
		a.nanTo(0, 9)
	}
	forC(func(v, off int) {
		if m.canon {
			a.canon(v, 0, 1)
		}
		a.strQ(v, 9, off)
	})
	a.op("RET")
}

// stepFMA: B streams through the registers above the accumulators.
func stepFMA(a *asm, rows []element, cols int, acc func(i, j int) int) {
	first := acc(len(rows), 0)
	for j0 := 0; j0 < cols; j0 += 32 - first {
		n := min(32-first, cols-j0)
		for j := range n {
			a.ldrQ(first+j, 4, 16*(j0+j))
		}
		for i, e := range rows {
			for j := range n {
				a.fmlaLane(acc(i, j0+j), first+j, e)
			}
		}
	}
}

// stepDot: a lane is a column, its bytes four k.
func stepDot(a *asm, rows []element, cols int, acc func(i, j int) int) {
	for j := range cols {
		a.ldrQ(26+j, 4, 16*j)
	}
	for i, e := range rows {
		for j := range cols {
			a.sdotLane(acc(i, j), 26+j, e)
		}
	}
}

// stepMlal: the two int16 of a lane are taken apart into registers of eight columns
// for the even and the odd k.
func stepMlal(a *asm, rows []element, cols int, acc func(i, j int) int) {
	for j := 0; j < cols; j += 2 {
		even, odd := 28+j, 29+j
		a.ldrQ(26, 4, 16*j)
		a.ldrQ(27, 4, 16*j+16)
		a.uzp1h(even, 26, 27)
		a.uzp2h(odd, 26, 27)
	}
	for i, e := range rows {
		for j := 0; j < cols; j += 2 {
			for k := range 2 {
				half := element{e.reg, 2*e.lane + k}
				a.smlalLane(false, acc(i, j), 28+j+k, half)
				a.smlalLane(true, acc(i, j+1), 28+j+k, half)
			}
		}
	}
}
