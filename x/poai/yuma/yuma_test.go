package yuma_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/yuma"
)

const tolerance = 1e-3

func near(t *testing.T, name string, want []float64, got []uint64) {
	t.Helper()
	require.Len(t, got, len(want), name)
	for i := range want {
		require.InDelta(t, want[i], float64(got[i])/yuma.One, tolerance, "%s[%d]", name, i)
	}
}

// published is the sequence of rounds in opentensor/subtensor, pallets/subtensor/src/tests/epoch.rs, test_bonds: four validators with stakes 1 to 4
// grade four servers; one after the other stops, then the third grades the last server only. κ = .5, β = 1, α = .1.
var published = []struct {
	grades                          [][]uint64
	consensus, incentive, dividends []float64
	trust                           []float64
	bonds                           [][]float64 // per validator; nil: not published
}{
	{
		grades:    [][]uint64{full, full, full, full},
		consensus: []float64{.0999975584, .2000012207, .2999926754, .400008545}, incentive: []float64{.0999975582, .2000012207, .2999926752, .4000085455},
		trust: []float64{1, 1, 1, 1}, dividends: []float64{.0999999978, .1999999983, .3000000012, .4000000022},
		bonds: [][]float64{{.1, .1, .1, .1}, {.2, .2, .2, .2}, {.3, .3, .3, .3}, {.4, .4, .4, .4}},
	},
	{
		grades:    [][]uint64{none, full, full, full},
		consensus: []float64{.0999975584, .2000012207, .2999926754, .400008545}, incentive: []float64{.0999975582, .2000012207, .2999926752, .4000085455},
		trust: []float64{0, 1, 1, 1}, dividends: []float64{.0899967032, .2022211233, .303334432, .404447741},
		bonds: [][]float64{same(.0899967037), same(.2022211235), same(.3033344317), same(.4044477409)},
	},
	{
		grades:    [][]uint64{none, none, full, full},
		consensus: []float64{.0999975584, .2000012207, .2999926754, .400008545}, incentive: []float64{.0999975582, .2000012207, .2999926752, .4000085455},
		trust: []float64{0, 0, 1, 1},
	},
	{
		grades:    [][]uint64{none, none, none, full},
		consensus: same(0), incentive: same(0), trust: same(0), dividends: same(0),
		bonds: [][]float64{same(.0809860737), same(.1819969537), same(.3158598263), same(.4211571459)},
	},
	{
		grades:    [][]uint64{none, none, last, full},
		consensus: []float64{0, 0, 0, .400008545}, incentive: []float64{0, 0, 0, 1}, trust: []float64{0, 0, .400008545, .400008545},
		dividends: []float64{.0728874663, .1637972582, .3271309866, .4361842885},
		bonds: [][]float64{
			{.0809860737, .0809860737, .0809860737, .0728874663},
			{.1819969537, .1819969537, .1819969537, .1637972582},
			{.3158598263, .3158598263, .3158598263, .3271309866},
			{.421157146, .421157146, .421157146, .4361842885},
		},
	},
	{grades: [][]uint64{none, none, last, full}, dividends: []float64{.0655988548, .1474132247, .3372762585, .4497116616}},
	{grades: [][]uint64{none, none, last, full}, dividends: []float64{.0590361361, .1326722752, .3464062694, .4618853189}},
	{
		grades: [][]uint64{none, none, last, full}, dividends: []float64{.053130352, .1194037423, .3546237142, .472842191},
		bonds: [][]float64{
			{.0809714776, .0809714776, .0809714776, .053130352},
			{.1819882002, .1819882002, .1819882002, .1194037423},
			{.3158588156, .3158588156, .3158588156, .3546237142},
			{.4211815062, .4211815062, .4211815062, .472842191},
		},
	},
}

var (
	full = []uint64{16383, 32767, 49149, 65535}
	last = []uint64{0, 0, 0, 65535}
	none = []uint64{0, 0, 0, 0}
)

func same(x float64) []float64 { return []float64{x, x, x, x} }

func TestPublishedVectors(t *testing.T) {
	p := yuma.Params{Kappa: yuma.One / 2, Penalty: yuma.One, Alpha: yuma.One / 10}
	var bonds [][]uint64
	for i, c := range published {
		res, err := yuma.Compute(p, yuma.Round{Stake: []uint64{1, 2, 3, 4}, Grades: c.grades, Bonds: bonds})
		require.NoError(t, err)
		for _, f := range []struct {
			name string
			want []float64
			got  []uint64
		}{{"consensus", c.consensus, res.Consensus}, {"incentive", c.incentive, res.Incentive}, {"trust", c.trust, res.Trust}, {"dividends", c.dividends, res.Dividends}} {
			if f.want != nil {
				near(t, f.name, f.want, f.got)
			}
		}
		for v, want := range c.bonds {
			near(t, "bonds", want, res.Bonds[v])
		}
		require.False(t, t.Failed(), "round %d", i+1)
		bonds = res.Bonds
	}
}

func side(t *rapid.T, name string) int { return rapid.IntRange(1, 9).Draw(t, name) }

func draw(t *rapid.T) (yuma.Params, yuma.Round) {
	share := rapid.OneOf(rapid.Uint64Range(0, yuma.One), rapid.SampledFrom([]uint64{0, yuma.One / 2, yuma.One}))
	p := yuma.Params{Kappa: max(share.Draw(t, "kappa"), 1), Penalty: share.Draw(t, "penalty"), Alpha: share.Draw(t, "alpha")}
	graders, subjects := side(t, "graders"), side(t, "subjects")
	amount := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, math.MaxUint64/16))
	r := yuma.Round{Stake: rapid.SliceOfN(amount, graders, graders).Draw(t, "stake")}
	old := rapid.Bool().Draw(t, "old")
	for range graders {
		r.Grades = append(r.Grades, rapid.SliceOfN(amount, subjects, subjects).Draw(t, "grades"))
		if old {
			r.Bonds = append(r.Bonds, rapid.SliceOfN(rapid.Uint64Range(0, yuma.One), subjects, subjects).Draw(t, "bonds"))
		}
	}
	return p, r
}

func sum(v []uint64) (s uint64) {
	for _, x := range v {
		s += x
	}
	return s
}

// TestSharesAddUp: nothing is lost or made by rounding.
func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := draw(t)
		res, err := yuma.Compute(p, r)
		require.NoError(t, err)
		for _, v := range [][]uint64{res.Incentive, res.Dividends} {
			require.Contains(t, []uint64{0, yuma.One}, sum(v))
		}
		for j := range res.Incentive {
			column := uint64(0)
			for i := range r.Stake {
				column += res.Bonds[i][j]
			}
			require.Contains(t, []uint64{0, yuma.One}, column)
			if res.Consensus[j] == 0 {
				require.Zero(t, res.Incentive[j], "no incentive without consensus")
			}
		}
		for i, tr := range res.Trust {
			require.LessOrEqual(t, tr, uint64(yuma.One))
			require.LessOrEqual(t, tr, sum(res.Consensus), "grader %d", i)
		}
	})
}

// TestConsensusByDefinition compares with the definition in rational numbers.
func TestConsensusByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := draw(t)
		res, err := yuma.Compute(p, r)
		require.NoError(t, err)
		total := new(big.Int)
		for _, s := range r.Stake {
			total.Add(total, new(big.Int).SetUint64(s))
		}
		need := new(big.Rat).SetFrac(new(big.Int).SetUint64(p.Kappa), big.NewInt(yuma.One))
		need.Mul(need, new(big.Rat).SetInt(total))
		for j := range res.Consensus {
			best := new(big.Rat)
			for _, row := range r.Grades {
				w := part(row, j)
				support := new(big.Int)
				for i, other := range r.Grades {
					if part(other, j).Cmp(w) >= 0 {
						support.Add(support, new(big.Int).SetUint64(r.Stake[i]))
					}
				}
				if total.Sign() > 0 && new(big.Rat).SetInt(support).Cmp(need) >= 0 && w.Cmp(best) > 0 {
					best = w
				}
			}
			got := new(big.Rat).SetFrac(new(big.Int).SetUint64(res.Consensus[j]), big.NewInt(yuma.One))
			diff := new(big.Rat).Sub(best, got)
			require.LessOrEqual(t, diff.Abs(diff).Cmp(big.NewRat(1, yuma.One)), 0, "subject %d: %s, want %s", j, got, best)
		}
	})
}

func part(row []uint64, j int) *big.Rat {
	total := new(big.Int)
	for _, x := range row {
		total.Add(total, new(big.Int).SetUint64(x))
	}
	if total.Sign() == 0 {
		return new(big.Rat)
	}
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(row[j]), total)
}

// TestMinorityRaisesNobody: graders with less than κ of the stake cannot lift a subject above what some other grader gave it, and what they give
// beyond that earns them nothing: trust counts it as lost.
func TestMinorityRaisesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subjects := rapid.IntRange(2, 6).Draw(t, "subjects")
		honest := rapid.SliceOfN(rapid.Uint64Range(1, 1000), subjects, subjects).Draw(t, "honest")
		liars := rapid.Uint64Range(1, 499).Draw(t, "liars") // of 1000
		friend := rapid.IntRange(0, subjects-1).Draw(t, "friend")
		lie := make([]uint64, subjects)
		lie[friend] = 1
		p := yuma.Params{Kappa: yuma.One / 2, Penalty: yuma.One, Alpha: yuma.One}
		fair, err := yuma.Compute(p, yuma.Round{Stake: []uint64{1000}, Grades: [][]uint64{honest}})
		require.NoError(t, err)
		res, err := yuma.Compute(p, yuma.Round{Stake: []uint64{1000 - liars, liars}, Grades: [][]uint64{honest, lie}})
		require.NoError(t, err)
		require.Equal(t, fair.Consensus, res.Consensus)
		require.Equal(t, fair.Consensus[friend], res.Trust[1])
		require.LessOrEqual(t, res.Dividends[1], liars*yuma.One/1000+1, "lying never pays more than the stake")
	})
}

// TestBondsOfThoseWhoLeft: bonds of a grader that is gone leave room, which those who stayed fill in proportion before anything new counts.
func TestBondsOfThoseWhoLeft(t *testing.T) {
	res, err := yuma.Compute(yuma.Params{Kappa: yuma.One / 2, Penalty: yuma.One, Alpha: yuma.One / 2}, yuma.Round{
		Stake: []uint64{1, 0}, Grades: [][]uint64{{1}, {1}}, Bonds: [][]uint64{{yuma.One / 5}, {yuma.One / 5}},
	})
	require.NoError(t, err)
	require.Equal(t, [][]uint64{{yuma.One * 3 / 4}, {yuma.One / 4}}, res.Bonds)
}

func TestRefused(t *testing.T) {
	good := yuma.Params{Kappa: yuma.One / 2}
	row := [][]uint64{{1}}
	for name, c := range map[string]struct {
		p yuma.Params
		r yuma.Round
	}{
		"kappa":         {yuma.Params{}, yuma.Round{Stake: []uint64{1}, Grades: row}},
		"alpha":         {yuma.Params{Kappa: 1, Alpha: yuma.One + 1}, yuma.Round{Stake: []uint64{1}, Grades: row}},
		"penalty":       {yuma.Params{Kappa: 1, Penalty: yuma.One + 1}, yuma.Round{Stake: []uint64{1}, Grades: row}},
		"graders":       {good, yuma.Round{}},
		"stake[1]":      {good, yuma.Round{Stake: []uint64{math.MaxUint64, 1}, Grades: [][]uint64{{1}, {1}}}},
		"grades":        {good, yuma.Round{Stake: []uint64{1, 1}, Grades: row}},
		"subjects":      {good, yuma.Round{Stake: []uint64{1}, Grades: [][]uint64{{}}}},
		"row 1":         {good, yuma.Round{Stake: []uint64{1, 1}, Grades: [][]uint64{{1}, {1, 2}}}},
		"grades[0][1]":  {good, yuma.Round{Stake: []uint64{1}, Grades: [][]uint64{{math.MaxUint64, 1}}}},
		"bonds":         {good, yuma.Round{Stake: []uint64{1, 1}, Grades: [][]uint64{{1}, {1}}, Bonds: row}},
		"bonds[0][0]":   {good, yuma.Round{Stake: []uint64{1}, Grades: row, Bonds: [][]uint64{{yuma.One + 1}}}},
		"1025 graders":  {good, yuma.Round{Stake: make([]uint64, 1025), Grades: slices.Repeat(row, 1025)}},
		"1025 subjects": {good, yuma.Round{Stake: []uint64{1}, Grades: [][]uint64{make([]uint64, 1025)}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := yuma.Compute(c.p, c.r)
			require.ErrorIs(t, err, yuma.ErrInput)
			require.ErrorContains(t, err, name)
		})
	}
}

func BenchmarkCompute64x64(b *testing.B) {
	r := yuma.Round{Stake: make([]uint64, 64)}
	for i := range r.Stake {
		r.Stake[i] = uint64(i + 1)
		row := make([]uint64, 64)
		for j := range row {
			row[j] = uint64(i*j%17 + 1)
		}
		r.Grades = append(r.Grades, row)
	}
	for b.Loop() {
		if _, err := yuma.Compute(yuma.Params{Kappa: yuma.One / 2, Penalty: yuma.One, Alpha: yuma.One / 10}, r); err != nil {
			b.Fatal(err)
		}
	}
}
