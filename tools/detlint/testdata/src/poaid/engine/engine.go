package engine

import "time"

func score(x float32) time.Time {
	go score(x)       // want `go statement`
	return time.Now() // want `time.Now in a consensus package`
}
