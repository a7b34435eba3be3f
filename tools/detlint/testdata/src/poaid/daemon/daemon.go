package daemon

import (
	"math/rand"
	"time"
)

func free(m map[string]float64) time.Time {
	for range m {
		go rand.Int()
	}
	return time.Now()
}
