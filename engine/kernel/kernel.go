package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// level is an instruction set of this architecture, ordered: a higher one includes
// the lower ones. levelNames (level_*.go) names those that the architecture has.
type level int32

const levelReference level = 0

// knownNames are the names of all architectures, for errors.
var knownNames = []string{"reference", "avx2", "avx512", "neon"}

// active is the level in use.
var active atomic.Int32

func init() {
	name := os.Getenv("POAI_KERNEL")
	if name == "" {
		name = "auto"
	}
	if err := Use(name); err != nil {
		fmt.Fprintf(os.Stderr, "POAI_KERNEL: %v\n", err)
		os.Exit(2)
	}
}

// Use selects the kernel by name: reference, avx2, avx512, or auto for the best
// one available. It errors, changing nothing, if the name is unknown or the
// processor lacks the instructions. Calls already running finish with either.
func Use(name string) error {
	if name == "auto" {
		active.Store(int32(bestLevel()))
		return nil
	}
	if !slices.Contains(knownNames, name) {
		return fmt.Errorf("kernel %q: unknown (want auto or one of %s)", name, strings.Join(knownNames, ", "))
	}
	l := slices.Index(Available(), name)
	if l < 0 {
		return fmt.Errorf("kernel %s: not supported by this processor (which has %s)", name, strings.Join(Available(), ", "))
	}
	active.Store(int32(l)) // #nosec G115 -- an index of a few names
	return nil
}

// Name returns the name of the kernel in use.
func Name() string { return levelNames[active.Load()] }

// Available returns the names Use accepts on this processor, slowest first.
func Available() []string { return levelNames[:bestLevel()+1] }

func current() level { return level(active.Load()) }

// need panics unless a slice of length have can hold want elements.
func need(fn, arg string, have, want int) {
	if want < 0 || have < want {
		panic(fmt.Sprintf("kernel.%s: %s has %d elements, shape needs %d", fn, arg, have, want))
	}
}

// nonNegative panics if a dimension is negative.
func nonNegative(fn string, dims ...int) {
	for _, d := range dims {
		if d < 0 {
			panic(fmt.Sprintf("kernel.%s: negative dimension in %v", fn, dims))
		}
	}
}
