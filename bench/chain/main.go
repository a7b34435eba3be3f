// Command chain measures how fast the application executes and commits blocks, in process and without a network: transactions a
// second for each kind of message beside bank sends of the same run, items a second for batches, with few and with many tasks and
// participants stored, sequentially and in parallel.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
)

type config struct {
	sizes     []int
	executors []string
	txs       int // of a block
	rounds    int
	batchTxs  int // of a block of batches
	batch     int // items of a batch
	write     bool
}

func main() {
	cfg, err := parse(os.Args[1:])
	if err == nil {
		err = run(cfg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("chain", flag.ContinueOnError)
	sizes := f.String("sizes", "10,1000,100000", "stored tasks and participants")
	executors := f.String("executors", "sequential,block-stm", "how blocks run")
	f.IntVar(&c.txs, "txs", 1000, "transactions of a block")
	f.IntVar(&c.rounds, "rounds", 3, "rounds; the median counts")
	f.IntVar(&c.batchTxs, "batch-txs", 100, "transactions of a block of batches")
	f.IntVar(&c.batch, "batch", 100, "items of a batch")
	f.BoolVar(&c.write, "write", false, "write the tables into bench/RESULTS.md")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	for _, s := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return c, fmt.Errorf("-sizes: %q is not a number", s)
		}
		c.sizes = append(c.sizes, n)
	}
	for _, e := range strings.Split(*executors, ",") {
		if e != serverconfig.BlockExecutorSequential && e != serverconfig.BlockExecutorBlockSTM {
			return c, fmt.Errorf("-executors: %q, want %s or %s", e, serverconfig.BlockExecutorSequential, serverconfig.BlockExecutorBlockSTM)
		}
		c.executors = append(c.executors, e)
	}
	if c.txs < 1 || c.rounds < 1 || c.batchTxs < 1 || c.batch < 1 {
		return c, fmt.Errorf("-txs, -rounds, -batch-txs and -batch: want at least 1")
	}
	return c, nil
}

func run(cfg config) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", describe(cfg))
	for _, executor := range cfg.executors {
		for _, size := range cfg.sizes {
			fmt.Fprintf(os.Stderr, "%s, %d stored: setting up\n", executor, size)
			results, err := measure(cfg, executor, size)
			if err != nil {
				return fmt.Errorf("%s, %d stored: %w", executor, size, err)
			}
			t := table(executor, size, results)
			fmt.Fprint(os.Stdout, t)
			out.WriteString(t)
		}
	}
	if cfg.write {
		return writeResults("bench/RESULTS.md", out.String())
	}
	return nil
}
