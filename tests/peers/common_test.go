// Package peers_test holds faults that other networks of this kind had (or would have), each as a test of what happens here instead.
package peers_test

import (
	"testing"

	"cosmossdk.io/collections"
	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// windows changes the blocks that things take; a test whose tasks must share an epoch takes a long one.
type windows struct{ epoch, seal, retention int64 }

func (w windows) apply(g *testutil.Genesis) {
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.EpochBlocks = w.epoch
	g.Set(poaitypes.ModuleName, &p)
	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.SealBlocks, t.Params.RevealBlocks, t.Params.RetentionBlocks = w.seal, w.seal, w.retention
	t.Params.AuditMinPpm = taskstypes.PpmOne
	g.Set(taskstypes.ModuleName, &t)
}

var calm = windows{epoch: 100, seal: 30, retention: 10_000}

// network is a chain whose first account submits, and a crew of n others.
func network(t *testing.T, n int, genesis func(*testutil.Genesis)) (*testutil.Chain, *testutil.Crew) {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: n + 1, Genesis: genesis})
	c.RegisterEcho(c.Accounts[0])
	return c, c.NewCrew(c.Accounts[1:]...)
}

// submit sends n tasks in one block and returns their ids; the inputs begin at from.
func submit(t *testing.T, c *testutil.Chain, from, n int) []uint64 {
	t.Helper()
	const message = 50
	before := len(testutil.TaskIDs(c, c.Accounts[0]))
	var txs [][]byte
	for at := 0; at < n; at += message {
		var msgs []sdk.Msg
		for i := at; i < min(at+message, n); i++ {
			msgs = append(msgs, testutil.SubmitEcho(c.Accounts[0], uint64(from+i)))
		}
		txs = append(txs, c.TxWith(c.Accounts[0], testutil.TxOptions{Gas: 100_000_000}, msgs...))
	}
	for _, r := range c.Block(txs...).TxResults {
		require.Zero(t, r.Code, r.Log)
	}
	ids := testutil.TaskIDs(c, c.Accounts[0])[before:]
	require.Len(t, ids, n)
	return ids
}

// finish works until all tasks are FINAL.
func finish(t *testing.T, c *testutil.Chain, crew *testutil.Crew, ids []uint64) {
	t.Helper()
	for range 150 {
		open := 0
		for _, id := range ids {
			if status(t, c, id).State != taskstypes.STATE_FINAL {
				open++
			}
		}
		if open == 0 {
			return
		}
		crew.Work()
	}
	t.Fatal("tasks are not final after 150 blocks")
}

func status(t *testing.T, c *testutil.Chain, id uint64) taskstypes.Status {
	t.Helper()
	st, err := c.App.Tasks.Statuses.Get(c.Ctx(), id)
	require.NoError(t, err)
	return st
}

// member is the crew's member of that address.
func member(t *testing.T, crew *testutil.Crew, address string) *testutil.Participant {
	t.Helper()
	for _, m := range crew.Members {
		if m.String() == address {
			return m
		}
	}
	t.Fatalf("%s is a stranger", address)
	return nil
}

// score of a participant in an epoch, 0 where it has none.
func score(t *testing.T, c *testutil.Chain, epoch uint64, participant string) sdk.Coin {
	t.Helper()
	v, err := c.App.Poai.Scores.Get(c.Ctx(), collections.Join(epoch, participant))
	if err != nil {
		require.ErrorIs(t, err, collections.ErrNotFound)
		return sdk.NewInt64Coin("score", 0)
	}
	return sdk.NewCoin("score", v.Score)
}

// closeEpoch makes blocks until the epoch is closed.
func closeEpoch(t *testing.T, c *testutil.Chain, epoch uint64) poaitypes.Epoch {
	t.Helper()
	for range 500 {
		e, err := c.App.Poai.Epochs.Get(c.Ctx(), epoch)
		require.NoError(t, err)
		if e.Closed {
			return e
		}
		c.Block()
	}
	t.Fatalf("epoch %d is not closed after 500 blocks", epoch)
	return poaitypes.Epoch{}
}

// items decodes what became of the items of a transaction's only message. All batches answer alike.
func items(t *testing.T, res *abci.ExecTxResult) []taskstypes.ItemResult {
	t.Helper()
	require.Zero(t, res.Code, res.Log)
	var data sdk.TxMsgData
	require.NoError(t, data.Unmarshal(res.Data))
	require.Len(t, data.MsgResponses, 1)
	var got taskstypes.MsgSealResultsResponse
	require.NoError(t, got.Unmarshal(data.MsgResponses[0].Value))
	return got.Results
}

// refused says that the only item of a batch was, for that reason.
func refused(t *testing.T, res *abci.ExecTxResult, reason string) {
	t.Helper()
	got := items(t, res)
	require.Len(t, got, 1)
	require.False(t, got[0].Accepted)
	require.Contains(t, got[0].Error, reason)
}
