package alphabet

import (
	"encoding/binary"

	"poaid/engine"
)

// at reads a letter that Slice has asked for.
func at(c *engine.SliceCtx, operand int, i int64) (int64, error) {
	b, ok := c.Opened.Open(operand, i)
	if !ok {
		return 0, engine.ErrNotOpened
	}
	return int64(b[0]), nil
}

func one(operand int, i int64) engine.Range {
	return engine.Range{Operand: operand, Start: i, Count: 1}
}

func halt(after uint64) *engine.Op {
	return &engine.Op{
		Name: "halt@1", Kind: engine.Local,
		Slice: func(*engine.SliceCtx) ([]engine.Range, bool, error) { return nil, true, nil },
		EvalSlice: func(c *engine.SliceCtx) ([]byte, error) {
			if c.T+1 == after {
				return binary.LittleEndian.AppendUint64(nil, after), nil
			}
			return make([]byte, 8), nil
		},
	}
}

func turn() *engine.Op {
	places := func(c *engine.SliceCtx) []engine.Range {
		return []engine.Range{one(0, (c.Elem+1)%c.Out.Shape[0]), one(1, c.Elem), one(2, 0)}
	}
	return &engine.Op{
		Name: "turn@1", Kind: engine.Local,
		Slice: func(c *engine.SliceCtx) ([]engine.Range, bool, error) { return places(c), true, nil },
		EvalSlice: func(c *engine.SliceCtx) ([]byte, error) {
			sum := int64(0)
			for _, r := range places(c) {
				v, err := at(c, r.Operand, r.Start)
				if err != nil {
					return nil, err
				}
				sum += v
			}
			return []byte{byte(sum % letters)}, nil
		},
	}
}

func tally(terms, stride int64) *engine.Op {
	place := func(c *engine.SliceCtx, j int64) int64 { return (c.Elem + j*stride) % c.In[0].Shape[0] }
	return &engine.Op{
		Name: "tally@1", Kind: engine.Fold,
		Steps: func(*engine.SliceCtx) (int64, error) { return terms, nil },
		Slice: func(c *engine.SliceCtx) ([]engine.Range, bool, error) {
			var more []engine.Range
			for j := c.From; j < c.To; j++ {
				more = append(more, one(0, place(c, j)))
			}
			return more, true, nil
		},
		EvalSlice: func(c *engine.SliceCtx) ([]byte, error) {
			acc := make([]byte, 4)
			if c.From > 0 && len(c.Acc) != len(acc) {
				return nil, engine.ErrAccumulator
			}
			copy(acc, c.Acc)
			sum := binary.LittleEndian.Uint32(acc)
			for j := c.From; j < c.To; j++ {
				v, err := at(c, 0, place(c, j))
				if err != nil {
					return nil, err
				}
				sum = sum*3 + uint32(v) // the order matters
			}
			if c.To == terms {
				return []byte{byte(sum % letters)}, nil
			}
			return binary.LittleEndian.AppendUint32(nil, sum), nil
		},
	}
}

func jump() *engine.Op {
	place := func(c *engine.SliceCtx, v int64) int64 { return (c.Elem + v*97) % c.In[0].Shape[0] }
	return &engine.Op{
		Name: "jump@1", Kind: engine.Local,
		Slice: func(c *engine.SliceCtx) ([]engine.Range, bool, error) {
			v, err := at(c, 0, c.Elem)
			if err != nil {
				return []engine.Range{one(0, c.Elem)}, false, nil //nolint:nilerr // not open yet: this asks for it
			}
			return []engine.Range{one(0, place(c, v))}, true, nil
		},
		EvalSlice: func(c *engine.SliceCtx) ([]byte, error) {
			v, err := at(c, 0, c.Elem)
			if err != nil {
				return nil, err
			}
			if v, err = at(c, 0, place(c, v)); err != nil {
				return nil, err
			}
			return []byte{byte((v + int64(c.T)) % letters)}, nil
		},
	}
}
