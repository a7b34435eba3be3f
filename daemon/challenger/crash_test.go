package challenger_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/daemon/chain/chaintest"
)

// TestKilledAtEveryStep kills a challenger at its first effect or read, at its second, and so on to the last, in a case with three games:
// against a lying worker, its supporter, and another liar.
func TestKilledAtEveryStep(t *testing.T) {
	dir := t.TempDir()
	stride := int64(1)
	if testing.Short() {
		stride = 7
	}
	for n := int64(0); ; n += stride {
		c := newCourt(t)
		liar, other := newRogue("liar", plays), newRogue("other", plays)
		c.lyingWorker(t, 1, 5, liar)
		m := c.machine(t, dir, 0, n)
		c.chain.Commit()
		tr, root := c.lie(t, 1, 2)
		other.traces[1] = tr
		require.NoError(t, c.claim(1, other.name, root[:], c.chain.Height()))
		c.run(t, []*machine{m}, liar, other)
		c.requireUnbeaten(t, m)
		require.NoError(t, m.book.Close())
		if m.deaths == 0 {
			require.Greater(t, n, int64(40), "a case has more moments than that")
			return
		}
	}
}

// TestKilledAnywhere kills honest machines again and again on a bad network, among liars of all manners.
func TestKilledAnywhere(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		c := newCourt(rt)
		lives := rapid.SliceOfN(rapid.Int64Range(0, 60), 0, 4)
		var rogues []*rogue
		tasks := rapid.IntRange(1, 3).Draw(rt, "tasks")
		ms := []*machine{c.machine(rt, dir, 0, lives.Draw(rt, "lives of the first")...)}
		if rapid.Bool().Draw(rt, "two watchers") {
			ms = append(ms, c.machine(rt, dir, 1, lives.Draw(rt, "lives of the second")...))
		}
		for id := range uint64(tasks) {
			r := newRogue([]string{"liar0", "liar1", "liar2"}[id], manner(rapid.IntRange(0, 3).Draw(rt, "manner")))
			if rapid.Bool().Draw(rt, "the worker lies") {
				c.lyingWorker(rt, id+1, rapid.Uint64Range(0, runSteps-1).Draw(rt, "step"), r)
			} else {
				c.submit(rt, id+1)
				worker := rapid.SampledFrom([]string{ms[0].name, "offline"}).Draw(rt, "worker")
				c.reveal(id+1, worker, c.matters[id+1].truth)
				tr, root := c.lie(rt, id+1, rapid.Uint64Range(0, runSteps-1).Draw(rt, "step"))
				r.traces[id+1] = tr
				c.chain.Commit()
				require.NoError(rt, c.claim(id+1, r.name, root[:], c.chain.Height()))
			}
			rogues = append(rogues, r)
		}
		faults := rapid.SliceOfN(rapid.SampledFrom([]chaintest.Fault{
			chaintest.NoFault, chaintest.NoFault, chaintest.NoFault, chaintest.FailBefore, chaintest.FailAfter, chaintest.Lost, chaintest.Full,
		}), 0, 60).Draw(rt, "faults")
		next := 0
		c.chain.Faults = func(string) chaintest.Fault {
			if next == len(faults) {
				return chaintest.NoFault
			}
			next++
			return faults[next-1]
		}
		c.run(rt, ms, rogues...)
		c.requireUnbeaten(rt, ms...)
		for _, m := range ms {
			require.NoError(rt, m.book.Close())
		}
	})
}

// TestUnreachableChain: for a while the chain answers nothing, in the middle of games.
func TestUnreachableChain(t *testing.T) {
	for from := int64(3); from < 30; from += 4 {
		c := newCourt(t)
		r := newRogue("liar", plays)
		c.lyingWorker(t, 1, 5, r)
		m := c.machine(t, t.TempDir(), 0)
		down := func() bool { h := c.chain.Height(); return h >= from && h < from+10 }
		c.faults = func(string) error {
			if down() {
				return errors.New("connection refused (by the test)")
			}
			return nil
		}
		c.chain.Faults = func(string) chaintest.Fault {
			if down() {
				return chaintest.FailBefore
			}
			return chaintest.NoFault
		}
		c.run(t, []*machine{m}, r)
		c.requireUnbeaten(t, m)
		require.Equal(t, 1, m.tell.games["won"])
	}
}

// TestSecondMachine: two processes with one key play the same games. No move is made twice, and none is lost.
func TestSecondMachine(t *testing.T) {
	c := newCourt(t)
	r := newRogue("liar", plays)
	c.lyingWorker(t, 1, 5, r)
	dir := t.TempDir()
	ms := []*machine{c.machine(t, dir, 0), c.machine(t, dir, 0)}
	c.run(t, ms, r)
	c.requireUnbeaten(t, ms[0])
}
