package sprint_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/sprint"
)

func sample(tb testing.TB, random, count uint64, m int) []uint64 {
	tb.Helper()
	s, err := sprint.Sample(binary.LittleEndian.AppendUint64(nil, random), 5, "a", count, m)
	require.NoError(tb, err)
	return s
}

func TestSampleIsDistinct(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.IntRange(1, 200).Draw(rt, "m")
		count := rapid.OneOf(rapid.Uint64Range(1, 400), rapid.Uint64Range(1, 1<<24), rapid.Just(uint64(math.MaxUint64))).Draw(rt, "count")
		got := sample(t, rapid.Uint64().Draw(rt, "random"), count, m)
		require.Len(t, got, m)
		for i, n := range got {
			require.Less(t, n, count)
			if count < uint64(m) {
				require.Equal(t, uint64(i)%count, n)
			} else if i > 0 {
				require.Less(t, got[i-1], n)
			}
		}
	})
}

// TestSampleIsUniform counts how often every pair of 7 leaves is drawn (chi-square, 20 degrees of freedom, 10⁻⁶).
func TestSampleIsUniform(t *testing.T) {
	const draws, pairs = 42000, 21
	seen := make(map[[2]uint64]int)
	for i := range uint64(draws) {
		s := sample(t, i, 7, 2)
		seen[[2]uint64(s)]++
	}
	require.Len(t, seen, pairs)
	chi := 0.0
	for _, n := range seen {
		d := float64(n) - draws/pairs
		chi += d * d / (draws / pairs)
	}
	require.Less(t, chi, 64.0)
}

func TestSampleIsOnesOwn(t *testing.T) {
	base, err := sprint.Sample([]byte("r"), 5, "a", 1<<20, 80)
	require.NoError(t, err)
	for _, c := range []struct {
		random string
		window uint64
		who    string
	}{{"s", 5, "a"}, {"r", 6, "a"}, {"r", 5, "b"}} {
		other, err := sprint.Sample([]byte(c.random), c.window, c.who, 1<<20, 80)
		require.NoError(t, err)
		require.NotEqual(t, base, other)
	}
	for _, bad := range []struct {
		count uint64
		m     int
	}{{0, 80}, {5, 0}, {5, -1}, {5, 1 << 20}} {
		_, err := sprint.Sample([]byte("r"), 5, "a", bad.count, bad.m)
		require.ErrorIs(t, err, sprint.ErrInput)
	}
}

func TestAudited(t *testing.T) {
	hits := 0
	for i := range 100_000 {
		yes, err := sprint.Audited([]byte("r"), 1, strconv.Itoa(i), 20_000)
		require.NoError(t, err)
		always, err := sprint.Audited([]byte("r"), 1, strconv.Itoa(i), sprint.Million)
		require.NoError(t, err)
		never, err := sprint.Audited([]byte("r"), 1, strconv.Itoa(i), 0)
		require.NoError(t, err)
		require.True(t, always)
		require.False(t, never)
		if yes {
			hits++
		}
	}
	require.InDelta(t, 2000, hits, 6*44.3) // six standard deviations
}

func TestAuditPpm(t *testing.T) {
	for _, c := range []struct {
		count, verify uint64
		committee     int
		want          uint64
	}{
		{1, 20_000, 4, 50},
		{10, 20_000, 4, 500},
		{100, 20_000, 4, 5_000},
		{20_000, 20_000, 4, 1_000_000},
		{math.MaxUint64, 20_000, 4, 1_000_000},
		{1, 1, 4, 1},
		{0, 20_000, 4, 1},
	} {
		require.Equal(t, c.want, sprint.AuditPpm(c.count, 80, c.committee, c.verify))
	}
}

// missed is the probability that a sample of m out of count meets none of bad: hypergeometric, exact.
func missed(count, bad, m int64) float64 {
	if count-bad < m {
		return 0
	}
	p := new(big.Rat).SetFrac(new(big.Int).Binomial(count-bad, m), new(big.Int).Binomial(count, m))
	f, _ := p.Float64()
	return f
}

// TestCheaterIsCaught plays who computes 90 % of its leaves: exactly, and by drawing samples.
func TestCheaterIsCaught(t *testing.T) {
	c := sprint.Default()
	for _, count := range []int64{100, 1000, 10_000, 100_000, 1_000_000} {
		p := missed(count, count/10, int64(c.Sample))
		require.LessOrEqual(t, p, 1e-3, count)
		t.Logf("%7d leaves, 90%% computed: passes an audit with probability %.2g", count, p)
	}
	for _, count := range []uint64{100, 1000, 100_000} {
		const trials = 20_000
		passed := 0
		for i := range uint64(trials) {
			s := sample(t, i, count, c.Sample)
			// Which leaves are wrong is the cheater's choice, made before the draw: the last tenth.
			if s[len(s)-1] < count-count/10 {
				passed++
			}
		}
		expected := missed(int64(count), int64(count/10), int64(c.Sample)) * trials
		require.LessOrEqual(t, float64(passed), expected+6*math.Sqrt(expected)+1, count) //detlint:allow reference of a test
		require.LessOrEqual(t, passed, trials/1000, count)
	}
	// Fewer leaves than the sample: every leaf is opened.
	s := sample(t, 1, 20, c.Sample)
	slices.Sort(s)
	require.Len(t, slices.Compact(s), 20)
}

func TestCaughtPpm(t *testing.T) {
	for _, w := range []uint64{1, 2, 10, 80, 1000, 1 << 40} {
		want := 1e6 * (1 - math.Pow(1-1/float64(w), 80))
		got := float64(sprint.CaughtPpm(80, w))
		require.LessOrEqual(t, got, want+1e-6) //detlint:allow reference of a test
		require.InDelta(t, want, got, 1.01)
	}
	require.Zero(t, sprint.CaughtPpm(0, 5))
	require.Zero(t, sprint.CaughtPpm(80, 0))
}

func TestLock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.Uint64Range(0, 1<<50).Draw(rt, "value")
		margin := rapid.Uint64Range(1, 100*sprint.Million).Draw(rt, "margin")
		audit, caught := rapid.Uint64Range(1, sprint.Million).Draw(rt, "audit"), rapid.Uint64Range(1, sprint.Million).Draw(rt, "caught")
		got, ok := sprint.Lock(value, margin, audit, caught)
		num := new(big.Int).Mul(new(big.Int).SetUint64(value), new(big.Int).SetUint64(margin))
		num.Mul(num, big.NewInt(sprint.Million))
		den := new(big.Int).SetUint64(audit * caught)
		want := new(big.Int).Div(num.Add(num, new(big.Int).Sub(den, big.NewInt(1))), den)
		require.Equal(t, want.IsUint64(), ok)
		if ok {
			require.Equal(t, want.Uint64(), got)
		}
	})
	for _, c := range [][4]uint64{{1, 1, 0, 1}, {1, 1, 1, 0}, {1, 1, sprint.Million + 1, 1}, {1, 1, 1, sprint.Million + 1}, {math.MaxUint64, math.MaxUint64, 1, 1}} {
		_, ok := sprint.Lock(c[0], c[1], c[2], c[3])
		require.False(t, ok, c)
	}
}
