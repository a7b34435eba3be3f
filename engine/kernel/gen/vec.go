package main

import (
	"fmt"
	"math"
	"strings"
)

// vec emits elementwise routines for one register width. Values live in registers
// named by number; a constant is a konst and becomes a memory operand (replicated
// for AVX2, embedded broadcast for AVX-512).
type vec struct {
	*asm
	v    isa
	pool []uint32
}

// konst is the bit pattern of a constant operand.
type konst uint32

func kf(f float32) konst { return konst(math.Float32bits(f)) }

const (
	signBit konst = 1 << 31
	absMask konst = 1<<31 - 1
	nanBits konst = 0x7fc00000
)

// width is the size in bytes of one constant in the pool.
func (e *vec) width() int {
	if e.v.wide() {
		return 4
	}
	return 32
}

func (e *vec) mem(k konst) string {
	at := -1
	for i, p := range e.pool {
		if p == uint32(k) {
			at = i
		}
	}
	if at < 0 {
		at = len(e.pool)
		e.pool = append(e.pool, uint32(k))
	}
	return fmt.Sprintf("vecConst<>+%d(SB)", at*e.width())
}

// do emits an operation whose first source may be a register number, a konst or a
// memory operand: dst = op(a, src) in Intel's order.
func (e *vec) do(name string, src any, regs ...int) {
	args := []string{}
	switch s := src.(type) {
	case int:
		args = append(args, e.v.r(s))
	case konst:
		if e.v.wide() {
			name += ".BCST"
		}
		args = append(args, e.mem(s))
	case string:
		args = append(args, s)
	}
	for _, r := range regs {
		args = append(args, e.v.r(r))
	}
	e.op(name, args...)
}

func (e *vec) set(dst int, k konst)   { e.op("VBROADCASTSS", e.mem(k), e.v.r(dst)) }
func (e *vec) move(dst, src int)      { e.op("VMOVAPS", e.v.r(src), e.v.r(dst)) }
func (e *vec) add(dst, a int, b any)  { e.do("VADDPS", b, a, dst) }
func (e *vec) sub(dst, a int, b any)  { e.do("VSUBPS", b, a, dst) }
func (e *vec) mul(dst, a int, b any)  { e.do("VMULPS", b, a, dst) }
func (e *vec) div(dst, a int, b any)  { e.do("VDIVPS", b, a, dst) }
func (e *vec) iadd(dst, a int, b any) { e.do("VPADDD", b, a, dst) }
func (e *vec) isub(dst, a int, b any) { e.do("VPSUBD", b, a, dst) }
func (e *vec) shl(dst, a, n int)      { e.op("VPSLLD", fmt.Sprintf("$%d", n), e.v.r(a), e.v.r(dst)) }

func (e *vec) sar(dst, a, n int) { e.op("VPSRAD", fmt.Sprintf("$%d", n), e.v.r(a), e.v.r(dst)) }

func (e *vec) shr(dst, a, n int)         { e.op("VPSRLD", fmt.Sprintf("$%d", n), e.v.r(a), e.v.r(dst)) }
func (e *vec) and(dst, a int, b any)     { e.do(e.bit("VPAND"), b, a, dst) }
func (e *vec) or(dst, a int, b any)      { e.do(e.bit("VPOR"), b, a, dst) }
func (e *vec) xor(dst, a int, b any)     { e.do(e.bit("VPXOR"), b, a, dst) }
func (e *vec) horner(p, x int, c any)    { e.do("VFMADD213PS", c, x, p) } // p = p·x + c
func (e *vec) fmaInto(acc, x int, c any) { e.do("VFMADD231PS", c, x, acc) }

func (e *vec) bit(name string) string {
	if e.v.wide() {
		return name + "D"
	}
	return name
}

// poly sets p to the Horner chain of coefs in x, each step one fma.
func (e *vec) poly(p, x int, coefs ...float32) {
	e.set(p, kf(coefs[0]))
	for _, c := range coefs[1:] {
		e.horner(p, x, kf(c))
	}
}

// Comparison predicates.
const (
	cmpEQ    = 0
	cmpLT    = 1
	cmpLE    = 2
	cmpUnord = 3
	cmpGT    = 14
)

// choose sets dst = yes where a pred b, leaving it elsewhere; tmp is scratch.
func (e *vec) choose(dst, a, pred int, b, yes any, tmp int) {
	imm := fmt.Sprintf("$%d", pred)
	var src string
	suffix := ""
	switch s := b.(type) {
	case int:
		src = e.v.r(s)
	case konst:
		src = e.mem(s)
		if e.v.wide() {
			suffix = ".BCST"
		}
	}
	if e.v.wide() {
		e.op("VCMPPS"+suffix, imm, src, e.v.r(a), "K1")
		switch y := yes.(type) {
		case int:
			e.op("VMOVAPS", e.v.r(y), "K1", e.v.r(dst))
		case konst:
			e.op("VBROADCASTSS", e.mem(y), "K1", e.v.r(dst))
		}
		return
	}
	e.op("VCMPPS", imm, src, e.v.r(a), e.v.r(tmp))
	switch y := yes.(type) {
	case int:
		e.op("VBLENDVPS", e.v.r(tmp), e.v.r(y), e.v.r(dst), e.v.r(dst))
	case konst:
		e.op("VBLENDVPS", e.v.r(tmp), e.mem(y), e.v.r(dst), e.v.r(dst))
	}
}

// canon replaces NaN lanes of r by the canonical NaN.
func (e *vec) canon(r, tmp int) { e.choose(r, r, cmpUnord, r, nanBits, tmp) }

// copySign sets the sign bits of y to those of x; tmp is scratch.
func (e *vec) copySign(y, x, tmp int) {
	e.and(y, y, absMask)
	e.and(tmp, x, signBit)
	e.or(y, y, tmp)
}

// key turns canonical floats into order keys, and keys back into floats.
func (e *vec) key(x, tmp int) {
	e.sar(tmp, x, 31)
	e.shr(tmp, tmp, 1)
	e.xor(x, x, tmp)
}

// flushPool writes the constants used.
func (e *vec) flushPool() {
	w := e.width()
	var b strings.Builder
	for i, k := range e.pool {
		for off := 0; off < w; off += 4 {
			fmt.Fprintf(&b, "DATA vecConst<>+%d(SB)/4, $0x%08x\n", i*w+off, k)
		}
	}
	fmt.Fprintf(e.asm, "\n%sGLOBL vecConst<>(SB), RODATA|NOPTR, $%d\n", b.String(), len(e.pool)*w)
}
