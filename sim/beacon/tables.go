package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// table is a table of Markdown.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t table) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
	for _, r := range t.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | "))
	}
}

// coalitions of the tables, as shares of the power.
var coalitions = []float64{0.10, 0.20, 0.25, 0.33}

// sizes of validator sets.
var sizes = []int{4, 20, 100}

// sets lists the setups of the tables: as many members as is their share of the power.
func sets(adjacent bool) []setup {
	var out []setup
	for _, n := range sizes {
		for _, f := range coalitions {
			members := max(int(math.Round(f*float64(n))), 1)
			if adjacent && members == 1 {
				continue // one member is adjacent to nobody
			}
			out = append(out, setup{members: members, others: n - members, share: f, adjacent: adjacent})
		}
	}
	return out
}

func (s setup) cells() []string {
	return []string{fmt.Sprint(s.members + s.others), fmt.Sprintf("%.0f%%", 100*s.share), fmt.Sprint(s.members)}
}

// tables computes all tables.
func tables(seeds int) []table {
	var out []table
	for _, adjacent := range []bool{false, true} {
		name := "scattered members"
		if adjacent {
			name = "adjacent members"
		}
		none := table{
			title: fmt.Sprintf("No honest proposer in the last d heights, %s", name),
			head:  []string{"validators", "power", "members", "longest run"},
		}
		for d := 1; d <= maxDelay; d++ {
			none.head = append(none.head, fmt.Sprintf("d=%d", d))
		}
		won := table{
			title: fmt.Sprintf("Draws with d = %d, %s: chance honest → mean → best moment (blocks forfeited: mean, best moment)", defaultDelay, name),
			head:  []string{"validators", "power", "members", "outcomes mean / most"},
		}
		for _, g := range goals() {
			won.head = append(won.head, g.name)
		}
		for _, s := range sets(adjacent) {
			r := measure(s, seeds)
			none.rows = append(none.rows, noHonestRow(s, r))
			won.rows = append(won.rows, wonRow(s, r))
		}
		out = append(out, none, won)
	}
	return append(out, splitTable(seeds), jitterTable(seeds/4), bestOfTable())
}

func noHonestRow(s setup, r result) []string {
	row := append(s.cells(), fmt.Sprint(r.longest))
	for d := 1; d <= maxDelay; d++ {
		row = append(row, share(r.noHonest[d]))
	}
	return row
}

func wonRow(s setup, r result) []string {
	row := append(s.cells(), fmt.Sprintf("%s / %s", count(r.outcomes), count(r.mostOutcomes)))
	for i, g := range goals() {
		row = append(row, fmt.Sprintf("%s → %s → %s (%.2f, %.2f)",
			share(g.chance(s.share)), share(r.won[i]), share(r.best[i]), r.price[i], r.bestPrice[i]))
	}
	return row
}

// splitTable shows what a coalition of a third gains by splitting its power over more and more members that propose one after the other.
func splitTable(seeds int) table {
	t := table{
		title: "A third of the power in m adjacent members, beside 67 equal others: share of draws with delay d that are foretold",
		head:  []string{"m", "longest run", "d=1", "d=2", "d=4", "d=6", "d=10"},
	}
	for _, m := range []int{1, 2, 4, 6, 7, 8, 10, 16, 33, 67} {
		r := measure(setup{members: m, others: 67, share: 0.33, adjacent: true}, seeds)
		row := []string{fmt.Sprint(m), fmt.Sprint(r.longest)}
		for _, d := range []int{1, 2, 4, 6, 10} {
			row = append(row, share(r.noHonest[d+1]))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// jitterTable shows how long members stay adjacent where powers are not constant.
func jitterTable(seeds int) table {
	t := table{
		title: fmt.Sprintf("33 of 100 validators, adjacent at first, powers drawn anew every %d blocks from 1±jitter of their own", epochBlocks),
		head:  []string{"jitter", "epochs", "longest run", "foretold, d=6", "outcomes mean", "drawn as worker, mean", "no audit, mean"},
	}
	for _, jitter := range []float64{0.01, 0.05, 0.1} {
		for _, epochs := range []int{0, 1, 10, 50} {
			r := measure(setup{members: 33, others: 67, share: 0.33, adjacent: true, jitter: jitter, epochs: epochs}, max(seeds, 1))
			t.rows = append(t.rows, []string{
				fmt.Sprintf("%.0f%%", 100*jitter), fmt.Sprint(epochs), fmt.Sprint(r.longest), share(r.noHonest[7]), count(r.outcomes), share(r.won[0]), share(r.won[1]),
			})
		}
	}
	return t
}

// bestOfTable is arithmetic: the chance that one of n outcomes is good.
func bestOfTable() table {
	t := table{title: "Best of n outcomes", head: []string{"chance of one"}}
	ns := []float64{2, 3, 4, 8, 16, 64, 256}
	for _, n := range ns {
		t.head = append(t.head, fmt.Sprintf("n=%.0f", n))
	}
	for _, p := range []float64{0.75, 0.33, 0.1, 0.01, 1e-3, 1e-6, 1e-9} {
		row := []string{share(p)}
		for _, n := range ns {
			row = append(row, share(bestOf(n, p)))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// share writes a probability.
func share(p float64) string {
	switch {
	case p == 0:
		return "0"
	case p < 1e-3:
		return fmt.Sprintf("%.1e", p)
	case p > 0.9995 && p < 1:
		return ">99.9%"
	}
	return fmt.Sprintf("%.3g%%", 100*p)
}

func count(n float64) string {
	if n >= 1e4 {
		return fmt.Sprintf("%.0e", n)
	}
	return fmt.Sprintf("%.3g", n)
}
