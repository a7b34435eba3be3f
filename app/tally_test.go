package app_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	"github.com/stretchr/testify/require"

	"poaid/app"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
)

// tallied starts a chain on which account 0 validates with nearly all stake, and the work was done by 0 to 3: 10, 30, 30 and 30%.
func tallied(t *testing.T, tally poaitypes.Tally) *testutil.Chain {
	t.Helper()
	return testutil.NewApp(t, testutil.Options{
		Bonds: []int64{1000}, Shadows: testutil.AllShadows(),
		Genesis: func(g *testutil.Genesis) {
			var gs poaitypes.GenesisState
			g.Get(poaitypes.ModuleName, &gs)
			gs.Params.Power.Tally, gs.Params.Power.TallyEpochs = tally, 2
			g.Set(poaitypes.ModuleName, &gs)
			g.SetScores(0, []int64{900, 0, 0, 0}, []int64{0, 10, 10, 10}, []int64{10, 20, 20, 20}) // the first epoch is too long ago
		},
	})
}

// propose submits a change of x/poai's params.
func propose(t *testing.T, c *testutil.Chain, change func(p *poaitypes.Params)) uint64 {
	t.Helper()
	p, err := c.App.Poai.Params.Get(c.Ctx())
	require.NoError(t, err)
	change(&p)
	gov, err := c.App.Gov.Params.Get(c.Ctx())
	require.NoError(t, err)
	id, err := c.App.Gov.ProposalID.Peek(c.Ctx())
	require.NoError(t, err)
	msgs := []sdk.Msg{&poaitypes.MsgUpdateParams{Authority: app.Authority(), Params: p}}
	msg, err := govv1.NewMsgSubmitProposal(msgs, gov.MinDeposit, c.Accounts[0].String(), "", "test", "test", false)
	require.NoError(t, err)
	c.Deliver(c.Accounts[0], msg)
	return id
}

func vote(c *testutil.Chain, id uint64, options ...govv1.VoteOption) [][]byte {
	var txs [][]byte
	for i, o := range options {
		if o != govv1.OptionEmpty {
			txs = append(txs, c.Tx(c.Accounts[i], govv1.NewMsgVote(c.Accounts[i].Addr, id, o, "")))
		}
	}
	return txs
}

const (
	none = govv1.OptionEmpty
	yes  = govv1.OptionYes
	no   = govv1.OptionNo
)

func outcome(t *testing.T, c *testutil.Chain, id uint64) govv1.Proposal {
	t.Helper()
	c.Blocks(5)
	p, err := c.App.Gov.Proposals.Get(c.Ctx(), id)
	require.NoError(t, err)
	return p
}

func TestVotesByComputeAndByStake(t *testing.T) {
	for _, c := range []struct {
		name  string
		tally poaitypes.Tally
		votes []govv1.VoteOption
		want  govv1.ProposalStatus
	}{
		{"those who work, by compute", poaitypes.TALLY_COMPUTE, []govv1.VoteOption{no, yes, yes, none}, govv1.StatusPassed},
		{"those who work, by stake", poaitypes.TALLY_STAKE, []govv1.VoteOption{no, yes, yes, none}, govv1.StatusRejected},
		{"the one with the stake, by compute", poaitypes.TALLY_COMPUTE, []govv1.VoteOption{yes, no, none, no}, govv1.StatusRejected},
		{"the one with the stake, by stake", poaitypes.TALLY_STAKE, []govv1.VoteOption{yes, no, none, no}, govv1.StatusPassed},
		{"below the quorum of a third, by compute", poaitypes.TALLY_COMPUTE, []govv1.VoteOption{none, yes, none, none}, govv1.StatusRejected},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := tallied(t, c.tally)
			id := propose(t, chain, func(p *poaitypes.Params) { p.MaxBatch++ })
			chain.Block(vote(chain, id, c.votes...)...)
			require.Equal(t, c.want, outcome(t, chain, id).Status)
		})
	}
}

// TestVotingTwiceCountsOnce: the last vote replaces the ones before, and the sums are the scores.
func TestVotingTwiceCountsOnce(t *testing.T) {
	c := tallied(t, poaitypes.TALLY_COMPUTE)
	id := propose(t, c, func(p *poaitypes.Params) { p.MaxBatch++ })
	c.Block(append(vote(c, id, yes, yes, no), vote(c, id, none, no, no)...)...)
	p := outcome(t, c, id)
	require.Equal(t, govv1.StatusRejected, p.Status)
	require.Equal(t, []string{"10000000", "60000000"}, []string{p.FinalTallyResult.YesCount, p.FinalTallyResult.NoCount})
}

// TestTheTallyOfTheEndCounts: a proposal that changes the tally ends first, and the other one is counted by the new rule.
func TestTheTallyOfTheEndCounts(t *testing.T) {
	c := tallied(t, poaitypes.TALLY_STAKE)
	first := propose(t, c, func(p *poaitypes.Params) { p.Power.Tally = poaitypes.TALLY_COMPUTE })
	second := propose(t, c, func(p *poaitypes.Params) { p.Power.Tally, p.MaxBatch = poaitypes.TALLY_COMPUTE, p.MaxBatch+1 })
	c.Block(append(vote(c, first, yes), vote(c, second, no, yes, yes)...)...)
	require.Equal(t, govv1.StatusPassed, outcome(t, c, second).Status, "by stake it would have failed")
	p, err := c.App.Gov.Proposals.Get(c.Ctx(), first)
	require.NoError(t, err)
	require.Equal(t, govv1.StatusPassed, p.Status, "by compute it would have failed")
}

func TestWithoutScoreStakeVotes(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Genesis: func(g *testutil.Genesis) {
		var gs poaitypes.GenesisState
		g.Get(poaitypes.ModuleName, &gs)
		gs.Params.Power.Tally = poaitypes.TALLY_COMPUTE
		g.Set(poaitypes.ModuleName, &gs)
	}})
	id := propose(t, c, func(p *poaitypes.Params) { p.MaxBatch++ })
	c.Block(vote(c, id, yes, no, no, no)...)
	require.Equal(t, govv1.StatusPassed, outcome(t, c, id).Status)
}
