package peers_test

import (
	"testing"

	"cosmossdk.io/collections"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

var other = make([]byte, commit.Size)

// TestSecondAttestationDoesNotCount has a member seal again, in the same message and in the next, and reveal again: the first of each counts.
func TestSecondAttestationDoesNotCount(t *testing.T) {
	c, crew := network(t, 4, calm.apply)
	id := submit(t, c, 1, 1)[0]
	crew.WorkUntil(id, taskstypes.STATE_AUDITED, 20)
	key := collections.Join(id, uint32(0))
	seat, err := c.App.Poai.Seats.Get(c.Ctx(), key)
	require.NoError(t, err)
	m := member(t, crew, seat.Participant)
	due, err := crew.Due(m)
	require.NoError(t, err)
	seal := due[0].(*poaitypes.MsgSealAttestations)
	twice := *seal
	twice.Items = append([]poaitypes.AttestationSeal{seal.Items[0]}, poaitypes.AttestationSeal{TaskId: id, Seal: other})
	got := items(t, c.Try(m.Account, &twice))
	require.True(t, got[0].Accepted, got[0].Error)
	require.False(t, got[1].Accepted)
	refused(t, c.Try(m.Account, &poaitypes.MsgSealAttestations{
		Participant: m.String(), Items: []poaitypes.AttestationSeal{{TaskId: id, Seal: other}},
	}), poaitypes.ErrAlreadyAttested.Error())
	seat, err = c.App.Poai.Seats.Get(c.Ctx(), key)
	require.NoError(t, err)
	require.Equal(t, seal.Items[0].Seal, seat.Seal)

	var reveal *poaitypes.MsgRevealAttestations
	for range 10 {
		due, err = crew.Due(m)
		require.NoError(t, err)
		if len(due) > 0 {
			reveal = due[0].(*poaitypes.MsgRevealAttestations)
			break
		}
		m.Behaviour = testutil.Idle
		crew.Work()
		m.Behaviour = testutil.Honest
	}
	require.NotNil(t, reveal, "the member never got to reveal")
	require.True(t, items(t, c.Try(m.Account, reveal))[0].Accepted)
	refused(t, c.Try(m.Account, reveal), poaitypes.ErrAlreadyAttested.Error())
	finish(t, c, crew, []uint64{id})
	st, p := status(t, c, id), participant(t, c, m.String())
	require.Equal(t, st.ScoreUnits, p.UnitsProven, "the units of one attestation")
}

func participant(t *testing.T, c *testutil.Chain, address string) poaitypes.Participant {
	t.Helper()
	p, err := c.App.Poai.Participants.Get(c.Ctx(), address)
	require.NoError(t, err)
	return p
}

// TestNobodyHasASecondSeat looks at many committees out of few: nobody sits twice on one, and no worker on its own.
func TestNobodyHasASecondSeat(t *testing.T) {
	c, crew := network(t, 5, calm.apply)
	crew.Members[4].Behaviour = testutil.Idle // its seats are drawn again
	ids := submit(t, c, 1, 60)
	workers := map[uint64]string{}
	seats := map[uint64]map[string]bool{}
	for range 60 {
		crew.Work()
		require.NoError(t, c.App.Poai.Seats.Walk(c.Ctx(), nil, func(key collections.Pair[uint64, uint32], _ poaitypes.Seat) (bool, error) {
			if seats[key.K1()] == nil {
				seats[key.K1()] = map[string]bool{}
			}
			return false, nil
		}))
		for id := range seats {
			workers[id] = status(t, c, id).Worker
			once := map[string]bool{}
			rng := collections.NewPrefixedPairRange[uint64, uint32](id)
			require.NoError(t, c.App.Poai.Seats.Walk(c.Ctx(), rng, func(_ collections.Pair[uint64, uint32], s poaitypes.Seat) (bool, error) {
				require.False(t, once[s.Participant], "task %d: %s sits twice", id, s.Participant)
				require.NotEqual(t, workers[id], s.Participant, "task %d: the worker judges itself", id)
				once[s.Participant] = true
				return false, nil
			}))
		}
	}
	require.Len(t, seats, len(ids), "every task was audited")
}

// TestSecondVoteReplacesTheFirst votes three times: what counts is the stake once, for the last word.
func TestSecondVoteReplacesTheFirst(t *testing.T) {
	c, _ := network(t, 1, calm.apply)
	voter := c.Accounts[0]
	p, err := c.App.Gov.Params.Get(c.Ctx())
	require.NoError(t, err)
	id, err := c.App.Gov.ProposalID.Peek(c.Ctx())
	require.NoError(t, err)
	proposal, err := govv1.NewMsgSubmitProposal(nil, p.MinDeposit, voter.String(), "what about it", "test", "test", false)
	require.NoError(t, err)
	c.Deliver(voter, proposal)
	var txs [][]byte
	for _, o := range []govv1.VoteOption{govv1.OptionYes, govv1.OptionYes, govv1.OptionNo} {
		txs = append(txs, c.Tx(voter, govv1.NewMsgVote(voter.Addr, id, o, "")))
	}
	for _, r := range c.Block(txs...).TxResults {
		require.Zero(t, r.Code, r.Log)
	}
	c.Blocks(5)
	got, err := c.App.Gov.Proposals.Get(c.Ctx(), id)
	require.NoError(t, err)
	require.Equal(t, govv1.StatusRejected, got.Status)
	require.Equal(t, "0", got.FinalTallyResult.YesCount)
	delegated, err := c.App.Staking.GetDelegatorBonded(c.Ctx(), voter.Addr)
	require.NoError(t, err)
	require.Equal(t, delegated.String(), got.FinalTallyResult.NoCount)
}

// TestSecondSealOfAResultDoesNotCount has a worker seal again, in one message and in another, and reveal again.
func TestSecondSealOfAResultDoesNotCount(t *testing.T) {
	c, crew := network(t, 4, calm.apply)
	id := submit(t, c, 1, 1)[0]
	st := crew.WorkUntil(id, taskstypes.STATE_ASSIGNED, 10)
	w := member(t, crew, st.Worker)
	due, err := crew.Due(w)
	require.NoError(t, err)
	seal := due[0].(*taskstypes.MsgSealResults).Items[0]
	got := items(t, c.Try(w.Account, &taskstypes.MsgSealResults{
		Worker: w.String(), Items: []taskstypes.ResultSeal{seal, {TaskId: id, Seal: other}},
	}))
	require.True(t, got[0].Accepted, got[0].Error)
	require.False(t, got[1].Accepted)
	require.Contains(t, got[1].Error, taskstypes.ErrDuplicate.Error())
	refused(t, c.Try(w.Account, &taskstypes.MsgSealResults{Worker: w.String(), Items: []taskstypes.ResultSeal{{TaskId: id, Seal: other}}}),
		taskstypes.ErrState.Error())
	require.Equal(t, seal.Seal, status(t, c, id).Seal)

	var reveal *taskstypes.MsgRevealResults
	for range 20 {
		due, err = crew.Due(w)
		require.NoError(t, err)
		if len(due) > 0 {
			reveal = due[0].(*taskstypes.MsgRevealResults)
			break
		}
		crew.Work()
	}
	require.NotNil(t, reveal, "the worker never got to reveal")
	require.True(t, items(t, c.Try(w.Account, reveal))[0].Accepted)
	refused(t, c.Try(w.Account, reveal), taskstypes.ErrState.Error())
	finish(t, c, crew, []uint64{id})
	p := participant(t, c, w.String())
	require.Equal(t, status(t, c, id).ScoreUnits, p.UnitsProven, "the units of one result")
}
