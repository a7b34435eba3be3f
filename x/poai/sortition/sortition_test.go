package sortition_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/colltest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/poai/sortition"
)

const model = "digits"

func newTrees(tb testing.TB) (sortition.Trees, context.Context) {
	tb.Helper()
	store, ctx := colltest.MockStore()
	sb := collections.NewSchemaBuilder(store)
	trees := sortition.New(sb, 0x10)
	_, err := sb.Build()
	require.NoError(tb, err)
	return trees, ctx
}

func name(i int) string { return fmt.Sprintf("p%07d", i) }

// seed is the fixed seed of the i-th draw.
func seed(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

func addAll(ctx context.Context, tb testing.TB, trees sortition.Trees, weights []uint64) {
	tb.Helper()
	for i, w := range weights {
		slot, err := trees.Add(ctx, model, name(i), w)
		require.NoError(tb, err)
		require.EqualValues(tb, i, slot)
	}
}

// naive is a whole-list weighted draw over slots in order, the definition the tree must agree with.
type naive map[uint64]struct {
	owner  string
	weight uint64
}

func (n naive) draw(src *sortition.Source, excluded map[uint64]bool) (string, bool) {
	var slots []uint64
	total := uint64(0)
	for slot, e := range n {
		if !excluded[slot] {
			slots = append(slots, slot)
			total += e.weight
		}
	}
	if total == 0 {
		return "", false
	}
	slices.Sort(slots)
	r := src.Below(total)
	for _, slot := range slots {
		if r < n[slot].weight {
			return n[slot].owner, true
		}
		r -= n[slot].weight
	}
	panic("unreachable")
}

// TestDrawEqualsNaiveDraw runs random additions, removals, changes and draws without replacement against the naive draw.
func TestDrawEqualsNaiveDraw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trees, ctx := newTrees(t)
		want, slotOf := naive{}, map[string]uint64{}
		steps := rapid.IntRange(1, 400).Draw(rt, "steps")
		for i := range steps {
			p := name(rapid.IntRange(0, 300).Draw(rt, "participant"))
			w := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, sortition.MaxWeight)).Draw(rt, "weight")
			slot, serves := slotOf[p]
			switch op := rapid.IntRange(0, 9).Draw(rt, "op"); {
			case !serves:
				slot, err := trees.Add(ctx, model, p, w)
				require.NoError(rt, err)
				require.NotContains(rt, want, slot)
				slotOf[p] = slot
				want[slot] = struct {
					owner  string
					weight uint64
				}{p, w}
			case op < 4:
				require.NoError(rt, trees.Remove(ctx, model, p))
				delete(want, slot)
				delete(slotOf, p)
			default:
				require.NoError(rt, trees.SetWeight(ctx, model, p, w))
				want[slot] = struct {
					owner  string
					weight uint64
				}{p, w}
			}
			if i%40 == 0 {
				require.NoError(rt, trees.Check(ctx))
			}
		}
		var out []sortition.Leaf
		excluded := map[uint64]bool{}
		for round := range 40 {
			p, leaf, found, err := trees.Draw(ctx, model, sortition.NewSource("test", 7, uint64(round), seed(steps)), out)
			require.NoError(rt, err)
			q, wantFound := want.draw(sortition.NewSource("test", 7, uint64(round), seed(steps)), excluded)
			require.Equal(rt, wantFound, found)
			require.Equal(rt, q, p)
			if !found {
				return
			}
			require.Equal(rt, slotOf[p], leaf.Slot)
			require.Equal(rt, want[leaf.Slot].weight, leaf.Weight)
			out = append(out, leaf)
			excluded[leaf.Slot] = true
		}
	})
}

// chiSquare is the statistic of observed counts against probabilities in proportion to weights.
func chiSquare(counts, weights []uint64) float64 {
	var n, total, x float64
	for i := range counts {
		n += float64(counts[i])
		total += float64(weights[i])
	}
	for i := range counts {
		expected := n * float64(weights[i]) / total
		x += (float64(counts[i]) - expected) * (float64(counts[i]) - expected) / expected
	}
	return x
}

// critical is the 99.9% point of chi-square with k degrees of freedom (Wilson–Hilferty).
func critical(k float64) float64 {
	return k * math.Pow(1-2/(9*k)+float64(3.09*math.Sqrt(2/(9*k))), 3)
}

func TestDrawIsProportionalToWeight(t *testing.T) {
	weights := make([]uint64, 40) // two levels
	for i := range weights {
		weights[i] = uint64(1 + i*i)
	}
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, weights)

	counts := make([]uint64, len(weights))
	for i := range 60_000 {
		_, leaf, found, err := trees.Draw(ctx, model, sortition.NewSource("worker", uint64(i), 0, seed(1)), nil)
		require.NoError(t, err)
		require.True(t, found)
		counts[leaf.Slot]++
	}
	require.Less(t, chiSquare(counts, weights), critical(float64(len(weights)-1)))
	counts[39] += 600 // the test can fail: one participant drawn 1% too often
	require.Greater(t, chiSquare(counts, weights), critical(float64(len(weights)-1)))
}

func TestDrawWithExclusionsIsProportionalAmongTheRest(t *testing.T) {
	weights := []uint64{5, 100, 1, 40, 40, 3, 900, 17, 8, 8, 8, 8, 8, 8, 8, 8, 8, 60, 250}
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, weights)
	gone := []int{1, 6, 17}
	var out []sortition.Leaf
	for _, i := range gone {
		leaf, found, err := trees.Leaf(ctx, model, name(i))
		require.NoError(t, err)
		require.True(t, found)
		out = append(out, leaf)
	}
	counts := make([]uint64, len(weights))
	for i := range 60_000 {
		_, leaf, found, err := trees.Draw(ctx, model, sortition.NewSource("seat", uint64(i), 0, seed(2)), out)
		require.NoError(t, err)
		require.True(t, found)
		counts[leaf.Slot]++
	}
	var restCounts, restWeights []uint64
	for i := range weights {
		if slices.Contains(gone, i) {
			require.Zero(t, counts[i])
			continue
		}
		restCounts, restWeights = append(restCounts, counts[i]), append(restWeights, weights[i])
	}
	require.Less(t, chiSquare(restCounts, restWeights), critical(float64(len(restWeights)-1)))
}

// TestJointDistributionOfThreeDraws compares all ordered triples of five participants with sequential sampling without replacement: the first by
// weight, each further one by weight among those who are left.
func TestJointDistributionOfThreeDraws(t *testing.T) {
	weights := []uint64{3, 1, 12, 5, 9}
	const total = 3 + 1 + 12 + 5 + 9
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, weights)
	const rounds = 60_000
	counts := map[[3]uint64]float64{}
	for i := range rounds {
		src := sortition.NewSource("seat", uint64(i), 0, seed(4))
		var out []sortition.Leaf
		for range 3 {
			_, leaf, found, err := trees.Draw(ctx, model, src, out)
			require.NoError(t, err)
			require.True(t, found)
			out = append(out, leaf)
		}
		counts[[3]uint64{out[0].Slot, out[1].Slot, out[2].Slot}]++
	}
	x, cells := 0.0, 0
	for a, wa := range weights {
		for b, wb := range weights {
			for c, wc := range weights {
				got := counts[[3]uint64{uint64(a), uint64(b), uint64(c)}]
				if a == b || a == c || b == c {
					require.Zero(t, got)
					continue
				}
				p := float64(wa) / total * float64(wb) / float64(total-wa) * float64(wc) / float64(total-wa-wb)
				off := got - float64(rounds*p)
				x += float64(off*off) / float64(rounds*p)
				cells++
			}
		}
	}
	require.Equal(t, 60, cells)
	require.Less(t, x, critical(59))
}

func TestDustDoesNotCrowdOutWeight(t *testing.T) {
	weights := make([]uint64, 3_001)
	for i := range weights {
		weights[i] = 1
	}
	weights[3_000] = 3_000_000
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, weights)
	heavy := 0
	for i := range 2_000 {
		_, leaf, found, err := trees.Draw(ctx, model, sortition.NewSource("worker", uint64(i), 0, seed(3)), nil)
		require.NoError(t, err)
		require.True(t, found)
		if leaf.Slot == 3_000 {
			heavy++
		}
	}
	require.Greater(t, heavy, 1_990) // expected 1,998
}

func TestDrawFindsNobody(t *testing.T) {
	trees, ctx := newTrees(t)
	src := sortition.NewSource("worker", 1, 0, seed(0))
	_, _, found, err := trees.Draw(ctx, model, src, nil)
	require.NoError(t, err)
	require.False(t, found, "no tree")

	addAll(ctx, t, trees, []uint64{0, 0})
	_, _, found, err = trees.Draw(ctx, model, src, nil)
	require.NoError(t, err)
	require.False(t, found, "weight zero")

	require.NoError(t, trees.SetWeight(ctx, model, name(1), 9))
	_, _, found, err = trees.Draw(ctx, model, src, []sortition.Leaf{{Slot: 1, Weight: 9}})
	require.NoError(t, err)
	require.False(t, found, "all excluded")
}

func TestSlotsAreReusedLowestFirst(t *testing.T) {
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, make([]uint64, 20))
	for _, i := range []int{11, 4, 19} {
		require.NoError(t, trees.Remove(ctx, model, name(i)))
	}
	for i, want := range []uint64{4, 11, 19, 20} {
		slot, err := trees.Add(ctx, model, fmt.Sprintf("new%d", i), 1)
		require.NoError(t, err)
		require.Equal(t, want, slot)
	}
	require.NoError(t, trees.Check(ctx))
}

// TestRebuiltTreeGoesOnAlike rebuilds a tree from its slots, as a genesis import does: slots given later are the same.
func TestRebuiltTreeGoesOnAlike(t *testing.T) {
	a, actx := newTrees(t)
	addAll(actx, t, a, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18})
	for _, i := range []int{2, 5, 16, 17} {
		require.NoError(t, a.Remove(actx, model, name(i)))
	}
	b, bctx := newTrees(t)
	for _, i := range []int{15, 0, 1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14} {
		require.NoError(t, b.AddAt(bctx, model, name(i), uint64(i), uint64(i+1)))
	}
	require.NoError(t, b.Check(bctx))
	for i := range 6 {
		pa, _, _, err := a.Draw(actx, model, sortition.NewSource("x", uint64(i), 0, nil), nil)
		require.NoError(t, err)
		pb, _, _, err := b.Draw(bctx, model, sortition.NewSource("x", uint64(i), 0, nil), nil)
		require.NoError(t, err)
		require.Equal(t, pa, pb)
		sa, err := a.Add(actx, model, fmt.Sprintf("new%d", i), 50)
		require.NoError(t, err)
		sb, err := b.Add(bctx, model, fmt.Sprintf("new%d", i), 50)
		require.NoError(t, err)
		require.Equal(t, sa, sb)
	}
}

func TestTreeRefuses(t *testing.T) {
	trees, ctx := newTrees(t)
	addAll(ctx, t, trees, []uint64{1})
	_, err := trees.Add(ctx, model, name(0), 1)
	require.ErrorIs(t, err, sortition.ErrServing)
	require.ErrorIs(t, trees.AddAt(ctx, model, name(1), 0, 1), sortition.ErrServing)
	require.ErrorIs(t, trees.AddAt(ctx, model, name(1), sortition.MaxSlots, 1), sortition.ErrFull)
	require.ErrorIs(t, trees.SetWeight(ctx, model, name(0), sortition.MaxWeight+1), sortition.ErrWeight)
	require.ErrorIs(t, trees.SetWeight(ctx, model, name(1), 1), sortition.ErrNotServing)
	require.ErrorIs(t, trees.Remove(ctx, "other", name(0)), sortition.ErrNotServing)
}

func TestFullTreeCannotOverflow(t *testing.T) {
	hi := float64(sortition.MaxSlots) * float64(sortition.MaxWeight)
	require.Less(t, hi, math.Ldexp(1, 64))
	require.Less(t, sortition.MaxSlots, (uint64(math.MaxUint64)/sortition.MaxWeight)+1)
}

func TestModelsAreSeparate(t *testing.T) {
	trees, ctx := newTrees(t)
	for i, m := range []string{"a", "ab", "b"} {
		_, err := trees.Add(ctx, m, name(0), uint64(i+1))
		require.NoError(t, err)
	}
	_, err := trees.Add(ctx, "a", name(1), 5)
	require.NoError(t, err)
	models, err := trees.Models(ctx, name(0))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "ab", "b"}, models)
	for m, want := range map[string]uint64{"a": 6, "ab": 2, "b": 3, "none": 0} {
		total, err := trees.Total(ctx, m)
		require.NoError(t, err)
		require.Equal(t, want, total)
	}
}

// FuzzBelow: results are in range whatever the seed.
func FuzzBelow(f *testing.F) {
	f.Add(uint64(1), []byte("s"))
	f.Add(uint64(math.MaxUint64), []byte{})
	f.Fuzz(func(t *testing.T, n uint64, seed []byte) {
		if n == 0 {
			return
		}
		require.Less(t, sortition.NewSource("fuzz", 0, 0, seed).Below(n), n)
	})
}

func benchTree(b *testing.B, n int) (sortition.Trees, context.Context) {
	b.Helper()
	trees, ctx := newTrees(b)
	for i := range n {
		_, err := trees.Add(ctx, model, name(i), uint64(1+i%1000))
		require.NoError(b, err)
	}
	return trees, ctx
}

func BenchmarkTree(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		trees, ctx := benchTree(b, n)
		b.Run(fmt.Sprintf("draw/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				_, _, found, err := trees.Draw(ctx, model, sortition.NewSource("worker", uint64(i), 0, seed(i)), nil)
				if err != nil || !found {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("update/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if err := trees.SetWeight(ctx, model, name(i*7919%n), uint64(i%5000)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestFillEqualsAdding: a tree filled at once is the tree that adding one after the other makes.
func TestFillEqualsAdding(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Uint64Range(0, 2), rapid.Uint64Range(0, sortition.MaxWeight)), 0, 300).Draw(rt, "weights")
		a, actx := newTrees(t)
		addAll(actx, t, a, weights)
		b, bctx := newTrees(t)
		names := make([]string, len(weights))
		for i := range names {
			names[i] = name(i)
		}
		require.NoError(rt, b.Fill(bctx, model, names, weights))
		require.NoError(rt, b.Check(bctx))
		for i := range uint64(20) {
			pa, la, fa, err := a.Draw(actx, model, sortition.NewSource("x", i, 0, nil), nil)
			require.NoError(rt, err)
			pb, lb, fb, err := b.Draw(bctx, model, sortition.NewSource("x", i, 0, nil), nil)
			require.NoError(rt, err)
			require.Equal(rt, []any{pa, la, fa}, []any{pb, lb, fb})
		}
		sa, err := a.Add(actx, model, "new", 7)
		require.NoError(rt, err)
		sb, err := b.Add(bctx, model, "new", 7)
		require.NoError(rt, err)
		require.Equal(rt, sa, sb)
		require.NoError(rt, b.Check(bctx))
	})
}

func TestFillRefuses(t *testing.T) {
	trees, ctx := newTrees(t)
	require.ErrorIs(t, trees.Fill(ctx, model, []string{"a"}, nil), sortition.ErrFull)
	require.ErrorIs(t, trees.Fill(ctx, model, []string{"a"}, []uint64{sortition.MaxWeight + 1}), sortition.ErrWeight)
	trees, ctx = newTrees(t)
	require.ErrorIs(t, trees.Fill(ctx, model, []string{"a", "a"}, []uint64{1, 2}), sortition.ErrServing)
	trees, ctx = newTrees(t)
	require.NoError(t, trees.Fill(ctx, model, []string{"a"}, []uint64{1}))
	require.ErrorIs(t, trees.Fill(ctx, model, []string{"b"}, []uint64{1}), sortition.ErrServing)
}
