package app_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/stretchr/testify/require"

	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// TestALiarsScoreGivesNoPower: who is in jail keeps the least power until it is out, whatever it has earned.
func TestALiarsScoreGivesNoPower(t *testing.T) {
	jailed := func(g *testutil.Genesis) {
		var gs poaitypes.GenesisState
		g.Get(poaitypes.ModuleName, &gs)
		gs.Params.Power.ScoreEpochs, gs.Params.Power.TrustingEpochs, gs.Params.Power.CapPpm = 1, 2, 500_000
		g.Set(poaitypes.ModuleName, &gs)
		g.SetScores(1, []int64{10, 30, 20, 10, 30}, []int64{20, 20, 20, 20, 20})
		g.Get(poaitypes.ModuleName, &gs)
		for i := range gs.Participants {
			if gs.Participants[i].Address == g.Accounts[1].String() {
				gs.Participants[i].Conduct = poaitypes.Conduct{JailedUntil: 12, JailedForLie: true, Lies: 1}
			}
		}
		g.Set(poaitypes.ModuleName, &gs)
	}
	c := testutil.NewApp(t, testutil.Options{Bonds: []int64{1000, 1000, 1000, 1000, 1000}, Accounts: 6, Shadows: testutil.AllShadows(), Genesis: jailed})
	liar := c.Validators[1].Account
	require.Equal(t, []int64{143, 0, 286, 143, 429}, shares(c))
	c.Deliver(liar, &poaitypes.MsgAddBond{Participant: liar.String(), Amount: poai(100)})
	res := c.Try(liar, &poaitypes.MsgUnjail{Participant: liar.String()})
	require.Equal(t, poaitypes.ErrStillJailed.ABCICode(), res.Code, res.Log)
	until(c, 11) // an epoch has ended
	require.Zero(t, shares(c)[1])
	c.Deliver(liar, &poaitypes.MsgUnjail{Participant: liar.String()})
	require.Zero(t, shares(c)[1], "not before the end of an epoch")
	until(c, 20)
	require.Positive(t, shares(c)[1])
}

// TestAppeal has a worker that sealed and did not reveal jailed, and acquitted by a proposal.
func TestAppeal(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Accounts: 4, Genesis: func(g *testutil.Genesis) {
		var gs poaitypes.GenesisState
		g.Get(poaitypes.ModuleName, &gs)
		gs.Params.Fault.JailBlocks, gs.Params.Fault.MaxJailBlocks, gs.Params.Fault.AppealBlocks = 500, 500, 500
		g.Set(poaitypes.ModuleName, &gs)
	}})
	c.RegisterEcho(c.Accounts[0])
	crew := c.NewCrew(c.Accounts[1:3]...)
	mute := crew.Members[0]
	mute.Behaviour = testutil.Mute
	record := func() poaitypes.Participant {
		p, err := c.App.Poai.GetParticipant(c.Ctx(), mute.String())
		require.NoError(t, err)
		return p
	}
	weight := func() uint64 {
		leaf, _, err := c.App.Poai.Trees.Leaf(c.Ctx(), testutil.EchoModel, mute.String())
		require.NoError(t, err)
		return leaf.Weight
	}
	before, weighed := record(), weight()
	for n := uint64(1); !record().Jailed(); n++ {
		require.Less(t, n, uint64(200), "the mute one was never drawn")
		crew.Work(c.Tx(c.Accounts[0], testutil.SubmitEcho(c.Accounts[0], n)))
	}
	for range 60 { // nothing is under way any more
		crew.Work()
	}
	caught := record()
	require.True(t, caught.Bond.LT(before.Bond))
	require.Zero(t, weight())
	require.Equal(t, caught.Conduct.Records, caught.Faults)
	authority := c.App.Gov.GetAuthority()
	c.Deliver(c.Accounts[3], &distrtypes.MsgFundCommunityPool{Depositor: c.Accounts[3].String(), Amount: testutil.Poai(100_000)})
	var appeals []sdk.Msg
	for n := range caught.Conduct.Records {
		appeals = append(appeals, &poaitypes.MsgAcquit{Authority: authority, Participant: mute.String(), Fault: n + 1})
	}
	c.Govern(appeals...)
	acquitted := record()
	require.Equal(t, before.Bond.String(), acquitted.Bond.String())
	require.False(t, acquitted.Jailed())
	require.Zero(t, acquitted.Faults)
	require.InDelta(t, before.ReliabilityPpm, acquitted.ReliabilityPpm, float64(before.ReliabilityPpm)/100)
	require.InDelta(t, weighed, weight(), float64(weighed)/100)

	res := c.Try(c.Accounts[3], &poaitypes.MsgAcquit{Authority: c.Accounts[3].String(), Participant: mute.String(), Fault: 1})
	require.NotZero(t, res.Code, "governance only")
	mute.Behaviour = testutil.Honest
	ids := testutil.TaskIDs(c, c.Accounts[0])
	for _, id := range ids {
		st, err := c.App.Tasks.Statuses.Get(c.Ctx(), id)
		require.NoError(t, err)
		require.NotEqual(t, taskstypes.STATE_DISPUTED, st.State)
	}
}
