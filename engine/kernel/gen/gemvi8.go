package main

import "fmt"

// genGemvI8 emits
//
//	func gemvI8AVX512(y *int32, w *int8, stride int, x *int8, k, rows, start int)
//	func gemvI8AVX2(y *int32, w *int8, stride int, x *int16, k, rows, start int)
//
// which computes y[r] = start + Σ_k w[r][k]·x[k] for rows that are stride bytes apart, four at a time, sums mod 2^32 in
// any order. With VNNI w is made unsigned by adding 128, so that the caller starts at −128·Σ x; k is any number. The
// other one takes x as int16 and a k that is a multiple of 16.
func genGemvI8(a *asm, v isa) {
	name := "gemvI8" + v.name
	rows := [4]string{"R8", "R9", "R10", "R11"}
	a.text(name, 7)
	a.op("MOVQ", "y+0(FP)", "DI")
	a.op("MOVQ", "w+8(FP)", "R8")
	a.op("MOVQ", "stride+16(FP)", "DX")
	a.op("MOVQ", "x+24(FP)", "SI")
	a.op("MOVQ", "rows+40(FP)", "BX")
	if v.wide() {
		a.op("MOVL", "$0x80808080", "AX")
		a.op("VPBROADCASTD", "AX", "Z31")
		// K1 admits what is left of k in the last 64 bytes.
		a.op("MOVQ", "k+32(FP)", "CX")
		a.op("ANDQ", "$63", "CX")
		a.op("MOVQ", "$1", "AX")
		a.op("SHLQ", "CX", "AX")
		a.op("DECQ", "AX")
		a.op("KMOVQ", "AX", "K1")
	}
	a.label(name + "Four")
	a.op("SUBQ", "$4", "BX")
	a.op("JLT", name+"Rest")
	genGemvI8Rows(a, v, name+"Four", rows[:])
	a.op("LEAQ", "(R8)(DX*4)", "R8")
	a.op("ADDQ", "$16", "DI")
	a.op("JMP", name+"Four")
	a.label(name + "Rest")
	a.op("ADDQ", "$4", "BX")
	a.op("JZ", name+"Done")
	a.label(name + "One")
	genGemvI8Rows(a, v, name+"One", rows[:1])
	a.op("ADDQ", "DX", "R8")
	a.op("ADDQ", "$4", "DI")
	a.op("DECQ", "BX")
	a.op("JNZ", name+"One")
	a.label(name + "Done")
	a.ret()
}

// genGemvI8Rows emits the sums of one or four rows from R8 on.
func genGemvI8Rows(a *asm, v isa, name string, rows []string) {
	step := func(i int) { // one register of w: row i at offset R12, x in register 8
		w := v.r(4 + i)
		if v.wide() {
			a.op("VPXORD", fmt.Sprintf("(%s)(R12*1)", rows[i]), "Z31", w)
			a.op("VPDPBUSD", "Z8", w, v.r(i))
			return
		}
		a.op("VPMOVSXBW", fmt.Sprintf("(%s)(R12*1)", rows[i]), w)
		a.op("VPMADDWD", "Y8", w, w)
		a.op("VPADDD", w, v.r(i), v.r(i))
	}
	for i := 1; i < len(rows); i++ {
		a.op("LEAQ", fmt.Sprintf("(%s)(DX*1)", rows[i-1]), rows[i])
	}
	for i := range rows {
		if v.wide() {
			a.op("VPXORD", v.r(i), v.r(i), v.r(i))
		} else {
			a.op("VPXOR", v.r(i), v.r(i), v.r(i))
		}
	}
	a.op("XORQ", "R12", "R12")
	a.op("MOVQ", "k+32(FP)", "CX")
	if v.wide() {
		a.op("SHRQ", "$6", "CX")
		a.op("JZ", name+"Tail")
		a.label(name + "Loop")
		a.op("VMOVDQU64", "(SI)(R12*1)", "Z8")
		for i := range rows {
			step(i)
		}
		a.op("ADDQ", "$64", "R12")
		a.op("DECQ", "CX")
		a.op("JNZ", name+"Loop")
		a.label(name + "Tail")
		a.op("KTESTQ", "K1", "K1")
		a.op("JZ", name+"Sum")
		a.op("VMOVDQU8.Z", "(SI)(R12*1)", "K1", "Z8") // zeros past the end: what w holds there is not counted
		for i := range rows {
			a.op("VMOVDQU8.Z", fmt.Sprintf("(%s)(R12*1)", rows[i]), "K1", v.r(4+i))
			a.op("VPXORD", v.r(4+i), "Z31", v.r(4+i))
			a.op("VPDPBUSD", "Z8", v.r(4+i), v.r(i))
		}
		a.label(name + "Sum")
		for i := range rows {
			a.op("VEXTRACTI64X4", "$1", v.r(i), fmt.Sprintf("Y%d", 4+i))
			a.op("VPADDD", fmt.Sprintf("Y%d", 4+i), fmt.Sprintf("Y%d", i), fmt.Sprintf("Y%d", i))
		}
	} else {
		a.op("SHRQ", "$4", "CX")
		a.label(name + "Loop")
		a.op("VMOVDQU", "(SI)(R12*2)", "Y8")
		for i := range rows {
			step(i)
		}
		a.op("ADDQ", "$16", "R12")
		a.op("DECQ", "CX")
		a.op("JNZ", name+"Loop")
	}
	for i := range rows {
		a.op("VEXTRACTI128", "$1", fmt.Sprintf("Y%d", i), fmt.Sprintf("X%d", 4+i))
		a.op("VPADDD", fmt.Sprintf("X%d", 4+i), fmt.Sprintf("X%d", i), fmt.Sprintf("X%d", i))
	}
	a.op("MOVQ", "start+48(FP)", "R12")
	a.op("VMOVD", "R12", "X8")
	a.op("VPBROADCASTD", "X8", "X8")
	if len(rows) == 4 {
		a.op("VPHADDD", "X1", "X0", "X0")
		a.op("VPHADDD", "X3", "X2", "X2")
		a.op("VPHADDD", "X2", "X0", "X0")
		a.op("VPADDD", "X8", "X0", "X0")
		a.op("VMOVDQU", "X0", "(DI)")
		return
	}
	a.op("VPHADDD", "X0", "X0", "X0")
	a.op("VPHADDD", "X0", "X0", "X0")
	a.op("VPADDD", "X8", "X0", "X0")
	a.op("VMOVD", "X0", "(DI)")
}
