package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"poaid/engine/num"
)

// ThreadsGrain is the number of elements below which an elementwise op stays on one thread.
const threadsGrain = 1 << 15

// rawAt returns the bits of an opened element, zero-extended. A missing one is remembered in c.err.
func (c *SliceCtx) rawAt(operand int, index int64) uint64 {
	b, ok := c.Opened.Open(operand, index)
	if !ok || int64(len(b)) != SizeOf(c.In[operand].DType) {
		if c.err == nil {
			c.err = fmt.Errorf("%w: operand %d element %d", ErrNotOpened, operand, index)
		}
		return 0
	}
	return rawBits(b)
}

func (c *SliceCtx) f32At(operand int, index int64) float32 {
	return math.Float32frombits(uint32(c.rawAt(operand, index)))
}

// intAt returns an integer element, sign-extended for signed dtypes.
func (c *SliceCtx) intAt(operand int, index int64) int64 {
	return signExtend(c.In[operand].DType, c.rawAt(operand, index))
}

// opened reports whether an element is open already.
func (c *SliceCtx) opened(operand int, index int64) bool {
	_, ok := c.Opened.Open(operand, index)
	return ok
}

// element encodes the bits of one output element, or returns what went wrong while reading.
func (c *SliceCtx) element(bits uint64) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	return putBits(c.Out.DType, bits), nil
}

func (c *SliceCtx) elementF32(v float32) ([]byte, error) {
	return c.element(uint64(math.Float32bits(v)))
}

// acc returns an accumulator of n bytes: zeros before the first step, c.Acc after it.
func (c *SliceCtx) acc(n int) ([]byte, error) {
	if c.From == 0 {
		if len(c.Acc) != 0 {
			return nil, fmt.Errorf("%w: %d bytes before the first step", ErrAccumulator, len(c.Acc))
		}
		return make([]byte, n), nil
	}
	if len(c.Acc) != n {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrAccumulator, len(c.Acc), n)
	}
	return append([]byte(nil), c.Acc...), nil
}

// foldF32 runs a fold over one f32 accumulator that starts from +0, and finishes it after the last step.
func (c *SliceCtx) foldF32(steps int64, step func(acc float32, j int64) float32, finish func(float32) float32) ([]byte, error) {
	acc, err := c.acc(4)
	if err != nil {
		return nil, err
	}
	a := math.Float32frombits(binary.LittleEndian.Uint32(acc))
	for j := c.From; j < c.To; j++ {
		a = step(a, j)
	}
	if c.To == steps {
		return c.elementF32(num.CanonNaN(finish(a)))
	}
	if c.err != nil {
		return nil, c.err
	}
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(a)), nil
}

func rawBits(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	default:
		return binary.LittleEndian.Uint64(b)
	}
}

func putBits(dt DType, bits uint64) []byte {
	switch SizeOf(dt) {
	case 1:
		return []byte{byte(bits)}
	case 4:
		return binary.LittleEndian.AppendUint32(nil, uint32(bits))
	default:
		return binary.LittleEndian.AppendUint64(nil, bits)
	}
}

// storeBits writes element i of a tensor.
func storeBits(t *Tensor, i int64, bits uint64) {
	switch SizeOf(t.dtype) {
	case 1:
		t.data[i] = byte(bits)
	case 4:
		binary.LittleEndian.PutUint32(t.data[4*i:], uint32(bits))
	default:
		binary.LittleEndian.PutUint64(t.data[8*i:], bits)
	}
}

// loadBits reads element i of a tensor, zero-extended.
func loadBits(t *Tensor, i int64) uint64 {
	n := SizeOf(t.dtype)
	return rawBits(t.data[i*n : i*n+n])
}

// loadInt reads element i of an integer tensor.
func loadInt(t *Tensor, i int64) int64 { return signExtend(t.dtype, loadBits(t, i)) }

func signExtend(dt DType, bits uint64) int64 {
	switch dt {
	case I32:
		return int64(int32(uint32(bits)))
	case I8:
		return int64(int8(uint8(bits)))
	default:
		return int64(bits)
	}
}

// one names a single element.
func one(operand int, index int64) Range { return Range{Operand: operand, Start: index, Count: 1} }

// run names n elements, stride apart, as few ranges as possible.
func strided(out []Range, operand int, start, stride, n int64) []Range {
	if stride == 1 && n > 0 {
		return append(out, Range{Operand: operand, Start: start, Count: n})
	}
	for i := range n {
		out = append(out, one(operand, start+i*stride))
	}
	return out
}

// unravel writes the coordinates of flat into pos.
func unravel(pos, shape []int64, flat int64) {
	for i := len(shape) - 1; i >= 0; i-- {
		pos[i] = flat % shape[i]
		flat /= shape[i]
	}
}

// ravel returns the flat index of coordinates.
func ravel(pos, shape []int64) int64 {
	flat := int64(0)
	for i, d := range shape {
		flat = flat*d + pos[i]
	}
	return flat
}

// stridesOf returns the row-major strides of a shape.
func stridesOf(shape []int64) []int64 {
	s := make([]int64, len(shape))
	n := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// broadcastIndex maps an output element to the operand's element under right-aligned broadcasting.
func broadcastIndex(out, in []int64, flat int64) int64 {
	idx, stride := int64(0), int64(1)
	for i := 1; i <= len(out); i++ {
		d := out[len(out)-i]
		p := flat % d
		flat /= d
		if i <= len(in) {
			if n := in[len(in)-i]; n > 1 {
				idx += p * stride
				stride *= n
			}
		}
	}
	return idx
}
