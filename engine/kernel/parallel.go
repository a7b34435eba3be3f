package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool hands work to a fixed set of goroutines, one per processor. The channel is
// unbuffered: a send succeeds only when a worker is idle, so nested calls fall
// back to running inline and can never wait for each other.
var pool struct {
	once sync.Once
	jobs chan func()
}

func startPool() {
	pool.jobs = make(chan func())
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for job := range pool.jobs {
				job()
			}
		}()
	}
}

// Parallel splits [0, n) into at most threads contiguous ranges and calls fn for
// each, using the package's worker pool and the calling goroutine; it returns when
// all are done. threads ≤ 0 means one per processor. fn must write disjoint
// outputs per index, so that the split cannot be seen in the result. A panic in fn
// is raised again in the caller.
func Parallel(threads, n int, fn func(lo, hi int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, n)
	if threads <= 1 {
		if n > 0 {
			fn(0, n)
		}
		return
	}
	pool.once.Do(startPool)
	var wg sync.WaitGroup
	var failure atomic.Pointer[any]
	for t := range threads - 1 {
		lo, hi := t*n/threads, (t+1)*n/threads
		job := func() {
			defer wg.Done()
			defer func() {
				if p := recover(); p != nil {
					failure.CompareAndSwap(nil, &p)
				}
			}()
			fn(lo, hi)
		}
		wg.Add(1)
		select {
		case pool.jobs <- job:
		default:
			job()
		}
	}
	fn((threads-1)*n/threads, n)
	wg.Wait()
	if p := failure.Load(); p != nil {
		panic(*p)
	}
}

// parallelTasks runs fn(i) for every i in [0, n) with tasks handed out one by one,
// for work of uneven size.
func parallelTasks(threads, n int, fn func(i int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, n)
	var next atomic.Int64
	Parallel(threads, threads, func(_, _ int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			fn(i)
		}
	})
}
