// Command endblock measures what the end of a block, and a whole block, cost with few things stored and with many: tasks, participants, models, bids on one
// auction, delegations in one pool. It runs the whole application, its state written through the modules' collections and committed, caches warm. Reads of
// stores are counted, which is exact. Times are processor time, medians of runs on the small and the large state in turn, so that ratios mean something on a busy
// machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

func main() {
	small := flag.Int("small", 1_000, "how many of each are stored in the small state")
	large := flag.Int("large", 1_000_000, "how many of one kind in the large states")
	rounds := flag.Int("rounds", 40, "rounds; the median counts")
	only := flag.String("only", "", "one kind: tasks, participants, models, bids, delegations")
	memory := flag.Bool("memory", false, "databases in memory instead of on disk, under the folder for temporary files")
	flag.Parse()
	err := run(os.Stdout, config{small: *small, large: *large, rounds: *rounds, only: *only, disk: !*memory})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type config struct {
	small, large, rounds int
	only                 string
	disk                 bool
}

// kind is what a large state has many of.
type kind struct {
	name  string
	count func(*sizes) *int
}

func kinds() []kind {
	return []kind{
		{"tasks", func(s *sizes) *int { return &s.tasks }},
		{"participants", func(s *sizes) *int { return &s.participants }},
		{"models", func(s *sizes) *int { return &s.models }},
		{"bids", func(s *sizes) *int { return &s.bids }},
		{"delegations", func(s *sizes) *int { return &s.delegations }},
	}
}

// few of everything.
func few(n int) sizes { return sizes{n, n, n, n, n} }

func run(w io.Writer, c config) error {
	if c.small < work || c.large < c.small || c.rounds < 1 {
		return fmt.Errorf("-small %d, -large %d, -rounds %d: want %d ≤ small ≤ large, 1 ≤ rounds", c.small, c.large, c.rounds, work)
	}
	fmt.Fprintln(w, "| many | stored | block | reads, few : many stored | µs, few : many stored | ratio of times |")
	fmt.Fprintln(w, "|---|---:|---|---:|---:|---:|")
	for _, k := range kinds() {
		if c.only != "" && c.only != k.name {
			continue
		}
		if err := compare(w, c, k); err != nil {
			return fmt.Errorf("%d %s: %w", c.large, k.name, err)
		}
		runtime.GC()
	}
	return nil
}

// compare measures a state with many of a kind beside one with few.
func compare(w io.Writer, c config, k kind) error {
	began, n := time.Now(), c.large
	less, err := newState(few(c.small), c.disk)
	if err != nil {
		return err
	}
	defer less.close()
	size := few(c.small)
	*k.count(&size) = n
	more, err := newState(size, c.disk)
	if err != nil {
		return err
	}
	defer more.close()
	fmt.Fprintf(os.Stderr, "%d %s written in %s\n", n, k.name, time.Since(began).Round(time.Second))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collected between measurements, not in them
	both := [2]*state{less, more}
	for _, op := range operations() {
		var reads [2]int
		times, err := measure(c.rounds, func(i int) (time.Duration, error) {
			took, r, err := both[i].run(op)
			reads[i] = r
			return took, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		row(w, k.name, n, op.name, fmt.Sprintf("%d : %d", reads[0], reads[1]), times)
	}
	times, err := measure(c.rounds, func(i int) (time.Duration, error) { return both[i].block() })
	if err != nil {
		return err
	}
	row(w, k.name, n, "a whole block", "", times)
	return nil
}

func row(w io.Writer, name string, n int, op, reads string, t [2]time.Duration) {
	fmt.Fprintf(w, "| %s | %d | %s | %s | %d : %d | %.2f |\n", name, n, op, reads, t[0].Microseconds(), t[1].Microseconds(), float64(t[1])/float64(t[0]))
}

// measure takes the median time of each of two, in turn.
func measure(rounds int, f func(i int) (time.Duration, error)) (medians [2]time.Duration, err error) {
	runtime.GC()
	var times [2][]time.Duration
	for round := range rounds + 3 {
		for i := range times {
			took, err := f(i)
			if err != nil {
				return medians, err
			}
			if round >= 3 { // the first ones fill caches
				times[i] = append(times[i], took)
			}
		}
	}
	for i := range times {
		slices.Sort(times[i])
		medians[i] = times[i][rounds/2]
	}
	return medians, nil
}
