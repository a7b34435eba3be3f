package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"poaid/testutil"
	rewardstypes "poaid/x/rewards/types"
)

// each participants of every size, ten sizes: a hundred.
const each = 10

// groupSize of those who play: half of the largest, 26 % of all compute.
const groupSize = 5

// table is a table of Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t table) write(w io.Writer) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
	for _, r := range t.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | "))
	}
	fmt.Fprintln(w)
}

// report runs everything, prints the tables and draws the pictures.
func report(out io.Writer, tb testutil.TB, tasks, long int, plots string) error {
	base := setting{sizes: sizes(each), tasks: tasks, seed: 1, group: groupSize}
	fair := base.run(tb)
	fmt.Fprintf(out, "%s\n\n", describe(fair))
	fairTable(fair).write(out)
	shown := fair // in the pictures
	if long > 0 {
		more := base
		more.tasks = long
		shown = more.run(tb)
		fmt.Fprintf(out, "%s\n\n", describe(shown))
		fairTable(shown).write(out)
	}
	base.stake = true
	staked := base.run(tb)
	base.stake = false
	sizeTable().write(out)
	stakeTable(fair, staked).write(out)
	washTable().write(out)
	unitTable().write(out)
	outcomes := playAll(tb, base, fair)
	strategyTable(outcomes).write(out)
	if plots == "" {
		return nil
	}
	return draw(plots, shown, staked, outcomes)
}

// describe says in a line what a run was.
func describe(r result) string {
	units, fees, final, audited := 0.0, 0.0, 0, 0
	for _, t := range r.tasks {
		units += float64(t.units)
		if t.state.String() == "STATE_FINAL" {
			final++
		}
		if t.audited {
			audited++
		}
	}
	for _, a := range r.accounts {
		fees += a.fees
	}
	return fmt.Sprintf("%d tasks of %.0f units in the mean, %d final, %d audited; %d blocks, %d epochs with score; fees of %.1f poai and "+
		"%.1f poai of block reward to participants.",
		len(r.tasks), units/float64(len(r.tasks)), final, audited, r.blocks, r.epochs, fees/1e6, r.minted/1e6)
}

// playAll runs every strategy against the honest run of the same clients.
func playAll(tb testutil.TB, base setting, fair result) []outcome {
	var out []outcome
	honest := map[market]result{{}: fair}
	for _, s := range strategies() {
		base.market, base.play = s.market, nil
		if _, done := honest[s.market]; !done {
			honest[s.market] = base.run(tb)
		}
		base.play = &s
		out = append(out, compare(base, honest[s.market], base.run(tb)))
	}
	return out
}

// fairTable is what each size has of pay and of computing: in expectation, and in the run.
func fairTable(r result) table {
	t := table{head: []string{
		"size", "participants", "of capacity", "of computing, expected", "of pay, expected", "pay / computing, expected", "of computing, in this run",
		"of pay, in this run", "pay / computing, in this run", "draws", "draws expected",
	}}
	capacity, done, got := capacityShares(r), computed(r), shares(pays(r))
	want, compute := expected(r.weights, r.tasks)
	draws := 0
	for _, a := range r.accounts {
		draws += a.drawn
	}
	for i := 0; i < len(r.accounts); {
		j, n := i, 0
		var share, c, e, d, g float64
		for ; j < len(r.accounts) && r.accounts[j].size == r.accounts[i].size; j++ {
			share, c, e, d, g, n = share+capacity[j], c+compute[j], e+want[j], d+done[j], g+got[j], n+r.accounts[j].drawn
		}
		mean := share * float64(draws)
		t.rows = append(t.rows, []string{
			fmt.Sprintf("%d×", r.accounts[i].size), fmt.Sprint(j - i), percent(share), percent(c), percent(e), fmt.Sprintf("%.4f", e/c), percent(d), percent(g),
			ratio(g, d), fmt.Sprint(n), fmt.Sprintf("%.1f ± %.1f", mean, math.Sqrt(mean*(1-share))),
		})
		i = j
	}
	t.rows = append(t.rows, []string{
		"slope", fmt.Sprint(len(compute)), "", "", "", fmt.Sprintf("%.4f", slope(compute, want)), "", "", fmt.Sprintf("%.4f", slope(done, got)), "", "",
	})
	return t
}

// ratio of two shares, a dash for nothing of nothing.
func ratio(x, y float64) string {
	if y == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4f", x/y)
}

// capacityShares are the participants' shares of all machines.
func capacityShares(r result) []float64 {
	v := make([]float64, len(r.accounts))
	for i, a := range r.accounts {
		v[i] = float64(a.size)
	}
	return shares(v)
}

// computed are the participants' shares of what was computed in a run, works and checks.
func computed(r result) []float64 {
	v := make([]float64, len(r.accounts))
	for i, a := range r.accounts {
		v[i] = a.cost
	}
	return shares(v)
}

// pays are fees and block reward.
func pays(r result) []float64 {
	v := make([]float64, len(r.accounts))
	for i, a := range r.accounts {
		v[i] = a.fees + a.reward
	}
	return v
}

// sizeTable is how far the expected share of pay is from the share of computing, for tasks of one size; and that from the share of capacity.
func sizeTable() table {
	t := table{head: []string{
		"units of a task", "audited", "1×, pay / computing", "10×", "100×", "1000×", "slope", "1×, computing / capacity", "1000×",
	}}
	weights := make([]uint64, 0, 10*each)
	for _, s := range sizes(each) {
		weights = append(weights, s*smallest*1_000)
	}
	capacity := make([]float64, len(weights))
	for i, w := range weights {
		capacity[i] = float64(w)
	}
	capacity = shares(capacity)
	for _, c := range []task{
		{units: 10_000, audit: auditRate(10_000)},
		{units: 30_000, audit: auditRate(30_000)},
		{units: 100_000, audit: auditRate(100_000)},
		{units: 1_000_000, audit: auditRate(1_000_000)},
		{units: 1_000_000_000, audit: auditRate(1_000_000_000)},
		{units: 1_000_000, audit: 1},
	} {
		e, compute := expected(weights, []task{c})
		row := []string{fmt.Sprint(c.units), percent(c.audit)}
		for _, class := range []int{0, 3, 6, 9} {
			row = append(row, fmt.Sprintf("%.4f", e[class*each]/compute[class*each]))
		}
		row = append(row, fmt.Sprintf("%.4f", slope(compute, e)))
		for _, class := range []int{0, 9} {
			row = append(row, fmt.Sprintf("%.4f", compute[class*each]/capacity[class*each]))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// stakeTable compares with weights by bond: what machines are paid.
func stakeTable(fair, staked result) table {
	t := table{head: []string{"weight by", "Gini of pay against capacity, expected", "in this run", "slope, expected", "correlation of pay with capacity, expected"}}
	for _, v := range []struct {
		name string
		r    result
	}{{"proven compute", fair}, {"bond", staked}} {
		capacity, got := capacityShares(v.r), shares(pays(v.r))
		want, _ := expected(v.r.weights, v.r.tasks)
		t.rows = append(t.rows, []string{
			v.name, fmt.Sprintf("%.3f", gini(capacity, want)), fmt.Sprintf("%.3f", gini(capacity, got)), fmt.Sprintf("%.3f", slope(capacity, want)),
			fmt.Sprintf("%.3f", correlation(capacity, want)),
		})
	}
	return t
}

func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, xx, yy, xy float64
	for i := range x {
		sx, sy, xx, yy, xy = sx+x[i], sy+y[i], xx+x[i]*x[i], yy+y[i]*y[i], xy+x[i]*y[i]
	}
	return (n*xy - sx*sy) / math.Sqrt((n*xx-sx*sx)*(n*yy-sy*sy))
}

// strategyTable is what each group nets, in poai.
func strategyTable(outcomes []outcome) table {
	t := table{head: []string{
		"strategy", "own tasks", "block reward", "fees", "paid for tasks", "gas", "slashed", "computing", "net", "honest net", "gained by it",
	}}
	poai := func(v float64) string { return fmt.Sprintf("%.2f", v/1e6) }
	for _, o := range outcomes {
		p := o.plays
		t.rows = append(t.rows, []string{
			o.name, fmt.Sprint(o.submitted), poai(p.reward), poai(p.fees), poai(p.paid), poai(p.gas), poai(p.slashed), poai(p.cost), poai(p.net()), poai(o.honest.net()),
			fmt.Sprintf("%+.2f", o.gain()/1e6),
		})
	}
	return t
}

// cases of a washer whose weight is a variable.
func cases() []struct {
	name string
	w    wash
} {
	type c = struct {
		name string
		w    wash
	}
	base := defaults(0)
	low := base
	low.price /= 10
	always := base
	always.audit = 1
	captive := base
	captive.owns = true
	known := base
	known.cost = 0
	free := captive
	free.cost = 0
	return []c{
		{"open model", base},
		{"the same, fee a tenth", low},
		{"the same, every task audited", always},
		{"its own model", captive},
		{"answers known beforehand, no computing", known},
		{"its own model, no computing", free},
	}
}

// washTable is what a unit of a task that somebody asks of itself brings, with the limit of what a run mints and without.
func washTable() table {
	t := table{head: []string{"who asks itself", "limit", "weight 5 %", "33 %", "50 %", "100 %", "pays above a weight of"}}
	for _, limit := range []struct {
		name string
		bps  uint32
	}{{"a run's cost (default)", rewardstypes.DefaultMaxEmissionCostBps}, {"1 upoai a unit", 0}, {"9 % of a run's cost", 900}} {
		for _, c := range cases() {
			w, name := c.w, limit.name
			w.rewards.MaxEmissionCostBps = limit.bps
			row := []string{c.name, name}
			for _, weight := range []float64{.05, 1. / 3, .5, 1} {
				w.weight = weight
				row = append(row, fmt.Sprintf("%+.3f", w.net()))
			}
			above := "–"
			if b := w.breakEven(); b > 0 {
				above = percent(b)
			}
			t.rows = append(t.rows, append(row, above))
		}
	}
	return t
}

// unitTable says what an honest worker and member, and who only sprints, earn of a unit, in upoai, by how often tasks are audited and with the limit of what is
// minted or without.
func unitTable() table {
	t := table{head: []string{
		"limit", "audited", "block reward of a unit worked", "of a unit checked", "of a unit of a sprint", "fee of a unit worked", "of a unit checked", "worker nets",
		"member nets", "who only sprints nets",
	}}
	for _, c := range []struct {
		name  string
		bps   uint32
		audit float64
	}{
		{"a run's cost (default)", rewardstypes.DefaultMaxEmissionCostBps, auditRate(10_000)},
		{"a run's cost (default)", rewardstypes.DefaultMaxEmissionCostBps, auditRate(1_000_000)},
		{"a run's cost (default)", rewardstypes.DefaultMaxEmissionCostBps, 1},
		{"1 upoai a unit", 0, auditRate(1_000_000)},
	} {
		w := defaults(0)
		w.rewards.MaxEmissionCostBps, w.audit = c.bps, c.audit
		e := w.emission()
		worker, member := w.paid()
		t.rows = append(t.rows, []string{
			c.name, percent(c.audit), fmt.Sprintf("%.3f", e), fmt.Sprintf("%.3f", e*verifierShare()), fmt.Sprintf("%.3f", e*sprintShare()), fmt.Sprintf("%.3f", worker),
			fmt.Sprintf("%.3f", member), fmt.Sprintf("%+.3f", worker+e-w.cost), fmt.Sprintf("%+.3f", member+e*verifierShare()-w.cost), fmt.Sprintf("%+.3f", e*sprintShare()-w.cost),
		})
	}
	return t
}

func percent(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) }
