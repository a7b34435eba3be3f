package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkElementwise times small tensors, where what surrounds the loops counts.
func BenchmarkElementwise(b *testing.B) {
	for _, n := range []int64{1, 288, 32000} {
		b.Run(fmt.Sprint("rescale ", n), func(b *testing.B) {
			acc, err := FromI32(make([]int32, n), 1, n)
			require.NoError(b, err)
			row, err := FromF32([]float32{2}, 1, 1)
			require.NoError(b, err)
			cols, err := FromF32(make([]float32, n), n)
			require.NoError(b, err)
			y, err := NewTensor(F32, []int64{1, n}, 1<<20)
			require.NoError(b, err)
			c := &EvalCtx{NodeView: NodeView{Op: opTable["rescale@1"], Out: Operand{F32, y.shape}}, X: []*Tensor{acc, row, cols}, Y: y, Threads: 1}
			for _, x := range c.X {
				c.In = append(c.In, Operand{x.dtype, x.shape})
			}
			for b.Loop() {
				require.NoError(b, c.Op.Eval(c))
			}
		})
	}
}
