package sprints_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/testutil"
	"poaid/testutil/adversary"
	disputestypes "poaid/x/disputes/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// argued starts a chain on which a dispute is short.
func argued(t *testing.T, n int) (*testutil.Sprint, []*testutil.Sprinter) {
	t.Helper()
	s := testutil.NewSprint(t, testutil.Options{Accounts: n + 1, Genesis: func(g *testutil.Genesis) {
		var d disputestypes.GenesisState
		g.Get(disputestypes.ModuleName, &d)
		d.Params.ClockBase, d.Params.ClockReserve, d.Params.ClaimBlocks = 4, 8, 6
		g.Set(disputestypes.ModuleName, &d)
	}}, func(p *sprintstypes.Params) { p.OpenBlocks = 20 })
	members := make([]*testutil.Sprinter, n)
	for i := range members {
		members[i] = s.Join(s.Accounts[i+1])
	}
	return s, members
}

// garbage is the answer of a run whose output rows all have another first byte: what a participant says that made all its leaves up so.
func garbage(t *testing.T, run *adversary.Run) *adversary.Answer {
	t.Helper()
	truth, err := adversary.Honest(run)
	require.NoError(t, err)
	x := truth.Outputs[0].Clone()
	for i := 0; i < len(x.Bytes()); i += 64 {
		x.Bytes()[i] ^= 1
	}
	root, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
	require.NoError(t, err)
	named := commit.Named{Name: "leaves", Root: root}
	out := commit.NamedRoot([]commit.Named{named})
	a := *truth
	a.OutputRoot, a.Root = out, commit.ResultRoot(run.Steps, truth.StateRoot, out)
	a.Outputs = append(a.Outputs[:0:0], x)
	a.Trace = &adversary.OutputTrace{Trace: truth.Trace, Leaf: commit.NamedLeaf(named)}
	return &a
}

// TestCapturedCommittee: participant and committee agree on garbage, and what was opened agrees with it. One honest challenger undoes it, as with any
// task.
func TestCapturedCommittee(t *testing.T) {
	s, m := argued(t, 6)
	cheat, bought, honest := m[0], m[1:5], m[5]
	honest.Behaviour = testutil.Idle // it is drawn for nothing, or sits still until the result is there
	w := s.Open()
	values := s.Leaves(cheat, w, enough)
	for _, v := range values {
		v[0] ^= 1
	}
	s.Do(cheat, s.CommitMsg(cheat, w, enough))
	s.Settled(w.Number)
	c := s.Commit(w.Number, cheat)
	require.Equal(t, sprintstypes.COMMIT_STATE_AUDITED, c.State)

	court, err := s.Court(c.Task)
	require.NoError(t, err)
	lie := garbage(t, court.Run)
	court.Enter(cheat.Participant, lie)
	for _, p := range bought {
		court.Enter(p.Participant, lie)
	}
	s.Do(cheat, s.OpenMsg(cheat, w.Number))
	court.Until(60, func() bool { return court.Status().State == taskstypes.STATE_REVEALED })
	require.Equal(t, lie.Root[:], court.Status().ResultRoot, "nobody has noticed")
	p := court.Enter(honest.Participant, court.Truth)
	p.Watches, p.Attacks = true, true
	court.Until(400, func() bool { return court.Status().State.Ended() })
	require.Equal(t, taskstypes.STATE_EXPIRED, court.Status().State)
	c = s.Commit(w.Number, cheat)
	lost(t, s, cheat, c)
	balance := s.App.Bank.GetBalance(s.Ctx(), honest.Addr, "upoai").Amount
	before := testutil.Poai(1_000_000 - 10_000)[0].Amount
	require.True(t, balance.GT(before), "the challenger has a part of the sprint's lock: %s", balance)
}

// TestSlander: a challenger of an honest run loses, and the sprint counts.
func TestSlander(t *testing.T) {
	s, m := argued(t, 6)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	s.Settled(w.Number)
	c := s.Commit(w.Number, m[0])
	court, err := s.Court(c.Task)
	require.NoError(t, err)
	for _, p := range m[:5] {
		party := court.Enter(p.Participant, court.Truth)
		party.Guards = true
	}
	s.Do(m[0], s.OpenMsg(m[0], w.Number))
	m[5].Behaviour = testutil.Idle
	liar := court.Enter(m[5].Participant, garbage(t, court.Run))
	court.Until(60, func() bool { return court.Status().State == taskstypes.STATE_REVEALED })
	liar.Watches = true
	court.Until(400, func() bool { return court.Status().State.Ended() })
	require.Equal(t, taskstypes.STATE_FINAL, court.Status().State)
	require.Equal(t, sprintstypes.COMMIT_STATE_PASSED, s.Commit(w.Number, m[0]).State)
	untouched(t, s, m[0])
	require.EqualValues(t, 1, s.Record(m[5]).Faults)
}

// TestWeightsAreNotDemanded: weights that everybody can make cannot be asked for, or the audited could have its own audit voided.
func TestWeightsAreNotDemanded(t *testing.T) {
	s, m := argued(t, 5)
	w := s.Open()
	s.Do(m[0], s.CommitMsg(m[0], w, enough))
	s.Settled(w.Number)
	msg := &disputestypes.MsgDemandBytes{
		Participant: m[0].String(), TaskId: s.Commit(w.Number, m[0]).Task, Source: disputestypes.SOURCE_WEIGHT, Name: s.Prog.WeightSpecs()[0].Name, Count: 1,
	}
	branch, _ := s.Ctx().CacheContext()
	_, err := s.App.MsgServiceRouter().Handler(msg)(branch, msg)
	require.ErrorIs(t, err, disputestypes.ErrDemand)
	require.ErrorContains(t, err, "follow from its seed")
}
