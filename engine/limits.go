package engine

import "fmt"

// Limits bound what a program may ask for. Every one is checked before anything of that size is allocated.
type Limits struct {
	ProgramBytes int64 // encoded program
	Nodes        int   // nodes of one graph
	Operands     int   // operands of one node
	Rank         int   // dimensions of a tensor
	Elements     int64 // elements of one tensor, at any step
	TensorBytes  int64 // bytes of one tensor, at any step
	StateBytes   int64 // bytes of all states together
	WeightBytes  int64 // bytes of all weights together
	Declared     int   // weights, inputs and states, each
	NameBytes    int   // any name
	Attrs        int   // attributes of one node
	AttrInts     int   // integers of one attribute
	ConstBytes   int64 // attribute data and input defaults of the program together
	MaxSteps     uint64
}

// DefaultLimits suit programs of some billions of parameters.
func DefaultLimits() Limits {
	return Limits{
		ProgramBytes: 8 << 20,
		Nodes:        1 << 16,
		Operands:     64,
		Rank:         6,
		Elements:     1 << 33,
		TensorBytes:  1 << 35,
		StateBytes:   1 << 37,
		WeightBytes:  1 << 37,
		Declared:     1 << 12,
		NameBytes:    128,
		Attrs:        8,
		AttrInts:     16,
		ConstBytes:   4 << 20,
		MaxSteps:     1 << 32,
	}
}

// check refuses limits that would make the engine's own arithmetic overflow.
func (l Limits) check() error {
	if l.Elements < 1 || l.Elements > 1<<48 || l.TensorBytes < 1 || l.TensorBytes > 1<<51 {
		return fmt.Errorf("limits: elements %d and tensor bytes %d must be in 1..2^48 and 1..2^51", l.Elements, l.TensorBytes)
	}
	if l.Rank < 1 || l.Rank > 8 {
		return fmt.Errorf("limits: rank %d must be in 1..8", l.Rank)
	}
	if l.MaxSteps < 1 || l.MaxSteps > 1<<40 {
		return fmt.Errorf("limits: max steps %d must be in 1..2^40", l.MaxSteps)
	}
	return nil
}
