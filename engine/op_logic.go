package engine

import (
	"fmt"

	"poaid/engine/kernel"
	"poaid/engine/num"
)

func errAttr(name string, got any, want string) error {
	return fmt.Errorf("attr %s: %v, want %s", name, got, want)
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// logicOps are the comparisons, the logical ops and where.
func logicOps() []*Op {
	same := func(c *InferCtx) (DType, error) {
		if c.In[1].DType != c.In[0].DType {
			return 0, wrongDType(1, c.In[1].DType, c.In[0].DType.String())
		}
		return U8, nil
	}
	compare := func(name string, pred kernel.Predicate, holds func(sign int) bool) *Op {
		table := [3]uint8{uint8(bit(holds(-1))), uint8(bit(holds(0))), uint8(bit(holds(1)))}
		return elementwise{name: name, operands: 2, weight: 1, dtype: same, scalar: func(n *NodeView) scalarFn {
			dt := n.In[0].DType
			return func(x [4]uint64) uint64 { return uint64(table[compareBits(dt, x[0], x[1])+1]) }
		}, vector: func(c *EvalCtx, l *loops) runFn {
			switch c.X[0].dtype {
			case F32:
				y, a, b, s := c.Y.U8(), c.X[0].F32(), c.X[1].F32(), l.step
				return func(at int64, x []int64, n int64) {
					kernel.Compare(pred, y[at:at+n], a[x[0]:], b[x[1]:], int(s[0]), int(s[1]))
				}
			case I32:
				a, b := c.X[0].I32(), c.X[1].I32()
				return compareRun(c.Y.U8(), l, &table, func(i, j int64) int { return cmpInt(a[i], b[j]) })
			case I64:
				a, b := c.X[0].I64(), c.X[1].I64()
				return compareRun(c.Y.U8(), l, &table, func(i, j int64) int { return cmpInt(a[i], b[j]) })
			default:
				return nil
			}
		}}.op()
	}
	u8 := func(c *InferCtx) (DType, error) {
		for i, in := range c.In {
			if in.DType != U8 {
				return 0, wrongDType(i, in.DType, "u8")
			}
		}
		return U8, nil
	}
	logical := func(name string, operands int, f func(a, b bool) bool) *Op {
		return elementwise{name: name, operands: operands, weight: 1, dtype: u8, scalar: func(*NodeView) scalarFn {
			return func(x [4]uint64) uint64 { return bit(f(x[0] != 0, x[1] != 0)) }
		}, vector: func(c *EvalCtx, l *loops) runFn {
			y, a, b, s := c.Y.U8(), c.X[0].U8(), c.X[operands-1].U8(), l.step
			return func(at int64, x []int64, n int64) {
				for i := range n {
					y[at+i] = uint8(bit(f(a[x[0]+i*s[0]] != 0, b[x[operands-1]+i*s[operands-1]] != 0)))
				}
			}
		}}.op()
	}
	return []*Op{
		compare("eq@1", kernel.Equal, func(s int) bool { return s == 0 }),
		compare("lt@1", kernel.Before, func(s int) bool { return s < 0 }),
		compare("le@1", kernel.BeforeOrEqual, func(s int) bool { return s <= 0 }),
		logical("and@1", 2, func(a, b bool) bool { return a && b }),
		logical("or@1", 2, func(a, b bool) bool { return a || b }),
		logical("not@1", 1, func(a, _ bool) bool { return !a }),
		whereOp(),
	}
}

// compareBits orders two elements: f32 by num.Key, integers by value.
func compareBits(dt DType, a, b uint64) int {
	if dt == F32 {
		return cmpInt(num.Key(f32of(a)), num.Key(f32of(b)))
	}
	return cmpInt(signExtend(dt, a), signExtend(dt, b))
}

// compareRun looks the sign of every comparison up in table.
func compareRun(y []uint8, l *loops, table *[3]uint8, sign func(i, j int64) int) runFn {
	sa, sb := l.step[0], l.step[1]
	return func(at int64, x []int64, n int64) {
		for i := range n {
			y[at+i] = table[sign(x[0]+i*sa, x[1]+i*sb)+1]
		}
	}
}

func whereOp() *Op {
	return elementwise{
		name: "where@1", operands: 3, weight: 1,
		dtype: func(c *InferCtx) (DType, error) {
			if c.In[0].DType != U8 {
				return 0, wrongDType(0, c.In[0].DType, "u8")
			}
			if c.In[1].DType != c.In[2].DType {
				return 0, wrongDType(2, c.In[2].DType, c.In[1].DType.String())
			}
			return c.In[1].DType, nil
		},
		scalar: func(*NodeView) scalarFn {
			return func(x [4]uint64) uint64 {
				if x[0] != 0 {
					return x[1]
				}
				return x[2]
			}
		},
		vector: func(c *EvalCtx, l *loops) runFn {
			switch SizeOf(c.Y.dtype) {
			case 4:
				if s := l.step; s[0] == 1 {
					y, cond, a, b := view[float32](c.Y.data), c.X[0].U8(), view[float32](c.X[1].data), view[float32](c.X[2].data)
					return func(at int64, x []int64, n int64) {
						kernel.Choose(y[at:at+n], cond[x[0]:x[0]+n], a[x[1]:], b[x[2]:], int(s[1]), int(s[2]))
					}
				}
				return whereRun(view[int32](c.Y.data), c.X[0].U8(), view[int32](c.X[1].data), view[int32](c.X[2].data), l.step[:])
			case 8:
				return whereRun(view[int64](c.Y.data), c.X[0].U8(), view[int64](c.X[1].data), view[int64](c.X[2].data), l.step[:])
			default:
				return nil
			}
		},
	}.op()
}

func whereRun[E int32 | int64](y []E, cond []uint8, a, b []E, s []int64) runFn {
	return func(at int64, x []int64, n int64) {
		dst, c := y[at:at+n], cond[x[0]:]
		for i := range dst {
			v := b[x[2]+int64(i)*s[2]]
			if c[int64(i)*s[0]] != 0 {
				v = a[x[1]+int64(i)*s[1]]
			}
			dst[i] = v
		}
	}
}

// castOps is cast@1.
func castOps() []*Op {
	return []*Op{elementwise{
		name: "cast@1", operands: 1, attrs: []AttrDef{textAttr("mode")}, weight: 1,
		dtype: func(c *InferCtx) (DType, error) {
			mode, rounds := c.Attrs.Text("mode"), c.In[0].DType == F32 && c.Out.DType != F32
			if rounds && mode != "nearest" && mode != "trunc" {
				return 0, errAttr("mode", mode, "nearest or trunc for f32 to integer")
			}
			if !rounds && mode != "" {
				return 0, errAttr("mode", mode, "nothing unless f32 is cast to an integer")
			}
			return c.Out.DType, nil
		},
		scalar: func(n *NodeView) scalarFn {
			mode := num.NearestEven
			if n.Attrs.Text("mode") == "trunc" {
				mode = num.Truncate
			}
			from, to := n.In[0].DType, n.Out.DType
			return func(x [4]uint64) uint64 { return castBits(from, to, x[0], mode) }
		},
		vector: func(c *EvalCtx, _ *loops) runFn {
			if c.X[0].dtype != U8 || c.Y.dtype != F32 {
				return nil
			}
			y, a := c.Y.F32(), c.X[0].U8()
			return func(at int64, x []int64, n int64) {
				for i, v := range a[x[0] : x[0]+n] {
					y[at+int64(i)] = num.U8ToF32(v)
				}
			}
		},
	}.op()}
}

func castBits(from, to DType, x uint64, mode num.Rounding) uint64 {
	switch {
	case from == F32 && to == F32:
		return x
	case from == F32:
		v := f32of(x)
		switch to {
		case I32:
			return uint64(uint32(num.F32ToI32(v, mode)))
		case I64:
			return uint64(num.F32ToI64(v, mode))
		case I8:
			return uint64(uint8(num.F32ToI8(v, mode)))
		default:
			return uint64(num.F32ToU8(v, mode))
		}
	case to == F32:
		return bitsOf(num.I64ToF32(signExtend(from, x))) // every integer dtype fits int64 exactly
	default:
		v := uint64(signExtend(from, x))
		switch SizeOf(to) {
		case 1:
			return v & 0xff
		case 4:
			return v & 0xffffffff
		default:
			return v
		}
	}
}
