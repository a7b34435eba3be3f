// Package format shows tensor elements to people. It is no consensus code: what it prints is never hashed or stored.
package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"poaid/engine/graphpb"
)

// ElementSize is the bytes of one element, 0 for an unknown dtype.
func ElementSize(dtype graphpb.DType) int {
	switch dtype {
	case graphpb.DTYPE_F32, graphpb.DTYPE_I32:
		return 4
	case graphpb.DTYPE_I64:
		return 8
	case graphpb.DTYPE_I8, graphpb.DTYPE_U8:
		return 1
	}
	return 0
}

// Element prints the element that data starts with (little-endian): integers in decimal, f32 as the shortest decimal that reads
// back to the same bits, or NaN, +Inf, -Inf. It errs on an unknown dtype or short data.
func Element(dtype graphpb.DType, data []byte) (string, error) {
	size := ElementSize(dtype)
	if size == 0 {
		return "", fmt.Errorf("dtype: %d is unknown", int32(dtype))
	}
	if len(data) < size {
		return "", fmt.Errorf("data: %d bytes, want %d", len(data), size)
	}
	if dtype == graphpb.DTYPE_F32 {
		return strconv.FormatFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(data))), 'g', -1, 32), nil
	}
	v, err := Integer(dtype, data)
	return strconv.FormatInt(v, 10), err
}

// Integer reads the integer element that data starts with; it errs on f32, an unknown dtype and short data.
func Integer(dtype graphpb.DType, data []byte) (int64, error) {
	if size := ElementSize(dtype); len(data) < size {
		return 0, fmt.Errorf("data: %d bytes, want %d", len(data), size)
	}
	switch dtype {
	case graphpb.DTYPE_I32:
		return int64(int32(binary.LittleEndian.Uint32(data))), nil
	case graphpb.DTYPE_I64:
		return int64(binary.LittleEndian.Uint64(data)), nil
	case graphpb.DTYPE_I8:
		return int64(int8(data[0])), nil
	case graphpb.DTYPE_U8:
		return int64(data[0]), nil
	}
	return 0, fmt.Errorf("dtype: %s is no integer", dtype)
}
