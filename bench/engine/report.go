package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"poaid/engine/kernel"
)

// row is one line of the table.
type row struct {
	work       string
	unit       string
	ours, peer float64 // in unit, more is better unless less is set
	peerName   string
	goal       float64
	less       bool   // less is better: the goal is an upper limit of the ratio
	missing    string // why there is no peer
}

// ratio is ours : peer.
func (r row) ratio() float64 { return r.ours / r.peer }

// verdict says whether the goal was reached, empty where there is no goal or no peer.
func (r row) verdict() string {
	switch {
	case r.goal == 0 || r.missing != "":
		return ""
	case r.less == (r.ratio() <= r.goal):
		return "reached"
	default:
		return "missed"
	}
}

func (r row) cells() []string {
	cells := []string{r.work, fmt.Sprintf("%.4g %s", r.ours, r.unit), r.peerName, "", "", "", ""}
	if r.goal != 0 {
		sign := "≥"
		if r.less {
			sign = "≤"
		}
		cells[5] = fmt.Sprintf("%s %.4g", sign, r.goal)
	}
	if r.missing != "" {
		cells[3] = "left out: " + r.missing
		return cells
	}
	cells[3], cells[4], cells[6] = fmt.Sprintf("%.4g", r.peer), fmt.Sprintf("%.2f", r.ratio()), r.verdict()
	return cells
}

func (r row) String() string {
	c := r.cells()
	return fmt.Sprintf("%-44s %-18s %-34s %-10s %-6s %-8s %s", c[0], c[1], c[2], c[3], c[4], c[5], c[6])
}

// table is the section of the results file.
func table(cfg config, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Ours and the peer in turn in one run, best of %d rounds each; kernel %s, %d cores, %s/%s, %s. ",
		cfg.rounds, kernel.Name(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	b.WriteString("One thread: processor time; several: wall clock. f32 everywhere unless it says int8.\n\n")
	b.WriteString("| work | ours | peer | peer's | ratio | goal | |\n|---|---:|---|---:|---:|---:|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	b.WriteString("\n")
	return b.String()
}

const (
	begin = "<!-- bench-engine: begin -->"
	end   = "<!-- bench-engine: end -->"
)

// writeResults replaces the program's section of the file, or adds one.
func writeResults(path, section string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := begin + "\n## Engine beside its peers (`make bench-engine`)\n\n" + section + end + "\n"
	s := string(old)
	from, to := strings.Index(s, begin), strings.Index(s, end)
	if from >= 0 && to > from {
		s = s[:from] + text + strings.TrimPrefix(s[to+len(end):], "\n")
	} else {
		if s != "" {
			s = strings.TrimRight(s, "\n") + "\n\n"
		}
		s += text
	}
	return os.WriteFile(path, []byte(s), 0o600)
}
