package main

// genPack emits the routines around the tiles; their meaning is declared in
// asm_arm64.go and, for amd64, in gen/pack.go.
func genPack(a *asm) {
	genTranspose(a)
	genCopyPanel(a)
	genCopyRuns(a)
	genGemv(a)
	genConvRow(a)
}

// transpose4 turns registers v … v+3 (rows) into columns, by way of t … t+3.
func (a *asm) transpose4(v, t int) {
	a.trn1(t, v, v+1)
	a.trn2(t+1, v, v+1)
	a.trn1(t+2, v+2, v+3)
	a.trn2(t+3, v+2, v+3)
	a.trn1d(v, t, t+2)
	a.trn1d(v+1, t+1, t+3)
	a.trn2d(v+2, t, t+2)
	a.trn2d(v+3, t+1, t+3)
}

// genTranspose: rows at x4 … x11, four columns at a time.
func genTranspose(a *asm) {
	a.text("transpose8", "dst", "dstStride", "src", "blocks")
	for i := range 8 {
		a.op("MOVD", offset(2, 8*i), r(4+i))
	}
	a.op("LSL", "$1", "R3")
	a.op("CBZ", "R3", "transposeDone")
	a.label("transposeLoop")
	for half := range 2 {
		for i := range 4 {
			a.ldrPost(8*half+i, 4+4*half+i)
		}
		a.transpose4(8*half, 8*half+4)
	}
	for k := range 4 {
		a.strQ(k, 0, 0)
		a.strQ(8+k, 0, 16)
		a.op("ADD", "R1", "R0")
	}
	a.op("SUBS", "$1", "R3")
	a.op("BNE", "transposeLoop")
	a.label("transposeDone")
	a.op("RET")
}

func genCopyPanel(a *asm) {
	a.text("copyPanel", "dst", "dstStride", "src", "srcStride", "groups", "rows")
	a.op("CBZ", "R5", "copyDone")
	a.label("copyRow")
	a.op("MOVD", "R0", "R6")
	a.op("MOVD", "R2", "R7")
	a.op("MOVD", "R4", "R8")
	a.label("copyGroup")
	for i := range 4 {
		a.ldrPost(i, 7)
	}
	for i := range 4 {
		a.strPost(i, 6)
	}
	a.op("SUBS", "$1", "R8")
	a.op("BNE", "copyGroup")
	a.op("ADD", "R1", "R0")
	a.op("ADD", "R3", "R2")
	a.op("SUBS", "$1", "R5")
	a.op("BNE", "copyRow")
	a.label("copyDone")
	a.op("RET")
}

// genCopyRuns: a run is three words, source, destination and groups of 8 floats.
func genCopyRuns(a *asm) {
	a.text("copyRuns", "dst", "dstStride", "src", "offs", "rows", "runs", "n")
	a.label("runsRow")
	a.op("MOVD.P", "8(R3)", "R7")
	a.op("ADD", "R7<<2", "R2", "R7")
	a.op("MOVD", "R5", "R8")
	a.op("MOVD", "R6", "R9")
	a.label("runsRun")
	a.op("MOVD", "(R8)", "R10")
	a.op("ADD", "R10<<2", "R7", "R10")
	a.op("MOVD", "8(R8)", "R11")
	a.op("ADD", "R11<<2", "R0", "R11")
	a.op("MOVD", "16(R8)", "R12")
	a.label("runsGroup")
	a.ldrPost(0, 10)
	a.ldrPost(1, 10)
	a.strPost(0, 11)
	a.strPost(1, 11)
	a.op("SUBS", "$1", "R12")
	a.op("BNE", "runsGroup")
	a.op("ADD", "$24", "R8")
	a.op("SUBS", "$1", "R9")
	a.op("BNE", "runsRun")
	a.op("ADD", "R1", "R0")
	a.op("SUBS", "$1", "R4")
	a.op("BNE", "runsRow")
	a.op("RET")
}

// genGemv: accumulators 24 … 31, sixteen x in 20 … 23; rows are transposed four by
// four, and sixteen columns of a row, one cache line, are used up before the next.
func genGemv(a *asm) {
	a.text("gemv32", "y", "w", "stride", "x", "blocks")
	for g := range 8 {
		a.ldrQ(24+g, 0, 16*g)
	}
	a.label("gemvLoop")
	for q := range 4 {
		a.ldrPost(20+q, 3)
	}
	a.op("MOVD", "R1", "R5")
	for g := range 8 {
		for i := 1; i < 4; i++ {
			a.op("ADD", "R2", r(4+i), r(5+i))
		}
		for q := range 4 {
			v := q % 2 * 8
			for i := range 4 {
				a.ldrQ(v+i, 5+i, 16*q)
			}
			a.transpose4(v, v+4)
			for k := range 4 {
				a.fmlaLane(24+g, v+k, element{20 + q, k})
			}
		}
		a.op("ADD", "R2", "R8", "R5")
	}
	a.op("ADD", "$64", "R1")
	a.op("SUBS", "$1", "R4")
	a.op("BNE", "gemvLoop")
	a.nanTo(0, 5)
	for g := range 8 {
		a.canon(24+g, 0, 1)
		a.strQ(24+g, 0, 16*g)
	}
	a.op("RET")
}

// genConvRow: 32 elements at a time, then 8; the last eight may overlap those before
// and are then computed twice, with the same result.
func genConvRow(a *asm) {
	a.text("convRow", "dst", "src", "offs", "w", "k", "n")
	a.nanTo(20, 6)
	block := func(name string, regs int) {
		for i := range regs {
			a.zero(i)
		}
		a.op("MOVD", "R2", "R6")
		a.op("MOVD", "R3", "R7")
		a.op("MOVD", "R4", "R8")
		a.label(name)
		a.op("MOVD.P", "8(R6)", "R9")
		a.op("ADD", "R9<<2", "R1", "R9")
		a.ldrS(21, 7, 0)
		a.op("ADD", "$4", "R7")
		for i := range regs {
			a.ldrQ(8+i, 9, 16*i)
		}
		for i := range regs {
			a.fmlaLane(i, 8+i, element{21, 0})
		}
		a.op("SUBS", "$1", "R8")
		a.op("BNE", name)
		for i := range regs {
			a.canon(i, 20, 22)
			a.strPost(i, 0)
		}
		a.op("ADD", literal(16*regs), "R1")
		a.op("SUB", literal(4*regs), "R5")
	}
	a.label("convRow32")
	a.op("CMP", "$32", "R5")
	a.op("BLT", "convRow8")
	block("convRow32K", 8)
	a.op("B", "convRow32")
	a.label("convRow8")
	a.op("CBZ", "R5", "convRowDone")
	a.op("CMP", "$8", "R5")
	a.op("BGE", "convRowLast")
	a.op("SUB", "$8", "R5") // back by 8 − n elements
	a.op("ADD", "R5<<2", "R0")
	a.op("ADD", "R5<<2", "R1")
	a.op("MOVD", "$8", "R5")
	a.label("convRowLast")
	block("convRow8K", 2)
	a.op("B", "convRow8")
	a.label("convRowDone")
	a.op("RET")
}
