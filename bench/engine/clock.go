package main

import (
	"math"
	"syscall"
	"time"
)

// spent is the time something took.
type spent struct{ cpu, wall float64 } // seconds

// by returns the time that counts for a number of threads: processor time of one, wall clock of several.
func (s spent) by(threads int) float64 {
	if threads == 1 {
		return s.cpu
	}
	return s.wall
}

// stopwatch measures this process.
type stopwatch struct {
	cpu  float64
	wall time.Time
}

func start() stopwatch { return stopwatch{cpu: cpuTime(syscall.RUSAGE_SELF), wall: time.Now()} }

func (s stopwatch) stop() spent {
	return spent{cpu: cpuTime(syscall.RUSAGE_SELF) - s.cpu, wall: time.Since(s.wall).Seconds()}
}

// cpuTime is the user and system time so far of this process, or of its finished children, in seconds.
func cpuTime(who int) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return math.NaN()
	}
	return seconds(u.Utime) + seconds(u.Stime)
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// best keeps the least time.
type best float64

func newBest() best { return best(math.Inf(1)) }

func (b *best) add(v float64) { *b = min(*b, best(v)) }
