package onnx

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of an ONNX file, checked while it is read and before anything of that size is allocated.
const (
	// MaxFileBytes bounds the file; protobuf messages cannot be larger than 2 GiB.
	MaxFileBytes = 1<<31 - 1
	// MaxNodes bounds the nodes of a graph.
	MaxNodes = 1 << 16
	// MaxTensors bounds the initialisers of a graph, and its inputs and outputs.
	MaxTensors = 1 << 14
	// MaxRank bounds the dimensions of a tensor.
	MaxRank = 8
	// MaxElements bounds the elements of a tensor, in the file or computed from it.
	MaxElements = 1 << 31
	// MaxName bounds names.
	MaxName = 1 << 10
	// maxList bounds the operands of a node and the integers of an attribute.
	maxList = 1 << 16
	// maxDepth bounds how deep graphs nest.
	maxDepth = 8
)

// ErrFile is wrapped by every error about the form of a file.
var ErrFile = errors.New("invalid ONNX file")

// Element types of ONNX (TensorProto.DataType).
const (
	typeFloat    = 1
	typeUint8    = 2
	typeInt8     = 3
	typeInt32    = 6
	typeInt64    = 7
	typeString   = 8
	typeBool     = 9
	typeFloat16  = 10
	typeDouble   = 11
	typeBfloat16 = 16
)

var typeNames = map[int64]string{
	1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool", 10: "float16",
	11: "double", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}

func typeName(t int64) string {
	if n, ok := typeNames[t]; ok {
		return n
	}
	return fmt.Sprintf("element type %d", t)
}

// Model is a parsed file (ModelProto): what the importer reads of it.
type Model struct {
	IRVersion int64
	Producer  string
	// Opset is the version of the default domain, 0 when the file names none.
	Opset int64
	// Domains are the other domains that the file asks for.
	Domains []string
	Graph   *Graph
	// Functions is the number of functions that the file defines.
	Functions int
}

// Graph is a GraphProto.
type Graph struct {
	Name         string
	Nodes        []*Node
	Initializers []*Tensor
	Inputs       []Info
	Outputs      []Info
	// Sparse is the number of sparse initialisers.
	Sparse int
}

// Node is a NodeProto. An empty input name is an operand that is left out.
type Node struct {
	Name    string
	Op      string
	Domain  string
	Inputs  []string
	Outputs []string
	Attrs   map[string]*Attr
}

// Attr is an AttributeProto.
type Attr struct {
	Type    int64
	F       float32
	I       int64
	S       string
	T       *Tensor
	G       *Graph
	Floats  []float32
	Ints    []int64
	Strings []string
}

// Info is a ValueInfoProto of a tensor. A dimension is −1 where it is not fixed.
type Info struct {
	Name string
	Type int64
	Dims []int64
	// Params name the dimensions that are not fixed, "" for the others.
	Params []string
	// HasShape is false where nothing is said about the shape.
	HasShape bool
}

// Tensor is a TensorProto; its data is still encoded.
type Tensor struct {
	Name     string
	Type     int64
	Dims     []int64
	Raw      []byte
	HasRaw   bool
	Floats   []float32
	Doubles  []float64
	Int32s   []int32
	Int64s   []int64
	Strings  int
	External bool
	Location string
}

// field is one field of a message.
type field struct {
	num  protowire.Number
	typ  protowire.Type
	data []byte // length-delimited
	v    uint64 // varint, fixed32, fixed64
}

// fields calls each on every field of a message, in order.
func fields(b []byte, each func(f field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("tag: %w", protowire.ParseError(n))
		}
		b = b[n:]
		f := field{num: num, typ: typ}
		switch typ {
		case protowire.VarintType:
			f.v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.v = uint64(v)
		case protowire.Fixed64Type:
			f.v, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.data, n = protowire.ConsumeBytes(b)
		default:
			return fmt.Errorf("field %d: wire type %d", num, typ)
		}
		if n < 0 {
			return fmt.Errorf("field %d: %w", num, protowire.ParseError(n))
		}
		b = b[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// want refuses a field of another wire type.
func (f field) want(name string, t protowire.Type) error {
	if f.typ != t {
		return fmt.Errorf("%s: wire type %d, want %d", name, f.typ, t)
	}
	return nil
}

func (f field) text(name string, to *string) error {
	if err := f.want(name, protowire.BytesType); err != nil {
		return err
	}
	if len(f.data) > MaxName {
		return fmt.Errorf("%s: %d bytes, limit %d", name, len(f.data), MaxName)
	}
	*to = string(f.data)
	return nil
}

func (f field) integer(name string, to *int64) error {
	if err := f.want(name, protowire.VarintType); err != nil {
		return err
	}
	*to = int64(f.v)
	return nil
}

// message parses a nested message.
func (f field) message(name string, parse func(b []byte) error) error {
	if err := f.want(name, protowire.BytesType); err != nil {
		return err
	}
	if err := parse(f.data); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// repeated reads the elements of a repeated number, packed or not. limit bounds how many there are.
func repeated[E any](f field, name string, to *[]E, limit int, plain protowire.Type, conv func(v uint64) E) error {
	add := func(v uint64) error {
		if len(*to) >= limit {
			return fmt.Errorf("%s: more than %d", name, limit)
		}
		*to = append(*to, conv(v))
		return nil
	}
	if f.typ == plain {
		return add(f.v)
	}
	if err := f.want(name, protowire.BytesType); err != nil {
		return err
	}
	b := f.data
	for len(b) > 0 {
		var v uint64
		n := 0
		switch plain {
		case protowire.Fixed32Type:
			var v32 uint32
			v32, n = protowire.ConsumeFixed32(b)
			v = uint64(v32)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			v, n = protowire.ConsumeVarint(b)
		}
		if n < 0 {
			return fmt.Errorf("%s: %w", name, protowire.ParseError(n))
		}
		b = b[n:]
		if err := add(v); err != nil {
			return err
		}
	}
	return nil
}

func asInt64(v uint64) int64     { return int64(v) }
func asInt32(v uint64) int32     { return int32(v) }
func asFloat32(v uint64) float32 { return math.Float32frombits(uint32(v)) }
func asFloat64(v uint64) float64 { return math.Float64frombits(v) }
