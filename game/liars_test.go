package game_test

import (
	"math/rand/v2"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
)

// wrongOutput is an honest run whose output root has one wrong entry.
type wrongOutput struct {
	game.Trace
	output int
}

func (w *wrongOutput) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := w.Trace.Tree(tree, t)
	if err != nil || tree != game.TreeOutputs {
		return x, err
	}
	return withLeaf(x, w.output, commit.Leaf([]byte("another output"))), nil
}

// swapped is an honest run whose states, from a step on, have one wrong entry, though every node is right.
type swapped struct {
	game.Trace
	from  uint64
	state int
}

func (s *swapped) StateRoot(t uint64) (commit.Hash, error) {
	x, err := s.Tree(game.TreeStates, t)
	if err != nil {
		return commit.Hash{}, err
	}
	return commit.NamedRootOf(x.Root()), nil
}

func (s *swapped) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := s.Trace.Tree(tree, t)
	if err != nil || tree != game.TreeStates || t < s.from {
		return x, err
	}
	return withLeaf(x, s.state, commit.Leaf([]byte("another state"))), nil
}

// withLeaf rebuilds a tree with another leaf.
func withLeaf(x *commit.Tree, i int, leaf commit.Hash) *commit.Tree {
	leaves := make([]commit.Hash, x.Leaves())
	for j := range leaves {
		leaves[j], _ = x.Node(commit.Span{Lo: uint64(j), Hi: uint64(j) + 1})
	}
	leaves[i%len(leaves)] = leaf
	return commit.NewLeafTree(leaves)
}

// garbled gives garbage in place of some answers, always the same for the same question.
type garbled struct {
	game.Trace
	seed uint64
	odds uint64 // one in so many answers is garbage
}

func (b *garbled) rng(parts ...uint64) *rand.Rand {
	h := b.seed
	for _, p := range parts {
		h = (h ^ p) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return rand.New(rand.NewPCG(h, b.seed))
}

func (b *garbled) garbles(r *rand.Rand) bool { return r.Uint64N(b.odds) == 0 }

func (b *garbled) StateRoot(t uint64) (commit.Hash, error) {
	if r := b.rng(1, t); b.garbles(r) {
		return randomHash(r), nil
	}
	return b.Trace.StateRoot(t)
}

func (b *garbled) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := b.Trace.Tree(tree, t)
	if r := b.rng(2, uint64(tree), t); err == nil && b.garbles(r) {
		return withLeaf(x, r.IntN(1<<20), randomHash(r)), nil
	}
	return x, err
}

func (b *garbled) Tensor(t uint64, ref engine.OperandRef) (*game.Tensor, error) {
	x, err := b.Trace.Tensor(t, ref)
	if r := b.rng(3, t, uint64(ref.Kind), uint64(ref.Index)); err == nil && b.garbles(r) {
		data := append([]byte(nil), x.Data...)
		data[r.IntN(len(data))] ^= 1
		return &game.Tensor{Root: x.Root, Data: data, Tree: commit.NewTree(data)}, nil
	}
	return x, err
}

func (b *garbled) Accumulators(t uint64, node int, elem int64, cuts []int64) ([][]byte, error) {
	accs, err := b.Trace.Accumulators(t, node, elem, cuts)
	out := append([][]byte(nil), accs...)
	for i := range out {
		if r := b.rng(4, t, uint64(node), uint64(elem), uint64(cuts[i])); b.garbles(r) {
			out[i] = randomBytes(r, r.IntN(10))
		}
	}
	return out, err
}

func randomHash(r *rand.Rand) commit.Hash { return commit.Hash(randomBytes(r, commit.Size)) }

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// mischief makes a move that no honest solver would make, nil if it finds none that is legal.
func mischief(r *rand.Rand, g game.Game, s *game.Solver) game.Move {
	for range 6 {
		m := mischiefMove(r, g, s)
		if m != nil && g.Legal(m) == nil {
			return m
		}
	}
	return nil
}

func mischiefMove(r *rand.Rand, g game.Game, s *game.Solver) game.Move {
	hashes := func(n int) []commit.Hash {
		out := make([]commit.Hash, n)
		for i := range out {
			out[i] = randomHash(r)
		}
		return out
	}
	switch r.IntN(8) {
	case 0:
		return game.Split{Hashes: hashes(r.IntN(int(g.Arity) + 1))}
	case 1:
		spans, err := g.Span.Children(2)
		if err != nil {
			return nil
		}
		return game.Split{Hashes: hashes(len(spans))}
	case 2:
		return game.Accumulators{Values: [][]byte{randomBytes(r, 4)}}
	case 3:
		return game.Chunk{Data: randomBytes(r, r.IntN(commit.ChunkSize+1))}
	case 4:
		return game.RejectUpdates{}
	case 5:
		return forged(r, g, s)
	default:
		return game.Reject{Index: r.Uint64N(70)}
	}
}

// forged takes the evidence of a solver and changes one byte of it, or passes it off as a proof of stopping.
func forged(r *rand.Rand, g game.Game, s *game.Solver) game.Move {
	m, err := s.Next(g)
	j, ok := m.(game.Judge)
	if err != nil || !ok || len(j.Evidence.Operands) == 0 {
		return nil
	}
	p := &j.Evidence.Operands[r.IntN(len(j.Evidence.Operands))]
	switch {
	case len(p.Ranges) > 0 && r.IntN(2) == 0:
		q := &p.Ranges[r.IntN(len(p.Ranges))]
		q.Data = append([]byte(nil), q.Data...)
		q.Data[r.IntN(len(q.Data))] ^= 4
	case len(p.Member) > 0:
		p.Member = append([]commit.Hash(nil), p.Member...)
		p.Member[0][0] ^= 1
	default:
		p.Root[0] ^= 1
	}
	return j
}
