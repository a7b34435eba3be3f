package game_test

import (
	"math/rand/v2"

	"poaid/commit"
	"poaid/game"
)

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
