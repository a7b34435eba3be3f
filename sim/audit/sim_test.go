package main

import (
	"io"
	"math/rand/v2"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	taskstypes "poaid/x/tasks/types"
)

// lies are the strategies that must lose: all but sharing what is true.
var lies = Strategies[:len(Strategies)-1]

func earns(s Setting, strategy Strategy) float64 { return Play(s, strategy).PerDuty(s.Units) }

// TestHonestyPays: with the default params no strategy earns more than honest play, for small and large tasks, few and many who play it.
func TestHonestyPays(t *testing.T) {
	for _, units := range []uint64{1_000, 10_000, 1_000_000, 1_000_000_000} {
		for _, weight := range []int{5, 33, 49} {
			for _, strategy := range lies {
				s := Default(units, weight, 15_000, strategy)
				require.Greater(t, earns(s, Honest), earns(s, strategy), "%s, %d units, %d %%", strategy, units, weight)
			}
		}
	}
}

// TestHonestyPaysForOtherParams: so it is wherever the params are valid, the true cost is at most the reference cost and verifying pays at all (a block reward of
// one and a half fees). Settings are drawn once and for all: what is compared are samples.
func TestHonestyPaysForOtherParams(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	between := func(least, most int64) int64 { return least + rng.Int64N(most-least+1) }
	played := 0
	for range 24 {
		p := taskstypes.DefaultParams()
		p.AuditMarginBps, p.CommitteeSize = uint32(between(20_000, 60_000)), uint32(between(2, 7))
		p.DetectionPpm, p.AuditMinPpm = uint32(between(500_000, 1_000_000)), uint32(between(100_000, 300_000))
		p.WorkerLockPrice, p.ForcedErrorPpm = math.NewInt(between(5_000_000, 40_000_000)), uint32(between(100_000, 500_000))
		units, weight, cost := []uint64{10_000, 1_000_000, 100_000_000}[rng.IntN(3)], int(between(10, 49)), between(300_000, 500_000)
		if p.Validate() != nil {
			continue // copying would pay, so the chain refuses these params
		}
		played++
		for _, strategy := range lies {
			s := Default(units, weight, 6_000, strategy)
			s.Params, s.Cost, s.Reward = p, cost, 1_500_000
			require.Greater(t, earns(s, Honest), earns(s, strategy), "%s, %d units, %d %%, %+v", strategy, units, weight, p)
		}
	}
	require.Greater(t, played, 8)
}

// TestFeesAlonePayForVerification: without any block reward it is still better to verify than to abstain.
func TestFeesAlonePayForVerification(t *testing.T) {
	s := Default(1_000_000, 10, 40_000, Abstaining)
	s.Reward = 0
	require.Greater(t, earns(s, Honest), earns(s, Abstaining))
}

// TestWhereHonestyDoesNotPay: what the tables rest on, and that the tests above could fail.
func TestWhereHonestyDoesNotPay(t *testing.T) {
	s := Default(1_000_000, 10, 40_000, Cheating)
	s.Params.ReferenceCost, s.Params.AuditMinPpm = math.NewInt(1_000), 0
	require.Less(t, earns(s, Honest), earns(s, Cheating), "a reference cost far below the true one")
	s = Default(1_000_000, 10, 40_000, Copying)
	s.Params.ForcedErrorPpm = 1_000
	require.Less(t, earns(s, Honest), earns(s, Copying), "errors forced once in a thousand")
	s = Default(1_000_000, 10, 40_000, Abstaining)
	s.Reward = 0
	s.Params.VerifierPayBps = 2_500
	require.Less(t, earns(s, Honest), earns(s, Abstaining), "members who are paid less than what they compute costs")
	s = Default(1_000_000, 49, 40_000, Sharing)
	require.Less(t, earns(s, Honest), earns(s, Sharing), "one owner of two participants computes once")
}

func TestDeterministic(t *testing.T) {
	s := Default(10_000, 10, 5_000, Colluding)
	require.Equal(t, Play(s, Colluding), Play(s, Colluding))
	require.NoError(t, table(io.Discard, 10))
}
