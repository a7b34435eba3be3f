package onnx_test

import (
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// graph is an ONNX file written by hand: what a case needs of ModelProto.
type graph struct {
	opset  int64
	inputs []tensor // values are a case's inputs; dimensions of −1 are open
	inits  []tensor
	nodes  []node
	output []string
}

// tensor is a named array; v holds its elements in order.
type tensor struct {
	name  string
	typ   int64
	shape []int64
	v     []float64
	open  bool // as an input, its shape is not fixed
}

type node struct {
	op      string
	in, out []string
	attrs   attrs
	domain  string
}

// attrs values: int64, float32, string, []int64, []float32 or tensor.
type attrs map[string]any

// Element types of ONNX.
const (
	f32, u8, i8, i32, i64, boolean, f16, f64, bf16 = 1, 2, 3, 6, 7, 9, 10, 11, 16
)

type message []byte

func (m *message) bytes(num protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, num, protowire.BytesType), b)
}
func (m *message) text(num protowire.Number, s string) { m.bytes(num, []byte(s)) }
func (m *message) int(num protowire.Number, v int64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, num, protowire.VarintType), uint64(v))
}

func (g graph) encode() []byte {
	var b message
	for _, n := range g.nodes {
		b.bytes(1, n.encode())
	}
	b.text(2, "case")
	for _, t := range g.inits {
		b.bytes(5, t.encode())
	}
	for _, t := range g.inputs {
		b.bytes(11, t.info())
	}
	for _, name := range g.output {
		var o message
		o.text(1, name)
		b.bytes(12, o)
	}
	var opset, m message
	opset.text(1, "")
	opset.int(2, g.opset)
	m.int(1, 8)
	m.bytes(7, b)
	m.bytes(8, opset)
	return m
}

func (n node) encode() []byte {
	var b message
	for _, s := range n.in {
		b.text(1, s)
	}
	for _, s := range n.out {
		b.text(2, s)
	}
	b.text(3, n.op+"_"+n.out[0])
	b.text(4, n.op)
	var names []string
	for name := range n.attrs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.bytes(5, encodeAttr(name, n.attrs[name]))
	}
	if n.domain != "" {
		b.text(7, n.domain)
	}
	return b
}

func encodeAttr(name string, v any) []byte {
	var b message
	b.text(1, name)
	switch v := v.(type) {
	case int:
		b.int(3, int64(v))
		b.int(20, 2)
	case float64:
		b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(float32(v)))
		b.int(20, 1)
	case string:
		b.text(4, v)
		b.int(20, 3)
	case []int64:
		for _, x := range v {
			b.int(8, x)
		}
		b.int(20, 7)
	case []float64:
		for _, x := range v {
			b = protowire.AppendFixed32(protowire.AppendTag(b, 7, protowire.Fixed32Type), math.Float32bits(float32(x)))
		}
		b.int(20, 6)
	case tensor:
		b.bytes(5, v.encode())
		b.int(20, 4)
	}
	return b
}

// encode gives a TensorProto with raw data.
func (t tensor) encode() []byte {
	var b message
	for _, d := range t.shape {
		b.int(1, d)
	}
	b.int(2, t.typ)
	b.text(8, t.name)
	b.bytes(9, t.raw())
	return b
}

func (t tensor) raw() []byte {
	var raw []byte
	for _, v := range t.v {
		switch t.typ {
		case f32:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(v)))
		case f64:
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		case bf16:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(math.Float32bits(float32(v))>>16))
		case i32:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(int32(v)))
		case i64:
			i := int64(v)
			if v >= math.MaxInt64 { // which a float64 rounds up
				i = math.MaxInt64
			}
			raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
		default:
			raw = append(raw, byte(int(v)))
		}
	}
	return raw
}

// info gives a ValueInfoProto.
func (t tensor) info() []byte {
	var shape, tt, typ, b message
	for _, d := range t.shape {
		var dim message
		if t.open {
			dim.text(2, "n")
		} else {
			dim.int(1, d)
		}
		shape.bytes(1, dim)
	}
	tt.int(1, t.typ)
	tt.bytes(2, shape)
	typ.bytes(1, tt)
	b.text(1, t.name)
	b.bytes(2, typ)
	return b
}
