package adversary

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
)

func stateRef(s int) engine.OperandRef {
	return engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: s}
}

// Flip flips bits of one byte of what a node gave at a step, and goes on from there. at counts around the end of the tensor.
func Flip(step uint64, node, at int, mask byte) game.Tamper {
	return func(t uint64, n int, out *engine.Tensor) *engine.Tensor {
		if t != step || n != node {
			return out
		}
		x := out.Clone()
		x.Bytes()[at%len(x.Bytes())] ^= mask
		return x
	}
}

// Flipped is the lie of a flipped bit.
func Flipped(step uint64, node, at int, mask byte) Lie {
	return func(r *Run) (*Answer, error) {
		src, err := r.source.Tampered(Flip(step, node, at, mask))
		if err != nil {
			return nil, err
		}
		return r.answer(r.trace(src))
	}
}

// FlippedOp flips a high bit of an element of the last node of an op in the last step, of which the result depends.
func FlippedOp(op string) Lie {
	return func(r *Run) (*Answer, error) {
		honest, err := Honest(r)
		if err != nil {
			return nil, err
		}
		step := r.Steps - 1
		for n := r.Machine.Nodes(step) - 1; n >= 0; n-- {
			view, _, err := r.Machine.Node(step, n)
			if err != nil {
				return nil, err
			}
			for at := 3; view.Op.Name == op && at < 64; at += 4 {
				a, err := Flipped(step, n, at, 0x40)(r)
				if err != nil || a.Root != honest.Root {
					return a, err
				}
			}
		}
		return nil, fmt.Errorf("no node %s of which the result depends", op)
	}
}

// WrongOutput has honest states and another output: one byte of it is changed.
func WrongOutput(output int) Lie {
	return func(r *Run) (*Answer, error) {
		honest, err := Honest(r)
		if err != nil {
			return nil, err
		}
		x := honest.Outputs[output].Clone()
		x.Bytes()[0] ^= 1
		root, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
		if err != nil {
			return nil, err
		}
		name := r.Machine.States()[r.Machine.Outputs()[output]].Name
		tr := &OutputTrace{Trace: honest.Trace, Output: output, Leaf: commit.NamedLeaf(commit.Named{Name: name, Root: root})}
		a, err := r.answer(tr)
		if err != nil {
			return nil, err
		}
		a.Outputs = slices.Clone(honest.Outputs)
		a.Outputs[output] = x
		return a, nil
	}
}

// OutputTrace is an honest run whose output tree has another leaf.
type OutputTrace struct {
	game.Trace
	Output int
	Leaf   commit.Hash
}

// Tree implements game.Trace.
func (w *OutputTrace) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := w.Trace.Tree(tree, t)
	if err != nil || tree != game.TreeOutputs {
		return x, err
	}
	return withLeaf(x, w.Output, w.Leaf), nil
}

// WrongState has one wrong entry in its states from a step on, though every node is right.
func WrongState(from uint64, state int) Lie {
	return func(r *Run) (*Answer, error) {
		return r.answer(&StateTrace{Trace: r.trace(r.source), From: from, State: state})
	}
}

// StateTrace is an honest run whose states, from a step on, have one wrong entry.
type StateTrace struct {
	game.Trace
	From  uint64
	State int
}

// StateRoot implements game.Trace.
func (s *StateTrace) StateRoot(t uint64) (commit.Hash, error) {
	x, err := s.Tree(game.TreeStates, t)
	if err != nil {
		return commit.Hash{}, err
	}
	return commit.NamedRootOf(x.Root()), nil
}

// Tree implements game.Trace.
func (s *StateTrace) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := s.Trace.Tree(tree, t)
	if err != nil || tree != game.TreeStates || t < s.From {
		return x, err
	}
	return withLeaf(x, s.State, commit.Leaf([]byte("another state"))), nil
}

// withLeaf rebuilds a tree with another leaf.
func withLeaf(x *commit.Tree, i int, leaf commit.Hash) *commit.Tree {
	leaves := make([]commit.Hash, x.Leaves())
	for j := range leaves {
		h, err := x.Node(commit.Span{Lo: uint64(j), Hi: uint64(j) + 1})
		if err != nil { // every leaf is there
			panic(err)
		}
		leaves[j] = h
	}
	leaves[i%len(leaves)] = leaf
	return commit.NewLeafTree(leaves)
}

// ErrNoPreimage is what somebody gets who asks for what is behind an invented root.
var ErrNoPreimage = errors.New("nothing hashes to this root")

// NoPreimage invents a state root that nothing hashes to. Its owner can open the result, and nothing behind it.
func NoPreimage(seed uint64) Lie {
	return func(r *Run) (*Answer, error) {
		a, err := Honest(r)
		if err != nil {
			return nil, err
		}
		a.StateRoot = randomHash(rand.New(rand.NewPCG(seed, 0)))
		a.Root = commit.ResultRoot(r.Steps, a.StateRoot, a.OutputRoot)
		a.Trace = &hollow{Trace: a.Trace, state: a.StateRoot, steps: r.Steps}
		return a, nil
	}
}

// hollow knows its result and nothing that leads to it.
type hollow struct {
	game.Trace
	state commit.Hash
	steps uint64
}

func (h *hollow) StateRoot(t uint64) (commit.Hash, error) {
	if t == h.steps {
		return h.state, nil
	}
	return h.Trace.StateRoot(t)
}

func (h *hollow) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	if tree == game.TreeStates && t == h.steps {
		return nil, ErrNoPreimage
	}
	return h.Trace.Tree(tree, t)
}

// Truncated stops after some steps and says that nothing more happened.
func Truncated(at uint64) Lie {
	return func(r *Run) (*Answer, error) {
		return r.answer(&truncated{Trace: r.trace(r.source), run: r, at: at})
	}
}

type truncated struct {
	game.Trace
	run *Run
	at  uint64
}

func (c *truncated) StateRoot(t uint64) (commit.Hash, error) { return c.Trace.StateRoot(min(t, c.at)) }

func (c *truncated) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	switch tree {
	case game.TreeStates:
		return c.Trace.Tree(tree, min(t, c.at))
	case game.TreeOutputs:
		m := c.run.Machine
		var leaves []commit.Hash
		for _, s := range m.Outputs() {
			x, err := c.Trace.Tensor(c.at, stateRef(s))
			if err != nil {
				return nil, err
			}
			leaves = append(leaves, commit.NamedLeaf(commit.Named{Name: m.States()[s].Name, Root: x.Root}))
		}
		return commit.NewLeafTree(leaves), nil
	default:
		return c.Trace.Tree(tree, t)
	}
}

func (c *truncated) Tensor(t uint64, ref engine.OperandRef) (*game.Tensor, error) {
	if ref.Kind == graphpb.REF_KIND_STATE {
		t = min(t, c.at)
	}
	return c.Trace.Tensor(t, ref)
}

// OtherModel runs the program with other weights, as somebody does who serves a cheaper model under the name of a dear one. change is
// shown a copy of every weight.
func OtherModel(change func(name string, x *engine.Tensor)) Lie {
	return func(r *Run) (*Answer, error) {
		weights := make([]*engine.Tensor, len(r.Weights))
		for i, name := range r.Machine.Weights() {
			weights[i] = r.Weights[i].Clone()
			change(name, weights[i])
		}
		other, err := NewMachineRun(r.Machine, weights, r.Inputs, r.Steps)
		if err != nil {
			return nil, err
		}
		return Honest(other)
	}
}

// Coarse keeps the high bytes of float32 weights: what a quantised copy of the model would come to.
func Coarse(_ string, x *engine.Tensor) {
	if x.DType() != engine.F32 {
		return
	}
	b := x.Bytes()
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1] = 0, 0
	}
}

// Garbled plays another lie (or the truth) badly on purpose: it gives garbage in place of one in odds answers, always the same for the same
// question.
func Garbled(of Lie, seed, odds uint64) Lie {
	return func(r *Run) (*Answer, error) {
		a, err := of(r)
		if err != nil {
			return nil, err
		}
		a.Trace = &GarbledTrace{Trace: a.Trace, Seed: seed, Odds: odds}
		return a, nil
	}
}

func randomHash(r *rand.Rand) commit.Hash { return commit.Hash(randomBytes(r, commit.Size)) }

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
