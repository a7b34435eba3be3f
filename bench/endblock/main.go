// Command endblock measures what the end of a block costs the modules with few things stored and with many: finished tasks, participants, models. It runs the
// whole application on an in-memory database, its state written through the modules' collections and committed, caches warm. Small and large states are measured
// in turn within each round, so that ratios mean something on a busy machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	small := flag.Int("small", 1_000, "how many of each are stored in the small state")
	large := flag.Int("large", 1_000_000, "how many of one of them in the large states")
	models := flag.Int("models", 100_000, "how many models in the largest: each has a program, so memory ends sooner")
	rounds := flag.Int("rounds", 60, "rounds; the median counts")
	flag.Parse()
	if err := run(*small, *large, min(*models, *large), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(small, large, models, rounds int) error {
	if small < work || large < small || rounds < 1 {
		return fmt.Errorf("-small %d, -large %d, -rounds %d: want %d ≤ small ≤ large, 1 ≤ rounds", small, large, rounds, work)
	}
	base, err := newState(sizes{tasks: small, participants: small, models: small})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "µs (median)\tstored\t")
	for _, op := range operations() {
		fmt.Fprintf(w, "%s\t", op.name)
	}
	fmt.Fprintln(w)
	for i, c := range []struct {
		name string
		size sizes
		n    int
	}{
		{"tasks", sizes{tasks: large, participants: small, models: small}, large},
		{"participants", sizes{tasks: small, participants: large, models: small}, large},
		{"models", sizes{tasks: small, participants: small, models: models}, models},
	} {
		began := time.Now()
		st, err := newState(c.size)
		if err != nil {
			return fmt.Errorf("%d %s: %w", c.n, c.name, err)
		}
		fmt.Fprintf(os.Stderr, "%d %s written in %s\n", c.n, c.name, time.Since(began).Round(time.Second))
		few, many, err := measure(base, st, rounds)
		if err != nil {
			return err
		}
		if i == 0 {
			row(w, "all", small, few)
		}
		row(w, c.name, c.n, many)
		fmt.Fprint(w, "beside few\tratio\t")
		for i := range few {
			fmt.Fprintf(w, "%.2f\t", float64(many[i])/float64(few[i]))
		}
		fmt.Fprintln(w)
		runtime.GC()
	}
	return w.Flush()
}

func row(w *tabwriter.Writer, name string, n int, medians []time.Duration) {
	fmt.Fprintf(w, "%s\t%d\t", name, n)
	for _, m := range medians {
		fmt.Fprintf(w, "%.0f\t", float64(m.Nanoseconds())/1e3)
	}
	fmt.Fprintln(w)
}

// measure takes the median time of each operation on both states, in turn.
func measure(few, many *state, rounds int) (a, b []time.Duration, err error) {
	for _, op := range operations() {
		var times [2][]time.Duration
		for round := range rounds + 3 {
			for i, st := range []*state{few, many} {
				took, err := st.time(op)
				if err != nil {
					return nil, nil, fmt.Errorf("%s: %w", op.name, err)
				}
				if round >= 3 { // the first ones fill caches
					times[i] = append(times[i], took)
				}
			}
		}
		for i, out := range []*[]time.Duration{&a, &b} {
			slices.Sort(times[i])
			*out = append(*out, times[i][rounds/2])
		}
	}
	return a, b, nil
}
