package majority_test

import (
	"math"
	"math/big"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/majority"
)

func lead(tb testing.TB, ppm uint64, exponent uint32) uint64 {
	tb.Helper()
	l, err := majority.Lead(ppm, exponent)
	require.NoError(tb, err)
	return l
}

func TestLead(t *testing.T) {
	for _, c := range []struct {
		ppm  uint64
		e    uint32
		want uint64
	}{
		{0, 9, 1},
		{1, 6, 2}, // 1/999,999 is above a millionth
		{1, 5, 1},
		{100_000, 0, 1},
		{100_000, 9, 10},
		{200_000, 9, 15},
		{300_000, 9, 25},
		{400_000, 9, 52},
		{450_000, 9, 104},
		{490_000, 9, 519},
		{490_000, 18, 1_037},
	} {
		require.Equal(t, c.want, lead(t, c.ppm, c.e), "f = %d ppm, 10^-%d", c.ppm, c.e)
	}
	_, err := majority.Lead(490_001, 9)
	require.ErrorIs(t, err, majority.ErrRange)
	_, err = majority.Lead(400_000, 19)
	require.ErrorIs(t, err, majority.ErrRange)
}

// (f/(1−f))^n as a fraction.
func power(ppm, n uint64) *big.Rat {
	num := new(big.Int).Exp(new(big.Int).SetUint64(ppm), new(big.Int).SetUint64(n), nil)
	return new(big.Rat).SetFrac(num, new(big.Int).Exp(new(big.Int).SetUint64(1_000_000-ppm), new(big.Int).SetUint64(n), nil))
}

func tenToMinus(e uint32) *big.Rat {
	return new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e)), nil))
}

func TestLeadIsTheLeast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := rapid.Uint64Range(1, majority.MaxAdversaryPpm).Draw(rt, "f")
		e := rapid.Uint32Range(0, majority.MaxExponent).Draw(rt, "e")
		l, err := majority.Lead(f, e)
		require.NoError(rt, err)
		require.LessOrEqual(rt, power(f, l).Cmp(tenToMinus(e)), 0)
		if l > 1 {
			require.Positive(rt, power(f, l-1).Cmp(tenToMinus(e)))
		}
	})
}

// walk is the exact chance, after at most n seats, that the adversary (f tenths of each seat) leads by l before the honest do, and that nobody
// does yet. It is a table over the difference of counts; numerators of 10^seats.
func walk(f int64, l, n int) (captured, open *big.Rat) {
	at := make([]*big.Int, 2*l+1) // index is the adversary's lead plus l
	for i := range at {
		at[i] = new(big.Int)
	}
	at[l].SetInt64(1)
	bad, good, ten := big.NewInt(f), big.NewInt(10-f), big.NewInt(10)
	scale, wins := big.NewInt(1), new(big.Int)
	for range n {
		next := make([]*big.Int, 2*l+1)
		for i := range next {
			next[i] = new(big.Int)
			if i > 0 && i-1 > 0 {
				next[i].Add(next[i], new(big.Int).Mul(at[i-1], bad))
			}
			if i+1 < 2*l {
				next[i].Add(next[i], new(big.Int).Mul(at[i+1], good))
			}
		}
		wins.Mul(wins, ten).Add(wins, next[2*l])
		next[2*l].SetInt64(0)
		next[0].SetInt64(0)
		scale.Mul(scale, ten)
		at = next
	}
	left := new(big.Int)
	for _, p := range at {
		left.Add(left, p)
	}
	return new(big.Rat).SetFrac(wins, scale), new(big.Rat).SetFrac(left, scale)
}

// TestCaptureIsBelowTheBound follows the walk exactly. Where it has all but ended the chance is that of the gambler's ruin, so the lead could not be
// one shorter either.
func TestCaptureIsBelowTheBound(t *testing.T) {
	limit := tenToMinus(9)
	for _, c := range []struct {
		f     int64
		seats int
	}{{1, 100}, {2, 250}, {3, 500}, {4, 2_500}} {
		l := int(lead(t, uint64(c.f)*100_000, 9))
		captured, open := walk(c.f, l, c.seats)
		require.LessOrEqual(t, captured.Cmp(limit), 0, "f = .%d", c.f)
		require.Negative(t, open.Cmp(tenToMinus(14)), "f = .%d: the walk has ended", c.f)
		rho := power(uint64(c.f)*100_000, uint64(l))
		ruin := new(big.Rat).Quo(rho, new(big.Rat).Add(rho, big.NewRat(1, 1)))
		gap := new(big.Rat).Sub(ruin, captured)
		require.GreaterOrEqual(t, gap.Sign(), 0)
		require.LessOrEqual(t, gap.Cmp(open), 0, "f = .%d: what is missing is still open", c.f)
		shorter, _ := walk(c.f, l-1, c.seats)
		require.Positive(t, shorter.Cmp(limit), "f = .%d: a lead of %d is not enough", c.f, l-1)
	}
}

// finite is the chance of capture when seats are drawn without replacement from n equal participants, bad of them adversaries, and that the honest
// lead by l first.
func finite(n, bad, l int) (captured, right float64) {
	at := map[int]float64{0: 1} // adversaries among those drawn, none of them decided
	for drawn := range n {
		next := map[int]float64{}
		for a, p := range at {
			isBad := float64(bad-a) / float64(n-drawn)
			for _, s := range []struct {
				a int
				p float64
			}{{a + 1, isBad}, {a, 1 - isBad}} {
				switch 2*s.a - drawn - 1 {
				case l:
					captured += float64(p * s.p)
				case -l:
					right += float64(p * s.p)
				default:
					next[s.a] += float64(p * s.p)
				}
			}
		}
		at = next
	}
	return captured, right
}

// Drawing without replacement helps the honest: whoever is ahead is the less likely to be drawn next.
func TestCaptureWithoutReplacement(t *testing.T) {
	for _, n := range []int{100, 500, 2_000} {
		captured, right := finite(n, n*4/10, 52)
		require.Less(t, captured, 1e-9, "%d participants", n)
		if n >= 500 {
			require.Greater(t, right, .99, "%d participants", n)
		}
	}
}

// expected seats of the walk, by Wald's identity.
func expected(f float64, l uint64) float64 {
	rho := math.Pow(f/(1-f), float64(l))
	return float64(l) / (1 - float64(2*f)) * (1 - rho) / (1 + rho)
}

// TestSimulation draws seats until Decided says so. A short lead, so that captures are seen.
func TestSimulation(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	const rounds = 40_000
	for _, ppm := range []uint64{100_000, 200_000, 300_000, 400_000} {
		f, l := float64(ppm)/1e6, lead(t, ppm, 1)
		captures, seats := 0, 0
		for range rounds {
			counts := []uint64{0, 0}
			for {
				seats++
				if rng.Float64() < f {
					counts[1]++
				} else {
					counts[0]++
				}
				if w, ok := majority.Decided(counts, l); ok {
					captures += w
					break
				}
			}
		}
		rho := math.Pow(f/(1-f), float64(l))
		want, got := rho/(1+rho), float64(captures)/rounds
		sigma := math.Sqrt(want * (1 - want) / rounds)
		require.InDelta(t, want, got, 5*sigma, "f = %g", f)
		require.InEpsilon(t, expected(f, l), float64(seats)/rounds, .02, "f = %g", f)
	}
}

// The figures of README.md.
func TestExpectedSeats(t *testing.T) {
	for ppm, want := range map[uint64]float64{100_000: 12.5, 200_000: 25, 300_000: 62.5, 400_000: 260} {
		require.InDelta(t, want, expected(float64(ppm)/1e6, lead(t, ppm, 9)), .01)
	}
}

func TestDecided(t *testing.T) {
	for name, c := range map[string]struct {
		counts []uint64
		lead   uint64
		winner int
		ok     bool
	}{
		"nobody":           {nil, 1, 0, false},
		"no seat":          {[]uint64{0}, 1, 0, false},
		"one answer":       {[]uint64{3}, 3, 0, true},
		"one too few":      {[]uint64{2}, 3, 0, false},
		"a tie":            {[]uint64{7, 7}, 1, 0, false},
		"the last":         {[]uint64{1, 2, 9}, 7, 2, true},
		"second came late": {[]uint64{9, 1, 8}, 2, 0, false},
		"second was first": {[]uint64{8, 9, 1}, 2, 0, false},
		"zero lead":        {[]uint64{8, 1}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, ok := majority.Decided(c.counts, c.lead)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.winner, w)
		})
	}
}

func TestDecidedIsTheLeader(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint64Range(0, 12), 1, 6).Draw(rt, "counts")
		need := rapid.Uint64Range(1, 12).Draw(rt, "lead")
		leader := -1
		for i, c := range counts {
			leads := true
			for j, d := range counts {
				leads = leads && (i == j || c >= d+need)
			}
			if leads && c >= need {
				leader = i
			}
		}
		w, ok := majority.Decided(counts, need)
		require.Equal(rt, leader >= 0, ok)
		if ok {
			require.Equal(rt, leader, w)
		}
	})
}
