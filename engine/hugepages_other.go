//go:build !linux

package engine

// useHugePages does nothing here.
func useHugePages([][]byte) {}
