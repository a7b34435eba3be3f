package kernel

const levelNEON level = 1

var levelNames = []string{"reference", "neon"}

// bestLevel is the highest level: every arm64 processor that Go runs on has NEON.
func bestLevel() level { return levelNEON }
