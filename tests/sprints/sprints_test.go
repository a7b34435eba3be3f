// Package sprints_test plays sprints on the chain: honest and lying participants, in process, every invariant after each block.
package sprints_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/sprint"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// crew starts a chain with n participants.
func crew(t *testing.T, n int, change func(*sprintstypes.Params)) (*testutil.Sprint, []*testutil.Sprinter) {
	t.Helper()
	s := testutil.NewSprint(t, testutil.Options{Accounts: n + 1}, change)
	members := make([]*testutil.Sprinter, n)
	for i := range members {
		members[i] = s.Join(s.Accounts[i+1])
	}
	return s, members
}

// rarely leaves audits to chance, and makes that small.
func rarely(p *sprintstypes.Params) { p.VerifyPpm = 1 }

// open has a participant open its leaves once it is audited, and works until its commit is decided.
func open(t *testing.T, s *testutil.Sprint, p *testutil.Sprinter, window uint64) sprintstypes.Commit {
	t.Helper()
	s.Settled(window)
	require.Equal(t, sprintstypes.COMMIT_STATE_AUDITED, s.Commit(window, p).State)
	s.Do(p, s.OpenMsg(p, window))
	return s.Decided(window, p)
}

// untouched says that nothing of a participant's bond is lost or locked.
func untouched(t *testing.T, s *testutil.Sprint, p *testutil.Sprinter) {
	t.Helper()
	rec := s.Record(p)
	require.Equal(t, "10000000000", rec.Bond.String())
	require.Zero(t, rec.Faults)
}

// lost says that a participant lost at least its lock, once, and its capacity.
func lost(t *testing.T, s *testutil.Sprint, p *testutil.Sprinter, c sprintstypes.Commit) {
	t.Helper()
	require.Equal(t, sprintstypes.COMMIT_STATE_FAILED, c.State)
	rec := s.Record(p)
	fault, err := s.App.Poai.Faults.Get(s.Ctx(), collections.Join(p.String(), uint64(1)))
	require.NoError(t, err)
	require.Equal(t, c.Lock.String(), fault.Taken.String())
	require.Equal(t, poaitypes.LOCK_KIND_SPRINT, fault.Kind)
	require.Equal(t, math.NewInt(10_000_000_000).Sub(c.Lock).Sub(fault.Extra).String(), rec.Bond.String(), "the extra where others lied in the epoch")
	require.EqualValues(t, 1, rec.Faults, "one lie is counted once")
	require.EqualValues(t, 1, rec.Conduct.Records, "one fault, one slash")
	require.Zero(t, rec.Capacity)
	_, err = s.App.Poai.GetLock(s.Ctx(), p.String(), poaitypes.LOCK_KIND_SPRINT, c.Window)
	require.Error(t, err, "the lock is gone")
}

// scored is what a participant has scored in all epochs, in millionths of a unit.
func scored(t *testing.T, s *testutil.Sprint, p *testutil.Sprinter) uint64 {
	t.Helper()
	running, err := s.App.Poai.CurrentEpoch(s.Ctx())
	require.NoError(t, err)
	sum := uint64(0)
	for epoch := uint64(1); epoch <= running; epoch++ {
		score, err := s.App.Poai.GetScore(s.Ctx(), epoch, p.String())
		require.NoError(t, err)
		sum += score.Uint64()
	}
	return sum
}

func TestClearCommitProvesCapacity(t *testing.T) {
	s, m := crew(t, 3, rarely)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, 5))
	locked := s.Record(m[0]).Locked
	require.True(t, locked.IsPositive())
	require.Equal(t, locked.String(), s.Commit(w.Number, m[0]).Lock.String())
	s.Settled(w.Number)
	c := s.Commit(w.Number, m[0])
	require.Equal(t, sprintstypes.COMMIT_STATE_CLEAR, c.State, "one in a million is audited")
	rec := s.Record(m[0])
	require.Equal(t, 5*w.LeafUnits/uint64(w.CloseHeight-w.OpenHeight), rec.Capacity)
	require.True(t, rec.Locked.IsZero())
	start := poaitypes.DefaultParams().ReliabilityStartPpm
	require.Equal(t, start, rec.ReliabilityPpm, "what nobody checked makes nobody reliable")
	require.Equal(t, 5*w.LeafUnits*50_000, scored(t, s, m[0]), "sprint_share of it, times reliability, in millionths")
	untouched(t, s, m[0])
	require.Zero(t, s.Record(m[1]).Capacity, "who commits nothing proves nothing")
}

// enough leaves that a commit of this chain is surely audited: sample · (committee + 1).
const enough = 32

func TestHonestAudit(t *testing.T) {
	s, m := crew(t, 5, nil)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	s.Do(m[1], s.CommitMsg(m[1], w, 50))
	w = s.Settled(w.Number)
	require.EqualValues(t, 2, w.OpenAudits)
	for _, p := range m[:2] {
		s.Do(p, s.OpenMsg(p, w.Number))
	}
	for i, p := range m[:2] {
		c := s.Decided(w.Number, p)
		require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, c.State)
		untouched(t, s, p)
		require.Equal(t, []uint64{enough, 50}[i]*w.LeafUnits/4, s.Record(p).Capacity)
		st, err := s.App.Tasks.Statuses.Get(s.Ctx(), c.Task)
		require.NoError(t, err)
		require.Equal(t, taskstypes.STATE_FINAL, st.State)
		require.True(t, st.Audited)
	}
	require.Zero(t, s.WindowOf(w.Number).OpenAudits)
	// The members of the committees were credited, though they proved no capacity of their own.
	sum := uint64(0)
	for _, p := range m[2:] {
		sum += scored(t, s, p)
	}
	require.Positive(t, sum)
}

// TestSmallAudit: fewer leaves than a sample are rarely audited; when they are, they repeat.
func TestSmallAudit(t *testing.T) {
	s, m := crew(t, 4, nil)
	for range 100 {
		w := s.Open()
		s.Do(m[0], s.CommitMsg(m[0], w, 3))
		s.Settled(w.Number)
		if s.Commit(w.Number, m[0]).State == sprintstypes.COMMIT_STATE_CLEAR {
			continue
		}
		require.Len(t, s.OpenMsg(m[0], w.Number).Leaves, 3)
		require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, open(t, s, m[0], w.Number).State)
		untouched(t, s, m[0])
		return
	}
	t.Fatal("not audited in 100 windows")
}

// TestNineTenths: who computes nine leaves in ten and makes up the rest is caught. A sample of this chain is a tenth of the default one, so that it takes
// some windows; package sprint works out the default's chance.
func TestNineTenths(t *testing.T) {
	s, m := crew(t, 4, nil)
	cheat := m[0]
	cheat.Fakes = func(n uint64) bool { return n%10 == 3 }
	for range 20 {
		w := s.Open()
		s.Do(cheat, s.CommitMsg(cheat, w, 40))
		c := open(t, s, cheat, w.Number)
		if c.State == sprintstypes.COMMIT_STATE_PASSED {
			continue // no fake was in the sample
		}
		lost(t, s, cheat, c)
		for range 60 { // its task ends as any
			s.Crew.Work()
		}
		lost(t, s, cheat, c)
		untouched(t, s, m[1])
		return
	}
	t.Fatal("not caught in 20 windows")
}

// TestUnopened: leaves that are not opened are as good as wrong, whether or not the task goes on.
func TestUnopened(t *testing.T) {
	s, m := crew(t, 4, nil)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	c := s.Decided(w.Number, m[0])
	lost(t, s, m[0], c)
	st, err := s.App.Tasks.Statuses.Get(s.Ctx(), c.Task)
	require.NoError(t, err)
	require.False(t, st.State.Ended(), "decided before the task is")
	for range 60 {
		s.Crew.Work()
	}
	lost(t, s, m[0], c)
	require.Zero(t, s.WindowOf(w.Number).OpenAudits)
}

// TestSilentInTheTask: leaves opened, and the run that would show whether they are right is not delivered.
func TestSilentInTheTask(t *testing.T) {
	for name, behaviour := range map[string]testutil.Behaviour{"does not seal": testutil.Idle, "does not reveal": testutil.Mute} {
		t.Run(name, func(t *testing.T) {
			s, m := crew(t, 4, nil)
			w := s.Open()
			s.Do(m[0], s.CommitMsg(m[0], w, enough))
			m[0].Behaviour = behaviour
			lost(t, s, m[0], open(t, s, m[0], w.Number))
		})
	}
}

// TestUnopenedAfterTheTask: the task is done before the deadline, the leaves are not opened.
func TestUnopenedAfterTheTask(t *testing.T) {
	s, m := crew(t, 4, func(p *sprintstypes.Params) { p.OpenBlocks = 60 })
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	s.Settled(w.Number)
	c := s.Decided(w.Number, m[0])
	lost(t, s, m[0], c)
	st, err := s.App.Tasks.Statuses.Get(s.Ctx(), c.Task)
	require.NoError(t, err)
	require.Equal(t, taskstypes.STATE_FINAL, st.State, "it had run the leaves")
}

// TestCopiedRoot: another's root is worth nothing, since the inputs of its leaves are another's.
func TestCopiedRoot(t *testing.T) {
	s, m := crew(t, 4, nil)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	key := sprint.Key(s.ChainID, w.Random, w.Number, m[0].String())
	m[1].Key = &key
	copied := s.CommitMsg(m[1], w, enough)
	require.Equal(t, s.Commit(w.Number, m[0]).Root, copied.Root)
	s.Do(m[1], copied)
	s.Settled(w.Number)
	// It knows the other's values, and can open them; they are not what its own leaves compute to.
	s.Do(m[1], s.OpenMsg(m[1], w.Number))
	s.Do(m[0], s.OpenMsg(m[0], w.Number))
	require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, s.Decided(w.Number, m[0]).State)
	lost(t, s, m[1], s.Decided(w.Number, m[1]))
}

func TestCommitRefused(t *testing.T) {
	s, m := crew(t, 2, func(p *sprintstypes.Params) { p.ValuePrice = math.NewInt(1_000_000_000) })
	outsider := s.Accounts[0]
	root := make([]byte, 32)
	w := s.Open()
	msg := func(p string, window, count uint64, root []byte) *sprintstypes.MsgCommitSprint {
		return &sprintstypes.MsgCommitSprint{Participant: p, Window: window, Count: count, Root: root}
	}
	good := s.CommitMsg(m[0], w, 2)
	for _, c := range []struct {
		name string
		msg  *sprintstypes.MsgCommitSprint
		code uint32
	}{
		{"no such window", msg(m[0].String(), w.Number+1, 1, root), sprintstypes.ErrNoWindow.ABCICode()},
		{"window 0", msg(m[0].String(), 0, 1, root), sprintstypes.ErrNoWindow.ABCICode()},
		{"nothing", msg(m[0].String(), w.Number, 0, root), sprintstypes.ErrCount.ABCICode()},
		{"too much", msg(m[0].String(), w.Number, 1<<24+1, root), sprintstypes.ErrCount.ABCICode()},
		{"root", msg(m[0].String(), w.Number, 1, root[:31]), sprintstypes.ErrLength.ABCICode()},
		{"bond", msg(m[0].String(), w.Number, 1<<24, root), sprintstypes.ErrBond.ABCICode()},
		{"not joined", msg(outsider.String(), w.Number, 1, root), sprintstypes.ErrNotServing.ABCICode()},
		{"good", good, 0},
		{"twice", msg(m[0].String(), w.Number, 1, root), sprintstypes.ErrCommitted.ABCICode()},
	} {
		branch, _ := s.Ctx().CacheContext()
		handler := s.App.MsgServiceRouter().Handler(c.msg)
		_, err := handler(branch, c.msg)
		if c.code == 0 {
			require.NoError(t, err, c.name)
			s.Do(m[0], c.msg)
			continue
		}
		require.Error(t, err, c.name)
		require.Equal(t, c.code, codeOf(err), "%s: %v", c.name, err)
	}
	s.Settled(w.Number)
	require.Equal(t, sprintstypes.ErrLate.ABCICode(), codeOf(s.Send(m[1], s.CommitMsg(m[1], w, 2))), "after the window")
}

func TestOpeningRefused(t *testing.T) {
	s, m := crew(t, 4, nil)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, 50))
	s.Settled(w.Number)
	refused := func(name string, want uint32, spoil func(*sprintstypes.MsgOpenSprint)) {
		t.Helper()
		msg := s.OpenMsg(m[0], w.Number)
		spoil(msg)
		branch, _ := s.Ctx().CacheContext()
		_, err := s.App.MsgServiceRouter().Handler(msg)(branch, msg)
		require.Error(t, err, name)
		require.Equal(t, want, codeOf(err), "%s: %v", name, err)
	}
	leaves, proof := sprintstypes.ErrLeaves.ABCICode(), sprintstypes.ErrProof.ABCICode()
	refused("nobody else's", sprintstypes.ErrNotAudited.ABCICode(), func(o *sprintstypes.MsgOpenSprint) { o.Participant = m[1].String() })
	refused("other window", sprintstypes.ErrNotAudited.ABCICode(), func(o *sprintstypes.MsgOpenSprint) { o.Window += 7 })
	refused("too few", leaves, func(o *sprintstypes.MsgOpenSprint) { o.Leaves = o.Leaves[1:] })
	refused("too many", leaves, func(o *sprintstypes.MsgOpenSprint) { o.Leaves = append(o.Leaves, o.Leaves[7]) })
	refused("twice", leaves, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[1] = o.Leaves[0] })
	refused("out of range", leaves, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[7].Number = 50 })
	refused("not ascending", leaves, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[0], o.Leaves[1] = o.Leaves[1], o.Leaves[0] })
	refused("value", proof, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[3].Value = make([]byte, 64) })
	refused("short value", proof, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[3].Value = o.Leaves[3].Value[:63] })
	refused("proof", proof, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[3].Proof = o.Leaves[4].Proof })
	refused("no proof", proof, func(o *sprintstypes.MsgOpenSprint) { o.Leaves[3].Proof = nil })
	s.Do(m[0], s.OpenMsg(m[0], w.Number))
	refused("again", sprintstypes.ErrOpened.ABCICode(), func(*sprintstypes.MsgOpenSprint) {})
	require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, s.Decided(w.Number, m[0]).State, "no refusal costs anything")
	refused("over", sprintstypes.ErrNotAudited.ABCICode(), func(*sprintstypes.MsgOpenSprint) {})
	untouched(t, s, m[0])
}
