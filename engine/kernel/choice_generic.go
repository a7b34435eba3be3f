//go:build !amd64

package kernel

func compareFast(_ Predicate, _ []uint8, _, _ []float32, _, _ int) bool { return false }

func chooseFast(_ []float32, _ []uint8, _, _ []float32, _, _ int) bool { return false }

func poolFast() bool { return false }

func maxPool2(_, _, _ *float32, _ int) {}

func maxPool2Grad(_, _, _, _, _ *float32, _ int) {}
