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

// loops is a broadcast iteration with as few dimensions as possible: outer dimensions with a stride per operand, and an
// inner run of n elements along which every operand either moves by one or stays.
type loops struct {
	outer  []int64
	stride [][]int64 // per operand, per outer dimension
	n      int64
	step   []int64 // per operand: 0 or 1
}

// planLoops merges neighbouring dimensions.
func planLoops(out []int64, in [][]int64) loops {
	rank := len(out)
	dims := make([]int64, 0, rank)
	strides := make([][]int64, len(in))
	full := make([][]int64, len(in))
	for k, shape := range in {
		full[k] = make([]int64, rank)
		stride := int64(1)
		for i := 1; i <= len(shape); i++ {
			if d := shape[len(shape)-i]; d > 1 {
				full[k][rank-i] = stride
				stride *= d
			}
		}
	}
	for i, d := range out {
		if d == 1 {
			continue
		}
		last := len(dims) - 1
		merge := last >= 0
		for k := range in {
			merge = merge && strides[k][last] == full[k][i]*d
		}
		if merge {
			dims[last] *= d
		} else {
			dims = append(dims, d)
		}
		for k := range in {
			if merge {
				strides[k][last] = full[k][i]
			} else {
				strides[k] = append(strides[k], full[k][i])
			}
		}
	}
	l := loops{n: 1, step: make([]int64, len(in)), stride: make([][]int64, len(in))}
	inner := len(dims) - 1
	if inner >= 0 {
		for k := range in {
			if strides[k][inner] > 1 {
				inner = len(dims) // no unit run: iterate element by element
				break
			}
		}
	}
	if inner >= 0 && inner < len(dims) {
		l.n = dims[inner]
		for k := range in {
			l.step[k] = strides[k][inner]
		}
		dims = dims[:inner]
	}
	l.outer = dims
	for k := range in {
		l.stride[k] = strides[k][:len(dims)]
	}
	return l
}

// each calls fn for every run: y is the first output element, x the operands' first elements, n the length. Runs are
// spread over threads.
func (l *loops) each(threads int, fn func(y int64, x []int64, n int64)) {
	outer := int64(1)
	for _, d := range l.outer {
		outer *= d
	}
	if outer*l.n < threadsGrain {
		threads = 1
	}
	if outer >= int64(threads)*4 || l.n < 1024 {
		kernel.Parallel(threads, int(outer), func(lo, hi int) { l.walk(int64(lo), int64(hi), 0, l.n, fn) })
		return
	}
	kernel.Parallel(threads, int(l.n), func(lo, hi int) { l.walk(0, outer, int64(lo), int64(hi), fn) })
}

// walk visits outer indices lo..hi−1, elements from..to−1 of each run.
func (l *loops) walk(lo, hi, from, to int64, fn func(y int64, x []int64, n int64)) {
	pos := make([]int64, len(l.outer))
	x := make([]int64, len(l.step))
	unravel(pos, l.outer, lo)
	for i := lo; i < hi; i++ {
		for k := range x {
			x[k] = from * l.step[k]
			for d, p := range pos {
				x[k] += p * l.stride[k][d]
			}
		}
		fn(i*l.n+from, x, to-from)
		for d := len(pos) - 1; d >= 0; d-- {
			if pos[d]++; pos[d] < l.outer[d] {
				break
			}
			pos[d] = 0
		}
	}
}
