package tasks

import (
	"math/rand" // want `math/rand in a consensus package`
	"time"
)

type params struct {
	share float64 // want `^float64 in poaid/x` `share is a float64`
}

func draw(start time.Time) int {
	go draw(start)            // want `go statement`
	_ = time.Since(start)     // want `time.Since in a consensus package`
	x := rand.Float64()       // want `x is a float64`
	y := uint64(x)            // integers are fine
	_ = float32(y)            // want `float32 in poaid/x`
	time.Sleep(time.Second)   // want `time.Sleep in a consensus package`
	return int(y) + len("ok") // nothing here
}
