package keeper_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

func root(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// contest disputes a revealed task, as x/disputes does for the first claim.
func (f *fix) contest(id uint64) (types.Dispute, error) {
	return deliver(f, f.keeper.Contest, id)
}

func (f *fix) resolve(id uint64, root []byte, arguers ...string) error {
	r := types.Resolution{ValidRoot: root, Beneficiaries: arguers}
	_, err := deliver(f, func(ctx context.Context, r types.Resolution) (any, error) {
		return nil, f.keeper.ResolveDispute(ctx, id, r)
	}, r)
	return err
}

func (f *fix) void(id uint64, byInput bool) error {
	_, err := deliver(f, func(ctx context.Context, byInput bool) (any, error) { return nil, f.keeper.VoidTask(ctx, id, byInput) }, byInput)
	return err
}

func TestContest(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	early := f.assigned(digitsMsg(f.who(9), 2))
	id, a := f.revealed(digitsMsg(f.who(9), 1))
	late, _ := f.revealed(digitsMsg(f.who(9), 3))
	_, err := f.contest(99)
	require.ErrorIs(t, err, types.ErrUnknownTask)
	_, err = f.contest(early)
	require.ErrorIs(t, err, types.ErrState)

	d, err := f.contest(id)
	require.NoError(t, err)
	st := f.status(id)
	require.Equal(t, types.STATE_DISPUTED, st.State)
	require.Equal(t, id, d.Task.Id)
	require.Equal(t, types.Party{Participant: st.Worker, Root: a.root[:]}, d.Worker)
	require.Equal(t, uint32(1), d.Attempt)
	require.Equal(t, st.Deadline, d.Until)
	require.Empty(t, d.Members)
	_, err = f.contest(id)
	require.ErrorIs(t, err, types.ErrState, "twice")

	st = f.status(late)
	ctx := f.ctx.WithBlockHeight(st.Deadline + 1)
	_, err = f.keeper.Contest(ctx, late)
	require.ErrorIs(t, err, types.ErrDeadline)
	f.block(100)
	require.Equal(t, types.STATE_DISPUTED, f.state(id), "no timer releases a dispute")
	require.Empty(t, f.disputes.state(f.ctx).Opened, "the caller knows")
}

func TestResolveRefuses(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, a := f.revealed(digitsMsg(f.who(9), 1))
	require.ErrorIs(t, f.resolve(id, a.root[:]), types.ErrState)
	_, err := f.contest(id)
	require.NoError(t, err)
	require.ErrorIs(t, f.resolve(id, root(8)[1:]), types.ErrLength)
	require.ErrorIs(t, f.resolve(99, a.root[:]), types.ErrUnknownTask)
	f.block(1)
	require.Equal(t, types.STATE_DISPUTED, f.state(id))
}

// disputed has three members: the first agrees with the worker, the second attests another root, the third stays silent.
func (f *fix) disputed() (id uint64, a answer, members []string) {
	f.audits(true)
	id, a = f.revealing(storyMsg(f.who(9), 16, 3))
	members = f.members(id)
	f.reveal(id, a)
	require.NoError(f.tb, f.poai.revealSeat(f.ctx, id, members[0], a.root[:]))
	require.NoError(f.tb, f.poai.revealSeat(f.ctx, id, members[1], root(9)))
	f.until(id, types.STATE_DISPUTED)
	f.block(1)
	return id, a, members
}

func TestResolveForTheWorker(t *testing.T) {
	f := fixture(t)
	id, a, members := f.disputed()
	worker := f.status(id).Worker
	opened := f.disputes.state(f.ctx).Opened
	require.Len(t, opened, 1)
	require.Equal(t, []types.Party{{Participant: members[0], Root: a.root[:]}, {Participant: members[1], Root: root(9)}}, opened[0].Members)
	require.Equal(t, "attestation", opened[0].Cause)
	require.NoError(t, f.resolve(id, a.root[:], f.who(11), worker))
	require.Equal(t, types.STATE_FINAL, f.state(id))
	require.ElementsMatch(t, []string{members[1] + "/2/10000/true", members[2] + "/2/10000/true"}, f.slashes(id))
	for _, s := range f.poai.state(f.ctx).Slashes {
		require.Equal(t, []string{worker, members[0], f.who(11)}, s.Beneficiaries)
	}
	require.Equal(t, "3610 3610 800 760 34000", payment(f.payment(id)))
	require.Equal(t, int64(funds+3_610), f.balance(members[0]).Int64())
	require.Equal(t, fmt.Sprintf("case of task %d, attempt 1", id), f.poai.state(f.ctx).Committees[id].Reference)
	require.Len(t, f.credits(id), 2)
	f.block(40)
	require.True(t, f.status(id).Pruned)
	require.Equal(t, []uint64{id}, f.disputes.state(f.ctx).Pruned)
}

func TestResolveAgainstTheWorker(t *testing.T) {
	f := fixture(t)
	id, _, members := f.disputed()
	liar := f.status(id).Worker
	require.NoError(t, f.resolve(id, root(9), f.who(11)))
	require.ElementsMatch(t, []string{
		liar + "/1/10000/true", members[0] + "/2/10000/true", members[2] + "/2/10000/true",
	}, f.slashes(id))
	for _, s := range f.poai.state(f.ctx).Slashes {
		require.Equal(t, []string{members[1], f.who(11)}, s.Beneficiaries)
	}
	require.Empty(t, f.credits(id))
	st := f.status(id)
	require.Equal(t, types.STATE_OPEN, st.State, "another worker has it")
	require.Equal(t, []string{liar}, st.Tried)
	has, err := f.keeper.Results.Has(f.ctx, id)
	require.NoError(t, err)
	require.False(t, has, "the lie is no result")
	f.until(id, types.STATE_ASSIGNED)
	require.NotEqual(t, liar, f.status(id).Worker)
	f.seal(id, f.result(id, 0, 1))
	f.until(id, types.STATE_AUDITED)
	require.NotEmpty(t, f.members(id), "a committee of its own")
}

func TestResolveForNobody(t *testing.T) {
	f := fixture(t)
	id, _, members := f.disputed()
	require.NoError(t, f.resolve(id, nil))
	require.Equal(t, types.STATE_REFUNDED, f.state(id))
	require.Equal(t, []string{members[2] + "/2/10000/true"}, f.slashes(id), "only the seat that never revealed")
	require.Equal(t, "0 0 0 0 50000", payment(f.payment(id)))
	f.block(40)
	require.True(t, f.status(id).Pruned)
}

// TestVoidEveryState: whatever a task has come to, its parties are let go and the submitter is refunded.
func TestVoidEveryState(t *testing.T) {
	reach := map[types.State]func(f *fix) uint64{
		types.STATE_ASSIGNED: func(f *fix) uint64 { return f.assigned(digitsMsg(f.who(9), 1)) },
		types.STATE_SEALED: func(f *fix) uint64 {
			id := f.assigned(digitsMsg(f.who(9), 1))
			f.seal(id, f.result(id, 0, 1))
			return id
		},
		types.STATE_AUDITED: func(f *fix) uint64 {
			f.audits(true)
			id := f.assigned(digitsMsg(f.who(9), 1))
			f.seal(id, f.result(id, 0, 1))
			f.until(id, types.STATE_AUDITED)
			require.NotEmpty(f.tb, f.members(id))
			require.NoError(f.tb, f.poai.sealSeat(f.ctx, id, f.members(id)[0]))
			return id
		},
		types.STATE_REVEALING: func(f *fix) uint64 {
			f.audits(true)
			id, _ := f.revealing(digitsMsg(f.who(9), 1))
			return id
		},
		types.STATE_REVEALED: func(f *fix) uint64 { id, _ := f.revealed(digitsMsg(f.who(9), 1)); return id },
		types.STATE_DISPUTED: func(f *fix) uint64 {
			id, _ := f.revealed(digitsMsg(f.who(9), 1))
			_, err := f.contest(id)
			require.NoError(f.tb, err)
			return id
		},
	}
	for state, to := range reach {
		t.Run(state.String(), func(t *testing.T) {
			f := fixture(t)
			f.audits(false)
			id := to(f)
			require.Equal(t, state, f.state(id))
			byInput := state%2 == 0
			require.NoError(t, f.void(id, byInput))
			require.Equal(t, types.STATE_REFUNDED, f.state(id))
			require.Empty(t, f.slashes(id))
			require.Empty(t, f.credits(id))
			want := "0 0 0 0 5000"
			if byInput {
				want = "0 0 0 1000 4000" // the submitter's part burns
			}
			require.Equal(t, want, payment(f.payment(id)))
			f.check()
			f.block(40)
			require.True(t, f.status(id).Pruned)
			require.ErrorIs(t, f.void(id, false), types.ErrState)
		})
	}
	f := fixture(t)
	open := f.submit(digitsMsg(f.who(9), 1))
	require.ErrorIs(t, f.void(open, true), types.ErrState)
	require.ErrorIs(t, f.void(99, true), types.ErrUnknownTask)
}

func TestQuarantinedModel(t *testing.T) {
	f := fixture(t)
	*f.disputes.quarantined = "story"
	_, err := deliver(f, f.msgs.SubmitTask, storyMsg(f.who(9), 16, 3))
	require.ErrorIs(t, err, errQuarantined)
	f.submit(digitsMsg(f.who(9), 1))
}

// TestDisputeByAttestationSettlesAtOnce: the last reveal of a message disputes the task.
func TestDisputeByAttestationSettlesAtOnce(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	id, a := f.revealing(digitsMsg(f.who(9), 1))
	for _, m := range f.members(id) {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, root(9)))
	}
	require.Equal(t, types.STATE_REVEALING, f.state(id))
	f.reveal(id, a)
	st := f.status(id)
	require.Equal(t, types.STATE_DISPUTED, st.State)
	require.Zero(t, st.Due)
	require.Len(t, f.poai.state(f.ctx).Locks, 4, "worker and members stay locked")
	require.Contains(t, f.poai.state(f.ctx).Locks, lockKey(st.Worker, poaitypes.LOCK_KIND_TASK, id))
	parties, err := f.keeper.GetCommitteeParties(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, f.members(id), parties)
}

// TestGivenUpRunPaysThePots: who asks, works and keeps the bytes back could have every run given up that is not audited, or in which its error is not forced, and
// be paid from the pots with the others. So a run that is given up brings the pots what it would have brought them.
func TestGivenUpRunPaysThePots(t *testing.T) {
	for name, c := range map[string]struct {
		byCid           bool
		reach           types.State
		jackpot, audits string
	}{
		"before it is known whether it is audited": {false, types.STATE_ASSIGNED, "152", "0"},
		"not audited":                                        {false, types.STATE_REVEALED, "152", "6127"},
		"not audited, and no prize to pick":                  {true, types.STATE_REVEALED, "0", "6127"},
		"not audited, argued about":                          {false, types.STATE_DISPUTED, "152", "6127"},
		"by content id, before it is known if it is audited": {true, types.STATE_SEALED, "0", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.params(func(p *types.Params) { p.AuditMinPpm, p.ReferenceCost = 250_000, math.ZeroInt() })
			f.keys(1)
			run := func(n byte, to types.State) uint64 {
				for ; ; n += 2 {
					msg := storyMsg(f.who(9), 16, n)
					if c.byCid {
						root, err := commit.TensorRoot(uint8(msg.Inputs[0].Dtype), msg.Inputs[0].Shape, msg.Inputs[0].Data)
						require.NoError(t, err)
						msg.Inputs[0].Data, msg.Inputs[0].Root, msg.Inputs[0].Cid = nil, root[:], "cid"
					}
					id := f.assigned(msg)
					if to == types.STATE_ASSIGNED {
						return id
					}
					a := f.result(id, 0, 1)
					f.seal(id, a)
					if to == types.STATE_SEALED {
						return id
					}
					f.block(3)
					if f.state(id) != types.STATE_REVEALING {
						continue // this one is audited
					}
					f.reveal(id, a)
					return id
				}
			}
			whole := run(1, types.STATE_REVEALED)
			f.until(whole, types.STATE_FINAL)
			jackpot, audits := f.payment(whole).Jackpot.String(), f.auditPot()
			id := run(2, c.reach)
			if c.reach == types.STATE_DISPUTED {
				_, err := f.contest(id)
				require.NoError(t, err)
			}
			require.Equal(t, c.reach, f.state(id))
			require.NoError(t, f.void(id, false))
			pay := f.payment(id)
			require.Equal(t, c.jackpot, pay.Jackpot.String())
			require.Equal(t, c.audits, pay.Audits.String())
			require.Equal(t, audits.Add(pay.Audits), f.auditPot())
			require.Equal(t, "50000", pay.Jackpot.Add(pay.Audits).Add(pay.Refund).String())
			if c.reach >= types.STATE_REVEALED {
				require.Equal(t, audits, pay.Audits, "what a run to the end brought")
				require.Equal(t, "152", jackpot)
			}
			f.block(1)
		})
	}
}
