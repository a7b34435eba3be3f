package submit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"poaid/engine/graphpb"
)

// Fields of an NPY header, a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
var (
	npyDescr   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape'\s*:\s*\(([0-9, ]*)\)`)
)

var npyTypes = map[string]graphpb.DType{
	"<f4": graphpb.DTYPE_F32, "<i4": graphpb.DTYPE_I32, "<i8": graphpb.DTYPE_I64, "|i1": graphpb.DTYPE_I8, "|u1": graphpb.DTYPE_U8,
}

// parseNPY reads NumPy's file format, versions 1 to 3: little-endian, row-major arrays of the engine's dtypes.
func parseNPY(raw []byte) (graphpb.DType, []int64, []byte, error) {
	if len(raw) < 12 || string(raw[:6]) != "\x93NUMPY" {
		return 0, nil, nil, errors.New("not an NPY file")
	}
	start, length := 10, int(binary.LittleEndian.Uint16(raw[8:]))
	if raw[6] >= 2 {
		start, length = 12, int(binary.LittleEndian.Uint32(raw[8:]))
	}
	if raw[6] < 1 || raw[6] > 3 || length > 1<<20 || start+length > len(raw) {
		return 0, nil, nil, fmt.Errorf("header: version %d, %d bytes", raw[6], length)
	}
	header := string(raw[start : start+length])
	descr, fortran, dims := npyDescr.FindStringSubmatch(header), npyFortran.FindStringSubmatch(header), npyShape.FindStringSubmatch(header)
	if descr == nil || fortran == nil || dims == nil {
		return 0, nil, nil, fmt.Errorf("header: %.100q", header)
	}
	dt, ok := npyTypes[descr[1]]
	if !ok {
		return 0, nil, nil, fmt.Errorf("dtype %q: want one of <f4 <i4 <i8 |i1 |u1", descr[1])
	}
	var shape []int64
	for _, s := range strings.Split(dims[1], ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		d, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, nil, nil, fmt.Errorf("shape: %w", err)
		}
		shape = append(shape, d)
	}
	if fortran[1] == "True" && len(shape) > 1 {
		return 0, nil, nil, errors.New("column-major arrays are not supported; save with numpy.ascontiguousarray")
	}
	return dt, shape, raw[start+length:], nil
}
