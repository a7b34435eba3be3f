// Package gorgonia converts the engine's tensors to and from gorgonia.org/tensor, for user code at the edges of the engine. It is
// a package of its own because the node must not link gorgonia: that registers protobuf files whose imports cannot be resolved,
// and the SDK then refuses to merge the registries.
package gorgonia

import (
	"fmt"

	"gorgonia.org/tensor"

	"poaid/engine"
)

// dtypeOf maps element types to gorgonia's.
func dtypeOf(dt engine.DType) (tensor.Dtype, error) {
	switch dt {
	case engine.F32:
		return tensor.Float32, nil
	case engine.I32:
		return tensor.Int32, nil
	case engine.I64:
		return tensor.Int64, nil
	case engine.I8:
		return tensor.Int8, nil
	case engine.U8:
		return tensor.Uint8, nil
	default:
		return tensor.Dtype{}, fmt.Errorf("dtype: %d is not an element type", int32(dt))
	}
}

// To copies a tensor into a contiguous gorgonia.org/tensor Dense, for user code at the edges of the engine.
// Shapes with a zero dimension, on which gorgonia panics, are refused.
func To(t *engine.Tensor) (*tensor.Dense, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: nil tensor", engine.ErrInput)
	}
	dt, err := dtypeOf(t.DType())
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(t.Shape()))
	for i, d := range t.Shape() {
		if d < 1 {
			return nil, fmt.Errorf("%w: dimension %d is %d, want 1 or more", engine.ErrShape, i, d)
		}
		shape[i] = int(d)
	}
	c := t.Clone()
	var backing any
	switch t.DType() {
	case engine.F32:
		backing = c.F32()
	case engine.I32:
		backing = c.I32()
	case engine.I64:
		backing = c.I64()
	case engine.I8:
		backing = c.I8()
	default:
		backing = c.U8()
	}
	return tensor.New(tensor.Of(dt), tensor.WithShape(shape...), tensor.WithBacking(backing)), nil
}

// From copies a Dense. Views, transposed and otherwise non-contiguous tensors are materialised first, because
// their Data would be that of the tensor they were cut from. Other dtypes and masked tensors are refused.
func From(d *tensor.Dense) (*engine.Tensor, error) {
	if d == nil {
		return nil, fmt.Errorf("%w: nil tensor", engine.ErrInput)
	}
	if d.IsMasked() {
		return nil, fmt.Errorf("%w: masked tensor", engine.ErrInput)
	}
	shape := make([]int64, len(d.Shape()))
	for i, n := range d.Shape() {
		if n < 1 {
			return nil, fmt.Errorf("%w: dimension %d is %d, want 1 or more", engine.ErrShape, i, n)
		}
		shape[i] = int64(n)
	}
	if len(shape) == 0 {
		shape = []int64{1} // a scalar
	}
	if d.RequiresIterator() || d.IsView() || !d.DataOrder().IsRowMajor() || !d.DataOrder().IsContiguous() {
		m, ok := d.Materialize().(*tensor.Dense)
		if !ok || m.RequiresIterator() || !m.DataOrder().IsRowMajor() {
			return nil, fmt.Errorf("%w: tensor with strides %v cannot be made contiguous", engine.ErrInput, d.Strides())
		}
		d = m
	}
	switch v := d.Data().(type) {
	case []float32:
		return engine.FromF32(v, shape...)
	case []int32:
		return engine.FromI32(v, shape...)
	case []int64:
		return engine.FromI64(v, shape...)
	case []int8:
		return engine.FromI8(v, shape...)
	case []uint8:
		return engine.FromU8(v, shape...)
	case float32:
		return engine.FromF32([]float32{v}, shape...)
	case int32:
		return engine.FromI32([]int32{v}, shape...)
	case int64:
		return engine.FromI64([]int64{v}, shape...)
	case int8:
		return engine.FromI8([]int8{v}, shape...)
	case uint8:
		return engine.FromU8([]uint8{v}, shape...)
	default:
		return nil, fmt.Errorf("dtype: %s is not an element type, want float32, int32, int64, int8 or uint8", d.Dtype())
	}
}
