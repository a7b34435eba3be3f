package sprints_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/testutil"
	sprintstypes "poaid/x/sprints/types"
)

// TestRebirth goes on from an export in every state that a window and an audit can be in.
func TestRebirth(t *testing.T) {
	s, m := crew(t, 5, nil)
	s.Rebirth() // before the first commit
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	s.Rebirth() // open
	s.Do(m[1], s.CommitMsg(m[1], w, 40))
	for s.WindowOf(w.Number).Phase == sprintstypes.PHASE_OPEN {
		s.Crew.Work()
	}
	require.Equal(t, sprintstypes.PHASE_WAITING, s.WindowOf(w.Number).Phase)
	s.Rebirth() // waiting for randomness
	s.Settled(w.Number)
	s.Rebirth() // two audits, none opened
	s.Do(m[0], s.OpenMsg(m[0], w.Number))
	s.Rebirth() // one opened
	require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, s.Decided(w.Number, m[0]).State)
	require.Equal(t, sprintstypes.COMMIT_STATE_FAILED, s.Decided(w.Number, m[1]).State)
	s.Rebirth() // one passed, one failed, and its task may run on
	for range 40 {
		s.Crew.Work()
	}
	s.Rebirth()
	require.Zero(t, s.WindowOf(w.Number).OpenAudits)
}

// TestShadows runs honest and lying sprints on copies of the chain: with crashes, and in parallel.
func TestShadows(t *testing.T) {
	s := testutil.NewSprint(t, testutil.Options{Accounts: 6, Shadows: testutil.AllShadows()[1:3]}, func(p *sprintstypes.Params) { p.KeepWindows = 1 })
	var m []*testutil.Sprinter
	for _, a := range s.Accounts[1:] {
		m = append(m, s.Join(a))
	}
	m[2].Fakes = func(n uint64) bool { return n < 20 }
	w := s.Open()
	for _, p := range m[:3] {
		s.Do(p, s.CommitMsg(p, w, enough))
	}
	s.Settled(w.Number)
	for _, p := range m[:3] {
		s.Do(p, s.OpenMsg(p, w.Number))
	}
	for range 70 { // windows come and go; the first is dropped, and so are the models of seasons
		s.Crew.Work()
	}
	require.Zero(t, s.WindowOf(w.Number).Number, "dropped")
	require.Zero(t, s.Record(m[2]).Capacity)
	require.Positive(t, s.Record(m[0]).Capacity)
	_, err := s.App.Models.GetModel(s.Ctx(), w.Model)
	require.Error(t, err, "its model is dropped too")
}

// TestDutyOff: governance switches sprints off in the middle of a window, which is settled all the same.
func TestDutyOff(t *testing.T) {
	s, m := crew(t, 3, rarely)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, 4))
	p, err := s.App.Sprints.Params.Get(s.Ctx())
	require.NoError(t, err)
	p.DutyPpm = 0
	s.Govern(&sprintstypes.MsgUpdateParams{Authority: s.App.Sprints.Authority(), Params: p})
	s.Settled(w.Number)
	require.Equal(t, sprintstypes.COMMIT_STATE_CLEAR, s.Commit(w.Number, m[0]).State)
	last := s.Current().Number
	s.Blocks(30)
	require.Equal(t, last, s.Current().Number)
}
