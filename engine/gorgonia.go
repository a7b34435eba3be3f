package engine

import (
	"fmt"

	"gorgonia.org/tensor"
)

// gorgoniaDType maps element types to gorgonia's.
func gorgoniaDType(dt DType) (tensor.Dtype, error) {
	switch dt {
	case F32:
		return tensor.Float32, nil
	case I32:
		return tensor.Int32, nil
	case I64:
		return tensor.Int64, nil
	case I8:
		return tensor.Int8, nil
	case U8:
		return tensor.Uint8, nil
	default:
		return tensor.Dtype{}, fmt.Errorf("dtype: %d is not an element type", int32(dt))
	}
}

// ToGorgonia copies a tensor into a contiguous gorgonia.org/tensor Dense, for user code at the edges of the engine.
// Shapes with a zero dimension, on which gorgonia panics, are refused.
func ToGorgonia(t *Tensor) (*tensor.Dense, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: nil tensor", ErrInput)
	}
	dt, err := gorgoniaDType(t.dtype)
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(t.shape))
	for i, d := range t.shape {
		if d < 1 {
			return nil, fmt.Errorf("%w: dimension %d is %d, want 1 or more", ErrShape, i, d)
		}
		shape[i] = int(d)
	}
	c := t.Clone()
	var backing any
	switch t.dtype {
	case F32:
		backing = c.F32()
	case I32:
		backing = c.I32()
	case I64:
		backing = c.I64()
	case I8:
		backing = c.I8()
	default:
		backing = c.U8()
	}
	return tensor.New(tensor.Of(dt), tensor.WithShape(shape...), tensor.WithBacking(backing)), nil
}

// FromGorgonia copies a Dense. Views, transposed and otherwise non-contiguous tensors are materialised first, because
// their Data would be that of the tensor they were cut from. Other dtypes and masked tensors are refused.
func FromGorgonia(d *tensor.Dense) (*Tensor, error) {
	if d == nil {
		return nil, fmt.Errorf("%w: nil tensor", ErrInput)
	}
	if d.IsMasked() {
		return nil, fmt.Errorf("%w: masked tensor", ErrInput)
	}
	shape := make([]int64, len(d.Shape()))
	for i, n := range d.Shape() {
		if n < 1 {
			return nil, fmt.Errorf("%w: dimension %d is %d, want 1 or more", ErrShape, i, n)
		}
		shape[i] = int64(n)
	}
	if len(shape) == 0 {
		shape = []int64{1} // a scalar
	}
	if d.RequiresIterator() || d.IsView() || !d.DataOrder().IsRowMajor() || !d.DataOrder().IsContiguous() {
		m, ok := d.Materialize().(*tensor.Dense)
		if !ok || m.RequiresIterator() || !m.DataOrder().IsRowMajor() {
			return nil, fmt.Errorf("%w: tensor with strides %v cannot be made contiguous", ErrInput, d.Strides())
		}
		d = m
	}
	switch v := d.Data().(type) {
	case []float32:
		return fromSlice(F32, v, shape)
	case []int32:
		return fromSlice(I32, v, shape)
	case []int64:
		return fromSlice(I64, v, shape)
	case []int8:
		return fromSlice(I8, v, shape)
	case []uint8:
		return fromSlice(U8, v, shape)
	case float32:
		return fromSlice(F32, []float32{v}, shape)
	case int32:
		return fromSlice(I32, []int32{v}, shape)
	case int64:
		return fromSlice(I64, []int64{v}, shape)
	case int8:
		return fromSlice(I8, []int8{v}, shape)
	case uint8:
		return fromSlice(U8, []uint8{v}, shape)
	default:
		return nil, fmt.Errorf("dtype: %s is not an element type, want float32, int32, int64, int8 or uint8", d.Dtype())
	}
}
