// Command exhaustive runs the functions of one operand of engine/num over all 2^32
// float32 patterns, in the order of num.Key, and measures for each
//
//   - the largest error in units in the last place (ulp) against float64, and the
//     largest absolute error;
//   - how often a function that rises in exact arithmetic falls from one float32 to
//     the next, and by how many ulp at most;
//   - whether every NaN gives the canonical NaN, no other NaN comes out, and an odd
//     function is odd in every bit;
//   - whether every tuned kernel this processor has gives the scalar function's bits.
//
// It prints a Markdown table and exits with 1 if a kernel differs, a NaN or a sign is
// wrong, or an error is above the limit that funcs.go states. Usage:
//
//	go run ./engine/num/exhaustive [-func exp,log] [-threads N] [-stride N] [-accuracy=false]
//
// All of it takes about three quarters of an hour of one core; -stride 64 under a minute.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"poaid/engine/kernel"
)

func main() {
	names := flag.String("func", "", "functions to run, separated by commas (default: all)")
	threads := flag.Int("threads", 1, "threads")
	stride := flag.Int64("stride", 1, "take every stride-th pattern (1: all 2^32)")
	accuracy := flag.Bool("accuracy", true, "measure errors and monotonicity, not only kernels and special values")
	flag.Parse()
	todo, err := selectFuncs(*names)
	if err == nil && (*stride < 1 || *stride > 1<<24) {
		err = fmt.Errorf("-stride %d: want 1 to %d", *stride, 1<<24)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exhaustive:", err)
		os.Exit(2)
	}
	if !run(os.Stdout, os.Stderr, todo, sweep{stride: *stride, threads: *threads, accuracy: *accuracy, kernels: kernel.Available()[1:]}) {
		os.Exit(1)
	}
}

// selectFuncs picks functions by their names, all of them for "".
func selectFuncs(names string) ([]function, error) {
	if names == "" {
		return functions, nil
	}
	var todo []function
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(functions, func(f function) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-func %q: unknown", name)
		}
		todo = append(todo, functions[i])
	}
	return todo, nil
}

// run sweeps the functions one by one, prints a row for each and reports whether all
// of them are as they should be.
func run(out, progress io.Writer, todo []function, s sweep) bool {
	fmt.Fprintf(out, "| function | inputs | max error | at | max error, absolute | falls (worst) | kernels equal | seconds |\n|---|---|---|---|---|---|---|---|\n")
	good := true
	for _, f := range todo {
		begin := time.Now()
		last := begin
		r := s.run(f, func(done float64) {
			if now := time.Now(); now.Sub(last) > 2*time.Second {
				last = now
				fmt.Fprintf(progress, "\r%s %5.1f%% %s left   ", f.name, 100*done, time.Duration(float64(now.Sub(begin))*(1-done)/done).Round(time.Second)) //detlint:allow float64 reference
			}
		})
		fmt.Fprintf(progress, "\r%40s\r", "")
		fmt.Fprintf(out, "| %s | %d | %s | %.0f |\n", f.name, r.inputs, s.row(f, r), time.Since(begin).Seconds())
		for _, fault := range r.faults(f) {
			good = false
			fmt.Fprintf(out, "\n%s: %s\n", f.name, fault)
		}
	}
	return good
}
