package main

import "fmt"

// genChoice emits, for one register width,
//
//	func compare<ISA>(pred int, dst *uint8, a, b *float32, aStep, bStep, n int)
//	func choose<ISA>(dst *float32, cond *uint8, a, b *float32, aStep, bStep, n int)
//
// compare writes 1 where key(a) pred key(b), else 0: pred is 0 for =, 1 for <, 2 for ≤. choose copies the bits of a where cond is not 0,
// else those of b. n is a positive multiple of 16; the steps are those of binary<ISA>.
func (e *vec) genChoice() {
	name := "compare" + e.v.name
	e.text(name, 7)
	e.op("MOVQ", "pred+0(FP)", "AX")
	e.op("MOVQ", "dst+8(FP)", "DI")
	e.steps(16)
	e.set(4, 0x01010101)
	for pred := range 3 {
		e.op("CMPQ", "AX", fmt.Sprintf("$%d", pred))
		e.op("JEQ", fmt.Sprintf("%s%d", name, pred))
	}
	e.op("RET")
	for pred := range 3 {
		label := fmt.Sprintf("%s%d", name, pred)
		e.label(label)
		e.op("VMOVUPS", "(SI)", e.v.r(0))
		e.op("VMOVUPS", "(BX)", e.v.r(1))
		for r := range 2 {
			e.canon(r, 2)
			e.key(r, 2)
		}
		e.compareKeys(pred)
		e.op("ADDQ", "R8", "SI")
		e.op("ADDQ", "R9", "BX")
		e.op("ADDQ", fmt.Sprintf("$%d", e.v.bytes/4), "DI")
		e.next(label)
	}
	name = "choose" + e.v.name
	e.text(name, 7)
	e.op("MOVQ", "dst+0(FP)", "DI")
	e.op("MOVQ", "cond+8(FP)", "DX")
	e.steps(16)
	e.op("VPXOR", "Y3", "Y3", "Y3")
	e.label(name + "Loop")
	if e.v.wide() {
		e.op("VMOVDQU", "(DX)", "X2")
		e.op("VPTESTMB", "X2", "X2", "K1")
		e.op("VMOVUPS", "(BX)", "Z0")
		e.op("VMOVUPS", "(SI)", "K1", "Z0")
	} else {
		e.op("VPMOVZXBD", "(DX)", "Y2")
		e.op("VPCMPEQD", "Y3", "Y2", "Y2")
		e.op("VMOVUPS", "(SI)", "Y0")
		e.op("VMOVUPS", "(BX)", "Y1")
		e.op("VBLENDVPS", "Y2", "Y1", "Y0", "Y0")
	}
	e.op("VMOVUPS", e.v.r(0), "(DI)")
	e.op("ADDQ", "R8", "SI")
	e.op("ADDQ", "R9", "BX")
	e.op("ADDQ", fmt.Sprintf("$%d", e.v.bytes/4), "DX")
	e.next(name+"Loop", "DI")
}

// steps loads the operands a, b, their steps in bytes and n, which begin at an offset of the arguments.
func (e *vec) steps(at int) {
	for i, arg := range []struct{ name, reg string }{{"a", "SI"}, {"b", "BX"}, {"aStep", "R8"}, {"bStep", "R9"}, {"n", "CX"}} {
		e.op("MOVQ", fmt.Sprintf("%s+%d(FP)", arg.name, at+8*i), arg.reg)
	}
	e.op("IMULQ", fmt.Sprintf("$%d", e.v.bytes), "R8")
	e.op("IMULQ", fmt.Sprintf("$%d", e.v.bytes), "R9")
}

// compareKeys writes the bytes for keys r0 and r1; r4 holds ones.
func (e *vec) compareKeys(pred int) {
	if e.v.wide() {
		e.op("VPCMPD", fmt.Sprintf("$%d", pred), "Z1", "Z0", "K1")
		e.op("VPMOVM2B", "K1", "X2")
		e.op("VPAND", "X4", "X2", "X2")
		e.op("VMOVDQU", "X2", "(DI)")
		return
	}
	switch pred {
	case 0:
		e.op("VPCMPEQD", "Y1", "Y0", "Y0")
	case 1:
		e.op("VPCMPGTD", "Y0", "Y1", "Y0")
	default:
		e.op("VPCMPGTD", "Y1", "Y0", "Y0")
	}
	e.op("VEXTRACTI128", "$1", "Y0", "X1")
	e.op("VPACKSSDW", "X1", "X0", "X0")
	e.op("VPACKSSWB", "X0", "X0", "X0")
	if pred == 2 {
		e.op("VPANDN", "X4", "X0", "X0")
	} else {
		e.op("VPAND", "X4", "X0", "X0")
	}
	e.op("VMOVQ", "X0", "(DI)")
}

// genPool emits
//
//	func maxPool2(dst, top, bottom *float32, n int)
//	func maxPool2Grad(dTop, dBottom, top, bottom, dy *float32, n int)
//
// for windows of 2×2 side by side, n ≥ 4 of them in a pair of rows. maxPool2 writes the largest element of each by order key, canonical;
// maxPool2Grad writes 0 + dy to the first largest, in the order top left, top right, bottom left, bottom right, and +0 elsewhere. The
// last four windows may overlap those before: they are computed twice, with the same result.
func genPool(a *asm) {
	e := &vec{asm: a, v: isas[0]}
	// Y8 canonical NaN; Y0, Y1 become the keys of two rows, Y2 the largest of each window, in both its columns.
	block := func() {
		for r, row := range []string{"SI", "BX"} {
			e.op("VMOVUPS", "("+row+")", e.v.r(r))
			a.canonNaN(e.v, 8, 4, r)
			e.key(r, 4)
		}
		e.op("VPMAXSD", "Y1", "Y0", "Y2")
		e.op("VPSHUFD", "$0xb1", "Y2", "Y4")
		e.op("VPMAXSD", "Y4", "Y2", "Y2")
	}
	// loop does blocks of four windows; wide registers move by 32 bytes a block, narrow ones by 16.
	loop := func(name string, wide, narrow []string, body func()) {
		e.label(name)
		e.op("CMPQ", "CX", "$4")
		e.op("JGE", name+"Whole")
		for _, r := range wide {
			e.op("LEAQ", fmt.Sprintf("-32(%s)(CX*8)", r), r)
		}
		for _, r := range narrow {
			e.op("LEAQ", fmt.Sprintf("-16(%s)(CX*4)", r), r)
		}
		e.op("MOVQ", "$4", "CX")
		e.label(name + "Whole")
		body()
		for _, r := range wide {
			e.op("ADDQ", "$32", r)
		}
		for _, r := range narrow {
			e.op("ADDQ", "$16", r)
		}
		e.op("SUBQ", "$4", "CX")
		e.op("JNZ", name)
		e.ret()
	}
	nan := func() {
		e.op("MOVL", "$0x7fc00000", "AX")
		e.op("VMOVD", "AX", "X8")
		e.op("VBROADCASTSS", "X8", "Y8")
	}
	a.text("maxPool2", 4)
	for i, r := range []string{"DI", "SI", "BX", "CX"} {
		e.op("MOVQ", fmt.Sprintf("%s+%d(FP)", []string{"dst", "top", "bottom", "n"}[i], 8*i), r)
	}
	nan()
	loop("maxPool2Block", []string{"SI", "BX"}, []string{"DI"}, func() {
		block()
		e.key(2, 4)
		e.op("VSHUFPS", "$0x88", "Y2", "Y2", "Y2")
		e.op("VEXTRACTF128", "$1", "Y2", "X4")
		e.op("VUNPCKLPD", "X4", "X2", "X2")
		e.op("VMOVUPS", "X2", "(DI)")
	})
	a.text("maxPool2Grad", 6)
	for i, r := range []string{"DI", "R8", "SI", "BX", "DX", "CX"} {
		e.op("MOVQ", fmt.Sprintf("%s+%d(FP)", []string{"dTop", "dBottom", "top", "bottom", "dy", "n"}[i], 8*i), r)
	}
	nan()
	e.op("VPXOR", "Y9", "Y9", "Y9")
	loop("maxPool2GradBlock", []string{"DI", "R8", "SI", "BX"}, []string{"DX"}, func() {
		block()
		e.op("VPMOVZXDQ", "(DX)", "Y3")
		e.op("VMOVSLDUP", "Y3", "Y3")
		e.op("VADDPS", "Y3", "Y9", "Y3")
		a.canonNaN(e.v, 8, 4, 3)
		e.op("VPCMPEQD", "Y2", "Y0", "Y0") // the largest of the top row
		e.op("VPCMPEQD", "Y2", "Y1", "Y1")
		e.op("VPSHUFD", "$0xb1", "Y0", "Y5")
		e.op("VPOR", "Y5", "Y0", "Y5") // the top row has it
		for _, r := range []string{"Y0", "Y1"} {
			e.op("VPSLLQ", "$32", r, "Y4") // the left one has it
			e.op("VPANDN", r, "Y4", r)
		}
		e.op("VPANDN", "Y1", "Y5", "Y1")
		e.op("VPAND", "Y3", "Y0", "Y0")
		e.op("VPAND", "Y3", "Y1", "Y1")
		e.op("VMOVUPS", "Y0", "(DI)")
		e.op("VMOVUPS", "Y1", "(R8)")
	})
}
