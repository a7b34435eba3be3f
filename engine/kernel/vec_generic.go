//go:build !amd64 && !arm64

package kernel

// lanes is the number of elements the vector routines take at a time.
const lanes = 16

// reduction is one of the sixteen-lane reductions.
type reduction uint8

const (
	reduceSum reduction = iota
	reduceSumSq
)

func unaryFast(_ int, _, _ []float32) bool { return false }

func binaryFast(_ int, _, _, _ []float32, _, _ int) bool { return false }

func reduceFast(_ reduction, _ *[16]float32, _ []float32, _ float32) int { return 0 }

func maxKeyFast(_ *[16]int32, _ []float32) int { return 0 }
