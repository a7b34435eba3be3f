package sprinter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"poaid/engine"
	"poaid/sprint"
)

// runFor is how long one run of leaves should take: the most that serving waits for a thread, and that is lost at the end of a window.
const runFor = 100 * time.Millisecond

// askEvery is how often a thread that is not spare asks again.
const askEvery = 20 * time.Millisecond

// race computes the leaves of one window from 0 on. Threads take runs of consecutive leaves; once stop is closed they finish the run
// they are at, so that there are no gaps.
type race struct {
	prog    *engine.Program
	weights *engine.Weights
	key     [32]byte
	period  uint64
	limit   uint64 // leaves at most
	sample  uint64 // leaves of one run at most
	stop    <-chan struct{}
	spare   func() int          // how many threads may run now
	gained  func(leaves uint64) // told after every run

	mu   sync.Mutex
	next uint64
	size uint64 // leaves of the next run
	done map[uint64][]byte
	err  error
}

// run computes on so many threads, and returns the values of leaves 0 to n−1 for the largest n that is complete.
func (r *race) run(ctx context.Context, threads int) ([]byte, error) {
	l, err := sprint.LayoutOf(r.prog)
	if err != nil {
		return nil, err
	}
	r.sample, r.size, r.done = uint64(l.Sample), 1, map[uint64][]byte{}
	var wg sync.WaitGroup
	for i := range max(threads, 1) {
		wg.Go(func() { r.thread(ctx, i) })
	}
	wg.Wait()
	if r.err != nil {
		return nil, r.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var values []byte
	for run := r.done[0]; run != nil; run = r.done[uint64(len(values)/sprint.ValueSize)] {
		values = append(values, run...)
	}
	return values, nil
}

// thread does run after run.
func (r *race) thread(ctx context.Context, i int) {
	for r.awaitTurn(ctx, i) {
		from, n := r.take()
		if n == 0 {
			return
		}
		leaves := make([]uint64, n)
		for j := range leaves {
			leaves[j] = from + uint64(j) // #nosec G115 -- an index
		}
		start := time.Now()
		values, err := sprint.Run(ctx, r.prog, r.weights, r.key, leaves, r.period)
		if err != nil {
			r.fail(fmt.Errorf("leaves from %d: %w", from, err))
			return
		}
		flat := make([]byte, 0, len(values)*sprint.ValueSize)
		for _, v := range values {
			flat = append(flat, v...)
		}
		r.give(from, flat, time.Since(start))
	}
}

// awaitTurn waits until thread i is spare; false: it is over.
func (r *race) awaitTurn(ctx context.Context, i int) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-r.stop:
			return false
		default:
		}
		if r.over() {
			return false
		}
		if r.spare == nil || i < r.spare() {
			return true
		}
		select {
		case <-ctx.Done():
		case <-r.stop:
		case <-time.After(askEvery):
		}
	}
}

// over tells that the limit is reached, or that something failed.
func (r *race) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil || r.next >= r.limit
}

// take hands out the next leaves; none when there are none left.
func (r *race) take() (from, n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(r.size, r.limit-r.next)
	from = r.next
	r.next += n
	return from, n
}

// give takes the values of a run, and sizes the next ones by how long it took.
func (r *race) give(from uint64, values []byte, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[from] = values
	n := uint64(len(values) / sprint.ValueSize)
	fits := uint64(runFor) * n / uint64(max(took, time.Microsecond))
	r.size = min(max(fits, 1), 2*n, r.sample)
	if r.gained != nil {
		r.gained(n)
	}
}

func (r *race) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}
