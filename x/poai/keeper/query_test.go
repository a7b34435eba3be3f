package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/poai/types"
)

func TestQueryParticipantAndItsLists(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000, story, digits)
	f.join(2, 5_000, story)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 9, 10)))
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 3, 20)))
	require.NoError(t, f.LockBond(f.ctx, taskLock(addr(2), 4, 20)))
	_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Participant: a, Amount: coin(50)})
	require.NoError(t, err)

	p, err := f.query.Participant(f.ctx, &types.QueryParticipantRequest{Address: a})
	require.NoError(t, err)
	require.Equal(t, f.get(a), p.Participant)
	require.Equal(t, []string{digits, story}, p.Models)
	_, err = f.query.Participant(f.ctx, &types.QueryParticipantRequest{Address: addr(9)})
	require.Equal(t, codes.NotFound, status.Code(err))

	locks, err := f.query.Locks(f.ctx, &types.QueryLocksRequest{Address: a})
	require.NoError(t, err)
	require.Equal(t, []types.Lock{taskLock(a, 3, 20), taskLock(a, 9, 10)}, locks.Locks)
	unbondings, err := f.query.Unbondings(f.ctx, &types.QueryUnbondingsRequest{Address: a})
	require.NoError(t, err)
	require.Equal(t, []types.Unbonding{{Participant: a, MatureHeight: 21, Amount: coin(50).Amount}}, unbondings.Unbondings)

	served, err := f.query.Participants(f.ctx, &types.QueryParticipantsRequest{Model: digits})
	require.NoError(t, err)
	require.Len(t, served.Participants, 1)
	require.Equal(t, a, served.Participants[0].Address)
}

func TestQueryDutiesAndCommittee(t *testing.T) {
	f := newFixture(t)
	f.open(4, 2)
	seats := f.seatsOf(task)
	m := seats[0].Participant
	duties := func() []types.Duty {
		res, err := f.query.Duties(f.ctx, &types.QueryDutiesRequest{Address: m})
		require.NoError(t, err)
		return res.Duties
	}
	require.Equal(t, []types.Duty{{Seat: seats[0], Committee: f.committee(task)}}, duties())
	f.sealAll(same)
	require.Len(t, duties(), 1, "a sealed seat is still to be revealed")
	require.Equal(t, types.SEAT_STATE_SEALED, duties()[0].Seat.State)
	require.Empty(t, f.reveal(m, revealItem(m, task, rootOf(1))))
	require.Empty(t, duties())

	res, err := f.query.Committee(f.ctx, &types.QueryCommitteeRequest{TaskId: task})
	require.NoError(t, err)
	require.Equal(t, f.seatsOf(task), res.Seats)
	_, err = f.query.Committee(f.ctx, &types.QueryCommitteeRequest{TaskId: 1})
	require.Equal(t, codes.NotFound, status.Code(err))
}

// Pages are 100 by default and at most 1,000, and going on from page to page reads everybody once.
func TestPagesReachEverybody(t *testing.T) {
	f := newFixture(t)
	const n = 1_203
	for i := range n {
		f.join(i, minBond, digits)
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: 1, Participant: addr(i), Units: 1, ScoreUnits: 1, Role: types.RoleWorker}))
	}
	for _, c := range []struct {
		limit uint64
		first int
	}{{0, 100}, {1 << 60, 1_000}, {500, 500}} {
		for _, model := range []string{"", digits} {
			seen := map[string]bool{}
			page := &query.PageRequest{Limit: c.limit}
			for first := true; first || page.Key != nil; first = false {
				res, err := f.query.Participants(f.ctx, &types.QueryParticipantsRequest{Model: model, Pagination: page})
				require.NoError(t, err)
				if first {
					require.Len(t, res.Participants, c.first)
				}
				for _, p := range res.Participants {
					require.False(t, seen[p.Address])
					seen[p.Address] = true
				}
				page = &query.PageRequest{Limit: c.limit, Key: res.Pagination.NextKey}
			}
			require.Len(t, seen, n)
		}
	}
	res, err := f.query.Scores(f.ctx, &types.QueryScoresRequest{Pagination: &query.PageRequest{Limit: 1 << 60}})
	require.NoError(t, err)
	require.Len(t, res.Scores, 1_000)
	require.NotNil(t, res.Pagination.NextKey)
	require.EqualValues(t, n*500_000, res.Epoch.TotalScore.Int64(), "a total never depends on a page")
}

func TestQueryEpochsAndScores(t *testing.T) {
	f := newFixture(t)
	a, b := f.join(1, 2_000), f.join(2, 2_000)
	scores := func(epoch uint64) (*types.QueryScoresResponse, error) {
		return f.query.Scores(f.ctx, &types.QueryScoresRequest{Epoch: epoch})
	}
	res, err := scores(0)
	require.NoError(t, err)
	require.EqualValues(t, 1, res.Epoch.Number, "no score yet: the running epoch")
	for _, p := range []string{b, a} {
		require.NoError(t, f.Credit(f.ctx, types.CreditRequest{Epoch: 1, Participant: p, Units: 2, ScoreUnits: 2, Role: types.RoleWorker}))
	}
	f.endBlocks(35)
	res, err = scores(0)
	require.NoError(t, err)
	require.EqualValues(t, 1, res.Epoch.Number, "the last one with a score")
	require.Equal(t, []types.Score{
		{Epoch: 1, Participant: a, Score: coin(1_000_000).Amount, Units: coin(2_000_000).Amount, Delegated: math.ZeroInt()},
		{Epoch: 1, Participant: b, Score: coin(1_000_000).Amount, Units: coin(2_000_000).Amount, Delegated: math.ZeroInt()},
	}, res.Scores)
	_, err = scores(99)
	require.Equal(t, codes.NotFound, status.Code(err))

	running, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 4, running.Epoch.Number)
	second, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{Number: 2})
	require.NoError(t, err)
	require.EqualValues(t, 20, second.Epoch.EndHeight)
	_, err = f.query.Epoch(f.ctx, &types.QueryEpochRequest{Number: 5})
	require.Equal(t, codes.NotFound, status.Code(err))
	all, err := f.query.Epochs(f.ctx, &types.QueryEpochsRequest{Pagination: &query.PageRequest{Reverse: true, Limit: 2}})
	require.NoError(t, err)
	require.Len(t, all.Epochs, 2)
	require.EqualValues(t, 4, all.Epochs[0].Number)
	params, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, testParams(), params.Params)
}
