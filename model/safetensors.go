package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"

	"poaid/engine"
	"poaid/model/half"
)

// Limits of a safetensors file.
const (
	MaxHeaderBytes = 16 << 20
	MaxTensors     = 1 << 14
	MaxTensorName  = 256
	MaxTensorRank  = 8
)

// ErrSafetensors is wrapped by every error about a safetensors file.
var ErrSafetensors = errors.New("invalid safetensors")

// NamedTensor is a tensor and its name in a file.
type NamedTensor struct {
	Name   string
	Tensor *engine.Tensor
}

// stDTypes are the element types of the format that the engine has.
var stDTypes = []struct {
	name  string
	dtype engine.DType
}{{"F32", engine.F32}, {"I32", engine.I32}, {"I64", engine.I64}, {"I8", engine.I8}, {"U8", engine.U8}}

// entry is one tensor of the header.
type entry struct {
	DType   string    `json:"dtype"`
	Shape   []int64   `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// ParseSafetensors reads a file: u64 header length, JSON header, data. It is strict: names are unique, dtypes are F32, I32, I64, I8 or
// U8, offsets of a tensor match its shape, and the tensors cover the data without gap or overlap. Tensors are in order of their
// offsets and share data's memory where it is aligned. The second result is the header's __metadata__.
func ParseSafetensors(data []byte) ([]NamedTensor, map[string]string, error) {
	return parseSafetensors(data, readEntry)
}

// ParseSafetensorsWide reads a file as ParseSafetensors does, and F16, BF16 and F64 too: their values become f32, for the engine has no
// such types.
func ParseSafetensorsWide(data []byte) ([]NamedTensor, map[string]string, error) {
	return parseSafetensors(data, readWide)
}

func parseSafetensors(data []byte, read func(e entry, at uint64, body []byte) (*engine.Tensor, error)) ([]NamedTensor, map[string]string, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("%w: file: %d bytes, want at least 8", ErrSafetensors, len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > MaxHeaderBytes {
		return nil, nil, fmt.Errorf("%w: header: %d bytes, limit %d", ErrSafetensors, n, MaxHeaderBytes)
	}
	if n > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("%w: header: %d bytes, the file has %d left", ErrSafetensors, n, len(data)-8)
	}
	names, entries, meta, err := parseHeader(data[8 : 8+n])
	if err != nil {
		return nil, nil, fmt.Errorf("%w: header: %w", ErrSafetensors, err)
	}
	body := data[8+n:]
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := entries[order[a]].Offsets, entries[order[b]].Offsets
		return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
	})
	out := make([]NamedTensor, 0, len(names))
	at := uint64(0)
	for _, i := range order {
		t, err := read(entries[i], at, body)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: tensor %.80q: %w", ErrSafetensors, names[i], err)
		}
		at = entries[i].Offsets[1]
		out = append(out, NamedTensor{Name: names[i], Tensor: t})
	}
	if at != uint64(len(body)) {
		return nil, nil, fmt.Errorf("%w: data: %d bytes, the tensors cover %d", ErrSafetensors, len(body), at)
	}
	return out, meta, nil
}

// readEntry checks one entry against the data; at is where the previous tensor ended.
func readEntry(e entry, at uint64, body []byte) (*engine.Tensor, error) {
	var dtype engine.DType
	for _, d := range stDTypes {
		if d.name == e.DType {
			dtype = d.dtype
		}
	}
	if dtype == 0 {
		return nil, fmt.Errorf("dtype: %.16q, want F32, I32, I64, I8 or U8", e.DType)
	}
	raw, err := entryBytes(e, engine.SizeOf(dtype), at, body)
	if err != nil {
		return nil, err
	}
	return engine.TensorFromBytes(dtype, e.Shape, raw)
}

// entryBytes gives the data of an entry whose elements have that size.
func entryBytes(e entry, element int64, at uint64, body []byte) ([]byte, error) {
	if len(e.Shape) > MaxTensorRank {
		return nil, fmt.Errorf("shape: rank %d, limit %d", len(e.Shape), MaxTensorRank)
	}
	n, err := engine.Elements(e.Shape) // at most 2^56
	if err != nil {
		return nil, err
	}
	size := n * element
	lo, hi := e.Offsets[0], e.Offsets[1]
	if lo > hi || hi > uint64(len(body)) {
		return nil, fmt.Errorf("data_offsets: [%d, %d] outside %d bytes of data", lo, hi, len(body))
	}
	if lo != at {
		return nil, fmt.Errorf("data_offsets: begins at %d, the tensor before ends at %d", lo, at)
	}
	if hi-lo != uint64(size) {
		return nil, fmt.Errorf("data_offsets: %d bytes, the shape takes %d", hi-lo, size)
	}
	return body[lo:hi:hi], nil
}

// readWide is readEntry with floats of other widths, whose values become f32.
func readWide(e entry, at uint64, body []byte) (*engine.Tensor, error) {
	var size int64
	var value func(b []byte) float32
	switch e.DType {
	case "F16":
		size, value = 2, func(b []byte) float32 { return half.FromFloat16(binary.LittleEndian.Uint16(b)) }
	case "BF16":
		size, value = 2, func(b []byte) float32 { return half.FromBFloat16(binary.LittleEndian.Uint16(b)) }
	case "F64":
		size, value = 8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	default:
		return readEntry(e, at, body)
	}
	raw, err := entryBytes(e, size, at, body)
	if err != nil {
		return nil, err
	}
	t, err := engine.NewTensor(engine.F32, e.Shape, MaxWeightsBytes)
	if err != nil {
		return nil, err
	}
	v := t.F32()
	for i := range v {
		v[i] = value(raw[int64(i)*size:])
	}
	return t, nil
}

// parseHeader reads the JSON object key by key, because a map would hide duplicates.
func parseHeader(raw []byte) (names []string, entries []entry, meta map[string]string, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, nil, nil, errors.New("is not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, nil, nil, err
		}
		name, _ := tok.(string)
		switch {
		case seen[name]:
			return nil, nil, nil, fmt.Errorf("name %.80q occurs twice", name)
		case name == "" || len(name) > MaxTensorName:
			return nil, nil, nil, fmt.Errorf("name of %d bytes, want 1 to %d", len(name), MaxTensorName)
		case len(names) == MaxTensors:
			return nil, nil, nil, fmt.Errorf("more than %d tensors", MaxTensors)
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, nil, err
		}
		if name == "__metadata__" {
			if err := json.Unmarshal(value, &meta); err != nil {
				return nil, nil, nil, fmt.Errorf("__metadata__: %w", err)
			}
			continue
		}
		e, err := parseEntry(value)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("tensor %.80q: %w", name, err)
		}
		names, entries = append(names, name), append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, nil, errors.New("something follows the JSON object")
	}
	return names, entries, meta, nil
}

func parseEntry(raw json.RawMessage) (entry, error) {
	var e struct {
		DType   *string  `json:"dtype"`
		Shape   *[]int64 `json:"shape"`
		Offsets []uint64 `json:"data_offsets"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return entry{}, err
	}
	if e.DType == nil || e.Shape == nil || len(e.Offsets) != 2 {
		return entry{}, errors.New("want dtype, shape and two data_offsets")
	}
	return entry{DType: *e.DType, Shape: *e.Shape, Offsets: [2]uint64(e.Offsets)}, nil
}

// FormatSafetensors writes tensors in the given order. The header is padded with spaces so that data begins at a multiple of 64, and
// tensors are sorted so that larger elements come first, which keeps every one aligned to its element size. The bytes depend on
// nothing but the arguments.
func FormatSafetensors(tensors []NamedTensor, meta map[string]string) ([]byte, error) {
	if len(tensors) > MaxTensors {
		return nil, fmt.Errorf("%w: %d tensors, limit %d", ErrSafetensors, len(tensors), MaxTensors)
	}
	order := make([]NamedTensor, len(tensors))
	copy(order, tensors)
	sort.SliceStable(order, func(i, j int) bool {
		return engine.SizeOf(order[i].Tensor.DType()) > engine.SizeOf(order[j].Tensor.DType())
	})
	var head bytes.Buffer
	head.WriteByte('{')
	if len(meta) > 0 {
		m, err := json.Marshal(meta) // keys sorted
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&head, `"__metadata__":%s`, m)
	}
	seen, at := map[string]bool{}, uint64(0)
	for _, t := range order {
		if t.Name == "" || t.Name == "__metadata__" || len(t.Name) > MaxTensorName || seen[t.Name] {
			return nil, fmt.Errorf("%w: name %.80q is empty, reserved, longer than %d or there twice", ErrSafetensors, t.Name, MaxTensorName)
		}
		seen[t.Name] = true
		e := entry{Shape: t.Tensor.Shape(), Offsets: [2]uint64{at, at + uint64(len(t.Tensor.Bytes()))}}
		for _, d := range stDTypes {
			if d.dtype == t.Tensor.DType() {
				e.DType = d.name
			}
		}
		if e.Shape == nil {
			e.Shape = []int64{}
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		if head.Len() > 1 {
			head.WriteByte(',')
		}
		fmt.Fprintf(&head, "%s:%s", name, value)
		at = e.Offsets[1]
	}
	head.WriteByte('}')
	for (8+head.Len())%64 != 0 {
		head.WriteByte(' ')
	}
	if head.Len() > MaxHeaderBytes || at > math.MaxInt64/2 {
		return nil, fmt.Errorf("%w: header of %d bytes, limit %d", ErrSafetensors, head.Len(), MaxHeaderBytes)
	}
	out := make([]byte, 0, 8+uint64(head.Len())+at)
	out = binary.LittleEndian.AppendUint64(out, uint64(head.Len()))
	out = append(out, head.Bytes()...)
	for _, t := range order {
		out = append(out, t.Tensor.Bytes()...)
	}
	return out, nil
}
