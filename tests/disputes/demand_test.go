package disputes_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// withheld is a court whose submitter may keep the bytes of the input back.
func withheld(t *testing.T) (*testutil.Court, *testutil.Party) {
	t.Helper()
	cs := counter(t)
	cs.ByCID = true
	c := testutil.NewCourt(t, cs)
	worker := c.Honest()
	c.Assign(worker)
	return c, worker
}

func demand(c *testutil.Court, p *testutil.Party) sdk.Msg {
	return &disputestypes.MsgDemandBytes{
		Participant: p.String(), TaskId: c.Task, Source: disputestypes.SOURCE_INPUT, Name: "x", First: 1, Count: 1,
	}
}

// TestWithheldInput: a worker demands bytes that nobody produces. The task is void: nobody is slashed, the submitter's part burns.
func TestWithheldInput(t *testing.T) {
	c, worker := withheld(t)
	c.Deliver(worker.Account, demand(c, worker))
	require.NotZero(t, c.Try(c.Accounts[4], &disputestypes.MsgDemandBytes{
		Participant: c.Accounts[4].String(), TaskId: c.Task, Source: disputestypes.SOURCE_INPUT, Name: "x", Count: 1,
	}).Code, "only parties may demand")
	for range 12 {
		if c.Status().State == taskstypes.STATE_REFUNDED {
			break
		}
		c.Block() // nobody works
	}
	require.Equal(t, taskstypes.STATE_REFUNDED, c.Status().State)
	require.False(t, lost(t, c, worker))
	pay, err := c.App.Tasks.Payments.Get(c.Ctx(), c.Task)
	require.NoError(t, err)
	require.Equal(t, taskstypes.DefaultParams().MinFee, pay.Burnt)
}

// TestProducedInput: somebody brings the bytes, proven against the task's input root, and is paid for it; the task goes on.
func TestProducedInput(t *testing.T) {
	c, worker := withheld(t)
	c.Deliver(worker.Account, demand(c, worker))
	x, err := c.Run.Trace().Tensor(0, engine.OperandRef{Kind: graphpb.REF_KIND_INPUT})
	require.NoError(t, err)
	under, err := c.Run.Trace().Tree(game.TreeInputs, 0)
	require.NoError(t, err)
	member, err := under.Prove(0, 1)
	require.NoError(t, err)
	siblings, err := x.Tree.Prove(1, 1)
	require.NoError(t, err)
	produce := &disputestypes.MsgProduceBytes{
		Producer: c.Accounts[5].String(), TaskId: c.Task, Demand: 1, TensorRoot: x.Root[:], Member: hashes(member),
		Range: disputestypes.RangeProof{First: 1, Data: x.Data[commit.ChunkSize:], Siblings: hashes(siblings)},
	}
	forged := *produce
	forged.Range.Data = append([]byte(nil), forged.Range.Data...)
	forged.Range.Data[0] ^= 1
	require.NotZero(t, c.Try(c.Accounts[5], &forged).Code)
	before := c.App.Bank.GetBalance(c.Ctx(), c.Accounts[5].Addr, "upoai")
	c.Deliver(c.Accounts[5], produce)
	fee := testutil.Coins(testutil.DefaultGas / 400)[0]
	after := c.App.Bank.GetBalance(c.Ctx(), c.Accounts[5].Addr, "upoai")
	require.Equal(t, disputestypes.DefaultParams().DemandFee, after.Amount.Sub(before.Amount).Add(fee.Amount))
	c.Until(100, func() bool { return c.Status().State == taskstypes.STATE_FINAL })
	require.False(t, lost(t, c, worker))
}

func hashes(list []commit.Hash) (out [][]byte) {
	for i := range list {
		out = append(out, list[i][:])
	}
	return out
}
