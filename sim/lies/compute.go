package main

import (
	"fmt"
	"io"
	"math/big"
	"strings"

	"cosmossdk.io/math"

	"poaid/x/tasks/types"
)

// royaltyBps of the models that the tables are about.
const royaltyBps = 500

// shares of the weight that lie, in hundredths; a third is written as such.
func shares() []*big.Rat {
	return []*big.Rat{
		big.NewRat(10, 100), big.NewRat(20, 100), big.NewRat(30, 100), big.NewRat(1, 3), big.NewRat(40, 100), big.NewRat(45, 100), big.NewRat(49, 100),
	}
}

// lie is one that a worker with colluders tries.
type lie struct {
	params types.Params
	units  uint64
	stops  bool     // the model may stop early, so that a liar can charge steps that were not made
	share  *big.Rat // of the weight that colludes, the worker's included
	// members that the share is divided among evenly; 0: very many.
	members int
}

// one is 1.
func one() *big.Rat { return big.NewRat(1, 1) }

// capture is the chance that all seats of a committee collude. Seats are drawn by weight, the worker and who has a seat already excepted:
// one seat a participant and task.
func capture(share *big.Rat, members, seats int) *big.Rat {
	c := one()
	if members == 0 {
		for range seats {
			c.Mul(c, share)
		}
		return c
	}
	part := new(big.Rat).Quo(share, big.NewRat(int64(members), 1))
	gone := new(big.Rat)
	for range seats {
		gone.Add(gone, part) // first the worker
		left := new(big.Rat).Sub(share, gone)
		if left.Sign() <= 0 {
			return new(big.Rat)
		}
		c.Mul(c, left.Quo(left, new(big.Rat).Sub(one(), gone)))
	}
	return c
}

// rate is the chance of an audit, and lock what the worker has at risk: what the chain fixes at submission.
func (l lie) rate() (rate *big.Rat, lock math.Int) {
	lock, ppm := l.params.Risk(l.units, royaltyBps, l.stops)
	return big.NewRat(int64(ppm), types.PpmOne), lock
}

// caught is the chance that an audit comes and finds the lie: not all of its members collude, and one of them does its work.
func (l lie) caught() *big.Rat {
	rate, _ := l.rate()
	honest := new(big.Rat).Sub(one(), capture(l.share, l.members, int(l.params.CommitteeSize)))
	rate.Mul(rate, honest)
	return rate.Mul(rate, big.NewRat(int64(l.params.DetectionPpm), types.PpmOne))
}

// final is the chance that the lie stands if nobody but the committee looks.
func (l lie) final() *big.Rat { return new(big.Rat).Sub(one(), l.caught()) }

// reward is the worker's part of the fee.
func (l lie) reward() math.Int {
	_, ppm := l.params.Risk(l.units, royaltyBps, l.stops)
	return l.params.WorkersPart(types.Fee(l.units, l.params.UnitPrice, l.params.MinFee), royaltyBps, ppm)
}

// gain is what the lie saves if nobody finds it: the cost of the run, or the whole reward where more could be charged than was to be done.
func (l lie) gain() math.Int {
	cost := math.NewIntFromUint64(l.units).Mul(l.params.ReferenceCost).AddRaw(types.PriceUnits - 1).QuoRaw(types.PriceUnits)
	if l.stops {
		return math.MaxInt(cost, l.reward())
	}
	return cost
}

// loss is what trying it costs in expectation: the reward forgone and the half of the lock that certainly burns. What the other half may be
// worth to friends, and what colluding members lose beside the worker, is left out.
func (l lie) loss() *big.Rat {
	_, lock := l.rate()
	at := l.reward().Add(lock.QuoRaw(2))
	return new(big.Rat).Mul(l.caught(), new(big.Rat).SetInt(at.BigInt()))
}

// ratio of loss to gain.
func (l lie) ratio() *big.Rat {
	return new(big.Rat).Quo(l.loss(), new(big.Rat).SetInt(l.gain().BigInt()))
}

// sizes of tasks in units, from less than the least fee to a day of a large machine.
func sizes() []uint64 {
	return []uint64{1, 700, 2_000, 10_000, 100_000, 1_000_000, 10_000_000, 1_000_000_000, 1_000_000_000_000}
}

// least is the smallest ratio over all sizes of tasks and both kinds of models.
func least(p types.Params, share *big.Rat, members int) *big.Rat {
	var low *big.Rat
	for _, units := range sizes() {
		for _, stops := range []bool{false, true} {
			l := lie{params: p, units: units, stops: stops, share: share, members: members}
			if r := l.ratio(); low == nil || r.Cmp(low) < 0 {
				low = r
			}
		}
	}
	return low
}

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

// computed are the tables that follow from params alone.
func computed(p types.Params) []table {
	many := table{
		title: "A lie about a task of 1,000,000 units, by a worker with very many small colluders",
		head:  []string{"colluding weight", "committee captured", "final, nobody challenges", "final, one honest watcher", "gain", "expected loss", "loss / gain", "least over all tasks"},
	}
	few := table{
		title: "The same by how many colluders the weight is divided among: committee captured, loss / gain",
		head:  []string{"colluding weight", "1", "3", "4", "10", "100", "very many"},
	}
	withheld := table{
		title: "The same where the coalition also holds that share of the validators' power and withholds blocks (at worst)",
		head:  []string{"colluding weight", "loss / gain with audit_margin_bps 20,000", "with 30,000"},
	}
	wide := p
	wide.AuditMarginBps = 30_000
	for _, f := range shares() {
		l := lie{params: p, units: 1_000_000, share: f}
		many.rows = append(many.rows, []string{
			name(f), percent(capture(f, 0, int(p.CommitteeSize))), percent(l.final()), "0", l.gain().String(), l.loss().FloatString(0), l.ratio().FloatString(2),
			least(p, f, 0).FloatString(2),
		})
		row := []string{name(f)}
		for _, members := range []int{1, 3, 4, 10, 100, 0} {
			l.members = members
			row = append(row, fmt.Sprintf("%s, %s", percent(capture(f, members, int(p.CommitteeSize))), l.ratio().FloatString(2)))
		}
		few.rows = append(few.rows, row)
		if f.Cmp(big.NewRat(1, 3)) <= 0 {
			withheld.rows = append(withheld.rows, []string{name(f), withhold(least(p, f, 0), f), withhold(least(wide, f, 0), f)})
		}
	}
	return []table{many, few, withheld}
}

// withhold is what is left of a ratio where every audit that falls on the coalition's own blocks does not happen.
func withhold(ratio, share *big.Rat) string {
	return new(big.Rat).Mul(ratio, new(big.Rat).Sub(one(), share)).FloatString(2)
}

func name(f *big.Rat) string {
	if f.Cmp(big.NewRat(1, 3)) == 0 {
		return "1/3"
	}
	return f.FloatString(2)
}

func percent(r *big.Rat) string {
	return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(2) + " %"
}
