package main

// The programs of engine/num, operation by operation: x in register 0 (kept), the
// result in register 1, NaN not yet canonical. Registers 2 … 12 are scratch.

// exp sets y = Exp(x); x is destroyed. It uses registers 2 … 6.
func (e *vec) exp(y, x int) {
	t, n, p, s, q := 2, 3, 4, 5, 6
	e.clamp(x, kf(-104), kf(89)) // a NaN stays one
	e.set(t, kf(12582912))
	e.fmaInto(t, x, kf(1.44269504088896341))
	e.sub(n, t, kf(12582912))
	e.fmaInto(x, n, kf(-0.693145751953125))
	e.fmaInto(x, n, kf(-1.428606765330187e-6))
	e.poly(p, x, 1.989103039e-04, 1.393368584e-03, 8.333310485e-03, 4.166646302e-02, 1.666666716e-01, 0.5)
	e.add(s, x, kf(1))
	e.sub(q, s, kf(1))
	e.fsub(q, x, q)
	e.fmul(x, x, x)
	e.fmla(q, p, x)
	e.fadd(p, s, q)
	e.isubK(t, t, 0x4b400000)
	e.sshr(n, t, 1)
	e.isub(t, t, n)
	one := e.in(konst(127))
	for _, r := range []int{n, t} {
		e.iadd(r, r, one)
		e.shl(r, r, 23)
	}
	e.fmul(p, p, n)
	e.fmul(y, p, t)
}

// log sets r1 = Log(r0).
func (e *vec) log() {
	s, k, f, z, p, adj := 2, 3, 4, 5, 6, 7
	e.mov(s, 0)
	e.zero(adj)
	e.mul(p, 0, kf(0x1p23))
	e.choose(s, 0, cmpLT, kf(0x1p-126), p)
	e.choose(adj, 0, cmpLT, kf(0x1p-126), kf(-23))
	e.isubK(k, s, 0x3f3504f3)
	e.sshr(k, k, 23)
	e.shl(f, k, 23)
	e.isub(f, s, f)
	e.sub(f, f, kf(1))
	e.scvtf(k, k)
	e.fadd(k, k, adj)
	e.fmul(z, f, f)
	e.poly(p, f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
		1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	e.fmul(p, p, f)
	e.fmul(p, p, z)
	e.fmaInto(p, k, kf(-2.12194440e-4))
	e.fmaInto(p, z, kf(-0.5))
	e.fadd(1, f, p)
	e.fmaInto(1, k, kf(0.693359375))
	e.choose(1, 0, cmpEQ, kf(0), konst(0xff800000))
	e.choose(1, 0, cmpGT, konst(0x7f7fffff), 0)
	e.choose(1, 0, cmpLT, kf(0), nanBits)
	e.fcmeq(maskReg, 0, 0)
	e.bif(1, 0, maskReg) // NaN where x is one
}

// tanh sets r1 = Tanh(x); registers 1 … 9 are scratch.
func (e *vec) tanh(x int) {
	a, small, z := 7, 8, 9
	e.andK(a, x, absMask)
	e.fmul(z, x, x)
	e.poly(small, z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	e.fmul(small, small, z)
	e.horner(small, x, x)
	e.fadd(1, a, a)
	e.exp(1, 1)
	e.add(1, 1, kf(1))
	e.fdiv(1, e.in(kf(2)), 1)
	e.sub(1, kf(1), 1)
	e.choose(1, a, cmpLT, kf(0.625), small)
	e.copySign(1, x)
}

// sigmoid sets r1 = Sigmoid(r0).
func (e *vec) sigmoid() {
	d, lo, inv, n, neg := 2, 3, 4, 7, 8
	e.orr(1, 0, e.in(signBit))
	e.exp(1, 1)
	e.sshr(neg, 0, 31) // all ones where the sign is set
	e.set(n, kf(1))
	e.bit(n, 1, neg)
	e.add(d, 1, kf(1))
	e.sub(lo, d, kf(1))
	e.fsub(lo, 1, lo)
	e.fdiv(1, n, d)
	e.fmul(lo, 1, lo)
	e.sub(n, kf(1), 1)
	e.mov(inv, 1)
	e.bit(inv, n, neg)
	e.fmls(1, lo, inv)
}

// erf sets r1 = Erf(x); registers 1 … 9 are scratch.
func (e *vec) erf(x int) {
	t, small, s, c := 7, 8, 9, 4
	e.andK(t, x, absMask)
	e.fmul(s, x, x)
	e.poly(small, s, -6.203246885e-04, 5.032179877e-03, -2.679146267e-02, 1.128245518e-01, -3.761255145e-01, 1.283791512e-01)
	e.horner(small, x, x)
	e.fmin(c, t, e.in(kf(4)))
	e.poly(1, c, -9.762671652e-06, 3.081414034e-04, -3.583023092e-03, 2.363681234e-02, -1.060920954e-01, -6.352384090e-01, -1.286271662e-01)
	e.eor(11, c, e.in(signBit))
	e.fmla(11, 1, c)
	e.exp(1, 11)
	e.sub(1, kf(1), 1)
	e.choose(1, t, cmpLE, kf(0.875), small)
	e.copySign(1, x)
}

// gelu sets r1 = (r0·0.5)·(1 + r1).
func (e *vec) gelu() {
	e.add(1, 1, kf(1))
	e.mul(2, 0, kf(0.5))
	e.fmul(1, 2, 1)
}

// unaryOps lists the elementwise functions of one operand in the order of
// ops_gen.go.
var unaryOps = []struct {
	name string
	emit func(e *vec)
}{
	{"Relu", func(e *vec) {
		e.number(0)
		e.zero(2)
		e.smax(1, 0, 2)
	}},
	{"Exp", func(e *vec) { e.mov(1, 0); e.exp(1, 1) }},
	{"Log", (*vec).log},
	{"Tanh", func(e *vec) { e.tanh(0) }},
	{"Sigmoid", (*vec).sigmoid},
	{"Silu", func(e *vec) { e.sigmoid(); e.fmul(1, 0, 1) }},
	{"Erf", func(e *vec) { e.erf(0) }},
	{"GeluTanh", func(e *vec) {
		e.fmul(1, 0, 0)
		e.fmul(1, 1, 0)
		e.mov(10, 0)
		e.fmaInto(10, 1, kf(0.044715))
		e.mul(10, 10, kf(0.79788456080286536))
		e.tanh(10)
		e.gelu()
	}},
	{"GeluErf", func(e *vec) {
		e.mul(10, 0, kf(0.70710678118654752))
		e.erf(10)
		e.gelu()
	}},
	{"Sqrt", func(e *vec) { e.fsqrt(1, 0) }},
	{"RSqrt", func(e *vec) {
		e.fsqrt(1, 0)
		e.fdiv(1, e.in(kf(1)), 1)
	}},
	{"HardSwish", func(e *vec) {
		e.set(1, kf(0.5))
		e.fmaInto(1, 0, kf(1.0/6))
		e.clamp(1, kf(0), kf(1))
		e.fmul(1, 1, 0)
	}},
}

// binaryOps lists the elementwise functions of r0 and r1, result in r1, in the order
// of ops_gen.go.
var binaryOps = []struct {
	name string
	emit func(e *vec)
}{
	{"Add", func(e *vec) { e.fadd(1, 0, 1) }},
	{"Sub", func(e *vec) { e.fsub(1, 0, 1) }},
	{"Mul", func(e *vec) { e.fmul(1, 0, 1) }},
	{"Div", func(e *vec) { e.fdiv(1, 0, 1) }},
	{"Max", func(e *vec) { e.order(e.smax) }},
	{"Min", func(e *vec) { e.order(e.smin) }},
}

// order sets r1 = the larger or smaller of r0 and r1 by key.
func (e *vec) order(pick func(d, n, m int)) {
	e.number(0)
	e.number(1)
	e.key(0, 2)
	e.key(1, 2)
	pick(1, 0, 1)
	e.key(1, 2)
}
