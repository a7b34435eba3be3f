//go:build !amd64

package kernel

// bestLevel is the highest level this processor supports.
func bestLevel() level { return levelReference }
