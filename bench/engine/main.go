// Command engine measures the tensor engine beside its peers in the same run: matrix products beside OpenBLAS and gonum, generation
// beside llama2.c, evaluation of a prompt beside llama.cpp, and the memory of a running model beside the size of its weights. A peer
// that is not there is left out, and the table says so. Peers are programs of their own; nothing of them is linked.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// config is what the flags say.
type config struct {
	only     []string
	rounds   int
	sizes    []int
	threads  []int
	llama2c  string // program
	llamacpp string // folder whose node_modules holds node-llama-cpp
	profile  string
	write    string
	quick    bool
}

// section is one group of measurements.
type section struct {
	name string
	run  func(cfg config) ([]row, error)
}

var sections = []section{
	{"sgemm", benchSgemm},
	{"int8", benchInt8},
	{"decode", benchDecode},
	{"prefill", benchPrefill},
	{"memory", benchMemory},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == memoryChild {
		if err := runMemoryChild(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	cfg, err := parse(os.Args[1:])
	if err == nil {
		err = run(cfg)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("engine", flag.ContinueOnError)
	only := f.String("only", "", "sections to run, of sgemm, int8, decode, prefill, memory; empty: all")
	sizes := f.String("sizes", "512,1024,2048", "sizes of square products")
	threads := f.String("threads", "1,2", "numbers of threads")
	f.IntVar(&c.rounds, "rounds", 5, "rounds, ours and the peer in turn; the best of each counts")
	f.StringVar(&c.llama2c, "llama2c", os.Getenv("BENCH_LLAMA2C"), "program run of llama2.c, built with gcc -Ofast -march=native")
	f.StringVar(&c.llamacpp, "llamacpp", os.Getenv("BENCH_LLAMACPP"), "folder whose node_modules holds node-llama-cpp")
	f.StringVar(&c.profile, "cpuprofile", "", "write a profile of this process")
	f.StringVar(&c.write, "write", "", "results file whose part on the engine is replaced")
	f.BoolVar(&c.quick, "no-peers", false, "measure ours only")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	var err error
	if c.sizes, err = numbers("sizes", *sizes); err != nil {
		return c, err
	}
	if c.threads, err = numbers("threads", *threads); err != nil {
		return c, err
	}
	if c.rounds < 1 {
		return c, fmt.Errorf("-rounds: %d, want at least 1", c.rounds)
	}
	if *only != "" {
		c.only = strings.Split(*only, ",")
	}
	for _, name := range c.only {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return c, fmt.Errorf("-only: no section %q", name)
		}
	}
	return c, nil
}

// numbers reads a list of small positive numbers.
func numbers(name, list string) ([]int, error) {
	var out []int
	for _, s := range strings.Split(list, ",") {
		var n int
		if _, err := fmt.Sscanf(s, "%d", &n); err != nil || n < 1 || n > 1<<14 {
			return nil, fmt.Errorf("-%s: %q, want numbers in 1..16384", name, s)
		}
		out = append(out, n)
	}
	return out, nil
}

func run(cfg config) error {
	if cfg.profile != "" {
		f, err := os.Create(cfg.profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	started := time.Now()
	var all []row
	for _, s := range sections {
		if len(cfg.only) > 0 && !slices.Contains(cfg.only, s.name) {
			continue
		}
		rows, err := s.run(cfg)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, r := range rows {
			fmt.Println(r)
		}
		all = append(all, rows...)
	}
	fmt.Fprintf(os.Stderr, "took %s\n", time.Since(started).Round(time.Second))
	if cfg.write != "" {
		return writeResults(cfg.write, table(cfg, all))
	}
	return nil
}
