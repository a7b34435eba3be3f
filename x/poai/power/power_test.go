package power_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/power"
)

var byCompute = power.Rule{ComputePpm: 1_000_000, LambdaPpm: 10_000_000, CapPpm: 250_000}

func set(pairs ...[2]int64) []power.Validator {
	out := make([]power.Validator, len(pairs))
	for i, p := range pairs {
		out[i] = power.Validator{Bond: p[0], Score: math.NewInt(p[1])}
	}
	return out
}

func TestTarget(t *testing.T) {
	million := int64(1_000_000)
	for name, c := range map[string]struct {
		rule power.Rule
		set  []power.Validator
		want []int64 // in millionths, rounded
		cap  int64   // in millionths
	}{
		"alone":                           {byCompute, set([2]int64{5, 0}), []int64{million}, million},
		"bootstrap is by bond":            {byCompute, set([2]int64{10, 0}, [2]int64{15, 0}, [2]int64{20, 0}, [2]int64{25, 0}, [2]int64{30, 0}), []int64{111_111, 166_667, 222_222, 250_000, 250_000}, 250_000},
		"by compute":                      {byCompute, set([2]int64{10, 10}, [2]int64{10, 20}, [2]int64{10, 20}, [2]int64{10, 25}, [2]int64{10, 25}), []int64{100_000, 200_000, 200_000, 250_000, 250_000}, 250_000},
		"half by bond":                    {power.Rule{ComputePpm: 500_000, LambdaPpm: 10_000_000, CapPpm: 1_000_000}, set([2]int64{30, 1}, [2]int64{10, 3}), []int64{500_000, 500_000}, million},
		"cut twice":                       {byCompute, set([2]int64{10, 60}, [2]int64{10, 24}, [2]int64{10, 8}, [2]int64{10, 4}, [2]int64{10, 4}), []int64{250_000, 250_000, 250_000, 125_000, 125_000}, 250_000},
		"with three the cap is a third":   {byCompute, set([2]int64{10, 90}, [2]int64{10, 9}, [2]int64{10, 1}), []int64{333_333, 333_333, 333_333}, 333_333},
		"what one may not have, by bond":  {byCompute, set([2]int64{10, 5}, [2]int64{15, 0}, [2]int64{20, 0}, [2]int64{20, 0}, [2]int64{20, 0}), []int64{250_000, 150_000, 200_000, 200_000, 200_000}, 250_000},
		"lambda":                          {power.Rule{ComputePpm: 1_000_000, LambdaPpm: 2_000_000, CapPpm: 500_000}, set([2]int64{10, 80}, [2]int64{45, 10}, [2]int64{45, 10}), []int64{200_000, 400_000, 400_000}, 500_000},
		"lambda leaves no room for a cap": {power.Rule{ComputePpm: 1_000_000, LambdaPpm: 2_000_000, CapPpm: 250_000}, set([2]int64{97, 1}, [2]int64{1, 1}, [2]int64{1, 1}, [2]int64{1, 1}), []int64{940_000, 20_000, 20_000, 20_000}, 940_000},
	} {
		t.Run(name, func(t *testing.T) {
			g := power.Target(c.rule, c.set)
			for i, p := range g.Powers {
				require.InDelta(t, c.want[i]*1000, p, 600, "validator %d of %v", i, g.Powers)
			}
			require.InDelta(t, c.cap*1000, g.Cap, 1000)
		})
	}
}

func TestTargetOfNobody(t *testing.T) { require.Empty(t, power.Target(byCompute, nil).Powers) }

// TestEqualValidators: equal ones differ by one unit at most, the first by address has it.
func TestEqualValidators(t *testing.T) {
	g := power.Target(power.Rule{LambdaPpm: 1_000_000, CapPpm: 1_000_000}, set([2]int64{7, 3}, [2]int64{7, 3}, [2]int64{7, 3}))
	require.Equal(t, []int64{333_333_334, 333_333_333, 333_333_333}, g.Powers)
}

func drawRule(t *rapid.T) power.Rule {
	return power.Rule{
		ComputePpm: rapid.OneOf(rapid.Uint64Range(0, 1_000_000), rapid.Just(uint64(1_000_000))).Draw(t, "compute"),
		LambdaPpm:  rapid.Uint64Range(1_000_000, 20_000_000).Draw(t, "lambda"),
		CapPpm:     rapid.Uint64Range(1, 1_000_000).Draw(t, "cap"),
	}
}

func drawSet(t *rapid.T, least, most int) []power.Validator {
	bond := rapid.OneOf(rapid.Int64Range(1, 5), rapid.Int64Range(1, 1_000_000), rapid.Int64Range(1, 1<<50))
	score := rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(1, 9), rapid.Uint64())
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) power.Validator {
		huge := rapid.SampledFrom([]uint64{1, 1 << 63}).Draw(t, "scale")
		return power.Validator{Bond: bond.Draw(t, "bond"), Score: math.NewIntFromUint64(score.Draw(t, "score")).Mul(math.NewIntFromUint64(huge))}
	}), least, most).Draw(t, "set")
}

func total(powers []int64) (sum int64) {
	for _, p := range powers {
		sum += p
	}
	return sum
}

func TestTargetProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkTarget(t, drawRule(t), drawSet(t, 1, 40)) })
}

type tb interface {
	require.TestingT
	Helper()
}

// checkTarget: nothing is lost, nobody is above a limit, everybody has power, the cap is no higher than it must be, more of everything is
// never less, and the result is the water level's, worked out the slow way.
func checkTarget(t tb, r power.Rule, set []power.Validator) {
	t.Helper()
	g := power.Target(r, set)
	n := int64(len(set))
	require.Equal(t, power.Scale, total(g.Powers), "%v", g.Powers)
	least := max(int64(r.CapPpm)*1000, (power.Scale+n-1)/n)
	require.GreaterOrEqual(t, g.Cap, least)
	var room int64
	for _, l := range g.Limits {
		room += min(l, g.Cap-1)
	}
	require.True(t, g.Cap == least || room < power.Scale, "cap %d is above %d without need", g.Cap, least)
	for i, p := range g.Powers {
		require.Positive(t, p)
		require.LessOrEqual(t, p, min(g.Cap, g.Limits[i]))
		for j, q := range g.Powers {
			if set[i].Bond >= set[j].Bond && set[i].Score.GTE(set[j].Score) {
				require.True(t, p >= q || p+1 == q && set[i].Bond == set[j].Bond && set[i].Score.Equal(set[j].Score), "%v: %d and %d of %v", set, i, j, g.Powers)
			}
		}
	}
	for i, want := range slowTarget(r, set, g) {
		diff := new(big.Rat).Sub(want, new(big.Rat).SetInt64(g.Powers[i]))
		require.Negative(t, diff.Abs(diff).Cmp(big.NewRat(1, 1)), "validator %d: %s, want %s", i, fmt.Sprint(g.Powers), want.FloatString(3))
	}
}

// slowTarget cuts and shares out again, round after round, in fractions.
func slowTarget(r power.Rule, set []power.Validator, g power.Goal) []*big.Rat {
	bonds, scores := new(big.Rat), new(big.Rat)
	for _, v := range set {
		bonds.Add(bonds, new(big.Rat).SetInt64(v.Bond))
		scores.Add(scores, new(big.Rat).SetInt(v.Score.BigInt()))
	}
	out, weights, seconds := make([]*big.Rat, len(set)), make([]*big.Rat, len(set)), make([]*big.Rat, len(set))
	for i, v := range set {
		out[i] = big.NewRat(1, 1)
		byBond := new(big.Rat).Quo(new(big.Rat).SetInt64(v.Bond), bonds)
		weights[i], seconds[i] = byBond, new(big.Rat)
		if scores.Sign() > 0 {
			c := big.NewRat(int64(r.ComputePpm), 1_000_000)
			byScore := new(big.Rat).Quo(new(big.Rat).SetInt(v.Score.BigInt()), scores)
			weights[i] = new(big.Rat).Add(new(big.Rat).Mul(c, byScore), new(big.Rat).Mul(new(big.Rat).Sub(big.NewRat(1, 1), c), byBond))
			if weights[i].Sign() == 0 {
				seconds[i] = byBond
			}
		}
	}
	left := new(big.Rat).SetInt64(power.Scale - int64(len(set)))
	for _, w := range [][]*big.Rat{weights, seconds} {
		for left.Sign() > 0 {
			sum := new(big.Rat)
			for i := range set {
				if out[i].Cmp(limitOf(g, i)) < 0 {
					sum.Add(sum, w[i])
				}
			}
			if sum.Sign() == 0 {
				break
			}
			share := new(big.Rat).Quo(left, sum)
			left = new(big.Rat)
			for i := range set {
				if out[i].Cmp(limitOf(g, i)) >= 0 {
					continue
				}
				out[i] = new(big.Rat).Add(out[i], new(big.Rat).Mul(share, w[i]))
				if over := new(big.Rat).Sub(out[i], limitOf(g, i)); over.Sign() > 0 {
					out[i] = limitOf(g, i)
					left.Add(left, over)
				}
			}
		}
	}
	return out
}

func limitOf(g power.Goal, i int) *big.Rat { return new(big.Rat).SetInt64(min(g.Cap, g.Limits[i])) }

func FuzzTarget(f *testing.F) {
	f.Add(uint64(1_000_000), uint64(10_000_000), uint64(250_000), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(uint64(0), uint64(1_000_000), uint64(1), []byte{255, 0, 1, 0})
	f.Fuzz(func(t *testing.T, compute, lambda, limit uint64, bz []byte) {
		var set []power.Validator
		for ; len(bz) >= 2 && len(set) < 64; bz = bz[2:] {
			set = append(set, power.Validator{Bond: int64(bz[0]) << (bz[1] % 40), Score: math.NewInt(int64(bz[1])).MulRaw(int64(bz[0]))})
		}
		g := power.Target(power.Rule{ComputePpm: compute, LambdaPpm: lambda, CapPpm: limit}, set)
		if len(set) == 0 {
			return
		}
		require.Equal(t, power.Scale, total(g.Powers))
		for i, p := range g.Powers {
			require.True(t, p >= 1 && p <= min(g.Limits[i], g.Cap), "validator %d of %v", i, g)
		}
	})
}

// change is half the sum of absolute changes of shares; who is in one set only has no share in the other.
func change(a, b []int64) *big.Rat {
	sum := new(big.Rat)
	for i := range a {
		d := new(big.Rat).Sub(big.NewRat(a[i], total(a)), big.NewRat(b[i], total(b)))
		sum.Add(sum, d.Abs(d))
	}
	return sum.Mul(sum, big.NewRat(1, 2))
}

func TestStepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		told := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(1, 60_000_000)), n, n).Draw(t, "told")
		target := power.Target(drawRule(t), drawSet(t, n, n)).Powers
		budget := rapid.Int64Range(0, 300_000_000).Draw(t, "budget")
		got, moved := power.Step(told, target, budget)
		require.Equal(t, power.Scale, total(got))
		require.LessOrEqual(t, moved, max(budget, 0))
		if start, _ := power.Step(told, told, 0); change(told, start).Cmp(big.NewRat(budget, power.Scale)) <= 0 {
			require.LessOrEqual(t, change(told, got).Cmp(big.NewRat(budget, power.Scale)), 0, "from %v to %v moves %s", told, got, change(told, got).FloatString(9))
		}
		for i, p := range got {
			require.Positive(t, p, "validator %d", i)
		}
		// With enough steps it arrives.
		for range 5_000 {
			if slices.Equal(got, target) {
				return
			}
			got, _ = power.Step(got, target, max(budget, 1_000_000))
		}
		t.Fatalf("%v never becomes %v", got, target)
	})
}
