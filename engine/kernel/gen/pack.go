package main

import "fmt"

// genTranspose emits
//
//	func transpose8(dst *float32, dstStride int, src *[8]*float32, blocks int)
//
// which writes dst[k][r] = src[r][k] for 8 rows r and 8·blocks columns k, in
// ascending k, eight floats at a time; dstStride is in bytes.
func genTranspose(a *asm) {
	rows := []string{"R8", "R9", "R10", "R11", "R12", "R13", "AX", "BX"}
	a.text("transpose8", 4)
	a.op("MOVQ", "dst+0(FP)", "DI")
	a.op("MOVQ", "dstStride+8(FP)", "DX")
	a.op("MOVQ", "src+16(FP)", "SI")
	a.op("MOVQ", "blocks+24(FP)", "CX")
	for i, r := range rows {
		a.op("MOVQ", fmt.Sprintf("%d(SI)", i*8), r)
	}
	a.op("XORQ", "SI", "SI")
	a.op("TESTQ", "CX", "CX")
	a.op("JZ", "transposeDone")
	a.label("transposeLoop")
	// Rows i and i+4 meet in one register for each half of the columns.
	for i := range 4 {
		for half := range 2 {
			x, y := fmt.Sprintf("X%d", i+4*half), fmt.Sprintf("Y%d", i+4*half)
			a.op("VMOVUPS", fmt.Sprintf("%d(%s)(SI*1)", 16*half, rows[i]), x)
			a.op("VINSERTF128", "$1", fmt.Sprintf("%d(%s)(SI*1)", 16*half, rows[i+4]), y, y)
		}
	}
	for half := range 2 {
		y := func(i int) string { return fmt.Sprintf("Y%d", i+4*half) }
		t := func(i int) string { return fmt.Sprintf("Y%d", i+8) }
		a.op("VUNPCKLPS", y(1), y(0), t(0))
		a.op("VUNPCKHPS", y(1), y(0), t(1))
		a.op("VUNPCKLPS", y(3), y(2), t(2))
		a.op("VUNPCKHPS", y(3), y(2), t(3))
		for k, imm := range []string{"$0x44", "$0xee", "$0x44", "$0xee"} {
			lo, hi := t(k/2), t(2+k/2)
			a.op("VSHUFPS", imm, hi, lo, "Y12")
			a.op("VMOVUPS", "Y12", "(DI)")
			a.op("ADDQ", "DX", "DI")
		}
	}
	a.op("ADDQ", "$32", "SI")
	a.op("DECQ", "CX")
	a.op("JNZ", "transposeLoop")
	a.label("transposeDone")
	a.ret()
}

// genCopyPanel emits
//
//	func copyPanel(dst *float32, dstStride int, src *float32, srcStride int, groups, rows int)
//
// which copies rows of 16·groups floats; strides are in bytes.
func genCopyPanel(a *asm) {
	a.text("copyPanel", 6)
	a.op("MOVQ", "dst+0(FP)", "DI")
	a.op("MOVQ", "dstStride+8(FP)", "R8")
	a.op("MOVQ", "src+16(FP)", "SI")
	a.op("MOVQ", "srcStride+24(FP)", "R9")
	a.op("MOVQ", "groups+32(FP)", "R10")
	a.op("MOVQ", "rows+40(FP)", "CX")
	a.op("TESTQ", "CX", "CX")
	a.op("JZ", "copyDone")
	a.label("copyRow")
	a.op("MOVQ", "SI", "AX")
	a.op("MOVQ", "DI", "BX")
	a.op("MOVQ", "R10", "DX")
	a.label("copyGroup")
	a.op("VMOVUPS", "(AX)", "Y0")
	a.op("VMOVUPS", "32(AX)", "Y1")
	a.op("VMOVUPS", "Y0", "(BX)")
	a.op("VMOVUPS", "Y1", "32(BX)")
	a.op("ADDQ", "$64", "AX")
	a.op("ADDQ", "$64", "BX")
	a.op("DECQ", "DX")
	a.op("JNZ", "copyGroup")
	a.op("ADDQ", "R9", "SI")
	a.op("ADDQ", "R8", "DI")
	a.op("DECQ", "CX")
	a.op("JNZ", "copyRow")
	a.label("copyDone")
	a.ret()
}

// genCopyRuns emits
//
//	func copyRuns(dst *float32, dstStride int, src *float32, offs *int, rows int, runs *run, n int)
//
// which, for each of rows offsets, copies n runs of 8·groups floats from
// src + offs[row] + run.src to dst + run.dst, and advances dst by dstStride bytes;
// offs, run.src and run.dst count floats.
func genCopyRuns(a *asm) {
	a.text("copyRuns", 7)
	a.op("MOVQ", "dst+0(FP)", "DI")
	a.op("MOVQ", "dstStride+8(FP)", "R8")
	a.op("MOVQ", "src+16(FP)", "SI")
	a.op("MOVQ", "offs+24(FP)", "R9")
	a.op("MOVQ", "rows+32(FP)", "CX")
	a.op("MOVQ", "runs+40(FP)", "R10")
	a.op("MOVQ", "n+48(FP)", "R11")
	a.op("IMULQ", "$24", "R11")
	a.op("ADDQ", "R10", "R11")
	a.label("runsRow")
	a.op("MOVQ", "(R9)", "AX")
	a.op("LEAQ", "(SI)(AX*4)", "AX")
	a.op("MOVQ", "R10", "DX")
	a.label("runsRun")
	a.op("MOVQ", "(DX)", "R12")
	a.op("LEAQ", "(AX)(R12*4)", "R12")
	a.op("MOVQ", "8(DX)", "R13")
	a.op("LEAQ", "(DI)(R13*4)", "R13")
	a.op("MOVQ", "16(DX)", "BX")
	a.label("runsGroup")
	a.op("VMOVUPS", "(R12)", "Y0")
	a.op("VMOVUPS", "Y0", "(R13)")
	a.op("ADDQ", "$32", "R12")
	a.op("ADDQ", "$32", "R13")
	a.op("DECQ", "BX")
	a.op("JNZ", "runsGroup")
	a.op("ADDQ", "$24", "DX")
	a.op("CMPQ", "DX", "R11")
	a.op("JLT", "runsRun")
	a.op("ADDQ", "$8", "R9")
	a.op("ADDQ", "R8", "DI")
	a.op("DECQ", "CX")
	a.op("JNZ", "runsRow")
	a.ret()
}
