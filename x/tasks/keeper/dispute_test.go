package keeper_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

func root(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// outsider is a participant that has no part in a task.
func (f *fix) outsider(id uint64) string {
	used := append(f.members(id), f.status(id).Worker)
	for i := range 6 {
		if who := f.who(i); !contains(used, who) {
			return who
		}
	}
	panic("everybody has a part")
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func TestChallengeRefuses(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	f.poai.join(f.ctx, f.who(10), 5, 1)
	early := f.assigned(digitsMsg(f.who(9), 2))
	id, a := f.revealed(digitsMsg(f.who(9), 1))
	worker, challenger := f.status(id).Worker, f.outsider(id)
	require.ErrorIs(t, f.challenge(99, challenger, root(9)), types.ErrUnknownTask)
	require.ErrorIs(t, f.challenge(id, "x", root(9)), types.ErrAddress)
	require.ErrorIs(t, f.challenge(id, challenger, root(9)[1:]), types.ErrLength)
	require.ErrorIs(t, f.challenge(early, challenger, root(9)), types.ErrState)
	require.ErrorIs(t, f.challenge(id, worker, root(9)), types.ErrParty)
	require.ErrorIs(t, f.challenge(id, challenger, a.root[:]), types.ErrClaim)
	require.ErrorContains(t, f.challenge(id, f.who(7), root(9)), "not found", "no participant")
	require.ErrorContains(t, f.challenge(id, f.who(10), root(9)), "insufficient bond")
	require.Equal(t, types.STATE_REVEALED, f.state(id))
	require.NoError(t, f.challenge(id, challenger, root(9)))
	require.Equal(t, types.STATE_DISPUTED, f.state(id))
	require.ErrorIs(t, f.challenge(id, challenger, root(8)), types.ErrClaim)
	until := f.status(id).Deadline
	f.block(until - f.ctx.BlockHeight())
	ctx, _ := f.ctx.CacheContext()
	second := f.outsider(id)
	for i := range 6 {
		if who := f.who(i); who != challenger && who != worker {
			second = who
		}
	}
	_, err := f.msgs.Challenge(ctx, &types.MsgChallenge{Challenger: second, TaskId: id, ResultRoot: root(8)})
	require.NoError(t, err, "others may still join until the window is over")
	f.block(1)
	require.ErrorIs(t, f.challenge(id, second, root(8)), types.ErrDeadline)
	f.block(100)
	require.Equal(t, types.STATE_DISPUTED, f.state(id), "no timer releases a dispute")
}

func TestTooManyChallengers(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	for i := range types.MaxClaims + 1 {
		f.poai.join(f.ctx, f.who(20+i), 10_000_000, 1)
		err := f.challenge(id, f.who(20+i), root(9))
		require.Equal(t, i == types.MaxClaims, err != nil, "challenger %d: %v", i, err)
	}
	f.check()
	require.NoError(t, f.resolve(id, root(9)))
	f.check()
}

func TestResolveRefuses(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, a := f.revealed(digitsMsg(f.who(9), 1))
	require.ErrorIs(t, f.resolve(id, a.root[:]), types.ErrState)
	require.NoError(t, f.challenge(id, f.outsider(id), root(9)))
	_, err := deliver(f, f.msgs.ResolveDispute, &types.MsgResolveDispute{Authority: f.who(1), TaskId: id, ValidRoot: a.root[:]})
	require.ErrorContains(t, err, "invalid authority")
	require.ErrorIs(t, f.resolve(id, root(8)), types.ErrValidRoot)
	require.ErrorIs(t, f.resolve(id, root(8)[1:]), types.ErrLength)
	require.ErrorIs(t, f.resolve(99, a.root[:]), types.ErrUnknownTask)
	f.block(1)
	require.Equal(t, types.STATE_DISPUTED, f.state(id))
}

// disputed has three members: the first agrees with the worker, the second attests another root, the third stays silent. An
// outsider claims a third root, and another one the second member's.
func (f *fix) disputed() (id uint64, a answer, members []string, wrong, right string) {
	f.audits(true)
	id, a = f.revealing(storyMsg(f.who(9), 16, 3))
	members = f.members(id)
	f.reveal(id, a)
	require.NoError(f.tb, f.poai.revealSeat(f.ctx, id, members[0], a.root[:]))
	require.NoError(f.tb, f.poai.revealSeat(f.ctx, id, members[1], root(9)))
	f.until(id, types.STATE_DISPUTED)
	wrong = f.outsider(id)
	require.NoError(f.tb, f.challenge(id, wrong, root(8)))
	right = f.who(11)
	f.poai.join(f.ctx, right, 100_000_000, 4)
	require.NoError(f.tb, f.challenge(id, right, root(9)))
	f.block(1)
	return id, a, members, wrong, right
}

func TestResolveForTheWorker(t *testing.T) {
	f := fixture(t)
	id, a, members, claim1, claim2 := f.disputed()
	worker := f.status(id).Worker
	require.NoError(t, f.resolve(id, a.root[:]))
	require.Equal(t, types.STATE_FINAL, f.state(id))
	require.ElementsMatch(t, []string{
		claim1 + "/3/10000/true", claim2 + "/3/10000/true", members[1] + "/2/10000/true", members[2] + "/2/10000/true",
	}, f.slashes(id))
	for _, s := range f.poai.state(f.ctx).Slashes {
		require.Equal(t, []string{worker, members[0]}, s.Beneficiaries)
	}
	require.Equal(t, "12160 2280 800 760 34000", payment(f.payment(id)))
	require.Equal(t, int64(funds+2_280), f.balance(members[0]).Int64())
	require.Len(t, f.credits(id), 2)
	f.block(40)
	require.True(t, f.status(id).Pruned)
	claims, err := f.query().Task(f.ctx, &types.QueryTaskRequest{Id: id})
	require.NoError(t, err)
	require.Empty(t, claims.Claims)
}

func TestResolveAgainstTheWorker(t *testing.T) {
	f := fixture(t)
	id, _, members, wrong, right := f.disputed()
	worker := f.status(id).Worker
	require.NoError(t, f.resolve(id, root(9)))
	require.Equal(t, types.STATE_REFUNDED, f.state(id))
	require.ElementsMatch(t, []string{
		worker + "/1/10000/true", wrong + "/3/10000/true", members[0] + "/2/10000/true", members[2] + "/2/10000/true",
	}, f.slashes(id))
	for _, s := range f.poai.state(f.ctx).Slashes {
		require.Equal(t, []string{members[1], right}, s.Beneficiaries)
	}
	require.Equal(t, "0 0 0 0 50000", payment(f.payment(id)))
	require.Equal(t, int64(funds), f.balance(f.who(9)).Int64())
	require.Empty(t, f.credits(id))
	again, err := deliver(f, f.msgs.SubmitTask, storyMsg(f.who(9), 16, 3))
	require.NoError(t, err)
	require.True(t, again.Scored)
	f.block(40)
}

func TestResolveForNobody(t *testing.T) {
	f := fixture(t)
	id, _, members, _, _ := f.disputed()
	require.NoError(t, f.resolve(id, nil))
	require.Equal(t, types.STATE_REFUNDED, f.state(id))
	require.Equal(t, []string{members[2] + "/2/10000/true"}, f.slashes(id), "only the seat that never revealed")
	require.Equal(t, "0 0 0 0 50000", payment(f.payment(id)))
	f.block(40)
	require.True(t, f.status(id).Pruned)
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
}
