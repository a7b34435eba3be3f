package peers_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// outcome is what one participant has in the end.
type outcome struct {
	weight, reliability, faults uint64
	bond, score                 math.Int
}

// season runs tasks with a crew of six, one of whom may be absent, and returns what everybody has. Randomness comes from the validator's
// keys alone, so that two seasons draw alike.
func season(t *testing.T, absent bool) (c *testutil.Chain, crew *testutil.Crew, epoch poaitypes.Epoch, all []outcome) {
	t.Helper()
	c, crew = network(t, 6, func(g *testutil.Genesis) {
		calm.apply(g)
		var s taskstypes.GenesisState
		g.Get(taskstypes.ModuleName, &s)
		s.Params.CommitteeSize = 2
		g.Set(taskstypes.ModuleName, &s)
	})
	if absent {
		crew.Members[0].Behaviour = testutil.Idle
	}
	ids := submit(t, c, 1, 40)
	finish(t, c, crew, ids)
	epoch = closeEpoch(t, c, status(t, c, ids[0]).Epoch)
	w := weights(t, c, crew)
	for _, m := range crew.Members {
		p := participant(t, c, m.String())
		all = append(all, outcome{w[m.String()], p.ReliabilityPpm, p.Faults, p.Bond, score(t, c, epoch.Number, m.String()).Amount})
	}
	return c, crew, epoch, all
}

// TestAbsentPartyChangesNobodyElsesWeightScoreOrReward compares a season in which one of six does nothing with one in which it works.
func TestAbsentPartyChangesNobodyElsesWeightScoreOrReward(t *testing.T) {
	_, _, _, present := season(t, false)
	require.True(t, present[0].score.IsPositive(), "who is there earns")
	c, crew, epoch, without := season(t, true)
	require.Equal(t, "0", without[0].score.String(), "who is not there earns nothing")
	require.Less(t, without[0].reliability, present[0].reliability)
	pool, err := c.App.Rewards.Pools.Get(c.Ctx(), epoch.Number)
	require.NoError(t, err)
	sum := math.ZeroInt()
	for i := 1; i < len(without); i++ {
		name := crew.Members[i].Name
		require.Equal(t, present[i].weight, without[i].weight, "%s: weight", name)
		require.Equal(t, present[i].bond.String(), without[i].bond.String(), "%s: bond", name)
		require.Zero(t, without[i].faults, "%s: faults", name)
		require.GreaterOrEqual(t, without[i].reliability, present[i].reliability, "%s: reliability", name)
		require.True(t, without[i].score.GTE(present[i].score), "%s: score %s, %s when all are there", name, without[i].score, present[i].score)
		sum = sum.Add(without[i].score)
	}
	require.Equal(t, pool.TotalScore.String(), sum.String(), "what the others have is all there is")
	for i := 1; i < len(without); i++ {
		m := crew.Members[i]
		c.Deliver(m.Account, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: []uint64{epoch.Number}})
	}
	after, err := c.App.Rewards.Pools.Get(c.Ctx(), epoch.Number)
	require.NoError(t, err)
	require.Equal(t, pool.Pool.String(), after.Claimed.Add(after.Carried).String(), "the pool waits for nobody who is absent")
}

// TestPartyThatLeavesTakesOnlyItsOwnWeight lets one of six stop serving: the tree keeps the others, and they are drawn.
func TestPartyThatLeavesTakesOnlyItsOwnWeight(t *testing.T) {
	c, crew := network(t, 6, calm.apply)
	before := weights(t, c, crew)
	gone := crew.Members[2]
	c.Deliver(gone.Account, &poaitypes.MsgStopServing{Participant: gone.String(), Models: []string{testutil.EchoModel}})
	crew.Members = append(crew.Members[:2:2], crew.Members[3:]...)
	after := weights(t, c, crew)
	var sum uint64
	for who, w := range after {
		require.Equal(t, before[who], w)
		sum += w
	}
	total, err := c.App.Poai.Trees.Total(c.Ctx(), testutil.EchoModel)
	require.NoError(t, err)
	require.Equal(t, sum, total)
	finish(t, c, crew, submit(t, c, 1, 20))
}
