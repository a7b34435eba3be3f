package main

import "fmt"

// genGemv emits
//
//	func gemv32(y *float32, w *float32, stride int, x *float32, blocks int)
//
// which continues 32 chains y[r] += Σ_k x[k]·w[r][k], one fma chain per row in
// ascending k, over 16·blocks columns of 32 rows that are stride bytes apart. Rows
// are transposed in registers, eight rows by four columns at a time; sixteen
// columns of a row, one cache line, are used up before the next eight rows. The 32
// rows that follow are brought into the second cache level meanwhile, in the order
// of memory: so many short streams are more than a processor follows by itself.
func genGemv(a *asm) {
	v := isas[0]
	rows := [8]string{"R8", "R9", "R10", "R11", "R12", "R13", "AX", "BX"} // every fourth row
	a.text("gemv32", 5)
	a.op("MOVQ", "y+0(FP)", "DI")
	a.op("MOVQ", "w+8(FP)", "R8")
	a.op("MOVQ", "stride+16(FP)", "DX")
	a.op("MOVQ", "x+24(FP)", "SI")
	a.op("MOVQ", "blocks+32(FP)", "CX")
	for g := range 4 {
		a.op("VMOVUPS", fmt.Sprintf("%d(DI)", g*32), v.r(12+g))
	}
	for i := 1; i < len(rows); i++ {
		a.op("LEAQ", fmt.Sprintf("(%s)(DX*4)", rows[i-1]), rows[i])
	}
	a.op("LEAQ", "(DX)(DX*2)", "DI")
	a.op("MOVQ", "DX", "R14")
	a.op("SHLQ", "$5", "R14")
	a.op("ADDQ", "R8", "R14")
	a.label("gemvLoop")
	for g := range 4 {
		for q := range 4 { // columns 4q … 4q+3
			for line := range 2 {
				a.op("PREFETCHT1", fmt.Sprintf("%d(R14)", (g*8+q*2+line)*64))
			}
			for i, at := range []string{"", "(DX*1)", "(DX*2)", "(DI*1)"} {
				a.op("VMOVUPS", fmt.Sprintf("%d(%s)%s", 16*q, rows[2*g], at), fmt.Sprintf("X%d", i))
				a.op("VINSERTF128", "$1", fmt.Sprintf("%d(%s)%s", 16*q, rows[2*g+1], at), v.r(i), v.r(i))
			}
			a.op("VUNPCKLPS", "Y1", "Y0", "Y4")
			a.op("VUNPCKHPS", "Y1", "Y0", "Y5")
			a.op("VUNPCKLPS", "Y3", "Y2", "Y6")
			a.op("VUNPCKHPS", "Y3", "Y2", "Y7")
			for k, imm := range []string{"$0x44", "$0xee", "$0x44", "$0xee"} {
				a.op("VSHUFPS", imm, v.r(6+k/2), v.r(4+k/2), "Y8")
				a.op("VBROADCASTSS", fmt.Sprintf("%d(SI)", 16*q+4*k), "Y9")
				a.op("VFMADD231PS", "Y8", "Y9", v.r(12+g))
			}
		}
	}
	for _, r := range rows {
		a.op("ADDQ", "$64", r)
	}
	a.op("ADDQ", "$64", "SI")
	a.op("ADDQ", "$2048", "R14")
	a.op("DECQ", "CX")
	a.op("JNZ", "gemvLoop")
	a.op("MOVQ", "y+0(FP)", "DI")
	a.op("MOVL", "$0x7fc00000", "AX")
	a.op("VMOVD", "AX", "X0")
	a.op("VBROADCASTSS", "X0", "Y0")
	for g := range 4 {
		a.canonNaN(v, 0, 1, 12+g)
		a.op("VMOVUPS", v.r(12+g), fmt.Sprintf("%d(DI)", g*32))
	}
	a.ret()
}
