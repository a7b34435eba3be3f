package app_test

import (
	"math/rand/v2"
	"testing"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// TestMixedBlocksAgreeHoweverTheyRun delivers blocks of sends, submissions, cancellations, seals, reveals, attestations and claims
// by honest and dishonest participants. Every block runs sequentially, in parallel and after a crash, and must give the same app
// hash, results, gas and events; every invariant holds after each.
func TestMixedBlocksAgreeHoweverTheyRun(t *testing.T) {
	blocks := 45
	if testing.Short() {
		blocks = 15
	}
	c := testutil.NewApp(t, testutil.Options{Accounts: 14, Shadows: testutil.AllShadows()})
	c.RegisterEcho(c.Accounts[1])
	crew := c.NewCrew(c.Accounts[2:10]...)
	crew.Members[0].Behaviour = testutil.Liar
	crew.Members[1].Behaviour = testutil.Mute
	crew.Members[2].Behaviour = testutil.Idle
	users := c.Accounts[10:]
	rng := rand.New(rand.NewPCG(1, 2))
	input := uint64(0)
	for height := range blocks {
		var txs [][]byte
		for i, u := range users {
			switch rng.IntN(4) {
			case 0:
				txs = append(txs, c.Tx(u, banktypes.NewMsgSend(u.Addr, users[(i+1)%len(users)].Addr, testutil.Coins(int64(height)+1))))
			case 1:
				ids := testutil.TaskIDs(c, u)
				if len(ids) > 0 {
					txs = append(txs, c.Tx(u, &taskstypes.MsgCancelTask{Submitter: u.String(), TaskId: ids[len(ids)-1]}))
				}
			default:
				input++
				txs = append(txs, c.Tx(u, testutil.SubmitEcho(u, input/2))) // every other one repeats an input
			}
		}
		crew.Work(txs...)
	}
	states := make(map[taskstypes.State]int)
	err := c.App.Tasks.Statuses.Walk(c.Ctx(), nil, func(_ uint64, st taskstypes.Status) (bool, error) {
		states[st.State]++
		return false, nil
	})
	require.NoError(t, err)
	if testing.Short() {
		return
	}
	for _, want := range []taskstypes.State{taskstypes.STATE_FINAL, taskstypes.STATE_CANCELLED, taskstypes.STATE_DISPUTED, taskstypes.STATE_ASSIGNED} {
		require.NotZero(t, states[want], "no task is %s: %v", want, states)
	}
	roundTrip(t, c)
}

// TestWorkIsRewarded follows honest participants from work to score to coins.
func TestWorkIsRewarded(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Accounts: 7})
	c.RegisterEcho(c.Accounts[1])
	crew := c.NewCrew(c.Accounts[2:6]...)
	alice := c.Accounts[6]
	for i := range 12 {
		crew.Work(c.Tx(alice, testutil.SubmitEcho(alice, uint64(i))))
	}
	for _, id := range testutil.TaskIDs(c, alice) {
		crew.WorkUntil(id, taskstypes.STATE_FINAL, 60)
	}
	c.Blocks(20) // until the epochs close
	closed, err := c.App.Poai.ClosedEpochs.Get(c.Ctx())
	require.NoError(t, err)
	earned := false
	for _, m := range crew.Members {
		for epoch := uint64(1); epoch <= closed; epoch++ {
			score, err := c.App.Poai.GetScore(c.Ctx(), epoch, m.String())
			require.NoError(t, err)
			if !score.IsPositive() {
				continue
			}
			before := c.App.Bank.GetBalance(c.Ctx(), m.Addr, params.Denom)
			c.Deliver(m.Account, &rewardstypes.MsgClaim{Participant: m.String(), Epochs: []uint64{epoch}})
			c.Blocks(11) // vests
			c.Deliver(m.Account, &rewardstypes.MsgRelease{Participant: m.String()})
			after := c.App.Bank.GetBalance(c.Ctx(), m.Addr, params.Denom)
			earned = earned || after.Amount.GT(before.Amount)
		}
	}
	require.True(t, earned, "nobody earned anything")
}

// TestEscrowIsThereInTheBlockItWasTaken: a task cancelled in the block of its submission is refunded by the EndBlock of that block,
// out of what x/bank credited just before.
func TestEscrowIsThereInTheBlockItWasTaken(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
	c.RegisterEcho(c.Accounts[1])
	alice := c.Accounts[2]
	before := c.App.Bank.GetBalance(c.Ctx(), alice.Addr, params.Denom)
	submit := c.Tx(alice, testutil.SubmitEcho(alice, 1))
	id := uint64(c.Height()+1) << 24 // the first transaction of the next block
	res := c.Block(submit, c.Tx(alice, &taskstypes.MsgCancelTask{Submitter: alice.String(), TaskId: id}))
	for i, r := range res.TxResults {
		require.Zero(t, r.Code, "transaction %d: %s", i, r.Log)
	}
	payment, err := c.App.Tasks.Payments.Get(c.Ctx(), id)
	require.NoError(t, err)
	require.Equal(t, testutil.Poai(1)[0].Amount, payment.Refund)
	fees := testutil.Coins(2 * testutil.DefaultGas / 400)[0]
	require.Equal(t, before.Sub(fees), c.App.Bank.GetBalance(c.Ctx(), alice.Addr, params.Denom))
}
