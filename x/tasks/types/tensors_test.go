package types

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
)

// TestManyOutputs: a worker may reveal as many outputs as a program may declare, as often as it likes (a refused item is cheap), so
// checking sixteen times as many must take about sixteen times as long. Looking each up among all states took a hundred times.
func TestManyOutputs(t *testing.T) {
	few, many := checkTime(t, 256), checkTime(t, 4096)
	require.Less(t, many, 48*few)
}

// checkTime is the best of some times that checking n outputs takes.
func checkTime(t *testing.T, n int) time.Duration {
	t.Helper()
	prog := &graphpb.Program{MaxSteps: 1}
	outputs := make([]NamedTensor, n)
	for i := range n {
		name := strconv.Itoa(100_000 + i)
		prog.States = append(prog.States, &graphpb.StateSpec{Name: name, Dtype: graphpb.DTYPE_U8, Shape: []int64{1}})
		prog.Outputs = append(prog.Outputs, name)
		outputs[i] = NamedTensor{Name: name, Dtype: graphpb.DTYPE_U8, Shape: []int64{1}, Data: []byte{1}}
	}
	best := time.Hour
	for range 8 {
		start := time.Now()
		_, err := CheckOutputs(prog, outputs, 1, 1<<20)
		require.NoError(t, err)
		best = min(best, time.Since(start))
	}
	return best
}
