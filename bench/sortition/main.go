// Command sortition measures what x/poai does per draw, weight and epoch with 10^3 to 10^6 participants, through IAVL over an in-memory database,
// committed, with warm caches and with none. All sizes run in turn within each round, so that ratios mean something on a busy machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	sizes := flag.String("sizes", "1000,10000,100000,1000000", "participants")
	rounds := flag.Int("rounds", 40, "rounds; the median counts")
	flag.Parse()
	if err := run(*sizes, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(sizes string, rounds int) error {
	var states []*state
	for _, s := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 100 {
			return fmt.Errorf("-sizes: %q is not a number from 100 on", s)
		}
		began := time.Now()
		st, err := newState(n)
		if err != nil {
			return fmt.Errorf("%d participants: %w", n, err)
		}
		fmt.Fprintf(os.Stderr, "%d participants made in %s\n", n, time.Since(began).Round(time.Millisecond))
		states = append(states, st)
	}
	if rounds < 1 {
		return fmt.Errorf("-rounds: %d, must be at least 1", rounds)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "µs (median)\t")
	for _, st := range states {
		fmt.Fprintf(w, "%d\t", st.n)
	}
	fmt.Fprintf(w, "last/first\t\n")
	for _, op := range operations() {
		medians, err := measure(states, op, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		fmt.Fprintf(w, "%s\t", op.name)
		for _, m := range medians {
			fmt.Fprintf(w, "%.1f\t", float64(m.Nanoseconds())/1e3)
		}
		fmt.Fprintf(w, "%.2f\t\n", float64(medians[len(medians)-1])/float64(medians[0]))
	}
	return w.Flush()
}

// measure takes the median time of an operation for each state, the states in turn.
func measure(states []*state, op operation, rounds int) ([]time.Duration, error) {
	times := make([][]time.Duration, len(states))
	for round := range rounds {
		for i, st := range states {
			ctx, err := st.open(op.cold)
			if err != nil {
				return nil, err
			}
			began := time.Now()
			if err := op.do(st, ctx, uint64(round)); err != nil {
				return nil, err
			}
			times[i] = append(times[i], time.Since(began))
		}
	}
	medians := make([]time.Duration, len(states))
	for i, ts := range times {
		slices.Sort(ts)
		medians[i] = ts[len(ts)/2]
	}
	return medians, nil
}
