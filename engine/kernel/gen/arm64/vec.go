package main

import (
	"fmt"
	"math"
)

// vec emits elementwise routines. Values live in registers 0 … 20; an operand may be
// a konst, which is loaded from the pool at x15 into a temporary.
type vec struct {
	*asm
	pool []konst
	next int // of the temporaries
}

// konst is the bit pattern of a constant operand.
type konst uint32

func kf(f float32) konst { return konst(math.Float32bits(f)) }

const (
	signBit konst = 1 << 31
	absMask konst = 1<<31 - 1
	nanBits konst = 0x7fc00000
)

// Registers with a use of their own.
const (
	maskReg  = 24
	chainReg = 25 // the other register of a Horner chain
	firstTmp = 26 // temporaries for constants, used in turn
)

// in gives the register of an operand, loading a constant.
func (e *vec) in(x any) int {
	switch x := x.(type) {
	case int:
		return x
	case konst:
		t := firstTmp + e.next
		e.next = (e.next + 1) % (32 - firstTmp)
		e.set(t, x)
		return t
	}
	panic(fmt.Sprintf("operand %T", x))
}

// set loads a constant.
func (e *vec) set(dst int, k konst) {
	at := len(e.pool)
	for i, p := range e.pool {
		if p == k {
			at = i
		}
	}
	if at == len(e.pool) {
		e.pool = append(e.pool, k)
	}
	e.ldrQ(dst, 15, 16*at)
}

func (e *vec) add(d, a int, b any)       { e.fadd(d, a, e.in(b)) }
func (e *vec) sub(d int, a, b any)       { x := e.in(a); e.fsub(d, x, e.in(b)) }
func (e *vec) mul(d, a int, b any)       { e.fmul(d, a, e.in(b)) }
func (e *vec) andK(d, a int, b any)      { e.and(d, a, e.in(b)) }
func (e *vec) fmaInto(d, a int, b any)   { e.fmla(d, a, e.in(b)) }
func (e *vec) isubK(d, a int, k konst)   { e.isub(d, a, e.in(k)) }
func (e *vec) clamp(x int, lo, hi konst) { e.fmin(x, x, e.in(hi)); e.fmax(x, x, e.in(lo)) }

// horner sets p = p·x + c by one fma.
func (e *vec) horner(p, x int, c any) {
	switch c := c.(type) {
	case int:
		e.mov(chainReg, c)
	case konst:
		e.set(chainReg, c)
	}
	e.fmla(chainReg, p, x)
	e.mov(p, chainReg)
}

// poly sets p to the Horner chain of coefs in x, each step one fma.
func (e *vec) poly(p, x int, coefs ...float32) {
	cur, other := p, chainReg
	if len(coefs)%2 == 0 { // an odd number of steps: end in p
		cur, other = other, cur
	}
	e.set(cur, kf(coefs[0]))
	for _, c := range coefs[1:] {
		e.set(other, kf(c))
		e.fmla(other, cur, x)
		cur, other = other, cur
	}
}

// Comparison predicates.
const (
	cmpEQ = iota
	cmpLT
	cmpLE
	cmpGT
)

// choose sets dst = yes where a pred b, leaving it elsewhere.
func (e *vec) choose(dst, a, pred int, b, yes any) {
	y := e.in(b)
	switch pred {
	case cmpEQ:
		e.fcmeq(maskReg, a, y)
	case cmpLT:
		e.fcmgt(maskReg, y, a)
	case cmpLE:
		e.fcmge(maskReg, y, a)
	case cmpGT:
		e.fcmgt(maskReg, a, y)
	}
	e.bit(dst, e.in(yes), maskReg)
}

// number replaces NaN lanes of x by the canonical NaN.
func (e *vec) number(x int) { e.canon(x, e.in(nanBits), maskReg) }

// copySign sets the sign bits of y to those of x.
func (e *vec) copySign(y, x int) { e.bit(y, x, e.in(signBit)) }

// key turns canonical floats into order keys, and keys back into floats.
func (e *vec) key(x, tmp int) {
	e.sshr(tmp, x, 31)
	e.ushr(tmp, tmp, 1)
	e.eor(x, x, tmp)
}

// genVec emits
//
//	func unaryNEON(op int, dst, a *float32, n int)
//	func binaryNEON(op int, dst, a, b *float32, aStep, bStep, n int)
//	func sum16NEON(acc *[16]float32, x *float32, n int)
//	func sumSq16NEON(acc *[16]float32, x *float32, n int, mean *float32)
//	func maxKey16NEON(acc *[16]int32, x *float32, n int)
//
// n is a positive multiple of 16; aStep and bStep are 1 to advance through the
// operand and 0 to reuse its first 16 elements.
func genVec(e *vec) {
	e.text("unaryNEON", "op", "dst", "a", "n")
	e.op("MOVD", "$vecConst<>(SB)", "R15")
	e.branch("unary", len(unaryOps), func(i int) string { return unaryOps[i].name })
	for _, o := range unaryOps {
		e.label("unary" + o.name)
		e.ldrPost(0, 2)
		o.emit(e)
		e.number(1)
		e.strPost(1, 1)
		e.again("unary"+o.name, "R3", 4)
	}
	e.text("binaryNEON", "op", "dst", "a", "b", "aStep", "bStep", "n")
	e.op("MOVD", "$vecConst<>(SB)", "R15")
	e.op("LSL", "$4", "R4")
	e.op("LSL", "$4", "R5")
	e.branch("binary", len(binaryOps), func(i int) string { return binaryOps[i].name })
	for _, o := range binaryOps {
		e.label("binary" + o.name)
		e.ldrQ(0, 2, 0)
		e.ldrQ(1, 3, 0)
		o.emit(e)
		e.number(1)
		e.strPost(1, 1)
		e.op("ADD", "R4", "R2")
		e.op("ADD", "R5", "R3")
		e.again("binary"+o.name, "R6", 4)
	}
	e.sums()
	e.flushPool()
}

// branch jumps by the number in R0.
func (e *vec) branch(prefix string, n int, name func(i int) string) {
	for i := range n {
		e.op("CMP", literal(i), "R0")
		e.op("BEQ", prefix+name(i))
	}
	e.op("RET")
}

// again loops while the count lasts, and returns.
func (e *vec) again(label, count string, by int) {
	e.op("SUBS", literal(by), count)
	e.op("BGT", label)
	e.op("RET")
}

// sums emits the sixteen-lane reductions over accumulators 0 … 3.
func (e *vec) sums() {
	reduce := func(name string, args []string, setup func(), step func(acc, x int)) {
		e.text(name, args...)
		e.op("MOVD", "$vecConst<>(SB)", "R15")
		setup()
		for i := range 4 {
			e.ldrQ(i, 0, 16*i)
		}
		e.label(name + "Loop")
		for i := range 4 {
			e.ldrPost(4+i, 1)
		}
		for i := range 4 {
			step(i, 4+i)
		}
		e.op("SUBS", "$16", "R2")
		e.op("BGT", name+"Loop")
		for i := range 4 {
			e.strQ(i, 0, 16*i)
		}
		e.op("RET")
	}
	args := []string{"acc", "x", "n"}
	reduce("sum16NEON", args, func() {}, func(acc, x int) { e.fadd(acc, acc, x) })
	reduce("sumSq16NEON", append(args, "mean"), func() {
		e.op("MOVWU", "(R3)", "R4")
		e.dup(8, 4)
	}, func(acc, x int) {
		e.fsub(x, x, 8)
		e.fmul(x, x, x)
		e.fadd(acc, acc, x)
	})
	reduce("maxKey16NEON", args, func() {}, func(acc, x int) {
		e.number(x)
		e.key(x, 8)
		e.smax(acc, acc, x)
	})
}

// flushPool writes the constants, four of each.
func (e *vec) flushPool() {
	e.WriteString("\n")
	for i, k := range e.pool {
		for off := 0; off < 16; off += 4 {
			fmt.Fprintf(e.asm, "DATA vecConst<>+%d(SB)/4, $0x%08x\n", 16*i+off, uint32(k))
		}
	}
	fmt.Fprintf(e.asm, "GLOBL vecConst<>(SB), RODATA|NOPTR, $%d\n", 16*len(e.pool))
}
