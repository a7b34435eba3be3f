package engine

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// opCase is one node with its operands.
type opCase struct {
	attrs Attrs
	in    []*Tensor
	out   Value
	// variable marks operand 0 as a variable-row input.
	variable bool
	t        uint64
}

// sampler draws shapes and elements; elements come from one drawn seed, so that big tensors stay cheap.
type sampler struct {
	*rapid.T
	rng *rand.Rand
}

func newSampler(t *rapid.T) *sampler {
	seed := rapid.Uint64().Draw(t, "seed")
	return &sampler{T: t, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (s *sampler) n(lo, hi int64) int64 { return rapid.Int64Range(lo, hi).Draw(s.T, "n") }

func (s *sampler) shape(rank int64) []int64 {
	out := make([]int64, rank)
	for i := range out {
		out[i] = s.n(1, 5)
	}
	return out
}

var specials = []uint32{
	0, 1 << 31, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 1, 0x80000001, 0x007fffff, 0x00800000,
	0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000, 0x3f800001, 0x337ffffe, 0x42b17218, 0xc2cff1b5,
}

// f32 fills a tensor: plain values, every eighth time mixed with specials.
func (s *sampler) f32(shape ...int64) *Tensor {
	t, err := NewTensor(F32, shape, 1<<40)
	require.NoError(s.T, err)
	odds := []int{0, 0, 3, 16}[s.rng.IntN(4)]
	for i := range t.F32() {
		if odds > 0 && s.rng.IntN(odds) == 0 {
			storeBits(t, int64(i), uint64(specials[s.rng.IntN(len(specials))]))
			continue
		}
		t.F32()[i] = float32(s.rng.NormFloat64() * math.Exp(s.rng.NormFloat64()))
	}
	return t
}

// ints fills an integer tensor with values in lo..hi.
func (s *sampler) ints(dt DType, lo, hi int64, shape ...int64) *Tensor {
	t, err := NewTensor(dt, shape, 1<<40)
	require.NoError(s.T, err)
	for i := range t.Len() {
		storeBits(t, i, uint64(lo+s.rng.Int64N(hi-lo+1)))
	}
	return t
}

// any fills a tensor of any dtype with any bits.
func (s *sampler) any(dt DType, shape ...int64) *Tensor {
	if dt == F32 {
		return s.f32(shape...)
	}
	t, err := NewTensor(dt, shape, 1<<40)
	require.NoError(s.T, err)
	for i := range t.data {
		t.data[i] = byte(s.rng.Uint32() >> 3)
	}
	if s.rng.IntN(2) == 0 {
		for i := range t.Len() {
			storeBits(t, i, uint64(s.rng.Int64N(4)))
		}
	}
	return t
}

func (s *sampler) dtype(of ...DType) DType { return rapid.SampledFrom(of).Draw(s.T, "dtype") }

// broadcastable derives a shape that broadcasts into shape.
func (s *sampler) broadcastable(shape []int64) []int64 {
	out := slices.Clone(shape)
	for i := range out {
		if s.rng.IntN(3) == 0 {
			out[i] = 1
		}
	}
	if s.rng.IntN(3) == 0 {
		out = out[s.rng.IntN(len(out)):]
	}
	return out
}

func ints(name string, v ...int64) Attr { return Attr{Name: name, Ints: v} }

func constOut(dt DType, shape ...int64) Value { return value(dt, ConstShape(shape...)) }

// check holds one case to the equivalences: kernels = reference = element by element, any number of threads, in place.
func (k opCase) check(t *rapid.T, op *Op, rng *rand.Rand) {
	n := k.view(t, op)
	want := k.eval(t, n, 1, false)
	require.Equal(t, want.data, k.eval(t, n, 3, false).data, "3 threads")
	require.Equal(t, want.data, k.eval(t, n, 1, true).data, "reference")
	k.checkInPlace(t, n, want)
	sample := want.Len()
	if sample <= 512 {
		whole, err := ReferenceEval(n, k.in)
		require.NoError(t, err)
		require.Equal(t, want.data, whole.data, "element by element")
	}
	for range min(sample, 12) {
		e := rng.Int64N(want.Len())
		size := SizeOf(want.dtype)
		require.Equal(t, want.data[e*size:(e+1)*size], k.judge(t, n, e, rng), "element %d from opened ranges", e)
	}
	_, _, err := op.Cost(n)
	require.NoError(t, err)
}

func (k opCase) view(t *rapid.T, op *Op) *NodeView {
	n := &NodeView{Op: op, Attrs: k.attrs, T: k.t}
	c := &InferCtx{Attrs: k.attrs, Out: k.out, MaxT: k.t}
	for i, x := range k.in {
		n.In = append(n.In, Operand{DType: x.dtype, Shape: x.shape})
		c.In = append(c.In, Value{DType: x.dtype, Shape: ConstShape(x.shape...), Variable: i == 0 && k.variable})
	}
	require.Len(t, k.attrs, len(op.Attrs))
	v, err := op.Infer(c)
	require.NoError(t, err)
	n.Out = Operand{DType: v.DType, Shape: v.Shape.At(k.t)}
	return n
}

func (k opCase) eval(t *rapid.T, n *NodeView, threads int, reference bool) *Tensor {
	y, err := NewTensor(n.Out.DType, n.Out.Shape, 1<<40)
	require.NoError(t, err)
	for i := range y.data {
		y.data[i] = 0xa5
	}
	require.NoError(t, n.Op.Eval(&EvalCtx{NodeView: *n, X: k.in, Y: y, Threads: threads, Reference: reference}))
	return y
}

func (k opCase) checkInPlace(t *rapid.T, n *NodeView, want *Tensor) {
	for _, o := range n.Op.overwrites {
		if o >= len(k.in) || !equalInts(k.in[o].shape, want.shape) || SizeOf(k.in[o].dtype) != SizeOf(want.dtype) {
			continue
		}
		in := slices.Clone(k.in)
		in[o] = k.in[o].Clone()
		y := &Tensor{dtype: want.dtype, shape: want.shape, data: in[o].data}
		require.NoError(t, n.Op.Eval(&EvalCtx{NodeView: *n, X: in, Y: y, Threads: 2}))
		require.Equal(t, want.data, y.data, "over operand %d", o)
	}
}

// judge computes element e as a referee does: only what Slice names is opened, and the accumulator is carried over
// chunks of fold steps.
func (k opCase) judge(t *rapid.T, n *NodeView, e int64, rng *rand.Rand) []byte {
	steps, err := n.FoldSteps(e)
	require.NoError(t, err)
	var acc []byte
	for from := int64(0); ; {
		to := min(steps, from+1+rng.Int64N(7))
		out, err := Judge(n, e, from, to, acc, func(r Range) ([]byte, error) {
			size := SizeOf(k.in[r.Operand].dtype)
			return k.in[r.Operand].data[r.Start*size : (r.Start+r.Count)*size], nil
		})
		require.NoError(t, err)
		if to == steps {
			return out
		}
		require.LessOrEqual(t, len(out), MaxAcc)
		acc, from = bytes.Clone(out), to
	}
}

// TestOps holds every op of the table to its equivalences.
func TestOps(t *testing.T) {
	gens := opGenerators()
	for name := range opTable {
		gen, ok := gens[name]
		require.True(t, ok, "no generator for %s", name)
		t.Run(name, rapid.MakeCheck(func(rt *rapid.T) {
			s := newSampler(rt)
			gen(s).check(rt, opTable[name], s.rng)
		}))
	}
}

// TestOpsLarge does the same for tensors that are big enough to be split over threads.
func TestOpsLarge(t *testing.T) {
	big := map[string]func(s *sampler) opCase{
		"add@1":  func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(70, 1, 700), s.f32(1, 3, 700)}} },
		"sub@1":  func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(100001), s.f32(1)}} },
		"silu@1": func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(3, 30011)}} },
		"where@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.any(U8, 300, 1), s.f32(300, 200), s.f32(1, 200)}}
		},
		"matmul@1":     func(s *sampler) opCase { return matmulCase(s, 3, 65, 70, 67) },
		"reduce_sum@1": func(s *sampler) opCase { return reduceCase(s, s.f32(70, 40, 33)) },
		"reduce_max@1": func(s *sampler) opCase { return reduceCase(s, s.f32(70, 40, 33)) },
		"argmax@1":     func(s *sampler) opCase { return reduceCase(s, s.f32(70, 40, 33)) },
		"transpose@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.f32(7, 50, 3, 60)}, attrs: Attrs{ints("perm", 0, 2, 3, 1)}}
		},
		"rank@1":    func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(3000)}} },
		"maxpool@1": func(s *sampler) opCase { return poolCase(s, s.f32(4, 3, 60, 60)) },
		"conv2d@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.f32(2, 4, 30, 30), s.f32(6, 4, 3, 3)}, attrs: convAttrs([]int64{1, 1}, 1, []int64{1, 1, 1, 1}, []int64{1, 1})}
		},
		"hardswish@1": func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(3, 30011)}} },
		"clip@1":      func(s *sampler) opCase { return opCase{in: []*Tensor{s.f32(300, 200), s.f32(300, 1), s.f32(1)}} },
		"rescale@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.any(I32, 300, 200), s.f32(300, 1), s.f32(200)}}
		},
		"requantise@1": func(s *sampler) opCase {
			return opCase{
				in:    []*Tensor{s.any(I32, 8, 100, 50), s.ints(I32, 0, 1<<31-1, 100, 1), s.ints(I32, 20, 60, 100, 1), s.any(I8, 1)},
				attrs: Attrs{ints("hi", 127), ints("lo", -128)},
			}
		},
		"resize@1": func(s *sampler) opCase {
			attrs := Attrs{{Name: "coord", Text: "half_pixel"}, {Name: "mode", Text: "linear"}, {Name: "rounding"}}
			return opCase{in: []*Tensor{s.f32(2, 3, 60, 50)}, out: constOut(F32, 2, 3, 91, 120), attrs: attrs}
		},
		"conv2d@1 i8": func(s *sampler) opCase {
			a := convAttrs([]int64{1, 1}, 2, []int64{1, 1, 1, 1}, []int64{1, 1})
			return opCase{in: []*Tensor{s.any(I8, 2, 4, 30, 30), s.any(I8, 6, 2, 3, 3)}, attrs: a}
		},
		"conv2d@1 i8 pointwise": func(s *sampler) opCase {
			a := convAttrs([]int64{1, 1}, 2, []int64{0, 0, 0, 0}, []int64{1, 1})
			return opCase{in: []*Tensor{s.any(I8, 2, 14, 17, 9), s.any(I8, 6, 7, 1, 1)}, attrs: a}
		},
		"conv2d@1 i8 depthwise": func(s *sampler) opCase {
			a := convAttrs([]int64{1, 2}, 5, []int64{2, 1, 0, 3}, []int64{1, s.n(1, 3)})
			return opCase{in: []*Tensor{s.any(I8, 2, 5, 15, 19), s.any(I8, 10, 1, 3, 3)}, attrs: a}
		},
		"massabove@1": func(s *sampler) opCase {
			return opCase{in: []*Tensor{s.ints(I64, 0, 1<<32, 999), s.ints(I32, -3, 1200, 999)}}
		},
	}
	for name, gen := range big {
		t.Run(name, func(*testing.T) {
			for seed := range 4 {
				rapid.Custom(func(rt *rapid.T) int {
					s := newSampler(rt)
					gen(s).check(rt, opTable[strings.Fields(name)[0]], s.rng)
					return 0
				}).Example(seed)
			}
		})
	}
}

func TestExpWeightsNearZero(t *testing.T) {
	const op = "expweight@1"
	var x []float32
	for e := uint32(0); e < 256; e++ {
		for _, sign := range []uint32{0, 1 << 31} {
			x = append(x, f32of(uint64(sign|e<<23)), f32of(uint64(sign|e<<23|1)), f32of(uint64(sign|e<<23|0x7fffff)))
		}
	}
	a, err := FromF32(x, int64(len(x)))
	require.NoError(t, err)
	zero, err := FromF32([]float32{0}, 1)
	require.NoError(t, err)
	n := &NodeView{Op: opTable[op], In: []Operand{{F32, a.shape}, {F32, zero.shape}}, Out: Operand{I64, a.shape}}
	want, err := ReferenceEval(n, []*Tensor{a, zero})
	require.NoError(t, err)
	y, err := NewTensor(I64, a.shape, 1<<20)
	require.NoError(t, err)
	require.NoError(t, n.Op.Eval(&EvalCtx{NodeView: *n, X: []*Tensor{a, zero}, Y: y, Threads: 1}))
	require.Equal(t, want.I64(), y.I64())
}

func TestJudgeRefusals(t *testing.T) {
	x, err := FromF32([]float32{1, 2, 3, 4}, 2, 2)
	require.NoError(t, err)
	n := &NodeView{
		Op: opTable["reduce_sum@1"], Attrs: Attrs{ints("axis", 1), ints("keep", 0), ints("tri", 0)},
		In: []Operand{{F32, x.shape}}, Out: Operand{F32, []int64{2}},
	}
	open := func(r Range) ([]byte, error) { return x.data[4*r.Start : 4*(r.Start+r.Count)], nil }
	out, err := Judge(n, 1, 0, 2, nil, open)
	require.NoError(t, err)
	require.Equal(t, bitsOf(7), rawBits(out))
	for name, c := range map[string]SliceCtx{
		"element":      {Elem: 2, To: 2},
		"negative":     {Elem: -1, To: 2},
		"too far":      {From: 0, To: 3},
		"backwards":    {From: 2, To: 1},
		"empty":        {From: 1, To: 1, Acc: make([]byte, 64)},
		"no acc":       {From: 1, To: 2},
		"early acc":    {From: 0, To: 2, Acc: make([]byte, 64)},
		"short acc":    {From: 1, To: 2, Acc: make([]byte, 63)},
		"oversize acc": {From: 1, To: 2, Acc: make([]byte, 300)},
	} {
		_, err := Judge(n, c.Elem, c.From, c.To, c.Acc, open)
		require.Error(t, err, name)
	}
	_, err = Judge(n, 0, 0, 2, nil, func(Range) ([]byte, error) { return []byte{1}, nil })
	require.ErrorContains(t, err, "1 bytes, want 8")
	_, err = n.Op.EvalSlice(&SliceCtx{NodeView: *n, To: 2, Opened: NewOpenedRanges(n)})
	require.ErrorIs(t, err, ErrNotOpened)
}
