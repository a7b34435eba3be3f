//go:build !amd64 && !arm64

package kernel

func convFast(_, _, _ []float32, _ ConvShape, _ int) bool { return false }

func convGradXFast(_, _, _ []float32, _ ConvShape, _ int) bool { return false }

func convGradWFast(_, _, _ []float32, _ ConvShape, _ int) bool { return false }
