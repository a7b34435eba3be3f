package challenger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
)

// lyingWorker reveals a lie about a task.
func (c *court) lyingWorker(t fataler, id, step uint64, r *rogue) {
	t.Helper()
	c.submit(t, id)
	tr, root := c.lie(t, id, step)
	r.traces[id] = tr
	c.reveal(id, r.name, root)
}

func TestLyingWorker(t *testing.T) {
	for name, how := range map[string]manner{"plays": plays, "silent": silent, "garbage": garbage, "slow": slow} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			r := newRogue("liar", how)
			c.lyingWorker(t, 1, 5, r)
			m := c.machine(t, t.TempDir(), 0)
			c.run(t, []*machine{m}, r)
			c.requireUnbeaten(t, m)
			require.Equal(t, 1, m.tell.games["won"])
			require.Zero(t, m.tell.games["lost"])
			left, err := m.book.Watched()
			require.NoError(t, err)
			require.Empty(t, left, "what is over is forgotten")
			require.Zero(t, m.ch.Health().Affairs)
		})
	}
}

// TestRightResultCostsOneExecution: nobody disputes, so nothing is kept and nothing sent.
func TestRightResultCostsOneExecution(t *testing.T) {
	c := newCourt(t)
	m := c.machine(t, t.TempDir(), 0)
	c.submit(t, 1)
	c.reveal(1, "honest", c.matters[1].truth)
	c.run(t, []*machine{m})
	require.EqualValues(t, 1, m.runs.Load())
	require.Zero(t, c.chain.Txs)
	require.Zero(t, m.ch.Health().Affairs)
}

// TestLyingChallenger: an honest worker defends itself against a liar that plays.
func TestLyingChallenger(t *testing.T) {
	for name, how := range map[string]manner{"plays": plays, "garbage": garbage, "slow": slow} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			m := c.machine(t, t.TempDir(), 0)
			c.submit(t, 1)
			c.reveal(1, m.name, c.matters[1].truth)
			r := newRogue("liar", how)
			tr, root := c.lie(t, 1, 3)
			r.traces[1] = tr
			c.chain.Commit()
			require.NoError(t, c.claim(1, r.name, root[:], c.chain.Height()))
			c.run(t, []*machine{m}, r)
			c.requireUnbeaten(t, m)
			require.Equal(t, 1, m.tell.games["won"])
		})
	}
}

// TestManyGames plays cases of many tasks of one model at once, each with another input: moves made from another task's run would lose.
func TestManyGames(t *testing.T) {
	const tasks = 12
	c := newCourt(t)
	r := newRogue("liar", plays)
	for id := range uint64(tasks) {
		c.lyingWorker(t, id+1, id%runSteps, r)
	}
	m := c.machine(t, t.TempDir(), 0)
	c.run(t, []*machine{m}, r)
	c.requireUnbeaten(t, m)
	require.Equal(t, tasks, m.tell.games["won"])
	require.Less(t, c.chain.Txs, c.moves, "moves of different games share transactions")
}

// TestLittleMemory: traces that do not fit beside each other are made again.
func TestLittleMemory(t *testing.T) {
	c := newCourt(t)
	r := newRogue("liar", plays)
	for id := range uint64(4) {
		c.lyingWorker(t, id+1, 5, r)
	}
	m := c.machine(t, t.TempDir(), 0)
	few := m.runs.Load()
	m.max = 1
	m.reboot()
	c.run(t, []*machine{m}, r)
	c.requireUnbeaten(t, m)
	require.Equal(t, 4, m.tell.games["won"])
	require.Greater(t, m.runs.Load()-few, int32(12))
}

// TestSilentWorkerIsDefended: an honest worker is offline; a watcher stands in for it.
func TestSilentWorkerIsDefended(t *testing.T) {
	c := newCourt(t)
	m := c.machine(t, t.TempDir(), 0)
	c.submit(t, 1)
	c.reveal(1, "offline", c.matters[1].truth)
	r := newRogue("liar", slow) // attacked, it holds out for longer than the worker's clock
	tr, root := c.lie(t, 1, 3)
	r.traces[1] = tr
	c.chain.Commit()
	require.NoError(t, c.claim(1, r.name, root[:], c.chain.Height()))
	c.run(t, []*machine{m}, r)
	c.requireUnbeaten(t, m)
	require.True(t, c.matters[1].claimOf("offline").Relieved)
	require.False(t, c.matters[1].claimOf("offline").Beaten, "it was relieved")
	require.True(t, c.matters[1].claimOf("liar").Beaten)
}

// TestLaunderer: somebody claims the right root only to lose with it. The watcher supports that root before it falls.
func TestLaunderer(t *testing.T) {
	c := newCourt(t)
	r := newRogue("liar", plays)
	c.lyingWorker(t, 1, 4, r)
	m := c.machine(t, t.TempDir(), 0)
	c.chain.Commit()
	require.NoError(t, c.claim(1, "launderer", c.matters[1].truth[:], c.chain.Height()))
	sham := newRogue("launderer", loses)
	sham.traces[1] = nil
	c.run(t, []*machine{m}, r, sham)
	c.requireUnbeaten(t, m)
	require.True(t, c.matters[1].claimOf("launderer").Beaten, "it meant to")
	require.True(t, c.matters[1].claimOf("liar").Beaten)
}

// TestManyLiars: a majority stands behind lies, and every one of its claims is beaten.
func TestManyLiars(t *testing.T) {
	c := newCourt(t)
	liars := []*rogue{newRogue("liar0", plays)}
	c.lyingWorker(t, 1, 4, liars[0])
	c.chain.Commit()
	m := c.machine(t, t.TempDir(), 0)
	for i, how := range []manner{plays, silent, slow, garbage} {
		r := newRogue("liar"+string(rune('1'+i)), how)
		root := c.matters[1].status.ResultRoot
		r.traces[1] = liars[0].traces[1]
		if i%2 == 1 {
			tr, other := c.lie(t, 1, uint64(i))
			r.traces[1], root = tr, other[:]
		}
		if i == 0 {
			c.mu.Lock()
			c.open(c.matters[1], "attestation", c.chain.Height())
			c.mu.Unlock()
		}
		require.NoError(t, c.claim(1, r.name, root, c.chain.Height()))
		liars = append(liars, r)
	}
	c.run(t, []*machine{m}, liars...)
	c.requireUnbeaten(t, m)
	attacks := 0
	for _, g := range c.matters[1].games {
		if g.Challenger == m.name && g.Stake.IsPositive() {
			attacks++
		}
	}
	require.GreaterOrEqual(t, attacks, 3, "it does not wait for the chain to pair them\n%s", c.describe())
	for _, cl := range c.matters[1].claims {
		require.Equal(t, commit.Hash(cl.ResultRoot) != c.matters[1].truth, cl.Beaten, "%s\n%s", cl.Participant, c.describe())
	}
}

// TestWatchersShareTheWork: several honest watchers, several lies.
func TestWatchersShareTheWork(t *testing.T) {
	c := newCourt(t)
	r := newRogue("liar", plays)
	for id := range uint64(3) {
		c.lyingWorker(t, id+1, 5, r)
	}
	dir := t.TempDir()
	ms := []*machine{c.machine(t, dir, 0), c.machine(t, dir, 1), c.machine(t, dir, 2)}
	c.run(t, ms, r)
	c.requireUnbeaten(t, ms...)
}

// TestUnwatched: with a rate of 0 other people's lies are none of its business.
func TestUnwatched(t *testing.T) {
	c := newCourt(t)
	r := newRogue("liar", plays)
	c.lyingWorker(t, 1, 5, r)
	m := c.machine(t, t.TempDir(), 0)
	m.rate = 0
	m.reboot()
	for range challengeBlocks + 5 {
		m.tick(c.chain.Commit())
	}
	require.Zero(t, m.runs.Load())
	require.Zero(t, c.chain.Txs)
}
