package peers_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	poaikeeper "poaid/x/poai/keeper"
	poaitypes "poaid/x/poai/types"
	rewardskeeper "poaid/x/rewards/keeper"
	rewardstypes "poaid/x/rewards/types"
	taskskeeper "poaid/x/tasks/keeper"
	taskstypes "poaid/x/tasks/types"
)

// defaultPage is where a query without pagination stops, and where settlements elsewhere did.
const defaultPage = query.DefaultLimit

// TestSettlementDoesNotStopAtADefaultPage scores more than 250 participants in one epoch, has the chain go on from its genesis export, and
// has all of them claim: each gets its share, and all shares are the whole pool.
func TestSettlementDoesNotStopAtADefaultPage(t *testing.T) {
	c, crew := network(t, 280, calm.apply)
	ids := submit(t, c, 1, 400)
	finish(t, c, crew, ids)
	epoch := closeEpoch(t, c, status(t, c, ids[0]).Epoch)
	listsGoOn(t, c, epoch.Number)
	c.Rebirth()
	listsGoOn(t, c, epoch.Number)

	scores := map[string]math.Int{}
	total := math.ZeroInt()
	for _, m := range crew.Members {
		if s := score(t, c, epoch.Number, m.String()).Amount; s.IsPositive() {
			scores[m.String()], total = s, total.Add(s)
		}
	}
	require.Greater(t, len(scores), 250, "participants with a score")
	require.Equal(t, epoch.TotalScore.String(), total.String())
	pool, err := c.App.Rewards.Pools.Get(c.Ctx(), epoch.Number)
	require.NoError(t, err)
	require.Equal(t, total.String(), pool.TotalScore.String())

	paid := claimAll(t, c, crew, scores, epoch.Number)
	sum := math.ZeroInt()
	for who, s := range scores {
		require.Equal(t, pool.Pool.Mul(s).Quo(total).String(), paid[who].String(), who)
		sum = sum.Add(paid[who])
	}
	after, err := c.App.Rewards.Pools.Get(c.Ctx(), epoch.Number)
	require.NoError(t, err)
	require.Equal(t, after.Claimed.String(), sum.String())
	require.Equal(t, pool.Pool.String(), after.Claimed.Add(after.Carried).String(), "the pool goes to the last coin")
}

// claimAll has everybody claim the epoch in one block and again in the next, and returns what each has vesting or got.
func claimAll(t *testing.T, c *testutil.Chain, crew *testutil.Crew, scores map[string]math.Int, epoch uint64) map[string]math.Int {
	t.Helper()
	paid := map[string]math.Int{}
	for second := range 2 {
		var txs [][]byte
		var who []string
		for _, m := range crew.Members {
			if _, ok := scores[m.String()]; ok {
				txs = append(txs, c.Tx(m.Account, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: []uint64{epoch}}))
				who = append(who, m.String())
			}
		}
		for i, r := range c.Block(txs...).TxResults {
			if second == 1 {
				require.Equal(t, rewardstypes.ErrAlreadyClaimed.ABCICode(), r.Code, "a second claim of %s: %s", who[i], r.Log)
				continue
			}
			require.Zero(t, r.Code, r.Log)
			var data sdk.TxMsgData
			require.NoError(t, data.Unmarshal(r.Data))
			var got rewardstypes.MsgClaimResponse
			require.NoError(t, got.Unmarshal(data.MsgResponses[0].Value))
			paid[who[i]] = got.Claimed.Amount
		}
	}
	return paid
}

// listsGoOn reads lists of more than a page by their cursors, and counts what the state has.
func listsGoOn(t *testing.T, c *testutil.Chain, epoch uint64) {
	t.Helper()
	ctx := c.Ctx()
	poai, tasks := poaikeeper.NewQueryServer(c.App.Poai), taskskeeper.NewQueryServerImpl(c.App.Tasks)
	rewards := rewardskeeper.NewQueryServer(c.App.Rewards)
	for name, list := range map[string]struct {
		stored func() (int, error)
		page   func(p *query.PageRequest) (int, *query.PageResponse, error)
	}{
		"participants": {
			func() (int, error) { return count(ctx, c.App.Poai.Participants) },
			func(p *query.PageRequest) (int, *query.PageResponse, error) {
				res, err := poai.Participants(ctx, &poaitypes.QueryParticipantsRequest{Pagination: p})
				return len(res.GetParticipants()), res.GetPagination(), err
			},
		},
		"scores": {
			func() (int, error) { return count(ctx, c.App.Poai.Scores) },
			func(p *query.PageRequest) (int, *query.PageResponse, error) {
				res, err := poai.Scores(ctx, &poaitypes.QueryScoresRequest{Epoch: epoch, Pagination: p})
				return len(res.GetScores()), res.GetPagination(), err
			},
		},
		"tasks": {
			func() (int, error) { return count(ctx, c.App.Tasks.Tasks) },
			func(p *query.PageRequest) (int, *query.PageResponse, error) {
				res, err := tasks.Tasks(ctx, &taskstypes.QueryTasksRequest{Pagination: p})
				return len(res.GetTasks()), res.GetPagination(), err
			},
		},
		"pools": {
			func() (int, error) { return count(ctx, c.App.Rewards.Pools) },
			func(p *query.PageRequest) (int, *query.PageResponse, error) {
				res, err := rewards.Pools(ctx, &rewardstypes.QueryPoolsRequest{Pagination: p})
				return len(res.GetPools()), res.GetPagination(), err
			},
		},
	} {
		want, err := list.stored()
		require.NoError(t, err)
		if name != "pools" {
			require.Greater(t, want, 2*defaultPage, name)
		}
		got, p := 0, (*query.PageRequest)(nil)
		for {
			n, page, err := list.page(p)
			require.NoError(t, err, name)
			got += n
			if len(page.GetNextKey()) == 0 {
				break
			}
			p = &query.PageRequest{Key: page.NextKey}
		}
		require.Equal(t, want, got, "%s read page by page", name)
	}
}

// count walks a map.
func count[K, V any](ctx sdk.Context, m collections.Map[K, V]) (n int, err error) {
	err = m.Walk(ctx, nil, func(K, V) (bool, error) {
		n++
		return false, nil
	})
	return n, err
}

// TestWeighingAnewDoesNotStopAtAPage changes what bonds weigh: everybody's weight follows, not that of the first hundred.
func TestWeighingAnewDoesNotStopAtAPage(t *testing.T) {
	const n = 250
	c, crew := network(t, n, calm.apply)
	p, err := c.App.Poai.Params.Get(c.Ctx())
	require.NoError(t, err)
	before := weights(t, c, crew)
	p.MaxWeightBond = math.NewInt(5_000_000_000)
	c.Govern(&poaitypes.MsgUpdateParams{Authority: c.App.Gov.GetAuthority(), Params: p})
	c.Blocks(n/defaultPage + 3)
	after := weights(t, c, crew)
	for who, w := range after {
		require.Equal(t, before[who]/2, w, "bonds of 10,000 poai count 5,000: %s", who)
	}
	total, err := c.App.Poai.Trees.Total(c.Ctx(), testutil.EchoModel)
	require.NoError(t, err)
	require.Equal(t, n*after[crew.Members[0].String()], total)
}

// weights in the tree of the echo model.
func weights(t *testing.T, c *testutil.Chain, crew *testutil.Crew) map[string]uint64 {
	t.Helper()
	w := map[string]uint64{}
	for _, m := range crew.Members {
		leaf, found, err := c.App.Poai.Trees.Leaf(c.Ctx(), testutil.EchoModel, m.String())
		require.NoError(t, err)
		require.True(t, found, m.Name)
		w[m.String()] = leaf.Weight
	}
	return w
}

// TestWithdrawalDoesNotStopAtAPage takes out more entries than one message pays: the next pays the others.
func TestWithdrawalDoesNotStopAtAPage(t *testing.T) {
	const n = 150
	c, crew := network(t, 1, calm.apply)
	m := crew.Members[0].Account
	unit := sdk.NewInt64Coin(params.Denom, 1_000_000)
	for range n {
		c.Deliver(m, &poaitypes.MsgUnbond{Participant: m.String(), Amount: unit})
	}
	c.Blocks(12)
	before := c.App.Bank.GetBalance(c.Ctx(), m.Addr, params.Denom)
	fees := math.ZeroInt()
	for range 2 {
		c.Deliver(m, &poaitypes.MsgWithdrawUnbonded{Participant: m.String()})
		fees = fees.AddRaw(testutil.DefaultGas / 400)
	}
	got := c.App.Bank.GetBalance(c.Ctx(), m.Addr, params.Denom).Amount.Add(fees).Sub(before.Amount)
	require.Equal(t, unit.Amount.MulRaw(n).String(), got.String())
	left, err := count(c.Ctx(), c.App.Poai.Unbondings)
	require.NoError(t, err)
	require.Zero(t, left)
}

// TestClaimsOfManyEpochsDoNotStopAtAPage leaves more than a hundred epochs unclaimed: all of them can be listed and claimed.
func TestClaimsOfManyEpochsDoNotStopAtAPage(t *testing.T) {
	const n = 125
	c, crew := network(t, 4, windows{epoch: 2, seal: 10, retention: 10_000}.apply)
	for i := range n {
		crew.Work(c.Tx(c.Accounts[0], testutil.SubmitEcho(c.Accounts[0], uint64(i)+1)))
		crew.Work()
	}
	for range 40 {
		crew.Work()
	}
	m := crew.Members[0]
	rewards := rewardskeeper.NewQueryServer(c.App.Rewards)
	var epochs []uint64
	for p := (*query.PageRequest)(nil); ; {
		res, err := rewards.Claimable(c.Ctx(), &rewardstypes.QueryClaimableRequest{Participant: m.String(), Pagination: p})
		require.NoError(t, err)
		for _, x := range res.Claimable {
			epochs = append(epochs, x.Epoch)
		}
		if len(res.Pagination.GetNextKey()) == 0 {
			break
		}
		p = &query.PageRequest{Key: res.Pagination.NextKey}
	}
	scored := 0
	require.NoError(t, c.App.Poai.Scores.Walk(c.Ctx(), nil, func(key collections.Pair[uint64, string], _ poaitypes.Score) (bool, error) {
		if key.K2() == m.String() {
			scored++
		}
		return false, nil
	}))
	require.Greater(t, scored, defaultPage)
	require.Len(t, epochs, scored)

	all := c.TxWith(m.Account, testutil.TxOptions{Gas: 50_000_000}, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: epochs})
	require.Equal(t, rewardstypes.ErrInvalidEpochs.ABCICode(), c.Block(all).TxResults[0].Code, "one message claims at most a hundred")
	for _, part := range [][]uint64{epochs[:defaultPage], epochs[defaultPage:]} {
		tx := c.TxWith(m.Account, testutil.TxOptions{Gas: 50_000_000}, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: part})
		res := c.Block(tx).TxResults[0]
		require.Zero(t, res.Code, res.Log)
	}
	claims := 0
	require.NoError(t, c.App.Rewards.Claims.Walk(c.Ctx(), nil, func(collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		claims++
		return false, nil
	}))
	require.Equal(t, scored, claims)
}

// TestDutiesDoNotStopAtAPage gives one worker and one member more than a page of tasks: both see and do all of them.
func TestDutiesDoNotStopAtAPage(t *testing.T) {
	const n = 260
	c, crew := network(t, 2, calm.apply)
	ids := submit(t, c, 1, n)
	c.Blocks(3)
	tasks := taskskeeper.NewQueryServerImpl(c.App.Tasks)
	seen := 0
	for _, m := range crew.Members {
		for p := (*query.PageRequest)(nil); ; {
			res, err := tasks.Assigned(c.Ctx(), &taskstypes.QueryAssignedRequest{Worker: m.String(), Pagination: p})
			require.NoError(t, err)
			seen += len(res.Tasks)
			if len(res.Pagination.GetNextKey()) == 0 {
				break
			}
			p = &query.PageRequest{Key: res.Pagination.NextKey}
		}
	}
	require.Equal(t, n, seen)
	finish(t, c, crew, ids)
}
