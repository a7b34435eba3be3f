// Command blocktime measures what the beacon costs: the interval between blocks of four local validators, real processes, with VRF keys and
// without (then randomness comes from block data). Both networks run at the same time on this machine, but take turns: while one is measured the
// processes of the other are stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"poaid/app/params"
	"poaid/localnet"
)

type config struct {
	bin        string
	validators int
	rounds     int
	turn       time.Duration
	pauses     []time.Duration
}

func main() {
	cfg, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = run(ctx, cfg)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("blocktime", flag.ContinueOnError)
	f.StringVar(&c.bin, "bin", "", "poaid executable (default: build one)")
	f.IntVar(&c.validators, "validators", 4, "validators of each network")
	f.IntVar(&c.rounds, "rounds", 4, "turns of each network")
	f.DurationVar(&c.turn, "turn", 5*time.Second, "length of a turn")
	pauses := f.String("block-times", "200ms,10ms", "pauses between blocks, one measurement each")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	for _, s := range strings.Split(*pauses, ",") {
		d, err := time.ParseDuration(s)
		if err != nil {
			return c, fmt.Errorf("-block-times: %w", err)
		}
		c.pauses = append(c.pauses, d)
	}
	if c.rounds < 1 || c.turn < time.Second {
		return c, errors.New("-rounds: want at least 1; -turn: want at least 1s")
	}
	return c, nil
}

func run(ctx context.Context, cfg config) error {
	params.Configure()
	dir, err := os.MkdirTemp("", "bench-blocktime-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if cfg.bin == "" {
		cfg.bin = filepath.Join(dir, "poaid")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", cfg.bin, "poaid/cmd/poaid").CombinedOutput(); err != nil {
			return fmt.Errorf("build poaid: %w\n%s", err, out)
		}
	}
	fmt.Printf("%d validators, %d turns of %s each, medians of intervals.\n\n", cfg.validators, cfg.rounds, cfg.turn)
	fmt.Print("| timeout_commit | with VRF | without | ratio of medians | ratio of means | processor time a block and validator | blocks |\n|---:|---:|---:|---:|---:|---|---:|\n")
	for _, pause := range cfg.pauses {
		if err := compare(ctx, cfg, filepath.Join(dir, pause.String()), pause); err != nil {
			return fmt.Errorf("block time %s: %w", pause, err)
		}
	}
	return nil
}

// compare measures one pause between blocks and prints its row.
func compare(ctx context.Context, cfg config, dir string, pause time.Duration) error {
	enc, err := localnet.NewEncoding()
	if err != nil {
		return err
	}
	nets := make([]*network, 2) // with and without
	defer func() {
		for _, n := range nets {
			if n != nil {
				n.stop()
			}
		}
	}()
	for i := range nets {
		c := localnet.Config{
			Home: filepath.Join(dir, fmt.Sprint(i)), ChainID: "poaid-bench", Validators: cfg.validators, BlockTime: pause, Binary: cfg.bin, NoBeaconKeys: i == 1,
		}
		if nets[i], err = start(ctx, c, enc); err != nil {
			return err
		}
		if err := nets[i].pause(); err != nil {
			return err
		}
	}
	for round := range cfg.rounds {
		for i := range nets {
			n := nets[(round+i)%2] // who begins alternates
			if err := n.turn(ctx, cfg.turn); err != nil {
				return err
			}
		}
	}
	with, without := nets[0].intervals, nets[1].intervals
	fmt.Printf("| %s | %.1f ms | %.1f ms | %.3f | %.3f | %.1f ms : %.1f ms | %d, %d |\n", pause, millis(median(with)), millis(median(without)),
		ratio(median(with), median(without)), ratio(mean(with), mean(without)),
		millis(nets[0].perBlock()), millis(nets[1].perBlock()), len(with), len(without))
	return nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func median(v []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func mean(v []time.Duration) (m time.Duration) {
	for _, d := range v {
		m += d
	}
	return m / time.Duration(len(v))
}
