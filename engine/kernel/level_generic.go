//go:build !amd64 && !arm64

package kernel

var levelNames = []string{"reference"}

// bestLevel is the highest level this processor supports.
func bestLevel() level { return levelReference }
