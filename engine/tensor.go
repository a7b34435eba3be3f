package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unsafe"

	"poaid/engine/graphpb"
)

// DType is the element type of a tensor.
type DType = graphpb.DType

// The element types.
const (
	F32 = graphpb.DTYPE_F32
	I32 = graphpb.DTYPE_I32
	I64 = graphpb.DTYPE_I64
	I8  = graphpb.DTYPE_I8
	U8  = graphpb.DTYPE_U8
)

// ErrShape is returned when a shape is not valid or too large.
var ErrShape = errors.New("invalid shape")

// SizeOf returns the bytes of one element, 0 for an invalid dtype.
func SizeOf(dt DType) int64 {
	switch dt {
	case F32, I32:
		return 4
	case I64:
		return 8
	case I8, U8:
		return 1
	default:
		return 0
	}
}

// Tensor is a dense, row-major, little-endian array. Its bytes are the ones that commitments hash.
// A Tensor that has been given to a run must not be written to.
type Tensor struct {
	dtype DType
	shape []int64
	data  []byte
	// strides, in elements, of a transposed view inside a run (plan: viewed); nil for everything else.
	strides []int64
}

// Elements returns the number of elements of shape; it errs on negative dimensions and on overflow.
func Elements(shape []int64) (int64, error) {
	n := uint64(1)
	for i, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("%w: dimension %d is %d", ErrShape, i, d)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<56 {
			return 0, fmt.Errorf("%w: %v has more than 2^56 elements", ErrShape, shape)
		}
		n = lo
	}
	return int64(n), nil
}

// ByteSize returns the bytes of a tensor; it errs on an invalid dtype or shape.
func ByteSize(dt DType, shape []int64) (int64, error) {
	size := SizeOf(dt)
	if size == 0 {
		return 0, fmt.Errorf("dtype: %d is not an element type", int32(dt))
	}
	n, err := Elements(shape)
	if err != nil {
		return 0, err
	}
	return n * size, nil // at most 2^59
}

// NewTensor returns a tensor of zero bytes. maxBytes bounds the allocation.
func NewTensor(dt DType, shape []int64, maxBytes int64) (*Tensor, error) {
	size, err := ByteSize(dt, shape)
	if err != nil {
		return nil, err
	}
	if size > maxBytes {
		return nil, fmt.Errorf("%w: %v of %s takes %d bytes, limit %d", ErrShape, shape, dt, size, maxBytes)
	}
	return &Tensor{dtype: dt, shape: append([]int64(nil), shape...), data: alloc(size)}, nil
}

// TensorFromBytes wraps data (little-endian, row-major) without a copy where its alignment allows typed views, which
// is the case for anything that make or mmap returns; otherwise data is copied.
func TensorFromBytes(dt DType, shape []int64, data []byte) (*Tensor, error) {
	size, err := ByteSize(dt, shape)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != size {
		return nil, fmt.Errorf("data: %d bytes, %v of %s takes %d", len(data), shape, dt, size)
	}
	if size > 0 && uintptr(unsafe.Pointer(&data[0]))%uintptr(SizeOf(dt)) != 0 { // #nosec G103 -- only the alignment is read
		c := alloc(size)
		copy(c, data)
		data = c
	}
	return &Tensor{dtype: dt, shape: append([]int64(nil), shape...), data: data}, nil
}

// FromF32 returns a tensor over a copy of v.
func FromF32(v []float32, shape ...int64) (*Tensor, error) { return fromSlice(F32, v, shape) }

// FromI32 returns a tensor over a copy of v.
func FromI32(v []int32, shape ...int64) (*Tensor, error) { return fromSlice(I32, v, shape) }

// FromI64 returns a tensor over a copy of v.
func FromI64(v []int64, shape ...int64) (*Tensor, error) { return fromSlice(I64, v, shape) }

// FromI8 returns a tensor over a copy of v.
func FromI8(v []int8, shape ...int64) (*Tensor, error) { return fromSlice(I8, v, shape) }

// FromU8 returns a tensor over a copy of v.
func FromU8(v []uint8, shape ...int64) (*Tensor, error) { return fromSlice(U8, v, shape) }

func fromSlice[E float32 | int32 | int64 | int8 | uint8](dt DType, v []E, shape []int64) (*Tensor, error) {
	t, err := NewTensor(dt, shape, 1<<62)
	if err != nil {
		return nil, err
	}
	dst := view[E](t.data)
	if len(dst) != len(v) {
		return nil, fmt.Errorf("%w: %d values for %v", ErrShape, len(v), shape)
	}
	copy(dst, v)
	return t, nil
}

// DType returns the element type.
func (t *Tensor) DType() DType { return t.dtype }

// Shape returns the dimensions. The caller must not change them.
func (t *Tensor) Shape() []int64 { return t.shape }

// Bytes returns the elements, little-endian and row-major. The caller must not change them.
func (t *Tensor) Bytes() []byte { return t.data }

// Len returns the number of elements.
func (t *Tensor) Len() int64 { return int64(len(t.data)) / SizeOf(t.dtype) }

// F32 returns a zero-copy view of an f32 tensor and nil for any other dtype.
func (t *Tensor) F32() []float32 { return typed[float32](t, F32) }

// I32 returns a zero-copy view of an i32 tensor and nil for any other dtype.
func (t *Tensor) I32() []int32 { return typed[int32](t, I32) }

// I64 returns a zero-copy view of an i64 tensor and nil for any other dtype.
func (t *Tensor) I64() []int64 { return typed[int64](t, I64) }

// I8 returns a zero-copy view of an i8 tensor and nil for any other dtype.
func (t *Tensor) I8() []int8 { return typed[int8](t, I8) }

// U8 returns a zero-copy view of a u8 tensor and nil for any other dtype.
func (t *Tensor) U8() []uint8 { return typed[uint8](t, U8) }

// layout returns the distance of two neighbours in each dimension, in elements.
func (t *Tensor) layout() []int64 {
	if t.strides != nil {
		return t.strides
	}
	return stridesOf(t.shape)
}

// Clone returns a deep copy.
func (t *Tensor) Clone() *Tensor {
	c := &Tensor{dtype: t.dtype, shape: append([]int64(nil), t.shape...), data: alloc(int64(len(t.data)))}
	copy(c.data, t.data)
	return c
}

// Equal reports whether both have the same dtype, shape and bits.
func (t *Tensor) Equal(o *Tensor) bool {
	return t.dtype == o.dtype && equalInts(t.shape, o.shape) && bytes.Equal(t.data, o.data)
}

// String gives dtype and shape.
func (t *Tensor) String() string { return fmt.Sprintf("%s%v", t.dtype, t.shape) }

func typed[E float32 | int32 | int64 | int8 | uint8](t *Tensor, dt DType) []E {
	if t.dtype != dt {
		return nil
	}
	return view[E](t.data)
}

// view reinterprets little-endian bytes as elements. All data in the engine comes from alloc or was checked to be
// aligned; big-endian hosts do not compile (endian.go).
func view[E float32 | int32 | uint32 | int64 | int8 | uint8](b []byte) []E {
	if len(b) == 0 {
		return []E{}
	}
	var e E
	return unsafe.Slice((*E)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(e))) // #nosec G103 G602 -- length and alignment are checked
}

// alloc returns n zero bytes aligned to 8.
func alloc(n int64) []byte {
	if n == 0 {
		return []byte{}
	}
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), n) // #nosec G103 G602 -- length and alignment are checked
}

func equalInts(a, b []int64) bool { return slices.Equal(a, b) }
