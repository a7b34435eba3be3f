package engine

import (
	"fmt"

	"poaid/engine/kernel"
)

// broadcastShape returns the common shape of operands, right-aligned, with 1 stretching.
func broadcastShape(shapes ...Shape) (Shape, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := ConstShape(make([]int64, rank)...)
	for i := range out {
		out[i] = Const(1)
	}
	for k, s := range shapes {
		for i, d := range s {
			j := rank - len(s) + i
			switch {
			case d == Const(1):
			case out[j] == Const(1):
				out[j] = d
			case out[j] != d:
				return nil, fmt.Errorf("inputs[%d]: shape %s does not broadcast with %s at dimension %d", k, s, out, j)
			}
		}
	}
	return out, nil
}

// Bounds of an elementwise op: Limits allow no higher rank, and no op has more operands.
const (
	maxRank     = 8
	maxOperands = 4
)

// loops is a broadcast iteration with as few dimensions as possible: outer dimensions with a stride per operand, and an
// inner run of n elements along which every operand either moves by one or stays.
type loops struct {
	operands int
	rank     int // outer dimensions
	outer    [maxRank]int64
	stride   [maxOperands][maxRank]int64 // per operand, per outer dimension
	n        int64
	step     [maxOperands]int64 // per operand: 0 or 1
}

// planLoops merges neighbouring dimensions.
func planLoops(out []int64, in []*Tensor) loops {
	rank := len(out)
	l := loops{operands: len(in), n: 1}
	var full [maxOperands][maxRank]int64
	for k, x := range in {
		stride := int64(1)
		for i := 1; i <= len(x.shape); i++ {
			if d := x.shape[len(x.shape)-i]; d > 1 {
				full[k][rank-i] = stride
				stride *= d
			}
		}
	}
	for i, d := range out {
		if d == 1 {
			continue
		}
		last := l.rank - 1
		merge := last >= 0
		for k := range in {
			merge = merge && l.stride[k][last] == full[k][i]*d
		}
		if merge {
			l.outer[last] *= d
		} else {
			last = l.rank
			l.outer[last] = d
			l.rank++
		}
		for k := range in {
			l.stride[k][last] = full[k][i]
		}
	}
	inner := l.rank - 1
	if inner < 0 {
		return l
	}
	for k := range in {
		if l.stride[k][inner] > 1 {
			return l // no unit run: iterate element by element
		}
	}
	l.n, l.rank = l.outer[inner], inner
	for k := range in {
		l.step[k] = l.stride[k][inner]
	}
	return l
}

// each calls fn for every run: y is the first output element, x the operands' first elements, n the length. Runs are
// spread over threads.
func (l *loops) each(threads int, fn func(y int64, x []int64, n int64)) {
	outer := int64(1)
	for _, d := range l.outer[:l.rank] {
		outer *= d
	}
	if threads == 1 || outer*l.n < threadsGrain {
		l.walk(0, outer, 0, l.n, fn)
		return
	}
	if outer >= int64(threads)*4 || l.n < 1024 {
		kernel.Parallel(threads, int(outer), func(lo, hi int) { l.walk(int64(lo), int64(hi), 0, l.n, fn) })
		return
	}
	kernel.Parallel(threads, int(l.n), func(lo, hi int) { l.walk(0, outer, int64(lo), int64(hi), fn) })
}

// walk visits outer indices lo..hi−1, elements from..to−1 of each run.
func (l *loops) walk(lo, hi, from, to int64, fn func(y int64, x []int64, n int64)) {
	var pos [maxRank]int64
	x := make([]int64, l.operands)
	unravel(pos[:l.rank], l.outer[:l.rank], lo)
	for i := lo; i < hi; i++ {
		for k := range x {
			x[k] = from * l.step[k]
			for d, p := range pos[:l.rank] {
				x[k] += p * l.stride[k][d]
			}
		}
		fn(i*l.n+from, x, to-from)
		for d := l.rank - 1; d >= 0; d-- {
			if pos[d]++; pos[d] < l.outer[d] {
				break
			}
			pos[d] = 0
		}
	}
}
