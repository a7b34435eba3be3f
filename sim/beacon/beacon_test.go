package main

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	cmtypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRotationIsCometBFTs compares the proposers of many heights and rounds with CometBFT's own, and shows what the whole analysis rests on:
// the proposer of height h in round r is that of height h+r in round 0. Priorities start within a quarter of the whole power: where one is nearly twice
// that behind another, as after somebody joined, CometBFT scales them all down at a new height and not in its rounds, which for some blocks is another order.
func TestRotationIsCometBFTs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		powers := rapid.SliceOfN(rapid.Int64Range(1, 1_000_000), 1, 12).Draw(t, "powers")
		var vals []*cmtypes.Validator
		var total int64
		for _, p := range powers {
			total += p
		}
		for i, p := range powers {
			vals = append(vals, &cmtypes.Validator{Address: []byte{byte(i)}, VotingPower: p, ProposerPriority: rapid.Int64Range(-total/4, total/4).Draw(t, "priority")})
		}
		set := &cmtypes.ValidatorSet{Validators: vals}
		r := &rotation{}
		for _, v := range vals {
			r.set = append(r.set, validator{power: v.VotingPower, priority: v.ProposerPriority})
		}
		var s []int
		for range 60 {
			s = append(s, r.next())
		}
		for h := range 50 {
			set.IncrementProposerPriority(1)
			require.Equal(t, byte(s[h]), set.GetProposer().Address[0], "height %d", h)
			for round := 1; round < 10; round++ {
				require.Equal(t, byte(s[h+round]), set.CopyIncrementProposerPriority(int32(round)).GetProposer().Address[0], "height %d, round %d", h, round)
			}
		}
	})
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		slots  []int
		height int
		limit  int
		want   float64
	}{
		{"honest", []int{-1, -1}, 0, 6, 1},
		{"one: its value, or an honest one", []int{-1, 0, -1}, 1, 6, 2},
		{"two: the last height has one value", []int{0, 1, -1}, 1, 6, 4},
		{"the first of two has both", []int{0, 1, -1}, 0, 6, 3},
		{"the same validator twice has one value a height", []int{0, 0, -1}, 1, 6, 3},
		{"three: 3!+2!+1!+1", []int{0, 1, 2, -1}, 2, 6, 10},
		{"heights before the limit do not count", []int{0, 1, 2, -1}, 2, 1, 2},
	} {
		require.InDelta(t, tc.want, tailAt(tc.slots, tc.height, tc.limit).outcomes(), 0, tc.name)
	}
}

// player walks one tree of values, as a coalition would: it looks at all values it can know, and forfeits to an honest proposer only where
// none is good.
type player struct {
	slots  []int
	height int
	p      float64
	rng    *rand.Rand
}

// value is a leaf or an inner node of the tree: whether it is good is drawn when it is first seen, for leaves.
func (pl player) known(h int) (best int, ok bool) {
	if h > pl.height {
		return 0, pl.rng.Float64() < pl.p
	}
	best = math.MaxInt
	seen := map[int]bool{}
	for i := h; i < len(pl.slots) && pl.slots[i] >= 0; i++ {
		if seen[pl.slots[i]] {
			continue
		}
		seen[pl.slots[i]] = true
		if price, good := pl.known(h + 1); good && price+i-h < best {
			best, ok = price+i-h, true
		}
	}
	return best, ok
}

// play returns whether the coalition won and what it forfeited.
func (pl player) play(h int) (won bool, price int) {
	if h > pl.height {
		return pl.rng.Float64() < pl.p, 0
	}
	if pl.slots[h] < 0 {
		return pl.play(h + 1)
	}
	if price, ok := pl.known(h); ok {
		return true, price
	}
	end := h
	for pl.slots[end] >= 0 {
		end++
	}
	won, price = pl.play(h + 1)
	return won, price + end - h
}

// TestFormulaeAgainstPlay plays the game many times on small runs.
func TestFormulaeAgainstPlay(t *testing.T) {
	const games = 20_000
	rng := rand.New(rand.NewPCG(1, 2))
	for _, slots := range [][]int{{0, -1}, {0, 1, -1}, {0, 0, -1}, {0, 1, 0, -1}, {0, 1, 2, -1}, {2, 1, 2, 0, -1}} {
		for height := range len(slots) - 1 {
			for _, p := range []float64{0.02, 0.3, 0.75} {
				pl := player{slots: slots, height: height, p: p, rng: rng}
				wins, prices, squares := 0.0, 0.0, 0.0
				for range games {
					won, price := pl.play(0)
					if won {
						wins++
					}
					prices += float64(price)
					squares += float64(price * price)
				}
				tail := tailAt(slots, height, len(slots))
				want := bestOf(tail.outcomes(), p)
				require.InDelta(t, want, wins/games, float64(5*math.Sqrt(want*(1-want)/games))+1e-9, "%v at %d, p %v", slots, height, p)
				mean := prices / games
				require.InDelta(t, tail.forfeits(p), mean, float64(5*math.Sqrt((squares/games-float64(mean*mean))/games))+1e-9, "%v at %d, p %v", slots, height, p)
			}
		}
	}
}

func TestBestOf(t *testing.T) {
	require.InDelta(t, 0.19, bestOf(2, 0.1), 1e-12)
	require.InDelta(t, 4e-18, bestOf(4, 1e-18), 1e-24, "small chances are not lost to rounding")
	require.InDelta(t, 1, bestOf(3, 1), 0)
	require.InDelta(t, 0, bestOf(3, 0), 0)
}

// TestMeasure checks what is known without simulating.
func TestMeasure(t *testing.T) {
	r := measure(setup{members: 20, others: 80, share: 0.2, adjacent: true}, 2)
	require.Equal(t, 20, r.longest, "members of one phase propose one after the other")
	require.InDelta(t, 0.15, r.noHonest[6], 1e-9, "of 100 heights 15 have six own ones behind them")
	require.InDelta(t, 1, r.noHonest[0], 1e-9)
	require.InDelta(t, 1, r.best[3], 0, "and what is foretold is won")

	r = measure(setup{members: 1, others: 3, share: 0.25}, 4)
	require.Equal(t, 1, r.longest, "one of four equal ones never follows itself")
	require.InDelta(t, 0.25, r.noHonest[1], 1e-3)
	require.InDelta(t, 1.25, r.outcomes, 1e-3)

	scattered := measure(setup{members: 33, others: 67, share: 0.33}, 16)
	require.Less(t, scattered.noHonest[6], math.Pow(0.33, 4), "no more than independent proposers would give with d = 4")
	require.Positive(t, scattered.noHonest[4])
	shaken := measure(setup{members: 33, others: 67, share: 0.33, adjacent: true, jitter: 0.1, epochs: 50}, 4)
	require.Less(t, shaken.noHonest[6], 0.02, "unequal powers scatter what was adjacent")
}

// TestTablesOfTheDocument: docs/beacon.md has the tables that the command prints.
func TestTablesOfTheDocument(t *testing.T) {
	if testing.Short() {
		t.Skip("computes all tables")
	}
	doc, err := os.ReadFile("../../docs/beacon.md")
	require.NoError(t, err)
	for _, table := range tables(defaultSeeds) {
		var b strings.Builder
		table.write(&b)
		require.Contains(t, string(doc), b.String(), "run go run ./sim/beacon and copy this table: %s", table.title)
	}
}
