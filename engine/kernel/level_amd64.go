package kernel

import "golang.org/x/sys/cpu"

//go:generate go run ./gen
//go:generate go run ./gen/arm64

const (
	levelAVX2 level = 1 + iota
	levelAVX512
)

var levelNames = []string{"reference", "avx2", "avx512"}

// bestLevel is the highest level this processor and its operating system support.
func bestLevel() level {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA {
		return levelReference
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
		return levelAVX512
	}
	return levelAVX2
}
