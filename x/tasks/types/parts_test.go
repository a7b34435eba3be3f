package types

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestParts: everybody who computes a run has the same part of it, whatever the rate.
func TestParts(t *testing.T) {
	for name, c := range map[string]struct {
		x                             partTerms
		worker, audits, runners, burn int64
	}{
		"never audited":         {partTerms{verifierPayBps: 10_000, seats: 3}, 1_000_000, 0, 0, 0},
		"one in five":           {partTerms{verifierPayBps: 10_000, auditPpm: 200_000, seats: 3}, 625_000, 375_000, 0, 0},
		"always":                {partTerms{verifierPayBps: 10_000, auditPpm: PpmOne, seats: 3}, 250_000, 750_000, 0, 0},
		"always, at half":       {partTerms{verifierPayBps: 5_000, auditPpm: PpmOne, seats: 3}, 400_000, 600_000, 0, 0},
		"always, for nothing":   {partTerms{auditPpm: PpmOne, seats: 3}, 1_000_000, 0, 0, 0},
		"a race of four":        {partTerms{verifierPayBps: 10_000, auditPpm: PpmOne, seats: 4, runners: 3}, 125_000, 500_000, 375_000, 0},
		"a fifth burns":         {partTerms{verifierPayBps: 10_000, auditPpm: PpmOne, seats: 3, burnBps: 2_000}, 200_000, 600_000, 0, 200_000},
		"everything burns":      {partTerms{verifierPayBps: 10_000, auditPpm: PpmOne, seats: 3, burnBps: 10_000}, 0, 0, 0, 1_000_000},
		"the largest terms fit": {partTerms{verifierPayBps: maxVerifierPayBps, auditPpm: PpmOne, seats: 64, runners: 63}, 3_921, 501_961, 494_118, 0},
	} {
		p := c.x.parts(math.NewInt(1_000_000))
		require.Equal(t, []int64{c.worker, c.audits, c.runners, c.burn}, []int64{p.Worker.Int64(), p.Audits.Int64(), p.Runners.Int64(), p.Burn.Int64()}, name)
	}
}

// TestPartsConserve: nothing is lost, and a worker's part falls as its audit gets more likely: rates count on that.
func TestPartsConserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := DefaultParams()
		p.VerifierPayBps = rapid.Uint32Range(0, maxVerifierPayBps).Draw(t, "pay")
		p.BurnBps = rapid.Uint32Range(0, BpsOne).Draw(t, "burn")
		p.CommitteeSize = rapid.Uint32Range(1, 64).Draw(t, "seats")
		task := Task{
			VerifierPayBps: p.VerifierPayBps, BurnBps: p.BurnBps, Allocation: ALLOCATION_RACE, Redundancy: rapid.Uint32Range(1, 8).Draw(t, "results"),
		}
		rest := math.NewInt(rapid.Int64Range(0, 1<<50).Draw(t, "rest"))
		ppm := rapid.Uint32Range(0, PpmOne).Draw(t, "rate")
		x := task.PartsOf(rest, ppm, p.CommitteeSize)
		require.True(t, rest.Equal(x.Worker.Add(x.Audits).Add(x.Runners).Add(x.Burn)))
		fee := math.NewInt(rapid.Int64Range(0, 1<<50).Draw(t, "fee"))
		royalty := rapid.Uint32Range(0, BpsOne).Draw(t, "royalty")
		more := rapid.Uint32Range(ppm, PpmOne).Draw(t, "higher rate")
		require.True(t, p.WorkersPart(fee, royalty, ppm).AddRaw(1).GTE(p.WorkersPart(fee, royalty, more)), "rounding moves a coin at most")
	})
}
