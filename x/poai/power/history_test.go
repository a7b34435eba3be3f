package power_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/power"
)

// history is a chain's validator set over time, as x/poai keeps it. Everybody has one place for ever; powers are 0 for those who are not in the set.
type history struct {
	told    []int64
	left    []int64 // share with which each left
	bonds   []int64
	scores  []math.Int
	rule    power.Rule
	ceiling *big.Rat // what leaving, coming back and falling bonds moved, added up
}

func (h *history) members() (who []int, set []power.Validator) {
	for i, b := range h.bonds {
		if b > 0 {
			who = append(who, i)
			set = append(set, power.Validator{Bond: b, Score: h.scores[i]})
		}
	}
	return who, set
}

// apply tells of what changed within an epoch, and adds what it moved to the ceiling.
func (h *history) apply(fell int) {
	before := append([]int64(nil), h.told...)
	who, set := h.members()
	goal := power.Target(h.rule, set)
	members := make([]power.Member, len(who))
	here := make([]bool, len(h.told))
	for k, i := range who {
		members[k] = power.Member{Told: h.told[i], Back: min(h.left[i], goal.Powers[k]), Fell: i == fell, Limit: goal.Limits[k]}
		here[i] = true
	}
	for i, p := range h.told {
		if p > 0 && !here[i] {
			h.left[i] = power.Share(p, total(h.told))
			h.told[i] = 0
		}
	}
	for k, p := range power.Between(members) {
		h.told[who[k]], h.left[who[k]] = p, 0
	}
	h.ceiling = new(big.Rat).Add(h.ceiling, change(before, h.told))
}

func (h *history) epoch(budget int64) {
	who, set := h.members()
	told := make([]int64, len(who))
	for k, i := range who {
		told[k] = h.told[i]
	}
	next, _ := power.Step(told, power.Target(h.rule, set).Powers, budget)
	for k, i := range who {
		h.told[i] = next[k]
	}
}

// TestNoTwoSetsOfATrustingPeriodDifferByAThird: over any history of scores, joins and leaves the sets of one trusting period differ by less
// than a third, apart from what left, came back or was cut, which passes at once and adds no more than its own share.
func TestNoTwoSetsOfATrustingPeriodDifferByAThird(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "n")
		epochs := rapid.Uint32Range(1, 8).Draw(t, "epochs")
		budget := power.Budget(333_000, epochs)
		h := &history{told: make([]int64, n), left: make([]int64, n), bonds: make([]int64, n), scores: make([]math.Int, n), rule: drawRule(t), ceiling: new(big.Rat)}
		for i := range n {
			h.bonds[i], h.scores[i] = rapid.Int64Range(0, 3).Draw(t, "bond"), math.ZeroInt()
		}
		h.bonds[0] = 1 // never leaves, so that the set is never empty
		who, set := h.members()
		for k, p := range power.Target(h.rule, set).Powers {
			h.told[who[k]] = p
		}
		type snapshot struct {
			told    []int64
			ceiling *big.Rat
		}
		var recent []snapshot
		for range rapid.IntRange(5, 40).Draw(t, "length") {
			for range rapid.IntRange(0, 2).Draw(t, "events") {
				i := rapid.IntRange(1, n-1).Draw(t, "who")
				b := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 1000)).Draw(t, "to")
				fell := -1
				if b < h.bonds[i] {
					fell = i
				}
				h.bonds[i] = b
				h.apply(fell)
			}
			h.scores[rapid.IntRange(0, n-1).Draw(t, "scorer")] = math.NewInt(rapid.Int64Range(0, 1_000_000).Draw(t, "score"))
			h.epoch(budget)
			require.Equal(t, power.Scale, total(h.told))
			recent = append(recent, snapshot{append([]int64(nil), h.told...), h.ceiling})
			if len(recent) > int(epochs)+2 { // a span of the trusting period holds so many ends of epochs, and begins before the first
				recent = recent[1:]
			}
			for _, old := range recent {
				limit := new(big.Rat).Add(big.NewRat(1, 3), new(big.Rat).Sub(h.ceiling, old.ceiling))
				require.Negative(t, change(old.told, h.told).Cmp(limit), "from %v to %v", old.told, h.told)
			}
		}
	})
}

func TestBetween(t *testing.T) {
	const s = power.Scale
	for name, c := range map[string]struct {
		set  []power.Member
		want []int64
	}{
		"nothing happens":                  {[]power.Member{{Told: 3, Limit: s}, {Told: 5, Limit: s}}, []int64{3, 5}},
		"a new one has the least":          {[]power.Member{{Told: s, Limit: s}, {Limit: s}}, []int64{s, 1}},
		"one comes back with its share":    {[]power.Member{{Told: 600, Limit: s}, {Back: s / 4, Limit: s}}, []int64{600, 200}},
		"two come back":                    {[]power.Member{{Told: 600, Limit: s}, {Back: s / 4, Limit: s}, {Back: s / 4, Limit: s}}, []int64{600, 300, 300}},
		"a bond falls":                     {[]power.Member{{Told: 400, Limit: s / 5, Fell: true}, {Told: 400, Limit: s / 5}}, []int64{100, 400}},
		"a bond falls within the limit":    {[]power.Member{{Told: 400, Limit: s / 2, Fell: true}, {Told: 400, Limit: s / 5}}, []int64{400, 400}},
		"one cut lifts another":            {[]power.Member{{Told: 800, Limit: s / 10, Fell: true}, {Told: 500, Limit: 4 * s / 10, Fell: true}, {Told: 500, Limit: s}}, []int64{100, 400, 500}},
		"nobody is left to compare with":   {[]power.Member{{Told: 400, Limit: s / 5, Fell: true}}, []int64{400}},
		"dust is never cut to nothing":     {[]power.Member{{Told: 2, Limit: 1, Fell: true}, {Told: 2, Limit: s}}, []int64{1, 2}},
		"returns beyond the largest total": {[]power.Member{{Told: s, Limit: s}, {Back: s * 9 / 10, Limit: s}}, []int64{s / 10, s * 9 / 10}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, power.Between(c.set)) })
	}
}

func TestBetweenProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := []power.Member{{Told: rapid.Int64Range(1, power.Scale).Draw(t, "first"), Limit: power.Scale}}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			set = append(set, power.Member{
				Told: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 40_000_000)).Draw(t, "told"),
				Back: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, power.Scale)).Draw(t, "back"),
				Fell: rapid.Bool().Draw(t, "fell"), Limit: rapid.Int64Range(1, power.Scale).Draw(t, "limit"),
			})
		}
		got := power.Between(set)
		require.LessOrEqual(t, total(got), power.MaxTotal)
		for i, p := range got {
			require.Positive(t, p, "member %d", i)
		}
	})
}

func TestBudget(t *testing.T) {
	require.Equal(t, int64(150_000_000), power.Budget(300_000, 1))
	require.Equal(t, int64(30_000_000), power.Budget(300_000, 9))
	require.Zero(t, power.Budget(0, 1))
}
