package disputes_test

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
)

// TestBlockFilling: somebody floods the chain with ordinary transactions. A move gets into the next block nevertheless, and a proposer who
// leaves it no room is refused.
func TestBlockFilling(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	worker, watcher := c.Lying(flip), c.Honest()
	c.Assign(worker)
	c.Until(60, func() bool { return len(c.Games()) == 1 && c.Games()[0].Moves == 1 })
	spammer := c.Accounts[0]
	var waiting [][]byte
	for range 12 { // each declares a tenth of a block's gas
		waiting = append(waiting, c.TxWith(spammer, testutil.TxOptions{Gas: params.BlockGas / 10}, banktypes.NewMsgSend(spammer.Addr, spammer.Addr, testutil.Coins(1))))
	}
	moves, err := c.Due(watcher)
	require.NoError(t, err)
	require.Len(t, moves, 1)
	move := c.TxWith(watcher.Account, testutil.TxOptions{Gas: 5_000_000}, moves[0])
	waiting = append(waiting, move)

	next := c.Request()
	res, err := c.App.PrepareProposal(&abci.RequestPrepareProposal{
		Txs: waiting, MaxTxBytes: 100 << 20, Height: next.Height, Time: next.Time, ProposerAddress: next.ProposerAddress,
	})
	require.NoError(t, err)
	require.Len(t, res.Txs, 1+8+1)
	proof, txs := res.Txs[0], res.Txs[1:] // of the height's randomness
	require.Equal(t, move, txs[8])
	accepts := func(txs ...[]byte) bool {
		res, err := c.App.ProcessProposal(&abci.RequestProcessProposal{
			Txs: append([][]byte{proof}, txs...), Height: next.Height, Time: next.Time, ProposerAddress: next.ProposerAddress, Hash: next.Hash,
		})
		require.NoError(t, err)
		return res.IsAccepted()
	}
	require.True(t, accepts(txs...))
	require.False(t, accepts(waiting[:9]...), "ordinary transactions in the lane")
	require.True(t, accepts(waiting[:8]...))
}

// TestClocksStopWhileTheLaneIsFull: a block whose lane is full is no tick, so that whoever was crowded out does not lose for it.
func TestClocksStopWhileTheLaneIsFull(t *testing.T) {
	c := testutil.NewCourt(t, counter(t))
	worker, watcher := c.Lying(flip), c.Honest()
	worker.Silent = func(disputestypes.Game) bool { return true }
	c.Assign(worker)
	c.Until(60, func() bool { return len(c.Games()) == 1 })
	before := c.Left(c.Games()[0])
	for range 5 {
		var txs [][]byte
		for range 11 { // they fail: it is not the watcher's turn
			txs = append(txs, c.TxWith(watcher.Account, testutil.TxOptions{Gas: 5_900_000}, &disputestypes.MsgMove{
				Participant: watcher.String(), TaskId: c.Task, Game: 1,
				Move: disputestypes.Move{Sum: &disputestypes.Move_Reject{Reject: &disputestypes.Reject{}}},
			}))
		}
		for _, tx := range txs {
			res, err := c.App.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
			require.NoError(t, err)
			require.NotZero(t, res.Code, "no mempool takes a move that is not due")
		}
		c.Block(txs...)
		require.Equal(t, before, c.Left(c.Games()[0]))
	}
	c.Step()
	require.Equal(t, before-1, c.Left(c.Games()[0]))
}
