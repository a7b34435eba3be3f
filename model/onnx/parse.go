package onnx

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Parse reads a file. Unknown fields are passed over, as protobuf wants; tensors keep their encoded data, views of data where it is
// raw.
func Parse(data []byte) (*Model, error) {
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrFile, len(data), int64(MaxFileBytes))
	}
	m := &Model{}
	err := fields(data, func(f field) error {
		switch f.num {
		case 1:
			return f.integer("ir_version", &m.IRVersion)
		case 2:
			return f.text("producer_name", &m.Producer)
		case 7:
			m.Graph = &Graph{}
			return f.message("graph", func(b []byte) error { return m.Graph.parse(b, 0) })
		case 8:
			return f.message("opset_import", m.opset)
		case 25:
			m.Functions++
		}
		return nil
	})
	if err == nil && m.Graph == nil {
		err = errors.New("graph: there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return m, nil
}

func (m *Model) opset(b []byte) error {
	domain, version := "", int64(0)
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.text("domain", &domain)
		case 2:
			return f.integer("version", &version)
		}
		return nil
	})
	if domain == "" || domain == "ai.onnx" {
		m.Opset = version
	} else if len(m.Domains) < maxList {
		m.Domains = append(m.Domains, domain)
	}
	return err
}

func (g *Graph) parse(b []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	return fields(b, func(f field) error {
		switch f.num {
		case 1:
			if len(g.Nodes) == MaxNodes {
				return fmt.Errorf("node: more than %d", MaxNodes)
			}
			n := &Node{}
			g.Nodes = append(g.Nodes, n)
			return f.message(fmt.Sprintf("node[%d]", len(g.Nodes)-1), func(b []byte) error { return n.parse(b, depth) })
		case 2:
			return f.text("name", &g.Name)
		case 5:
			if len(g.Initializers) == MaxTensors {
				return fmt.Errorf("initializer: more than %d", MaxTensors)
			}
			t := &Tensor{}
			g.Initializers = append(g.Initializers, t)
			return f.message(fmt.Sprintf("initializer[%d]", len(g.Initializers)-1), t.parse)
		case 11:
			return g.info(f, "input", &g.Inputs)
		case 12:
			return g.info(f, "output", &g.Outputs)
		case 15:
			g.Sparse++
		}
		return nil
	})
}

func (*Graph) info(f field, name string, to *[]Info) error {
	if len(*to) == MaxTensors {
		return fmt.Errorf("%s: more than %d", name, MaxTensors)
	}
	var in Info
	if err := f.message(fmt.Sprintf("%s[%d]", name, len(*to)), in.parse); err != nil {
		return err
	}
	*to = append(*to, in)
	return nil
}

func (n *Node) parse(b []byte, depth int) error {
	n.Attrs = map[string]*Attr{}
	list := func(f field, name string, to *[]string) error {
		if len(*to) == maxList {
			return fmt.Errorf("%s: more than %d", name, maxList)
		}
		s := ""
		err := f.text(name, &s)
		*to = append(*to, s)
		return err
	}
	return fields(b, func(f field) error {
		switch f.num {
		case 1:
			return list(f, "input", &n.Inputs)
		case 2:
			return list(f, "output", &n.Outputs)
		case 3:
			return f.text("name", &n.Name)
		case 4:
			return f.text("op_type", &n.Op)
		case 5:
			return f.message("attribute", func(b []byte) error {
				name, a, err := parseAttr(b, depth)
				if err != nil {
					return fmt.Errorf("%.60q: %w", name, err)
				}
				if n.Attrs[name] != nil {
					return fmt.Errorf("%.60q is there twice", name)
				}
				n.Attrs[name] = a
				return nil
			})
		case 7:
			return f.text("domain", &n.Domain)
		}
		return nil
	})
}

// implied is the type of an attribute that gives none, by the field that holds its value (files before IR version 3).
var implied = map[protowire.Number]int64{2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8}

func parseAttr(b []byte, depth int) (name string, a *Attr, err error) {
	a = &Attr{}
	guess := int64(0)
	err = fields(b, func(f field) error {
		if t, ok := implied[f.num]; ok {
			guess = t
		}
		switch f.num {
		case 1:
			return f.text("name", &name)
		case 2:
			a.F = math.Float32frombits(uint32(f.v))
			return f.want("f", protowire.Fixed32Type)
		case 3:
			return f.integer("i", &a.I)
		case 4:
			a.S = string(f.data)
			return f.want("s", protowire.BytesType)
		case 5:
			a.T = &Tensor{}
			return f.message("t", a.T.parse)
		case 6:
			a.G = &Graph{}
			return f.message("g", func(b []byte) error { return a.G.parse(b, depth+1) })
		case 7:
			return repeated(f, "floats", &a.Floats, maxList, protowire.Fixed32Type, asFloat32)
		case 8:
			return repeated(f, "ints", &a.Ints, maxList, protowire.VarintType, asInt64)
		case 9:
			if len(a.Strings) == maxList {
				return fmt.Errorf("strings: more than %d", maxList)
			}
			a.Strings = append(a.Strings, string(f.data))
			return f.want("strings", protowire.BytesType)
		case 20:
			return f.integer("type", &a.Type)
		case 21:
			return errors.New("ref_attr_name: functions are not supported")
		}
		return nil
	})
	if a.Type == 0 {
		a.Type = guess
	}
	return name, a, err
}

func (in *Info) parse(b []byte) error {
	shape := func(b []byte) error {
		in.HasShape = true
		return fields(b, func(f field) error {
			if f.num != 1 {
				return nil
			}
			if len(in.Dims) == MaxRank {
				return fmt.Errorf("rank above %d", MaxRank)
			}
			d, param := int64(-1), ""
			err := f.message("dim", func(b []byte) error {
				return fields(b, func(f field) error {
					switch f.num {
					case 1:
						return f.integer("dim_value", &d)
					case 2:
						return f.text("dim_param", &param)
					}
					return nil
				})
			})
			if d <= 0 { // some exporters write 0 or −1 for "not fixed"
				d = -1
			}
			in.Dims, in.Params = append(in.Dims, d), append(in.Params, param)
			return err
		})
	}
	tensor := func(b []byte) error {
		return fields(b, func(f field) error {
			switch f.num {
			case 1:
				return f.integer("elem_type", &in.Type)
			case 2:
				return f.message("shape", shape)
			}
			return nil
		})
	}
	return fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.text("name", &in.Name)
		case 2:
			return f.message("type", func(b []byte) error {
				return fields(b, func(f field) error {
					if f.num == 1 {
						return f.message("tensor_type", tensor)
					}
					return nil
				})
			})
		}
		return nil
	})
}

func (t *Tensor) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.num {
		case 1:
			return repeated(f, "dims", &t.Dims, MaxRank, protowire.VarintType, asInt64)
		case 2:
			return f.integer("data_type", &t.Type)
		case 3:
			return errors.New("segment: tensors in parts are not supported")
		case 4:
			return repeated(f, "float_data", &t.Floats, MaxElements, protowire.Fixed32Type, asFloat32)
		case 5:
			return repeated(f, "int32_data", &t.Int32s, MaxElements, protowire.VarintType, asInt32)
		case 6:
			t.Strings++
		case 7:
			return repeated(f, "int64_data", &t.Int64s, MaxElements, protowire.VarintType, asInt64)
		case 8:
			return f.text("name", &t.Name)
		case 9:
			t.Raw, t.HasRaw = f.data, true
			return f.want("raw_data", protowire.BytesType)
		case 10:
			return repeated(f, "double_data", &t.Doubles, MaxElements, protowire.Fixed64Type, asFloat64)
		case 13:
			return f.message("external_data", t.external)
		case 14:
			t.External = t.External || f.v == 1
			return f.want("data_location", protowire.VarintType)
		}
		return nil
	})
}

// external notes the file that holds the data (StringStringEntryProto "location").
func (t *Tensor) external(b []byte) error {
	t.External = true
	key, value := "", ""
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			return f.text("key", &key)
		case 2:
			return f.text("value", &value)
		}
		return nil
	})
	if key == "location" {
		t.Location = value
	}
	return err
}
