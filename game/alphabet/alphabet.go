// Package alphabet is a toy machine for package game: words of letters that are turned and summed, step after step. It has
// everything a game can be about (several states and outputs, a weight, an input, a stop rule, LOCAL nodes, nodes that read
// where their data says, folds with steps far apart, tensors of many chunks) and no engine in it.
package alphabet

import (
	"fmt"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
)

// letters is the size of the alphabet.
const letters = 26

// Config shapes an alphabet.
type Config struct {
	Length int64 // letters of a word
	Nodes  int   // nodes of a step, 2 or more
	Terms  int64 // fold steps of a letter of a tally
	Stride int64 // how far apart those are
	// StopAfter is the number of steps after which the run stops; 0: never.
	StopAfter uint64
}

// Machine is an alphabet. The nodes of a step are
//
//	0      halt   i64[1]      the stop state's next value
//	1      turn   u8[length]  word[i + 1] + key[i] + seed[0]
//	2k     tally  u8[length]  Σ_j previous[i + j·stride], j < terms: a fold
//	2k+1   jump   u8[length]  previous[previous[i] + i] + t: reads where its data says
//
// and the word becomes the last node, "first" becomes node 1, "idle" stays as the weight "key" and "blank" stays blank.
type Machine struct {
	Config
	ops map[string]*engine.Op
}

// New makes an alphabet.
func New(c Config) (*Machine, error) {
	if c.Length < 1 || c.Nodes < 2 || c.Terms < 0 || c.Stride < 1 {
		return nil, fmt.Errorf("alphabet: %+v", c)
	}
	return &Machine{Config: c, ops: map[string]*engine.Op{
		"halt": halt(c.StopAfter), "turn": turn(), "tally": tally(c.Terms, c.Stride), "jump": jump(),
	}}, nil
}

// Weights implements Machine of package game.
func (m *Machine) Weights() []string { return []string{"key", "unused"} }

// Inputs implements Machine of package game.
func (m *Machine) Inputs() []string { return []string{"seed"} }

// Outputs implements Machine of package game.
func (m *Machine) Outputs() []int { return []int{1, 0} }

// States implements Machine of package game.
func (m *Machine) States() []engine.StateSpec {
	word := []int64{m.Length}
	return []engine.StateSpec{
		{Name: "stop", DType: engine.I64, Shape: []int64{1}},
		{Name: "word", DType: engine.U8, Shape: word},
		{Name: "first", DType: engine.U8, Shape: word},
		{Name: "idle", DType: engine.U8, Shape: word, InitWeight: "key"},
		{Name: "blank", DType: engine.U8, Shape: word},
	}
}

// Stop implements Machine of package game.
func (m *Machine) Stop() int { return 0 }

// Nodes implements Machine of package game.
func (m *Machine) Nodes(uint64) int { return m.Config.Nodes }

// Update implements Machine of package game.
func (m *Machine) Update(_ uint64, s int) (int, error) {
	return []int{0, m.Config.Nodes - 1, 1, -1, -1}[s], nil
}

// Units implements Machine of package game.
func (m *Machine) Units(uint64) (uint64, error) {
	return uint64(m.Length) * uint64(m.Config.Nodes), nil
}

// Node implements Machine of package game.
func (m *Machine) Node(t uint64, n int) (*engine.NodeView, []engine.OperandRef, error) {
	word := engine.Operand{DType: engine.U8, Shape: []int64{m.Length}}
	v := &engine.NodeView{Name: fmt.Sprintf("%d", n), T: t, Out: word}
	switch {
	case n < 0 || n >= m.Config.Nodes:
		return nil, nil, fmt.Errorf("node %d of %d", n, m.Config.Nodes)
	case n == 0:
		v.Op, v.Out = m.ops["halt"], engine.Operand{DType: engine.I64, Shape: []int64{1}}
		return v, nil, nil
	case n == 1:
		v.Op = m.ops["turn"]
		v.In = []engine.Operand{word, word, {DType: engine.U8, Shape: []int64{1}}}
		return v, []engine.OperandRef{
			{Kind: graphpb.REF_KIND_STATE, Index: 1}, {Kind: graphpb.REF_KIND_WEIGHT}, {Kind: graphpb.REF_KIND_INPUT},
		}, nil
	case n%2 == 0:
		v.Op = m.ops["tally"]
	default:
		v.Op = m.ops["jump"]
	}
	v.In = []engine.Operand{word}
	return v, []engine.OperandRef{{Kind: graphpb.REF_KIND_NODE, Index: n - 1}}, nil
}

// Tensors returns the weights and inputs of a run, made from a seed.
func (m *Machine) Tensors(seed uint8) (weights, inputs []*engine.Tensor, err error) {
	key := make([]uint8, m.Length)
	for i := range key {
		key[i] = uint8((i*7 + int(seed)) % letters)
	}
	for _, v := range [][]uint8{key, {0}, {seed}} {
		x, err := engine.FromU8(v, int64(len(v)))
		if err != nil {
			return nil, nil, err
		}
		weights = append(weights, x)
	}
	return weights[:2], weights[2:], nil
}

// Roots returns the named roots of weights and inputs.
func (m *Machine) Roots(weights, inputs []*engine.Tensor) (w, in commit.Hash, err error) {
	root := func(names []string, list []*engine.Tensor) (commit.Hash, error) {
		entries := make([]commit.Named, len(list))
		for i, x := range list {
			r, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
			if err != nil {
				return commit.Hash{}, err
			}
			entries[i] = commit.Named{Name: names[i], Root: r}
		}
		return commit.NamedRoot(entries), nil
	}
	if w, err = root(m.Weights(), weights); err != nil {
		return w, in, err
	}
	in, err = root(m.Inputs(), inputs)
	return w, in, err
}
