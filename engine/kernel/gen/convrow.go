package main

import "fmt"

// genConvRow emits
//
//	func convRow(dst, src *float32, offs *int, w *float32, k, n int)
//
// which computes dst[j] = Σ_i w[i]·src[offs[i] + j], one fma chain from +0 per
// element, for n ≥ 8 elements. The last eight may overlap those before: they are
// computed twice, with the same result.
func genConvRow(a *asm) {
	v := isas[0]
	a.text("convRow", 6)
	a.op("MOVQ", "dst+0(FP)", "DI")
	a.op("MOVQ", "src+8(FP)", "SI")
	a.op("MOVQ", "offs+16(FP)", "R8")
	a.op("MOVQ", "w+24(FP)", "R9")
	a.op("MOVQ", "k+32(FP)", "R10")
	a.op("MOVQ", "n+40(FP)", "CX")
	a.op("MOVL", "$0x7fc00000", "AX")
	a.op("VMOVD", "AX", "X6")
	a.op("VBROADCASTSS", "X6", "Y6")
	block := func(name string, regs int) {
		for i := range regs {
			a.op("VXORPS", v.r(i), v.r(i), v.r(i))
		}
		a.op("XORQ", "AX", "AX")
		a.label(name)
		a.op("MOVQ", "(R8)(AX*8)", "DX")
		a.op("LEAQ", "(SI)(DX*4)", "DX")
		a.op("VBROADCASTSS", "(R9)(AX*4)", "Y4")
		for i := range regs {
			a.op("VFMADD231PS", fmt.Sprintf("%d(DX)", 32*i), "Y4", v.r(i))
		}
		a.op("INCQ", "AX")
		a.op("CMPQ", "AX", "R10")
		a.op("JLT", name)
		for i := range regs {
			a.canonNaN(v, 6, 7, i)
			a.op("VMOVUPS", v.r(i), fmt.Sprintf("%d(DI)", 32*i))
		}
		a.op("ADDQ", fmt.Sprintf("$%d", 32*regs), "DI")
		a.op("ADDQ", fmt.Sprintf("$%d", 32*regs), "SI")
		a.op("SUBQ", fmt.Sprintf("$%d", 8*regs), "CX")
	}
	a.label("convRow32")
	a.op("CMPQ", "CX", "$32")
	a.op("JLT", "convRow8")
	block("convRow32K", 4)
	a.op("JMP", "convRow32")
	a.label("convRow8")
	a.op("TESTQ", "CX", "CX")
	a.op("JZ", "convRowDone")
	a.op("CMPQ", "CX", "$8")
	a.op("JGE", "convRowLast")
	a.op("LEAQ", "-32(DI)(CX*4)", "DI")
	a.op("LEAQ", "-32(SI)(CX*4)", "SI")
	a.op("MOVQ", "$8", "CX")
	a.label("convRowLast")
	block("convRow8K", 1)
	a.op("JMP", "convRow8")
	a.label("convRowDone")
	a.ret()
}
