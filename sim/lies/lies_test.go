package main

import (
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// TestCapture against what can be counted on paper.
func TestCapture(t *testing.T) {
	for _, tc := range []struct {
		share   *big.Rat
		members int
		seats   int
		want    *big.Rat
	}{
		{big.NewRat(1, 2), 0, 3, big.NewRat(1, 8)},
		{big.NewRat(1, 2), 1, 1, new(big.Rat)}, // the worker is not on its own committee
		{big.NewRat(1, 2), 3, 3, new(big.Rat)}, // a worker and three seats take four
		{big.NewRat(1, 2), 4, 3, big.NewRat(3*2*1, 7*6*5)},
		{big.NewRat(8, 20), 8, 3, big.NewRat(7*6*5, 19*18*17)},
		{big.NewRat(1, 1), 5, 3, big.NewRat(1, 1)},
	} {
		got := capture(tc.share, tc.members, tc.seats)
		require.Zero(t, tc.want.Cmp(got), "%v of %d, %d seats: %v", tc.share, tc.members, tc.seats, got)
	}
	most := capture(big.NewRat(2, 5), 0, 3)
	for m := 1; m < 200; m++ {
		require.Negative(t, capture(big.NewRat(2, 5), m, 3).Cmp(most), "very many small colluders are the worst")
	}
}

// TestALieLosesTwiceWhatItGains for every weight, size of task, kind of model and division of the weight.
func TestALieLosesTwiceWhatItGains(t *testing.T) {
	p := types.DefaultParams()
	two := big.NewRat(2, 1)
	for _, f := range shares() {
		for _, members := range []int{0, 1, 2, 4, 7, 100} {
			require.GreaterOrEqual(t, least(p, f, members).Cmp(two), 0, "%v of %d", f, members)
		}
	}
	// Where the weight is above what the params assume the promise ends.
	require.Negative(t, least(p, big.NewRat(9, 10), 0).Cmp(two))
}

func TestTablesOfTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	for _, table := range computed(types.DefaultParams()) {
		var b strings.Builder
		table.write(&b)
		require.Contains(t, string(doc), b.String(), "run go run ./sim/lies -tasks 0 and copy this table: %s", table.title)
	}
}

// TestSimulation counts on the real state machine, and compares with what is computed within five standard deviations.
func TestSimulation(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates hundreds of tasks")
	}
	for _, s := range []scenario{
		{participants: 20, members: 8, tasks: 400},
		{participants: 20, members: 1, tasks: 300, big: big.NewRat(2, 5)},
	} {
		r := s.run(t)
		t.Log(s.row(r))
		require.Zero(t, r.unfinished)
		require.Zero(t, r.wronged, "no honest worker loses a task")
		require.True(t, r.othersLost.IsZero(), "and none of the honest loses anything")
		require.True(t, r.lost.GTE(r.lock.MulRaw(int64(r.caught))), "every lie that was caught cost its lock")
		audited, final := s.expect(r.ratePpm)
		n := float64(r.lies)
		require.Greater(t, n, float64(s.tasks)/4)
		require.InDelta(t, n*audited, r.audited, 5*math.Sqrt(n*audited*(1-audited)))
		require.InDelta(t, n*final, r.final, 5*math.Sqrt(n*final*(1-final)))
		if s.members == 1 {
			require.Equal(t, r.audited, r.caught, "a single colluder captures no committee")
		}
	}
}
