package main

// The programs of engine/num, operation by operation: x in register 0 (kept), the
// result in register 1. Registers 2 … 9 are scratch; exp uses 2 … 6 only, besides
// its argument and result.

// exp sets y = Exp(x); x is destroyed.
func (e *vec) exp(y, x int) {
	t, n, p, s, q := 2, 3, 4, 5, 6
	e.set(t, kf(89))
	e.do("VMINPS", x, t, x) // min(89, x): a NaN in x is returned
	e.set(t, kf(-104))
	e.do("VMAXPS", x, t, x)
	e.set(t, kf(1.44269504088896341))
	e.horner(t, x, kf(12582912))
	e.sub(n, t, kf(12582912))
	e.fmaInto(x, n, kf(-0.693145751953125))
	e.fmaInto(x, n, kf(-1.428606765330187e-6))
	e.poly(p, x, 1.989103039e-04, 1.393368584e-03, 8.333310485e-03, 4.166646302e-02, 1.666666716e-01, 0.5)
	e.add(s, x, kf(1))
	e.sub(q, s, kf(1))
	e.sub(q, x, q)
	e.mul(x, x, x)
	e.horner(p, x, q)
	e.add(p, p, s)
	e.isub(t, t, konst(0x4b400000))
	e.sar(n, t, 1)
	e.isub(t, t, n)
	for _, r := range []int{n, t} {
		e.iadd(r, r, konst(127))
		e.shl(r, r, 23)
	}
	e.mul(p, p, n)
	e.mul(y, p, t)
}

// log sets r1 = Log(r0).
func (e *vec) log() {
	s, k, f, z, p, adj, tmp := 2, 3, 4, 5, 6, 7, 9
	e.move(s, 0)
	e.xor(adj, adj, adj)
	e.mul(p, 0, kf(0x1p23))
	e.choose(s, 0, cmpLT, kf(0x1p-126), p, tmp)
	e.choose(adj, 0, cmpLT, kf(0x1p-126), kf(-23), tmp)
	e.isub(k, s, konst(0x3f3504f3))
	e.sar(k, k, 23)
	e.shl(f, k, 23)
	e.isub(f, s, f)
	e.sub(f, f, kf(1))
	e.do("VCVTDQ2PS", k, k)
	e.add(k, k, adj)
	e.mul(z, f, f)
	e.poly(p, f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
		1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	e.mul(p, p, f)
	e.mul(p, p, z)
	e.fmaInto(p, k, kf(-2.12194440e-4))
	e.fmaInto(p, z, kf(-0.5))
	e.add(1, f, p)
	e.fmaInto(1, k, kf(0.693359375))
	e.choose(1, 0, cmpEQ, kf(0), konst(0xff800000), tmp)
	e.choose(1, 0, cmpGT, konst(0x7f7fffff), 0, tmp)
	e.choose(1, 0, cmpLT, kf(0), nanBits, tmp)
	e.choose(1, 0, cmpUnord, 0, nanBits, tmp)
}

// tanh sets r1 = Tanh(x), NaN not yet canonical; registers 1 … 9 are scratch.
func (e *vec) tanh(x int) {
	a, small, z, tmp := 7, 8, 9, 2
	e.and(a, x, absMask)
	e.mul(z, x, x)
	e.poly(small, z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	e.mul(small, small, z)
	e.horner(small, x, x)
	e.add(1, a, a)
	e.exp(1, 1)
	e.add(1, 1, kf(1))
	e.set(tmp, kf(2))
	e.div(1, tmp, 1)
	e.set(tmp, kf(1))
	e.sub(1, tmp, 1)
	e.choose(1, a, cmpLT, kf(0.625), small, tmp)
	e.copySign(1, x, tmp)
}

// sigmoid sets r1 = Sigmoid(r0), NaN not yet canonical.
func (e *vec) sigmoid() {
	d, lo, inv, n, neg, tmp := 2, 3, 4, 7, 8, 9
	e.or(1, 0, signBit)
	e.exp(1, 1)
	e.sar(neg, 0, 31) // all ones where the sign is set
	e.set(n, kf(1))
	e.blend(n, neg, 1, tmp)
	e.add(d, 1, kf(1))
	e.sub(lo, d, kf(1))
	e.sub(lo, 1, lo)
	e.div(1, n, d)
	e.mul(lo, 1, lo)
	e.set(tmp, kf(1))
	e.sub(n, tmp, 1)
	e.move(inv, 1)
	e.blend(inv, neg, n, tmp)
	e.do("VFNMADD231PS", inv, lo, 1)
}

// blend sets dst = yes where mask is all ones; tmp is scratch.
func (e *vec) blend(dst, mask, yes, tmp int) {
	e.and(tmp, mask, yes)
	e.do(e.bit("VPANDN"), dst, mask, dst)
	e.or(dst, dst, tmp)
}

// erf sets r1 = Erf(x), NaN not yet canonical; registers 1 … 9 are scratch.
func (e *vec) erf(x int) {
	t, small, s, neg, tmp := 7, 8, 9, 2, 3
	e.and(t, x, absMask)
	e.mul(s, x, x)
	e.poly(small, s, -6.203246885e-04, 5.032179877e-03, -2.679146267e-02, 1.128245518e-01, -3.761255145e-01, 1.283791512e-01)
	e.horner(small, x, x)
	e.set(tmp, kf(4))
	e.do("VMINPS", t, tmp, 4)
	e.poly(1, 4, -9.762671652e-06, 3.081414034e-04, -3.583023092e-03, 2.363681234e-02, -1.060920954e-01, -6.352384090e-01, -1.286271662e-01)
	e.xor(neg, 4, signBit)
	e.horner(1, 4, neg)
	e.exp(1, 1)
	e.set(tmp, kf(1))
	e.sub(1, tmp, 1)
	e.choose(1, t, cmpLE, kf(0.875), small, tmp)
	e.copySign(1, x, tmp)
}

// gelu sets r1 = (r0·0.5)·(1 + r1).
func (e *vec) gelu() {
	e.add(1, 1, kf(1))
	e.mul(2, 0, kf(0.5))
	e.mul(1, 2, 1)
}

// unaryOps lists the elementwise functions of one operand. Each leaves its result
// in register 1; a NaN there is made canonical afterwards.
var unaryOps = []struct {
	name string
	emit func(e *vec)
}{
	{"Relu", func(e *vec) {
		e.canon(0, 2)
		e.xor(2, 2, 2)
		e.do("VPMAXSD", 2, 0, 1)
	}},
	{"Exp", func(e *vec) { e.move(1, 0); e.exp(1, 1) }},
	{"Log", (*vec).log},
	{"Tanh", func(e *vec) { e.tanh(0) }},
	{"Sigmoid", (*vec).sigmoid},
	{"Silu", func(e *vec) { e.sigmoid(); e.mul(1, 0, 1) }},
	{"Erf", func(e *vec) { e.erf(0) }},
	{"GeluTanh", func(e *vec) {
		e.mul(1, 0, 0)
		e.mul(1, 1, 0)
		e.set(10, kf(0.044715))
		e.horner(10, 1, 0)
		e.mul(10, 10, kf(0.79788456080286536))
		e.tanh(10)
		e.gelu()
	}},
	{"GeluErf", func(e *vec) {
		e.mul(10, 0, kf(0.70710678118654752))
		e.erf(10)
		e.gelu()
	}},
	{"Sqrt", func(e *vec) { e.op("VSQRTPS", e.v.r(0), e.v.r(1)) }},
	{"RSqrt", func(e *vec) {
		e.op("VSQRTPS", e.v.r(0), e.v.r(1))
		e.set(2, kf(1))
		e.div(1, 2, 1)
	}},
	{"HardSwish", func(e *vec) {
		e.set(1, kf(1.0/6))
		e.set(2, kf(0.5))
		e.horner(1, 0, 2)
		e.set(2, kf(1))
		e.do("VMINPS", 2, 1, 1)
		e.xor(2, 2, 2)
		e.do("VMAXPS", 2, 1, 1) // a NaN is 0 here; the product has it from x
		e.mul(1, 1, 0)
	}},
}

// binaryOps lists the elementwise functions of r0 and r1, result in r1.
var binaryOps = []struct {
	name string
	emit func(e *vec)
}{
	{"Add", func(e *vec) { e.add(1, 0, 1) }},
	{"Sub", func(e *vec) { e.sub(1, 0, 1) }},
	{"Mul", func(e *vec) { e.mul(1, 0, 1) }},
	{"Div", func(e *vec) { e.div(1, 0, 1) }},
	{"Max", func(e *vec) { e.order("VPMAXSD") }},
	{"Min", func(e *vec) { e.order("VPMINSD") }},
}

// order sets r1 = the larger or smaller of r0 and r1 by key.
func (e *vec) order(pick string) {
	e.canon(0, 2)
	e.canon(1, 2)
	e.key(0, 2)
	e.key(1, 2)
	e.do(pick, 1, 0, 1)
	e.key(1, 2)
}
