package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"poaid/engine"
	"poaid/model/half"
)

// dtypeOf gives the engine's element type for one of ONNX. Halves and doubles become f32: their values, not their bits, are kept, and
// what is computed with them is computed in f32.
func dtypeOf(t int64) (engine.DType, error) {
	switch t {
	case typeFloat, typeFloat16, typeBfloat16, typeDouble:
		return engine.F32, nil
	case typeInt32:
		return engine.I32, nil
	case typeInt64:
		return engine.I64, nil
	case typeInt8:
		return engine.I8, nil
	case typeUint8, typeBool:
		return engine.U8, nil
	}
	return 0, fmt.Errorf("element type %s is not supported; float, float16, bfloat16, double, int8, int32, int64, uint8 and bool are", typeName(t))
}

// encodedSize is the bytes of one element in raw_data.
func encodedSize(t int64) int64 {
	switch t {
	case typeFloat, typeInt32:
		return 4
	case typeInt64, typeDouble:
		return 8
	case typeFloat16, typeBfloat16:
		return 2
	}
	return 1
}

// checkShape bounds the elements of a shape; rank 0 is a scalar.
func checkShape(shape []int64) (int64, error) {
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("shape %v: rank %d, limit %d", shape, len(shape), MaxRank)
	}
	n, err := engine.Elements(shape)
	if err != nil {
		return 0, err
	}
	if n > MaxElements {
		return 0, fmt.Errorf("shape %v: %d elements, limit %d", shape, n, int64(MaxElements))
	}
	return n, nil
}

// decode gives a tensor's values. Its data must be as long as its shape says before anything is allocated.
func (t *Tensor) decode() (*engine.Tensor, error) {
	dt, err := dtypeOf(t.Type)
	if err != nil {
		return nil, fmt.Errorf("data_type: %w", err)
	}
	n, err := checkShape(t.Dims)
	if err != nil {
		return nil, fmt.Errorf("dims: %w", err)
	}
	switch {
	case t.External:
		return nil, fmt.Errorf("external_data: the values are in another file (%.80q), which is not read; "+
			"save the model as one file (onnx.save_model(…, save_as_external_data=False))", t.Location)
	case t.Strings > 0:
		return nil, errors.New("string_data: text is not supported")
	case t.HasRaw:
		if size := n * encodedSize(t.Type); int64(len(t.Raw)) != size {
			return nil, fmt.Errorf("raw_data: %d bytes, %v of %s takes %d", len(t.Raw), t.Dims, typeName(t.Type), size)
		}
		return t.fromRaw(dt, n)
	}
	return t.fromTyped(dt, n)
}

func (t *Tensor) fromRaw(dt engine.DType, n int64) (*engine.Tensor, error) {
	switch t.Type {
	case typeFloat16, typeBfloat16, typeDouble:
	default:
		return engine.TensorFromBytes(dt, t.Dims, t.Raw[:len(t.Raw):len(t.Raw)])
	}
	out, err := engine.NewTensor(dt, t.Dims, MaxElements*8)
	if err != nil {
		return nil, err
	}
	v := out.F32()
	for i := range n {
		switch t.Type {
		case typeFloat16:
			v[i] = half.FromFloat16(binary.LittleEndian.Uint16(t.Raw[2*i:]))
		case typeBfloat16:
			v[i] = half.FromBFloat16(binary.LittleEndian.Uint16(t.Raw[2*i:]))
		default:
			v[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Raw[8*i:])))
		}
	}
	return out, nil
}

// fromTyped reads the typed fields, of which each element type has one.
func (t *Tensor) fromTyped(dt engine.DType, n int64) (*engine.Tensor, error) {
	name, have := "int32_data", len(t.Int32s)
	switch t.Type {
	case typeFloat:
		name, have = "float_data", len(t.Floats)
	case typeDouble:
		name, have = "double_data", len(t.Doubles)
	case typeInt64:
		name, have = "int64_data", len(t.Int64s)
	}
	if int64(have) != n {
		return nil, fmt.Errorf("%s: %d values, %v takes %d", name, have, t.Dims, n)
	}
	out, err := engine.NewTensor(dt, t.Dims, MaxElements*8)
	if err != nil {
		return nil, err
	}
	switch t.Type {
	case typeFloat:
		copy(out.F32(), t.Floats)
	case typeInt64:
		copy(out.I64(), t.Int64s)
	case typeInt32:
		copy(out.I32(), t.Int32s)
	case typeDouble:
		for i, v := range t.Doubles {
			out.F32()[i] = float32(v)
		}
	case typeFloat16:
		for i, v := range t.Int32s {
			out.F32()[i] = half.FromFloat16(uint16(v))
		}
	case typeBfloat16:
		for i, v := range t.Int32s {
			out.F32()[i] = half.FromBFloat16(uint16(v))
		}
	case typeInt8:
		for i, v := range t.Int32s {
			out.I8()[i] = int8(v)
		}
	default: // uint8, bool
		for i, v := range t.Int32s {
			out.U8()[i] = uint8(v)
		}
	}
	return out, nil
}

// integers reads an integer tensor as int64; ok is false for f32.
func integers(t *engine.Tensor) (v []int64, ok bool) {
	switch t.DType() {
	case engine.I64:
		return t.I64(), true
	case engine.I32:
		v = make([]int64, len(t.I32()))
		for i, x := range t.I32() {
			v[i] = int64(x)
		}
		return v, true
	case engine.I8:
		v = make([]int64, len(t.I8()))
		for i, x := range t.I8() {
			v[i] = int64(x)
		}
		return v, true
	case engine.U8:
		v = make([]int64, len(t.U8()))
		for i, x := range t.U8() {
			v[i] = int64(x)
		}
		return v, true
	}
	return nil, false
}

// fromIntegers makes a tensor of an integer type; values are truncated to it.
func fromIntegers(dt engine.DType, v []int64, shape ...int64) (*engine.Tensor, error) {
	t, err := engine.NewTensor(dt, shape, MaxElements*8)
	if err != nil {
		return nil, err
	}
	if t.Len() != int64(len(v)) {
		return nil, fmt.Errorf("%d values for shape %v", len(v), shape)
	}
	for i, x := range v {
		switch dt {
		case engine.I64:
			t.I64()[i] = x
		case engine.I32:
			t.I32()[i] = int32(x)
		case engine.I8:
			t.I8()[i] = int8(x)
		case engine.U8:
			t.U8()[i] = uint8(x)
		default:
			return nil, errors.New("not an integer type")
		}
	}
	return t, nil
}
