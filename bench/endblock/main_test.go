package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReads: the ends of blocks read no more with a hundred times as much stored; draws one node more for every level of the tree of those who can be drawn.
func TestReads(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 50,000 entries")
	}
	const small, large = work, 100 * work
	reads := func(n sizes) (out []int) {
		st, err := newState(n, false)
		require.NoError(t, err)
		defer st.close()
		for _, op := range operations() {
			_, r, err := st.run(op)
			require.NoError(t, err, op.name)
			out = append(out, r)
		}
		return out
	}
	base := reads(few(small))
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			size := few(small)
			*k.count(&size) = large
			got := reads(size)
			for i, op := range operations() {
				allowed := base[i]
				if k.name == "participants" {
					allowed += op.done * 2 // 16 · 16 = 256 leaves, 16^4 = 65,536
				}
				require.LessOrEqual(t, got[i], allowed, op.name)
			}
		})
	}
}
