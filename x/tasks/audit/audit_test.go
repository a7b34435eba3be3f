package audit_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/tasks/audit"
)

var defaults = audit.Terms{MarginBps: 20_000, MinPpm: 20_000, AdversaryPpm: 500_000, DetectionPpm: 900_000, Seats: 3}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		name               string
		gain, reward, lock int64
		want               uint32
	}{
		// 2 · 100 / (0.9 · 0.875 · (100 + 1000/2)) = 0.42328…
		{"by the formula, rounded up", 100, 100, 1000, 423_281},
		{"nothing to gain", 0, 100, 1000, 20_000},
		{"at least the least rate", 1, 1000, 1_000_000, 20_000},
		{"always, where that is not enough", 1000, 100, 1000, 1_000_000},
		{"nothing at risk", 1, 0, 1, 1_000_000},
	} {
		require.Equal(t, c.want, defaults.Rate(math.NewInt(c.gain), math.NewInt(c.reward), math.NewInt(c.lock)), c.name)
	}
}

func TestLock(t *testing.T) {
	// 2 · 100 / (0.9 · 0.875) = 253.96…: 254, of which 100 are the fee.
	require.Equal(t, "308", defaults.Lock(math.NewInt(100), math.NewInt(100), math.NewInt(50)).String())
	require.Equal(t, "309", defaults.Lock(math.NewInt(100), math.NewInt(100), math.NewInt(309)).String(), "never below the base")
	require.Equal(t, "5", defaults.Lock(math.ZeroInt(), math.ZeroInt(), math.NewInt(5)).String())
}

func TestTermsRefuse(t *testing.T) {
	require.NoError(t, defaults.Validate())
	for name, edit := range map[string]func(*audit.Terms){
		"audit_margin_bps": func(x *audit.Terms) { x.MarginBps = audit.MinMarginBps - 1 },
		"audit_min_ppm":    func(x *audit.Terms) { x.MinPpm = audit.PpmOne + 1 },
		"adversary_ppm":    func(x *audit.Terms) { x.AdversaryPpm = audit.MaxAdversaryPpm + 1 },
		"detection_ppm":    func(x *audit.Terms) { x.DetectionPpm = audit.MinDetectionPpm - 1 },
		"committee_size":   func(x *audit.Terms) { x.Seats = 0 },
	} {
		x := defaults
		edit(&x)
		require.ErrorIs(t, x.Validate(), audit.ErrTerms)
		require.ErrorContains(t, x.Validate(), name)
	}
}

func terms(t *rapid.T) audit.Terms {
	x := audit.Terms{
		MarginBps: rapid.Uint32Range(audit.MinMarginBps, audit.MaxMarginBps).Draw(t, "margin"), MinPpm: rapid.Uint32Range(0, audit.PpmOne).Draw(t, "min"),
		AdversaryPpm: rapid.Uint32Range(0, audit.MaxAdversaryPpm).Draw(t, "f"), Seats: rapid.Uint32Range(1, audit.MaxSeats).Draw(t, "k"),
		DetectionPpm: rapid.Uint32Range(audit.MinDetectionPpm, audit.PpmOne).Draw(t, "delta"),
	}
	require.NoError(t, x.Validate())
	return x
}

// amount has any size up to the limit.
func amount(t *rapid.T, name string) math.Int {
	bits := rapid.UintRange(0, audit.MaxAmountBits).Draw(t, name+" bits")
	limit := new(big.Int).Lsh(big.NewInt(1), bits)
	x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 19, 19).Draw(t, name))
	return math.NewIntFromBigInt(x.Mod(x, limit))
}

func rat(num, den int64) *big.Rat { return big.NewRat(num, den) }

// caught is δ(1 − f^k), exactly.
func caught(x audit.Terms) *big.Rat {
	power, f := rat(1, 1), rat(int64(x.AdversaryPpm), audit.PpmOne)
	for range x.Seats {
		power.Mul(power, f)
	}
	return power.Mul(power.Sub(rat(1, 1), power), rat(int64(x.DetectionPpm), audit.PpmOne))
}

// lost is p·δ(1−f^k)(R+S_burnt), exactly; at half of S burnt, which x/poai rounds up.
func lost(x audit.Terms, ppm uint32, reward, lock math.Int) *big.Rat {
	risk := new(big.Rat).SetFrac(lock.BigInt(), big.NewInt(2))
	risk.Add(risk, new(big.Rat).SetInt(reward.BigInt()))
	return risk.Mul(risk.Mul(risk, rat(int64(ppm), audit.PpmOne)), caught(x))
}

// TestMarginHolds: whatever the terms and amounts, what cheating loses in expectation is at least the margin times what it gains.
func TestMarginHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, gain, reward, base := terms(t), amount(t, "gain"), amount(t, "reward"), amount(t, "base")
		lock := x.Lock(gain, reward, base)
		require.True(t, lock.GTE(base))
		rate := x.Rate(gain, reward, lock)
		require.LessOrEqual(t, rate, uint32(audit.PpmOne))
		require.GreaterOrEqual(t, rate, x.MinPpm)
		least := new(big.Rat).Mul(new(big.Rat).SetInt(gain.BigInt()), rat(int64(x.MarginBps), audit.BpsOne))
		require.GreaterOrEqual(t, lost(x, rate, reward, lock).Cmp(least), 0, "lost %s, want %s", lost(x, rate, reward, lock), least)
	})
}

// TestNoMoreThanNeeded: a rate is at most a millionth (and the rounding of f^k) above what the margin takes; a lock that was raised is no more than that
// either.
func TestNoMoreThanNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := terms(t)
		x.MinPpm = 0
		x.AdversaryPpm = min(x.AdversaryPpm, 500_000)
		gain, reward := amount(t, "gain").AddRaw(1_000_000_000), amount(t, "reward")
		least := new(big.Rat).Mul(new(big.Rat).SetInt(gain.BigInt()), rat(int64(x.MarginBps), audit.BpsOne))
		slack := rat(1_000_001, 1_000_000)
		lock := x.Lock(gain, reward, math.ZeroInt())
		if lock.IsPositive() {
			require.Negative(t, lost(x, audit.PpmOne, reward, lock.SubRaw(3)).Cmp(least.Mul(least, slack)), "a raised lock")
			least.Quo(least, slack)
		}
		if rate := x.Rate(gain, reward, lock); rate > 1 {
			require.Negative(t, lost(x, rate-1, reward, lock).Cmp(least.Mul(least, slack)), "a rate")
		}
	})
}

// TestMonotone: more to gain, or a stronger adversary, never lowers rate or lock; more at risk never raises the rate.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, gain, reward, lock := terms(t), amount(t, "gain"), amount(t, "reward"), amount(t, "lock")
		rate, need := x.Rate(gain, reward, lock), x.Lock(gain, reward, math.ZeroInt())
		stronger := x
		stronger.AdversaryPpm = min(x.AdversaryPpm+rapid.Uint32Range(0, 400_000).Draw(t, "more f"), audit.MaxAdversaryPpm)
		require.GreaterOrEqual(t, stronger.Rate(gain, reward, lock), rate)
		require.True(t, stronger.Lock(gain, reward, math.ZeroInt()).GTE(need))
		more := math.MinInt(gain.Add(amount(t, "more")), gain.AddRaw(1).MulRaw(2))
		require.GreaterOrEqual(t, x.Rate(more, reward, lock), rate)
		require.True(t, x.Lock(more, reward, math.ZeroInt()).GTE(need))
		require.LessOrEqual(t, x.Rate(gain, reward, lock.Add(amount(t, "more lock"))), rate)
		require.LessOrEqual(t, x.Rate(gain, reward.Add(amount(t, "more reward")), lock), rate)
	})
}
