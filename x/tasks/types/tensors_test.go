package types

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
)

// manyOutputs is a program that declares n outputs, and a reveal of them.
func manyOutputs(n int) (*graphpb.Program, []NamedTensor) {
	prog := &graphpb.Program{MaxSteps: 1}
	outputs := make([]NamedTensor, n)
	for i := range n {
		name := strconv.Itoa(100_000 + i)
		prog.States = append(prog.States, &graphpb.StateSpec{Name: name, Dtype: graphpb.DTYPE_U8, Shape: []int64{1}})
		prog.Outputs = append(prog.Outputs, name)
		outputs[i] = NamedTensor{Name: name, Dtype: graphpb.DTYPE_U8, Shape: []int64{1}, Data: []byte{1}}
	}
	return prog, outputs
}

func TestManyOutputs(t *testing.T) {
	prog, outputs := manyOutputs(4096)
	out, err := CheckOutputs(prog, outputs, 1, 1<<20)
	require.NoError(t, err)
	require.Len(t, out.Tensors, 4096)
	outputs[4095].Name = "other"
	_, err = CheckOutputs(prog, outputs, 1, 1<<20)
	require.ErrorContains(t, err, `want "104095" here`)
}

// BenchmarkManyOutputs: a worker may reveal as many outputs as a program may declare, as often as it likes (a refused item is cheap), so what one costs must
// not grow with their number.
func BenchmarkManyOutputs(b *testing.B) {
	for _, n := range []int{256, 4096} {
		prog, outputs := manyOutputs(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := CheckOutputs(prog, outputs, 1, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/output")
		})
	}
}
