package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"testing"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

// digest hashes little-endian words.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) u64(v uint64) {
	d.Write(binary.LittleEndian.AppendUint64(nil, v))
}

func (d digest) f32(x ...float32) {
	raw := make([]byte, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	d.Write(raw)
}

func (d digest) sum() []byte { return d.Sum(nil) }

// words is a stream of pseudo-random 64-bit words.
type words uint64

func (w *words) next() uint64 {
	*w = *w*6364136223846793005 + 1442695040888963407
	return uint64(*w) ^ uint64(*w)>>29
}

// floats makes n floats: ordinary magnitudes, one in rare an arbitrary pattern.
func floats(n int, seed words, rare uint64) []float32 {
	x := make([]float32, n)
	for i := range x {
		w := seed.next()
		x[i] = math.Float32frombits(uint32(w)&0x807fffff | uint32(120+w>>40&7)<<23) // #nosec G115 -- the low bits
		if rare != 0 && w>>50%rare == 0 {
			x[i] = math.Float32frombits(uint32(w)) // #nosec G115 -- the low bits
		}
	}
	return x
}

var unaries = []func(float32) float32{
	num.Exp, num.Log, num.Tanh, num.Sigmoid, num.Silu, num.Erf, num.GeluTanh, num.GeluErf, num.Sqrt, num.RSqrt,
	num.Sin, num.Cos, num.Relu, num.HardSigmoid, num.HardSwish, num.Neg, num.Abs,
}

// numUnary covers the scalar functions over a stride of all patterns.
func numUnary() []byte {
	d := newDigest()
	for _, f := range unaries {
		for b := uint64(0); b < 1<<32; b += 320009 {
			d.f32(f(math.Float32frombits(uint32(b))))
		}
	}
	return d.sum()
}

// numFMA covers the arithmetic that a compiler could fuse, and sums near ties.
func numFMA() []byte {
	d, w := newDigest(), words(3)
	for range 20000 {
		x, y := math.Float32frombits(uint32(w.next())), math.Float32frombits(uint32(w.next()))
		z := math.Float32frombits(uint32(w.next()))
		d.f32(num.FMA(x, y, z), num.FMA(x, y, float32(-x*y)), num.Add(num.Mul(x, y), z), num.Div(x, y))
		z = float32(float64(x) * float64(y) * 0x1p24) // half an ulp away
		d.f32(num.FMA(x, y, z), num.FMA(y, x, -z))
	}
	x := floats(1000, 9, 0)
	d.f32(num.Sum16(x), num.Dot(x[1:], x))
	return d.sum()
}

func numCasts() []byte {
	d, w := newDigest(), words(5)
	for range 20000 {
		u := w.next()
		x := math.Float32frombits(uint32(u))
		for _, r := range []num.Rounding{num.NearestEven, num.Truncate} {
			d.u64(uint64(num.F32ToI64(x, r)))
			d.u64(uint64(num.F32ToI32(x, r)))
			d.u64(uint64(num.F32ToI8(x, r)))
			d.u64(uint64(num.F32ToU8(x, r)))
		}
		d.f32(num.I64ToF32(int64(w.next())>>(u&63)), num.I32ToF32(int32(u)))
		d.u64(uint64(num.ExpWeight(-num.Abs(x), 0)))
		d.u64(uint64(num.Requantise(int32(u), int32(u>>33), uint(1+u>>58%62), int32(u>>40&15))))
		d.u64(num.Rand64(u, 1, 2))
	}
	return d.sum()
}

// kernelVector covers the elementwise functions and row reductions.
func kernelVector(_ *testing.T, threads int) []byte {
	d := newDigest()
	a, b := floats(5003, 1, 4), floats(5003, 2, 4)
	y := make([]float32, len(a))
	for _, f := range []func(dst, a []float32){
		kernel.Relu, kernel.Exp, kernel.Log, kernel.Tanh, kernel.Sigmoid, kernel.Silu, kernel.Erf, kernel.GeluTanh,
		kernel.GeluErf, kernel.Sqrt, kernel.RSqrt,
	} {
		kernel.Parallel(threads, len(y), func(lo, hi int) { f(y[lo:hi], a[lo:hi]) })
		d.f32(y...)
	}
	for _, f := range []func(dst, a, b []float32){kernel.Add, kernel.Sub, kernel.Mul, kernel.Div, kernel.Max, kernel.Min} {
		kernel.Parallel(threads, len(y), func(lo, hi int) { f(y[lo:hi], a[lo:hi], b[lo:hi]) })
		d.f32(y...)
	}
	x := floats(5003, 3, 0)
	kernel.SoftmaxRows(y[:5000], x, 5, 1000)
	d.f32(y[:5000]...)
	d.f32(kernel.Sum16(x), kernel.SumSqDiff16(x, 0.25), kernel.MaxOf(a), kernel.MaxOf(x))
	d.u64(uint64(kernel.ArgMax(x)))
	return d.sum()
}

func kernelGemm(_ *testing.T, threads int) []byte {
	d := newDigest()
	for _, s := range []struct{ m, n, k int }{{1, 200, 300}, {3, 65, 17}, {29, 70, 513}, {64, 64, 64}} {
		for _, rare := range []uint64{0, 500} {
			a, b := floats(s.m*s.k, 7, rare), floats(s.k*s.n, 8, rare)
			y := make([]float32, s.m*s.n)
			for i := range 4 {
				kernel.Gemm(y, a, b, s.m, s.n, s.k, i&1 != 0, i&2 != 0, kernel.Tri(i%3), threads) // #nosec G115 -- below 3
				d.f32(y...)
			}
			kernel.Gemm(y, a, b, s.m, s.n, s.k, false, true, kernel.None, threads)
			d.f32(y...)
		}
	}
	return d.sum()
}

func kernelGemmI8(_ *testing.T, threads int) []byte {
	d, w := newDigest(), words(11)
	const m, n, k = 19, 70, 523
	a, b := make([]int8, m*k), make([]int8, k*n)
	for i := range a {
		a[i] = int8(w.next()) // #nosec G115 -- the low bits
	}
	for i := range b {
		b[i] = int8(w.next()) // #nosec G115 -- the low bits
	}
	y := make([]int32, m*n)
	for i := range 4 {
		kernel.GemmI8(y, a, b, m, n, k, i&1 != 0, i&2 != 0, threads)
		for _, v := range y {
			d.u64(uint64(v)) // #nosec G115 -- two's complement
		}
	}
	return d.sum()
}

func kernelConv(_ *testing.T, threads int) []byte {
	d := newDigest()
	conv(d, threads, 1, 1)
	conv(d, threads, 6, 2)
	return d.sum()
}

// kernelDepthwise takes the path that reads source rows in place.
func kernelDepthwise(_ *testing.T, threads int) []byte {
	d := newDigest()
	conv(d, threads, 6, 1)
	return d.sum()
}

func conv(d digest, threads, groups, stride int) {
	s := kernel.ConvShape{
		N: 2, C: 6, H: 11, W: 20, OC: 12, KH: 3, KW: 3, StrideH: 1, StrideW: stride, DilH: 1, DilW: 1,
		PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 2, Groups: groups,
	}
	x, w, y := floats(s.XLen(), 1, 900), floats(s.WLen(), 2, 900), make([]float32, s.YLen())
	dx, dw := make([]float32, s.XLen()), make([]float32, s.WLen())
	kernel.Conv2D(y, x, w, s, threads)
	kernel.Conv2DGradX(dx, y, w, s, threads)
	kernel.Conv2DGradW(dw, y, x, s, threads)
	d.f32(y...)
	d.f32(dx...)
	d.f32(dw...)
}
