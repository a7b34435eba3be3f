package adversary

import (
	"math/rand/v2"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
)

// GarbledTrace gives garbage in place of some answers, always the same for the same question.
type GarbledTrace struct {
	game.Trace
	Seed uint64
	Odds uint64 // one in so many answers is garbage
}

func (b *GarbledTrace) rng(parts ...uint64) *rand.Rand {
	h := b.Seed
	for _, p := range parts {
		h = (h ^ p) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return rand.New(rand.NewPCG(h, b.Seed))
}

func (b *GarbledTrace) garbles(r *rand.Rand) bool { return r.Uint64N(b.Odds) == 0 }

// StateRoot implements game.Trace.
func (b *GarbledTrace) StateRoot(t uint64) (commit.Hash, error) {
	if r := b.rng(1, t); b.garbles(r) {
		return randomHash(r), nil
	}
	return b.Trace.StateRoot(t)
}

// Tree implements game.Trace.
func (b *GarbledTrace) Tree(tree game.Tree, t uint64) (*commit.Tree, error) {
	x, err := b.Trace.Tree(tree, t)
	if r := b.rng(2, uint64(tree), t); err == nil && b.garbles(r) {
		return withLeaf(x, r.IntN(1<<20), randomHash(r)), nil
	}
	return x, err
}

// Tensor implements game.Trace.
func (b *GarbledTrace) Tensor(t uint64, ref engine.OperandRef) (*game.Tensor, error) {
	x, err := b.Trace.Tensor(t, ref)
	if r := b.rng(3, t, uint64(ref.Kind), uint64(ref.Index)); err == nil && b.garbles(r) {
		data := append([]byte(nil), x.Data...)
		data[r.IntN(len(data))] ^= 1
		return &game.Tensor{Root: x.Root, Data: data, Tree: commit.NewTree(data)}, nil
	}
	return x, err
}

// Accumulators implements game.Trace.
func (b *GarbledTrace) Accumulators(t uint64, node int, elem int64, cuts []int64) ([][]byte, error) {
	accs, err := b.Trace.Accumulators(t, node, elem, cuts)
	out := append([][]byte(nil), accs...)
	for i := range out {
		if r := b.rng(4, t, uint64(node), uint64(elem), uint64(cuts[i])); b.garbles(r) {
			out[i] = randomBytes(r, r.IntN(10))
		}
	}
	return out, err
}
