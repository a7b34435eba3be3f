package main

import "fmt"

// genTile emits the register tiles of the float32 product:
//
//	func tile<ISA>(mr, k int, a *float32, aStride int, b *float32, bStride int,
//		c *float32, ldc int, resume int)
//
// computes C[i, j] (+)= Σ_k A[k, i]·B[k, j], one fma chain per element, for mr rows
// and two registers of columns; strides are in bytes; resume ≠ 0 continues the
// chains from C. tileWide<ISA> does the same for 64 columns and few rows.
//
// tileI8<ISA> is the same for int8 operands and int32 results, where one k is a
// 32-bit group: two int16 for AVX2, four bytes (A unsigned, B signed) for VNNI.
func genTile(a *asm, v isa) {
	heights, wide := 6, 1
	if v.wide() {
		heights, wide = 14, 3
	}
	fma := mac{canon: true, emit: func(a *asm, b, bc, acc, _ string) { a.op("VFMADD231PS", b, bc, acc) }}
	genTileFunc(a, v, "tile"+v.name, heights, 2, fma)
	genTileFunc(a, v, "tileWide"+v.name, wide, 256/v.bytes, fma)

	madd := mac{tmps: 1, emit: func(a *asm, b, bc, acc, tmp string) {
		a.op("VPMADDWD", b, bc, tmp)
		a.op("VPADDD", tmp, acc, acc)
	}}
	if v.wide() {
		madd = mac{emit: func(a *asm, b, bc, acc, _ string) { a.op("VPDPBUSD", b, bc, acc) }}
	}
	genTileFunc(a, v, "tileI8"+v.name, heights, 2, madd)
}

// mac is the multiply-accumulate step of a tile: acc += b·bc.
type mac struct {
	emit  func(a *asm, b, bc, acc, tmp string)
	tmps  int  // scratch registers, the highest ones
	canon bool // make NaN canonical at the end
}

// genTileFunc emits one routine that branches on mr to a loop per height.
func genTileFunc(a *asm, v isa, name string, heights, cols int, step mac) {
	a.text(name, 9)
	a.op("MOVQ", "mr+0(FP)", "CX")
	a.op("MOVQ", "k+8(FP)", "AX")
	a.op("MOVQ", "a+16(FP)", "SI")
	a.op("MOVQ", "aStride+24(FP)", "R8")
	a.op("MOVQ", "b+32(FP)", "BX")
	a.op("MOVQ", "bStride+40(FP)", "R9")
	a.op("MOVQ", "c+48(FP)", "DI")
	a.op("MOVQ", "ldc+56(FP)", "R10")
	a.op("MOVQ", "resume+64(FP)", "R11")
	a.op("LEAQ", "(R8)(R8*2)", "R12")
	a.op("LEAQ", "(R9)(R9*2)", "R13")
	for h := heights; h > 1; h-- {
		a.op("CMPQ", "CX", fmt.Sprintf("$%d", h))
		a.op("JEQ", fmt.Sprintf("%sH%d", name, h))
	}
	for h := 1; h <= heights; h++ {
		a.label(fmt.Sprintf("%sH%d", name, h))
		genTileHeight(a, v, fmt.Sprintf("%sH%d", name, h), h, cols, step)
	}
}

// genTileHeight emits the loop for one height. Registers: accumulators 0 … h·cols−1
// row by row, then cols for B, then one broadcast (two alternate when they fit).
func genTileHeight(a *asm, v isa, name string, h, cols int, m mac) {
	acc := func(i, j int) string { return v.r(i*cols + j) }
	bReg := func(j int) string { return v.r(h*cols + j) }
	// When the registers run out (one row of AVX2), B is read from memory instead.
	bRegs := cols
	if (h+1)*cols >= v.regs-m.tmps {
		bRegs = 0
	}
	bc := func(i int) string {
		first := h*cols + bRegs
		return v.r(first + i%min(2, v.regs-m.tmps-first))
	}
	forC := func(emit func(i, j int, mem string)) {
		a.op("MOVQ", "DI", "DX")
		for i := range h {
			for j := range cols {
				emit(i, j, fmt.Sprintf("%d(DX)", j*v.bytes))
			}
			if i+1 < h {
				a.op("ADDQ", "R10", "DX")
			}
		}
	}
	step := func(aMem, bMem string) {
		for j := range bRegs {
			a.op("VMOVUPS", fmt.Sprintf("%d%s", j*v.bytes, bMem), bReg(j))
		}
		for i := range h {
			a.op("VBROADCASTSS", fmt.Sprintf("%d%s", i*4, aMem), bc(i))
			for j := range cols {
				b := bReg(j)
				if bRegs == 0 {
					b = fmt.Sprintf("%d%s", j*v.bytes, bMem)
				}
				m.emit(a, b, bc(i), acc(i, j), v.r(v.regs-1))
			}
		}
	}
	a.op("TESTQ", "R11", "R11")
	a.op("JNZ", name+"Load")
	for i := range h * cols {
		if v.wide() {
			a.op("VPXORD", v.r(i), v.r(i), v.r(i))
		} else {
			a.op("VXORPS", v.r(i), v.r(i), v.r(i))
		}
	}
	a.op("JMP", name+"Start")
	a.label(name + "Load")
	forC(func(i, j int, mem string) { a.op("VMOVUPS", mem, acc(i, j)) })
	a.label(name + "Start")
	a.op("SUBQ", "$4", "AX")
	a.op("JLT", name+"Rest")
	a.label(name + "Loop4")
	step("(SI)", "(BX)")
	step("(SI)(R8*1)", "(BX)(R9*1)")
	step("(SI)(R8*2)", "(BX)(R9*2)")
	step("(SI)(R12*1)", "(BX)(R13*1)")
	a.op("LEAQ", "(SI)(R8*4)", "SI")
	a.op("LEAQ", "(BX)(R9*4)", "BX")
	a.op("SUBQ", "$4", "AX")
	a.op("JGE", name+"Loop4")
	a.label(name + "Rest")
	a.op("ADDQ", "$4", "AX")
	a.op("JZ", name+"Done")
	a.label(name + "Loop1")
	step("(SI)", "(BX)")
	a.op("ADDQ", "R8", "SI")
	a.op("ADDQ", "R9", "BX")
	a.op("DECQ", "AX")
	a.op("JNZ", name+"Loop1")
	a.label(name + "Done")
	// The B and broadcast registers are free now.
	nan, tmp := h*cols, h*cols+1
	if m.canon {
		a.op("MOVL", "$0x7fc00000", "AX")
		a.op("VMOVD", "AX", fmt.Sprintf("X%d", nan))
		a.op("VBROADCASTSS", fmt.Sprintf("X%d", nan), v.r(nan))
	}
	forC(func(i, j int, mem string) {
		if m.canon {
			a.canonNaN(v, nan, tmp, i*cols+j)
		}
		a.op("VMOVUPS", acc(i, j), mem)
	})
	a.ret()
}
