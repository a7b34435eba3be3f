package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// sample is one measured block.
type sample struct {
	txs, items int
	took       time.Duration
}

// result is one kind of block over all rounds.
type result struct {
	name    string
	samples []sample
}

// perSecond is the median of what n picks, a second.
func (r result) perSecond(n func(sample) int) float64 {
	v := make([]float64, len(r.samples))
	for i, s := range r.samples {
		v[i] = float64(n(s)) / s.took.Seconds()
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func (r result) txRate() float64   { return r.perSecond(func(s sample) int { return s.txs }) }
func (r result) itemRate() float64 { return r.perSecond(func(s sample) int { return s.items }) }

func describe(cfg config) string {
	return fmt.Sprintf("FinalizeBlock + Commit in process, in memory; %d transactions a block, batches of %d items, %d a block; median of %d rounds; %d cores, %s/%s, %s.",
		cfg.txs, cfg.batch, cfg.batchTxs, cfg.rounds, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// table shows each kind of block beside the bank sends of the same run.
func table(executor string, size int, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s, %d tasks and %d participants stored\n\n", executor, size, size)
	fmt.Fprintf(&b, "| block of | tx/s | items/s | tx/s : bank send |\n|---|---:|---:|---:|\n")
	send := results[0].txRate()
	for _, r := range results {
		tx, ratio := "", ""
		if r.samples[0].txs > 0 {
			tx, ratio = fmt.Sprintf("%.0f", r.txRate()), fmt.Sprintf("%.2f", r.txRate()/send)
		}
		items := ""
		if r.samples[0].items > 0 {
			items = fmt.Sprintf("%.0f", r.itemRate())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.name, tx, items, ratio)
	}
	b.WriteString("\n")
	return b.String()
}

const (
	begin = "<!-- bench-chain: begin -->"
	end   = "<!-- bench-chain: end -->"
)

// writeResults replaces the program's section of the file, or adds one.
func writeResults(path, section string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := begin + "\n## Chain: blocks a second (`make bench-chain`)\n\n" + section + end + "\n"
	s := string(old)
	from, to := strings.Index(s, begin), strings.Index(s, end)
	if from >= 0 && to > from {
		s = s[:from] + text + strings.TrimPrefix(s[to+len(end):], "\n")
	} else {
		if s != "" && !strings.HasSuffix(s, "\n\n") {
			s = strings.TrimRight(s, "\n") + "\n\n"
		}
		s += text
	}
	return os.WriteFile(path, []byte(s), 0o600)
}
